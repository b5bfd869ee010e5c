"""Holding an account, and whether somebody who came by a session of it is signed in still."""

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Forbidden
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import UnitOfWork


def hold_account(unit: UnitOfWork, name: AccountName) -> None:
    """Let no other unit begin a session of an account, end all of them, close a way in, disable it or change
    its rank until this one ends.

    A session rests on a password or a login, and is not to be written after that was taken away and the
    sessions were ended; what an account gives to others, not after it was disabled or lost the rank. It comes
    after every other name that a unit holds.
    """
    unit.hold(held_name(name))


def held_name(name: AccountName) -> str:
    """Return the name by which an account is held."""
    return f"account:{name}"


def has_signed_out(unit: UnitOfWork, identity: Identity) -> bool:
    """Whether somebody came by a session that has ended."""
    return identity.session is not None and unit.sessions.get(identity.session) is None


def require_signed_in(unit: UnitOfWork, identity: Identity) -> None:
    """Raise ``Forbidden`` for somebody who came by a session that has ended."""
    if has_signed_out(unit, identity):
        raise Forbidden("You were signed out meanwhile. Sign in again.")
