"""What the tests of file stores ask of the adapter that they are for."""

from collections.abc import Callable
from typing import ClassVar

import pytest

from warehouse14.domain.ports import FileStore
from warehouse14.testing.contract import Contract


class StoreFixtures(Contract):
    """The fixtures that an adapter provides."""

    clock_step: ClassVar[float] = 0.02

    @pytest.fixture
    def store(self) -> FileStore:
        """Return the adapter, open, prepared and empty. Override it."""
        return self.absent("store", "store")

    @pytest.fixture
    def broken_store(self) -> FileStore:
        """Return an adapter that was opened and whose engine was then made to fail for good."""
        return self.absent("broken_store", "outage")

    @pytest.fixture
    def reopened(self) -> Callable[[], FileStore]:
        """Return a function that opens one more instance over the engine of ``store``."""
        return self.absent("reopened", "sharing")
