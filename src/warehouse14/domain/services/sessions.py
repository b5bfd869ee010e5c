"""Signing in with a password, and the sessions of browsers that did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from warehouse14.domain.access import Identity, Permission, SiteRules, Standing, account_identity
from warehouse14.domain.credentials import session_id, session_secret
from warehouse14.domain.errors import NotFound, Rejected, TooManyAttempts, Unauthenticated, Unavailable
from warehouse14.domain.model import Account, Action, Begun, Looked, Session
from warehouse14.domain.names import AccountName, account_name
from warehouse14.domain.origins import shown_agent
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import AccountService, existing_account
from warehouse14.domain.services.holding import hold_account
from warehouse14.domain.services.invitations import take_up_rest
from warehouse14.domain.services.standings import Standings
from warehouse14.domain.services.throttle import Throttle, limits
from warehouse14.domain.services.working import Later, attempt, entry, require_site
from warehouse14.domain.vouching import changed

#: That a session was seen is noted at most this often.
SEEN_INTERVAL = timedelta(minutes=1)

_REFUSED = "The name and the password do not belong together, or the account is disabled."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with what its account is here. ``secret`` is what the cookie holds; only a new session has
    it here."""

    session: Session
    standing: Standing
    secret: str = field(default="", repr=False)
    looking: frozenset[Looked] = frozenset()

    @property
    def account(self) -> Account:
        """Whose session it is."""
        return self.standing.account

    @property
    def replaces_password(self) -> bool:
        """Whether it opens nothing but the page on which a first password is replaced; whoever came through
        an identity provider needs none."""
        return self.account.password_once and self.session.begun is None

    def identity(self, origin: str) -> Identity:
        """Return who acts in this session."""
        return self.standing.identity(session=self.session.id, looking=self.looking, origin=origin)


class SessionService:
    """The use cases on sessions.

    Args:
        idle: how long a session lives without being seen.
        longest: how long it lives at most.
        unseen_since: from when on nothing notes that a session is seen, on a site that changes nothing:
            whoever is signed in at that moment is not signed out for want of use. None where it is noted.
    """

    def __init__(
        self,
        units: Units,
        accounts: AccountService,
        now: Now,
        later: Later,
        rules: SiteRules,
        standings: Standings,
        *,
        idle: timedelta,
        longest: timedelta,
        unseen_since: datetime | None = None,
    ) -> None:
        self._units = units
        self._accounts = accounts
        self._now = now
        self._later = later
        self._rules = rules
        self._standings = standings
        self._idle = idle
        self._longest = longest
        self._unseen_since = unseen_since
        self._throttle = Throttle(units, now)

    def sign_in(
        self, name: str, password: str, *, origin: str, agent: str = "", device: str | None = None
    ) -> SignedIn:
        """Check a password, and start a session.

        Args:
            name: the account's name, as it was typed.
            password: as it was typed.
            origin: the address of the client, as the server knows it.
            agent: what the browser calls itself.
            device: the mark of a browser that has signed in to this account before.

        Raises:
            Unauthenticated: they do not belong together; the message does not say why.
            TooManyAttempts: too many attempts failed here, or for this account.
            Unavailable: too many sign in at this moment; this attempt does not count.
        """
        account = self._checked(name, password, origin, device, passes=device is not None)
        secret = session_secret()

        def work(unit: UnitOfWork) -> SignedIn:
            hold_account(unit, account.name)
            found = unit.accounts.get(account.name)
            if found is None or not found.may_act or found.password_hash != account.password_hash:
                raise Unauthenticated(_REFUSED)
            # A password says nothing of what providers vouch for, which ends as it would without one.
            standing = self._rules.standing(found, unit.groups.of(found.name), self._now())
            vouched = standing.account.vouched
            unit.accounts.set_signed_in(found.name, self._now(), vouched=vouched)
            detail = changed(found.vouched, vouched)
            return begin_session(
                unit, standing, secret, self._now, origin=origin, agent=agent, detail=detail or None
            )

        signed_in = attempt(self._units, work)
        take_up_rest(self._units, self._now, signed_in.identity(origin))
        self.tidy()
        return signed_in

    def tidy(self) -> None:
        """Forget the sessions that are over, soon."""
        self._later(self._forget)

    def _checked(
        self, name: str, password: str, origin: str, device: str | None, *, passes: bool = False
    ) -> Account:
        """Return the account whose password this is. With ``passes`` a right one is taken however often it
        was wrong before."""
        of = limits(_known_name(name), origin, device)
        try:
            admitted = self._throttle.admit(of)
        except TooManyAttempts:
            account = self._accounts.check_password(name, password) if passes else None
            if account is None:
                raise
            self._throttle.forget(of)
            return account
        try:
            account = self._accounts.check_password(name, password)
        except Unavailable:
            self._throttle.take_back(admitted)
            raise
        if account is None:
            raise Unauthenticated(_REFUSED)
        self._throttle.succeed(admitted)
        return account

    def change_password(self, identity: Identity, old: str, new: str) -> None:
        """Replace one's own password; all other sessions end.

        Raises:
            Rejected: the old one is wrong, or the new one is malformed.
            TooManyAttempts: the old one was wrong too often.
        """
        assert identity.account is not None
        # Whoever is signed in counts as a browser of its own.
        try:
            account = self._checked(identity.account, old, identity.origin, identity.session)
        except Unauthenticated as error:
            raise Rejected("old_password: that is not your password.", field="old_password") from error
        if old == new:
            raise Rejected("password: use another than the old one.", field="password")
        self._accounts.set_password(identity, identity.account, new, instead_of=account)

    def identify(self, secret: str, *, follow: bool = True) -> SignedIn | None:
        """Return the session whose cookie holds ``secret``, or None if there is none or it is over.

        With ``follow`` it looks for changes of accounts and groups first. A server that has done so in this
        request says False.
        """
        session = session_id(secret)
        if follow:
            self._standings.follow()
        with self._units.read() as unit:
            found = unit.sessions.get(session)
        standing = None if found is None else self._standings.of(found.account)
        now = self._now()
        if found is None or standing is None or not standing.account.may_act or self._over(found, now):
            return None
        if now - found.seen_at >= min(SEEN_INTERVAL, self._idle / 10):
            self._later(lambda: self._touch(session, now))
        looking = frozenset(looked for looked, until in found.looks.items() if until > now)
        return SignedIn(found, standing, looking=looking)

    def listed(self, identity: Identity, account: str | None = None) -> Sequence[Session]:
        """Return the sessions of an account that are not over, the one that was seen last first; by default
        one's own.

        Raises ``NotFound``, and of another's ``Forbidden`` for those who do not administer the site.
        """
        owner = _owner(identity, account)
        now = self._now()
        with self._units.read() as unit:
            existing_account(unit, owner)
            return [session for session in unit.sessions.of(owner) if not self._over(session, now)]

    def end(self, identity: Identity, session: str) -> None:
        """End one of one's own sessions: sign out. Raises ``NotFound``."""
        owner = _owner(identity)

        def work(unit: UnitOfWork) -> None:
            # What was begun in it ends before, or not at all.
            hold_account(unit, owner)
            found = unit.sessions.get(session)
            if found is None or found.account != owner:
                raise NotFound("session", session)
            unit.sessions.end(session)
            unit.journal.append(entry(Action.SESSION_END, identity, self._now, account=owner))

        attempt(self._units, work)

    def end_others(self, identity: Identity) -> int:
        """End all of one's own sessions but this one; return how many there were."""
        return self._end_all(identity, _owner(identity), but=identity.session)

    def end_all(self, identity: Identity, account: str) -> int:
        """End all sessions of an account; return how many there were.

        Raises ``NotFound``, and ``Forbidden`` for those who do not administer the site.
        """
        require_site(identity, Permission.ADMINISTER)
        return self._end_all(identity, account_name(account), but=None)

    def _end_all(self, identity: Identity, owner: AccountName, *, but: str | None) -> int:
        def work(unit: UnitOfWork) -> int:
            hold_account(unit, owner)
            existing_account(unit, owner)
            now = self._now()
            count = sum(
                session.id != but and not self._over(session, now) for session in unit.sessions.of(owner)
            )
            if count:
                unit.sessions.end_of(owner, but=but)
                detail = {"sessions": str(count)}
                unit.journal.append(
                    entry(Action.SESSION_END, identity, self._now, account=owner, detail=detail)
                )
            return count

        return attempt(self._units, work)

    def _over(self, session: Session, now: datetime) -> bool:
        seen_until = self._unseen_since or now
        return seen_until - session.seen_at > self._idle or now - session.created_at > self._longest

    def _touch(self, session: str, at: datetime) -> None:
        with self._units.write() as unit:
            unit.sessions.touch(session, at)

    def _forget(self) -> None:
        now = self._now()
        with self._units.write() as unit:
            unit.sessions.forget(created_before=now - self._longest, seen_before=now - self._idle)


def begin_session(
    unit: UnitOfWork,
    standing: Standing,
    secret: str,
    now: Now,
    *,
    origin: str,
    agent: str,
    begun: Begun | None = None,
    detail: Mapping[str, str] | None = None,
) -> SignedIn:
    """Add a session of an account whose cookie holds ``secret``, and its journal entry: the unit's last
    write."""
    at, account = now(), standing.account
    session = Session(session_id(secret), account.name, at, at, origin[:200], shown_agent(agent), begun)
    unit.sessions.add(session)
    identity = account_identity(account.name, session=session.id, origin=origin)
    unit.journal.append(entry(Action.SESSION_START, identity, now, account=account.name, detail=detail))
    return SignedIn(session, standing, secret)


def _owner(identity: Identity, account: str | None = None) -> AccountName:
    """Return whose sessions ``identity`` may see: a token, or the operator, has none of its own."""
    if account is not None and (wanted := account_name(account)) != identity.account:
        require_site(identity, Permission.ADMINISTER)
        return wanted
    if identity.account is None or identity.token is not None:
        raise NotFound("session", "of this identity")
    return identity.account


def _known_name(raw: str) -> AccountName | None:
    try:
        return account_name(raw)
    except Rejected:
        return None
