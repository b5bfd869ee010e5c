"""Who may do what: the only policy table.

Services enforce it, and the ACLs of the web are a projection of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from warehouse14.domain.model import Account, Group, Looked, Project, Reach, Role, Scope
from warehouse14.domain.names import (
    AUTHENTICATED,
    OPERATOR,
    AccountName,
    GroupName,
    Principal,
    ProjectName,
    ProviderName,
    account_principal,
    group_principal,
    group_provider,
    is_service_name,
    principal_account,
)
from warehouse14.domain.vouching import holds_until, still


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
    ``session`` say how it signed in; ``looking`` is what an administrator looks into;
    ``creator`` is whether the site lets it take new project names."""

    account: AccountName | None
    principals: frozenset[Principal]
    administrator: bool = False
    token: TokenLimits | None = None
    session: str | None = None
    looking: frozenset[Looked] = frozenset()
    origin: str = ""
    creator: bool = True

    @property
    def name(self) -> str:
        """The name that the journal keeps."""
        return self.account or OPERATOR

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
    creator: bool = True,
    groups: frozenset[Principal] = frozenset(),
    token: TokenLimits | None = None,
    session: str | None = None,
    looking: frozenset[Looked] = frozenset(),
    origin: str = "",
) -> Identity:
    """Return the identity of an account, held back by ``token`` if one was used."""
    return Identity(
        account=account,
        principals=groups | {AUTHENTICATED, account_principal(account)},
        administrator=administrator,
        creator=creator,
        token=token,
        session=session,
        looking=looking if administrator else frozenset(),
        origin=origin,
    )


def vouched_groups(account: Account) -> frozenset[Principal]:
    """Return the groups into which identity providers have put an account."""
    return account.vouched.groups if account.vouched else frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """An account with all that it is to a site.

    Attributes:
        account: the account, an administrator if the site's settings say so.
        groups: the principals of the groups that it is in.
        creator: whether it may take new project names.
        until: until when all of its groups count, or None for as long as nothing changes.
    """

    account: Account
    groups: frozenset[Principal]
    creator: bool
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether all of it still counts."""
        return self.until is None or now <= self.until

    def identity(
        self,
        *,
        token: TokenLimits | None = None,
        session: str | None = None,
        looking: frozenset[Looked] = frozenset(),
        origin: str = "",
    ) -> Identity:
        """Return who acts with this account."""
        return account_identity(
            self.account.name,
            administrator=self.account.administrator,
            creator=self.creator,
            groups=self.groups,
            token=token,
            session=session,
            looking=looking,
            origin=origin,
        )


@dataclass(frozen=True, slots=True)
class SiteRules:
    """What the settings of a site say of its people.

    Attributes:
        creators: who may take new project names; everybody if it is empty.
        administrators: the accounts that are administrators, beside those that are marked as such.
        providers: the identity providers of the site, whose groups count; None for all.
        passwords: whether people sign in with passwords of the site.
        reverify: how long a person's tokens count after their last sign-in, and groups at a provider after
            the last one there; None for any time.
    """

    creators: frozenset[Principal] = frozenset()
    administrators: frozenset[AccountName] = frozenset()
    providers: frozenset[ProviderName] | None = None
    passwords: bool = True
    reverify: timedelta | None = None

    def ranked(self, account: Account) -> Account:
        """Return the account with the rank that it has here."""
        return replace(account, administrator=True) if account.name in self.administrators else account

    def standing(self, account: Account, ours: Iterable[GroupName], now: datetime) -> Standing:
        """Return what an account is here that is in these groups of the site."""
        vouched = account.vouched and still(account.vouched, now, self.reverify)
        account = replace(account, vouched=vouched)
        until = None if vouched is None else holds_until(vouched, self.reverify)
        theirs = (who for who in vouched_groups(account) if self.counts(who))
        groups = frozenset({*theirs, *map(group_principal, ours)})
        names = groups | {AUTHENTICATED, account_principal(account.name)}
        return Standing(
            self.ranked(account), groups, not self.creators or not names.isdisjoint(self.creators), until
        )

    def counts(self, group: Principal) -> bool:
        """Whether a group at a provider is of one that the site still has."""
        return self.providers is None or group_provider(group) in self.providers

    def names(self, who: Principal) -> bool:
        """Whether the settings themselves give something to ``who``: to create projects, or to administer."""
        return who in self.creators or principal_account(who) in self.administrators


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
    if project.name in identity.looking and permission in GRANTS[Role.ADMIN]:
        return True
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
    if permission is Permission.CREATE:
        return identity.creator
    return identity.administrator if permission is Permission.ADMINISTER else True


def allows_new(identity: Identity, name: ProjectName) -> bool:
    """Whether ``identity`` may take the new project name ``name``; a service account takes none."""
    if identity.is_operator:
        return True
    reach = Reach() if identity.token is None else identity.token.reach
    # A token for one project is for one that is there.
    return (
        identity.creator
        and not identity.is_service
        and reach.project is None
        and token_allows(identity, Permission.CREATE, name)
    )


def sees_group(identity: Identity, group: Group) -> bool:
    """Whether ``identity`` may know who is in ``group``; no token may."""
    if identity.is_operator:
        return True
    return identity.token is None and (identity.administrator or identity.account in group.members)


def manages_group(identity: Identity, group: Group) -> bool:
    """Whether ``identity`` may change who is in ``group``, and delete it."""
    if identity.is_operator:
        return True
    if identity.token is not None or identity.account is None:
        return False
    return group.members.get(identity.account, False) or group.principal in identity.looking


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why somebody has access to a project: the role of ``through``, which is the account itself,
    a group that it is in, or ``authenticated`` for a public project."""

    through: Principal
    role: Role


def reasons(identity: Identity, project: Project) -> list[Reason]:
    """Return why ``identity`` has its access to ``project``: its strongest roles first, and of two that are
    equal its own before those of groups."""
    held = [Reason(who, project.grants[who]) for who in identity.principals & project.grants.keys()]
    held.sort(key=lambda reason: (reason.role, not reason.through.startswith("account:"), reason.through))
    if project.public and AUTHENTICATED in identity.principals - project.grants.keys():
        held.append(Reason(AUTHENTICATED, Role.MEMBER))
    return held
