"""The values of the domain: frozen, slotted, and free of behaviour that needs a port."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from packaging.version import Version

from warehouse14.domain.blobkeys import METADATA, SIDECAR
from warehouse14.domain.names import (
    AccountName,
    FileName,
    GroupName,
    Principal,
    ProjectName,
    ProviderName,
    group_principal,
    invited_address,
    is_service_name,
    is_service_principal,
)

_SEPARATORS = re.compile(r"(?<=[a-z0-9])[-_.]+(?=[a-z0-9])")

#: What an administrator looks into: a project by its name, or a group by its principal.
Looked = ProjectName | Principal


class Role(StrEnum):
    """What a grant gives on one project."""

    MEMBER = "member"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may do with the roles of its account. Each of the others includes ``read``."""

    READ = "read"
    UPLOAD = "upload"
    YANK = "yank"
    MANAGE = "manage"


def in_order(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return ``scopes``, each once, in the order in which they are kept and shown."""
    wanted = set(scopes)
    return tuple(scope for scope in Scope if scope in wanted)


class Action(StrEnum):
    """What a journal entry says happened."""

    PROJECT_CREATE = "project.create"
    PROJECT_PUBLIC = "project.public"
    PROJECT_PRIVATE = "project.private"
    PROJECT_GRANT = "project.grant"
    PROJECT_INVITE = "project.invite"
    PROJECT_ACCEPT = "project.accept"
    PROJECT_REVOKE = "project.revoke"
    PROJECT_DELETE = "project.delete"
    PROJECT_LOOK = "project.look"
    FILE_UPLOAD = "file.upload"
    FILE_YANK = "file.yank"
    FILE_UNYANK = "file.unyank"
    FILE_DELETE = "file.delete"
    ACCOUNT_ADD = "account.add"
    ACCOUNT_PASSWORD = "account.password"
    ACCOUNT_DISABLE = "account.disable"
    ACCOUNT_ENABLE = "account.enable"
    ACCOUNT_PROMOTE = "account.promote"
    ACCOUNT_DEMOTE = "account.demote"
    ACCOUNT_JOIN = "account.join"
    ACCOUNT_PART = "account.part"
    ACCOUNT_KEEP_OUT = "account.keep-out"
    TOKEN_MINT = "token.mint"
    TOKEN_REVOKE = "token.revoke"
    TOKEN_ROTATE = "token.rotate"
    SESSION_START = "session.start"
    SESSION_END = "session.end"
    GROUP_CREATE = "group.create"
    GROUP_ADD = "group.add"
    GROUP_REMOVE = "group.remove"
    GROUP_DELETE = "group.delete"
    GROUP_LOOK = "group.look"


class FileType(StrEnum):
    """The two kinds of file that an index takes (PEP 527)."""

    SDIST = "sdist"
    WHEEL = "bdist_wheel"


@dataclass(frozen=True, slots=True)
class Latest:
    """The release that a project shows first: its version, and the summary and time of its first file.

    It is the newest that is not yanked, and a pre-release only where there is nothing else (PEP 440).
    """

    version: str
    summary: str
    at: datetime

    def gives_way_to(self, version: str) -> bool:
        """Whether a release of ``version`` would take its place."""
        return _rank(version) > _rank(self.version)


def _rank(version: str) -> tuple[bool, Version]:
    parsed = Version(version)
    return not parsed.is_prerelease, parsed


@dataclass(frozen=True, slots=True)
class Project:
    """A project and who may use it. ``serial`` is that of its last change; ``latest`` is None as long as
    it has no file."""

    name: ProjectName
    display_name: str
    public: bool
    created_at: datetime
    created_by: str
    grants: Mapping[Principal, Role] = field(default_factory=dict)
    serial: int = 0
    deleted_at: datetime | None = None
    latest: Latest | None = None

    @property
    def admins(self) -> frozenset[Principal]:
        """The principals with the role admin, without service accounts and those who are only invited."""
        return frozenset(
            who for who, role in self.people.items() if role is Role.ADMIN and invited_address(who) is None
        )

    @property
    def people(self) -> Mapping[Principal, Role]:
        """The grants without those of service accounts."""
        return {who: role for who, role in self.grants.items() if not is_service_principal(who)}


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One line of a list of projects."""

    name: ProjectName
    display_name: str
    public: bool
    serial: int


def searched_text(name: ProjectName, display_name: str, latest: Latest | None) -> str:
    """Return what a search looks through: a project's names and its summary, casefolded."""
    return f"{name} {display_name} {latest.summary if latest else ''}".casefold()


def searched_forms(word: str) -> tuple[str, ...]:
    """Return what finds a project if it occurs in its searched text: a word, and as part of a name
    the normalised form of that (PEP 503)."""
    folded = word.casefold()
    return tuple(dict.fromkeys((folded, _SEPARATORS.sub("-", folded))))


def finds(words: Iterable[str], text: str) -> bool:
    """Whether each of ``words`` occurs in a searched text."""
    return all(any(form in text for form in searched_forms(word)) for word in words)


class Order(StrEnum):
    """How found projects are sorted."""

    NAME = "name"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class FoundProject:
    """One project that a search found."""

    name: ProjectName
    display_name: str
    public: bool
    latest: Latest | None


@dataclass(frozen=True, slots=True)
class Yank:
    """A file or release that installers leave alone unless it is pinned (PEP 592)."""

    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class File:
    """One distribution file. ``version`` is normalized (PEP 440); sizes are in bytes."""

    project: ProjectName
    filename: FileName
    version: str
    filetype: FileType
    size: int
    sha256: str
    blake2_256: str
    requires_python: str | None
    summary: str
    metadata_sha256: str | None
    uploaded_at: datetime
    uploaded_by: str
    yank: Yank | None = None
    deleted_at: datetime | None = None

    @property
    def key(self) -> str:
        """The blob's key: project, digest and file name, so that no two uploads can meet."""
        return f"{self.project}/{self.sha256}/{self.filename}"

    @property
    def metadata_key(self) -> str:
        """The key of the core metadata, cut out of the archive (PEP 658)."""
        return f"{self.key}{METADATA}"

    @property
    def sidecar_key(self) -> str:
        """The key of what cannot be read from the archive (who, when, spelled how)."""
        return f"{self.key}{SIDECAR}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all blobs that belong to it."""
        metadata = () if self.metadata_sha256 is None else (self.metadata_key,)
        return (self.key, *metadata, self.sidecar_key)


@dataclass(frozen=True, slots=True)
class Release:
    """All files of one version, deleted ones included, so that an emptied version stays known."""

    version: Version
    files: tuple[File, ...]

    @property
    def listed(self) -> tuple[File, ...]:
        """The files that are there to download."""
        return tuple(file for file in self.files if file.deleted_at is None)

    @property
    def yanked(self) -> bool:
        """Whether it has files and each of them is yanked."""
        return bool(self.listed) and all(file.yank for file in self.listed)


def releases(files: Iterable[File]) -> tuple[Release, ...]:
    """Group ``files`` into releases, the newest version first (PEP 440 order).

    ``1.0`` and ``1.0.0`` are one version, spelled as in the file that comes first.
    """
    grouped: dict[Version, list[File]] = {}
    for file in files:
        grouped.setdefault(Version(file.version), []).append(file)
    found = (Release(version, tuple(group)) for version, group in grouped.items())
    return tuple(sorted(found, key=lambda release: release.version, reverse=True))


def latest_of(files: Iterable[File]) -> Latest | None:
    """Return the latest release of a project with these ``files``, or None if none is left unyanked."""
    there = [file for file in files if file.deleted_at is None]
    whole = [release for release in releases(there) if not release.yanked]
    if not whole:
        return None
    release = max(whole, key=lambda release: _rank(str(release.version)))
    first = min(release.files, key=lambda file: (file.uploaded_at, file.filename))
    return Latest(first.version, first.summary, first.uploaded_at)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, or something, that signs in.

    Attributes:
        password_once: the password opens nothing but the page that replaces it.
        vouched: what the identity providers said at the last sign-in through one, or None.
        signed_in_at: when it signed in last, in whatever way.
    """

    name: AccountName
    administrator: bool
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)
    disabled: bool = False
    password_once: bool = False
    vouched: "Vouched | None" = None
    signed_in_at: datetime | None = None

    @property
    def is_service(self) -> bool:
        """Whether it belongs to a project or a group, and nobody signs in as it."""
        return is_service_name(self.name)

    @property
    def seen_in_person_at(self) -> datetime:
        """When it signed in last, as far as that is known, or was made if it never did."""
        return self.signed_in_at or (self.vouched.at if self.vouched else self.created_at)

    @property
    def may_act(self) -> bool:
        """Whether what it does counts: it is not disabled, and no provider's rules keep it out."""
        return not self.disabled and not (self.vouched and self.vouched.kept_out)


@dataclass(frozen=True, slots=True)
class Vouched:
    """What identity providers say of an account, as of its last sign-in through one of them.

    Attributes:
        at: when that was.
        email: the verified address, or None.
        groups: the principals of its groups there.
        kept_out: the providers by whose rules it may not sign in any more.
        seen: when it signed in last through each of them.
    """

    at: datetime
    email: str | None
    groups: frozenset[Principal]
    kept_out: frozenset[ProviderName] = frozenset()
    seen: Mapping[ProviderName, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of this site. ``members`` says of each account in it whether it is an admin of the group."""

    name: GroupName
    created_at: datetime
    created_by: str
    members: Mapping[AccountName, bool] = field(default_factory=dict)
    deleted_at: datetime | None = None

    @property
    def principal(self) -> Principal:
        """Who a grant to it is for."""
        return group_principal(self.name)


@dataclass(frozen=True, slots=True)
class Login:
    """A person at an identity provider, joined to an account: ``subject`` is who it is to ``issuer``."""

    issuer: str
    subject: str
    provider: ProviderName
    account: AccountName
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """Which projects a token is for: one, those whose names begin with a prefix, or all."""

    project: ProjectName | None = None
    prefix: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether it is for all projects."""
        return self.project is None and self.prefix is None

    def covers(self, name: ProjectName) -> bool:
        """Whether the project ``name`` is one of them."""
        if self.project is not None:
            return name == self.project
        return self.prefix is None or name.startswith(self.prefix)

    def __str__(self) -> str:
        """Return the name or ``PREFIX*``, nothing for all."""
        return self.project or (f"{self.prefix}*" if self.prefix is not None else "")


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret, of which only the SHA-256 is kept.

    Attributes:
        addresses: the address ranges (CIDR) that it may be used from; none for everywhere.
        days: for how many days it was made, or None for no end.
        last_used_from, last_used_by: the address and the program of the last use that was noted.
    """

    id: str
    account: AccountName
    name: str
    scopes: frozenset[Scope]
    reach: Reach
    secret_sha256: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None
    days: int | None = None
    addresses: tuple[str, ...] = ()
    last_used_at: datetime | None = None
    last_used_from: str = ""
    last_used_by: str = ""
    revoked_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it was revoked or has expired."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in. ``id`` is the hex SHA-256 of what its cookie holds; ``agent`` is what
    the browser calls itself; ``begun`` is the session of an identity provider that it came from; ``looks``
    is what an administrator looks into in it, each until when."""

    id: str
    account: AccountName
    created_at: datetime
    seen_at: datetime
    origin: str
    agent: str
    begun: "Begun | None" = None
    looks: Mapping[Looked, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """The session of an identity provider that one of ours began with."""

    provider: ProviderName
    issuer: str
    subject: str
    sid: str | None
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failures:
    """How often something failed lately, and when last."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the journal: what changed, when, who did it, from where.

    Attributes:
        account: the account that it was done to.
        token: the id of the token that it was done to.
        by_token: the id of the token that the actor did it with, or None.
        serial: given by the store at the commit, 0 before.
    """

    action: str
    at: datetime
    actor: str
    origin: str
    project: ProjectName | None = None
    account: AccountName | None = None
    token: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    serial: int = 0
    group: GroupName | None = None
    by_token: str | None = None

    def numbered(self, serial: int) -> "Change":
        """Return this entry with its serial."""
        return replace(self, serial=serial)
