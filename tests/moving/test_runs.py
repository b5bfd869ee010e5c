"""Of several that put rows into the same stores, the last to begin ends, and what is there is its own."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from moving.conftest import publish
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.moving.known import InUnit, Owned, common_serial, put
from warehouse14.domain.moving.lines import Row, rows
from warehouse14.domain.ports import Units
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel

_PUBLISHING = {"metadata": "memory", "files": "memory", "create_on_upload": "true"}


class Interrupted(InUnit):
    """What a site knows, whose reader does something else when the people are put, before the projects."""

    def __init__(self, known: InUnit, meanwhile: Callable[[], object]) -> None:
        super().__init__(known._unit)
        self._meanwhile = meanwhile

    def owned(self, since: int) -> Iterator[Owned]:
        self._meanwhile()
        return super().owned(since)


def known_rows(units: Units) -> list[Row]:
    with units.read() as unit:
        return list(rows(InUnit(unit)))


@pytest.fixture
def source() -> Iterator[Warehouse]:
    """A site with two projects, in memory."""
    with closing(open_warehouse(_PUBLISHING)) as warehouse:
        boss = warehouse.operator()
        for name in ("ada", "ben"):
            warehouse.accounts.add(boss, name)
        publish(warehouse, "ada", build_wheel("one", "1.0"), build_wheel("two", "1.0"))
        yield warehouse


@pytest.fixture
def target() -> Iterator[Warehouse]:
    with closing(open_warehouse()) as warehouse:
        yield warehouse


def copy(known: InUnit, units: Units) -> None:
    put(known, units, common_serial(known, units))


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

    def begin_older() -> None:
        with pytest.raises(ZeroDivisionError):
            copy(Interrupted(InUnit(older), lambda: 1 / 0), copied)

    with source.units.read() as before:
        copy(InUnit(before), copied)
    token = give(source)
    with source.units.read() as older:
        take(source, token)
        with source.units.read() as newer, pytest.raises(Conflict):
            copy(Interrupted(InUnit(newer), begin_older), copied)
    with source.units.read() as again:
        copy(InUnit(again), copied)
    assert known_rows(copied) == known_rows(source.units)
