"""The cheapest way to ask SQLite whether anything was committed."""

import sqlite3
import threading
from pathlib import Path

from warehouse14.adapters.sql.failures import unavailable


class SqlitePulse:
    """``PRAGMA data_version`` on a connection of the thread's own.

    The value does not move for a connection's own commits nor inside its
    transaction, and cannot be compared between connections; so these
    connections stay outside the pool, never write, and never begin.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def __call__(self) -> tuple[int, int]:
        """Return the thread's connection and its data version."""
        try:
            connection = getattr(self._own, "connection", None) or self._open()
            version = connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise unavailable(error) from error
        return id(connection), version

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._own = threading.local()

    def _open(self) -> sqlite3.Connection:
        # In an address, some characters of a path would end it: SQLite would open another file.
        address = f"{Path(self._path).absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        self._opened.append(connection)
        self._own.connection = connection
        return connection
