"""Units of work on a server."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from warehouse14.adapters.sql.failures import said
from warehouse14.adapters.sql.running import translated
from warehouse14.adapters.sql.schema import prepare_schema, verify_schema
from warehouse14.adapters.sql.servers.engine import Limits, Server, probing_engine, server_engine
from warehouse14.adapters.sql.servers.pulse import SerialPulse
from warehouse14.adapters.sql.units import SqlUnit
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.ports import Restoration, UnitOfWork


class ServerUnits:
    """Implements ``Units`` and ``Prepared`` on one database of a server."""

    def __init__(self, server: Server, url: URL, limits: Limits) -> None:
        self._server = server
        self._url = url
        self._limits = limits
        self._engine = server_engine(server, url, limits)
        self._reading = server.readers(self._engine)
        self._writing = server.writers(self._engine)
        self._pulse = SerialPulse(probing_engine(server, url, limits))

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with translated(), self._reading.connect() as connection, connection.begin():
            yield SqlUnit(connection)

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """See the port."""
        # A server answers its first readers before it has imported what only writers need.
        from warehouse14.adapters.sql.transactions import managed

        with translated(), managed(self._writing) as connection:
            yield SqlUnit(connection)

    @contextmanager
    def restoring(self) -> Iterator[Restoration]:
        """See the port."""
        from warehouse14.adapters.sql.restoring import SqlRestoration
        from warehouse14.adapters.sql.transactions import managed

        with translated(), managed(self._writing) as connection:
            yield SqlRestoration(connection)

    def pulse(self) -> Hashable:
        """See the port."""
        return self._pulse()

    def prepare(self) -> None:
        """See the port. The database has to be there; its tables are made."""
        engine = server_engine(self._server, self._url, self._limits, patient=True)
        try:
            with self._examined(engine) as connection, self._server.alone(connection):
                prepare_schema(connection)
                self._server.quicken(connection)
                connection.commit()
        finally:
            engine.dispose()

    def verify(self) -> None:
        """See the port."""
        with self._examined(self._reading) as connection:
            verify_schema(connection)

    def close(self) -> None:
        """See the port."""
        self._pulse.close()
        self._engine.dispose()

    @contextmanager
    def _examined(self, engine: Engine) -> Iterator[Connection]:
        """Return a connection to a database that will do. Raises ``Misconfigured``, or ``Unavailable`` where
        that may be over soon."""
        where = f"{self._server.title} at {self._url.host or 'its socket'}, database {self._url.database}"
        try:
            with engine.connect() as connection:
                complaint = self._server.complaint(connection)
                if complaint is not None:
                    raise Misconfigured(f"{where}: {complaint}")
                yield connection
        except SQLAlchemyError as error:
            kind = Unavailable if self._is_passing(error) else Misconfigured
            raise kind(f"{where}: {said(error)}") from error

    def _is_passing(self, error: SQLAlchemyError) -> bool:
        if isinstance(error, OperationalError | InterfaceError):
            return error.connection_invalidated or self._server.is_passing(error.orig)
        return isinstance(error, PoolTimeout)
