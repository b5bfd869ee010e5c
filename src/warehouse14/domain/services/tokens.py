"""API tokens: what pip, uv and twine sign in with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from warehouse14.domain.access import Identity, Permission, SiteRules, allows, allows_site
from warehouse14.domain.credentials import TokenSecret, mint_token
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.followed import FollowedCache
from warehouse14.domain.lasting import DEFAULT_DAYS, SOON, end_of
from warehouse14.domain.model import Account, Action, Reach, Scope, Token
from warehouse14.domain.names import (
    AccountName,
    ProjectName,
    account_name,
    is_service_name,
    project_name,
    project_prefix,
)
from warehouse14.domain.origins import ranges
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import (
    enabled_account,
    existing_account,
)
from warehouse14.domain.services.belonging import (
    group_served,
    groups_of_account,
    project_served,
    ready_account,
    require_manager,
    service_account,
)
from warehouse14.domain.services.holding import held_name, hold_account
from warehouse14.domain.services.recognition import Recognition
from warehouse14.domain.services.standings import as_of_now, hold_for
from warehouse14.domain.services.working import ROLES, Later, attempt, entry, live_project

DEFAULT_OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 720
_NAME_LENGTH = 200
_MOST_ENDING = 100
_ANY = "*"

#: Raises unless somebody may do something with the tokens of an account.
Require = Callable[[UnitOfWork, Identity, AccountName], None]


class TokenService:
    """The use cases on tokens, those of people and those of service accounts."""

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
        self._now = now
        self._recognition = Recognition(units, cache, now, later, rules)

    def mint(
        self,
        identity: Identity,
        *,
        name: str,
        account: str | None = None,
        service: str | None = None,
        scopes: Iterable[Scope] = (Scope.READ,),
        project: str | None = None,
        addresses: Iterable[str] = (),
        days: int = DEFAULT_DAYS,
    ) -> TokenSecret:
        """Make a token and return it with its text, which is kept nowhere.

        Args:
            identity: who acts: an account for itself or for the service of a project that it manages, or
                the operator for anybody.
            name: what its owner calls it, 1 to 200 characters.
            account: whose token it is; the identity's own if neither this nor ``service`` is given.
            service: the project whose service account it is for, as ``project:NAME``.
            scopes: what it may do; each includes ``read``.
            project: the one project that it is for, or ``PREFIX*`` for those whose names begin so, or None
                for all.
            addresses: the address ranges (CIDR) that it may be used from, at most 20; none for everywhere.
            days: how long it lasts; 0 for no end.

        Raises:
            Rejected: a value is malformed, or the account is disabled.
            NotFound: there is no such account, or no such project to it.
            Forbidden: the identity may not make a token for this account.
        """
        owner = _owner(identity, account, service)
        now, secret = self._now(), mint_token()
        token = Token(
            id=secret.id,
            account=owner,
            name=_token_name(name),
            scopes=_some(scopes),
            reach=_reach(project),
            secret_sha256=secret.sha256,
            created_at=now,
            expires_at=end_of(days, now),
            days=days or None,
            addresses=ranges(addresses),
        )

        def work(unit: UnitOfWork) -> TokenSecret:
            maker = self._maker(unit, identity, owner)
            _require_manager(unit, maker, owner)
            _require_more_than_a_look(unit, maker, owner)
            self._add(unit, maker, token, Action.TOKEN_MINT)
            return secret

        return attempt(self._units, work)

    def listed(
        self, identity: Identity, account: str | None = None, *, service: str | None = None
    ) -> Sequence[Token]:
        """Return the tokens of an account or a service, ended ones too. Raises ``NotFound`` and
        ``Forbidden``."""
        owner = _owner(identity, account, service)
        with self._units.read() as unit:
            _require_keeper(unit, identity, owner)
            if not is_service_name(owner):
                existing_account(unit, owner)
            return unit.tokens.of(owner)

    def ending(self, identity: Identity) -> Sequence[Token]:
        """Return the service tokens that end soon, of the projects and groups that an account is an admin of.

        The first to end are before the others, a hundred of them at most. Whoever only looks as
        administrator is no admin. Raises ``Rejected`` for the operator, who has no account, and
        ``Forbidden`` for a token.
        """
        owner, now = _owner(identity, None, None), self._now()
        with self._units.read() as unit:
            _require_manager(unit, identity, owner)
            return unit.tokens.ending_of_services(
                owner, identity.principals, after=now, until=now + SOON, count=_MOST_ENDING
            )

    def revoke(self, identity: Identity, token: str) -> bool:
        """End a token; return whether that is new. Administrators end those of other people, too.

        Raises ``NotFound`` for one that is unknown or another's, and ``Forbidden`` for somebody who may not
        act any more.
        """
        with self._units.read() as reading:
            owner = _token_for(reading, identity, token, _require_keeper).account

        def work(unit: UnitOfWork) -> bool:
            # What was begun with it ends before, or not at all.
            hold_account(unit, owner)
            keeper = as_of_now(unit, identity, self._rules, self._now)
            found = _token_for(unit, keeper, token, _require_keeper)
            if found.revoked_at is not None:
                return False
            unit.tokens.revoke(token, self._now())
            unit.journal.append(
                entry(
                    Action.TOKEN_REVOKE,
                    identity,
                    self._now,
                    project=project_served(found.account),
                    account=found.account,
                    group=group_served(found.account),
                    token=token,
                )
            )
            return True

        return attempt(self._units, work)

    def rotate(
        self, identity: Identity, token: str, *, overlap_hours: int = DEFAULT_OVERLAP_HOURS
    ) -> TokenSecret:
        """Put a new token in the place of one, with the same name and limits, and return it with its text.

        The new one lasts as long as the old one was made for, from now on. The old one ends after
        ``overlap_hours``, or earlier if it was to.

        Raises:
            Rejected: it was revoked or has expired, its account is disabled, or the overlap is out of
                bounds.
            NotFound: it is unknown or another's.
        """
        if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
            raise Rejected(f"overlap: use 0 to {MOST_OVERLAP_HOURS} hours.", field="overlap")
        secret = mint_token()
        with self._units.read() as reading:
            owner = _token_for(reading, identity, token, _require_manager).account

        def work(unit: UnitOfWork) -> TokenSecret:
            maker = self._maker(unit, identity, owner)
            old, now = _token_for(unit, maker, token, _require_manager), self._now()
            _require_more_than_a_look(unit, maker, old.account)
            if old.is_over(now):
                raise Rejected("token: it was revoked or has expired. Make a new one.", field="token")
            end = now + timedelta(hours=overlap_hours)
            unit.tokens.expire(token, end if old.expires_at is None else min(end, old.expires_at))
            self._add(unit, maker, _successor(old, secret, now), Action.TOKEN_ROTATE, old=token)
            return secret

        return attempt(self._units, work)

    def identify(self, text: str, *, origin: str = "", agent: str = "", follow: bool = True) -> Identity:
        """Return the identity that a token's text stands for.

        Args:
            text: the token, as it was sent.
            origin: the address of the client, as the server knows it; refusals are counted under it.
            agent: what the client calls itself.
            follow: look for changes first. A server that has done so in this request says False, since
                that look is most of what a request costs.

        Raises:
            Unauthenticated: it is malformed, unknown, revoked or expired, its account is disabled, or it
                may not be used from there; the message does not say which.
            SignInNeeded: it is right, but its owner has not signed in for too long.
            TooManyAttempts: it is refused, and so were too many from there.
        """
        return self._recognition.identify(text, origin=origin, agent=agent, follow=follow)

    def identify_again(self, token: str, *, origin: str = "") -> Identity:
        """Return the identity of a token that was identified before, by its public id: for what its user
        has asked for, and is done when they have gone.

        Raises ``Unauthenticated`` and ``SignInNeeded`` as :meth:`identify` does.
        """
        return self._recognition.identify_again(token, origin=origin)

    def _maker(self, unit: UnitOfWork, identity: Identity, owner: AccountName) -> Identity:
        """Return ``identity`` as it is now, and let nobody take away meanwhile what gives it the tokens,
        which stay after that, nor do anything with a token of the owner that ends here. Raises ``Forbidden``
        for an account that may not act any more, or not in this way."""
        if not is_service_name(owner):
            hold_account(unit, owner)
            return as_of_now(unit, identity, self._rules, self._now)
        project = project_served(owner)
        names = [ROLES] if project is None else [project, ROLES]
        if owner != identity.account:
            names.append(held_name(owner))
        return hold_for(unit, identity, self._rules, self._now, *names)

    def _add(self, unit: UnitOfWork, identity: Identity, token: Token, action: Action, **detail: str) -> None:
        """Add a token of an account that may act, and the journal entry: the unit's last writes."""
        changed = None
        if is_service_name(token.account):
            owner, changed = ready_account(unit, token.account, self._now)
        else:
            owner = enabled_account(unit, token.account)
        if token.reach.project not in {None, changed}:
            self._require_readable(unit, identity, owner, token.reach.project)
        unit.tokens.add(token)
        unit.journal.append(
            entry(
                action,
                identity,
                self._now,
                project=project_served(token.account),
                account=token.account,
                group=group_served(token.account),
                token=token.id,
                detail=detail,
            )
        )

    def _require_readable(
        self, unit: UnitOfWork, identity: Identity, owner: Account, name: ProjectName
    ) -> None:
        project = live_project(unit, name)
        standing = self._rules.standing(owner, groups_of_account(unit, owner), self._now())
        if allows(standing.identity(), Permission.READ, project):
            return
        if allows(identity, Permission.READ, project):  # who knows of it
            raise Rejected(f"{owner.name} may not read the project {name}.", field="project")
        raise NotFound("project", name)


def _successor(old: Token, secret: TokenSecret, now: datetime) -> Token:
    return replace(
        old,
        id=secret.id,
        secret_sha256=secret.sha256,
        created_at=now,
        expires_at=end_of(old.days or 0, now),
        last_used_at=None,
        last_used_from="",
        last_used_by="",
    )


def _owner(identity: Identity, account: str | None, service: str | None) -> AccountName:
    """Return whose tokens are meant: a service's, an account's, or the identity's own."""
    if service is not None:
        if account is not None:
            raise Rejected("service: name an account or a service, not both.", field="service")
        return service_account(service)
    if account is not None:
        return account_name(account)
    if identity.account is None:
        raise Rejected("account: name the account.", field="account")
    return identity.account


def _require_manager(unit: UnitOfWork, identity: Identity, owner: AccountName) -> None:
    """Raise ``Forbidden`` or ``NotFound`` unless ``identity`` may manage the tokens of ``owner``; a token
    may manage none."""
    if is_service_name(owner):
        require_manager(unit, identity, owner)
    elif not (identity.is_operator or (identity.account == owner and identity.token is None)):
        raise Forbidden("The tokens of an account are managed by its owner alone, after signing in.")


def _require_keeper(unit: UnitOfWork, identity: Identity, owner: AccountName) -> None:
    """Raise ``Forbidden`` or ``NotFound`` unless ``identity`` may list and end the tokens of ``owner``: it
    manages them, or they are a person's and it administers the site."""
    if is_service_name(owner) or not allows_site(identity, Permission.ADMINISTER):
        _require_manager(unit, identity, owner)


def _require_more_than_a_look(unit: UnitOfWork, identity: Identity, owner: AccountName) -> None:
    """Raise ``Forbidden`` for somebody who manages the tokens of a service only as long as they look as
    administrator: a new one would do more than they may, and for longer."""
    if not identity.looking or not is_service_name(owner):
        return
    try:
        require_manager(unit, replace(identity, looking=frozenset()), owner)
    except (Forbidden, NotFound):
        raise Forbidden(
            "Whoever only looks as administrator makes no tokens: they would outlive the look."
        ) from None


def _token_for(unit: UnitOfWork, identity: Identity, token: str, require: Require) -> Token:
    """Return a token whose owner ``require`` lets through. Raises ``NotFound`` for any other."""
    found = unit.tokens.get(token)
    if found is None:
        raise NotFound("token", token)
    try:
        require(unit, identity, found.account)
    except (Forbidden, NotFound):
        raise NotFound("token", token) from None
    return found


def _token_name(name: str) -> str:
    if not 1 <= len(name) <= _NAME_LENGTH or not name.isprintable():
        raise Rejected(f"name: use 1 to {_NAME_LENGTH} printable characters.", field="name")
    return name


def _some(scopes: Iterable[Scope]) -> frozenset[Scope]:
    found = frozenset(scopes)
    if not found:
        raise Rejected(f"scope: choose some of {', '.join(Scope)}.", field="scope")
    return found


def _reach(raw: str | None) -> Reach:
    if raw is None:
        return Reach()
    if raw.endswith(_ANY):
        return Reach(prefix=project_prefix(raw.removesuffix(_ANY), field="project"))
    return Reach(project=project_name(raw, field="project"))
