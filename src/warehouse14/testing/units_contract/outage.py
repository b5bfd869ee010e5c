"""An engine that does not answer."""
# The name of a test is its sentence:
# ruff: noqa: D102

import pytest

from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.ports import Prepared, Units
from warehouse14.testing.samples import sample_change
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import READS, WRITES, commit


class OutageContract(UnitsFixtures):
    """An engine that does not answer is ``Unavailable``, with the engine's own error as the cause."""

    @pytest.mark.parametrize("method", READS)
    def test_a_read_without_an_engine_is_unavailable(self, broken_units: Units, method: str) -> None:
        with pytest.raises(Unavailable) as caught, broken_units.read() as unit:
            READS[method](unit)
        assert caught.value.__cause__ is not None

    @pytest.mark.parametrize("method", WRITES)
    def test_a_write_without_an_engine_is_unavailable(self, broken_units: Units, method: str) -> None:
        with pytest.raises(Unavailable) as caught:
            commit(broken_units, WRITES[method])
        assert caught.value.__cause__ is not None

    def test_a_journal_entry_without_an_engine_is_unavailable(self, broken_units: Units) -> None:
        with pytest.raises(Unavailable) as caught, broken_units.write() as unit:
            unit.journal.append(sample_change())
        assert caught.value.__cause__ is not None

    def test_the_pulse_without_an_engine_is_unavailable(self, broken_units: Units) -> None:
        with pytest.raises(Unavailable) as caught:
            broken_units.pulse()
        assert caught.value.__cause__ is not None

    def test_preparing_and_verifying_without_an_engine_says_so(self, broken_units: Units) -> None:
        assert isinstance(broken_units, Prepared)
        for method in (broken_units.verify, broken_units.prepare):
            with pytest.raises((Unavailable, Misconfigured)) as caught:
                method()
            assert "\n" not in str(caught.value)

    def test_closing_without_an_engine_is_quiet(self, broken_units: Units) -> None:
        assert isinstance(broken_units, Prepared)
        broken_units.close()
