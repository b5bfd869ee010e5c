"""Who asks a provider at once, who waits, and who is told to come again."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from support.servers import wait_until
from warehouse14.adapters.oidc.turns import Turns
from warehouse14.domain.errors import Unavailable


class Visitors:
    """Threads that take turns, and keep them until they are let go."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._go = threading.Event()
        self._done: list[Future[None]] = []
        #: The turns that are taken now.
        self.taken: list[Turns] = []

    def come(self, turns: Turns, *, count: int = 1) -> None:
        """Have so many more take a turn, or wait for one."""
        self._done += [self._pool.submit(self._stay, turns) for _ in range(count)]

    def _stay(self, turns: Turns) -> None:
        with turns.taken():
            self.taken.append(turns)
            self._go.wait(30)

    def let_go(self) -> list[BaseException | None]:
        """Let all go, and return what became of each."""
        self._go.set()
        return [each.exception(30) for each in self._done]


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with ThreadPoolExecutor(16) as pool:
        found = Visitors(pool)
        yield found
        found.let_go()


def test_two_ask_a_provider_one_waits_and_whoever_is_fourth_is_refused(visitors: Visitors) -> None:
    turns = Turns("Corp")
    visitors.come(turns, count=2)
    wait_until(lambda: len(visitors.taken) == 2)
    visitors.come(turns)
    wait_until(lambda: turns._places._value == 0)
    with pytest.raises(Unavailable, match="Too many sign in through Corp at this moment"), turns.taken():
        pytest.fail("somebody has a fourth place")
    assert len(visitors.taken) == 2
    assert visitors.let_go() == [None] * 3
    assert len(visitors.taken) == 3
    with turns.taken():
        pass


def test_whoever_waits_for_too_long_is_refused_and_keeps_no_place(visitors: Visitors) -> None:
    turns = Turns("Corp")
    visitors.come(turns, count=2)
    wait_until(lambda: len(visitors.taken) == 2)
    for _ in range(2):
        with pytest.raises(Unavailable), turns.taken():
            pytest.fail("somebody has a third turn")
    assert visitors.let_go() == [None] * 2


def test_a_provider_that_is_slow_leaves_room_for_another_and_all_together_are_bounded(
    visitors: Visitors,
) -> None:
    slow, healthy, third = Turns("Slow"), Turns("Healthy"), Turns("Third")
    visitors.come(slow, count=3)
    wait_until(lambda: slow._places._value == 0)
    visitors.come(healthy, count=2)
    wait_until(lambda: visitors.taken.count(healthy) == 2)
    with pytest.raises(Unavailable, match="through Third"), third.taken():
        pytest.fail("six threads are with providers")
    visitors.let_go()
    with third.taken():
        pass


def test_whoever_has_a_turn_goes_on_without_another(visitors: Visitors) -> None:
    turns = Turns("Corp")
    visitors.come(turns)
    wait_until(lambda: len(visitors.taken) == 1)
    with turns.taken(), turns.taken():
        assert turns._turns._value == 0
    assert turns._turns._value == 1
