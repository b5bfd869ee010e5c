"""Sessions of browsers."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Looked, Session
from warehouse14.domain.names import ProjectName, group_principal
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    ISSUER,
    LATER,
    WHEN,
    sample_account,
    sample_begun,
    sample_change,
    sample_session,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import add_account, commit, conflict_of, look

FIRST, SECOND, BOBS = "1" * 64, "2" * 64, "b" * 64


def _look(unit: UnitOfWork, *, looks: Mapping[Looked, datetime]) -> None:
    unit.sessions.set_looks(FIRST, looks)


class SessionsContract(UnitsFixtures):
    """Sessions."""

    @pytest.fixture
    def signed_in(self, units: Units) -> Units:
        """Return ``units`` with two sessions of Ada's and one of Bob's."""
        for account in (ADA, BOB):
            add_account(units, sample_account(account))
        for session in (sample_session(FIRST), sample_session(SECOND), sample_session(BOBS, BOB)):
            self.start(units, session)
        return units

    def start(self, units: Units, session: Session) -> None:
        """Add a session."""
        commit(units, lambda unit: unit.sessions.add(session), sample_change(account=session.account))

    def change(self, units: Units, act: Callable[[UnitOfWork], None]) -> None:
        """Do what needs a journal entry."""
        commit(units, act, sample_change(account=ADA))

    def left(self, units: Units) -> set[str]:
        """Return which sessions are there."""
        with units.read() as unit:
            return {name for name in (FIRST, SECOND, BOBS) if unit.sessions.get(name) is not None}

    def test_a_session_is_read_as_it_was_written(self, signed_in: Units) -> None:
        assert look(signed_in, lambda unit: unit.sessions.get(FIRST)) == sample_session(FIRST)
        assert look(signed_in, lambda unit: unit.sessions.get("0" * 64)) is None

    def test_a_session_of_no_account_is_a_conflict(self, units: Units) -> None:
        with conflict_of(units, "account", ADA):
            self.start(units, sample_session())

    def test_a_taken_id_is_a_conflict(self, signed_in: Units) -> None:
        with conflict_of(signed_in, "session", FIRST):
            self.start(signed_in, sample_session(FIRST, BOB))

    def test_being_seen_is_noted_without_a_journal_entry_and_comes_first(self, signed_in: Units) -> None:
        serial = look(signed_in, lambda unit: unit.journal.serial())
        with signed_in.write() as unit:
            unit.sessions.touch(FIRST, LATER)
        first, second = look(signed_in, lambda unit: unit.sessions.of(ADA))
        assert (first, second) == (sample_session(FIRST, seen_at=LATER), sample_session(SECOND))
        assert look(signed_in, lambda unit: unit.journal.serial()) == serial

    def test_where_it_looks_is_replaced(self, signed_in: Units) -> None:
        everything: list[Mapping[Looked, datetime]] = [
            {DEMO: LATER, ProjectName("other"): WHEN, group_principal(CREW): WHEN},
            {DEMO: WHEN},
            {},
        ]
        for looks in everything:
            self.change(signed_in, partial(_look, looks=looks))
            assert look(signed_in, lambda unit: unit.sessions.get(FIRST)) == sample_session(
                FIRST, looks=looks
            )
            assert look(signed_in, lambda unit: unit.sessions.get(SECOND)) == sample_session(SECOND)

    def test_a_session_that_is_not_there_looks_nowhere(self, signed_in: Units) -> None:
        self.change(signed_in, lambda unit: unit.sessions.end(FIRST))
        with pytest.raises(Conflict) as caught:
            self.change(signed_in, partial(_look, looks={DEMO: LATER}))
        assert (caught.value.kind, caught.value.name) == ("session", FIRST)

    def test_being_seen_after_the_end_is_fine_and_brings_nothing_back(self, signed_in: Units) -> None:
        self.change(signed_in, lambda unit: unit.sessions.end(FIRST))
        with signed_in.write() as unit:
            unit.sessions.touch(FIRST, LATER)
        assert self.left(signed_in) == {SECOND, BOBS}

    def test_a_session_that_ended_is_gone_and_its_second_end_a_conflict(self, signed_in: Units) -> None:
        self.change(signed_in, lambda unit: unit.sessions.end(FIRST))
        with pytest.raises(Conflict) as caught:
            self.change(signed_in, lambda unit: unit.sessions.end(FIRST))
        assert (caught.value.kind, caught.value.name) == ("session", FIRST)
        assert self.left(signed_in) == {SECOND, BOBS}

    @pytest.mark.parametrize(("but", "left"), [(None, {BOBS}), (SECOND, {SECOND, BOBS}), (BOBS, {BOBS})])
    def test_all_of_an_account_but_one_are_ended(
        self, signed_in: Units, but: str | None, left: set[str]
    ) -> None:
        self.change(signed_in, lambda unit: unit.sessions.end_of(ADA, but=but))
        assert self.left(signed_in) == left

    @pytest.mark.parametrize(
        ("issuer", "subject", "sid", "left"),
        [
            (ISSUER, "s", None, {BOBS}),
            (ISSUER, None, "one", {SECOND, BOBS}),
            (ISSUER, "s", "one", {SECOND, BOBS}),
            (ISSUER, None, "two", {FIRST, BOBS}),
            (ISSUER, "other", None, {FIRST, SECOND, BOBS}),
            (ISSUER, None, "none", {FIRST, SECOND, BOBS}),
            ("https://other.example.org", "s", None, {FIRST, SECOND, BOBS}),
            ("https://other.example.org", None, "one", {FIRST, SECOND, BOBS}),
        ],
    )
    def test_those_that_began_at_a_provider_end_as_it_says(
        self, units: Units, issuer: str, subject: str | None, sid: str | None, left: set[str]
    ) -> None:
        for account in (ADA, BOB):
            add_account(units, sample_account(account))
        first, second = (sample_begun(subject="s", sid=name) for name in ("one", "two"))
        for session in (
            sample_session(FIRST, begun=first),
            sample_session(SECOND, begun=second),
            sample_session(BOBS, BOB),
        ):
            self.start(units, session)
        assert look(units, lambda unit: unit.sessions.get(FIRST)) == sample_session(FIRST, begun=first)
        whose: list[str] = []
        with units.write() as unit:
            whose += unit.sessions.end_begun(issuer, subject=subject, sid=sid)
            unit.journal.append(sample_change(account=ADA))
        assert self.left(units) == left
        assert whose == ([ADA] if len(left) < 3 else [])

    def test_what_is_over_is_forgotten_without_a_journal_entry(self, units: Units) -> None:
        add_account(units)
        day = timedelta(days=1)
        self.start(units, sample_session(FIRST, seen_at=WHEN + day))
        self.start(units, sample_session(SECOND, created_at=WHEN + day, seen_at=WHEN + day))
        self.start(units, sample_session(BOBS, created_at=WHEN + day, seen_at=WHEN))
        for created, seen, left in (
            (WHEN, WHEN, {FIRST, SECOND, BOBS}),
            (WHEN, WHEN + day, {FIRST, SECOND}),
            (WHEN + day, WHEN + day, {SECOND}),
        ):
            with units.write() as unit:
                unit.sessions.forget(created_before=created, seen_before=seen)
            assert self.left(units) == left
