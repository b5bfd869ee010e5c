import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.domain.conftest import settings_of
from warehouse14.bootstrap import assemble
from warehouse14.domain.errors import Unauthenticated
from warehouse14.domain.followed import FollowedCache, account_tag, project_tag
from warehouse14.domain.model import Account, Change, Project
from warehouse14.domain.names import AccountName, ProjectName
from warehouse14.domain.ports import Units
from warehouse14.domain.warehouse import Warehouse

FOO, BAR = ProjectName("foo"), ProjectName("bar")
WHEN = datetime(2026, 11, 1, tzinfo=UTC)


def serial(warehouse: Warehouse) -> int:
    with warehouse.units.read() as unit:
        return unit.journal.serial()


def change(warehouse: Warehouse, name: ProjectName) -> None:
    with warehouse.units.write() as unit:
        unit.projects.create(Project(name, name, public=False, created_at=WHEN, created_by="ada"))
        unit.journal.append(Change("test", WHEN, "ada", "", project=name))


def cache_of(warehouse: Warehouse, *, max_bytes: int = 1000) -> FollowedCache:
    cache = FollowedCache(warehouse.units, max_bytes=max_bytes)
    cache.follow()
    return cache


def test_a_change_drops_what_was_made_from_its_subject_and_nothing_else(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse)
    now = serial(warehouse)
    cache.put("foo", 1, size=1, tags=[project_tag(FOO)], serial=now)
    cache.put("bar", 2, size=1, tags=[project_tag(BAR)], serial=now)
    cache.put("ada", 4, size=1, tags=[account_tag(AccountName("ada"))], serial=now)
    change(warehouse, FOO)
    assert cache.get("foo") == 1
    cache.follow()
    assert [cache.get(key) for key in ("foo", "bar", "ada")] == [None, 2, 4]


def test_it_knows_when_any_project_has_changed_and_takes_nothing_else_for_that(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse)
    change(warehouse, FOO)
    cache.follow()
    at = serial(warehouse)
    assert cache.projects_serial == at
    with warehouse.units.write() as unit:
        unit.journal.append(Change("test", WHEN, "ada", "", account=AccountName("ada")))
    cache.follow()
    assert (cache.projects_serial, serial(warehouse)) == (at, at + 1)


def test_a_value_that_was_read_before_the_last_change_is_not_kept(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse)
    before = serial(warehouse)
    change(warehouse, FOO)
    cache.follow()
    cache.put("foo", "stale", size=1, tags=[project_tag(FOO)], serial=before)
    assert cache.get("foo") is None
    cache.put("foo", "fresh", size=1, tags=[project_tag(FOO)], serial=serial(warehouse))
    assert cache.get("foo") == "fresh"


def test_every_thread_sees_a_change_though_another_has_followed_it(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse)
    seen: list[object] = []
    ready, go = threading.Event(), threading.Event()

    def follow_in_thread() -> None:
        cache.follow()
        cache.put("foo", 1, size=1, tags=[project_tag(FOO)], serial=serial(warehouse))
        ready.set()
        go.wait(10)
        cache.follow()
        seen.append(cache.get("foo"))

    thread = threading.Thread(target=follow_in_thread)
    thread.start()
    ready.wait(10)
    change(warehouse, FOO)
    go.set()
    thread.join()
    assert seen == [None]


def test_the_least_recently_used_goes_when_there_is_no_room(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse, max_bytes=10)
    for key in "abc":
        cache.put(key, key, size=4, tags=[], serial=0)
        cache.get("a")
    assert [cache.get(key) for key in "abc"] == ["a", None, "c"]
    cache.put("huge", 1, size=11, tags=[], serial=0)
    assert cache.get("huge") is None
    assert cache.get("a") == "a"


def test_more_changes_than_are_worth_reading_clear_the_cache(warehouse: Warehouse) -> None:
    cache = cache_of(warehouse)
    cache.put("foo", 1, size=1, tags=[project_tag(FOO)], serial=serial(warehouse))
    for number in range(1001):
        with warehouse.units.write() as unit:
            unit.accounts.add(Account(AccountName(f"a{number}"), administrator=False, created_at=WHEN))
            unit.journal.append(Change("test", WHEN, "ada", "", account=AccountName(f"a{number}")))
    cache.follow()
    assert cache.get("foo") is None


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Warehouse]:
    """An index on a database, where a unit sees what is there when it first asks."""
    warehouse = assemble(settings_of("sql", tmp_path), {}).warehouse
    warehouse.prepare()
    yield warehouse
    warehouse.close()


def elsewhere(do: Callable[[], None]) -> None:
    """Let another thread do it, now."""
    thread = threading.Thread(target=do)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@contextmanager
def before_the_next_question(to: str, do: Callable[[], None]) -> Iterator[None]:
    """Let another thread do it right before the next statement to the table ``to`` is sent."""
    left = [do]

    def meet(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if left and f"FROM {to}" in statement:
            elsewhere(left.pop())

    event.listen(Engine, "before_cursor_execute", meet)
    yield
    event.remove(Engine, "before_cursor_execute", meet)
    assert not left


def test_who_follows_for_the_first_time_misses_nothing_that_another_keeps_meanwhile(
    on_sqlite: Warehouse,
) -> None:
    cache = FollowedCache(on_sqlite.units, max_bytes=1000)

    def keep_what_changes_then() -> None:
        cache.follow()
        cache.put("foo", "stale", size=1, tags=[project_tag(FOO)], serial=serial(on_sqlite))
        change(on_sqlite, FOO)

    with before_the_next_question("serials", keep_what_changes_then):
        cache.follow()
    assert cache.get("foo") is None


def test_when_a_project_has_changed_never_becomes_earlier(on_sqlite: Warehouse) -> None:
    """Else a list that another keeps for newer would be sent."""
    known = []

    class Watched(FollowedCache):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "projects_serial":
                known.append(value)

    cache = Watched(on_sqlite.units, max_bytes=1000)
    cache.follow()
    for name in "abc":
        change(on_sqlite, ProjectName(name))

    def follow_and_change_one_more() -> None:
        cache.follow()
        change(on_sqlite, FOO)

    with before_the_next_question("journal", follow_and_change_one_more):
        cache.follow()
    assert known == sorted(known)
    assert known[-1] == serial(on_sqlite)


def other_process(folder: Path) -> Warehouse:
    return assemble(settings_of("sql", folder), {}).warehouse


def test_a_token_that_another_process_revoked_is_refused_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "C# at 100%"
    folder.mkdir()
    here, there = other_process(folder), other_process(folder)
    here.prepare()
    here.accounts.add(here.operator(), "ada")
    minted = here.tokens.mint(here.operator(), name="t", account="ada")
    here.tokens.identify(minted.text)
    there.tokens.revoke(there.operator(), minted.id)
    with pytest.raises(Unauthenticated):
        here.tokens.identify(minted.text)
    here.close()
    there.close()
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]


# -- a store that is put back under a running program -----------------------------------------------------


@contextmanager
def going_back(folder: Path) -> Iterator[None]:
    """Put the database back at the end to what it is now, as ``.restore`` of SQLite's shell does."""
    there, kept = (sqlite3.connect(folder / name) for name in ("site.sqlite", "kept.sqlite"))
    with closing(there), closing(kept):
        there.backup(kept)
        yield
        kept.backup(there)


@pytest.mark.parametrize("since", [0, 3, 5])
def test_a_token_that_is_revoked_after_the_journal_went_back_is_refused(
    on_sqlite: Warehouse, tmp_path: Path, since: int
) -> None:
    """Also where the journal has come up to what was followed, or beyond it, before anybody asks."""
    on_sqlite.accounts.add(on_sqlite.operator(), "ada")
    minted = on_sqlite.tokens.mint(on_sqlite.operator(), name="t", account="ada")
    with going_back(tmp_path):
        for name in "abcd":
            change(on_sqlite, ProjectName(name))
        on_sqlite.tokens.identify(minted.text)
    other = other_process(tmp_path)
    other.tokens.revoke(other.operator(), minted.id)
    for number in range(since):
        change(other, ProjectName(f"new-{number}"))
    other.close()
    with pytest.raises(Unauthenticated):
        on_sqlite.tokens.identify(minted.text)


def test_after_the_journal_went_back_it_is_followed_from_there(on_sqlite: Warehouse, tmp_path: Path) -> None:
    cache = FollowedCache(on_sqlite.units, max_bytes=1000)
    with going_back(tmp_path):
        change(on_sqlite, BAR)
        cache.follow()
        cache.put("gone", 1, size=1, tags=[project_tag(BAR)], serial=serial(on_sqlite))
    cache.follow()
    assert cache.get("gone") is None
    assert cache.projects_serial == serial(on_sqlite)
    cache.put("foo", 1, size=1, tags=[project_tag(FOO)], serial=serial(on_sqlite))
    assert cache.get("foo") == 1
    change(on_sqlite, FOO)
    cache.follow()
    assert cache.get("foo") is None


class BySerial:
    """Units that tell of commits as a server does: by the newest serial."""

    def __init__(self, units: Units) -> None:
        self.read = units.read
        self.write = units.write

    def pulse(self) -> int:
        with self.read() as unit:
            return unit.journal.serial()


def test_who_comes_when_the_journal_is_again_where_it_was_sees_what_changed_there(
    on_sqlite: Warehouse, tmp_path: Path
) -> None:
    cache = FollowedCache(BySerial(on_sqlite.units), max_bytes=1000)
    with going_back(tmp_path):
        change(on_sqlite, BAR)
        cache.follow()

    def keep_what_is_there() -> None:
        cache.follow()
        cache.put("foo", "stale", size=1, tags=[project_tag(FOO)], serial=serial(on_sqlite))

    elsewhere(keep_what_is_there)
    assert cache.get("foo") == "stale"
    change(on_sqlite, FOO)
    cache.follow()
    assert cache.get("foo") is None


def test_what_was_read_before_the_journal_went_back_is_not_kept(on_sqlite: Warehouse, tmp_path: Path) -> None:
    cache = FollowedCache(on_sqlite.units, max_bytes=1000)
    with going_back(tmp_path):
        change(on_sqlite, FOO)
        cache.follow()
        read_at = serial(on_sqlite)
    elsewhere(cache.follow)
    cache.put("foo", "lost", size=1, tags=[project_tag(FOO)], serial=read_at)
    assert cache.get("foo") is None


def test_who_finds_that_the_journal_went_back_misses_nothing_that_another_keeps_meanwhile(
    on_sqlite: Warehouse, tmp_path: Path
) -> None:
    cache = FollowedCache(on_sqlite.units, max_bytes=1000)
    with going_back(tmp_path):
        change(on_sqlite, BAR)
        cache.follow()

    def keep_what_changes_then() -> None:
        cache.follow()
        cache.put("foo", "stale", size=1, tags=[project_tag(FOO)], serial=serial(on_sqlite))
        change(on_sqlite, FOO)

    with before_the_next_question("serials", keep_what_changes_then):
        cache.follow()
    cache.follow()
    assert cache.get("foo") is None
