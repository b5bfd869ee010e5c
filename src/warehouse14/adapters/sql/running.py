"""Running statements: the engine's errors become the domain's here, and nowhere else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from warehouse14.adapters.sql.failures import failure, lost_race
from warehouse14.domain.errors import Conflict


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the engine raises into ``Conflict`` for a lost race, or ``Unavailable``, with its cause."""
    try:
        yield
    except SQLAlchemyError as error:
        raise failure(error) from error


class Runner:
    """Runs statements on a connection.

    A statement is built once, at import, and gets its values here: building
    one costs more than running it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: Executable, /, **values: Any) -> CursorResult[Any]:
        """Return the rows of a query."""
        with translated():
            result: CursorResult[Any] = self._connection.execute(statement, values)
            return result

    def insert(self, statement: Executable, values: Mapping[str, Any], *, kind: str, name: str) -> None:
        """Insert a row. Raises ``Conflict`` if its key is taken."""
        try:
            self._connection.execute(statement, values)
        except SQLAlchemyError as error:
            if isinstance(error, IntegrityError) or lost_race(error):
                raise Conflict(kind, name) from error
            raise failure(error) from error

    def change(self, statement: Executable, values: Mapping[str, Any], *, kind: str, name: str) -> None:
        """Change one row. Raises ``Conflict`` if its condition holds for none."""
        if self.rows(statement, **values).rowcount != 1:
            raise Conflict(kind, name)
