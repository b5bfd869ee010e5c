"""Putting the rows of another store in memory, as they were there."""

from collections.abc import Sequence

from warehouse14.adapters.memory.tables import Tables
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token


class MemoryRestoration:
    """Implements ``Restoration`` on tables that nobody sees yet."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def serial(self) -> int:
        """Return the serial of the newest entry: nobody commits meanwhile."""
        return len(self._tables.journal)

    def begin(self) -> int:
        """Begin a run, and return its number."""
        self._tables.run += 1
        return self._tables.run

    def run(self) -> int:
        """Return the number of the newest run."""
        return self._tables.run

    def people(
        self,
        accounts: Sequence[Account],
        groups: Sequence[Group],
        logins: Sequence[Login],
        tokens: Sequence[Token],
    ) -> None:
        """Put people in the place of those that are here."""
        self._tables.accounts |= {account.name: account for account in accounts}
        self._tables.groups |= {group.name: group for group in groups}
        self._tables.logins = {(login.issuer, login.subject): login for login in logins}
        self._tables.tokens = {token.id: token for token in tokens}
        self._tables.sessions = {}

    def project(self, project: Project, files: Sequence[File]) -> None:
        """Put a project, its grants and its files."""
        there = self._tables.projects.get(project.name)
        if there is not None and there.serial > project.serial:
            raise Conflict("project", project.name)
        self._tables.projects[project.name] = project
        self._tables.files[project.name] = {file.filename: file for file in files}

    def journal(self, changes: Sequence[Change]) -> None:
        """Add entries: entry n stands at place n - 1."""
        self._tables.journal.extend(changes)
