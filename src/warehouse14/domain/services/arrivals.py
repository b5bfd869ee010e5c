"""Signing in through an identity provider, and which of its people an account is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from warehouse14.domain.access import Identity, Permission, SiteRules, account_identity
from warehouse14.domain.arrivals import Arrival, Ending
from warehouse14.domain.credentials import session_secret
from warehouse14.domain.errors import NotFound, Rejected, SignInFailed
from warehouse14.domain.model import Account, Action, Begun, Login, Vouched
from warehouse14.domain.names import (
    AccountName,
    ProviderName,
    account_name,
    account_principal,
    is_plain,
    new_account_name,
    provider_group,
)
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import (
    ADMINISTRATORS,
    existing_account,
    hold_as_administrator,
)
from warehouse14.domain.services.holding import hold_account
from warehouse14.domain.services.invitations import take_up
from warehouse14.domain.services.sessions import SignedIn, begin_session
from warehouse14.domain.services.standings import as_of_now
from warehouse14.domain.services.throttle import MEMORY
from warehouse14.domain.services.working import attempt, entry, entry_of, require_site
from warehouse14.domain.vouching import changed, still, why_not, without


@dataclass(frozen=True, slots=True)
class From:
    """Where somebody comes from: the provider, as the site calls it and as people do, the address of
    the client, and what the browser calls itself."""

    provider: ProviderName
    title: str
    origin: str
    agent: str = ""


class ArrivalService:
    """The use cases on people whom identity providers vouch for.

    Args:
        tidy: forgets the sessions that are over, soon.
    """

    def __init__(
        self,
        units: Units,
        now: Now,
        rules: SiteRules,
        *,
        tidy: Callable[[], None],
    ) -> None:
        self._units = units
        self._rules = rules
        self._now = now
        self._tidy = tidy

    def sign_in(self, where: From, arrival: Arrival) -> SignedIn:
        """Start a session for somebody who has come back from a provider.

        At the first time the account is made. It gets the roles that its address was invited to. Whom the
        site's rules keep out is signed out everywhere, and nothing of theirs counts, until they pass again.

        Raises:
            SignInFailed: the rules keep them out, the name that the provider gives is taken or is none,
                or their account is disabled.
        """
        if arrival.refusal is not None:
            self._keep_out(where, arrival)
            raise _failed(arrival.refusal, arrival)
        name = self._known_name(arrival.issuer, arrival.subject) or self._add_account(where, arrival)
        signed_in = self._start(where, arrival, name)
        self._take_up_invitations(signed_in.identity(where.origin), arrival)
        self._tidy()
        return signed_in

    def _take_up_invitations(self, identity: Identity, arrival: Arrival) -> None:
        if arrival.email is not None:
            take_up(self._units, self._now, identity, arrival.email)

    def _known_name(self, issuer: str, subject: str) -> AccountName | None:
        """Return the account that somebody is joined to, if there is one."""
        with self._units.read() as unit:
            login = unit.logins.get(issuer, subject)
        return None if login is None else login.account

    def _add_account(self, where: From, arrival: Arrival) -> AccountName:
        """Return the account that was made, or was a moment before."""
        name = self._new_name(where, arrival)
        account = Account(name, administrator=False, created_at=self._now())
        login = Login(arrival.issuer, arrival.subject, where.provider, name, self._now())
        identity = account_identity(name, origin=where.origin)

        def work(unit: UnitOfWork) -> AccountName:
            known = unit.logins.get(login.issuer, login.subject)
            if known is not None:
                return known.account
            if unit.accounts.get(name) is not None:
                raise _failed(_taken(where, name, arrival), arrival)
            unit.accounts.add(account)
            unit.logins.add(login)
            unit.journal.append(
                entry(Action.ACCOUNT_ADD, identity, self._now, account=name, detail=_detail(login))
            )
            return name

        return attempt(self._units, work)

    def _new_name(self, where: From, arrival: Arrival) -> AccountName:
        if arrival.name is None:
            raise _failed(
                f"{where.title} does not say what your account is to be called, or has not verified your "
                "e-mail address. An administrator of this site can help.",
                arrival,
            )
        try:
            name = new_account_name(arrival.name)
        except Rejected as error:
            raise _failed(
                f"{where.title} calls you {arrival.name[:60]!r}, which cannot be the name of an account. "
                "An administrator of this site can help.",
                arrival,
            ) from error
        if self._rules.names(account_principal(name)) and name != arrival.email:
            # What the settings give to a name is not for whoever comes by it first.
            raise _failed(
                f"The name {name} stands in the settings of this site. Whoever runs it adds that account and "
                f"joins you to it: to {where.title} you are {arrival.subject}.",
                arrival,
            )
        return name

    def _start(self, where: From, arrival: Arrival, name: AccountName) -> SignedIn:
        secret = session_secret()
        begun = Begun(where.provider, arrival.issuer, arrival.subject, arrival.sid, arrival.id_token)

        def work(unit: UnitOfWork) -> SignedIn:
            hold_account(unit, name)
            account = _account_of(unit, arrival, name)
            vouched = self._vouched(account, where.provider, arrival)
            now_vouched = replace(account, vouched=vouched)
            if not now_vouched.may_act:
                raise _failed(why_not(now_vouched), arrival)
            ours = unit.groups.of(account.name)
            unit.accounts.set_signed_in(account.name, vouched.at, vouched=vouched)
            standing = self._rules.standing(now_vouched, ours, self._now())
            return begin_session(
                unit,
                standing,
                secret,
                self._now,
                origin=where.origin,
                agent=where.agent,
                begun=begun,
                detail={"provider": where.provider, **changed(account.vouched, vouched)},
            )

        return attempt(self._units, work)

    def _keep_out(self, where: From, arrival: Arrival) -> None:
        name = self._known_name(arrival.issuer, arrival.subject)
        if name is None:
            return

        def work(unit: UnitOfWork) -> None:
            # Who is kept out may be an administrator, who gives nobody a way in from now on.
            unit.hold(ADMINISTRATORS)
            hold_account(unit, name)
            account = _joined(unit, arrival, name)
            if account is None or (account.vouched and where.provider in account.vouched.kept_out):
                return
            vouched = self._vouched(account, where.provider, arrival)
            unit.accounts.set_vouched(account.name, vouched)
            unit.sessions.end_of(account.name, but=None)
            identity = account_identity(account.name, origin=where.origin)
            detail = {"provider": where.provider, **changed(account.vouched, vouched)}
            unit.journal.append(
                entry(Action.ACCOUNT_KEEP_OUT, identity, self._now, account=account.name, detail=detail)
            )

        attempt(self._units, work)

    def join(self, identity: Identity, where: From, arrival: Arrival) -> bool:
        """Join somebody who has come back from a provider to the account that is signed in; return
        whether that is new.

        Raises ``SignInFailed`` if the rules keep them out, or they are joined to another account.
        """
        if identity.account is None or identity.session is None:
            raise NotFound("session", "of this identity")
        if arrival.refusal is not None:
            self._keep_out(where, arrival)
            raise _failed(arrival.refusal, arrival)
        login = Login(arrival.issuer, arrival.subject, where.provider, identity.account, self._now())

        def work(unit: UnitOfWork) -> bool:
            # Whoever is kept out at this moment stays so, and who is signed out opens no way in.
            hold_account(unit, login.account)
            as_of_now(unit, identity, self._rules, self._now)
            account = existing_account(unit, login.account)
            if not self._is_new(unit, login):
                return False
            vouched = self._vouched(account, where.provider, arrival)
            unit.logins.add(login)
            unit.accounts.set_vouched(account.name, vouched)
            self._note(unit, Action.ACCOUNT_JOIN, identity, login, changed(account.vouched, vouched))
            return True

        is_new = attempt(self._units, work)
        self._take_up_invitations(identity, arrival)
        return is_new

    def join_known(
        self, identity: Identity, account: str, *, provider: ProviderName, issuer: str, subject: str
    ) -> bool:
        """Join a person at a provider to an account, on the word of an administrator; return whether
        that is new.

        Raises:
            Forbidden: the identity is no administrator.
            NotFound: there is no such account.
            Rejected: issuer or subject is malformed.
            SignInFailed: the person is joined to another account.
        """
        require_site(identity, Permission.ADMINISTER)
        for field, value in (("issuer", issuer), ("subject", subject)):
            if not is_plain(value, 255):
                raise Rejected(f"{field}: use 1 to 255 printable characters.", field=field)
        login = Login(issuer, subject, provider, account_name(account), self._now())

        def work(unit: UnitOfWork) -> bool:
            hold_as_administrator(unit, identity, self._rules)
            existing_account(unit, login.account)
            if not self._is_new(unit, login):
                return False
            unit.logins.add(login)
            self._note(unit, Action.ACCOUNT_JOIN, identity, login, {})
            return True

        return attempt(self._units, work)

    def joined(self, identity: Identity, account: str | None = None) -> Sequence[Login]:
        """Return the logins of an account, by default of one's own. Raises ``NotFound`` and ``Forbidden``."""
        owner = _owner(identity, account)
        with self._units.read() as unit:
            existing_account(unit, owner)
            return unit.logins.of(owner)

    def part(self, identity: Identity, issuer: str, subject: str, *, account: str | None = None) -> None:
        """Part a person at a provider from an account, by default from one's own; the sessions that began
        there end.

        Raises:
            NotFound: there is no such login of that account.
            Rejected: the account's owner would have no way left to sign in.
            Forbidden: it is another's account, and the identity is no administrator.
        """
        owner = _owner(identity, account)

        def work(unit: UnitOfWork) -> None:
            # Of two who part at once, from each other's last way in, one comes second.
            hold_account(unit, owner)
            _owner(as_of_now(unit, identity, self._rules, self._now), account)
            found = existing_account(unit, owner)
            logins = unit.logins.of(owner)
            login = next(
                (login for login in logins if (login.issuer, login.subject) == (issuer, subject)), None
            )
            if login is None:
                raise NotFound("login", subject)
            has_password = found.password_hash is not None and self._rules.passwords
            if identity.account == owner and len(logins) == 1 and not has_password:
                raise Rejected("login: it is the only way in that you have.", field="login")
            unit.logins.remove(issuer, subject)
            vouched = found.vouched and without(found.vouched, login.provider)
            if found.vouched is not None and vouched is not None:
                # To close a way in lets nobody in whom the rules keep out.
                vouched = replace(vouched, kept_out=found.vouched.kept_out)
                unit.accounts.set_vouched(owner, vouched)
            unit.sessions.end_begun(issuer, subject=subject, sid=None)
            self._note(unit, Action.ACCOUNT_PART, identity, login, changed(found.vouched, vouched))

        attempt(self._units, work)

    def end(self, where: From, ending: Ending) -> int:
        """End the sessions that a provider says are over; return whose they were, counted. Where it names
        the person, that includes one that begins meanwhile, if its sign-in holds the account by then: one
        that comes to that later is of after the logout.

        Raises ``SignInFailed`` for a message that was taken before.
        """
        key = f"jti:{hashlib.sha256(f'{ending.issuer} {ending.jti}'.encode()).hexdigest()}"
        now = self._now()
        name = None if ending.subject is None else self._known_name(ending.issuer, ending.subject)

        def work(unit: UnitOfWork) -> int:
            if name is not None:
                hold_account(unit, name)
            if key in unit.attempts.of([key]):
                raise SignInFailed("This message was taken before.", detail=f"jti {ending.jti!r} again")
            unit.attempts.count(key, now, since=now - MEMORY, expected=0)
            ended = unit.sessions.end_begun(ending.issuer, subject=ending.subject, sid=ending.sid)
            for account in ended[:1]:
                change = entry_of(f"provider {where.provider}", where.origin, Action.SESSION_END, self._now)
                unit.journal.append(replace(change, account=account))
            return len(ended)

        return attempt(self._units, work)

    def _is_new(self, unit: UnitOfWork, login: Login) -> bool:
        found = unit.logins.get(login.issuer, login.subject)
        if found is not None and found.account != login.account:
            raise SignInFailed(
                "That person is joined to another account of this site. Sign in to that one and part them "
                "there, or ask an administrator.",
                detail=f"{login.issuer} {login.subject!r} is {found.account}",
            )
        return found is None

    def _note(
        self, unit: UnitOfWork, action: Action, identity: Identity, login: Login, more: Mapping[str, str]
    ) -> None:
        detail = {**_detail(login), **more}
        unit.journal.append(entry(action, identity, self._now, account=login.account, detail=detail))

    def _vouched(self, account: Account, provider: ProviderName, arrival: Arrival) -> Vouched:
        """Return what is to be kept of an arrival beside what other providers have said."""
        groups = frozenset(provider_group(provider, group) for group in arrival.groups)
        before = account.vouched and still(
            without(account.vouched, provider), self._now(), self._rules.reverify
        )
        kept_out = before.kept_out if before else frozenset()
        if arrival.refusal is not None:
            kept_out |= {provider}
        return Vouched(
            at=self._now(),
            email=arrival.email,
            groups=groups | (before.groups if before else frozenset()),
            kept_out=kept_out,
            seen={**(before.seen if before else {}), provider: self._now()},
        )


def _joined(unit: UnitOfWork, arrival: Arrival, name: AccountName) -> Account | None:
    """Return the account by this name if somebody is joined to it still."""
    login = unit.logins.get(arrival.issuer, arrival.subject)
    return None if login is None or login.account != name else unit.accounts.get(name)


def _account_of(unit: UnitOfWork, arrival: Arrival, name: AccountName) -> Account:
    account = _joined(unit, arrival, name)
    if account is None:
        raise _failed("You were parted from your account meanwhile. Sign in again.", arrival)
    return account


def _taken(where: From, name: AccountName, arrival: Arrival) -> str:
    return (
        f"The name {name} belongs to another account of this site. If that is yours, sign in to it and join "
        f"{where.title} on your account page. If not, ask an administrator: to {where.title} you are "
        f"{arrival.subject}."
    )


def _owner(identity: Identity, account: str | None) -> AccountName:
    if account is not None and (wanted := account_name(account)) != identity.account:
        require_site(identity, Permission.ADMINISTER)
        return wanted
    if identity.account is None or identity.token is not None:
        raise NotFound("account", "of this identity")
    return identity.account


def _detail(login: Login) -> dict[str, str]:
    return {"provider": login.provider, "issuer": login.issuer, "subject": login.subject}


def _failed(message: str, arrival: Arrival) -> SignInFailed:
    return SignInFailed(message, detail=f"issuer {arrival.issuer}, subject {arrival.subject!r}")
