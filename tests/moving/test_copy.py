"""A site goes to other stores as it was."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from moving.conftest import MANY, contents, publish
from support.backends import Pair
from support.servers import Server
from support.sites import APP, Site, environment, token_id
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Change
from warehouse14.domain.names import AccountName
from warehouse14.domain.services.moving import MoveService
from warehouse14.testing.builders import build_wheel

NewSite = Callable[..., Site]

#: Which pairs of engines a site passes through, from SQLite and files and back to them.
ROADS = [
    pytest.param([Pair("sqlite", "filesystem")], id="sqlite-filesystem"),
    pytest.param([Pair("postgresql", "localstack")], id="postgresql-localstack", marks=pytest.mark.thorough),
    pytest.param(
        [Pair("dynamodb", "localstack"), Pair("dynamodb", "filesystem")],
        id="dynamodb-localstack",
        marks=[pytest.mark.thorough, pytest.mark.npm],
    ),
    pytest.param(
        [Pair("postgresql", "swift"), Pair("mariadb", "filesystem"), Pair("mariadb", "localstack")],
        id="all",
        marks=[pytest.mark.thorough, pytest.mark.debian, pytest.mark.registry],
    ),
]


def copy(source: Site, target: Site) -> str:
    source.variables |= target.variables
    return source.command("copy", "--to", str(target.ini))


def blob_key(site: Site, filename: str) -> str:
    """Return the key of a file that is listed."""
    with site.library() as warehouse, warehouse.units.read() as unit:
        (key,) = (file.key for file in unit.files.all() if file.filename == filename)
    return key


def blob(site: Site, filename: str) -> Path:
    """Return where the bytes of a file that is listed are, or should be."""
    return site.folder / "var/files/blobs" / blob_key(site, filename)


@pytest.mark.parametrize("road", ROADS)
def test_a_site_that_went_to_other_engines_and_back_is_as_it_was(
    full_site: Site, new_site: NewSite, road: list[Pair], request: pytest.FixtureRequest
) -> None:
    here = full_site
    before = contents(full_site)
    for number, pair in enumerate(road):
        backends = request.getfixturevalue("stack").enter_context(pair.opened(request.getfixturevalue))
        there = new_site(f"stop-{number}", backends)
        assert f"{MANY + 1} files copied, 0 there already, 0 damaged" in copy(here, there)
        assert contents(there) == before
        here = there
    back = new_site("back")
    copy(here, back)
    assert contents(back) == before
    assert back.damage() == []


@pytest.mark.thorough
def test_pages_and_tokens_are_the_same_afterwards(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    copy(small_site, there)
    there.command("init")
    found = []
    for site in (small_site, there):
        with Server(site) as server:
            answer = requests.get(
                f"{server.url}/simple/pro-ject-0/",
                auth=("__token__", small_site.tokens["cleo"]),
                headers={"Accept": "application/vnd.pypi.simple.v1+json"},
                timeout=30,
            )
            assert answer.status_code == 200
            found.append(answer.json())
    assert found[0] == found[1]
    assert [file["yanked"] for file in found[0]["files"] if file["yanked"]] == ["Grüße: broken"]


@pytest.mark.thorough
def test_a_second_run_copies_what_is_new_and_what_was_changed(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    copy(small_site, there)
    assert "0 files copied, 0 there already, 0 damaged" in copy(small_site, there)
    with small_site.library() as warehouse:
        boss = warehouse.operator()
        publish(warehouse, "ada", build_wheel("Pro.ject-1", "2.0"), build_wheel("fresh", "1.0"))
        warehouse.files.unyank(boss, "pro-ject-0", "pro_ject_0-1.0-py3-none-any.whl")
        warehouse.projects.delete(boss, "pro-ject-2")
        warehouse.accounts.set_disabled(boss, "ben", disabled=True)
        warehouse.groups.add(boss, "crew", "ben")
    said = copy(small_site, there)
    assert "2 files copied" in said
    after = contents(small_site)
    assert contents(there).rows == after.rows
    assert there.damage() == []


def test_a_copy_knows_beforehand_at_how_many_files_it_looks(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    there.command("init", "--no-admin")
    with small_site.library() as one, there.library() as other:
        moving = MoveService(one.units, one.store, one.now)
        for _ in range(2):
            expected = moving.count_for(other.units)
            assert len(list(moving.copy_to(other.units, other.store))) == expected
            publish(one, "ada", build_wheel("fresh", "1.0"))
        assert expected < moving.count()


def test_what_is_published_during_each_pass_of_a_copy_arrives(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    there.command("init", "--no-admin")
    with small_site.library() as one, there.library() as other:
        steps = MoveService(one.units, one.store, one.now).copy_to(other.units, other.store)
        next(steps)
        second = build_wheel("second", "1.0")
        publish(one, "ada", second)
        assert any(step.key.endswith(second.filename) for step in steps)
        third = build_wheel("third", "1.0")
        publish(one, "ada", third)
        (last,) = steps
        assert last.key.endswith(third.filename)
    assert there.damage() == []
    assert contents(there) == contents(small_site)


def test_a_copy_tells_of_each_file_once_though_others_are_published_meanwhile(
    small_site: Site, new_site: NewSite
) -> None:
    there = new_site("there")
    there.command("init", "--no-admin")
    with small_site.library() as one, there.library() as other:
        newest = build_wheel("newest", "1.0")
        publish(one, "ada", newest, build_wheel("newest", "1.1"))
        blob(small_site, newest.filename).unlink()
        moving = MoveService(one.units, one.store, one.now)
        expected = moving.count_for(other.units)
        steps = moving.copy_to(other.units, other.store)
        found = [next(steps)]
        publish(one, "ada", build_wheel("newest", "1.2"), build_wheel("another", "1.0"))
        found += steps
    assert len(found) == len({each.key for each in found}) == expected + 2
    assert [len(each.damage) for each in found].count(1) == 1


@pytest.mark.thorough
def test_what_was_damaged_is_tried_again_by_each_copy_until_it_is_there(
    small_site: Site, new_site: NewSite
) -> None:
    lost, short = (build_wheel(name, "1.0") for name in ("lost", "short"))
    with small_site.library() as warehouse:
        publish(warehouse, "ada", lost, short, build_wheel("later", "1.0"))
    blob(small_site, lost.filename).unlink()
    cut = blob(small_site, short.filename)
    cut.chmod(0o600)
    cut.write_bytes(short.content[:-1])
    there = new_site("there")
    for _ in range(2):
        ended = small_site.run("copy", "--to", str(there.ini))
        assert ended.returncode == 1
        assert ", 2 damaged" in ended.stdout
        assert f"damage: missing: {blob_key(small_site, lost.filename)}" in ended.stdout
        assert f"damage: wrong size: {blob_key(small_site, short.filename)}" in ended.stdout
    with small_site.library() as warehouse:
        publish(warehouse, "ada", lost, short)
    ended = small_site.run("copy", "--to", str(there.ini))
    assert ended.returncode == 0
    assert "2 files copied" in ended.stdout
    assert there.damage() == []
    assert contents(there) == contents(small_site)


@pytest.mark.thorough
def test_a_site_goes_on_where_it_is_copied_to(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    copy(small_site, there)
    with there.library() as warehouse:
        publish(warehouse, "ada", build_wheel("later", "1.0"))
        with warehouse.units.read() as unit:
            assert unit.journal.serial() == 1 + max(
                row.serial for row in contents(small_site).rows if isinstance(row, Change)
            )


def test_a_site_with_changes_of_its_own_is_not_written_to(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    there.command("init")
    before = contents(there)
    ended = small_site.run("copy", "--to", str(there.ini))
    assert ended.returncode == 1
    assert "has changes of its own, which would be lost" in ended.stderr
    assert contents(there) == before


@pytest.mark.thorough
def test_a_copy_that_was_changed_is_not_written_to(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    copy(small_site, there)
    with there.library() as warehouse:
        publish(warehouse, "ada", build_wheel("other", "1.0"))
    with small_site.library() as warehouse:
        publish(warehouse, "ada", build_wheel("another", "1.0"), build_wheel("third", "1.0"))
    ended = small_site.run("copy", "--to", str(there.ini))
    assert (ended.returncode, "changes of its own" in ended.stderr) == (1, True)


@pytest.mark.thorough
def test_a_site_is_not_copied_onto_itself(small_site: Site) -> None:
    ended = small_site.run("copy", "--to", str(small_site.ini))
    assert ended.returncode == 2
    assert "has the same warehouse14.metadata as the site that is copied" in ended.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("other", ["link", "environment"])
def test_a_site_is_not_copied_onto_itself_under_another_name(
    small_site: Site, new_site: NewSite, other: str
) -> None:
    if other == "link":
        there = Site(small_site.folder.with_name("link"))
        there.folder.symlink_to(small_site.folder)
        words = ["copy", "--to", str(there.ini)]
    else:
        # The variable is said of the site that is copied, which so is the other.
        there = new_site("there")
        there.command("init", "--no-admin")
        url = f"sqlite:///{there.folder}/./var/warehouse14.sqlite"
        small_site.variables["WAREHOUSE14_METADATA_URL"] = url
        words = ["copy", "--to", str(there.ini)]
    ended = small_site.run(*words)
    assert ended.returncode == 2, ended
    assert "has the same warehouse14.metadata as the site that is copied" in ended.stderr


def test_a_token_that_was_revoked_in_the_copy_meanwhile_stays_so(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    copy(small_site, there)
    # There is a file to carry, between the comparison and the first write.
    with small_site.library() as warehouse:
        publish(warehouse, "ada", build_wheel("fresh", "1.0"))
    revoked = small_site.tokens["cleo"]
    with small_site.library() as one, there.library() as other:
        steps = MoveService(one.units, one.store, one.now).copy_to(other.units, other.store)
        next(steps)
        other.tokens.revoke(other.operator(), token_id(revoked))
        with pytest.raises(Conflict, match="Another writes to the same stores"):
            list(steps)
        with other.units.read() as unit:
            (token,) = unit.tokens.of(AccountName("cleo"))
    assert token.revoked_at is not None


@pytest.mark.thorough
def test_what_is_read_only_can_be_copied_and_not_be_written_to(small_site: Site, new_site: NewSite) -> None:
    small_site.configure(APP, warehouse14__read_only="true")
    there = new_site("there")
    there.configure(APP, warehouse14__read_only="true")
    ended = small_site.run("copy", "--to", str(there.ini))
    assert ended.returncode == 2
    assert "warehouse14.read_only is set there" in ended.stderr
    there.configure(APP, warehouse14__read_only="false")
    copy(small_site, there)
    assert contents(there) == contents(small_site)


@pytest.mark.thorough
def test_what_is_damaged_is_said_and_all_else_is_copied(small_site: Site, new_site: NewSite) -> None:
    blobs = sorted((small_site.folder / "var/files/blobs").rglob("*.whl"))
    lost, short, other, whole = blobs
    large = whole.with_name(f"{whole.name}.json")
    os.truncate(large, 25 * 1024 * 1024 + 1)
    lost.unlink()
    short.chmod(0o600)
    short.write_bytes(short.read_bytes()[:-1])
    other.chmod(0o600)
    other.write_bytes(other.read_bytes()[:-1] + b"x")
    there = new_site("there")
    ended = small_site.run("copy", "--to", str(there.ini))
    assert ended.returncode == 1
    damaged = {lost: "missing", short: "wrong size", other: "wrong digest", large: "wrong size"}
    for path, what in damaged.items():
        assert f"damage: {what}: {path.relative_to(small_site.folder / 'var/files/blobs')}" in ended.stdout
    assert "1 files copied, 0 there already, 4 damaged" in ended.stdout
    assert contents(there).rows == contents(small_site).rows


@pytest.mark.thorough
def test_whenever_a_copy_is_killed_it_is_finished_by_another(
    prepared_site: Site, tmp_path: Path, new_site: NewSite
) -> None:
    source = prepared_site.copy_to(tmp_path / "source")
    with source.library() as warehouse:
        publish(warehouse, "ada", build_wheel("one", "1.0"), build_wheel("two", "1.0"))
    there = new_site("there")
    step = killed = 0
    while True:
        step += 1
        ended = subprocess.run(
            [sys.executable, "-m", "moving.dying", str(source.ini), str(there.ini), str(step)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment(),
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert there.damage() == []
        killed += 1
        if step > 12:
            # From the beginning, or nothing is left to be done at the later steps.
            there = new_site(f"there-{step}")
    assert killed > 20
    assert contents(there) == contents(source)


@pytest.mark.thorough
def test_two_copies_at_once_end_with_a_whole_one(small_site: Site, new_site: NewSite) -> None:
    there = new_site("there")
    there.command("init", "--no-admin")
    words = [sys.executable, "-m", "moving.dying", str(small_site.ini), str(there.ini), "0"]
    running = [
        subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in running:
        process.communicate(timeout=120)
    copy(small_site, there)
    assert contents(there) == contents(small_site)
