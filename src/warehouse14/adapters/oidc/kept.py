"""What a provider is asked for now and then, for all threads: one asks, and all keep the answer."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from warehouse14.adapters.oidc.fetching import unavailable
from warehouse14.adapters.oidc.turns import WAIT, Turns
from warehouse14.domain.errors import Unavailable

Value = TypeVar("Value")

#: For how long a failure is remembered, so that not each click asks anew, in seconds.
_FAILURE_LIFETIME = 5.0


class Kept(Generic[Value]):
    """One thing that is fetched when it is needed.

    Args:
        title: what people call the provider.
        turns: the turns there.
        fetch: fetches it, or raises ``Unavailable``.
    """

    def __init__(self, title: str, turns: Turns, fetch: Callable[[], Value]) -> None:
        self._title = title
        self._turns = turns
        self._fetch = fetch
        self._alone = threading.Lock()
        self._found: tuple[Value, float] | None = None
        self._failed: tuple[str, float] | None = None

    @property
    def known(self) -> Value | None:
        """What was fetched last, if anything ever was."""
        return self._found[0] if self._found else None

    def since(self, moment: float) -> Value:
        """Return it as it was at ``moment`` of the monotonic clock, or later. Raises ``Unavailable``."""
        found = self._found
        if found is None or found[1] < moment:
            with self._turns.taken():
                found = self._fetched(moment)
        return found[0]

    def _fetched(self, moment: float) -> tuple[Value, float]:
        if not self._alone.acquire(timeout=WAIT):
            raise unavailable(self._title, f"another has waited for its answer for {WAIT:.0f} seconds")
        try:
            # Another may have fetched it, or failed, meanwhile.
            if self._found is None or self._found[1] < moment:
                self._found = self._fetch_now()
            return self._found
        finally:
            self._alone.release()

    def _fetch_now(self) -> tuple[Value, float]:
        if self._failed is not None and time.monotonic() - self._failed[1] < _FAILURE_LIFETIME:
            raise unavailable(self._title, self._failed[0])
        began = time.monotonic()
        try:
            return self._fetch(), began
        except Unavailable as error:
            self._failed = error.detail, time.monotonic()
            raise
