"""Units of work: what is read together, and what is changed together or not at all."""

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token
from warehouse14.domain.ports.records import (
    Accounts,
    Attempts,
    Files,
    Groups,
    Journal,
    Logins,
    Projects,
    Sessions,
    Tokens,
)


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
    nobody else writes to; what it puts is seen when its ``with`` block has ended, or never.

    Whoever puts much does it in many of these, which together are a run. A run has a number, by which it sees
    that another has begun since. One that was killed leaves nothing locked for ever; but a store may keep its
    journal where it is for some minutes more, and nobody else changes anything in these.
    """

    def serial(self) -> int:
        """Return the serial of the newest entry here, and let nobody add another before the end."""

    def begin(self) -> int:
        """Return the number of a run that begins here, higher than that of any before."""

    def run(self) -> int:
        """Return the number of the run that began last, 0 for none, and let no other begin before the
        end."""

    def people(
        self,
        accounts: Sequence[Account],
        groups: Sequence[Group],
        logins: Sequence[Login],
        tokens: Sequence[Token],
    ) -> None:
        """Put them in the place of all groups' members, logins and tokens that are here, and of the accounts
        and groups of these names. Every session here ends: who ended one elsewhere is not known."""

    def project(self, project: Project, files: Sequence[File]) -> None:
        """Put a project, its grants and its files. Raises ``Conflict`` if it has a higher serial here: what
        is here is newer."""

    def journal(self, changes: Sequence[Change]) -> None:
        """Add entries, in order, under the serials that they have: the first is the next one here."""


@runtime_checkable
class Restores(Protocol):
    """What a metadata store may be able to do beside: take what another knows."""

    def restoring(self) -> AbstractContextManager[Restoration]:
        """Return what commits at the end of its ``with`` block, or not at all."""


@runtime_checkable
class Settles(Protocol):
    """What a metadata store is beside that shows a commit part by part, when it is made.

    Attributes:
        settle_seconds: how long that may take.
    """

    settle_seconds: float


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
