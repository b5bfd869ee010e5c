"""Turns at a provider: few at once, so that one that is slow takes no server's threads away."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from warehouse14.domain.errors import Unavailable

#: How many threads ask a provider at once, how many more wait for their turn, and how many ask or wait
#: in a process, whichever the provider. A server has eight.
_AT_ONCE, _WAITING, _IN_ALL = 2, 1, 5
#: How long somebody waits, in seconds.
WAIT = 2.0

_in_all = threading.BoundedSemaphore(_IN_ALL)


class Turns:
    """The turns at one provider. A thread that has one takes no second."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._places = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._own = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have a turn. Raises ``Unavailable``, at once if too many are before."""
        if getattr(self._own, "taken", False):
            yield
            return
        with ExitStack() as held:
            for semaphore, seconds in ((self._places, 0.0), (_in_all, 0.0), (self._turns, WAIT)):
                if not semaphore.acquire(timeout=seconds):
                    raise self._busy()
                held.callback(semaphore.release)
            with self.beside():
                yield

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Go without a turn, in a thread that nobody waits for."""
        self._own.taken = True
        try:
            yield
        finally:
            self._own.taken = False

    def _busy(self) -> Unavailable:
        return Unavailable(
            f"Too many sign in through {self._title} at this moment. Try again in a few seconds.",
            retry_after=5,
            detail="the requests to providers that are under way take too long",
        )
