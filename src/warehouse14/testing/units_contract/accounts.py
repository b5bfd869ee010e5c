"""Accounts."""
# The name of a test is its sentence:
# ruff: noqa: D102

from functools import partial

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Vouched
from warehouse14.domain.names import AccountName, ProviderName
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.contract import CROWD
from warehouse14.testing.samples import ADA, BOB, LATER, sample_account, sample_change, sample_vouched
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    WRITES,
    Act,
    add_account,
    assert_one_winner,
    commit,
    conflict_of,
    look,
)


def _disable(unit: UnitOfWork, *, disabled: bool) -> None:
    unit.accounts.set_disabled(ADA, disabled)


def _rank(unit: UnitOfWork, *, administrator: bool) -> None:
    unit.accounts.set_administrator(ADA, administrator)


def _vouch(unit: UnitOfWork, *, vouched: Vouched) -> None:
    unit.accounts.set_vouched(ADA, vouched)


class AccountsContract(UnitsFixtures):
    """Accounts."""

    def test_an_account_is_read_as_it_was_written(self, units: Units) -> None:
        ada, bob = (
            sample_account(),
            sample_account(
                BOB,
                administrator=True,
                password_hash=None,
                disabled=True,
                password_once=True,
                vouched=sample_vouched(),
                signed_in_at=LATER,
            ),
        )
        for account in (bob, ada):
            add_account(units, account)
        assert look(units, lambda unit: unit.accounts.get(ADA)) == ada
        assert look(units, lambda unit: unit.accounts.get(BOB)) == bob
        assert look(units, lambda unit: unit.accounts.get(AccountName("eve"))) is None
        assert list(look(units, lambda unit: unit.accounts.all())) == [ada, bob]

    def test_a_taken_account_name_is_a_conflict_and_stays_as_it_was(self, units: Units) -> None:
        add_account(units)
        with conflict_of(units, "account", ADA):
            add_account(units, sample_account(administrator=True))

    @pytest.mark.parametrize("once", [True, False])
    def test_a_password_is_replaced(self, units: Units, once: bool) -> None:
        add_account(units, sample_account(password_hash=None, password_once=not once))
        commit(
            units,
            lambda unit: unit.accounts.set_password(ADA, "scrypt$new", once=once),
            sample_change(account=ADA),
        )
        replaced = sample_account(password_hash="scrypt$new", password_once=once)  # noqa: S106
        assert look(units, lambda unit: unit.accounts.get(ADA)) == replaced

    def test_an_account_is_disabled_and_enabled(self, units: Units) -> None:
        add_account(units)
        for disabled in (True, False):
            commit(units, partial(_disable, disabled=disabled), sample_change(account=ADA))
            assert look(units, lambda unit: unit.accounts.get(ADA)) == sample_account(disabled=disabled)

    def test_an_account_is_made_an_administrator_and_an_ordinary_one_again(self, units: Units) -> None:
        add_account(units)
        for administrator in (True, False):
            commit(units, partial(_rank, administrator=administrator), sample_change(account=ADA))
            ranked = sample_account(administrator=administrator)
            assert look(units, lambda unit: unit.accounts.get(ADA)) == ranked

    @pytest.mark.parametrize(
        "vouched",
        [
            sample_vouched(),
            sample_vouched(email=None, groups=frozenset()),
            sample_vouched(at=LATER, kept_out=frozenset({ProviderName("corp"), ProviderName("other")})),
        ],
        ids=["all", "nothing", "kept out"],
    )
    def test_what_providers_say_is_replaced(self, units: Units, vouched: Vouched) -> None:
        add_account(units)
        for said in (sample_vouched(), vouched):
            commit(units, partial(_vouch, vouched=said), sample_change(account=ADA))
        assert look(units, lambda unit: unit.accounts.get(ADA)) == sample_account(vouched=vouched)

    @pytest.mark.parametrize("vouched", [None, sample_vouched()], ids=["password", "provider"])
    def test_a_sign_in_is_noted_with_what_providers_say(self, units: Units, vouched: Vouched | None) -> None:
        before = sample_vouched(email=None)
        add_account(units, sample_account(vouched=before))
        commit(
            units,
            lambda unit: unit.accounts.set_signed_in(ADA, LATER, vouched=vouched),
            sample_change(account=ADA),
        )
        noted = sample_account(signed_in_at=LATER, vouched=vouched or before)
        assert look(units, lambda unit: unit.accounts.get(ADA)) == noted

    @pytest.mark.parametrize(
        "method",
        [
            "accounts.set_password",
            "accounts.set_disabled",
            "accounts.set_administrator",
            "accounts.set_vouched",
            "accounts.set_signed_in",
        ],
    )
    def test_a_change_to_an_account_that_is_not_there_is_a_conflict(self, units: Units, method: str) -> None:
        with pytest.raises(Conflict) as caught:
            commit(units, WRITES[method], sample_change())
        assert (caught.value.kind, caught.value.name) == ("account", ADA)
        assert look(units, lambda unit: unit.journal.serial()) == 0

    def test_of_many_who_add_an_account_the_first_wins(self, units: Units) -> None:
        def adding(runner: int) -> Act:
            return lambda unit: unit.accounts.add(sample_account(password_hash=f"runner {runner}"))

        acts = [adding(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(account=ADA), "account")
        (account,) = look(units, lambda unit: unit.accounts.all())
        assert account == sample_account(password_hash=f"runner {winner}")
