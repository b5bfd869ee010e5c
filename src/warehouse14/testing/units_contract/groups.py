"""Groups."""
# The name of a test is its sentence:
# ruff: noqa: D102

from dataclasses import replace

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Group
from warehouse14.domain.names import AccountName, GroupName
from warehouse14.domain.ports import Units
from warehouse14.testing.contract import CROWD
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    LATER,
    sample_account,
    sample_change,
    sample_group,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    WRITES,
    Act,
    add_account,
    add_group,
    assert_one_winner,
    commit,
    conflict_of,
    look,
)

OTHER = GroupName("other")


def _change(units: Units, act: Act) -> None:
    """Do something to the group."""
    commit(units, act, sample_change(group=CREW))


def _found(units: Units, name: GroupName = CREW) -> Group | None:
    return look(units, lambda unit: unit.groups.get(name))


def _groups_of(units: Units, account: AccountName) -> list[str]:
    return list(look(units, lambda unit: unit.groups.of(account)))


def _ranking(admin: bool) -> Act:
    return lambda unit: unit.groups.set_member(CREW, BOB, admin)


class GroupsContract(UnitsFixtures):
    """Groups."""

    @pytest.fixture
    def with_people(self, units: Units) -> Units:
        """Return ``units`` with the accounts of Ada and Bob."""
        for account in (ADA, BOB):
            add_account(units, sample_account(account))
        return units

    def test_a_group_is_read_as_it_was_written(self, with_people: Units) -> None:
        crew, other = sample_group(members={ADA: True, BOB: False}), sample_group(OTHER, members={BOB: True})
        for group in (other, crew):
            add_group(with_people, group)
        assert (_found(with_people), _found(with_people, OTHER)) == (crew, other)
        assert list(look(with_people, lambda unit: unit.groups.all())) == [crew, other]
        assert _found(with_people, GroupName("absent")) is None
        assert _groups_of(with_people, ADA) == [CREW]
        assert _groups_of(with_people, BOB) == [CREW, OTHER]
        assert _groups_of(with_people, AccountName("eve")) == []

    def test_a_taken_group_name_is_a_conflict_and_stays_as_it_was(self, with_people: Units) -> None:
        add_group(with_people)
        with conflict_of(with_people, "group", CREW):
            add_group(with_people, sample_group(members={BOB: True}))

    def test_a_group_of_somebody_who_is_not_there_is_a_conflict(self, with_people: Units) -> None:
        with conflict_of(with_people, "account", "eve"):
            add_group(with_people, sample_group(members={AccountName("eve"): True}))

    def test_a_member_is_added_gets_another_rank_and_is_removed(self, with_people: Units) -> None:
        add_group(with_people)
        for admin in (False, True, True):
            _change(with_people, _ranking(admin))
            assert _found(with_people) == sample_group(members={ADA: True, BOB: admin})
        _change(with_people, lambda unit: unit.groups.remove_member(CREW, ADA))
        assert _found(with_people) == sample_group(members={BOB: True})
        assert (_groups_of(with_people, ADA), _groups_of(with_people, BOB)) == ([], [CREW])
        _change(with_people, lambda unit: unit.groups.remove_member(CREW, BOB))
        assert _found(with_people) == sample_group(members={})
        assert list(look(with_people, lambda unit: unit.groups.all())) == [sample_group(members={})]

    def test_somebody_who_is_not_there_is_not_added_and_who_is_not_in_it_not_removed(
        self, with_people: Units
    ) -> None:
        add_group(with_people)
        with conflict_of(with_people, "account", "eve"):
            _change(with_people, lambda unit: unit.groups.set_member(CREW, AccountName("eve"), False))
        with conflict_of(with_people, "member", BOB):
            _change(with_people, lambda unit: unit.groups.remove_member(CREW, BOB))

    def test_a_deleted_group_keeps_its_name_and_is_nobodys(self, with_people: Units) -> None:
        add_group(with_people)
        _change(with_people, lambda unit: unit.groups.delete(CREW, LATER))
        assert _found(with_people) == replace(sample_group(), deleted_at=LATER)
        assert list(look(with_people, lambda unit: unit.groups.all())) == []
        assert _groups_of(with_people, ADA) == []
        with conflict_of(with_people, "group", CREW):
            add_group(with_people)

    @pytest.mark.parametrize("method", ["groups.set_member", "groups.remove_member", "groups.delete"])
    @pytest.mark.parametrize("deleted", [True, False])
    def test_a_change_to_a_group_that_is_deleted_or_not_there_is_a_conflict(
        self, with_people: Units, method: str, deleted: bool
    ) -> None:
        if deleted:
            add_group(with_people, sample_group(members={ADA: True, BOB: False}))
            _change(with_people, lambda unit: unit.groups.delete(CREW, LATER))
        with pytest.raises(Conflict) as caught:
            _change(with_people, WRITES[method])
        assert (caught.value.kind, caught.value.name) == ("group", CREW)

    def test_of_many_who_create_a_group_the_first_wins(self, with_people: Units) -> None:
        def creating(runner: int) -> Act:
            return lambda unit: unit.groups.create(sample_group(created_by=f"runner {runner}"))

        acts = [creating(runner) for runner in range(CROWD)]
        winner = assert_one_winner(with_people, acts, sample_change(group=CREW), "group")
        assert _found(with_people) == sample_group(created_by=f"runner {winner}")

    def test_of_many_who_remove_a_member_the_first_wins(self, with_people: Units) -> None:
        add_group(with_people)
        acts: list[Act] = [lambda unit: unit.groups.remove_member(CREW, ADA)] * CROWD
        assert_one_winner(with_people, acts, sample_change(group=CREW), "member")
