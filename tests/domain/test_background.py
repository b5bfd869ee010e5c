import threading
import time
from functools import partial

from warehouse14.domain.warehouse import Background
from warehouse14.logs import REQUEST


def fail() -> None:
    raise RuntimeError


def nothing() -> None:
    """What is left in the queue."""


def test_what_was_given_is_done_before_the_close_returns() -> None:
    background = Background()
    done: list[int] = []
    for number in range(100):
        background(partial(done.append, number))
    background.close()
    assert done == list(range(100))


def test_a_task_that_fails_does_not_keep_the_next_from_being_done() -> None:
    background, done = Background(), threading.Event()
    background(fail)
    background(done.set)
    assert done.wait(5)
    background.close()


def test_a_write_that_hangs_holds_the_close_no_longer_than_given() -> None:
    background, hanging, released = Background(), threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        released.wait(30)

    background(hang)
    assert hanging.wait(5)
    for _ in range(2000):
        background(nothing)
    assert 0.3 <= seconds_of_closing(background, 0.3) < 1
    released.set()


def test_what_waiting_for_room_took_is_not_waited_for_again() -> None:
    """The first write ends in time to make room for the word to stop, the second never does."""
    background, hanging, released = Background(), threading.Event(), threading.Event()

    def end_soon() -> None:
        hanging.set()
        time.sleep(0.8)

    background(end_soon)
    assert hanging.wait(5)
    background(partial(released.wait, 30))
    for _ in range(2000):
        background(nothing)
    assert 1 <= seconds_of_closing(background, 1) < 1.5
    released.set()


def test_with_no_time_left_the_close_does_not_wait() -> None:
    background, released = Background(), threading.Event()
    background(partial(released.wait, 30))
    assert seconds_of_closing(background, 0) < 0.5
    released.set()


def test_who_settles_goes_on_when_all_that_waited_is_done() -> None:
    background = Background()
    done: list[int] = []
    background(partial(time.sleep, 0.2))
    for number in range(100):
        background(partial(done.append, number))
    assert background.settle(5)
    assert done == list(range(100))
    background(partial(done.append, 100))
    assert background.settle(5)
    assert done[-1] == 100
    background.close()


def test_who_settles_learns_that_a_write_hangs_and_waits_no_longer_than_given() -> None:
    background, released = Background(), threading.Event()
    background(partial(released.wait, 30))
    started = time.monotonic()
    assert not background.settle(0.3)
    assert not background.settle(0)
    assert 0.3 <= time.monotonic() - started < 1
    for _ in range(2000):
        background(nothing)
    assert not background.settle(0)
    released.set()


def test_where_nothing_waits_there_is_nothing_to_settle() -> None:
    assert Background().settle(0)


def test_what_is_done_in_the_background_knows_the_request_that_it_is_for() -> None:
    background = Background()
    seen: list[str] = []
    named = REQUEST.set("the-first-one")
    background(lambda: seen.append(REQUEST.get()))
    REQUEST.reset(named)
    background(lambda: seen.append(REQUEST.get()))
    assert background.settle(5)
    assert seen == ["the-first-one", ""]
    background.close()


def seconds_of_closing(background: Background, timeout: float) -> float:
    started = time.monotonic()
    background.close(timeout)
    return time.monotonic() - started
