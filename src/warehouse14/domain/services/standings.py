"""What accounts are to a site: kept between requests as long as nothing of theirs changes, or as of now."""

from warehouse14.domain.access import Identity, SiteRules, Standing
from warehouse14.domain.errors import Forbidden
from warehouse14.domain.followed import FollowedCache, account_tag, group_tag
from warehouse14.domain.model import Account
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.belonging import groups_of_account, is_there
from warehouse14.domain.services.holding import has_signed_out, hold_account

#: About what a standing takes in memory, in bytes.
_SIZE = 2000


class Standings:
    """Tells what an account is to a site: its rank and its groups."""

    def __init__(self, units: Units, cache: FollowedCache, rules: SiteRules, now: Now) -> None:
        self._units = units
        self._cache = cache
        self._rules = rules
        self._now = now

    def follow(self) -> None:
        """Drop what has changed since the last time. Raises ``Unavailable``."""
        self._cache.follow()

    def of(self, name: AccountName) -> Standing | None:
        """Return the standing of a person's account, a disabled one too, or None if there is none."""
        key = ("standing", name)
        known: Standing | None = self._cache.get(key)
        return known if known and known.holds(self._now()) else self._look_up(key, name)

    def _look_up(self, key: tuple[str, str], name: AccountName) -> Standing | None:
        with self._units.read() as unit:
            serial = unit.journal.serial()
            account = unit.accounts.get(name)
            ours = unit.groups.of(name)
        if account is None:
            return None
        standing = self._rules.standing(account, ours, self._now())
        tags = [account_tag(name), *map(group_tag, ours)]
        self._cache.put(key, standing, size=_SIZE, tags=tags, serial=serial)
        return standing


def as_of_now(unit: UnitOfWork, identity: Identity, rules: SiteRules, now: Now) -> Identity:
    """Return ``identity`` with the rank and the groups that it has now, and its limits as they were: what it
    does may outlast them. Raises ``Forbidden`` for an account that may not act any more, and for a token or a
    session that has ended."""
    if identity.account is None:
        return identity
    account = unit.accounts.get(identity.account)
    if account is None or not _may_act(unit, account):
        raise Forbidden(f"{identity.name} may do nothing on this site any more.")
    if _has_ended(unit, identity, now):
        raise Forbidden(
            f"{identity.name} may do nothing in this way any more: sign in again, or use another token."
        )
    standing = rules.standing(account, groups_of_account(unit, account), now())
    return standing.identity(
        token=identity.token, session=identity.session, looking=identity.looking, origin=identity.origin
    )


def _may_act(unit: UnitOfWork, account: Account) -> bool:
    """Whether an account may act: a service's not without what it belongs to."""
    return account.may_act and (not account.is_service or is_there(unit, account.name))


def _has_ended(unit: UnitOfWork, identity: Identity, now: Now) -> bool:
    """Whether the token or the session has ended by which somebody came."""
    if identity.token is not None:
        token = unit.tokens.get(identity.token.id)
        return token is None or token.is_over(now())
    return has_signed_out(unit, identity)


def hold_for(unit: UnitOfWork, identity: Identity, rules: SiteRules, now: Now, *names: str) -> Identity:
    """Hold ``names``, and after them the account that acts; return ``identity`` as it is then.

    What it may do by now nobody takes away before the unit ends: not the roles and groups, if ``ROLES`` is
    one of the names, and not the account itself. Raises as :func:`as_of_now` does.
    """
    for name in names:
        unit.hold(name)
    if identity.account is not None:
        hold_account(unit, identity.account)
    return as_of_now(unit, identity, rules, now)
