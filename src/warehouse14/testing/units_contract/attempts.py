"""Failures, counted."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Failures
from warehouse14.domain.ports import Units
from warehouse14.testing.contract import CROWD, race
from warehouse14.testing.samples import LATER, WHEN
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import look

SECOND = timedelta(seconds=1)
HERE, THERE = "address:192.0.2.1", "account:ada@2001:db8::/64"


class AttemptsContract(UnitsFixtures):
    """Failed attempts."""

    def count(self, units: Units, key: str, at: datetime, since: datetime = WHEN) -> None:
        """Count one more than are there."""
        with units.write() as unit:
            found = unit.attempts.of([key]).get(key)
            expected = found.count if found is not None and found.last_at >= since else 0
            unit.attempts.count(key, at, since=since, expected=expected)

    def counted(self, units: Units) -> Mapping[str, Failures]:
        """Return all that is counted."""
        return look(units, lambda unit: unit.attempts.of([HERE, THERE, "unknown"]))

    def test_failures_are_counted_for_each_key_without_a_journal_entry(self, units: Units) -> None:
        assert dict(self.counted(units)) == {}
        for key, at in ((HERE, WHEN), (THERE, WHEN + SECOND), (HERE, LATER)):
            self.count(units, key, at)
        assert dict(self.counted(units)) == {HERE: Failures(2, LATER), THERE: Failures(1, WHEN + SECOND)}
        assert look(units, lambda unit: unit.journal.serial()) == 0

    def test_after_a_while_the_next_failure_is_the_first_again(self, units: Units) -> None:
        self.count(units, HERE, WHEN)
        self.count(units, HERE, WHEN + SECOND, since=WHEN)
        assert self.counted(units)[HERE].count == 2
        self.count(units, HERE, LATER, since=WHEN + 2 * SECOND)
        assert self.counted(units)[HERE] == Failures(1, LATER)

    @pytest.mark.parametrize(("counted", "expected"), [(0, 1), (1, 0), (1, 2), (2, 1)])
    def test_another_number_than_was_expected_is_a_conflict(
        self, units: Units, counted: int, expected: int
    ) -> None:
        for _ in range(counted):
            self.count(units, HERE, WHEN)
        before = self.counted(units)
        with pytest.raises(Conflict) as caught, units.write() as unit:
            unit.attempts.count(HERE, LATER, since=WHEN, expected=expected)
        assert (caught.value.kind, caught.value.name) == ("attempts", HERE)
        assert self.counted(units) == before

    def test_one_is_taken_back_down_to_none(self, units: Units) -> None:
        for at in (WHEN, LATER):
            self.count(units, HERE, at)
        for left in (1, 0, 0):
            with units.write() as unit:
                unit.attempts.take_back(HERE, WHEN, WHEN - SECOND)
                unit.attempts.take_back("unknown", WHEN, WHEN - SECOND)
            assert dict(self.counted(units)) == {HERE: Failures(left, LATER)}

    def test_taking_back_the_last_one_gives_back_when_the_one_before_was(self, units: Units) -> None:
        for at in (WHEN, LATER):
            self.count(units, HERE, at)
        with units.write() as unit:
            unit.attempts.take_back(HERE, LATER, WHEN)
        assert dict(self.counted(units)) == {HERE: Failures(1, WHEN)}

    def test_what_is_cleared_is_gone_and_clearing_nothing_is_fine(self, units: Units) -> None:
        for key in (HERE, THERE):
            self.count(units, key, WHEN)
        for _ in range(2):
            with units.write() as unit:
                unit.attempts.clear(HERE)
            assert set(self.counted(units)) == {THERE}

    def test_old_failures_are_forgotten(self, units: Units) -> None:
        self.count(units, HERE, WHEN)
        self.count(units, THERE, LATER)
        for before, left in ((WHEN, {HERE, THERE}), (LATER, {THERE}), (LATER + SECOND, set())):
            with units.write() as unit:
                unit.attempts.forget(before)
            assert set(self.counted(units)) == left

    def test_of_many_who_count_at_once_none_is_lost(self, units: Units) -> None:
        def count() -> None:
            for _ in range(10 * CROWD):
                with suppress(Conflict):
                    self.count(units, HERE, LATER)
                    break

        assert race([count] * CROWD) == [None] * CROWD
        assert self.counted(units)[HERE].count == CROWD
