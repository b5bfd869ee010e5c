"""The file of an SQLite database: whether it is one, and can be used."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from warehouse14.adapters.sql.failures import unavailable
from warehouse14.domain.errors import Misconfigured

_UNWRITABLE = "cannot be written by this user"
#: What it means, of a file that was opened, when SQLite says so: trying again will not help.
_FAULTS = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database; move it away, or name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
}
_PRIMARY_CODE = 0xFF


def make_file(path: str) -> None:
    """Make an empty database, for its owner alone, unless there is one. Raises ``Misconfigured``."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.exists(path):
        return
    try:
        os.makedirs(folder, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error


def check_file(path: str) -> None:
    """Raise ``Misconfigured`` unless the file can be written, and SQLite can make its own beside it."""
    if not os.path.exists(path):
        raise Misconfigured(
            f"{path} is not there; 'warehouse14 init' makes a new one, 'restore' and 'rebuild' a lost one"
        )
    if not os.path.isfile(path):
        raise Misconfigured(f"{path} is not a file; move it away, or name another one")
    for place in (path, os.path.dirname(os.path.abspath(path))):
        if not os.access(place, os.R_OK | os.W_OK):
            raise Misconfigured(f"{place} {_UNWRITABLE}")


@contextmanager
def examined(path: str) -> Iterator[None]:
    """Turn what the engine raises into ``Misconfigured`` if the file is at fault, or ``Unavailable``."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else None
        fault = _FAULTS.get(getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE)
        if fault is None:
            raise unavailable(error) from error
        raise Misconfigured(f"{path} {fault}") from error
