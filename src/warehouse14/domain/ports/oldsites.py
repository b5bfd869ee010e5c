"""Where another program kept an index that is to be taken over. Nothing is ever written there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, runtime_checkable

from warehouse14.domain.model import Role


@dataclass(frozen=True, slots=True)
class OldFile:
    """A file of an old site.

    Attributes:
        where: what reports call it, and how it is found there.
        filename: the file's name.
        size: in bytes.
        at: when it was stored there.
        etag: what changes when its bytes do.
        project: the project as the old site spells it, or None if the file's name alone says it.
        sha256: what the old site says that it hashes to, in hex, or None.
    """

    where: str
    filename: str
    size: int
    at: datetime
    etag: str
    project: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class OldProject:
    """A project of an old site: its name as it is spelled there, whether everybody who was signed in read
    it, and the roles of people by what they were called there."""

    name: str
    public: bool
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class Untaken:
    """What cannot be taken over, and why not."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class OldContents:
    """What an old site holds.

    Attributes:
        projects: those that it knows of by themselves, and not by their files alone.
        files: all that can be tried.
        untaken: what can not.
        notes: sentences on what has no counterpart here.
    """

    projects: Sequence[OldProject]
    files: Sequence[OldFile]
    untaken: Sequence[Untaken]
    notes: Sequence[str]


@runtime_checkable
class OldSite(Protocol):
    """An index of another program. Raises ``Misconfigured`` if it is not where it was said to be."""

    @property
    def name(self) -> str:
        """What the journal calls it: its program, and where it is."""

    def contents(self) -> OldContents:
        """Return what it holds now."""

    def open(self, file: OldFile) -> BinaryIO:
        """Return the bytes of a file, from the first on. Opening and reading raise ``Rejected`` if this one
        cannot be read, and ``Unavailable`` if the site does not answer."""
