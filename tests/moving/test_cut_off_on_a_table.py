"""A table is not written at once: whatever a restoration has left that was killed, it is known for newer, and
what a rebuild has left is put again."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from operator import itemgetter
from typing import Any

import pytest

from moving.conftest import PUBLISHING, archive_of, known_rows, publish
from support.table_units import open_units
from support.tables import DynamoDBLocal
from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
from warehouse14.adapters.memory import MemoryFiles
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.names import ProviderName
from warehouse14.domain.ports import FileStore, Units
from warehouse14.domain.services.moving import MoveService
from warehouse14.domain.services.rebuilding import RebuildService
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel

pytestmark = [pytest.mark.npm, pytest.mark.debian]

_ISSUER = "https://login.example.org"


@pytest.fixture
def source(source: Warehouse) -> Warehouse:
    """One of the people has a role, and is known at a provider; and one project is for everybody."""
    boss = source.operator()
    source.projects.set_public(boss, "one", public=True)
    source.projects.grant(boss, "two", "account:ben", Role.MEMBER)
    source.arrivals.join_known(boss, "ben", provider=ProviderName("corp"), issuer=_ISSUER, subject="ben")
    return source


def restore(units: Units, archive: BytesIO, warehouse: Warehouse) -> None:
    archive.seek(0)
    list(MoveService(units, MemoryFiles(), warehouse.now).restore(archive))


@contextmanager
def killed_before(request: int, units: DynamoUnits) -> Iterator[list[str]]:
    """Let the process end before a request that writes, which is counted from 0, and ask for no other.

    Yields which were asked for.
    """
    asked: list[str] = []

    def meet(model: object, **_: object) -> None:
        operation = str(getattr(model, "name", ""))
        if "Write" in operation or "Update" in operation:
            if len(asked) == request:
                raise KeyboardInterrupt
            asked.append(operation)

    events = units._client.meta.events
    events.register("before-call.dynamodb", meet)
    with suppress(KeyboardInterrupt):
        yield asked
    events.unregister("before-call.dynamodb", meet)


def forget_the_killed(units: DynamoUnits) -> None:
    """Do not wait for the two minutes in which it might go on."""
    place = {"pk": {"S": keys.SITE[0]}, "sk": {"S": keys.SITE[1]}}
    units._client.update_item(
        TableName=units._options.table, Key=place, UpdateExpression="REMOVE keeper, kept"
    )


def change(warehouse: Warehouse) -> None:
    """Change a bit of everything: what is there already, what is new, and what somebody may no more."""
    boss = warehouse.operator()
    warehouse.projects.grant(boss, "one", "account:ben", Role.MEMBER)
    warehouse.projects.revoke(boss, "two", "account:ben")
    warehouse.projects.set_public(boss, "one", public=False)
    warehouse.projects.set_public(boss, "two", public=True)
    warehouse.arrivals.part(boss, _ISSUER, "ben", account="ben")
    warehouse.tokens.mint(boss, name="x", account="ben", scopes={Scope.READ}, project=None)
    publish(warehouse, "ada", build_wheel("one", "2.0"), build_wheel("three", "1.0"))


def change_and_join(warehouse: Warehouse) -> None:
    """Let there be somebody new, too."""
    change(warehouse)
    warehouse.accounts.add(warehouse.operator(), "cleo")


def change_people(warehouse: Warehouse) -> None:
    """Change nothing by which a newer state is known before its end."""
    boss = warehouse.operator()
    token = warehouse.tokens.mint(boss, name="x", account="ben", scopes={Scope.READ}, project=None)
    warehouse.tokens.revoke(boss, token.id)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("is_empty", "changed", "most"),
    [(True, change, 25), (False, change, 1), (False, change_and_join, 25), (False, change_people, 25)],
    ids=["empty", "an older copy", "with somebody new", "people alone"],
)
def test_an_older_archive_is_refused_or_all_that_is_there_wherever_a_newer_one_was_killed(
    source: Warehouse,
    dynamodb: DynamoDBLocal,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
    is_empty: bool,
    changed: Callable[[Warehouse], None],
    most: int,
) -> None:
    # The service may carry a batch out in part, too.
    monkeypatch.setattr("warehouse14.adapters.dynamodb.table._MOST_WRITTEN", most)
    older, then = archive_of(source), known_rows(source.units)
    changed(source)
    newer, now = archive_of(source), known_rows(source.units)
    with closing(open_units(table, dynamodb.port)) as units:
        units.prepare()
        restore(units, older, source)
        items_then = items_of(units)
        restore(units, newer, source)
        expected = items_of(units)
    outcomes: list[bool] = []
    for request in range(1000):
        dynamodb.remove(table)
        with closing(open_units(table, dynamodb.port)) as units:
            units.prepare()
            if not is_empty:
                restore(units, older, source)
            with killed_before(request, units) as asked:
                restore(units, newer, source)
            if len(asked) < request:
                break
            forget_the_killed(units)
            before = known_rows(units)
            try:
                restore(units, older, source)
            except Conflict:
                outcomes.append(True)
                assert known_rows(units) == before
            else:
                outcomes.append(False)
                assert known_rows(units) == then
                assert items_of(units) == items_then
            restore(units, newer, source)
            assert known_rows(units) == now
            assert items_of(units) == expected
    assert {*outcomes} == {True, False}


def rebuild(units: Units, store: FileStore) -> None:
    list(RebuildService(units, store).rebuild())


def items_of(units: DynamoUnits) -> list[dict[str, Any]]:
    """Return all that is in a table, but for how often it was restored."""
    found = units._table.scan(only="pk <> :site", values={"site": keys.SITE[0]})
    return sorted(found, key=itemgetter("pk", "sk"))


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item is a request: the service may carry a batch out in part, too."""
    monkeypatch.setattr("warehouse14.adapters.dynamodb.table._MOST_WRITTEN", 1)


@pytest.mark.thorough
@pytest.mark.usefixtures("one_by_one")
def test_a_rebuild_that_was_killed_anywhere_makes_the_same_site_when_it_is_run_again(
    source: Warehouse, dynamodb: DynamoDBLocal, table: str
) -> None:
    with closing(open_units(table, dynamodb.port)) as units:
        units.prepare()
        rebuild(units, source.store)
        expected = items_of(units)
    was_half_listed = False
    for request in range(1000):
        dynamodb.remove(table)
        with closing(open_units(table, dynamodb.port)) as units:
            units.prepare()
            with killed_before(request, units):
                rebuild(units, source.store)
            with units.read() as unit:
                if unit.journal.serial() > 0:
                    # It came to its end.
                    break
                was_half_listed |= bool(unit.projects.visible(None))
            forget_the_killed(units)
            rebuild(units, source.store)
            assert items_of(units) == expected
    assert request > 20
    assert was_half_listed


@pytest.mark.thorough
@pytest.mark.usefixtures("one_by_one")
def test_a_rebuild_that_was_killed_is_not_finished_from_a_store_with_other_files(
    source: Warehouse, dynamodb: DynamoDBLocal, table: str
) -> None:
    with closing(open_units(table, dynamodb.port)) as units:
        units.prepare()
        with killed_before(10, units):
            rebuild(units, source.store)
        forget_the_killed(units)
        before = items_of(units)
        with closing(open_warehouse(PUBLISHING)) as other:
            other.accounts.add(other.operator(), "ada")
            publish(other, "ada", build_wheel("one", "1.0"))
            with pytest.raises(Conflict, match="a part of a site in the database that was cut off"):
                rebuild(units, other.store)
        assert items_of(units) == before
