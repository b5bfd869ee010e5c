"""What an adapter gives to the tests."""

from collections.abc import Callable

import pytest

from warehouse14.domain.ports import Units
from warehouse14.testing.contract import Contract


class UnitsFixtures(Contract):
    """The fixtures that an adapter provides."""

    @pytest.fixture
    def units(self) -> Units:
        """Return the adapter, open, prepared and empty. Override it; close it after a ``yield``."""
        return self.absent("units", "units")

    @pytest.fixture
    def broken_units(self) -> Units:
        """Return an adapter that was opened and whose engine was then made to fail for good."""
        return self.absent("broken_units", "outage")

    @pytest.fixture
    def reopened(self) -> Callable[[], Units]:
        """Return a function that opens one more instance over the engine of ``units``.

        Each stands for another process; the fixture closes them.
        """
        return self.absent("reopened", "sharing")
