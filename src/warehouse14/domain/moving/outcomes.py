"""What comes of taking over a site of another program, and how it is wished for."""

from dataclasses import dataclass
from typing import TypeAlias

from warehouse14.domain.access import Identity
from warehouse14.domain.model import Role
from warehouse14.domain.names import AccountName, ProjectName
from warehouse14.domain.ports import Untaken


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a site is to be taken over.

    Attributes:
        account: who files count as uploaded by, and who owns the projects that nobody else can.
        add_accounts: whether people are added who have no account here and whose names are no addresses.
        public: whether projects that were public are public here.
        is_trial: whether nothing is changed.
    """

    account: Identity
    add_accounts: bool = False
    public: bool = False
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class FileTaken:
    """A file that is listed here now, or was already."""

    where: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class ProjectTaken:
    """A project that was made here, and whose it is."""

    name: ProjectName
    owner: AccountName


@dataclass(frozen=True, slots=True)
class RoleTaken:
    """A role that somebody has here now, or was invited to."""

    project: ProjectName
    who: AccountName
    role: Role


@dataclass(frozen=True, slots=True)
class AccountTaken:
    """An account that was added."""

    name: AccountName


@dataclass(frozen=True, slots=True)
class Opened:
    """A project that everybody who is signed in reads now."""

    project: ProjectName


@dataclass(frozen=True, slots=True)
class Noted:
    """A sentence for whoever runs the site."""

    sentence: str


Outcome: TypeAlias = FileTaken | ProjectTaken | RoleTaken | AccountTaken | Opened | Noted | Untaken
