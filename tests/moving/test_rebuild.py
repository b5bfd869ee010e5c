"""A lost database is made again from the file store, as far as that knows."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from moving.conftest import contents
from support.backends import FURTHER_PAIRS, Pair
from support.servers import Server
from support.sites import PASSWORD, Backends, Site
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Conflict
from warehouse14.domain.moving.known import InUnit, restorable
from warehouse14.domain.moving.lines import rows
from warehouse14.domain.moving.sidecars import Lost
from warehouse14.domain.services.rebuilding import RebuildService

NewSite = Callable[..., Site]


def pages(site: Site, token: str, *names: str) -> dict[str, Any]:
    """Return the files of projects as installers see them, without yanks."""
    found = {}
    with Server(site) as server:
        for name in names:
            answer = requests.get(
                f"{server.url}/simple/{name}/",
                auth=("__token__", token),
                headers={"Accept": "application/vnd.pypi.simple.v1+json"},
                timeout=30,
            )
            assert answer.status_code == 200, name
            files = answer.json()["files"]
            found[name] = [{**file, "yanked": False} for file in files]
    return found


@pytest.fixture
def lost_site(small_site: Site) -> Site:
    """A site whose database is lost."""
    for path in (small_site.folder / "var").glob("*.sqlite*"):
        path.unlink()
    return small_site


@pytest.mark.thorough
def test_the_pages_have_the_same_files_hashes_and_dates(small_site: Site) -> None:
    before = pages(small_site, small_site.tokens["cleo"], "pro-ject-0")
    for path in (small_site.folder / "var").glob("*.sqlite*"):
        path.unlink()
    said = small_site.command("rebuild")
    assert "3 projects listed again, 0 files lost" in said
    small_site.command("account", "add", "cleo", "--password-stdin", typed=PASSWORD)
    token = small_site.command("token", "mint", "cleo", "--name", "new", "--scope", "upload").strip()
    assert pages(small_site, token, "pro-ject-0") == before
    assert small_site.damage() == []


def test_every_project_is_private_and_of_those_who_published_it(lost_site: Site) -> None:
    ended = lost_site.run("rebuild")
    assert ended.returncode == 0
    assert "Only a backup knows the rest: yanks, roles of others" in ended.stderr
    with lost_site.library() as warehouse, warehouse.units.read() as unit:
        projects = list(unit.projects.changed_since(0))
        changes = unit.journal.since(0, 99)
    assert [project.public for project in projects] == [False] * 3
    assert [dict(project.grants) for project in projects] == [
        {"account:cleo": "admin"},
        {"account:ada": "admin"},
        {"account:ada": "admin"},
    ]
    assert [project.display_name for project in projects] == [f"Pro.ject-{number}" for number in range(3)]
    assert {project.serial for project in projects} <= {change.serial for change in changes}
    assert [change.serial for change in changes] == list(range(1, len(changes) + 1))
    assert changes == sorted(changes, key=lambda change: change.at)


@pytest.mark.parametrize("pair", FURTHER_PAIRS)
def test_any_engines_are_rebuilt_as_one_file_and_a_folder_are(
    small_site: Site, new_site: NewSite, pair: Pair, request: pytest.FixtureRequest
) -> None:
    with pair.opened(request.getfixturevalue) as backends:
        there = new_site("there", backends)
        small_site.variables |= there.variables
        small_site.command("copy", "--to", str(there.ini))
        with (
            there.library() as other,
            small_site.library() as one,
            pair.opened(request.getfixturevalue) as empty,
            new_site("lost", Backends(empty.settings, there.variables)).library() as lost,
        ):
            lost.prepare()
            list(RebuildService(lost.units, other.store).rebuild())
            with closing(open_warehouse()) as expected:
                list(RebuildService(expected.units, one.store).rebuild())
                with expected.units.read() as unit, lost.units.read() as found:
                    assert list(rows(InUnit(found))) == list(rows(InUnit(unit)))


@pytest.mark.thorough
def test_a_name_that_has_a_file_is_taken(lost_site: Site) -> None:
    lost_site.command("rebuild")
    lost_site.command("account", "add", "ben", "--password-stdin", typed=PASSWORD)
    ended = lost_site.run("project", "create", "pro-ject-1", "--admin", "ben")
    assert ended.returncode == 1
    assert "taken" in ended.stderr


def test_a_blob_without_its_sidecar_is_named_and_the_rest_is_listed(lost_site: Site) -> None:
    sidecar = min((lost_site.folder / "var/files/blobs").rglob("*.json"))
    sidecar.unlink()
    ended = lost_site.run("rebuild")
    assert ended.returncode == 1
    key = str(sidecar.relative_to(lost_site.folder / "var/files/blobs")).removesuffix(".json")
    assert f"lost: {key}: it has no sidecar, or no core metadata" in ended.stdout
    assert "1 files lost" in ended.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("content", [b"", b"[]", b'{"project": 1}', b"\xff", b'{"filename": "x.whl"}'])
def test_a_sidecar_that_is_no_sidecar_is_named(lost_site: Site, content: bytes) -> None:
    sidecar = min((lost_site.folder / "var/files/blobs").rglob("*.json"))
    sidecar.chmod(0o600)
    sidecar.write_bytes(content)
    ended = lost_site.run("rebuild")
    assert ended.returncode == 1
    assert "what is beside it cannot be read" in ended.stdout
    assert "3 projects listed again, 1 files lost" in ended.stdout


def test_every_damage_of_a_sidecar_costs_that_file_alone(lost_site: Site) -> None:
    sidecars = sorted((lost_site.folder / "var/files/blobs").rglob("*.json"))
    damaged, others = sidecars[0], len(sidecars) - 1
    known = json.loads(damaged.read_text())
    damaged.chmod(0o600)
    odd: list[dict[str, Any]] = [
        {"size": float("inf")},
        {"blake2_256": "\ud800"},
        {"blake2_256": "00"},
        {"sha256": known["sha256"].upper()},
        {"uploaded_by": "\udc00"},
        {"uploaded_by": "a" * 5000},
        {"uploaded_by": ""},
        {"uploaded_by": ["ada"]},
        {"uploaded_at": "0001-01-01T00:00:00+14:00"},
        {"uploaded_at": "9999-12-31T23:59:59-14:00"},
    ]
    with lost_site.library() as warehouse:
        for content in ["[" * 200_000, *(json.dumps({**known, **values}) for values in odd)]:
            damaged.write_text(content)
            with closing(open_warehouse()) as there:
                found = list(RebuildService(there.units, warehouse.store).rebuild())
                with there.units.read() as unit:
                    listed = list(unit.files.all())
            assert [type(each) for each in found].count(Lost) == 1, content[:300]
            assert len(listed) == others


@pytest.mark.thorough
def test_of_two_files_of_one_name_the_newer_is_listed_and_the_other_named(lost_site: Site) -> None:
    blobs = lost_site.folder / "var/files/blobs"
    wheel = min(blobs.rglob("*.whl"))
    other = wheel.parent.with_name("0" * 64) / wheel.name
    other.parent.mkdir()
    other.write_bytes(wheel.read_bytes())
    for ending in (".json", ".metadata"):
        shutil.copy(f"{wheel}{ending}", f"{other}{ending}")
    known = json.loads(Path(f"{other}.json").read_text())
    older = (datetime.fromisoformat(known["uploaded_at"]) - timedelta(days=1)).isoformat()
    Path(f"{other}.json").chmod(0o600)
    Path(f"{other}.json").write_text(json.dumps({**known, "sha256": "0" * 64, "uploaded_at": older}))
    ended = lost_site.run("rebuild")
    assert f"lost: {other.relative_to(blobs)}: a newer file has its name" in ended.stdout
    assert "3 projects listed again, 1 files lost" in ended.stdout


@pytest.mark.thorough
def test_a_site_that_was_rebuilt_can_be_copied_and_a_copy_that_was_cut_off_finished(
    lost_site: Site, new_site: NewSite
) -> None:
    lost_site.command("rebuild")
    there = new_site("there")
    there.command("init", "--no-admin")
    with (
        lost_site.library() as one,
        there.library() as other,
        one.units.read() as unit,
        # As after a kill right before the first project.
        restorable(other.units).restoring() as restoration,
    ):
        restoration.journal(unit.journal.since(0, 1))
    lost_site.command("copy", "--to", str(there.ini))
    assert contents(there) == contents(lost_site)


@pytest.mark.thorough
def test_a_database_with_projects_is_not_rebuilt(small_site: Site) -> None:
    ended = small_site.run("rebuild")
    assert ended.returncode == 1
    assert "There are projects in the database" in ended.stderr


def test_a_rebuild_puts_nothing_where_something_changed_since_it_began(lost_site: Site) -> None:
    min((lost_site.folder / "var/files/blobs").rglob("*.json")).unlink()
    with lost_site.library() as warehouse:
        warehouse.prepare()
        steps = RebuildService(warehouse.units, warehouse.store).rebuild()
        # Wherever it comes among the blobs, it is told of before anything is put.
        assert isinstance(next(steps), Lost)
        warehouse.accounts.add(warehouse.operator(), "cleo")
        with pytest.raises(Conflict, match="Another writes to the same stores"):
            list(steps)
        with warehouse.units.read() as unit:
            assert list(unit.projects.changed_since(-1)) == []
            assert unit.journal.serial() == 1


@pytest.mark.thorough
def test_a_database_with_accounts_alone_is_rebuilt_beside_them(lost_site: Site) -> None:
    lost_site.command("init")
    lost_site.command("rebuild")
    with lost_site.library() as warehouse, warehouse.units.read() as unit:
        assert [change.action for change in unit.journal.since(0, 2)] == ["account.add", "file.upload"]


def test_a_store_in_which_nothing_can_be_listed_is_no_success(lost_site: Site) -> None:
    shutil.rmtree(lost_site.folder / "var/files")
    ended = lost_site.run("rebuild")
    assert (ended.returncode, ended.stdout) == (1, "0 projects listed again, 0 files lost\n")
    assert "nothing in the file store can be listed" in ended.stderr
    assert "Every project is private" not in ended.stderr
