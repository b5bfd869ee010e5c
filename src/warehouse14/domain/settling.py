"""What has changed so lately that a store may still show some of it as it was before.

Most stores show all of a commit at once. Where one shows a part before the
rest (``Settles``), what is made from it in that time may be used, as the
change is on its way, but not kept.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

#: For how long it is known what changed, in seconds: longer than a request may last.
_KNOWN_SECONDS = 900.0


class Settling:
    """Remembers what has changed for as long as a store may take to show all of it. Not safe with threads.

    Args:
        seconds: how long that is, from when a change is seen; 0 for a store that shows all of it at once.
        now: the time, in seconds from any moment on.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self.now = now
        self._ends: dict[str, float] = {}
        self._serials: deque[tuple[float, int]] = deque()
        self._all_end = -_KNOWN_SECONDS

    def see(self, serial: int, tags: Iterable[str]) -> None:
        """Note that the entry ``serial`` was seen, by which what has ``tags`` has changed."""
        if self._seconds:
            self._forget()
            end = self.now() + self._seconds
            for tag in tags:
                # At the end of the order, which is that of the time.
                self._ends.pop(tag, None)
                self._ends[tag] = end
            self._serials.append((end, serial))

    def see_all(self) -> None:
        """Note that anything may have changed."""
        if self._seconds:
            self._all_end = self.now() + self._seconds

    def is_open(self, tags: Iterable[str], read_at: float) -> bool:
        """Whether something with one of these tags may have been shown as it was before, to whoever began to
        read at that time."""
        if not self._seconds:
            return False
        return read_at < self._all_end or any(read_at < self._ends.get(tag, read_at) for tag in tags)

    def settled(self, serial: int, read_at: float) -> int:
        """Return the last entry up to ``serial`` that was shown whole, with all before it, to whoever began
        to read at that time."""
        open_ones = (known - 1 for end, known in self._serials if read_at < end)
        return min(serial, next(open_ones, serial))

    def _forget(self) -> None:
        """Forget what was shown whole to everybody who still reads."""
        long_ago = self.now() - _KNOWN_SECONDS
        while self._serials and self._serials[0][0] <= long_ago:
            self._serials.popleft()
        while self._ends and self._ends[first := next(iter(self._ends))] <= long_ago:
            del self._ends[first]
