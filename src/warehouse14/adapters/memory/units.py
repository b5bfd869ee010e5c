"""Metadata in memory. Whoever misuses a unit of work hears of it here, in the fastest tests."""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter

from warehouse14.adapters.memory.tables import Tables
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.model import (
    Account,
    Change,
    File,
    Project,
    ProjectSummary,
    Role,
    Token,
    Yank,
)
from warehouse14.domain.names import AUTHENTICATED, AccountName, FileName, Principal, ProjectName
from warehouse14.domain.ports import UnitOfWork

#: A write that waits for the end of its unit. It checks its condition and changes the rows.
Intent = Callable[[Tables], None]


class MemoryUnits:
    """Metadata that lives as long as this object.

    A unit that is used wrongly raises ``RuntimeError``: a write in a unit that
    reads, any use after its end, a write after the journal entry, a change
    without one or to a project that the entry does not name, an item touched twice.
    """

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = threading.Lock()
        self._connection = Connection()

    def fail_with(self, error: OSError | None) -> None:
        """Do not answer from now on, because of ``error``; answer again for None.

        A unit that is open then is lost: it does not commit, not even after the outage.
        """
        with self._lock:
            if error is None:
                self._connection = Connection()
            else:
                self._connection.error = error

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Return a unit that sees what is committed now."""
        connection = self._connection.checked()
        unit = MemoryUnit(self._tables, connection, writable=False)
        try:
            yield unit
            connection.checked()
        finally:
            unit.end()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Return a unit whose writes are checked and applied together at its end."""
        connection = self._connection.checked()
        unit = MemoryUnit(self._tables, connection, writable=True)
        try:
            yield unit
            self._commit(unit.intents(), connection)
        finally:
            unit.end()

    def _commit(self, intents: Sequence[Intent], connection: "Connection") -> None:
        with self._lock:
            connection.checked()
            if not intents:
                return
            tables = self._tables.copy()
            for intent in intents:
                intent(tables)
            self._tables = tables

    def pulse(self) -> Hashable:
        """Return the number of commits."""
        self._connection.checked()
        return self._tables.commits

    def prepare(self) -> None:
        """Check that it answers: there is nothing to prepare."""
        self._connection.checked()

    def verify(self) -> None:
        """Check that it answers: memory is as it must be."""
        self._connection.checked()

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


class Connection:
    """What all units share that were opened since the last outage: the next one ends it for good."""

    def __init__(self) -> None:
        self.error: OSError | None = None

    def checked(self) -> "Connection":
        """Return this connection, or raise ``Unavailable`` if it was lost."""
        if self.error is not None:
            raise Unavailable("The metadata store does not answer.") from self.error
        return self


class MemoryUnit:
    """One unit of work: the rows of one moment to read, and the intents to write."""

    def __init__(self, tables: Tables, connection: Connection, *, writable: bool) -> None:
        self._tables: Tables | None = tables
        self._connection = connection
        self._writable = writable
        self._intents: list[Intent] = []
        self._items: set[Hashable] = set()
        self._changed = False
        self._changed_projects: set[ProjectName] = set()
        self._entry: Change | None = None
        self.projects = MemoryProjects(self)
        self.files = MemoryFileRows(self)
        self.accounts = MemoryAccounts(self)
        self.tokens = MemoryTokens(self)
        self.journal = MemoryJournal(self)

    @property
    def tables(self) -> Tables:
        """The committed rows that this unit sees."""
        if self._tables is None:
            raise RuntimeError("this unit of work is over")
        self._connection.checked()
        return self._tables

    def touch(self, item: Hashable, intent: Intent) -> None:
        """Keep a write that needs no journal entry."""
        self._check_writable()
        if item in self._items:
            raise RuntimeError(f"{item} is written twice in one unit of work")
        self._items.add(item)
        self._intents.append(intent)

    def change(self, item: Hashable, intent: Intent, *, project: ProjectName | None = None) -> None:
        """Keep a write that needs a journal entry, one that names ``project`` if that is given."""
        self.touch(item, intent)
        self._changed = True
        if project is not None:
            self._changed_projects.add(project)

    def append(self, entry: Change) -> None:
        """Keep the journal entry; it is the last write."""
        self._check_writable()
        self._entry = entry
        self._intents.append(lambda tables: tables.append(entry))

    def intents(self) -> Sequence[Intent]:
        """Return all that is to be written, if it is complete."""
        if self._changed and self._entry is None:
            raise RuntimeError("a unit of work changed something without a journal entry")
        unnamed = self._changed_projects - {self._entry.project if self._entry else None}
        if unnamed:
            raise RuntimeError(f"the journal entry does not name the changed project: {sorted(unnamed)}")
        return self._intents

    def end(self) -> None:
        """Refuse everything from now on."""
        self._tables = None

    def _check_writable(self) -> None:
        if self._tables is None:
            raise RuntimeError("this unit of work is over")
        if not self._writable:
            raise RuntimeError("this unit of work only reads")
        if self._entry is not None:
            raise RuntimeError("the journal entry is the last write of a unit of work")
        self._connection.checked()


class MemoryProjects:
    """The projects as one unit sees them."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def get(self, name: ProjectName) -> Project | None:
        """Return the project, a deleted one too, or None."""
        return self._unit.tables.projects.get(name)

    def visible(self, principals: frozenset[Principal] | None) -> Sequence[ProjectSummary]:
        """Return the projects that ``principals`` may see, by name."""
        return [
            ProjectSummary(project.name, project.display_name, project.public, project.serial)
            for project in sorted(self._unit.tables.projects.values(), key=attrgetter("name"))
            if project.deleted_at is None and (principals is None or _may_see(principals, project))
        ]

    def create(self, project: Project) -> None:
        """Take a name."""
        self._change(project.name, lambda tables: tables.create_project(project))

    def set_public(self, name: ProjectName, public: bool, *, expected: int) -> None:
        """Open or close a project."""
        self._change(name, lambda tables: tables.change_project(name, expected, public=public))

    def set_display_name(self, name: ProjectName, display_name: str, *, expected: int) -> None:
        """Spell a project differently."""
        self._change(name, lambda tables: tables.change_project(name, expected, display_name=display_name))

    def grant(self, name: ProjectName, who: Principal, role: Role, *, expected: int) -> None:
        """Give or change a role."""
        self._change(name, lambda tables: tables.grant(name, who, role, expected), part=who)

    def revoke(self, name: ProjectName, who: Principal, *, expected: int) -> None:
        """Take a role away."""
        self._change(name, lambda tables: tables.revoke(name, who, expected), part=who)

    def delete(self, name: ProjectName, at: datetime, *, expected: int) -> None:
        """Mark a project deleted."""
        self._change(name, lambda tables: tables.change_project(name, expected, deleted_at=at))

    def _change(self, name: ProjectName, intent: Intent, *, part: str = "") -> None:
        self._unit.change(("project", name, part), intent, project=name)


class MemoryFileRows:
    """The files as one unit sees them."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def get(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, a deleted one too, or None."""
        return self._unit.tables.files.get(project, {}).get(filename)

    def of(self, project: ProjectName) -> Sequence[File]:
        """Return all files of a project, by file name."""
        return sorted(self._unit.tables.files.get(project, {}).values(), key=attrgetter("filename"))

    def all(self) -> Iterator[File]:
        """Return every file that is there, as long as the unit lasts."""
        for project in self._unit.tables.projects.values():
            if project.deleted_at is None:
                yield from (file for file in self.of(project.name) if file.deleted_at is None)

    def add(self, file: File) -> None:
        """List a file."""
        self._change(file.project, file.filename, lambda tables: tables.add_file(file))

    def set_yank(self, project: ProjectName, filename: FileName, yank: Yank | None) -> None:
        """Yank or un-yank."""
        self._change(project, filename, lambda tables: tables.change_file(project, filename, yank=yank))

    def delete(self, project: ProjectName, filename: FileName, at: datetime) -> None:
        """Mark a file deleted."""
        self._change(project, filename, lambda tables: tables.change_file(project, filename, deleted_at=at))

    def _change(self, project: ProjectName, filename: FileName, intent: Intent) -> None:
        self._unit.change(("file", project, filename), intent, project=project)


class MemoryAccounts:
    """The accounts as one unit sees them."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def get(self, name: AccountName) -> Account | None:
        """Return the account, a disabled one too, or None."""
        return self._unit.tables.accounts.get(name)

    def all(self) -> Sequence[Account]:
        """Return all accounts, by name."""
        return sorted(self._unit.tables.accounts.values(), key=attrgetter("name"))

    def add(self, account: Account) -> None:
        """Add an account."""
        self._unit.change(("account", account.name), lambda tables: tables.add_account(account))

    def set_password(self, name: AccountName, password_hash: str) -> None:
        """Replace the password."""
        self._unit.change(
            ("account", name), lambda tables: tables.change_account(name, password_hash=password_hash)
        )

    def set_disabled(self, name: AccountName, disabled: bool) -> None:
        """Disable or enable."""
        self._unit.change(("account", name), lambda tables: tables.change_account(name, disabled=disabled))


class MemoryTokens:
    """The tokens as one unit sees them."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def get(self, token: str) -> Token | None:
        """Return the token, a revoked one too, or None."""
        return self._unit.tables.tokens.get(token)

    def of(self, account: AccountName) -> Sequence[Token]:
        """Return an account's tokens, the oldest first."""
        tokens = (token for token in self._unit.tables.tokens.values() if token.account == account)
        return sorted(tokens, key=attrgetter("created_at", "id"))

    def add(self, token: Token) -> None:
        """Add a token."""
        self._unit.change(("token", token.id), lambda tables: tables.add_token(token))

    def revoke(self, token: str, at: datetime) -> None:
        """End a token."""
        self._unit.change(("token", token), lambda tables: tables.revoke_token(token, at))

    def touch(self, token: str, at: datetime, *, unless_since: datetime) -> None:
        """Note a use."""
        self._unit.touch(("token", token), lambda tables: tables.touch_token(token, at, unless_since))


class MemoryJournal:
    """The journal as one unit sees it."""

    def __init__(self, unit: MemoryUnit) -> None:
        self._unit = unit

    def append(self, change: Change) -> None:
        """Write the unit's one entry."""
        self._unit.append(change)

    def serial(self) -> int:
        """Return the serial of the newest entry."""
        return len(self._unit.tables.journal)

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """Return the entries after ``serial``: entry n stands at place n - 1."""
        return self._unit.tables.journal[serial : serial + limit]


def _may_see(principals: frozenset[Principal], project: Project) -> bool:
    """Whether a project is public to one of ``principals``, or granted."""
    return (project.public and AUTHENTICATED in principals) or not principals.isdisjoint(project.grants)
