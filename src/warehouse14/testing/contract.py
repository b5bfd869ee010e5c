"""What the contract suites share: declared capabilities, threads that start together."""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, NoReturn, TypeVar

import pytest

Result = TypeVar("Result")

#: How many threads run for one thing in a race.
CROWD = 16


class Contract:
    """Base of the suites. ``lacks`` names each capability that an adapter does not have, with the reason.

    A test that needs such a capability shows as a skip with that reason. Tests
    of an adapter are never overridden.
    """

    lacks: ClassVar[Mapping[str, str]] = {}

    def needs(self, capability: str) -> None:
        """Skip the running test if the adapter declares that it lacks ``capability``."""
        if capability in self.lacks:
            pytest.skip(f"lacks {capability}: {self.lacks[capability]}")

    def absent(self, fixture: str, capability: str) -> NoReturn:
        """Skip for the declared lack of ``capability``, or say which fixture to override."""
        self.needs(capability)
        pytest.fail(f"Override the fixture {fixture!r}, or declare in 'lacks' why {capability!r} is missing.")


def race(acts: Sequence[Callable[[], object]]) -> list[BaseException | None]:
    """Run all ``acts`` at the same moment, each in a thread; return what each raised, None for nothing.

    The threads take turns fifty times as often as they would, so that gaps show.
    """
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        gate.wait(timeout=60)
        act()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 50)
    try:
        with ThreadPoolExecutor(len(acts)) as pool:
            futures = [pool.submit(run, act) for act in acts]
            return [future.exception() for future in futures]
    finally:
        sys.setswitchinterval(interval)


def in_thread(act: Callable[[], Result]) -> Result:
    """Run ``act`` in a thread of its own and return its result."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()
