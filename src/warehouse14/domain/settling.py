"""What has changed so lately that a store may still show some of it as it was before.

Most stores show all of a commit at once. Where one shows a part before the
rest (``Settles``), what is made from it in that time may be used, as the
change is on its way, but not kept.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable


class Settling:
    """Remembers what has changed for as long as a store may take to show all of it. Not safe with threads.

    Args:
        seconds: how long that is, from when a change is seen; 0 for a store that shows all of it at once.
        now: the time, in seconds from any moment on.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._ends: dict[str, float] = {}
        self._serials: deque[tuple[float, int]] = deque()
        self._all_end = 0.0

    def see(self, serial: int, tags: Iterable[str]) -> None:
        """Note that the entry ``serial`` was seen, by which what has ``tags`` has changed."""
        if self._seconds:
            end = self._now() + self._seconds
            for tag in tags:
                # At the end of the order, which is that of the time.
                self._ends.pop(tag, None)
                self._ends[tag] = end
            self._serials.append((end, serial))

    def see_all(self) -> None:
        """Note that anything may have changed."""
        if self._seconds:
            self._all_end = self._now() + self._seconds

    def is_open(self, tags: Iterable[str]) -> bool:
        """Whether something with one of these tags may be shown as it was before."""
        if not self._seconds:
            return False
        self._forget()
        return self._now() < self._all_end or not self._ends.keys().isdisjoint(tags)

    def settled(self, serial: int) -> int:
        """Return the last entry up to ``serial`` that is shown whole, with all before it."""
        self._forget()
        return min(serial, self._serials[0][1] - 1) if self._serials else serial

    def _forget(self) -> None:
        """Forget what is shown whole by now."""
        now = self._now()
        while self._serials and self._serials[0][0] <= now:
            self._serials.popleft()
        while self._ends and (first := next(iter(self._ends))) and self._ends[first] <= now:
            del self._ends[first]
