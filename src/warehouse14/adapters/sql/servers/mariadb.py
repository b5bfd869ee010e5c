"""MariaDB, through PyMySQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from warehouse14.adapters.sql.servers.engine import Limits, on_connect, with_parameters
from warehouse14.domain.errors import Unavailable

#: A session's transactions see one moment unless told otherwise. What does not fit is an error.
_SET = (
    "SET SESSION tx_isolation = 'REPEATABLE-READ', "
    "SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
    "SESSION innodb_lock_wait_timeout = %s, SESSION max_statement_time = %s"
)
#: How much longer than the server a process waits for its answer, in seconds.
_ROOM = 5
#: How long who changes the tables waits for another who does, in seconds.
_PATIENCE_SECONDS = 600
_READS = "warehouse14_reads"
_OLDEST = (10, 6)
#: What may be over soon: too many connections, also of one account, a node of a cluster that is not ready, a
#: shutdown, a lock, an answer that takes too long; and what the driver says of a server that cannot be
#: reached, or is gone.
_PASSING = frozenset({1040, 1047, 1053, 1203, 1205, 1226, 1927, 1969, 2002, 2003, 2006, 2013})


class MariaDB:
    """See ``Server``."""

    title = "MariaDB"
    form = "mysql+pymysql://USER@HOST/DATABASE"
    driver = "pymysql"
    extra = "mariadb"

    def adjust(self, engine: Engine, limits: Limits, *, patient: bool) -> None:
        """See the protocol."""
        answer = None if patient else limits.statement_seconds + _ROOM
        with_parameters(
            engine,
            charset="utf8mb4",
            connect_timeout=limits.connect_seconds,
            read_timeout=answer,
            write_timeout=answer,
        )
        event.listen(engine, "do_connect", _connect)
        on_connect(engine, _SET, (limits.lock_seconds, 0 if patient else limits.statement_seconds))
        event.listen(engine, "begin", _begin)

    def readers(self, engine: Engine) -> Engine:
        """See the protocol."""
        return engine.execution_options(**{_READS: True})

    def writers(self, engine: Engine) -> Engine:
        """See the protocol."""
        return engine

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """See the protocol. A change of a table ends a transaction, so that the connection has this lock."""
        values = {"name": f"warehouse14 in {connection.engine.url.database}"[:64]}
        taken = connection.execute(
            text("SELECT GET_LOCK(:name, :seconds)"), values | {"seconds": _PATIENCE_SECONDS}
        )
        if taken.scalar_one() != 1:
            raise Unavailable("Another changes the tables. Try again.")
        try:
            yield
        finally:
            # A connection that broke has no lock any more, and why it did is what is to be said.
            with suppress(SQLAlchemyError):
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), values)

    def complaint(self, connection: Connection) -> str | None:
        """See the protocol."""
        if not getattr(connection.dialect, "is_mariadb", False):
            return "it is MySQL; MariaDB is needed"
        version = connection.dialect.server_version_info or (0,)
        if version < _OLDEST:
            return f"it is MariaDB {version[0]}.{version[1]}; {_OLDEST[0]}.{_OLDEST[1]} or newer is needed"
        return None

    def is_passing(self, error: BaseException | None) -> bool:
        """See the protocol. The driver calls a certificate that is not trusted no connection, too."""
        import ssl

        if isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError):
            return False
        return error is not None and bool(error.args) and error.args[0] in _PASSING

    def quicken(self, connection: Connection) -> None:
        """See the protocol. MariaDB has no index that finds parts of words."""


def _connect(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
    from warehouse14.adapters.sql.servers.guarded import connect

    return connect(*arguments, **parameters)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_READS, False):
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
