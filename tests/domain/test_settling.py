from warehouse14.domain.settling import Settling


class Seconds:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_has_changed_settles_after_its_time_and_nothing_else_waits() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now = 1001
    settling.see(6, ["project:bar", "account:ada"])
    assert settling.is_open(["group:a", "project:foo"], 1001)
    assert not settling.is_open(["project:other"], 1001)
    assert not settling.is_open([], 1001)
    assert (settling.settled(6, 1001), settling.settled(3, 1001)) == (4, 3)
    assert not settling.is_open(["project:foo"], 1002)
    assert settling.is_open(["account:ada"], 1002)
    assert settling.settled(6, 1002) == 5
    assert not settling.is_open(["account:ada"], 1003)
    assert settling.settled(6, 1003) == 6


def test_what_counts_is_when_it_was_read_and_not_when_it_is_kept() -> None:
    """A page of thousands of files may take longer to make than a change to settle."""
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now = 1030
    settling.see(6, ["project:bar"])
    assert settling.is_open(["project:foo"], 1000.1)
    assert settling.settled(6, 1000.1) == 4
    assert not settling.is_open(["project:foo"], 1029)


def test_what_nobody_can_have_read_any_more_is_forgotten() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now += 3600
    settling.see(6, ["project:bar"])
    assert settling.settled(6, 1000.1) == 5


def test_what_changes_again_settles_after_the_last_time() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see(5, ["project:foo"])
    clock.now = 1001.5
    settling.see(6, ["project:foo"])
    assert settling.is_open(["project:foo"], 1003)
    assert not settling.is_open(["project:foo"], 1003.5)


def test_where_anything_may_have_changed_everything_settles() -> None:
    clock = Seconds()
    settling = Settling(2, clock)
    settling.see_all()
    assert settling.is_open(["project:foo"], 1001)
    assert settling.is_open([], 1001)
    assert not settling.is_open(["project:foo"], 1002)


def test_a_store_that_shows_all_of_a_commit_at_once_waits_for_nothing() -> None:
    settling = Settling(0)
    settling.see(5, ["project:foo"])
    settling.see_all()
    assert not settling.is_open(["project:foo"], 0)
    assert settling.settled(5, 0) == 5
