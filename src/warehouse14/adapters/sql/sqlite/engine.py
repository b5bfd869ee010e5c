"""Making an SQLAlchemy engine for SQLite that commits as this index promises."""

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from warehouse14.settings import SettingError

#: The execution option that says how a transaction begins.
BEGIN = "warehouse14_begin"


def sqlite_path(url: URL) -> str:
    """Return the path in ``sqlite:///PATH``. Raises ``SettingError`` for an address without one."""
    if not url.database or url.database == ":memory:":
        raise SettingError(
            "warehouse14.metadata.url names no file; for a site in memory set warehouse14.metadata = memory"
        )
    return url.database


def sqlite_engine(path: str, *, busy_seconds: int) -> Engine:
    """Return an engine on the SQLite database at ``path``.

    Write-ahead log, every commit synced, foreign keys enforced; a transaction
    begins as the connection's option says, since a deferred one that has read
    fails at once when another writes.
    """
    engine = create_engine(
        URL.create("sqlite", database=path),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        pool_size=16,
        max_overflow=48,
        pool_timeout=busy_seconds,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor: Any = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
