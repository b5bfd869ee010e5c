"""What the domain needs from outside. Adapters implement it; nothing here has code.

Every method may raise ``Unavailable``, with the engine's own error as its
cause, when the engine does not answer; after that nothing was changed.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, runtime_checkable

from warehouse14.domain.arrivals import Arrival, Departure, Ending
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

#: Returns the time, aware, in UTC.
Now = Callable[[], datetime]


#: See ``Projects.search``.
MOST_COUNTED = 1000


# -- bytes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Blob:
    """What a file store knows about one key. ``size`` is in bytes."""

    key: str
    size: int
    modified: datetime


class Staged(Protocol):
    """A blob on its way in, seen by nobody else."""

    def write(self, data: bytes) -> None:
        """Append ``data``."""

    def reader(self) -> BinaryIO:
        """Return what was written, seekable, from its first byte."""

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob of its own key, to be there when ``commit`` has made this one."""

    def commit(self, key: str) -> None:
        """Make it the blob ``key``, durably; after that it takes no more. A key that exists keeps its
        bytes and is young again."""


@runtime_checkable
class FileStore(Protocol):
    """Blobs under keys. They are immutable; a key is made of ``/``-separated names."""

    def stage(self) -> AbstractContextManager[Staged]:
        """Return a place to write to. What is not committed in the ``with`` block is gone after it."""

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob, all or nothing, durably. A key that exists keeps its bytes and is
        young again."""

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob's bytes from offset ``start`` on. Raises ``NotFound``."""

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``, or None if there is no such blob."""

    def delete(self, key: str) -> None:
        """Remove ``key``; one that is not there is fine."""

    def keys(self) -> Iterator[Blob]:
        """Return every blob, in any order."""

    def leftovers(self, before: datetime) -> Iterator[str]:
        """Return names for what staging has left behind, last touched before ``before``."""

    def sweep(self, leftover: str) -> None:
        """Remove one leftover; one that is not there is fine."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the bytes of a blob are to be had without passing through this program.

    Attributes:
        address: good for whoever has it, for a while; or a path.
        internal: whether it is a path at the server in front, which sends the bytes in the place of this
            program.
    """

    address: str
    internal: bool


@runtime_checkable
class HandsOver(Protocol):
    """What a file store may be able to do beside: let others send its blobs."""

    def elsewhere(self, key: str, *, filename: str) -> Elsewhere | None:
        """Return where the bytes of ``key`` are to be had, for a file that whoever saves it calls
        ``filename``; None if they are not. It does not look whether there are any."""


# -- what is known --------------------------------------------------------------------


class Projects(Protocol):
    """Projects and the roles on them. Deleted ones stay: their names are taken."""

    def get(self, name: ProjectName) -> Project | None:
        """Return the project with its grants, a deleted one too, or None."""

    def visible(self, principals: frozenset[Principal] | None) -> Sequence[ProjectSummary]:
        """Return the projects that are not deleted, by name: those that are public or granted
        to one of ``principals``; all of them for None."""

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


class UnitOfWork(Protocol):
    """What one use case reads and writes, all at one moment or not at all.

    Reads see what was committed before; a unit never sees its own writes. A
    write that lost a race raises ``Conflict``, at the call or at the end.
    """

    @property
    def projects(self) -> Projects:
        """The projects."""

    @property
    def files(self) -> Files:
        """Their files."""

    @property
    def accounts(self) -> Accounts:
        """The accounts."""

    @property
    def groups(self) -> Groups:
        """The groups."""

    @property
    def logins(self) -> Logins:
        """The logins."""

    @property
    def tokens(self) -> Tokens:
        """The tokens."""

    @property
    def sessions(self) -> Sessions:
        """The sessions."""

    @property
    def attempts(self) -> Attempts:
        """The failures."""

    @property
    def journal(self) -> Journal:
        """The journal."""

    def hold(self, name: str) -> None:
        """Let no other unit hold ``name`` until this one ends: a project's, whether it is there or not, or
        one with a colon.

        For a unit that writes, before it reads: what it reads then is no older. It is for decisions
        on what the unit itself does not write: who looks at a project's blobs and then lists or
        deletes them must not be passed by another who does.
        Raises ``Unavailable`` when another holds it too long.
        """


class Restoration(Protocol):
    """Puts what another store knows, as it was there, in the place of what is here. It is for a store that
    nobody else writes to; what it puts is seen when its ``with`` block has ended, or never."""

    def people(
        self,
        accounts: Sequence[Account],
        groups: Sequence[Group],
        logins: Sequence[Login],
        tokens: Sequence[Token],
    ) -> None:
        """Put them in the place of all groups' members, logins and tokens that are here, and of the accounts
        and groups of these names."""

    def project(self, project: Project, files: Sequence[File]) -> None:
        """Put a project, its grants and its files."""

    def journal(self, changes: Sequence[Change]) -> None:
        """Add entries, in order, under the serials that they have: the first is the next one here."""


@runtime_checkable
class Restores(Protocol):
    """What a metadata store may be able to do beside: take what another knows."""

    def restoring(self) -> AbstractContextManager[Restoration]:
        """Return what commits at the end of its ``with`` block, or not at all."""


@runtime_checkable
class Units(Protocol):
    """Opens units of work on one metadata store."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """Return a unit that sees one moment and writes nothing."""

    def write(self) -> AbstractContextManager[UnitOfWork]:
        """Return a unit that commits at the end of its ``with`` block, or not at all."""

    def pulse(self) -> Hashable:
        """Return a value that, compared with the last one in the same thread, is equal only if
        nothing was committed between. It must be cheap: it is asked at every request."""


# -- people at a browser ----------------------------------------------------------------


@runtime_checkable
class SignIn(Protocol):
    """One identity provider, to which a browser goes and from which it comes back.

    Raises ``Unavailable`` when the provider does not answer as it must, and
    ``SignInFailed`` when it does and the person is not signed in. None of it
    holds many threads for long, however slow the provider is.
    """

    @property
    def title(self) -> str:
        """What people call the provider."""

    @property
    def origins(self) -> Sequence[str]:
        """The origins that a form may lead to, by way of a redirect, for the pages' security policy."""

    def warm_up(self) -> None:
        """Get ready soon, without waiting for it."""

    def issuer(self) -> str:
        """Return the provider as its tokens name it, to the letter: it is asked."""

    def begin(self, answer_to: str) -> Departure:
        """Return where the browser goes. The provider answers to the address ``answer_to``."""

    def finish(
        self, answer: Mapping[str, str], *, state: str, kept: Mapping[str, str], answer_to: str
    ) -> Arrival:
        """Return who has come back.

        Args:
            answer: the parameters that the browser brought.
            state, kept: those of the departure.
            answer_to: the address that the provider answered to.
        """

    def farewell(self, id_token: str | None, back_to: str) -> str | None:
        """Return where the browser goes to end its session there too, and comes back from to the
        address ``back_to``; None if the provider has no such place. It is asked only as long as
        nothing is known of it."""

    def ending(self, message: str) -> Ending:
        """Return what a message from the provider says has ended."""


@runtime_checkable
class Prepared(Protocol):
    """What every adapter can do about its own ground: tables, folders, buckets."""

    def prepare(self) -> None:
        """Make or upgrade what is missing. Safe to run again. Raises ``Misconfigured``."""

    def verify(self) -> None:
        """Raise ``Misconfigured``, in one line that says what to do, unless all is as it must be."""

    def close(self) -> None:
        """Let go of connections and files."""
