"""API tokens: what pip, uv and twine sign in with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse14.domain.access import (
    Identity,
    Permission,
    SiteRules,
    Standing,
    TokenLimits,
    allows,
)
from warehouse14.domain.credentials import TokenSecret, mint_token, parse_token, token_matches
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.followed import FollowedCache, account_tag, group_tag, token_tag
from warehouse14.domain.model import Account, Action, Scope, Token
from warehouse14.domain.names import AccountName, ProjectName, account_name, project_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import enabled_account
from warehouse14.domain.services.working import attempt, entry, live_project

#: Runs something that nobody waits for.
Later = Callable[[Callable[[], None]], None]

#: The last use of a token is noted at most this often.
USE_INTERVAL = timedelta(minutes=10)

DEFAULT_DAYS = 365
MOST_DAYS = 36_500
_NAME_LENGTH = 200
#: About what a known token takes in memory, in bytes.
_KNOWN_SIZE = 2000

_REFUSED = "The token is unknown, revoked or expired, or its account is disabled."


@dataclass(slots=True)
class _Known:
    """A token with its account, as the cache keeps it."""

    token: Token
    standing: Standing
    noted_at: datetime | None


class TokenService:
    """The use cases on tokens."""

    def __init__(self, units: Units, cache: FollowedCache, now: Now, later: Later, rules: SiteRules) -> None:
        self._units = units
        self._rules = rules
        self._cache = cache
        self._now = now
        self._later = later

    def mint(
        self,
        identity: Identity,
        *,
        name: str,
        account: str | None = None,
        scope: Scope = Scope.READ,
        project: str | None = None,
        days: int = DEFAULT_DAYS,
    ) -> TokenSecret:
        """Make a token and return it with its text, which is kept nowhere.

        Args:
            identity: who acts: an account for itself, or the operator for anybody.
            name: what its owner calls it, 1 to 200 characters.
            account: whose token it is; the identity's own if not given.
            scope: ``read``, or ``upload``, which includes it.
            project: the one project that it is for, or None for all.
            days: how long it lasts; 0 for no end.

        Raises:
            Rejected: a value is malformed, or the account is disabled.
            NotFound: there is no such account, or no such project to it.
            Forbidden: the identity may not make a token for this account.
        """
        owner = _own_account(identity, account)
        limit = None if project is None else project_name(project, field="project")
        secret = mint_token()
        token = Token(
            id=secret.id,
            account=owner,
            name=_token_name(name),
            scope=scope,
            project=limit,
            secret_sha256=secret.sha256,
            created_at=self._now(),
            expires_at=self._expiry(days),
        )

        def work(unit: UnitOfWork) -> TokenSecret:
            account = enabled_account(unit, owner)
            if limit is not None:
                self._require_readable(unit, identity, account, limit)
            unit.tokens.add(token)
            unit.journal.append(entry(Action.TOKEN_MINT, identity, self._now, account=owner, token=token.id))
            return secret

        return attempt(self._units, work)

    def listed(self, identity: Identity, account: str | None = None) -> Sequence[Token]:
        """Return an account's tokens, revoked ones too. Raises ``NotFound`` and ``Forbidden``."""
        owner = _own_account(identity, account)
        with self._units.read() as unit:
            if unit.accounts.get(owner) is None:
                raise NotFound("account", owner)
            return unit.tokens.of(owner)

    def revoke(self, identity: Identity, token: str) -> bool:
        """End a token; return whether that is new.

        Raises ``NotFound`` for one that is unknown or another's.
        """

        def work(unit: UnitOfWork) -> bool:
            found = unit.tokens.get(token)
            if found is None or not _owns(identity, found.account):
                raise NotFound("token", token)
            if found.revoked_at is not None:
                return False
            unit.tokens.revoke(token, self._now())
            unit.journal.append(
                entry(Action.TOKEN_REVOKE, identity, self._now, account=found.account, token=token)
            )
            return True

        return attempt(self._units, work)

    def identify(self, text: str, *, origin: str = "", follow: bool = True) -> Identity:
        """Return the identity that a token's text stands for.

        ``follow`` looks for changes first; a server that has done so in this
        request says False, since that look is most of what a request costs.

        Raises ``Unauthenticated`` if it is malformed, unknown, revoked or
        expired, or its account is disabled; the message does not say which.
        """
        secret = parse_token(text)
        if follow:
            self._cache.follow()
        known = None if secret is None else self._known(secret.id)
        if secret is None or known is None or not token_matches(secret, known.token.secret_sha256):
            raise Unauthenticated(_REFUSED)
        now = self._now()
        token = known.token
        if not known.standing.account.may_act or token.revoked_at is not None or _over(token, now):
            raise Unauthenticated(_REFUSED)
        self._note_use(known, now)
        return known.standing.identity(token=TokenLimits(token.id, token.scope, token.project), origin=origin)

    def _known(self, token: str) -> _Known | None:
        key = ("token", token)
        known: _Known | None = self._cache.get(key)
        return known or self._look_up(key, token)

    def _look_up(self, key: tuple[str, str], token: str) -> _Known | None:
        with self._units.read() as unit:
            serial = unit.journal.serial()
            found = unit.tokens.get(token)
            account = None if found is None else unit.accounts.get(found.account)
            ours = [] if account is None else unit.groups.of(account.name)
        if found is None or account is None:
            return None
        known = _Known(found, self._rules.standing(account, ours), found.last_used_at)
        tags = [token_tag(token), account_tag(account.name), *map(group_tag, ours)]
        self._cache.put(key, known, size=_KNOWN_SIZE, tags=tags, serial=serial)
        return known

    def _note_use(self, known: _Known, now: datetime) -> None:
        if known.noted_at is not None and now - known.noted_at <= USE_INTERVAL:
            return
        known.noted_at = now
        self._later(lambda: self._touch(known.token.id, now))

    def _touch(self, token: str, at: datetime) -> None:
        with self._units.write() as unit:
            unit.tokens.touch(token, at, unless_since=at - USE_INTERVAL)

    def _require_readable(
        self, unit: UnitOfWork, identity: Identity, owner: Account, name: ProjectName
    ) -> None:
        project = live_project(unit, name)
        standing = self._rules.standing(owner, unit.groups.of(owner.name))
        if allows(standing.identity(), Permission.READ, project):
            return
        if identity.is_operator:  # who may know of it
            raise Rejected(f"{owner.name} may not read the project {name}.", field="project")
        raise NotFound("project", name)

    def _expiry(self, days: int) -> datetime | None:
        if not 0 <= days <= MOST_DAYS:
            raise Rejected(f"days: use 0 (no end) to {MOST_DAYS}.", field="days")
        return self._now() + timedelta(days=days) if days else None


def _own_account(identity: Identity, account: str | None) -> AccountName:
    if account is None:
        if identity.account is None:
            raise Rejected("account: name the account.", field="account")
        wanted = identity.account
    else:
        wanted = account_name(account)
    if not _owns(identity, wanted):
        raise Forbidden("The tokens of an account are managed by its owner alone, after signing in.")
    return wanted


def _owns(identity: Identity, account: AccountName) -> bool:
    """Whether ``identity`` may manage the tokens of ``account``; a token may not manage tokens."""
    return identity.is_operator or (identity.account == account and identity.token is None)


def _token_name(name: str) -> str:
    if not 1 <= len(name) <= _NAME_LENGTH or not name.isprintable():
        raise Rejected(f"name: use 1 to {_NAME_LENGTH} printable characters.", field="name")
    return name


def _over(token: Token, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now
