"""The journal in SQL."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, ScalarSelect, bindparam, func, insert, select, update

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import NEWEST_ENTRY, journal, projects, serials
from warehouse14.domain.journal import Sought, is_family
from warehouse14.domain.model import Change
from warehouse14.domain.names import AccountName, GroupName, ProjectName

_NEWEST = serials.c.id == NEWEST_ENTRY
_RAISE = update(serials).where(_NEWEST).values(value=serials.c.value + 1)
_SERIAL = select(serials.c.value).where(_NEWEST)
_APPEND = insert(journal)
_LOCK_PROJECT = select(projects.c.name).where(projects.c.name == bindparam("of_name")).with_for_update()
_NUMBER_PROJECT = (
    update(projects).where(projects.c.name == bindparam("of_name")).values(serial=bindparam("new_serial"))
)
_SINCE = (
    select(journal)
    .where(journal.c.serial > bindparam("after"))
    .order_by(journal.c.serial)
    .limit(bindparam("most"))
)


class SqlJournal:
    """Implements ``Journal``.

    Raising its row of ``serials`` locks it until the commit, so that
    entries become visible in the order of their serials. Whoever has that
    lock waits for no other.
    """

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def append(self, change: Change) -> None:
        """See the port."""
        if change.project is not None:
            self._run.rows(_LOCK_PROJECT, of_name=change.project)
        self._run.change(_RAISE, {}, kind="journal", name="serial")
        serial = self.serial()
        self._run.rows(_APPEND, **change_values(change.numbered(serial)))
        if change.project is not None:
            self._run.rows(_NUMBER_PROJECT, of_name=change.project, new_serial=serial)

    def serial(self) -> int:
        """See the port."""
        return int(self._run.rows(_SERIAL).scalar_one())

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """See the port."""
        return [_change(row) for row in self._run.rows(_SINCE, after=serial, most=limit)]

    def found(self, sought: Sought, *, before: int | None, after: int | None, count: int) -> Sequence[Change]:
        """See the port."""
        order = journal.c.serial.desc() if after is None else journal.c.serial
        found: dict[int, Change] = {}
        # Each way has an index of its own, which one statement with OR would not use.
        for way in product(*_ways(sought)):
            conditions = (*way, *_limits(sought, before, after))
            statement = select(journal).where(*conditions).order_by(order).limit(count)
            found |= {row.serial: _change(row) for row in self._run.rows(statement)}
        nearest = sorted(found, reverse=after is None)[:count]
        return [found[serial] for serial in sorted(nearest, reverse=True)]


def change_values(change: Change) -> dict[str, Any]:
    """Return the row of an entry."""
    return {
        "serial": change.serial,
        "at": change.at,
        "actor": change.actor,
        "origin": change.origin,
        "action": change.action,
        "project": change.project,
        "account": change.account,
        "token": change.token,
        "group": change.group,
        "detail": dict(change.detail),
        "by_token": change.by_token,
    }


def _ways(sought: Sought) -> list[Sequence[ColumnElement[bool]]]:
    """Return the conditions that hold, each as the ways to meet it."""
    meant: list[tuple[object, Sequence[Column[Any]]]] = [
        (sought.project, [journal.c.project]),
        (sought.group, [journal.c.group]),
        (sought.actor, [journal.c.actor]),
        (sought.account, [journal.c.account]),
        (sought.concerning, [journal.c.actor, journal.c.account]),
        (sought.token, [journal.c.token, journal.c.by_token]),
    ]
    return [[column == value for column in columns] for value, columns in meant if value is not None]


def _limits(sought: Sought, before: int | None, after: int | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that hold whatever the way."""
    if sought.action is not None:
        yield _is_of(sought.action)
    if sought.since is not None:
        late = journal.c.at >= sought.since
        yield from (late, journal.c.serial >= _bound(func.min, late))
    if sought.until is not None:
        early = journal.c.at < sought.until
        yield from (early, journal.c.serial <= _bound(func.max, early))
    if after is not None:
        yield journal.c.serial > after
    elif before is not None:
        yield journal.c.serial < before


def _bound(extreme: Callable[..., Any], timely: ColumnElement[bool]) -> ScalarSelect[Any]:
    """Return the first or last serial of a time.

    So the engine looks at nothing beyond it: it does not know that times rise with serials. It finds this
    serial in the index of times, since the sum keeps it from walking along the serials.
    """
    return select(extreme(journal.c.serial + 0)).where(timely).scalar_subquery()


def _is_of(action: str) -> ColumnElement[bool]:
    if is_family(action):
        # LIKE would take capitals for small letters in SQLite.
        return func.substr(journal.c.action, 1, len(action)) == action
    return journal.c.action == action


def _change(row: Row[Any]) -> Change:
    return Change(
        action=row.action,
        at=row.at,
        actor=row.actor,
        origin=row.origin,
        project=None if row.project is None else ProjectName(row.project),
        account=None if row.account is None else AccountName(row.account),
        token=row.token,
        detail=row.detail,
        serial=row.serial,
        group=None if row.group is None else GroupName(row.group),
        by_token=row.by_token,
    )
