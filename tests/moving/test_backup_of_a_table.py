"""A table is not read at one moment: whatever is done meanwhile, a site takes the archive, and what a copy
lacks the next one brings."""

from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Timer

import pytest

from moving.conftest import archive_of, known_rows, moving, publish
from support.table_faults import TableFaults
from support.tables import REGION, DynamoDBLocal
from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.names import AccountName, ProviderName
from warehouse14.domain.ports import Restoration, Restores
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel

pytestmark = [pytest.mark.npm, pytest.mark.debian]

_ISSUER = "https://login.example.org"
_READS = frozenset({"Query", "Scan", "GetItem", "BatchGetItem", "TransactGetItems"})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing: this service shows all of a commit at once."""
    monkeypatch.setattr(DynamoUnits, "settle_seconds", 0.0)


@contextmanager
def done_before(
    request: int, warehouse: Warehouse, do: Callable[[], None], operations: Container[str] = _READS
) -> Iterator[list[str]]:
    """Do something before a request that reads, which is counted from 0 among those of some operations.

    Yields which were asked for.
    """
    asked: list[str] = []

    def meet(model: object, **_: object) -> None:
        operation = str(getattr(model, "name", ""))
        if operation in operations:
            if len(asked) == request:
                do()
            asked.append(operation)

    units = warehouse.units
    assert isinstance(units, DynamoUnits)
    units._client.meta.events.register("before-call.dynamodb", meet)
    yield asked
    units._client.meta.events.unregister("before-call.dynamodb", meet)


def table_settings(dynamodb: DynamoDBLocal, table: str) -> dict[str, str]:
    """Return the settings of a site on a table, to which anybody may bring projects, but for its files."""
    return {
        "metadata": "dynamodb",
        "metadata.table": table,
        "metadata.region": REGION,
        "metadata.endpoint_url": dynamodb.endpoint,
        "create_on_upload": "true",
    }


def fill(warehouse: Warehouse) -> None:
    """Let there be two people in a group, each known at a provider, with a project and a token."""
    boss = warehouse.operator()
    for name in ("ada", "ben"):
        warehouse.accounts.add(boss, name)
        join(warehouse, name, name)
        warehouse.tokens.mint(boss, name="x", account=name, scopes={Scope.READ}, project=None)
    warehouse.groups.create(boss, "crew", admin="ada")
    publish(warehouse, "ada", build_wheel("one", "1.0"))


def change(warehouse: Warehouse) -> None:
    """Add somebody, and let everything name them; and join others anew."""
    boss = warehouse.operator()
    warehouse.accounts.add(boss, "dan")
    warehouse.groups.add(boss, "crew", "dan")
    warehouse.groups.create(boss, "new", admin="dan")
    warehouse.tokens.mint(boss, name="x", account="dan", scopes={Scope.READ}, project=None)
    warehouse.projects.grant(boss, "one", "account:dan", Role.ADMIN)
    warehouse.projects.set_public(boss, "one", public=True)
    warehouse.projects.create(boss, "two", admin=AccountName("dan"))
    for subject, before, now in (("ben", "ben", "dan"), ("ada", "ada", "ben")):
        warehouse.arrivals.part(boss, _ISSUER, subject, account=before)
        join(warehouse, subject, now)


def join(warehouse: Warehouse, subject: str, account: str) -> None:
    corp = ProviderName("corp")
    warehouse.arrivals.join_known(
        warehouse.operator(), account, provider=corp, issuer=_ISSUER, subject=subject
    )


@pytest.mark.thorough
def test_whatever_is_done_between_two_reads_of_a_backup_a_site_takes_it_with_all_that_was_there(
    dynamodb: DynamoDBLocal, table: str
) -> None:
    settings = table_settings(dynamodb, table) | {"files": "memory"}
    for request in range(1000):
        dynamodb.remove(table)
        with closing(open_warehouse(settings)) as site, closing(open_warehouse(settings)) as other:
            fill(site)
            with done_before(request, site, lambda: change(other)) as asked:
                archive = archive_of(site)
        with closing(open_warehouse()) as there:
            list(moving(there).restore(archive))
            assert "one" in [project.name for project in there.projects.listed(there.operator())]
        if len(asked) <= request:
            break
    assert request > 10


def go_on(warehouse: Warehouse) -> None:
    """Publish to a project, take a role on it away, begin another, and end with a change of a third."""
    publish(warehouse, "ada", build_wheel("one", "1.1"))
    warehouse.projects.revoke(warehouse.operator(), "one", "group:corp/crew")
    publish(warehouse, "ada", build_wheel("two", "1.0"))
    publish(warehouse, "ada", build_wheel("zed", "1.1"))


def copied(source: Warehouse, target: Warehouse) -> None:
    """Copy a site to another."""
    assert not any(one.damage for one in moving(source).copy_to(target.units, target.store))


def restored(source: Warehouse, target: Warehouse) -> None:
    """Take a backup of a site to another."""
    list(moving(target).restore(archive_of(source)))


@pytest.mark.thorough
@pytest.mark.parametrize("take", [copied, restored])
def test_whatever_is_done_between_two_reads_a_second_copy_or_archive_brings_what_the_first_lacks(
    dynamodb: DynamoDBLocal, table: str, tmp_path: Path, take: Callable[[Warehouse, Warehouse], None]
) -> None:
    files = {"files": "filesystem", "files.root": str(tmp_path / "files")}
    settings = table_settings(dynamodb, table) | files
    with closing(open_warehouse(settings)) as site:
        site.accounts.add(site.operator(), "ada")
        publish(site, "ada", build_wheel("one", "1.0"), build_wheel("zed", "1.0"))
        site.projects.grant(site.operator(), "one", "group:corp/crew", Role.MEMBER)
    # More than three lie between the first project and the journal.
    for request in range(0, 1000, 3):
        settings["metadata.table"] = dynamodb.copy(table)
        with (
            closing(open_warehouse(settings)) as site,
            closing(open_warehouse(settings)) as other,
            closing(open_warehouse()) as there,
        ):
            with done_before(request, site, lambda: go_on(other)) as asked:
                take(site, there)
            take(site, there)
            assert known_rows(there.units) == known_rows(site.units)
            assert not any(there.upkeep.check(digests=True))
        dynamodb.remove(settings["metadata.table"])
        if len(asked) <= request:
            break
    assert request > 10


@pytest.mark.thorough
def test_a_restoration_that_was_killed_is_finished_with_an_archive_of_what_changed_meanwhile(
    dynamodb: DynamoDBLocal, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = table_settings(dynamodb, table) | {"files": "memory"}
    with closing(open_warehouse(settings)) as site, closing(open_warehouse(settings)) as other:
        fill(site)
        # The first read is that of the serial.
        with done_before(1, site, lambda: change(other)):
            archive = archive_of(site)
    for batch in range(100):
        with closing(open_warehouse()) as there:
            was_killed = killed_before(batch, there, archive, monkeypatch)
            list(moving(there).restore(archive_again(archive)))
            assert {"one", "two"} == {each.name for each in there.projects.listed(there.operator())}
        if not was_killed:
            break
    assert batch > 3


def archive_again(archive: BytesIO) -> BytesIO:
    """Return an archive from its beginning on."""
    archive.seek(0)
    return archive


def killed_before(
    batch: int, warehouse: Warehouse, archive: BytesIO, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Restore, let the process end before a batch, which is counted from 0, and return whether it has."""
    units, begun = warehouse.units, 0
    assert isinstance(units, Restores)
    restoring = units.restoring

    def meet() -> AbstractContextManager[Restoration]:
        nonlocal begun
        if begun == batch:
            raise KeyboardInterrupt
        begun += 1
        return restoring()

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(units, "restoring", meet)
        list(moving(warehouse).restore(archive_again(archive)))
        return False
    return True


@pytest.mark.thorough
@pytest.mark.parametrize(("take", "before"), [(copied, 1), (copied, 3), (copied, 5), (restored, 0)])
def test_what_is_shown_later_than_its_serial_is_not_passed_over(
    dynamodb: DynamoDBLocal,
    table: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table_faults: TableFaults,
    take: Callable[[Warehouse, Warehouse], None],
    before: int,
) -> None:
    """Before each of these requests for a serial there are two commits that queries do not show yet."""
    monkeypatch.setattr(DynamoUnits, "settle_seconds", 1.0)
    settings = table_settings(dynamodb, table) | {"files": "filesystem", "files.root": str(tmp_path)}
    with (
        closing(open_warehouse(settings)) as site,
        closing(open_warehouse(settings)) as other,
        closing(open_warehouse()) as there,
    ):
        site.accounts.add(site.operator(), "ada")
        publish(site, "ada", build_wheel("one", "1.0"), build_wheel("zed", "1.0"))
        shown = Timer(0.5, table_faults.mend)

        def commit() -> None:
            table_faults.miss("Query", table)
            publish(other, "ada", build_wheel("one", "1.1"), build_wheel("zed", "1.1"))
            shown.start()

        with done_before(before, site, commit, {"GetItem"}):
            take(site, there)
        shown.join()
        assert not any(there.upkeep.check(digests=True))
        take(site, there)
        assert known_rows(there.units) == known_rows(site.units)
