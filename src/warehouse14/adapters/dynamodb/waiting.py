"""How long it is waited before a request is made again."""

import random
import time
from collections.abc import Iterator

_FIRST, _LONGEST = 0.01, 0.5


def tries(patience: float) -> Iterator[None]:
    """Yield at once, and again after longer and longer waits of random length, for ``patience`` seconds."""
    end = time.monotonic() + patience
    span = _FIRST
    yield
    while time.monotonic() < end:
        # Those who met must not meet again.
        time.sleep(random.uniform(0, span))  # noqa: S311
        span = min(span * 2, _LONGEST)
        yield
