"""Metadata in memory. Whoever misuses a unit of work hears of it here, in the fastest tests."""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice

from warehouse14.adapters.memory.groups import MemoryGroups
from warehouse14.adapters.memory.moment import Connection, Intent, Moment
from warehouse14.adapters.memory.people import (
    MemoryAccounts,
    MemoryAttempts,
    MemoryLogins,
    MemorySessions,
    MemoryTokens,
)
from warehouse14.adapters.memory.projects import MemoryFileRows, MemoryProjects
from warehouse14.adapters.memory.restoring import MemoryRestoration
from warehouse14.adapters.memory.tables import Tables
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change
from warehouse14.domain.ports import Restoration, UnitOfWork

#: How long a unit waits for another that holds the same name, in seconds.
_PATIENCE = 10.0


class MemoryUnits:
    """Metadata that lives as long as this object.

    A unit that is used wrongly raises ``RuntimeError``: a write in a unit that
    reads, any use after its end, a write after the journal entry, a change
    without one or to a project that the entry does not name, an item touched twice.
    """

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = threading.Lock()
        self._held: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._connection = Connection()

    def fail_with(self, error: OSError | None) -> None:
        """Do not answer from now on, because of ``error``; answer again for None.

        A unit that is open then is lost: it does not commit, not even after the outage.
        """
        with self._lock:
            if error is None:
                self._connection = Connection()
            else:
                self._connection.error = error

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Return a unit that sees what is committed now."""
        connection = self._connection.checked()
        moment = Moment(self._tables, connection, writable=False)
        try:
            yield MemoryUnit(moment, _only_reads)
            connection.checked()
        finally:
            moment.end()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Return a unit whose writes are checked and applied together at its end."""
        connection = self._connection.checked()
        moment = Moment(self._tables, connection, writable=True)
        with ExitStack() as ending:
            ending.callback(moment.end)

            def hold(name: str) -> None:
                if not self._held[name].acquire(timeout=_PATIENCE):
                    raise Unavailable(f"Another works on {name}. Try again.")
                ending.callback(self._held[name].release)
                moment.renew(self._tables)

            yield MemoryUnit(moment, hold)
            self._commit(moment.intents(), connection)

    def _commit(self, intents: Sequence[Intent], connection: Connection) -> None:
        with self._lock:
            connection.checked()
            if not intents:
                return
            tables = self._tables.copy()
            for intent in intents:
                intent(tables)
            self._tables = tables

    @contextmanager
    def restoring(self) -> Iterator[Restoration]:
        """Return what puts rows as they are, all together at its end."""
        connection = self._connection.checked()
        with self._lock:
            tables = self._tables.copy()
            yield MemoryRestoration(tables)
            connection.checked()
            self._tables = tables

    def pulse(self) -> Hashable:
        """Return the number of commits."""
        self._connection.checked()
        return self._tables.commits

    def prepare(self) -> None:
        """Check that it answers: there is nothing to prepare."""
        self._connection.checked()

    def verify(self) -> None:
        """Check that it answers: memory is as it must be."""
        self._connection.checked()

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


class MemoryUnit:
    """Implements ``UnitOfWork`` on one moment."""

    def __init__(self, moment: Moment, hold: Callable[[str], None]) -> None:
        self.hold = hold
        self.projects = MemoryProjects(moment)
        self.files = MemoryFileRows(moment)
        self.accounts = MemoryAccounts(moment)
        self.groups = MemoryGroups(moment)
        self.logins = MemoryLogins(moment)
        self.tokens = MemoryTokens(moment)
        self.sessions = MemorySessions(moment)
        self.attempts = MemoryAttempts(moment)
        self.journal = MemoryJournal(moment)


def _only_reads(name: str) -> None:
    raise RuntimeError(f"this unit of work only reads, and cannot hold {name}")


class MemoryJournal:
    """The journal as one unit sees it."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def append(self, change: Change) -> None:
        """Write the unit's one entry."""
        self._moment.append(change)

    def serial(self) -> int:
        """Return the serial of the newest entry."""
        return len(self._moment.tables.journal)

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """Return the entries after ``serial``: entry n stands at place n - 1."""
        return self._moment.tables.journal[serial : serial + limit]

    def found(self, sought: Sought, *, before: int | None, after: int | None, count: int) -> Sequence[Change]:
        """Return entries that fit, the newest first."""
        if after is not None:
            later = filter(sought.finds, self._moment.tables.journal[max(after, 0) :])
            return list(islice(later, count))[::-1]
        stop = None if before is None else max(before - 1, 0)
        return list(islice(filter(sought.finds, reversed(self._moment.tables.journal[:stop])), count))
