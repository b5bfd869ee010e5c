"""Roles for e-mail addresses that nobody has signed in with yet, and how they become an account's."""

import logging

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import NotFound, Rejected, Unavailable
from warehouse14.domain.model import Action, Project, Role
from warehouse14.domain.names import (
    AccountName,
    Principal,
    ProjectName,
    account_name,
    account_principal,
    invitation_principal,
    invited_address,
    principal_account,
)
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.holding import has_signed_out, hold_account
from warehouse14.domain.services.working import ROLES, attempt, entry, live_project

_log = logging.getLogger(__name__)

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

    Each is a change of its own. What cannot be changed now is logged, and keeps nobody out: the next sign-in
    with a password, or through a provider that vouches for the address, finds the rest.
    """
    _take_up_all(units, now, identity, email, account or identity.account)


def take_up_rest(units: Units, now: Now, identity: Identity) -> None:
    """Take up what is left of the invitations to the name of an account. A look is enough where there are
    none: since there is the account, nobody invites its name."""
    _take_up_all(units, now, identity, identity.account or "", identity.account, waits=False)


def _take_up_all(
    units: Units, now: Now, identity: Identity, email: str, owner: AccountName | None, *, waits: bool = True
) -> None:
    """Take up every invitation of an address; ``waits``: also one that is made at this moment."""
    invitation = _invitation_of(email)
    if owner is None or invitation is None:
        return
    try:
        while _take_up_one(units, now, identity, invitation, owner, waits=waits):
            pass
    except Unavailable as error:
        _log.error("what %s is invited to waits: %s", owner, error.in_full, exc_info=error.__cause__)


def _invitation_of(email: str) -> Principal | None:
    """Return whom an invitation of an address is for, or None for one that nobody can have invited."""
    try:
        return invitation_principal(account_name(email)) if "@" in email else None
    except Rejected:
        return None


def _take_up_one(
    units: Units,
    now: Now,
    identity: Identity,
    invitation: Principal,
    account: AccountName,
    *,
    waits: bool,
) -> bool:
    """Take up one invitation, and return whether there may be another."""
    with units.read() as reading:
        expected = _first_project(reading, invitation)
    if expected is None and not waits:
        return False

    def work(unit: UnitOfWork) -> bool:
        if expected is not None:
            # Whoever publishes to it all the time does not come first again and again.
            unit.hold(expected)
        # Whoever invites the address sees the account from now on, or is seen here.
        unit.hold(ROLES)
        # Who closes this way in, or all of them, is seen here, or comes after this.
        hold_account(unit, account)
        if has_signed_out(unit, identity):
            return False
        name = _first_project(unit, invitation)
        if name is None or name != expected:
            return name is not None
        project = live_project(unit, name)
        own = account_principal(account)
        role = max(project.grants[invitation], project.grants.get(own, Role.MEMBER), key=_STRENGTH)
        unit.projects.revoke(name, invitation, expected=project.serial)
        unit.projects.grant(name, own, role, expected=project.serial)
        detail = {"principal": invitation, "role": role.value}
        change = entry(Action.PROJECT_ACCEPT, identity, now, project=name, account=account, detail=detail)
        unit.journal.append(change)
        return True

    return attempt(units, work)


def _first_project(unit: UnitOfWork, invitation: Principal) -> ProjectName | None:
    """Return one of the projects that an address is invited to."""
    found = unit.projects.visible(frozenset({invitation}))
    return found[0].name if found else None
