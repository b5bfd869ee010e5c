"""Putting the rows of another store in SQL, as they were there."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, select, update

from warehouse14.adapters.sql.accounts import account_values, token_values
from warehouse14.adapters.sql.files import file_values
from warehouse14.adapters.sql.groups import group_values
from warehouse14.adapters.sql.journal import change_values
from warehouse14.adapters.sql.logins import login_values
from warehouse14.adapters.sql.projects import project_values
from warehouse14.adapters.sql.tables import (
    NEWEST_ENTRY,
    NEWEST_RUN,
    accounts,
    files,
    grants,
    group_members,
    groups,
    journal,
    logins,
    projects,
    serials,
    sessions,
    tokens,
)
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token

Values = Mapping[str, Any]

#: How many rows go with one statement.
_AT_ONCE = 1000

_ENTRY = serials.c.id == NEWEST_ENTRY
_RUN = serials.c.id == NEWEST_RUN
#: SQLite has locked the whole file by then.
_LOCK_SERIAL = select(serials.c.value).where(_ENTRY).with_for_update()


class SqlRestoration:
    """Implements ``Restoration`` on a connection with an open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def serial(self) -> int:
        """See the port. Whoever adds an entry raises this row first."""
        return int(self._connection.scalars(_LOCK_SERIAL).one())

    def begin(self) -> int:
        """See the port."""
        run = self.run() + 1
        self._connection.execute(delete(serials).where(_RUN))
        self._insert(serials, [{"id": NEWEST_RUN, "value": run}])
        return run

    def run(self) -> int:
        """See the port. Whoever begins one has locked the row of the serial, which is there always."""
        self.serial()
        return self._connection.scalars(select(serials.c.value).where(_RUN)).one_or_none() or 0

    def people(
        self,
        accounts_there: Sequence[Account],
        groups_there: Sequence[Group],
        logins_there: Sequence[Login],
        tokens_there: Sequence[Token],
    ) -> None:
        """See the port."""
        for table in (group_members, logins, tokens, sessions):
            self._connection.execute(delete(table))
        self._replace(accounts, accounts.c.name, map(account_values, accounts_there))
        self._replace(groups, groups.c.name, map(group_values, groups_there))
        members = (
            {"group": group.name, "account": account, "admin": admin}
            for group in groups_there
            for account, admin in group.members.items()
        )
        self._insert(group_members, members)
        self._insert(logins, map(login_values, logins_there))
        self._insert(tokens, map(token_values, tokens_there))

    def project(self, project: Project, files_there: Sequence[File]) -> None:
        """See the port."""
        there = self._connection.scalars(
            select(projects.c.serial).where(projects.c.name == project.name)
        ).one_or_none()
        if there is not None and there > project.serial:
            raise Conflict("project", project.name)
        for column in (files.c.project, grants.c.project, projects.c.name):
            self._connection.execute(delete(column.table).where(column == project.name))
        self._insert(projects, [project_values(project)])
        given = (
            {"project": project.name, "principal": who, "role": role.value}
            for who, role in project.grants.items()
        )
        self._insert(grants, given)
        self._insert(files, map(file_values, files_there))

    def journal(self, changes: Sequence[Change]) -> None:
        """See the port."""
        self._insert(journal, map(change_values, changes))
        if changes:
            self._connection.execute(update(serials).where(_ENTRY).values(value=changes[-1].serial))

    def _insert(self, table: Table, rows: Iterable[Values]) -> None:
        left = iter(rows)
        # Each statement has to end in time.
        while some := list(islice(left, _AT_ONCE)):
            self._connection.execute(insert(table), some)

    def _replace(self, table: Table, key: Column[Any], rows: Iterable[Values]) -> None:
        """Change the rows that are there, to which others may refer, and insert the rest."""
        there = set(self._connection.scalars(select(key)))
        new = []
        for row in rows:
            if row[key.name] in there:
                self._connection.execute(update(table).where(key == row[key.name]).values(**row))
            else:
                new.append(row)
        self._insert(table, new)
