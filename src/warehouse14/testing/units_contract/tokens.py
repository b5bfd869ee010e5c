"""Tokens and their uses."""
# The name of a test is its sentence:
# ruff: noqa: D102

from datetime import datetime, timedelta
from functools import partial

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Reach, Role, Scope
from warehouse14.domain.names import (
    AccountName,
    GroupName,
    Principal,
    ProjectName,
    account_principal,
    group_principal,
)
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.contract import CROWD
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    LATER,
    WHEN,
    sample_account,
    sample_change,
    sample_group,
    sample_project,
    sample_token,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    Act,
    add_account,
    add_group,
    add_token,
    assert_one_winner,
    commit,
    conflict_of,
    create,
    delete_project,
    everything,
    look,
)

_OTHERS = ProjectName("others")
_OF_DEMO, _OF_CREW = AccountName(f"project:{DEMO}"), AccountName(f"group:{CREW}")


def _expire(unit: UnitOfWork, *, at: datetime, token: str = "t0") -> None:  # noqa: S107
    unit.tokens.expire(token, at)


class TokensContract(UnitsFixtures):
    """Tokens."""

    @pytest.fixture
    def with_ada(self, units: Units) -> Units:
        """Return ``units`` with Ada's account and her token ``t0``."""
        add_account(units)
        add_token(units)
        return units

    def test_a_token_is_read_as_it_was_written(self, with_ada: Units) -> None:
        other = sample_token(
            "t1",
            scopes=frozenset(Scope),
            reach=Reach(project=DEMO),
            created_at=LATER,
            expires_at=LATER + timedelta(days=1),
            days=1,
            addresses=("192.0.2.0/24", "2001:db8::/32"),
            last_used_at=LATER + timedelta(hours=1),
            last_used_from="192.0.2.7",
            last_used_by="pip/26.3",
            revoked_at=LATER + timedelta(hours=2),
        )
        add_token(with_ada, other)
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == sample_token()
        assert look(with_ada, lambda unit: unit.tokens.get("t1")) == other
        assert look(with_ada, lambda unit: unit.tokens.get("t2")) is None

    def test_a_token_for_a_prefix_is_read_as_it_was_written(self, with_ada: Units) -> None:
        other = sample_token("t1", reach=Reach(prefix="demo-"))
        add_token(with_ada, other)
        assert look(with_ada, lambda unit: unit.tokens.get("t1")) == other

    def test_the_tokens_of_an_account_are_sorted_by_age(self, with_ada: Units) -> None:
        add_account(with_ada, sample_account(BOB))
        older = sample_token("t9", created_at=WHEN - timedelta(microseconds=1))
        newer = sample_token("a1", created_at=WHEN + timedelta(microseconds=1))
        for token in (newer, older, sample_token("b1", BOB)):
            add_token(with_ada, token)
        assert list(look(with_ada, lambda unit: unit.tokens.of(ADA))) == [older, sample_token(), newer]
        assert list(look(with_ada, lambda unit: unit.tokens.of(AccountName("eve")))) == []

    @pytest.fixture
    def with_services(self, with_ada: Units) -> Units:
        """Return ``with_ada`` with a project and a group of hers, another of each, and their accounts."""
        add_account(with_ada, sample_account(BOB))
        by_bob = {account_principal(BOB): Role.ADMIN, account_principal(ADA): Role.MEMBER}
        for project in (sample_project(), sample_project(_OTHERS, grants=by_bob)):
            create(with_ada, project)
        others = sample_group(GroupName(_OTHERS), members={ADA: False, BOB: True})
        for group in (sample_group(), others):
            add_group(with_ada, group)
        for name in (_OF_DEMO, _OF_CREW, f"project:{_OTHERS}", f"group:{_OTHERS}"):
            add_account(with_ada, sample_account(AccountName(name)))
            add_token(with_ada, sample_token(name, AccountName(name), expires_at=LATER))
        return with_ada

    def _ending(self, units: Units, *principals: Principal, count: int = 9) -> list[str]:
        """Return the ids of the tokens that end soon of what Ada, or a principal, is an admin of."""
        found = look(
            units,
            lambda unit: unit.tokens.ending_of_services(
                ADA, frozenset(principals), after=WHEN, until=LATER, count=count
            ),
        )
        return [token.id for token in found]

    def test_of_the_tokens_of_services_those_are_found_that_end_soon(self, with_services: Units) -> None:
        minute = timedelta(minutes=1)
        ends = {"z0": LATER - minute, "z1": WHEN, "z2": LATER + minute, "z3": None, "z4": WHEN + minute}
        for name, at in ends.items():
            add_token(with_services, sample_token(name, _OF_DEMO, expires_at=at))
        revoked = sample_token("z5", _OF_DEMO, expires_at=LATER, revoked_at=WHEN)
        for token in (revoked, sample_token("z6", expires_at=LATER)):
            add_token(with_services, token)
        me = account_principal(ADA)
        assert self._ending(with_services, me) == ["z4", "z0", _OF_CREW, _OF_DEMO]
        assert self._ending(with_services, me, count=2) == ["z4", "z0"]

    def test_of_the_tokens_of_services_those_are_found_of_which_one_is_an_admin(
        self, with_services: Units
    ) -> None:
        ours, theirs = account_principal(ADA), account_principal(BOB)
        assert self._ending(with_services, group_principal(CREW)) == [_OF_CREW]
        assert self._ending(with_services, theirs, ours) == [_OF_CREW, _OF_DEMO, f"project:{_OTHERS}"]

    def test_what_is_deleted_has_no_tokens_that_end_soon(self, with_services: Units) -> None:
        delete_project(with_services)
        commit(with_services, lambda unit: unit.groups.delete(CREW, LATER), sample_change(group=CREW))
        assert self._ending(with_services, account_principal(ADA)) == []

    def test_a_taken_token_id_is_a_conflict_and_stays_as_it_was(self, with_ada: Units) -> None:
        with conflict_of(with_ada, "token", "t0"):
            add_token(with_ada, sample_token(name="thief"))

    def test_a_token_of_no_account_is_a_conflict_of_the_kind_account(self, with_ada: Units) -> None:
        with conflict_of(with_ada, "account", BOB):
            add_token(with_ada, sample_token("t1", BOB))

    def test_a_revoked_token_is_still_known(self, with_ada: Units) -> None:
        commit(with_ada, lambda unit: unit.tokens.revoke("t0", LATER), sample_change(token="t0"))  # noqa: S106
        revoked = sample_token(revoked_at=LATER)
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == revoked
        assert list(look(with_ada, lambda unit: unit.tokens.of(ADA))) == [revoked]

    def test_a_token_is_revoked_once(self, with_ada: Units) -> None:
        commit(with_ada, lambda unit: unit.tokens.revoke("t0", WHEN), sample_change())
        with conflict_of(with_ada, "token", "t0"):
            commit(with_ada, lambda unit: unit.tokens.revoke("t0", LATER), sample_change())

    def test_a_token_that_is_not_there_cannot_be_revoked(self, with_ada: Units) -> None:
        with pytest.raises(Conflict) as caught:
            commit(with_ada, lambda unit: unit.tokens.revoke("t1", LATER), sample_change())
        assert (caught.value.kind, caught.value.name) == ("token", "t1")

    def test_a_token_ends_earlier_and_never_later(self, with_ada: Units) -> None:
        for at in (LATER, WHEN, WHEN):
            commit(with_ada, partial(_expire, at=at), sample_change())
            assert look(with_ada, lambda unit: unit.tokens.get("t0")) == sample_token(expires_at=at)
        with conflict_of(with_ada, "token", "t0"):
            commit(with_ada, partial(_expire, at=LATER), sample_change())

    def test_a_token_that_is_revoked_or_not_there_cannot_be_made_to_end(self, with_ada: Units) -> None:
        commit(with_ada, lambda unit: unit.tokens.revoke("t0", WHEN), sample_change())
        for token in ("t0", "t1"):
            with conflict_of(with_ada, "token", token):
                commit(with_ada, partial(_expire, token=token, at=LATER), sample_change())

    def _touch(self, units: Units, at: datetime, unless_since: datetime) -> datetime | None:
        with units.write() as unit:
            unit.tokens.touch("t0", at, unless_since=unless_since, origin=f"from {at}", agent=f"by {at}")
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        noted = token.last_used_at
        assert token == sample_token(
            last_used_at=noted, last_used_from=f"from {noted}", last_used_by=f"by {noted}"
        )
        return noted

    def test_a_use_is_noted_unless_one_was_lately(self, with_ada: Units) -> None:
        second, minute = timedelta(seconds=1), timedelta(minutes=1)
        assert self._touch(with_ada, LATER, unless_since=LATER - minute) == LATER
        assert self._touch(with_ada, LATER + second, unless_since=LATER - minute) == LATER
        assert self._touch(with_ada, LATER + minute, unless_since=LATER + second) == LATER + minute

    def test_a_use_is_no_journal_entry_and_moves_no_serial(self, with_ada: Units) -> None:
        before = look(with_ada, lambda unit: unit.journal.since(0, 100))
        self._touch(with_ada, LATER, unless_since=WHEN)
        assert look(with_ada, lambda unit: unit.journal.since(0, 100)) == before
        assert look(with_ada, lambda unit: unit.journal.serial()) == len(before)

    def test_a_use_of_an_unknown_token_is_nothing(self, with_ada: Units) -> None:
        before = everything(with_ada)
        with with_ada.write() as unit:
            unit.tokens.touch("t1", LATER, unless_since=WHEN, origin="", agent="")
        assert everything(with_ada) == before

    def test_of_many_who_revoke_a_token_the_first_wins(self, with_ada: Units) -> None:
        def revoking(runner: int) -> Act:
            return lambda unit: unit.tokens.revoke("t0", LATER + timedelta(days=runner))

        acts = [revoking(runner) for runner in range(CROWD)]
        winner = assert_one_winner(with_ada, acts, sample_change(), "token")
        revoked = sample_token(revoked_at=LATER + timedelta(days=winner))
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == revoked
