"""People at identity providers."""
# The name of a test is its sentence:
# ruff: noqa: D102

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Login
from warehouse14.domain.ports import Units
from warehouse14.testing.contract import CROWD
from warehouse14.testing.samples import (
    ADA,
    BOB,
    ISSUER,
    LATER,
    sample_account,
    sample_change,
    sample_login,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    Act,
    add_account,
    assert_one_winner,
    commit,
    conflict_of,
    look,
)

ELSEWHERE = "https://accounts.example.com"


class LoginsContract(UnitsFixtures):
    """Logins."""

    def join(self, units: Units, login: Login) -> None:
        """Add a login."""
        commit(units, lambda unit: unit.logins.add(login), sample_change(account=login.account))

    def found(self, units: Units, issuer: str, subject: str) -> Login | None:
        """Return the login that is there."""
        return look(units, lambda unit: unit.logins.get(issuer, subject))

    def test_a_login_is_read_as_it_was_written_and_an_accounts_the_oldest_first(self, units: Units) -> None:
        for account in (ADA, BOB):
            add_account(units, sample_account(account))
        late, early = sample_login("2", created_at=LATER), sample_login("3")
        elsewhere, bobs = sample_login("2", issuer=ELSEWHERE, created_at=LATER), sample_login("Größe", BOB)
        for login in (late, bobs, elsewhere, early):
            self.join(units, login)
        for login in (late, bobs, elsewhere, early):
            assert self.found(units, login.issuer, login.subject) == login
        assert list(look(units, lambda unit: unit.logins.of(ADA))) == [early, elsewhere, late]
        assert self.found(units, ISSUER, "4") is None

    @pytest.mark.parametrize("subject", ["ada", "ADA", "Ada"])
    def test_subjects_differ_by_the_case_of_their_letters(self, units: Units, subject: str) -> None:
        add_account(units)
        self.join(units, sample_login(subject))
        found = {name for name in ("ada", "ADA", "Ada") if self.found(units, ISSUER, name)}
        assert found == {subject}

    def test_somebody_with_spaces_at_the_end_is_nobody_else(self, units: Units) -> None:
        add_account(units)
        self.join(units, sample_login("42 "))
        assert self.found(units, ISSUER, "42") is None
        assert self.found(units, ISSUER, "42 ") == sample_login("42 ")

    def test_an_account_and_its_first_login_are_added_as_one(self, units: Units) -> None:
        with units.write() as unit:
            unit.accounts.add(sample_account())
            unit.logins.add(sample_login())
            unit.journal.append(sample_change(account=ADA))
        assert list(look(units, lambda unit: unit.logins.of(ADA))) == [sample_login()]

    def test_a_taken_login_is_a_conflict_and_stays_as_it_was(self, units: Units) -> None:
        for account in (ADA, BOB):
            add_account(units, sample_account(account))
        self.join(units, sample_login())
        with conflict_of(units, "login", sample_login().subject):
            self.join(units, sample_login(account=BOB))

    def test_a_removed_login_is_gone_and_its_second_removal_a_conflict(self, units: Units) -> None:
        add_account(units)
        self.join(units, sample_login())
        login = sample_login()
        commit(
            units, lambda unit: unit.logins.remove(login.issuer, login.subject), sample_change(account=ADA)
        )
        assert list(look(units, lambda unit: unit.logins.of(ADA))) == []
        with pytest.raises(Conflict) as caught:
            commit(units, lambda unit: unit.logins.remove(login.issuer, login.subject), sample_change())
        assert (caught.value.kind, caught.value.name) == ("login", login.subject)

    def test_of_many_who_join_the_same_person_the_first_wins(self, units: Units) -> None:
        accounts = [sample_account(name) for name in (ADA, BOB)]
        for account in accounts:
            add_account(units, account)

        def joining(runner: int) -> Act:
            return lambda unit: unit.logins.add(sample_login(account=accounts[runner % 2].name))

        acts = [joining(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(account=ADA), "login")
        found = look(units, lambda unit: unit.logins.get(ISSUER, sample_login().subject))
        assert found == sample_login(account=accounts[winner % 2].name)
