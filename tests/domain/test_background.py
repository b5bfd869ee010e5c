import threading
import time
from functools import partial

from warehouse14.domain.warehouse import Background


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


def test_a_write_that_hangs_holds_the_close_for_two_seconds_at_most() -> None:
    background, hanging, released = Background(), threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        released.wait(30)

    background(hang)
    assert hanging.wait(5)
    for _ in range(2000):
        background(nothing)
    started = time.monotonic()
    background.close()
    assert time.monotonic() - started < 2.5
    released.set()
