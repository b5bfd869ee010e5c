"""A connection to MariaDB that fails in one way only.

PyMySQL takes what it reads for MariaDB's, and what it is given for right: when
it is not, whatever Python says comes out, and not an error of the driver.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.err import Error, OperationalError

#: What of the option ``ssl`` names files.
_FILES = ("ca", "capath", "cert", "key")
#: What a question begins with, in each form in which the driver gives it on; one of them has no hash.
_ASKS = ("SELECT", b"SELECT")


def connect(**options: Any) -> Connection:
    """Return a connection. Raises the driver's ``Error``, whatever is wrong with the options."""
    password = options.get("password")
    if isinstance(password, str):
        # The driver would take it for Latin-1; MariaDB's own programs send UTF-8.
        options["password"] = password.encode()
    with _guarded(lambda error: _refused(error, options)):
        connection = GuardedConnection(**options | {"defer_connect": True})
    connection.connect()
    return connection


def _refused(error: Exception, options: dict[str, Any]) -> OperationalError:
    """Say what is wrong with the options. An error about a file does not say about which."""
    tls = options.get("ssl")
    named = [str(tls[name]) for name in _FILES if name in tls] if isinstance(tls, dict) else []
    where = f" ({', '.join(named)})" if isinstance(error, OSError) and named else ""
    return OperationalError(CR.CR_UNKNOWN_ERROR, f"Its options do not work: {error}{where}")


class GuardedConnection(Connection):  # type: ignore[misc]
    """A connection on which everything that fails is the driver's ``Error``."""

    def connect(self, sock: Any = None) -> None:
        """See the driver."""
        with _guarded(self._misunderstood):
            super().connect(sock)

    def query(self, sql: str | bytes, unbuffered: bool = False) -> Any:  # noqa: FBT002
        """See the driver."""
        with _guarded(self._misunderstood):
            found = super().query(sql, unbuffered=unbuffered)
            _require_columns(sql, self._result)
            return found

    def next_result(self, unbuffered: bool = False) -> Any:  # noqa: FBT002
        """See the driver."""
        with _guarded(self._misunderstood):
            return super().next_result(unbuffered=unbuffered)

    def ping(self, reconnect: bool = False) -> None:  # noqa: FBT002
        """See the driver."""
        with _guarded(self._misunderstood):
            super().ping(reconnect)

    def autocommit(self, value: bool) -> None:
        """See the driver."""
        with _guarded(self._misunderstood):
            super().autocommit(value)

    def commit(self) -> None:
        """See the driver."""
        with _guarded(self._misunderstood):
            super().commit()

    def rollback(self) -> None:
        """See the driver."""
        with _guarded(self._misunderstood):
            super().rollback()

    def _misunderstood(self, error: Exception) -> OperationalError:
        """Use it no more: nobody knows where in an answer it stands."""
        self._force_close()
        return OperationalError(
            CR.CR_SERVER_LOST, f"No answer of MariaDB at {self.host!r} ({type(error).__name__}: {error})"
        )


def _require_columns(sql: str | bytes | bytearray, result: Any) -> None:
    """Raise ``ValueError`` for a question that was only said to be done: whoever asked counts on a row."""
    if sql[:6] in _ASKS and result.description is None:
        raise ValueError("asked for rows, it only said that it is done")


@contextmanager
def _guarded(meant: Callable[[Exception], OperationalError]) -> Iterator[None]:
    """Turn what is no error of the driver into one."""
    try:
        yield
    except Error:
        raise
    except Exception as error:
        raise meant(error) from error
