from warehouse14.domain.settling import Settling


class Seconds:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_has_changed_settles_after_its_time_and_nothing_else_waits() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now = 1
    settling.see(6, ["project:bar", "account:ada"])
    assert settling.is_open(["group:a", "project:foo"])
    assert not settling.is_open(["project:other"])
    assert not settling.is_open([])
    assert (settling.settled(6), settling.settled(3)) == (4, 3)
    clock.now = 2
    assert not settling.is_open(["project:foo"])
    assert settling.is_open(["account:ada"])
    assert settling.settled(6) == 5
    clock.now = 3
    assert not settling.is_open(["account:ada"])
    assert settling.settled(6) == 6


def test_what_changes_again_settles_after_the_last_time() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now = 1.5
    settling.see(6, ["project:foo"])
    clock.now = 3
    assert settling.is_open(["project:foo"])
    clock.now = 3.5
    assert not settling.is_open(["project:foo"])


def test_where_anything_may_have_changed_everything_settles() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see_all()
    assert settling.is_open(["project:foo"])
    assert settling.is_open([])
    clock.now = 2
    assert not settling.is_open(["project:foo"])


def test_a_store_that_shows_all_of_a_commit_at_once_waits_for_nothing() -> None:
    settling = Settling(0)
    settling.see(5, ["project:foo"])
    settling.see_all()
    assert not settling.is_open(["project:foo"])
    assert settling.settled(5) == 5
