"""Recognizing tokens, at every request: whose they are, whether they count, and when they were used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from warehouse14.domain.access import Identity, SiteRules, Standing, TokenLimits
from warehouse14.domain.credentials import TokenSecret, parse_token, token_matches
from warehouse14.domain.errors import SignInNeeded, Unauthenticated
from warehouse14.domain.followed import FollowedCache, account_tag, group_tag, token_tag
from warehouse14.domain.model import Account, Token
from warehouse14.domain.origins import Network, comes_from, networks, program
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.belonging import groups_of_account, is_there, service_tag
from warehouse14.domain.services.throttle import Throttle, token_limits
from warehouse14.domain.services.working import Later

#: The last use of a token is noted at most this often.
USE_INTERVAL = timedelta(minutes=10)

#: About what a known token takes in memory, in bytes.
_KNOWN_SIZE = 2000
_ORIGIN_LENGTH = 200

_REFUSED = "The token is unknown, revoked or expired, or its account is disabled."


@dataclass(slots=True)
class _Known:
    """A token with its account, as the cache keeps it."""

    token: Token
    standing: Standing
    networks: Sequence[Network]
    noted_at: datetime | None

    @property
    def account(self) -> Account:
        """Whose token it is."""
        return self.standing.account

    def counts(self, secret: TokenSecret, origin: str, now: datetime) -> bool:
        """Whether ``secret`` is the token, and it may be used now and from there."""
        return token_matches(secret, self.token.secret_sha256) and self.may_be_used(origin, now)

    def may_be_used(self, origin: str, now: datetime) -> bool:
        """Whether whoever has the token may use it now and from there."""
        return (
            not self.token.is_over(now)
            and self.account.may_act
            and (not self.networks or comes_from(origin, self.networks))
        )


class Recognition:
    """Tells whose a token is."""

    def __init__(
        self,
        units: Units,
        cache: FollowedCache,
        now: Now,
        later: Later,
        rules: SiteRules,
    ) -> None:
        self._units = units
        self._rules = rules
        self._cache = cache
        self._now = now
        self._later = later
        self._throttle = Throttle(units, now)

    def identify(self, text: str, *, origin: str, agent: str, follow: bool) -> Identity:
        """See :meth:`TokenService.identify`."""
        secret = parse_token(text)
        if follow:
            self._cache.follow()
        known = None if secret is None else self._known(secret.id)
        now = self._now()
        if secret is None or known is None or not known.counts(secret, origin, now):
            self._count_failure(origin)
            raise Unauthenticated(_REFUSED)
        self._require_seen(known.account, now)
        self._note_use(known, now, origin, agent)
        return _identity(known, origin)

    def identify_again(self, token: str, *, origin: str) -> Identity:
        """See :meth:`TokenService.identify_again`."""
        self._cache.follow()
        known, now = self._known(token), self._now()
        if known is None or not known.may_be_used(origin, now):
            raise Unauthenticated(_REFUSED)
        self._require_seen(known.account, now)
        return _identity(known, origin)

    def _require_seen(self, account: Account, now: datetime) -> None:
        if self._rules.reverify is None or account.is_service:
            return
        if now - account.seen_in_person_at > self._rules.reverify:
            raise SignInNeeded

    def _count_failure(self, origin: str) -> None:
        """Count a refusal, which nobody waits for. Raises ``TooManyAttempts`` after too many from there."""
        if origin:
            of = token_limits(origin)
            self._throttle.check(of)
            self._later(partial(self._throttle.fail, of))

    def _known(self, token: str) -> _Known | None:
        key = ("token", token)
        known: _Known | None = self._cache.get(key)
        return known if known and known.standing.holds(self._now()) else self._look_up(key, token)

    def _look_up(self, key: tuple[str, str], token: str) -> _Known | None:
        with self._units.read() as unit:
            serial = self._cache.serial(unit)
            found = unit.tokens.get(token)
            account = None if found is None else _account_of(unit, found)
            ours = [] if account is None else groups_of_account(unit, account)
        if found is None or account is None:
            return None
        standing = self._rules.standing(account, ours, self._now())
        known = _Known(found, standing, networks(found.addresses), found.last_used_at)
        tags = [token_tag(token), account_tag(account.name), *map(group_tag, ours)]
        if account.is_service:
            tags.append(service_tag(account.name))
        self._cache.put(key, known, size=_KNOWN_SIZE, tags=tags, serial=serial)
        return known

    def _note_use(self, known: _Known, now: datetime, origin: str, agent: str) -> None:
        if known.noted_at is not None and now - known.noted_at <= USE_INTERVAL:
            return
        known.noted_at = now
        self._later(lambda: self._touch(known.token.id, now, origin[:_ORIGIN_LENGTH], program(agent)))

    def _touch(self, token: str, at: datetime, origin: str, agent: str) -> None:
        with self._units.write() as unit:
            unit.tokens.touch(token, at, unless_since=at - USE_INTERVAL, origin=origin, agent=agent)


def _account_of(unit: UnitOfWork, token: Token) -> Account | None:
    """Return the account of a token; None for a service whose project is gone."""
    account = unit.accounts.get(token.account)
    if account is None or not account.is_service:
        return account
    return account if is_there(unit, account.name) else None


def _identity(known: _Known, origin: str) -> Identity:
    token = known.token
    limits = TokenLimits(token.id, token.scopes, token.reach, token.expires_at)
    return known.standing.identity(token=limits, origin=origin)
