"""Units of work on one SQLite file."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from warehouse14.adapters.sql.running import translated
from warehouse14.adapters.sql.schema import prepare_schema, verify_schema
from warehouse14.adapters.sql.sqlite.condition import check_file, examined, make_file
from warehouse14.adapters.sql.sqlite.engine import BEGIN
from warehouse14.adapters.sql.sqlite.pulse import SqlitePulse
from warehouse14.adapters.sql.units import SqlUnit
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.ports import Restoration, UnitOfWork


class _WritingUnit(SqlUnit):
    """A unit that nobody else writes beside, from its beginning."""

    def hold(self, name: str) -> None:
        """See the port. It writes nothing: who then changes nothing leaves everybody's lists as they are."""


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
            yield _WritingUnit(connection)

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=max(self._busy_seconds, 1)):
            raise Unavailable("The database is locked by others. Try again.")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def restoring(self) -> Iterator[Restoration]:
        """See the port."""
        from warehouse14.adapters.sql.restoring import SqlRestoration
        from warehouse14.adapters.sql.transactions import managed

        with translated(), self._taking_turns(), managed(self._writing) as connection:
            yield SqlRestoration(connection)

    def pulse(self) -> Hashable:
        """See the port."""
        return self._pulse()

    def prepare(self) -> None:
        """See the port. Makes the file, for its owner alone, and its tables."""
        make_file(self._path)
        check_file(self._path)
        with examined(self._path), self._writing.begin() as connection:
            prepare_schema(connection)

    def verify(self) -> None:
        """See the port."""
        check_file(self._path)
        with examined(self._path), self._engine.connect() as connection:
            verify_schema(connection)

    def close(self) -> None:
        """See the port."""
        self._pulse.close()
        self._engine.dispose()
