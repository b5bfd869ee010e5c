"""PostgreSQL, through psycopg 3."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from warehouse14.adapters.sql.failures import said
from warehouse14.adapters.sql.servers.engine import Limits, on_connect, with_parameters

_SET = (
    "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false), "
    "set_config('idle_in_transaction_session_timeout', %s, false), "
    # A plan for any word at all looks at every project.
    "set_config('plan_cache_mode', 'force_custom_plan', false)"
)
#: How much longer than the server a process waits for its answer, in seconds.
_ROOM = 5
#: A transaction may wait for a file store between two statements, in seconds.
_IDLE_SECONDS = 300
#: Of the lock that who changes the tables has.
_CHANGING_TABLES = 0x77683134
_OLDEST = 14
#: The classes of its codes for what may be over soon: of connections, too little of something, a lock, and an
#: end that somebody wanted, also while it starts.
_PASSING = frozenset({"08", "53", "55", "57"})
#: What is in an error of connecting, which has no code, if an option cannot be right, or the server refuses,
#: wants a password, has no TLS or another certificate, or is none. No name of a host has a space.
_REFUSALS = (
    "FATAL:",
    "no password supplied",
    "invalid ",
    "could not parse network address",
    "expected authentication request",
    "does not support SSL",
    "certificate file ",
    "certificate verify failed",
    "does not match host name ",
)
#: Why it refuses everybody for a while; the last three are PgBouncer's.
_BUSY = (
    "the database system is ",
    "too many ",
    "remaining connection slots ",
    "(server_login_retry)",
    "(max_client_conn)",
    "query_wait_timeout",
)
#: Finds parts of words by their groups of three characters.
_QUICKER = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX projects_by_searched ON projects USING gin (searched gin_trgm_ops)",
)

_log = logging.getLogger(__name__)


class PostgreSQL:
    """See ``Server``."""

    title = "PostgreSQL"
    form = "postgresql+psycopg://USER@HOST/DATABASE"
    driver = "psycopg"
    extra = "postgresql"

    def adjust(self, engine: Engine, limits: Limits, *, patient: bool) -> None:
        """See the protocol."""
        with_parameters(
            engine,
            connect_timeout=limits.connect_seconds,
            application_name="warehouse14",
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        if not patient:
            _bound_answers(engine, limits.statement_seconds + _ROOM)
            seconds = (limits.statement_seconds, limits.lock_seconds, _IDLE_SECONDS)
            on_connect(engine, _SET, tuple(f"{each}s" for each in seconds))

    def readers(self, engine: Engine) -> Engine:
        """See the protocol."""
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def writers(self, engine: Engine) -> Engine:
        """See the protocol."""
        return engine.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def alone(self, connection: Connection) -> Iterator[None]:
        """See the protocol. The lock ends with the transaction."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGING_TABLES})
        yield

    def complaint(self, connection: Connection) -> str | None:
        """See the protocol."""
        version = connection.dialect.server_version_info or (0,)
        if version < (_OLDEST,):
            return f"it is PostgreSQL {version[0]}; {_OLDEST} or newer is needed"
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            return f"its encoding is {encoding}; make it with ENCODING 'UTF8' TEMPLATE template0"
        return None

    def is_passing(self, error: BaseException | None) -> bool:
        """See the protocol. The words may be those of another language: then it is taken for passing."""
        state = getattr(error, "sqlstate", None)
        if state is not None:
            return state[:2] in _PASSING
        said = str(error)
        return any(word in said for word in _BUSY) or not any(word in said for word in _REFUSALS)

    def quicken(self, connection: Connection) -> None:
        """See the protocol. Not everybody may make an extension, and not every server has it."""
        if connection.execute(text("SELECT to_regclass('projects_by_searched')")).scalar_one() is not None:
            return
        try:
            with connection.begin_nested():
                for statement in _QUICKER:
                    connection.execute(text(statement))
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            _log.warning(
                "Without PostgreSQL's extension pg_trgm every search looks at every project; "
                "once it is there, 'warehouse14 init' makes the index: %s",
                said(error),
            )


def _bound_answers(engine: Engine, seconds: float) -> None:
    """Give up on an answer that does not come: neither the server nor the system may notice that the other
    is gone."""

    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
        from warehouse14.adapters.sql.servers.patience import BoundedConnection

        connection = BoundedConnection.connect(*arguments, **parameters)
        connection.answer_seconds = seconds
        return connection

    event.listen(engine, "do_connect", connect)
