"""Service accounts: they belong to a project or a group, and to no person, and nobody signs in as one.

``KINDS`` says what they can belong to, and is all that another kind needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse14.domain.access import Identity, Permission
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.followed import group_tag, project_tag
from warehouse14.domain.model import Account, Role
from warehouse14.domain.names import (
    AccountName,
    GroupName,
    ProjectName,
    account_principal,
    group_name,
    is_service_name,
    project_name,
    service_name,
)
from warehouse14.domain.ports import Now, UnitOfWork
from warehouse14.domain.services.working import live_project, managed_group, permitted_project


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that service accounts can belong to.

    Attributes:
        spelled: returns a name of this kind in its one spelling, or raises ``Rejected``.
        permit: raises ``NotFound`` or ``Forbidden`` unless an identity manages what has the name.
        is_there: whether there is something of the name.
        tag: returns the tag of what was made from it.
        groups: returns the groups of this site that its service account is in.
        entitle: gives the service account the role that it lacks, and returns the project that this changed.
    """

    spelled: Callable[[str], str]
    permit: Callable[[UnitOfWork, Identity, str], object]
    is_there: Callable[[UnitOfWork, str], bool]
    tag: Callable[[str], str]
    groups: Callable[[str], Sequence[GroupName]]
    entitle: Callable[[UnitOfWork, str, AccountName], ProjectName | None]


def _manages_project(unit: UnitOfWork, identity: Identity, name: str) -> object:
    return permitted_project(unit, identity, Permission.MANAGE, ProjectName(name))


def _has_project(unit: UnitOfWork, name: str) -> bool:
    project = unit.projects.get(ProjectName(name))
    return project is not None and project.deleted_at is None


def _make_admin(unit: UnitOfWork, name: str, account: AccountName) -> ProjectName | None:
    project, who = live_project(unit, ProjectName(name)), account_principal(account)
    if who in project.grants:
        return None
    unit.projects.grant(project.name, who, Role.ADMIN, expected=project.serial)
    return project.name


def _manages_group(unit: UnitOfWork, identity: Identity, name: str) -> object:
    return managed_group(unit, identity, GroupName(name))


def _has_group(unit: UnitOfWork, name: str) -> bool:
    group = unit.groups.get(GroupName(name))
    return group is not None and group.deleted_at is None


KINDS: Mapping[str, Kind] = {
    "project": Kind(
        spelled=lambda raw: project_name(raw, field="service"),
        permit=_manages_project,
        is_there=_has_project,
        tag=lambda name: project_tag(ProjectName(name)),
        groups=lambda _: (),
        entitle=_make_admin,
    ),
    "group": Kind(
        spelled=lambda raw: group_name(raw, field="service"),
        permit=_manages_group,
        is_there=_has_group,
        tag=lambda name: group_tag(GroupName(name)),
        groups=lambda name: (GroupName(name),),
        # It has the roles of its group.
        entitle=lambda unit, name, account: None,  # noqa: ARG005
    ),
}


def service_account(raw: str) -> AccountName:
    """Return the name of the service account that ``raw`` (``project:NAME``) names, or raise ``Rejected``."""
    kind, _, name = raw.partition(":")
    if kind not in KINDS:
        wanted = " or ".join(f"{known}:NAME" for known in KINDS)
        raise Rejected(
            f"service: {raw[:60]!a} can have no service account on this site. Write {wanted}.",
            field="service",
        )
    return service_name(kind, KINDS[kind].spelled(name))


def require_manager(unit: UnitOfWork, identity: Identity, account: AccountName) -> None:
    """Raise ``NotFound`` or ``Forbidden`` unless ``identity`` may manage the tokens of a service account:
    in person, never with a token."""
    kind, name = _of(account)
    if identity.is_operator:
        return
    kind.permit(unit, identity, name)
    if identity.token is not None:
        raise Forbidden("Service tokens are managed by people alone, after signing in.")


def is_there(unit: UnitOfWork, account: AccountName) -> bool:
    """Whether there still is what a service account belongs to."""
    kind, name = _of(account)
    return kind.is_there(unit, name)


def ready_account(unit: UnitOfWork, account: AccountName, now: Now) -> tuple[Account, ProjectName | None]:
    """Return a service account, made if it is not there, and the project that this changed, if it did.

    Raises ``NotFound`` if there is nothing any more that it belongs to.
    """
    kind, name = _of(account)
    if not kind.is_there(unit, name):
        raise NotFound(account.partition(":")[0], name)
    found = unit.accounts.get(account)
    if found is None:
        found = Account(account, administrator=False, created_at=now())
        unit.accounts.add(found)
    return found, kind.entitle(unit, name, account)


def groups_of_account(unit: UnitOfWork, account: Account) -> Sequence[GroupName]:
    """Return the groups of this site that an account is in, or the one that a service account belongs to."""
    return service_groups(account.name) if account.is_service else unit.groups.of(account.name)


def service_groups(account: AccountName) -> Sequence[GroupName]:
    """Return the groups of this site that a service account is in."""
    kind, name = _of(account)
    return kind.groups(name)


def group_served(account: AccountName) -> GroupName | None:
    """Return the group of this site that an account is the service account of, or None for any other."""
    groups = service_groups(account) if is_service_name(account) else ()
    return next(iter(groups), None)


def project_served(account: AccountName) -> ProjectName | None:
    """Return the project that an account is the service account of, or None for any other."""
    kind, _, name = account.partition(":")
    return ProjectName(name) if kind == "project" and name else None


def service_tag(account: AccountName) -> str:
    """Return the tag of what was made from what a service account belongs to."""
    kind, name = _of(account)
    return kind.tag(name)


def _of(account: AccountName) -> tuple[Kind, str]:
    kind, _, name = account.partition(":")
    return KINDS[kind], name
