"""What a table does beyond the contract: faults of the service, limits, and what is asked of it."""

import http.server
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader

from support.servers import free_port, wait_until
from support.strangers import Says, Stranger
from support.table_faults import TableFaults
from support.table_units import open_units
from support.tables import DynamoDBLocal, make_table
from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb import units as adapter
from warehouse14.adapters.dynamodb.codec import unpack
from warehouse14.adapters.dynamodb.marking import marks_of
from warehouse14.adapters.dynamodb.table import Table
from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
from warehouse14.adapters.memory import MemoryFiles
from warehouse14.domain.access import account_identity
from warehouse14.domain.arrivals import Arrival, Ending
from warehouse14.domain.errors import Conflict, Misconfigured, SignInFailed, Unauthenticated, Unavailable
from warehouse14.domain.followed import FollowedCache, project_tag
from warehouse14.domain.index import Index
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import File, Role, Yank
from warehouse14.domain.moving.known import InUnit
from warehouse14.domain.names import (
    AUTHENTICATED,
    FileName,
    GroupName,
    ProjectName,
    ProviderName,
    account_principal,
)
from warehouse14.domain.ports import UnitOfWork
from warehouse14.domain.readonly import ReadOnlyUnits
from warehouse14.domain.services.arrivals import From
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.working import attempt
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.settings import Section, SettingError
from warehouse14.testing.builders import build_wheel
from warehouse14.testing.contract import in_thread, race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    DEMO,
    LATER,
    WHEN,
    sample_account,
    sample_change,
    sample_file,
    sample_group,
    sample_login,
    sample_project,
    sample_session,
)
from warehouse14.testing.units_contract.steps import BOB_MAY, add, append, commit, create, look
from warehouse14.web.lists import ProjectLists
from warehouse14.web.negotiation import Offer

pytestmark = [pytest.mark.npm, pytest.mark.debian]


@pytest.fixture
def units(table: str, dynamodb: DynamoDBLocal, table_faults: TableFaults) -> Iterator[DynamoUnits]:
    """Units whose requests meet what is planned, and must ask for what is newest."""
    opened = open_units(table, dynamodb.port)
    opened.prepare()
    yield opened
    opened.close()


@pytest.fixture
def others(table: str, dynamodb: DynamoDBLocal) -> Iterator[Callable[[], DynamoUnits]]:
    """Opens further units on the same table, as other processes would."""
    opened: list[DynamoUnits] = []

    def open_one() -> DynamoUnits:
        opened.append(open_units(table, dynamodb.port))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def entries(units: DynamoUnits) -> int:
    return len(look(units, lambda unit: unit.journal.since(0, 1000)))


# -- faults of the service --------------------------------------------------------------------------------


def test_a_commit_whose_answer_is_lost_is_made_once(units: DynamoUnits, table_faults: TableFaults) -> None:
    create(units)
    table_faults.lose_answer("TransactWriteItems")
    add(units)
    assert entries(units) == 2
    assert len(look(units, lambda unit: unit.files.of(DEMO))) == 1


@pytest.mark.thorough
def test_a_commit_that_is_on_its_way_after_a_lost_answer_is_waited_for(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    create(units)
    table_faults.lose_answer("TransactWriteItems")
    # As often as boto3 asks.
    table_faults.refuse("TransactWriteItems", "TransactionInProgressException", times=3)
    add(units)
    assert entries(units) == 2
    assert len(look(units, lambda unit: unit.files.of(DEMO))) == 1


def test_a_failure_whose_answer_is_lost_is_counted_and_taken_back_once(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    def counted() -> int:
        return look(units, lambda unit: unit.attempts.of(["k"]))["k"].count

    def count(expected: int) -> None:
        with units.write() as unit:
            unit.attempts.count("k", LATER, since=WHEN, expected=expected)

    def take_back() -> None:
        with units.write() as unit:
            unit.attempts.take_back("k", WHEN, WHEN)

    for act in (partial(count, 0), partial(count, 1), partial(count, 2), take_back):
        table_faults.lose_answer()
        act()
    assert counted() == 2


def test_a_commit_that_meets_others_is_tried_again(units: DynamoUnits, table_faults: TableFaults) -> None:
    create(units)
    table_faults.conflict("TransactWriteItems", times=3)
    add(units)
    assert entries(units) == 2


@pytest.mark.parametrize("operation", ["GetItem", "Query", "TransactGetItems", "TransactWriteItems"])
def test_a_service_that_is_busy_is_asked_again(
    units: DynamoUnits, table_faults: TableFaults, operation: str
) -> None:
    create(units)
    table_faults.throttle(operation, times=2)
    add(units)
    assert look(units, lambda unit: unit.journal.serial()) == 2
    assert look(units, lambda unit: unit.projects.get(DEMO)) == sample_project(serial=2)


def test_a_service_that_stays_busy_is_unavailable_with_its_cause(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    create(units)
    table_faults.throttle("TransactWriteItems", times=4)
    with pytest.raises(Unavailable) as caught:
        add(units)
    assert "Throttling" in caught.value.detail
    assert caught.value.__cause__ is not None
    assert entries(units) == 1


def test_a_read_that_the_service_refuses_is_not_asked_for_again_and_is_unavailable_with_its_cause(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    create(units)
    table_faults.cancel("TransactGetItems", "ValidationError")
    with pytest.raises(Unavailable) as caught:
        add(units)
    assert "ValidationError" in caught.value.detail


def test_a_read_that_meets_others_for_too_long_is_unavailable_with_its_cause(
    units: DynamoUnits, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(units)
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0)
    table_faults.conflict("TransactGetItems")
    with pytest.raises(Unavailable) as caught:
        add(units)
    assert "TransactionConflict" in caught.value.detail


def test_what_a_batch_left_undone_is_asked_for_again(units: DynamoUnits, table_faults: TableFaults) -> None:
    for number in range(5):
        commit(
            units,
            lambda unit, number=number: unit.projects.create(sample_project(ProjectName(f"p{number}"))),
            sample_change(project=ProjectName(f"p{number}")),
        )
    table_faults.leave_undone("BatchGetItem", times=2, done=1)
    granted = sample_project().grants.keys()
    found = look(units, lambda unit: unit.projects.visible(frozenset(granted)))
    assert [project.name for project in found] == [f"p{number}" for number in range(5)]


def test_what_a_batch_left_unwritten_is_written_again(units: DynamoUnits, table_faults: TableFaults) -> None:
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    for number in range(4):
        commit(units, lambda unit, n=number: unit.sessions.add(sample_session(id=f"{n:064}")))
    table_faults.leave_undone("BatchWriteItem", times=2, done=1)
    commit(units, lambda unit: unit.sessions.end_of(ADA, but=None))
    assert look(units, lambda unit: unit.sessions.of(ADA)) == []


def break_off(table_faults: TableFaults, *, after: int, done: int) -> None:
    """Let only some of a batch be written, and nothing more."""
    table_faults.leave_undone("BatchWriteItem", after=after, done=done)
    table_faults.refuse("BatchWriteItem", "AccessDeniedException")


def end_all_that_are_found(units: DynamoUnits) -> None:
    commit(units, lambda unit: unit.sessions.end_of(ADA, but=None))
    for number in range(2):
        assert look(units, lambda unit, n=number: unit.sessions.get(f"{n:064}")) is None


@pytest.fixture
def two_sessions(units: DynamoUnits) -> None:
    """Sessions of one account."""
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    for number in range(2):
        commit(units, lambda unit, n=number: unit.sessions.add(sample_session(id=f"{n:064}")))


@pytest.mark.usefixtures("two_sessions")
@pytest.mark.parametrize("done", [1, -1])
def test_an_ending_of_sessions_that_breaks_off_leaves_none_that_the_next_does_not_find(
    units: DynamoUnits, table_faults: TableFaults, done: int
) -> None:
    break_off(table_faults, after=0, done=done)
    with pytest.raises(Unavailable):
        commit(units, lambda unit: unit.sessions.end_of(ADA, but=None))
    end_all_that_are_found(units)


@pytest.mark.usefixtures("two_sessions")
@pytest.mark.parametrize("done", [1, -1])
def test_a_restoration_that_breaks_off_leaves_no_session_that_an_ending_does_not_find(
    units: DynamoUnits, table_faults: TableFaults, done: int
) -> None:
    # The accounts are written before.
    break_off(table_faults, after=1, done=done)
    with pytest.raises(Unavailable), units.restoring() as restoration:
        restoration.people([sample_account()], [], [], [])
    end_all_that_are_found(units)


@pytest.mark.parametrize("before", range(4))
def test_a_project_that_became_private_shows_nothing_more_to_everybody_wherever_its_restoration_breaks_off(
    units: DynamoUnits, table_faults: TableFaults, before: int
) -> None:
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=1, public=True), [])
        restoration.journal([sample_change(serial=1, project=DEMO)])
    table_faults.refuse("BatchWriteItem", "AccessDeniedException", after=before)
    with pytest.raises(Unavailable), units.restoring() as restoration:
        restoration.project(sample_project(serial=2), [sample_file()])
    with units.read() as unit:
        project = unit.projects.get(DEMO)
        assert project is not None
        assert not project.public
        assert unit.files.of(DEMO) == [] or unit.projects.visible(frozenset({AUTHENTICATED})) == []


# -- many at once -----------------------------------------------------------------------------------------


def test_sixty_four_uploaders_in_four_processes_all_get_their_file_into_one_project(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    create(units)
    stores = [others() for _ in range(4)]
    adding = [
        partial(add, stores[number % 4], sample_file(FileName(f"demo-{number}.tar.gz")))
        for number in range(64)
    ]
    assert race(adding) == [None] * 64
    assert len(look(units, lambda unit: unit.files.of(DEMO))) == 64
    serials = [entry.serial for entry in look(units, lambda unit: unit.journal.since(0, 100))]
    assert serials == list(range(1, 66))


def test_a_change_that_rests_on_what_another_has_changed_is_a_conflict(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    serial, other = create(units), others()
    add(other)
    with pytest.raises(Conflict):
        commit(units, lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=serial))
    attempt(units, lambda unit: _grant_now(unit))
    project = look(units, lambda unit: unit.projects.get(DEMO))
    assert project is not None
    assert project.grants[BOB_MAY] is Role.MEMBER


def test_a_commit_rests_on_nothing_older_than_the_serial_it_has_read(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults, table: str
) -> None:
    create(units)
    table_faults.miss("BatchGetItem", table)
    commit(units, lambda unit: unit.projects.set_public(DEMO, True, expected=1))
    add(others())
    project = look(units, lambda unit: unit.projects.get(DEMO))
    assert project is not None
    assert project.public


def _grant_now(unit: Any) -> None:
    unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=unit.projects.get(DEMO).serial)
    unit.journal.append(sample_change(project=DEMO))


@pytest.mark.thorough
def test_a_change_waits_once_for_its_process_and_for_all_others(
    units: DynamoUnits, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds() -> float:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            append(units, sample_change())
        return time.monotonic() - began

    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 1.0)
    table_faults.conflict("TransactWriteItems", times=1000)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(seconds)
        time.sleep(0.5)
        second = pool.submit(seconds)
        waited = [first.result(), second.result()]
    table_faults.mend()
    # The second may have used up half of its time when the first ends.
    assert max(waited) < 1.3, waited


@contextmanager
def holding_for(seconds: float, units: DynamoUnits, name: str) -> Iterator[None]:
    """Let another hold a name so long from now on."""

    def work() -> None:
        with units.write() as unit:
            unit.hold(name)
            held.set()
            time.sleep(seconds)

    held = threading.Event()
    other = threading.Thread(target=work)
    other.start()
    assert held.wait(20)
    yield
    other.join()


@pytest.mark.thorough
def test_a_change_waits_once_for_its_name_and_for_all_others(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    table_faults: TableFaults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hold_and_append() -> None:
        with units.write() as unit:
            unit.hold(DEMO)
            unit.journal.append(sample_change())

    other = others()
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 2.0)
    table_faults.conflict("TransactWriteItems", times=1000)
    with holding_for(1.0, other, DEMO):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="Too many others"):
            hold_and_append()
        waited = time.monotonic() - began
    table_faults.mend()
    assert waited < 2.6, waited


@pytest.mark.thorough
def test_a_change_waits_once_for_all_its_names(
    units: DynamoUnits, others: Callable[[], DynamoUnits], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hold_both() -> None:
        with units.write() as unit:
            unit.hold("first:name")
            unit.hold("second:name")

    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 2.0)
    with holding_for(1.0, others(), "first:name"), holding_for(2.5, others(), "second:name"):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="Another works on second:name"):
            hold_both()
        waited = time.monotonic() - began
    assert waited < 2.2, waited


@pytest.mark.thorough
def test_a_change_that_has_worked_for_long_itself_is_tried_again_all_the_same(
    units: DynamoUnits, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 2.0)
    with units.write() as unit:
        unit.hold(DEMO)
        time.sleep(2.1)
        table_faults.conflict("TransactWriteItems")
        unit.journal.append(sample_change())
    assert entries(units) == 1


@pytest.mark.usefixtures("two_sessions")
def test_an_ending_of_sessions_that_is_left_undone_has_no_more_time_than_other_changes(
    units: DynamoUnits, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0)
    table_faults.leave_undone("BatchWriteItem", done=1)
    with pytest.raises(Unavailable, match="too much to do"):
        commit(units, lambda unit: unit.sessions.end_of(ADA, but=None))


def test_a_change_that_is_on_its_way_for_too_long_has_no_more_time_than_others(
    table: str, dynamodb: DynamoDBLocal, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = open_units(table, dynamodb.port, attempts=6)
    units.prepare()
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0.3)
    table_faults.refuse("TransactWriteItems", "TransactionInProgressException", times=1000)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        append(units, sample_change())
    assert time.monotonic() - began < 2
    table_faults.mend()
    units.close()


def test_whoever_was_killed_holds_a_name_for_ten_seconds(
    units: DynamoUnits, others: Callable[[], DynamoUnits], monkeypatch: pytest.MonkeyPatch
) -> None:
    create(units)
    with pytest.raises(KeyboardInterrupt):
        _hold_and_die(units, monkeypatch)
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0.2)
    with pytest.raises(Unavailable, match="Another works on demo"), others().write() as unit:
        unit.hold(DEMO)
    later = time.time() + 13
    monkeypatch.setattr("warehouse14.adapters.dynamodb.holding.time.time", lambda: later)
    with others().write() as unit:
        unit.hold(DEMO)


@pytest.mark.thorough
def test_a_name_that_took_long_to_take_is_held_as_long_as_any_other(
    units: DynamoUnits, table_faults: TableFaults, dynamodb: DynamoDBLocal, table: str
) -> None:
    """Whoever holds it takes it for held from then on, and deletes blobs meanwhile."""
    table_faults.delay("PutItem", 2.0)
    with units.write() as unit:
        unit.hold(DEMO)
        taken = time.time()
        item = dynamodb.client().get_item(TableName=table, Key=item_at(keys.hold(DEMO)), ConsistentRead=True)[
            "Item"
        ]
        assert int(item["held"]["N"]) > taken + 8.5
    assert table_faults.asked.count("PutItem") == 2
    with units.write() as unit:
        unit.hold(DEMO)


def test_whoever_takes_a_name_too_slowly_every_time_is_not_told_that_another_has_it(
    units: DynamoUnits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0.5)
    monkeypatch.setattr("warehouse14.adapters.dynamodb.holding._PROMPT", 0.0)
    with pytest.raises(Unavailable, match="The database is too slow"), units.write() as unit:
        unit.hold(DEMO)


def test_whoever_holds_a_name_while_another_commits_with_it_waits(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    create(units)
    table_faults.conflict("PutItem")
    with units.write() as unit:
        unit.hold(DEMO)
        unit.files.add(sample_file())
        unit.journal.append(sample_change(project=DEMO))
    assert entries(units) == 2


@pytest.mark.parametrize("before", range(6))
def test_a_restoration_waits_for_commits_that_are_on_their_way(
    units: DynamoUnits, table_faults: TableFaults, before: int
) -> None:
    # It keeps the serial where it is, looks that it still does, and lets go of it, among other things.
    table_faults.conflict(after=before, times=2)
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=9), [])
        restoration.journal([sample_change(serial=9, project=DEMO)])
    add(units)
    assert serials(units, 0) == [9, 10]


@pytest.mark.parametrize("before", range(6))
def test_a_restoration_one_of_whose_answers_is_lost_is_made_and_lets_others_go_on(
    units: DynamoUnits, table_faults: TableFaults, before: int
) -> None:
    table_faults.lose_answer("TransactWriteItems", after=before)
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=9), [])
        restoration.journal([sample_change(serial=9, project=DEMO)])
    add(units)
    assert serials(units, 0) == [9, 10]


def test_a_restoration_whose_time_is_over_writes_nothing_over_what_came_since(
    units: DynamoUnits, others: Callable[[], DynamoUnits], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    def overslept() -> None:
        with units.restoring() as restoration:
            restoration.project(sample_project(serial=1), [])
            restoration.journal([sample_change(serial=1, project=DEMO)])
            monkeypatch.setattr(time, "time", lambda: now + 130)
            append(others(), sample_change(account=ADA))

    with pytest.raises(Unavailable, match="It took too long"):
        overslept()
    with units.read() as unit:
        assert [change.account for change in unit.journal.since(0, 9)] == [ADA]
        assert unit.projects.get(DEMO) is None


@pytest.mark.parametrize("before", range(1, 7))
def test_a_request_of_a_restoration_that_arrives_after_its_time_and_the_change_of_another_does_nothing(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    dynamodb: DynamoDBLocal,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
    before: int,
) -> None:
    other, now = others(), time.time()
    then: list[Any] = []

    def go_on_meanwhile() -> None:
        monkeypatch.setattr(time, "time", lambda: now + 130)
        append(other, sample_change(account=ADA))
        then.extend(dynamodb.items(table))

    def delayed() -> None:
        with units.restoring() as restoration:
            restoration.project(sample_project(serial=1), [])
            restoration.journal([sample_change(serial=1, project=DEMO)])

    with (
        before_the(before, "TransactWriteItems", units, go_on_meanwhile),
        pytest.raises(Unavailable, match="It took too long"),
    ):
        delayed()
    assert dynamodb.items(table) == then


def test_a_restoration_that_slept_among_its_writes_puts_no_further_items_over_what_came_since(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    dynamodb: DynamoDBLocal,
    table: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, now = others(), time.time()
    then: list[Any] = []

    def wake_later() -> None:
        monkeypatch.setattr(time, "time", lambda: now + 130)
        append(other, sample_change(account=ADA))
        then.extend(dynamodb.items(table))

    def sleepy() -> None:
        with units.restoring() as restoration:
            restoration.journal([sample_change(serial=serial) for serial in range(1, 60)])

    with (
        after_the_next("BatchWriteItem", units, wake_later),
        pytest.raises(Unavailable, match="It took too long"),
    ):
        sleepy()
    assert dynamodb.items(table) == then


def test_a_restoration_that_takes_long_to_be_told_all_keeps_the_journal_where_it_is(
    units: DynamoUnits, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = {"time": time.time(), "monotonic": time.monotonic()}
    with monkeypatch.context() as patched, units.restoring() as restoration:
        for serial in range(1, 5):
            for name, began in clocks.items():
                patched.setattr(time, name, partial(float, began + 100 * serial))
            restoration.journal([sample_change(serial=serial)])
    assert serials(units, 0) == [1, 2, 3, 4]


def test_commits_go_on_after_a_restoration_that_failed_among_them(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    # The first keeps the serial where it is.
    table_faults.conflict(after=1, times=2)
    with pytest.raises(KeyboardInterrupt):
        _restore_and_die(units)
    create(units)
    assert entries(units) == 1


def _restore_and_die(units: DynamoUnits) -> None:
    with units.restoring() as restoration:
        restoration.serial()
        raise KeyboardInterrupt


def _hold_and_die(units: DynamoUnits, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, units.write() as unit:
        patched.setattr("warehouse14.adapters.dynamodb.units_of_work.release", lambda *_: None)
        unit.hold(DEMO)
        raise KeyboardInterrupt


def test_a_unit_whose_name_another_holds_by_now_commits_nothing(
    units: DynamoUnits, others: Callable[[], DynamoUnits], dynamodb: DynamoDBLocal, table: str
) -> None:
    create(units)

    def overtaken() -> None:
        with units.write() as unit:
            unit.hold(DEMO)
            pk, sk = keys.hold(DEMO)
            dynamodb.client().delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})
            with others().write() as other:
                other.hold(DEMO)
            unit.files.add(sample_file())
            unit.journal.append(sample_change(project=DEMO))

    with pytest.raises(Unavailable, match="another works on it by now"):
        overtaken()
    assert entries(units) == 1


def test_a_session_that_begins_while_all_of_an_account_end_is_ended_too(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    """Whoever signs in with the old password meanwhile is signed out by the new one."""
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    other = others()
    with units.write() as unit:
        unit.accounts.set_password(ADA, "new", once=False)
        unit.sessions.end_of(ADA, but=None)
        unit.journal.append(sample_change(account=ADA))
        commit(other, lambda unit: unit.sessions.add(sample_session()))
    assert look(units, lambda unit: unit.sessions.of(ADA)) == []


def test_a_session_that_is_changed_while_it_is_ended_does_not_come_back(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    commit(units, lambda unit: unit.sessions.add(sample_session()))
    other, swept, changed = others(), threading.Event(), threading.Event()

    def let_it_change() -> None:
        swept.set()
        assert changed.wait(20)

    def end() -> None:
        with after_the_next("BatchWriteItem", other, let_it_change):
            commit(other, lambda unit: unit.sessions.end_of(ADA, but=None))

    ending = threading.Thread(target=end)

    def let_it_sweep() -> None:
        ending.start()
        assert swept.wait(20)

    with after_the_next("TransactGetItems", units, let_it_sweep), pytest.raises(Conflict):
        commit(units, lambda unit: unit.sessions.set_looks(sample_session().id, {DEMO: LATER}))
    changed.set()
    ending.join()
    assert look(units, lambda unit: unit.sessions.get(sample_session().id)) is None


@contextmanager
def while_it_commits(units: DynamoUnits, do: Callable[[], object]) -> Iterator[None]:
    """Do it when the next commit of ``units`` is decided and not made yet, which waits for a second."""
    doing = threading.Thread(target=do)

    def let_it_do() -> None:
        doing.start()
        doing.join(1)

    with after_the_next("TransactGetItems", units, let_it_do):
        yield
    doing.join()


@pytest.fixture
def two_sites(units: DynamoUnits, others: Callable[[], DynamoUnits]) -> tuple[Warehouse, Warehouse]:
    """Two processes of one site, which Ada has an account on."""
    policy = Policy(1, create_on_upload=False, page_cache_bytes=1)
    here, there = (Warehouse(each, MemoryFiles(), policy) for each in (units, others()))
    there.accounts.add(there.operator(), "ada", password="correct horse")
    return here, there


@pytest.mark.thorough
def test_a_sign_in_with_a_password_that_is_replaced_before_its_commit_is_ended(
    units: DynamoUnits, two_sites: tuple[Warehouse, Warehouse]
) -> None:
    here, there = two_sites
    operator = there.operator()
    with while_it_commits(units, lambda: there.accounts.set_password(operator, "ada", "a better horse")):
        begun = here.sessions.sign_in("ada", "correct horse", origin="192.0.2.1")
    assert there.sessions.identify(begun.secret) is None
    with pytest.raises(Unauthenticated):
        here.sessions.sign_in("ada", "correct horse", origin="192.0.2.1")
    assert here.sessions.sign_in("ada", "a better horse", origin="192.0.2.1")


@pytest.mark.thorough
@pytest.mark.parametrize("ending", ["parted", "kept out", "signed out there", "disabled for a while"])
def test_a_sign_in_through_a_provider_is_ended_by_what_closes_that_way_in_before_its_commit(
    units: DynamoUnits, two_sites: tuple[Warehouse, Warehouse], ending: str
) -> None:
    here, there = two_sites
    operator = there.operator()
    corp = From(ProviderName("corp"), "Corp", "192.0.2.1")
    login = sample_login()
    arrival = Arrival(
        issuer=login.issuer,
        subject=login.subject,
        name=None,
        email=None,
        groups=frozenset(),
        refusal=None,
        sid=None,
        id_token="e30.e30.c2ln",
    )
    there.arrivals.join_known(
        operator, "ada", provider=corp.provider, issuer=login.issuer, subject=login.subject
    )

    def close() -> None:
        if ending == "parted":
            there.arrivals.part(operator, login.issuer, login.subject, account="ada")
        elif ending == "kept out":
            with pytest.raises(SignInFailed):
                there.arrivals.sign_in(corp, replace(arrival, refusal="Not in the group."))
        elif ending == "signed out there":
            there.arrivals.end(corp, Ending(login.issuer, login.subject, sid=None, jti="1", until=LATER))
        else:
            there.accounts.set_disabled(operator, "ada", disabled=True)

    with while_it_commits(units, close):
        here.arrivals.sign_in(corp, arrival)
    assert look(units, lambda unit: unit.sessions.of(ADA)) == []


# -- following the journal ---------------------------------------------------------------------------------


def serials(units: DynamoUnits, after: int, limit: int = 100) -> list[int]:
    return [change.serial for change in look(units, lambda unit: unit.journal.since(after, limit))]


def found_serials(units: DynamoUnits, sought: Sought, after: int | None = None) -> list[int]:
    found = look(units, lambda unit: unit.journal.found(sought, before=None, after=after, count=100))
    return [change.serial for change in found]


def item_at(key: keys.Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def entry_of(serial: int) -> dict[str, Any]:
    return item_at((keys.JOURNAL, keys.place(serial)))


def go_back_to(serial: int, client: Any, table: str) -> None:
    """Put the journal back, as a table has it that was recovered under the same name."""
    site = item_at(keys.SITE)
    newest = int(client.get_item(TableName=table, Key=site, ConsistentRead=True)["Item"]["n"]["N"])
    for later in range(serial + 1, newest + 1):
        client.delete_item(TableName=table, Key=entry_of(later))
    client.update_item(
        TableName=table,
        Key=site,
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": str(serial)}},
    )


@pytest.mark.parametrize("lacking", [2, 3, 4])
def test_who_follows_the_journal_passes_over_no_entry_that_a_query_does_not_show_yet(
    units: DynamoUnits, table_faults: TableFaults, lacking: int
) -> None:
    create(units)
    for number in range(4):
        add(units, sample_file(FileName(f"demo-1.{number}.tar.gz")))
    table_faults.leave_out(entry_of(lacking), times=2)
    assert serials(units, 1) == [2, 3, 4, 5]


def test_the_last_entry_is_passed_over_by_nobody_who_was_told_of_it(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults
) -> None:
    create(units)
    cache = FollowedCache(units, max_bytes=1000)
    cache.follow()
    time.sleep(units.settle_seconds)
    cache.follow()
    cache.put("page", 1, size=1, tags=[project_tag(DEMO)], serial=1)
    assert cache.get("page") == 1
    add(others())
    table_faults.leave_out(entry_of(2))
    cache.follow()
    assert cache.get("page") is None


def test_whoever_reads_a_journal_that_is_written_to_all_the_time_is_shown_what_was_there(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    create(units)
    other = others()

    def write(**_: object) -> None:
        append(other, sample_change(account=ADA))

    events = units._client.meta.events
    with units.read() as unit:
        for operation in ("Query", "GetItem"):
            events.register(f"before-call.dynamodb.{operation}", write)
        assert [change.serial for change in unit.journal.since(0, 100)] == [1, 2]


def test_the_last_entry_is_passed_over_by_nobody_who_has_asked_for_the_serial(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    create(units)
    add(units)
    table_faults.leave_out(entry_of(2))
    with units.read() as unit:
        assert unit.journal.serial() == 2
        assert [change.serial for change in unit.journal.since(0, 100)] == [1, 2]


def test_the_last_entry_is_passed_over_by_nobody_after_a_table_was_put_back(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    table_faults: TableFaults,
    dynamodb: DynamoDBLocal,
    table: str,
) -> None:
    create(units)
    for _ in range(2):
        append(units, sample_change())
    units.pulse()
    go_back_to(1, dynamodb.client(), table)
    cache = FollowedCache(units, max_bytes=1000)
    cache.follow()
    time.sleep(units.settle_seconds)
    cache.follow()
    cache.put("page", 1, size=1, tags=[project_tag(DEMO)], serial=1)
    assert cache.get("page") == 1
    append(others(), sample_change(project=DEMO))
    table_faults.leave_out(entry_of(2))
    cache.follow()
    assert cache.get("page") is None


def test_what_is_shown_in_part_while_it_is_changed_is_not_kept(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults
) -> None:
    create(units)
    index = Index(units, FollowedCache(units, max_bytes=100_000))
    lists = ProjectLists(index, Environment(loader=PackageLoader("warehouse14.web"), autoescape=True))
    bob = account_identity(BOB)

    def seen() -> tuple[bool, bool]:
        """Whether a grant to Bob is seen on its project, and in the list of what he may read."""
        index.cache.follow()
        project = index.project(DEMO)
        assert project is not None
        return BOB_MAY in project.grants, b"demo" in lists.page(bob, Offer.JSON, compressed=False).body

    assert seen() == (False, False)
    time.sleep(units.settle_seconds)
    assert seen() == (False, False)
    assert index.cache.get(("project", DEMO)) is not None
    commit(others(), lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=1))
    for key in (keys.grant(DEMO, BOB_MAY), keys.granted(BOB_MAY, DEMO)):
        table_faults.leave_out(item_at(key), after=1)
    assert seen() == (False, False)
    assert seen() == (True, True)


def test_a_site_that_changes_nothing_waits_for_the_changes_of_others_likewise(units: DynamoUnits) -> None:
    assert ReadOnlyUnits(units).settle_seconds == units.settle_seconds


def test_an_entry_that_is_never_shown_is_unavailable(
    units: DynamoUnits, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.journal._PATIENCE", 0)
    create(units)
    add(units)
    table_faults.leave_out(entry_of(1))
    with pytest.raises(Unavailable, match="does not show all"):
        serials(units, 0)


def test_gaps_of_a_journal_that_was_restored_are_passed_over(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=9), [])
        restoration.journal([sample_change(serial=serial, project=DEMO) for serial in (5, 6, 9)])
    add(units)
    assert serials(units, 0) == [5, 6, 9, 10]
    assert serials(units, 7, 1) == [9]
    table_faults.conflict("TransactGetItems")
    assert serials(units, 6) == [9, 10]
    units.pulse()
    table_faults.asked.clear()
    assert serials(units, 9) == [10]
    assert table_faults.asked == ["Query"], "what has no gaps is asked for once"


def test_what_is_beyond_the_serial_is_not_given_while_it_is_restored(
    units: DynamoUnits, dynamodb: DynamoDBLocal, table: str
) -> None:
    create(units)
    with units.restoring() as restoration:
        restoration.journal([sample_change(serial=serial) for serial in (2, 3, 4)])
    client = dynamodb.client()
    # As if the items were on their way, which are written in no order, and the serial last.
    client.delete_item(TableName=table, Key=entry_of(3))
    client.update_item(
        TableName=table,
        Key=item_at(keys.SITE),
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    assert serials(units, 1) == []
    assert serials(units, 0) == [1]


@pytest.mark.parametrize(("after", "done"), [(0, 1), (0, -1), (1, 1), (1, -1)])
def test_entries_that_a_restoration_has_left_which_broke_off_are_not_given_and_go_with_the_next(
    units: DynamoUnits, table_faults: TableFaults, after: int, done: int
) -> None:
    def places() -> set[keys.Key]:
        found = units._table.scan(only="begins_with(pk, :journal)", values={"journal": keys.JOURNAL})
        return {(item["pk"], item["sk"]) for item in found}

    create(units)
    expected = places()
    break_off(table_faults, after=after, done=done)
    with pytest.raises(Unavailable), units.restoring() as restoration:
        restoration.journal([sample_change(serial=serial, account=BOB) for serial in range(2, 9)])
    assert places() > expected
    assert serials(units, 0) == [1]
    assert found_serials(units, Sought()) == found_serials(units, Sought(), after=0) == [1]
    assert found_serials(units, Sought(account=BOB)) == []
    other = sample_change(serial=2)
    with units.restoring() as restoration:
        restoration.journal([other])
    assert places() == expected | {(item["pk"], item["sk"]) for item in rows.entry_items(other)}
    assert serials(units, 0) == [1, 2]


# -- limits -----------------------------------------------------------------------------------------------


def test_a_project_of_many_files_is_deleted_by_a_handful_of_requests(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    files = [sample_file(FileName(f"demo-1.{number}.tar.gz")) for number in range(400)]
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=1), files)
        restoration.journal([sample_change(serial=1, project=DEMO)])
    table_faults.asked.clear()
    commit(units, lambda unit: unit.projects.delete(DEMO, LATER, expected=1))
    assert len(table_faults.asked) <= 3
    assert look(units, lambda unit: list(unit.files.all())) == []
    assert look(units, lambda unit: unit.projects.visible(None)) == []


WHEELS = [FileName(f"demo-1.0-{number}-py3-none-any.whl") for number in range(250)]
YANK = Yank("broken", LATER, ADA)


@pytest.fixture
def release(units: DynamoUnits) -> None:
    """A release of more files than a transaction takes, and one file of another."""
    with units.restoring() as restoration:
        files = [sample_file(name) for name in (*WHEELS, FileName("demo-2.0.tar.gz"))]
        restoration.project(sample_project(serial=1), files)
        restoration.journal([sample_change(serial=1, project=DEMO)])


def yank_all(units: DynamoUnits, yank: Yank | None) -> None:
    def work(unit: UnitOfWork) -> None:
        for name in WHEELS:
            unit.files.set_yank(DEMO, name, yank)

    commit(units, work, sample_change(project=DEMO))


def delete_all(units: DynamoUnits) -> None:
    def work(unit: UnitOfWork) -> None:
        for name in WHEELS:
            unit.files.delete(DEMO, name, LATER)

    commit(units, work, sample_change(project=DEMO))


def assert_wheels(units: DynamoUnits, **parts: Any) -> None:
    """All that reads files says the same of those of the release, and of the other that nothing happened."""
    wanted = [sample_file(name, **parts) for name in sorted(WHEELS)] + [sample_file("demo-2.0.tar.gz")]
    assert look(units, lambda unit: unit.files.of(DEMO)) == wanted
    assert [look(units, partial(_file, each.filename)) for each in wanted[-3:]] == wanted[-3:]
    listed = [each for each in wanted if each.deleted_at is None]
    found = look(units, lambda unit: list(unit.files.all()))
    assert sorted(found, key=lambda file: file.filename) == listed


def _file(name: FileName, unit: UnitOfWork) -> File | None:
    return unit.files.get(DEMO, name)


def test_a_project_is_among_those_that_changed_though_it_was_read_before_in_the_same_unit(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    serial, other = create(units), others()
    with units.read() as unit:
        assert unit.projects.get(DEMO) == sample_project(serial=serial)
        commit(other, lambda each: each.projects.set_public(DEMO, True, expected=serial))
        assert [project.public for project in unit.projects.changed_since(serial)] == [True]


def test_a_project_that_is_shown_before_the_serial_has_changed_as_soon_as_that_is_shown(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults, table: str
) -> None:
    create(units)
    other = others()
    with units.read() as unit:
        known = InUnit(unit, 0.5)
        table_faults.miss("GetItem", table)
        add(other)
        # One is of who asks what has changed, and two are too early.
        with before_the(3, "GetItem", units, table_faults.mend):
            (owned,) = known.owned(0)
    assert owned.project.serial == 1


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_a_release_of_hundreds_of_files_changes_at_once(units: DynamoUnits) -> None:
    yank_all(units, YANK)
    yank_all(units, YANK)
    assert_wheels(units, yank=YANK)
    yank_all(units, None)
    assert_wheels(units)
    yank_all(units, YANK)
    delete_all(units)
    assert_wheels(units, yank=YANK, deleted_at=LATER)
    assert entries(units) == 6


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("settled", [0, 1, 2])
def test_a_release_is_yanked_whole_even_if_whoever_does_it_is_killed_right_after(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults, settled: int
) -> None:
    # The first is the change itself.
    table_faults.refuse("TransactWriteItems", "ValidationException", after=1 + settled)
    yank_all(units, YANK)
    assert_wheels(units, yank=YANK)
    other = others()
    assert_wheels(other, yank=YANK)
    commit(other, lambda unit: unit.files.set_yank(DEMO, WHEELS[0], None), sample_change(project=DEMO))
    assert look(other, partial(_file, WHEELS[0])) == sample_file(WHEELS[0])
    assert look(units, partial(_file, WHEELS[1])) == sample_file(WHEELS[1], yank=YANK)
    delete_all(units)
    files = look(other, lambda unit: unit.files.of(DEMO))
    assert [file.deleted_at for file in files] == [LATER] * len(WHEELS) + [None]
    assert [file.yank for file in files if file.filename != WHEELS[0]] == [YANK] * (len(WHEELS) - 1) + [None]


@pytest.mark.usefixtures("release")
def test_a_file_that_is_read_while_its_item_follows_is_yanked(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    table_faults: TableFaults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table_faults.refuse("TransactWriteItems", "ValidationException", after=1)
    yank_all(units, YANK)
    read, other = Table.get, others()

    def then_it_follows(table: Table, key: keys.Key) -> dict[str, Any] | None:
        found = read(table, key)
        if not following:
            following.append(key)
            commit(other, lambda unit: unit.projects.set_public(DEMO, True, expected=2))
        return found

    following: list[keys.Key] = []
    monkeypatch.setattr(Table, "get", then_it_follows)
    assert look(units, partial(_file, WHEELS[0])) == sample_file(WHEELS[0], yank=YANK)
    assert look(units, partial(_file, WHEELS[0])) == sample_file(WHEELS[0], yank=YANK)
    assert following


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_whoever_meets_the_middle_of_what_follows_a_yank_sees_all_files_yanked(
    units: DynamoUnits, dynamodb: DynamoDBLocal, table: str
) -> None:
    def note(**_: object) -> None:
        items = map(unpack, dynamodb.items(table))
        states.append({(item["pk"], item["sk"]): item for item in items})

    states: list[dict[keys.Key, dict[str, Any]]] = []
    units._client.meta.events.register("after-call.dynamodb.TransactWriteItems", note)
    yank_all(units, YANK)
    for before, after in pairwise(states):
        marks = marks_of(after[keys.project(DEMO)])
        files = [before[keys.file(DEMO, name)] | marks.get(name, {}) for name in WHEELS]
        assert [rows.file(item).yank for item in files] == [YANK] * len(WHEELS)
    assert not marks_of(states[-1][keys.project(DEMO)])


@pytest.fixture
def elsewhere(units: DynamoUnits) -> File:
    """A file that nobody has added yet, of another project."""
    project = ProjectName("other")
    create(units, sample_project(project))
    return sample_file(FileName("other-1.0.tar.gz"), project=project)


@contextmanager
def publishing(stores: Sequence[DynamoUnits], file: File) -> Iterator[None]:
    """Let others add files to a project all the time."""

    def publish(store: DynamoUnits, number: int) -> None:
        for count in itertools.count():
            if ended.wait(0.05):
                return
            name = FileName(f"{file.project}-{number}.{count}.tar.gz")
            add(store, replace(file, filename=name))

    ended = threading.Event()
    with ThreadPoolExecutor(len(stores)) as pool:
        futures = [pool.submit(publish, store, number) for number, store in enumerate(stores)]
        try:
            yield
        finally:
            ended.set()
    for future in futures:
        future.result()


@contextmanager
def overtaken(units: DynamoUnits, *acts: Callable[[], object]) -> Iterator[None]:
    """Do one of these right before each of the transactions of ``units``, as long as there are some."""

    def act(**_: object) -> None:
        if left:
            left.pop(0)()

    left = [*acts]
    units._client.meta.events.register("before-call.dynamodb.TransactWriteItems", act)
    yield
    assert not left


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_hundreds_of_files_are_not_read_again_where_others_have_changed_other_projects(
    units: DynamoUnits, others: Callable[[], DynamoUnits], elsewhere: File
) -> None:
    other, reads = others(), list[None]()
    names = [FileName(f"other-1.{number}.tar.gz") for number in range(4)]
    adding = [partial(add, other, replace(elsewhere, filename=name)) for name in names]
    units._client.meta.events.register("after-call.dynamodb.TransactGetItems", lambda **_: reads.append(None))
    with overtaken(units, *adding):
        yank_all(units, YANK)
    # They are read without the serial, with it, and then it and the project alone.
    assert len(reads) == 3 + 3 + 1 + 1 + 1
    files = look(units, lambda unit: unit.files.of(DEMO))
    assert [file.yank for file in files] == [YANK] * len(WHEELS) + [None]


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_hundreds_of_files_are_read_again_where_others_have_changed_one(
    units: DynamoUnits, others: Callable[[], DynamoUnits], elsewhere: File
) -> None:
    other = others()

    def delete_one() -> None:
        commit(other, lambda unit: unit.files.delete(DEMO, WHEELS[-1], LATER))

    with overtaken(units, partial(add, other, elsewhere), delete_one), pytest.raises(Conflict):
        yank_all(units, YANK)
    assert look(units, partial(_file, WHEELS[-1])) == sample_file(WHEELS[-1], deleted_at=LATER)


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_files_that_meet_another_change_follow_from_there(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    table_faults.asked.clear()
    table_faults.conflict("TransactWriteItems", after=3, times=3)
    yank_all(units, YANK)
    # The change, four of eighty files, the last; and those that met another.
    assert table_faults.asked.count("TransactWriteItems") == 1 + 4 + 1 + 3
    assert_wheels(units, yank=YANK)


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_others_of_a_process_need_not_wait_for_the_files_that_follow(
    units: DynamoUnits, elsewhere: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 3.0)
    # The first is the change itself.
    with after_the(2, "TransactWriteItems", units, partial(in_thread, partial(add, units, elsewhere))):
        yank_all(units, YANK)
    assert look(units, lambda unit: unit.files.of(elsewhere.project)) == [elsewhere]
    files = look(units, lambda unit: unit.files.of(DEMO))
    assert [file.yank for file in files] == [YANK] * len(WHEELS) + [None]


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_no_file_follows_what_was_said_of_it_before_another_change_of_its_project(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    other = others()

    def take_back() -> None:
        commit(other, lambda unit: unit.files.set_yank(DEMO, WHEELS[-1], None))

    with after_the(2, "TransactWriteItems", units, take_back):
        yank_all(units, YANK)
    assert look(units, partial(_file, WHEELS[-1])) == sample_file(WHEELS[-1])
    assert look(units, partial(_file, WHEELS[-2])) == sample_file(WHEELS[-2], yank=YANK)


@pytest.fixture
def yanked(
    units: DynamoUnits, release: None, table_faults: TableFaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release, which somebody has yanked who was killed right after that."""
    table_faults.refuse("TransactWriteItems", "ValidationException", after=1)
    yank_all(units, YANK)
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 0.2)


@pytest.mark.thorough
@pytest.mark.usefixtures("yanked")
def test_files_follow_what_is_said_of_them_while_others_publish_elsewhere_all_the_time(
    units: DynamoUnits,
    others: Callable[[], DynamoUnits],
    elsewhere: File,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 8.0)
    with publishing([others(), others()], elsewhere):
        add(units, sample_file(FileName("demo-3.0.tar.gz")))
    files = look(units, lambda unit: unit.files.of(DEMO))
    assert [file.yank for file in files] == [YANK] * len(WHEELS) + [None] * 2


@pytest.mark.thorough
@pytest.mark.usefixtures("yanked")
def test_others_of_a_process_need_not_wait_for_the_files_that_somebody_killed_has_left(
    units: DynamoUnits, elsewhere: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.dynamodb.moment.PATIENCE", 8.0)
    latest = sample_file(FileName("demo-3.0.tar.gz"))
    with after_the_next("TransactWriteItems", units, partial(in_thread, partial(add, units, elsewhere))):
        add(units, latest)
    assert look(units, lambda unit: unit.files.of(elsewhere.project)) == [elsewhere]
    assert look(units, partial(_file, latest.filename)) == latest
    assert look(units, partial(_file, WHEELS[-1])) == sample_file(WHEELS[-1], yank=YANK)


@pytest.mark.thorough
@pytest.mark.usefixtures("yanked")
def test_files_do_not_follow_what_is_said_of_them_while_they_are_restored(
    units: DynamoUnits, others: Callable[[], DynamoUnits], dynamodb: DynamoDBLocal, table: str
) -> None:
    with units.restoring() as restoration:
        restoration.serial()
        then = dynamodb.items(table)
        with pytest.raises(Unavailable):
            add(others())
        assert dynamodb.items(table) == then


@pytest.mark.thorough
@pytest.mark.usefixtures("yanked")
@pytest.mark.parametrize("gone", [keys.file(DEMO, WHEELS[0]), (keys.PRIVATE, DEMO)], ids=["file", "line"])
def test_what_a_restoration_that_broke_off_has_taken_away_does_not_come_back_in_part(
    units: DynamoUnits, dynamodb: DynamoDBLocal, table: str, gone: keys.Key
) -> None:
    dynamodb.client().delete_item(TableName=table, Key=item_at(gone))
    with pytest.raises(Unavailable):
        add(units)
    there = [(item["pk"]["S"], item["sk"]["S"]) for item in dynamodb.items(table)]
    assert gone not in there


@pytest.mark.thorough
@pytest.mark.usefixtures("release")
def test_a_release_of_hundreds_of_files_is_deleted_while_others_publish(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    stores = [others() for _ in range(3)]
    adding = [
        partial(add, stores[number % 3], sample_file(FileName(f"demo-3.{number}.tar.gz")))
        for number in range(24)
    ]
    assert race([*adding, partial(delete_all, units)]) == [None] * 25
    files = look(units, lambda unit: unit.files.of(DEMO))
    assert len(files) == len(WHEELS) + 25
    deleted = {file.filename for file in files if file.deleted_at is not None}
    assert deleted == set(WHEELS)


def ordinary_file(number: int) -> File:
    """Return a file of which as much is said as of those that projects publish."""
    filename = FileName(f"demo-1.{number}.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    summary = (
        "Reads the columns of large tables one by one, in parallel, and says with care what was found in them"
    )
    assert len(filename) >= 60
    assert len(summary) >= 100
    return sample_file(filename, version=f"1.{number}.0", requires_python=">=3.9, !=3.9.7", summary=summary)


def test_a_thousand_files_are_one_answer_and_ten_thousand_come_whole(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    files = [ordinary_file(number) for number in range(10_000)]
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=1), files[:1000])
    table_faults.asked.clear()
    assert len(look(units, lambda unit: unit.files.of(DEMO))) == 1000
    assert table_faults.asked == ["Query"]
    with units.restoring() as restoration:
        restoration.project(sample_project(serial=1), files)
    assert look(units, lambda unit: unit.files.of(DEMO)) == sorted(files, key=lambda file: file.filename)


def test_more_sessions_than_a_transaction_takes_end_together(units: DynamoUnits) -> None:
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    for number in range(120):
        commit(units, lambda unit, n=number: unit.sessions.add(sample_session(id=f"{n:064}")))
    commit(units, lambda unit: unit.sessions.end_of(ADA, but=f"{7:064}"))
    assert [session.id for session in look(units, lambda unit: unit.sessions.of(ADA))] == [f"{7:064}"]


# -- round trips ------------------------------------------------------------------------------------------


def indexed(units: DynamoUnits) -> Warehouse:
    return Warehouse(units, MemoryFiles(), Policy(1, create_on_upload=False, page_cache_bytes=10_000_000))


def requests_of_a_page(warehouse: Warehouse, token: str, table_faults: TableFaults) -> int:
    """Return how many requests a page of a thousand files takes, which is kept then."""
    table_faults.asked.clear()
    warehouse.index.cache.follow()
    warehouse.tokens.identify(token, follow=False)
    found = warehouse.index.project(DEMO)
    assert found is not None
    if not warehouse.index.cache.get("page"):
        shown, serial = warehouse.index.project_page(found)
        assert len(shown.files) == 1000
        warehouse.index.cache.put("page", shown, size=1, tags=[], serial=serial)
    return len(table_faults.asked)


def test_a_page_that_is_kept_costs_one_request_and_a_first_one_at_most_four(
    units: DynamoUnits, others: Callable[[], DynamoUnits], table_faults: TableFaults
) -> None:
    warehouse = indexed(units)
    operator = warehouse.operator()
    warehouse.accounts.add(operator, "ada")
    warehouse.projects.create(operator, "demo", admin="ada")
    files = [ordinary_file(number) for number in range(1000)]
    with units.restoring() as restoration:
        project = look(units, lambda unit: unit.projects.get(DEMO))
        assert project is not None
        restoration.project(project, files)
    token = warehouse.tokens.mint(operator, name="t", account="ada").text
    warehouse.tokens.identify(token)
    time.sleep(units.settle_seconds)
    warehouse.tokens.identify(token)
    append(units, sample_change())

    assert requests_of_a_page(warehouse, token, table_faults) == 4
    time.sleep(units.settle_seconds)
    assert requests_of_a_page(warehouse, token, table_faults) <= 4
    assert requests_of_a_page(warehouse, token, table_faults) == 1
    # A new process knows neither where the journal is nor whose the token is.
    assert requests_of_a_page(indexed(others()), token, table_faults) == 7


def test_a_page_of_the_journal_reads_no_more_than_it_shows(units: DynamoUnits) -> None:
    with units.restoring() as restoration:
        restoration.journal(
            [sample_change(serial=n, action="project.grant" if n == 3 else "a") for n in range(1, 301)]
        )
    looked_at: list[int] = []
    units._client.meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: looked_at.append(parsed["ScannedCount"])
    )

    def found(sought: Sought, **where: Any) -> list[int]:
        looked_at.clear()
        around = {"before": None, "after": None, "count": 50} | where
        return [each.serial for each in look(units, lambda unit: unit.journal.found(sought, **around))]

    assert found(Sought()) == list(range(300, 250, -1))
    assert looked_at == [50]
    assert found(Sought(), after=10, count=1) == [11]
    assert looked_at == [1]
    # What is rare is looked for in large pieces.
    assert found(Sought(action="project.grant")) == [3]
    assert looked_at == [50, 250]


# -- reads that are not of one moment ---------------------------------------------------------------------


@contextmanager
def after_the_next(operation: str, units: DynamoUnits, do: Callable[[], object]) -> Iterator[None]:
    """Do it when ``units`` has the answer to its next operation of this kind, before it asks anything
    else."""
    with after_the(1, operation, units, do):
        yield


@contextmanager
def before_the(number: int, operation: str, units: DynamoUnits, do: Callable[[], object]) -> Iterator[None]:
    """Do it when ``units`` has made its request of this kind with this number, counted from 0, and the
    service has not got it."""
    left = [do, *[lambda: None] * number]

    def meet(**_: object) -> None:
        if left:
            left.pop()()

    events = units._client.meta.events
    events.register(f"before-call.dynamodb.{operation}", meet)
    yield
    events.unregister(f"before-call.dynamodb.{operation}", meet)


@contextmanager
def after_the(number: int, operation: str, units: DynamoUnits, do: Callable[[], object]) -> Iterator[None]:
    """Do it when ``units`` has the answer to so many operations of this kind."""
    left = [do, *[lambda: None] * (number - 1)]

    def meet(**_: object) -> None:
        if left:
            left.pop()()

    events = units._client.meta.events
    events.register(f"after-call.dynamodb.{operation}", meet)
    yield
    events.unregister(f"after-call.dynamodb.{operation}", meet)
    assert not left


def test_whoever_finds_nothing_new_does_not_pass_over_what_comes_right_then(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    """Another thread has followed to the newest entry, and a third adds one."""
    cache, other = FollowedCache(units, max_bytes=1000), others()
    create(units)
    cache.follow()
    append(other, sample_change())
    threading.Thread(target=cache.follow).start()
    wait_until(lambda: cache._serial == 2, seconds=10, what="the other thread")
    cache.put("demo", "stale", size=1, tags=[project_tag(DEMO)], serial=2)
    with after_the_next("Query", units, lambda: add(other)):
        cache.follow()
    cache.follow()
    assert cache.get("demo") is None


def test_a_part_whose_first_project_goes_while_it_is_read_is_not_put_into_a_list(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    """Else the list would be in other parts than that of another process: compressed, other bytes."""
    policy = Policy(1, create_on_upload=False, page_cache_bytes=10_000_000)
    here, there = (Warehouse(each, MemoryFiles(), policy) for each in (units, others()))
    operator = here.operator()
    here.accounts.add(operator, "ada")
    names = [ProjectName(f"p{number}") for number in range(9)]
    for name in names:
        here.projects.create(operator, name, admin="ada")
    ada = here.account("ada")
    here.index.cache.follow()
    _, serial = here.index.project_list(ada)
    here.projects.set_public(operator, "p4", public=True)
    here.index.cache.follow()
    firsts = names[::3]
    found = here.index.changed_parts(ada, firsts, serial)
    assert found is not None
    assert [part.numbers for part in found[0]] == [range(1, 2)]
    with after_the_next("Query", units, lambda: there.projects.delete(operator, "p3")):
        assert here.index.changed_parts(ada, firsts, serial) is None


def test_a_project_that_is_made_private_while_it_is_looked_for_has_no_unreferenced_files(
    units: DynamoUnits, others: Callable[[], DynamoUnits]
) -> None:
    store, policy = MemoryFiles(), Policy(100_000, create_on_upload=False, page_cache_bytes=1)
    here, there = (Warehouse(each, store, policy) for each in (units, others()))
    there.accounts.add(there.operator(), "ada")
    ada, wheel = there.account("ada"), build_wheel("demo", "1.0")
    there.projects.create(ada, "demo", public=True)
    there.uploads.publish(ada, form_of(wheel.filename), [wheel.content])
    with after_the_next("Query", units, lambda: there.projects.set_public(ada, "demo", public=False)):
        assert list(filter(None, here.upkeep.check())) == []


def test_a_member_whose_group_is_not_shown_yet_is_no_member_of_another(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    commit(units, lambda unit: unit.accounts.add(sample_account()))
    for name in ("ops", "team"):
        group = sample_group(GroupName(name), members={ADA: True} if name == "team" else {})
        commit(units, lambda unit, group=group: unit.groups.create(group))
    table_faults.leave_out(item_at(keys.group(GroupName("team"))))
    (ops,) = look(units, lambda unit: unit.groups.all())
    assert (ops.name, ops.members) == ("ops", {})


@pytest.mark.parametrize("lists_files", [False, True])
@pytest.mark.parametrize("key", [keys.project(DEMO), keys.grant(DEMO, account_principal(ADA))])
def test_a_project_that_is_shown_in_part_while_it_is_created_is_there_with_its_admin_or_not_yet(
    units: DynamoUnits, table_faults: TableFaults, key: keys.Key, lists_files: bool
) -> None:
    create(units)
    table_faults.leave_out(item_at(key))
    with units.read() as unit:
        if lists_files:
            unit.files.of(DEMO)
        found = unit.projects.get(DEMO)
        assert unit.files.get(DEMO, FileName("demo-1.0.tar.gz")) is None
    assert found == (None if key == keys.project(DEMO) else sample_project(serial=1))


def test_the_grant_of_who_creates_a_project_is_waited_for_and_not_its_item_alone(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    asked: list[Any] = []
    create(units)
    units._client.meta.events.register(
        "provide-client-params.dynamodb.TransactGetItems",
        lambda params, **_: asked.extend(each["Get"]["Key"] for each in params["TransactItems"]),
    )
    key = keys.grant(DEMO, account_principal(ADA))
    table_faults.leave_out(item_at(key))
    assert look(units, lambda unit: unit.projects.get(DEMO)) == sample_project(serial=1)
    assert asked == [item_at(keys.project(DEMO)), item_at(key)]


def test_a_project_that_nobody_was_given_a_role_on_is_asked_for_again_once(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    def requests() -> list[str]:
        table_faults.asked.clear()
        assert look(units, lambda unit: unit.projects.get(DEMO).grants) == {}
        return list(table_faults.asked)

    commit(units, lambda unit: unit.projects.create(sample_project(grants={})))
    assert requests() == ["Query", "TransactGetItems", "Query"]
    assert requests() == ["Query"]
    commit(units, lambda unit: unit.projects.set_public(DEMO, True, expected=1))
    assert requests() == ["Query", "TransactGetItems", "Query"]


# -- bad ground -------------------------------------------------------------------------------------------


def test_a_table_that_is_not_there_is_told_to_run_init(table: str, dynamodb: DynamoDBLocal) -> None:
    with pytest.raises(Misconfigured, match="there is no such table; 'warehouse14 init' makes it"):
        open_units(table, dynamodb.port).verify()


def test_credentials_without_the_right_to_look_at_a_table_are_told_where_the_rights_are(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    table_faults.refuse("DescribeTable", "AccessDeniedException")
    with pytest.raises(Misconfigured, match=r"may not use it; see docs/deploy/dynamodb\.md"):
        units.verify()


def test_a_right_that_is_taken_away_makes_it_unavailable_with_its_cause(
    units: DynamoUnits, table_faults: TableFaults
) -> None:
    table_faults.refuse("Query", "AccessDeniedException")
    with pytest.raises(Unavailable) as caught:
        look(units, lambda unit: unit.projects.get(DEMO))
    assert "AccessDeniedException" in str(caught.value.detail)


def test_credentials_that_have_expired_are_said_at_the_start_and_unavailable_later(table: str) -> None:
    said = json.dumps({"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "Expired."})
    says = Says(400, said.encode("ascii"), {"Content-Type": "application/x-amz-json-1.0"})
    with Stranger(lambda _: says) as stranger:
        units = open_units(table, stranger.port, attempts=1)
        for step in (units.verify, units.prepare):
            with pytest.raises(Misconfigured, match=r"^the table [^\n]* are wrong or have expired$"):
                step()
        for ask in (units.pulse, partial(look, units, lambda unit: unit.projects.get(DEMO))):
            with pytest.raises(Unavailable) as caught:
                ask()
            assert "ExpiredTokenException" in str(caught.value.detail)
        units.close()


def test_a_table_of_another_shape_is_left_alone(table: str, dynamodb: DynamoDBLocal) -> None:
    client = dynamodb.client()
    make_table(client, table)
    units = open_units(table, dynamodb.port)
    for step in (units.verify, units.prepare):
        with pytest.raises(Misconfigured, match="it is not one of Warehouse14; name another"):
            step()
    assert dynamodb.items(table) == []


@pytest.fixture
def made(table: str, dynamodb: DynamoDBLocal) -> Any:
    """A client of the server on which a table of our shape was made, and no more."""
    client = dynamodb.client()
    client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.mark.usefixtures("made")
def test_a_table_that_was_only_made_is_told_to_run_init(table: str, dynamodb: DynamoDBLocal) -> None:
    units = open_units(table, dynamodb.port)
    with pytest.raises(Misconfigured, match="is not prepared; 'warehouse14 init' does that"):
        units.verify()
    units.prepare()
    units.verify()


def test_a_table_of_our_shape_with_items_of_others_is_left_alone(
    made: Any, table: str, dynamodb: DynamoDBLocal
) -> None:
    item = {"pk": {"S": "user#1"}, "sk": {"S": "profile"}, "tags": {"SS": ["a"]}}
    made.put_item(TableName=table, Item=item)
    with pytest.raises(Misconfigured, match="has items that are not of Warehouse14; name another"):
        open_units(table, dynamodb.port).prepare()
    assert dynamodb.items(table) == [item]


@pytest.mark.usefixtures("made")
def test_a_table_that_two_prepare_at_once_is_prepared(table: str, dynamodb: DynamoDBLocal) -> None:
    first, second = (open_units(table, dynamodb.port) for _ in range(2))
    with after_the_next("GetItem", second, first.prepare):
        second.prepare()
    first.verify()


@pytest.mark.thorough
@pytest.mark.usefixtures("made")
def test_a_table_that_another_makes_right_now_is_waited_for(
    table: str, dynamodb: DynamoDBLocal, table_faults: TableFaults
) -> None:
    table_faults.make_slowly(times=2)
    units = open_units(table, dynamodb.port)
    units.prepare()
    units.verify()


@pytest.mark.usefixtures("made")
def test_a_table_whose_maker_was_killed_is_looked_after_by_the_next_init(
    table: str, dynamodb: DynamoDBLocal, table_faults: TableFaults
) -> None:
    units = open_units(table, dynamodb.port)
    # Which AWS says in the first seconds.
    table_faults.refuse("UpdateContinuousBackups", "ContinuousBackupsUnavailableException", times=2)
    units.prepare()
    assert table_faults.asked.count("UpdateContinuousBackups") == 3
    ends = dynamodb.client().describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert (ends["TimeToLiveStatus"], ends["AttributeName"]) == ("ENABLED", "ttl")
    units.prepare()
    assert table_faults.asked.count("UpdateContinuousBackups") == 3


def test_what_another_has_switched_on_or_alone_may_is_left_to_them(
    made: Any,
    table: str,
    dynamodb: DynamoDBLocal,
    table_faults: TableFaults,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends = {"Enabled": True, "AttributeName": "ttl"}
    made.update_time_to_live(TableName=table, TimeToLiveSpecification=ends)
    table_faults.refuse("UpdateContinuousBackups", "AccessDeniedException")
    units = open_units(table, dynamodb.port)
    units.prepare()
    units.verify()
    assert "may not switch on recovery to a point of time" in caplog.text


def test_a_table_of_a_newer_program_is_refused(
    units: DynamoUnits, table: str, dynamodb: DynamoDBLocal
) -> None:
    pk, sk = keys.LAYOUT
    dynamodb.client().put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": sk}, "n": {"N": "9"}})
    for step in (units.verify, units.prepare):
        with pytest.raises(Misconfigured, match="is of version 9, and this program is for 1"):
            step()


@contextmanager
def web_server() -> Iterator[int]:
    """A server that answers everything with a page."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b"<html>It works!</html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_server_that_answers_with_pages_is_no_dynamodb(table: str) -> None:
    with web_server() as port:
        units = open_units(table, port, attempts=1)
        with pytest.raises(Misconfigured, match="what answers is no DynamoDB"):
            units.verify()
        with pytest.raises(Unavailable):
            units.pulse()


def test_a_service_that_is_not_there_at_the_start_may_be_later(table: str) -> None:
    units = open_units(table, free_port(), attempts=1)
    for step in (units.verify, units.prepare):
        with pytest.raises(Unavailable, match=r"^the table .*: Could not connect[^\n]*$"):
            step()


def test_the_keys_of_a_table_are_settings_and_a_password_in_its_address_is_refused() -> None:
    with pytest.raises(SettingError, match="table"):
        adapter(Section("warehouse14.metadata.", {}))
    with pytest.raises(SettingError):
        adapter(
            Section("warehouse14.metadata.", {"table": "t", "endpoint_url": "http://me:secret@127.0.0.1:1"})
        )
