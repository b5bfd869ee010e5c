"""The cheapest way to ask SQLite whether anything was committed."""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from warehouse14.adapters.sql.failures import unavailable


class _Held:
    """A connection that is closed with whoever holds it; by itself it waits for Python's next collection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class SqlitePulse:
    """``PRAGMA data_version`` on a connection of the thread's own.

    The value does not move for a connection's own commits nor inside its
    transaction, and cannot be compared between connections; so these
    connections stay outside the pool, never write, and never begin. Only its
    thread holds one, so that it ends with it: servers end threads that have
    nothing to do, and begin others.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: WeakSet[_Held] = WeakSet()

    def __call__(self) -> tuple[int, int]:
        """Return the thread's connection and its data version."""
        try:
            held: _Held = getattr(self._own, "held", None) or self._open()
            version = held.connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise unavailable(error) from error
        return id(held.connection), version

    def close(self) -> None:
        """Close the connections of all threads."""
        with suppress(KeyError):
            while True:
                self._opened.pop().connection.close()
        self._own = threading.local()

    def _open(self) -> _Held:
        # In an address, some characters of a path would end it: SQLite would open another file.
        address = f"{Path(self._path).absolute().as_uri()}?mode=ro"
        held = _Held(sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False))
        self._opened.add(held)
        self._own.held = held
        return held
