"""Roles for e-mail addresses that nobody has signed in with yet, and how they become an account's."""

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.model import Action, Project, Role
from warehouse14.domain.names import (
    AccountName,
    Principal,
    account_name,
    account_principal,
    invitation_principal,
    invited_address,
    principal_account,
)
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import ROLES, attempt, entry

#: Of two roles the later is the stronger.
_STRENGTH = list(Role).index


def invited_instead(unit: UnitOfWork, target: Principal) -> Principal:
    """Return whom a grant to ``target`` is for: an account that is not there, and whose name is an e-mail
    address, is invited, and an address that is the name of an account is that account.

    Raises ``NotFound`` for an account that is not there and is no address.
    """
    name = invited_address(target) or principal_account(target)
    if name is None:
        return target
    if unit.accounts.get(name) is not None:
        return account_principal(name)
    if "@" in name:
        return invitation_principal(name)
    raise NotFound("account", name)


def held_by(project: Project, target: Principal) -> Principal:
    """Return who has the role that ``target`` names: itself, or an invitation of an account's name."""
    name = principal_account(target)
    invitation = target if name is None else invitation_principal(name)
    return target if target in project.grants else invitation


def take_up(
    units: Units, now: Now, identity: Identity, email: str, *, account: AccountName | None = None
) -> None:
    """Give an account, by default that of ``identity``, the roles that its e-mail address was invited to,
    which somebody has vouched for.

    Each is a change of its own: whoever is interrupted finds the rest at the next sign-in. Raises
    ``Unavailable``.
    """
    try:
        address = account_name(email)
    except Rejected:
        # Nobody can have invited it.
        return
    owner = account or identity.account
    while owner is not None and attempt(
        units, lambda unit: _take_up_one(unit, now, identity, address, owner)
    ):
        pass


def _take_up_one(
    unit: UnitOfWork, now: Now, identity: Identity, address: AccountName, account: AccountName
) -> bool:
    """Take up one invitation of an address, and return whether there was one."""
    # Whoever invites the address sees the account from now on, or is seen here.
    unit.hold(ROLES)
    invitation = invitation_principal(address)
    found = unit.projects.visible(frozenset({invitation}))
    project = unit.projects.get(found[0].name) if found else None
    if project is None:
        return False
    own = account_principal(account)
    role = max(project.grants[invitation], project.grants.get(own, Role.MEMBER), key=_STRENGTH)
    unit.projects.revoke(project.name, invitation, expected=project.serial)
    unit.projects.grant(project.name, own, role, expected=project.serial)
    detail = {"principal": invitation, "role": role.value}
    change = entry(Action.PROJECT_ACCEPT, identity, now, project=project.name, account=account, detail=detail)
    unit.journal.append(change)
    return True
