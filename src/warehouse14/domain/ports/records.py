"""What is known, by kind: each is one side of a unit of work."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from warehouse14.domain.journal import Sought
from warehouse14.domain.model import (
    Account,
    Change,
    Failures,
    File,
    FoundProject,
    Group,
    Latest,
    Login,
    Looked,
    Order,
    Project,
    ProjectSummary,
    Role,
    Session,
    Token,
    Vouched,
    Yank,
)
from warehouse14.domain.names import AccountName, FileName, GroupName, Principal, ProjectName

#: See ``Projects.search``.
MOST_COUNTED = 1000


class Projects(Protocol):
    """Projects and the roles on them. Deleted ones stay: their names are taken."""

    def get(self, name: ProjectName) -> Project | None:
        """Return the project with its grants, a deleted one too, or None."""

    def visible(
        self, principals: frozenset[Principal] | None, *, first: str = "", before: str | None = None
    ) -> Sequence[ProjectSummary]:
        """Return the projects that are not deleted, by name: those that are public or granted
        to one of ``principals``; all of them for None. From the name ``first`` on, up to but without the
        name ``before``, to the end for None."""

    def changed_since(self, serial: int) -> Iterator[Project]:
        """Return the projects whose last change came after the entry ``serial``, with their grants, deleted
        ones too, by name."""

    def create(self, project: Project) -> None:
        """Take a name. Raises ``Conflict`` if it was ever taken."""

    def set_public(self, name: ProjectName, public: bool, *, expected: int) -> None:
        """Open or close it. Raises ``Conflict`` unless its serial is still ``expected``."""

    def search(
        self,
        principals: frozenset[Principal] | None,
        words: Sequence[str],
        *,
        order: Order,
        start: int,
        count: int,
        prefix: str = "",
    ) -> tuple[Sequence[FoundProject], int]:
        """Find among the projects that ``visible`` returns those in whose name or summary each of the
        ``words`` occurs, in any case and in any spelling of a name, and whose name begins with
        ``prefix``.

        Returns ``count`` of them from place ``start`` on, by name, or the newest release first
        and those without one last; and how many there are, counted no further than
        ``MOST_COUNTED`` beyond this page: a count of all would cost more than the page.
        """

    def set_latest(
        self, name: ProjectName, display_name: str, latest: Latest | None, *, expected: int
    ) -> None:
        """Replace the spelling and the latest release. Raises ``Conflict`` unless its serial is still
        ``expected``."""

    def grant(self, name: ProjectName, who: Principal, role: Role, *, expected: int) -> None:
        """Give or change a role. Raises ``Conflict`` unless its serial is still ``expected``."""

    def revoke(self, name: ProjectName, who: Principal, *, expected: int) -> None:
        """Take a role away. Raises ``Conflict`` unless its serial is still ``expected``."""

    def hanging_on(self, who: Principal) -> Sequence[ProjectName]:
        """Return the projects that are not deleted and have their only role admin from ``who``, by name.
        The roles of groups of this site that are deleted, or empty, count for nothing."""

    def delete(self, name: ProjectName, at: datetime, *, expected: int) -> None:
        """Mark it deleted. That is one change, however many files it has: they count as gone with
        it, and their rows stay as they were. Raises ``Conflict`` unless its serial is still
        ``expected`` and it is not deleted."""


class Files(Protocol):
    """The files of all projects. Deleted ones stay: their names are taken."""

    def get(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, a deleted one too, or None."""

    def of(self, project: ProjectName) -> Sequence[File]:
        """Return all files of a project, deleted ones too, by file name."""

    def all(self) -> Iterator[File]:
        """Return every file that is neither deleted itself nor in a deleted project."""

    def add(self, file: File) -> None:
        """List a file. Raises ``Conflict`` of the kind ``file`` if its name was ever taken in this
        project, and of the kind ``project`` if the project is not there or deleted."""

    def set_yank(self, project: ProjectName, filename: FileName, yank: Yank | None) -> None:
        """Yank or un-yank. Raises ``Conflict`` if it is not there or deleted."""

    def delete(self, project: ProjectName, filename: FileName, at: datetime) -> None:
        """Mark it deleted. Raises ``Conflict`` if it is not there or deleted."""


class Accounts(Protocol):
    """Who may sign in."""

    def get(self, name: AccountName) -> Account | None:
        """Return the account, a disabled one too, or None."""

    def all(self) -> Sequence[Account]:
        """Return all accounts, by name."""

    def add(self, account: Account) -> None:
        """Add one. Raises ``Conflict`` if the name is taken."""

    def set_password(self, name: AccountName, password_hash: str, *, once: bool) -> None:
        """Replace the password. Raises ``Conflict`` if there is no such account."""

    def set_disabled(self, name: AccountName, disabled: bool) -> None:
        """Disable or enable. Raises ``Conflict`` if there is no such account."""

    def set_administrator(self, name: AccountName, administrator: bool) -> None:
        """Mark it as an administrator, or no longer. Raises ``Conflict`` if there is no such account."""

    def set_vouched(self, name: AccountName, vouched: Vouched) -> None:
        """Replace what identity providers say of it. Raises ``Conflict`` if there is no such account."""

    def set_signed_in(self, name: AccountName, at: datetime, *, vouched: Vouched | None = None) -> None:
        """Note a sign-in, and what identity providers say if it was through one. Raises ``Conflict`` if
        there is no such account."""


class Groups(Protocol):
    """The groups of this site. Deleted ones stay: their names are taken."""

    def get(self, name: GroupName) -> Group | None:
        """Return the group with its members, a deleted one too, or None."""

    def all(self) -> Sequence[Group]:
        """Return the groups that are not deleted, with their members, by name."""

    def ever(self) -> Sequence[Group]:
        """Return all groups, with their members, deleted ones too, by name."""

    def of(self, account: AccountName) -> Sequence[GroupName]:
        """Return the groups that are not deleted and that an account is in, by name. It is asked whenever
        somebody is identified."""

    def create(self, group: Group) -> None:
        """Take a name, with members that are there. Raises ``Conflict`` of the kind ``group`` if it was
        ever taken, and of the kind ``account`` if there is no such account."""

    def set_member(self, name: GroupName, account: AccountName, admin: bool) -> None:
        """Add an account, or change its rank. Raises ``Conflict`` of the kind ``group`` if there is no such
        group or it is deleted, and of the kind ``account`` if there is no such account."""

    def remove_member(self, name: GroupName, account: AccountName) -> None:
        """Remove an account. Raises ``Conflict`` of the kind ``group`` if there is no such group or it is
        deleted, and of the kind ``member`` if the account is not in it."""

    def delete(self, name: GroupName, at: datetime) -> None:
        """Mark it deleted. Raises ``Conflict`` if there is no such group or it is deleted."""


class Logins(Protocol):
    """People at identity providers, by issuer and subject, and the accounts that they are."""

    def get(self, issuer: str, subject: str) -> Login | None:
        """Return the login, or None."""

    def of(self, account: AccountName) -> Sequence[Login]:
        """Return an account's logins, the oldest first."""

    def add(self, login: Login) -> None:
        """Add one, of an account that is there or is added in the same unit. Raises ``Conflict`` of the
        kind ``login`` if there is one of that issuer and subject."""

    def remove(self, issuer: str, subject: str) -> None:
        """Remove one. Raises ``Conflict`` if it is not there."""


class Tokens(Protocol):
    """API tokens, by their public id."""

    def get(self, token: str) -> Token | None:
        """Return the token, a revoked one too, or None."""

    def of(self, account: AccountName) -> Sequence[Token]:
        """Return an account's tokens, the oldest first, revoked ones too."""

    def ending_of_services(
        self,
        account: AccountName,
        principals: frozenset[Principal],
        *,
        after: datetime,
        until: datetime,
        count: int,
    ) -> Sequence[Token]:
        """Return the tokens of projects on which one of ``principals`` is an admin, and of groups of this
        site of which ``account`` is, none of them deleted, that end after one time and at another at the
        latest and are not revoked: ``count`` of them, the first to end before the others."""

    def add(self, token: Token) -> None:
        """Add one. Raises ``Conflict`` of the kind ``account`` if there is no such account, and of the
        kind ``token`` if the id is taken."""

    def revoke(self, token: str, at: datetime) -> None:
        """End it. Raises ``Conflict`` if there is no such token or it was revoked."""

    def expire(self, token: str, at: datetime) -> None:
        """Let it end at ``at``, which is no later than before. Raises ``Conflict`` if there is no such
        token, it was revoked, or it ends earlier already."""

    def touch(self, token: str, at: datetime, *, unless_since: datetime, origin: str, agent: str) -> None:
        """Note its use at ``at``, from where and by what program, unless one was noted at or after
        ``unless_since``. No journal entry."""


class Sessions(Protocol):
    """Browsers that are signed in. A session that has ended is gone."""

    def get(self, session: str) -> Session | None:
        """Return the session, or None."""

    def of(self, account: AccountName) -> Sequence[Session]:
        """Return an account's sessions, the one that was seen last first."""

    def add(self, session: Session) -> None:
        """Add one. Raises ``Conflict`` of the kind ``account`` if there is no such account, and of the
        kind ``session`` if the id is taken."""

    def touch(self, session: str, at: datetime) -> None:
        """Note that it was seen; one that is not there is fine. No journal entry."""

    def set_looks(self, session: str, looks: Mapping[Looked, datetime]) -> None:
        """Replace what it looks into. Raises ``Conflict`` if it is not there."""

    def end(self, session: str) -> None:
        """End one. Raises ``Conflict`` if it is not there."""

    def end_of(self, account: AccountName, *, but: str | None) -> None:
        """End all of an account but one."""

    def end_begun(self, issuer: str, *, subject: str | None, sid: str | None) -> Sequence[AccountName]:
        """End those that began with the session ``sid`` of a provider, or without one with any session of
        ``subject`` there; return whose they were, each account once, by name."""

    def forget(self, *, created_before: datetime, seen_before: datetime) -> None:
        """Remove those that are over by either time. No journal entry."""


class Attempts(Protocol):
    """Failures under keys that the caller makes up, counted by all processes together. No journal
    entries: a count is tidied away, never history."""

    def of(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        """Return what was counted under each of ``keys``; one without failures is left out."""

    def count(self, key: str, at: datetime, *, since: datetime, expected: int) -> None:
        """Count one more; if the last was before ``since``, it is the first again. Raises ``Conflict``
        unless ``expected`` were counted, by the same rule, before."""

    def take_back(self, key: str, at: datetime, before: datetime) -> None:
        """Count one less, that was counted at ``at``; nothing is fine. If no later one was counted, the
        last is the one at ``before`` again."""

    def clear(self, key: str) -> None:
        """Forget what was counted under ``key``; nothing is fine."""

    def forget(self, before: datetime) -> None:
        """Remove those whose last failure was before ``before``."""


class Journal(Protocol):
    """Every committed change, in order. There is no other place that says that something changed."""

    def append(self, change: Change) -> None:
        """Write the unit's one entry; its project, if it names one, gets the same serial.
        It is the last write of its unit."""

    def serial(self) -> int:
        """Return the serial of the newest entry, 0 for none."""

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """Return the first ``limit`` entries after ``serial``, the oldest first."""

    def found(self, sought: Sought, *, before: int | None, after: int | None, count: int) -> Sequence[Change]:
        """Return ``count`` of the entries that fit, the newest first: those next before the serial
        ``before``, or those next after the serial ``after``, or with neither the newest."""
