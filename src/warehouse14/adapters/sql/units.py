"""Units of work on SQL: one transaction each."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, false, update

from warehouse14.adapters.sql.accounts import SqlAccounts, SqlTokens
from warehouse14.adapters.sql.condition import check_file, examined, make_file
from warehouse14.adapters.sql.engine import BEGIN
from warehouse14.adapters.sql.files import SqlFiles
from warehouse14.adapters.sql.groups import SqlGroups
from warehouse14.adapters.sql.journal import SqlJournal
from warehouse14.adapters.sql.logins import SqlLogins
from warehouse14.adapters.sql.projects import SqlProjects
from warehouse14.adapters.sql.pulse import SqlitePulse
from warehouse14.adapters.sql.running import Runner, translated
from warehouse14.adapters.sql.schema import prepare_schema, verify_schema
from warehouse14.adapters.sql.sessions import SqlAttempts, SqlSessions
from warehouse14.adapters.sql.tables import projects
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.ports import UnitOfWork

#: Changes nothing, but makes a transaction one that writes, of which SQLite has one at a time.
_WRITE = update(projects).where(false()).values(name=projects.c.name)


class SqlUnit:
    """Implements ``UnitOfWork`` on a connection with an open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._runner = runner = Runner(connection)
        self.projects = SqlProjects(runner)
        self.files = SqlFiles(runner)
        self.accounts = SqlAccounts(runner)
        self.groups = SqlGroups(runner)
        self.logins = SqlLogins(runner)
        self.tokens = SqlTokens(runner)
        self.sessions = SqlSessions(runner)
        self.attempts = SqlAttempts(runner)
        self.journal = SqlJournal(runner)

    def hold(self, name: str) -> None:  # noqa: ARG002 - a writer excludes all others
        """See the port."""
        self._runner.rows(_WRITE)


class SqliteUnits:
    """Implements ``Units`` and ``Prepared`` on one SQLite file."""

    def __init__(self, path: str, engine: Engine, *, busy_seconds: int) -> None:
        self._path = path
        self._engine = engine
        self._busy_seconds = busy_seconds
        self._writing = engine.execution_options(**{BEGIN: "IMMEDIATE"})
        # SQLite lets writers of several connections poll for its lock; within
        # a process they queue here instead, which is fairer and faster.
        self._turn = threading.Lock()
        self._pulse = SqlitePulse(path)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with translated(), self._engine.connect() as connection, connection.begin():
            yield SqlUnit(connection)

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """See the port."""
        # A server answers its first readers before it has imported what only writers need.
        from warehouse14.adapters.sql.transactions import managed

        with translated(), self._taking_turns(), managed(self._writing) as connection:
            yield SqlUnit(connection)

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=max(self._busy_seconds, 1)):
            raise Unavailable("The database is locked by others. Try again.")
        try:
            yield
        finally:
            self._turn.release()

    def pulse(self) -> Hashable:
        """See the port."""
        return self._pulse()

    def prepare(self) -> None:
        """See the port. Makes the file, for its owner alone, and its tables."""
        make_file(self._path)
        check_file(self._path)
        with examined(self._path):
            prepare_schema(self._writing)

    def verify(self) -> None:
        """See the port."""
        check_file(self._path)
        with examined(self._path):
            verify_schema(self._engine)

    def close(self) -> None:
        """See the port."""
        self._pulse.close()
        self._engine.dispose()
