"""The cheapest way to ask a server whether anything was committed."""

from sqlalchemy import Engine, literal_column, select

from warehouse14.adapters.sql.failures import unavailable
from warehouse14.adapters.sql.running import translated
from warehouse14.adapters.sql.tables import NEWEST_ENTRY, serials

_SERIAL = select(serials.c.value).where(serials.c.id == literal_column(str(NEWEST_ENTRY)))


class SerialPulse:
    """The newest serial, in one round trip and outside any transaction.

    It is asked at every request, so that it goes to the driver directly. A
    connection that the server has closed meanwhile is replaced, once, and all
    that wait for their use with it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statement = str(_SERIAL.compile(dialect=engine.dialect))
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error

    def __call__(self) -> int:
        """Return the serial of the newest entry of the journal."""
        with translated():
            try:
                return self._ask(again=True)
            except self._error as error:
                raise unavailable(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _ask(self, *, again: bool) -> int:
        """Return the serial, or raise what the driver does; ask ``again`` if the connection is no more."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self._statement)
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])
        except self._error as error:
            if not self._engine.dialect.is_disconnect(error, connection, None):  # type: ignore[arg-type]
                connection.invalidate(error)
                raise
            # Those that wait were lost with it, and the next may be one of them: another thread may take
            # what this one gives back. So the pool replaces all that are as old.
            self._engine.pool._invalidate(connection, error)  # noqa: SLF001
            if not again:
                raise
        finally:
            connection.close()
        return self._ask(again=False)
