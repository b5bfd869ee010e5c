"""Who may do what: the only policy table.

Services enforce it, and the ACLs of the web are a projection of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from warehouse14.domain.model import Account, Project, Reach, Role, Scope
from warehouse14.domain.names import (
    AUTHENTICATED,
    AccountName,
    Principal,
    ProjectName,
    account_principal,
    is_service_name,
)


class Permission(StrEnum):
    """What can be allowed."""

    #: List a project, see its files, download them.
    READ = "read"
    #: Publish a file.
    UPLOAD = "upload"
    #: Yank and un-yank a file or a release.
    YANK = "yank"
    #: Delete a file, a release or the project.
    DELETE = "delete"
    #: Grant, revoke, and switch between public and private.
    MANAGE = "manage"
    #: Sign in to the site at all: lists, and one's own tokens.
    BROWSE = "browse"
    #: Take a new project name.
    CREATE = "create"
    #: Manage accounts and settings.
    ADMINISTER = "administer"


#: What each role gives on its project.
GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.MEMBER: frozenset({Permission.READ}),
    Role.ADMIN: frozenset(
        {
            Permission.READ,
            Permission.UPLOAD,
            Permission.YANK,
            Permission.DELETE,
            Permission.MANAGE,
        }
    ),
}

#: What every signed-in account may do on a public project.
PUBLIC = frozenset({Permission.READ})

_READING = frozenset({Permission.READ, Permission.BROWSE})

#: What each scope of a token lets through of that; an identity without a token is not held back.
SCOPES: Mapping[Scope, frozenset[Permission]] = {
    Scope.READ: _READING,
    Scope.UPLOAD: _READING | {Permission.UPLOAD, Permission.CREATE},
    Scope.YANK: _READING | {Permission.YANK},
    Scope.MANAGE: _READING | {Permission.DELETE, Permission.MANAGE},
}


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How the token of a request holds its account back, and when it ends."""

    id: str
    scopes: frozenset[Scope]
    reach: Reach = field(default_factory=Reach)
    expires_at: datetime | None = None

    def lets_through(self, permission: Permission) -> bool:
        """Whether one of its scopes gives ``permission``."""
        return any(permission in SCOPES[scope] for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts, and from where. ``account`` is None for the operator of the site; ``token`` or
    ``session`` say how it signed in."""

    account: AccountName | None
    principals: frozenset[Principal]
    administrator: bool = False
    token: TokenLimits | None = None
    session: str | None = None
    origin: str = ""

    @property
    def name(self) -> str:
        """The name that the journal keeps."""
        return self.account or "operator"

    @property
    def is_service(self) -> bool:
        """Whether this is a service account, which belongs to a project or a group."""
        return self.account is not None and is_service_name(self.account)

    @property
    def is_operator(self) -> bool:
        """Whether this is the person at the command line, who holds the data anyway."""
        return self.account is None


def operator(origin: str = "command line") -> Identity:
    """Return the identity of whoever runs commands on the site's own machine."""
    return Identity(account=None, principals=frozenset(), administrator=True, origin=origin)


def account_identity(
    account: AccountName,
    *,
    administrator: bool = False,
    groups: frozenset[Principal] = frozenset(),
    token: TokenLimits | None = None,
    session: str | None = None,
    origin: str = "",
) -> Identity:
    """Return the identity of an account, held back by ``token`` if one was used."""
    return Identity(
        account=account,
        principals=groups | {AUTHENTICATED, account_principal(account)},
        administrator=administrator,
        token=token,
        session=session,
        origin=origin,
    )


def groups_of(account: Account) -> frozenset[Principal]:
    """Return the groups that an account is in."""
    return account.vouched.groups if account.vouched else frozenset()


def token_allows(identity: Identity, permission: Permission, project: ProjectName | None) -> bool:
    """Whether the identity's token, if it has one, lets ``permission`` through."""
    token = identity.token
    if token is None:
        return True
    if not token.lets_through(permission):
        return False
    if token.reach.is_all or permission is Permission.BROWSE:
        return True
    return project is not None and token.reach.covers(project)


def allows(identity: Identity, permission: Permission, project: Project) -> bool:
    """Whether ``identity`` may do ``permission`` on ``project``."""
    if identity.is_operator:
        return True
    if not token_allows(identity, permission, project.name):
        return False
    if project.public and permission in PUBLIC and AUTHENTICATED in identity.principals:
        return True
    return any(
        permission in GRANTS[project.grants[who]] for who in identity.principals & project.grants.keys()
    )


def allows_site(identity: Identity, permission: Permission) -> bool:
    """Whether ``identity`` may do ``permission`` on the site as a whole."""
    if identity.is_operator:
        return True
    if not token_allows(identity, permission, None) or (
        identity.is_service and permission is Permission.CREATE
    ):
        return False
    return identity.administrator if permission is Permission.ADMINISTER else True


def allows_new(identity: Identity, name: ProjectName) -> bool:
    """Whether ``identity`` may take the new project name ``name``; a service account takes none."""
    if identity.is_operator:
        return True
    reach = Reach() if identity.token is None else identity.token.reach
    # A token for one project is for one that is there.
    return (
        not identity.is_service and reach.project is None and token_allows(identity, Permission.CREATE, name)
    )
