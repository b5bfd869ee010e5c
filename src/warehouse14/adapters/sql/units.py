"""The unit of work on SQL: one transaction on any engine."""

from zlib import crc32

from sqlalchemy import Connection, bindparam, update

from warehouse14.adapters.sql.accounts import SqlAccounts, SqlTokens
from warehouse14.adapters.sql.files import SqlFiles
from warehouse14.adapters.sql.groups import SqlGroups
from warehouse14.adapters.sql.journal import SqlJournal
from warehouse14.adapters.sql.logins import SqlLogins
from warehouse14.adapters.sql.projects import SqlProjects
from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.sessions import SqlAttempts, SqlSessions
from warehouse14.adapters.sql.tables import HOLDS, holds

#: Changes nothing, but locks the row until the commit, on SQLite the database. It is no SELECT that locks: on
#: PostgreSQL a host whose transaction reads what was there at its beginning fails here, where it would decide
#: on that.
_HOLD = update(holds).where(holds.c.id == bindparam("of_id")).values(id=holds.c.id)


class SqlUnit:
    """Implements ``UnitOfWork`` on a connection with an open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._runner = runner = Runner(connection)
        self.projects = SqlProjects(runner)
        self.files = SqlFiles(runner)
        self.accounts = SqlAccounts(runner)
        self.groups = SqlGroups(runner)
        self.logins = SqlLogins(runner)
        self.tokens = SqlTokens(runner)
        self.sessions = SqlSessions(runner)
        self.attempts = SqlAttempts(runner)
        self.journal = SqlJournal(runner)

    def hold(self, name: str) -> None:
        """See the port. Two names may share a row: then they wait for each other, too."""
        self._runner.rows(_HOLD, of_id=crc32(name.encode()) % HOLDS)
