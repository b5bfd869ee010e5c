"""A site with something of everything, and ways to compare it with others."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from moving.archives import Members, members_of
from support.sites import Site
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.arrivals import Arrival
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.moving.known import InUnit
from warehouse14.domain.moving.lines import Row, rows
from warehouse14.domain.names import ProviderName
from warehouse14.domain.ports import Units
from warehouse14.domain.services.arrivals import From
from warehouse14.domain.services.moving import MoveService
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

MANY = 200


#: The settings of a site in memory to which anybody may bring projects.
PUBLISHING = {"metadata": "memory", "files": "memory", "create_on_upload": "true"}


@dataclass(frozen=True)
class Contents:
    """All that a site holds: every row, and every blob with its bytes."""

    rows: Sequence[Row]
    blobs: dict[str, bytes]


def contents(site: Site) -> Contents:
    with site.library() as warehouse:
        with warehouse.units.read() as unit:
            found = list(rows(InUnit(unit)))
        blobs = {}
        for blob in warehouse.store.keys():
            with closing(warehouse.store.open(blob.key, 0)) as stream:
                blobs[blob.key] = stream.read()
    return Contents(found, blobs)


def publish(warehouse: Warehouse, account: str, *files: BuiltFile) -> None:
    for file in files:
        warehouse.uploads.publish(warehouse.account(account), form_of(file.filename), [file.content])


def known_rows(units: Units) -> list[Row]:
    """Return all that is known, in order."""
    with units.read() as unit:
        return list(rows(InUnit(unit)))


def archive_of(warehouse: Warehouse) -> io.BytesIO:
    """Return a backup without damage."""
    archive = io.BytesIO()
    assert not any(one.damage for one in moving(warehouse).backup(archive))
    archive.seek(0)
    return archive


def moving(warehouse: Warehouse) -> MoveService:
    """Return what takes the site elsewhere."""
    return MoveService(warehouse.units, warehouse.store, warehouse.now)


def fill(site: Site, projects: int) -> Site:
    """Publish ``projects`` projects, and do everything else that leaves something behind."""
    with site.library() as warehouse:
        boss = warehouse.operator()
        ada = warehouse.account("ada")
        for number in range(projects):
            publish(warehouse, "ada" if number % 3 else "cleo", build_wheel(f"Pro.ject-{number}", "1.0"))
        publish(warehouse, "cleo", build_wheel("Pro.ject-0", "1.1"), build_sdist("Pro.ject-0", "1.1"))
        warehouse.projects.grant(boss, "pro-ject-0", "account:ben", Role.MEMBER)
        warehouse.projects.grant(boss, "pro-ject-0", "account:new@example.org", Role.ADMIN)
        warehouse.projects.set_public(ada, "pro-ject-1", public=True)
        older, _, newest = warehouse.projects.files(boss, "pro-ject-0")
        warehouse.files.yank(boss, "pro-ject-0", older.filename, reason="Grüße: broken")
        warehouse.files.delete(boss, "pro-ject-0", newest.filename)
        publish(warehouse, "ada", build_wheel("gone", "1.0"))
        warehouse.projects.delete(ada, "gone")
        warehouse.groups.create(boss, "crew", admin="ada")
        warehouse.groups.create(boss, "old", admin="ada")
        warehouse.groups.delete(boss, "old")
        warehouse.projects.grant(boss, "pro-ject-2", "group:crew", Role.ADMIN)
        spare = warehouse.tokens.mint(boss, name="spare", account="ben", scopes={Scope.YANK}, project="pro*")
        warehouse.tokens.revoke(boss, spare.id)
        warehouse.arrivals.sign_in(
            From(ProviderName("corp"), "Corp", "192.0.2.1"),
            Arrival(
                issuer="https://login.example.org",
                subject="42",
                name="noor",
                email="noor@example.org",
                groups=frozenset({"platform"}),
                sid=None,
                id_token="",
                refusal=None,
            ),
        )
        list(warehouse.upkeep.collect(older_than=timedelta(0)))
    return site


@pytest.fixture
def new_site(tmp_path: Path) -> Callable[..., Site]:
    """Returns a site that was never prepared."""
    return lambda name, backends=None: Site.in_folder(tmp_path / name, backends)


@pytest.fixture(scope="session")
def full_site(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with many projects, that nobody changes."""
    return fill(prepared_site.copy_to(tmp_path_factory.mktemp("full") / "site"), MANY)


@pytest.fixture
def small_site(prepared_site: Site, tmp_path: Path) -> Site:
    """A site with three projects."""
    return fill(prepared_site.copy_to(tmp_path / "small"), 3)


@pytest.fixture(scope="session")
def members(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Members:
    """What is in a backup of a site with three projects."""
    site = fill(prepared_site.copy_to(tmp_path_factory.mktemp("archives") / "site"), 3)
    archive = io.BytesIO()
    with site.library() as warehouse:
        list(MoveService(warehouse.units, warehouse.store, warehouse.now).backup(archive))
    return members_of(archive)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends with the test."""
    with ExitStack() as found:
        yield found


@pytest.fixture
def source() -> Iterator[Warehouse]:
    """A site with two people and two projects, in memory."""
    with closing(open_warehouse(PUBLISHING)) as warehouse:
        boss = warehouse.operator()
        for name in ("ada", "ben"):
            warehouse.accounts.add(boss, name)
        publish(warehouse, "ada", build_wheel("one", "1.0"), build_wheel("two", "1.0"))
        yield warehouse
