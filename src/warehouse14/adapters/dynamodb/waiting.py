"""How long it is waited before a request is made again."""

import random
import time
from collections.abc import Iterator

_FIRST, _LONGEST = 0.01, 0.5


class Deadline:
    """A time that all the waiting of one change has together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left, 0 from then on."""
        return max(0.0, self._end - time.monotonic())


def tries(patience: float) -> Iterator[None]:
    """Yield at once, and again after longer and longer waits of random length, for ``patience`` seconds."""
    end = time.monotonic() + patience
    span = _FIRST
    yield
    while time.monotonic() < end:
        # Those who met must not meet again.
        time.sleep(min(random.uniform(0, span), max(0.0, end - time.monotonic())))  # noqa: S311
        span = min(span * 2, _LONGEST)
        yield
