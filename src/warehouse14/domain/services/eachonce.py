"""Work in the background of a process, each piece of it once at a time."""

import threading
from collections.abc import Callable
from functools import partial

from warehouse14.domain.services.working import Later

#: How many pieces wait at most: whoever looks for the others has them put in again.
_MOST = 100


class EachOnce:
    """Runs what it is called with, one after the other; what waits or runs already is not put in again.

    Args:
        later: runs something in one thread, after what it was given before.
        run: what is run, with the name of a piece of work.
    """

    def __init__(self, later: Later, run: Callable[[str], None]) -> None:
        self._later = later
        self._run = run
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        """Run ``name`` when those before it are done, or never if too many are."""
        with self._lock:
            if name in self._names or len(self._names) >= _MOST:
                return
            self._names.add(name)
        self._later(partial(self._pass, name))

    def _pass(self, name: str) -> None:
        try:
            self._run(name)
        finally:
            with self._lock:
                self._names.discard(name)
