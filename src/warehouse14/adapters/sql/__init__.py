"""Metadata in an SQL database, through SQLAlchemy 2 Core.

The factory is found by the entry point ``sql`` of the group ``warehouse14.metadata``.
"""

from warehouse14.adapters.sql.engine import sqlite_engine, sqlite_path
from warehouse14.adapters.sql.units import SqliteUnits
from warehouse14.domain.ports import Units
from warehouse14.settings import Section

__all__ = ["SqliteUnits", "units"]

_MOST_BUSY_SECONDS = 3600


def units(section: Section) -> Units:
    """Return the units of the database that ``url`` names.

    Keys: ``url``, ``sqlite:///PATH``; ``busy_seconds``, how long a writer waits for another (10).
    """
    path = sqlite_path(section.text("url"))
    busy_seconds = section.number("busy_seconds", 10, most=_MOST_BUSY_SECONDS)
    return SqliteUnits(path, sqlite_engine(path, busy_seconds=busy_seconds), busy_seconds=busy_seconds)
