"""Of several that put rows into the same stores, the last to begin ends, and what is there is its own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO

import pytest

from moving.conftest import PUBLISHING, archive_of, known_rows, moving, publish
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Change, Role, Scope
from warehouse14.domain.moving.known import InUnit, Owned, common_serial, put
from warehouse14.domain.ports import Units
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel


class Interrupted(InUnit):
    """What a site knows, whose reader does something else when the people are put, before the projects."""

    def __init__(self, known: InUnit, meanwhile: Callable[[], object]) -> None:
        super().__init__(known._unit)
        self._meanwhile = meanwhile

    def owned(self, since: int) -> Iterator[Owned]:
        self._meanwhile()
        return super().owned(since)


class CutOff(InUnit):
    """What a site knows, whose reader is cut off when the projects are put, before the journal."""

    def __init__(self, known: InUnit) -> None:
        super().__init__(known._unit)

    def changes(self, since: int) -> Iterator[Change]:
        if since == 0:
            yield next(super().changes(since))
        raise ZeroDivisionError


@pytest.fixture
def target() -> Iterator[Warehouse]:
    with closing(open_warehouse()) as warehouse:
        yield warehouse


def copy(known: InUnit, units: Units) -> None:
    put(known, units, common_serial(known, units))


def cut_off(known: InUnit, units: Units) -> None:
    with pytest.raises(ZeroDivisionError):
        copy(known, units)


def give(warehouse: Warehouse) -> str:
    """Give a role and a token; return the token's id."""
    boss = warehouse.operator()
    warehouse.projects.grant(boss, "one", "account:ben", Role.MEMBER)
    minted = warehouse.tokens.mint(boss, name="x", account="ben", scopes={Scope.READ}, project=None)
    return minted.id


def take(warehouse: Warehouse, token: str) -> None:
    """Take the role and the token, and publish."""
    boss = warehouse.operator()
    warehouse.projects.revoke(boss, "one", "account:ben")
    warehouse.tokens.revoke(boss, token)
    publish(warehouse, "ada", build_wheel("three", "1.0"))


def test_a_copy_stops_where_a_newer_one_has_begun_and_brings_nothing_back(
    source: Warehouse, target: Warehouse
) -> None:
    copied = target.units
    with source.units.read() as before:
        copy(InUnit(before), copied)
    token = give(source)
    with source.units.read() as older:
        take(source, token)
        with source.units.read() as newer:
            overtaken = Interrupted(InUnit(older), lambda: copy(InUnit(newer), copied))
            with pytest.raises(Conflict, match="another copy or restore of them has begun since"):
                copy(overtaken, copied)
    assert known_rows(copied) == known_rows(source.units)


def test_a_copy_stops_where_an_older_one_has_begun_that_has_not_ended(
    source: Warehouse, target: Warehouse
) -> None:
    """Its journal tells nothing then."""
    copied = target.units

    with source.units.read() as before:
        copy(InUnit(before), copied)
    token = give(source)
    with source.units.read() as older:
        take(source, token)
        with source.units.read() as newer, pytest.raises(Conflict):
            copy(Interrupted(InUnit(newer), lambda: cut_off(CutOff(InUnit(older)), copied)), copied)
    with source.units.read() as again:
        copy(InUnit(again), copied)
    assert known_rows(copied) == known_rows(source.units)


@pytest.mark.parametrize("is_empty", [True, False])
def test_an_older_archive_goes_nowhere_where_a_newer_copy_was_cut_off(
    source: Warehouse, target: Warehouse, is_empty: bool
) -> None:
    if not is_empty:
        list(moving(target).restore(archive_of(source)))
    older = archive_of(source)
    publish(source, "ada", build_wheel("three", "1.0"))
    with source.units.read() as newer:
        cut_off(CutOff(InUnit(newer)), target.units)
    before = known_rows(target.units), list(target.store.keys())
    with pytest.raises(Conflict, match=r"part of a newer state of this one.*Run that again to its end"):
        list(moving(target).restore(older))
    assert (known_rows(target.units), list(target.store.keys())) == before
    list(moving(target).restore(archive_of(source)))
    assert known_rows(target.units) == known_rows(source.units)


@pytest.mark.parametrize("kind", ["account", "group"])
def test_nor_where_people_alone_had_been_put(source: Warehouse, target: Warehouse, kind: str) -> None:
    older = archive_of(source)
    if kind == "account":
        source.accounts.add(source.operator(), "cleo")
    else:
        source.groups.create(source.operator(), "crew", admin="ada")
    with source.units.read() as newer:
        cut_off(Interrupted(InUnit(newer), lambda: 1 / 0), target.units)
    with pytest.raises(Conflict, match="part of a newer state"):
        list(moving(target).restore(older))


def test_nor_where_a_newer_one_came_and_was_cut_off_after_the_comparison(
    source: Warehouse, target: Warehouse
) -> None:
    with source.units.read() as before:
        copy(InUnit(before), target.units)
        publish(source, "ada", build_wheel("three", "1.0"))
        since = common_serial(InUnit(before), target.units)
        with source.units.read() as newer:
            cut_off(CutOff(InUnit(newer)), target.units)
        with pytest.raises(Conflict, match="part of a newer state"):
            put(InUnit(before), target.units, since)


@pytest.mark.parametrize("kind", ["made", "changed"])
def test_nor_does_a_site_that_went_on_from_its_backup_where_a_copy_of_what_it_lost_was_cut_off(
    source: Warehouse, target: Warehouse, kind: str
) -> None:
    with source.units.read() as before:
        copy(InUnit(before), target.units)
    backup = archive_of(source)
    if kind == "made":
        publish(source, "ada", build_wheel("lost", "1.0"))
    else:
        source.projects.set_public(source.operator(), "one", public=True)
    with source.units.read() as lost:
        cut_off(CutOff(InUnit(lost)), target.units)
    with closing(open_warehouse(PUBLISHING)) as again:
        list(moving(again).restore(backup))
        publish(again, "ada", build_wheel("three", "1.0"), build_wheel("four", "1.0"))
        with again.units.read() as unit, pytest.raises(Conflict, match="part of a newer state"):
            copy(InUnit(unit), target.units)


def test_what_a_cut_off_copy_of_lost_changes_has_left_may_be_replaced(
    source: Warehouse, target: Warehouse
) -> None:
    backup = archive_of(source)
    source.projects.set_public(source.operator(), "one", public=True)
    with source.units.read() as lost:
        cut_off(CutOff(InUnit(lost)), target.units)
    with closing(open_warehouse(PUBLISHING)) as again:
        list(moving(again).restore(backup))
        publish(again, "ada", build_wheel("one", "2.0"))
        with again.units.read() as unit:
            copy(InUnit(unit), target.units)
        assert known_rows(target.units) == known_rows(again.units)


@pytest.fixture
def half(source: Warehouse, target: Warehouse) -> Warehouse:
    """A site on which a newer state of what it has was put in part."""
    with source.units.read() as before:
        copy(InUnit(before), target.units)
    publish(source, "ada", build_wheel("three", "1.0"))
    with source.units.read() as newer:
        cut_off(CutOff(InUnit(newer)), target.units)
    return target


def test_a_site_that_was_restored_in_part_is_neither_backed_up_nor_copied(half: Warehouse) -> None:
    said = "has 'three' of a copy or restore that was cut off: its journal has no entry"
    with pytest.raises(Conflict, match=said):
        list(moving(half).backup(BytesIO()))
    with closing(open_warehouse()) as third, closing(open_warehouse()) as empty:
        with pytest.raises(Conflict, match=said):
            list(moving(half).copy_to(third.units, third.store))
        assert known_rows(third.units) == known_rows(empty.units)


def test_of_a_deleted_project_that_was_restored_in_part_the_refusal_says_what_is_left_to_do(
    source: Warehouse, target: Warehouse
) -> None:
    with source.units.read() as before:
        copy(InUnit(before), target.units)
    source.projects.delete(source.operator(), "one")
    with source.units.read() as newer:
        cut_off(CutOff(InUnit(newer)), target.units)
    with pytest.raises(Conflict, match=r"has 'one' of a copy .* run it on empty stores, and do"):
        list(moving(target).backup(BytesIO()))


def test_a_site_that_was_restored_in_part_and_went_on_is_backed_up_once_such_projects_changed(
    half: Warehouse,
) -> None:
    half.projects.set_public(half.operator(), "three", public=True)
    archive = BytesIO()
    list(moving(half).backup(archive))
    archive.seek(0)
    with closing(open_warehouse()) as third:
        list(moving(third).restore(archive))
        assert known_rows(third.units) == known_rows(half.units)


def test_the_first_change_of_its_own_is_named(source: Warehouse, target: Warehouse) -> None:
    with source.units.read() as before:
        copy(InUnit(before), target.units)
    publish(source, "ada", build_wheel("three", "1.0"))
    boss = target.operator()
    account = target.accounts.add(boss, "cleo")
    target.accounts.add(boss, "dora")
    with target.units.read() as unit:
        foreign = next(each for each in unit.journal.since(0, 99) if each.account == account.name)
    with source.units.read() as unit, pytest.raises(Conflict) as caught:
        copy(InUnit(unit), target.units)
    assert (
        f"the first is account.add, entry {foreign.serial} of its journal,"
        f" at {foreign.at.isoformat(' ', 'seconds')}." in str(caught.value)
    )


def test_changes_of_a_site_that_has_more_of_them_are_named_too(source: Warehouse, target: Warehouse) -> None:
    archive = archive_of(source)
    list(moving(target).restore(archive))
    target.accounts.add(target.operator(), "cleo")
    archive.seek(0)
    with pytest.raises(Conflict, match=r"changes of its own, .* the first is account\.add, entry"):
        list(moving(target).restore(archive))
