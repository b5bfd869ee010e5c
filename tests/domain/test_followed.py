import threading
from datetime import UTC, datetime

from warehouse14.domain.followed import FollowedCache, account_tag, project_tag
from warehouse14.domain.model import Account, Change, Project
from warehouse14.domain.names import AccountName, ProjectName
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
