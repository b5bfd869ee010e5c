"""The end of a unit: all its writes in one transaction, one unit after another.

What a change rests on is read, the change is made of it, and the transaction
that writes it raises the serial from what it was before. So it fails if any
other unit was committed since, and all is read and decided anew: the commits
of a site are in one order, and no item needs a condition of its own.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.adapters.dynamodb.marking import MARKS, mark, settling
from warehouse14.adapters.dynamodb.moment import Moment, Rows, Touch, apply_entry, apply_lists
from warehouse14.adapters.dynamodb.table import (
    MOST_AT_ONCE,
    Table,
    check,
    delete,
    put,
    update,
)
from warehouse14.adapters.dynamodb.transacting import REFUSED, transact
from warehouse14.adapters.dynamodb.waiting import Deadline, tries
from warehouse14.domain.errors import Unavailable

_BUSY = "Too many others change this site. Try again."
#: Nothing is restored.
_FREE = "(attribute_not_exists(keeper) OR kept < :now)"
#: The serial is what it was, and nobody keeps it there.
_UNMOVED = f"n = :n AND {_FREE}"

#: What was read.
Items = Mapping[Key, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Step:
    """An operation of a transaction, and what it means that its condition does not hold."""

    operation: Mapping[str, Any]
    touch: Touch | None = None
    #: Where another holds by now what this unit held.
    is_hold: bool = False


@dataclass(frozen=True, slots=True)
class _Decided:
    """What a unit comes to: its operations, and the item of its project and the serial after them."""

    steps: Sequence[_Step]
    project: Item | None = None
    serial: int | None = None


class _Unsettled(Exception):
    """The item of a project says of files what theirs do not say yet."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


class Committer:
    """Commits the units of one process, one at a time: they would only meet in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lock = threading.Lock()
        #: The serial of the last commit, if that is the newest; an older one than the table's is noticed.
        self._serial: int | None = None

    def commit(self, moment: Moment) -> None:
        """Carry out what a unit wants. Raises ``Conflict`` and ``Unavailable``."""
        deadline = moment.deadline_of_commit()
        if moment.entry is None:
            if moment.intents:
                raise RuntimeError("a unit of work changed something without a journal entry")
            self._carry_out(moment, deadline)
            return
        # Files follow what is said of them when the lock is free: nobody else has to wait for that.
        for _ in tries(deadline.left()):
            try:
                with self._turn(deadline):
                    project = self._carry_out(moment, deadline)
            except _Unsettled as found:
                # Whoever said it was killed before.
                self._settle(found.row, deadline)
                continue
            # The change is made, whatever comes of this.
            with suppress(Unavailable):
                self._settle(project, deadline)
            return
        raise Unavailable(_BUSY)

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        """Let no other of the process commit meanwhile. Raises ``Unavailable``."""
        if not self._lock.acquire(timeout=deadline.left()):
            raise Unavailable(_BUSY)
        try:
            yield
        finally:
            self._lock.release()

    def _carry_out(self, moment: Moment, deadline: Deadline) -> Item | None:
        """Do what a unit wants, and return the item that its project has then, if it names one. Raises
        ``_Unsettled`` where files have to follow first."""
        touches = list(moment.touches)
        there: Items = {}
        for _ in tries(deadline.left()):
            there = self._there(moment, there, deadline)
            decided = self._decided(moment, there, deadline)
            steps = [*decided.steps, *(_Step(touch.operation, touch) for touch in touches)]
            if not steps:
                return None
            codes = transact(self._table, [step.operation for step in steps], deadline.left())
            if codes is None:
                if decided.serial is not None:
                    self._serial = decided.serial
                return decided.project
            touches = list(self._left(steps, codes))
        raise Unavailable(_BUSY)

    def _decided(self, moment: Moment, there: Items, deadline: Deadline) -> _Decided:
        """Return what a unit comes to by what is there now. Raises ``_Unsettled``."""
        if moment.entry is None:
            self._sweep(moment, deadline)
            return _Decided([])
        project = _project_of(moment)
        serial = int(there.get(keys.SITE, {"n": 0})["n"]) if self._serial is None else self._serial
        if project is not None and MARKS in there.get(project, {}):
            # That takes a while, in which others commit.
            self._serial = None
            raise _Unsettled(there[project])
        # After the serial was read: what comes to these later is noticed.
        self._sweep(moment, deadline)
        found = Rows(there)
        for intent in moment.intents:
            intent.apply(found)
        if moment.entry.project is not None:
            mark(found, moment.entry.project)
        apply_entry(found, moment.entry.numbered(serial + 1))
        apply_lists(found)
        now = _now()
        # Whoever kept the serial too long learns of this by what is gone, however late its request arrives.
        change = "SET n = :next REMOVE keeper, kept"
        raised = update(keys.SITE, change, _UNMOVED, n=serial, next=serial + 1, now=now)
        held = [
            _Step(check(key, "holder = :holder", holder=holder), is_hold=True)
            for key, holder in moment.held.items()
        ]
        writes = [delete(key) if item is None else put(item) for key, item in found.written.items()]
        steps = [_Step(raised), *held, *map(_Step, writes)]
        return _Decided(steps, None if project is None else found.get(project), serial + 1)

    def _there(self, moment: Moment, before: Items, deadline: Deadline) -> Items:
        """Return those of the items that are there which a change rests on, with the serial unless it is
        known.

        They are no older than the serial. Plain reads could be: they meet the middle of a transaction, which
        may have come to the serial and to no other item yet. What stands with a project that has not changed
        since ``before`` is not read again: thousands of files take longer than others leave between two
        commits.
        """
        if moment.entry is None:
            return {}
        project = _project_of(moment)
        # First: whatever its item says of files is in theirs before those are read.
        needs = [] if project is None else [project]
        needs += [key for intent in moment.intents for key in intent.needs]
        asked = list(dict.fromkeys([*([keys.SITE] if self._serial is None else []), *needs]))
        there, later = self._read(asked[:MOST_AT_ONCE], deadline), asked[MOST_AT_ONCE:]
        if project is not None and _is_unchanged(project, before, there):
            there |= {key: before[key] for key in later if key[0] == project[0] and key in before}
            later = [key for key in later if key[0] != project[0]]
        return there | self._read(later, deadline)

    def _read(self, asked: Sequence[Key], deadline: Deadline) -> dict[Key, dict[str, Any]]:
        there: dict[Key, dict[str, Any]] = {}
        for start in range(0, len(asked), MOST_AT_ONCE):
            some = asked[start : start + MOST_AT_ONCE]
            there.update(self._table.get_at_once(some, deadline.left()))
        return there

    def _settle(self, row: Item | None, deadline: Deadline) -> None:
        """Let the items of files say what a project's item says of them, unless the project has changed
        since, or something is restored. Others may commit to the rest of the site meanwhile."""
        if row is None or MARKS not in row:
            return
        free = check(keys.SITE, _FREE, now=_now())
        for operations in settling(row, free):
            if not deadline.left() or not self._is_made(operations, deadline):
                return

    def _is_made(self, operations: Sequence[Mapping[str, Any]], deadline: Deadline) -> bool:
        """Carry out operations, and return whether their conditions held. Where they meet others, the same
        ones are tried again."""
        for _ in tries(deadline.left()):
            codes = transact(self._table, operations, deadline.left())
            if codes is None:
                return True
            if REFUSED in codes:
                break
        return False

    def _sweep(self, moment: Moment, deadline: Deadline) -> None:
        for over in moment.sweeps:
            for part in over():
                self._table.write_many(delete=part, deadline=deadline)

    def _left(self, steps: Sequence[_Step], codes: Sequence[str]) -> Iterator[Touch]:
        """Yield the touches that are left after a transaction that was not carried out; raise what it means
        that one of its operations was refused."""
        for step, code in zip(steps, codes, strict=True):
            if step.touch is not None:
                yield from [step.touch] if code != REFUSED else step.touch.after_refusal()
            elif code == REFUSED and step.is_hold:
                raise Unavailable("It took too long: another works on it by now. Try again.")
            elif code == REFUSED:
                self._serial = None


def _project_of(moment: Moment) -> Key | None:
    """Return where the project stands that a unit names in its entry."""
    named = None if moment.entry is None else moment.entry.project
    return None if named is None else keys.project(named)


def _is_unchanged(project: Key, before: Items, there: Items) -> bool:
    """Return whether a project is what it was, with its files: whatever changes one gives the project another
    serial, or is a restoration, and these are counted."""
    if not all(known.keys() >= {keys.SITE, project} for known in (before, there)):
        return False
    restored = {known[keys.SITE].get("restored", 0) for known in (before, there)}
    return before[project] == there[project] and len(restored) == 1


def _now() -> int:
    """Return the time in whole seconds."""
    return int(time.time())
