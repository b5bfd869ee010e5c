"""Accounts, tokens, sessions and failed attempts in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from warehouse14.adapters.memory.moment import Moment
from warehouse14.domain.model import Account, Failures, Login, Looked, Role, Session, Token, Vouched
from warehouse14.domain.names import AccountName, Principal


class MemoryAccounts:
    """The accounts as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: AccountName) -> Account | None:
        """Return the account, a disabled one too, or None."""
        return self._moment.tables.accounts.get(name)

    def all(self) -> Sequence[Account]:
        """Return all accounts, by name."""
        return sorted(self._moment.tables.accounts.values(), key=attrgetter("name"))

    def add(self, account: Account) -> None:
        """Add an account."""
        self._moment.change(("account", account.name), lambda tables: tables.add_account(account))

    def set_password(self, name: AccountName, password_hash: str, *, once: bool) -> None:
        """Replace the password."""
        parts = {"password_hash": password_hash, "password_once": once}
        self._moment.change(("account", name), lambda tables: tables.change_account(name, **parts))

    def set_disabled(self, name: AccountName, disabled: bool) -> None:
        """Disable or enable."""
        self._moment.change(("account", name), lambda tables: tables.change_account(name, disabled=disabled))

    def set_administrator(self, name: AccountName, administrator: bool) -> None:
        """Give or take the rank."""
        parts = {"administrator": administrator}
        self._moment.change(("account", name), lambda tables: tables.change_account(name, **parts))

    def set_vouched(self, name: AccountName, vouched: Vouched) -> None:
        """Replace what identity providers say."""
        self._moment.change(("account", name), lambda tables: tables.change_account(name, vouched=vouched))

    def set_signed_in(self, name: AccountName, at: datetime, *, vouched: Vouched | None = None) -> None:
        """Note a sign-in."""
        parts: dict[str, Any] = (
            {"signed_in_at": at} if vouched is None else {"signed_in_at": at, "vouched": vouched}
        )
        self._moment.change(("account", name), lambda tables: tables.change_account(name, **parts))


class MemoryLogins:
    """The logins as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, issuer: str, subject: str) -> Login | None:
        """Return the login, or None."""
        return self._moment.tables.logins.get((issuer, subject))

    def of(self, account: AccountName) -> Sequence[Login]:
        """Return an account's logins, the oldest first."""
        logins = (login for login in self._moment.tables.logins.values() if login.account == account)
        return sorted(logins, key=attrgetter("created_at", "issuer", "subject"))

    def add(self, login: Login) -> None:
        """Add a login."""
        key = (login.issuer, login.subject)
        self._moment.change(("login", key), lambda tables: tables.add_login(login))

    def remove(self, issuer: str, subject: str) -> None:
        """Remove a login."""
        key = (issuer, subject)
        self._moment.change(("login", key), lambda tables: tables.remove_login(key))


class MemoryTokens:
    """The tokens as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, token: str) -> Token | None:
        """Return the token, a revoked one too, or None."""
        return self._moment.tables.tokens.get(token)

    def of(self, account: AccountName) -> Sequence[Token]:
        """Return an account's tokens, the oldest first."""
        tokens = (token for token in self._moment.tables.tokens.values() if token.account == account)
        return sorted(tokens, key=attrgetter("created_at", "id"))

    def ending_of_services(
        self,
        account: AccountName,
        principals: frozenset[Principal],
        *,
        after: datetime,
        until: datetime,
        count: int,
    ) -> Sequence[Token]:
        """Return the tokens that end soon of what somebody is an admin of."""
        tables = self._moment.tables
        owners = {
            f"project:{project.name}"
            for project in tables.projects.values()
            if project.deleted_at is None and any(project.grants.get(who) is Role.ADMIN for who in principals)
        } | {
            f"group:{group.name}"
            for group in tables.groups.values()
            if group.deleted_at is None and group.members.get(account)
        }
        found = [
            (token.expires_at, token.id, token)
            for token in tables.tokens.values()
            if token.account in owners
            and token.revoked_at is None
            and token.expires_at is not None
            and after < token.expires_at <= until
        ]
        return [token for *_, token in sorted(found)[:count]]

    def add(self, token: Token) -> None:
        """Add a token."""
        self._moment.change(("token", token.id), lambda tables: tables.add_token(token))

    def revoke(self, token: str, at: datetime) -> None:
        """End a token."""
        self._moment.change(("token", token), lambda tables: tables.revoke_token(token, at))

    def expire(self, token: str, at: datetime) -> None:
        """Let a token end earlier."""
        self._moment.change(("token", token), lambda tables: tables.expire_token(token, at))

    def touch(self, token: str, at: datetime, *, unless_since: datetime, origin: str, agent: str) -> None:
        """Note a use."""
        use = {"last_used_at": at, "last_used_from": origin, "last_used_by": agent}
        self._moment.touch(("token", token), lambda tables: tables.touch_token(token, unless_since, use))


class MemorySessions:
    """The sessions as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, session: str) -> Session | None:
        """Return the session, or None."""
        return self._moment.tables.sessions.get(session)

    def of(self, account: AccountName) -> Sequence[Session]:
        """Return an account's sessions, the one that was seen last first."""
        sessions = (row for row in self._moment.tables.sessions.values() if row.account == account)
        return sorted(sessions, key=attrgetter("seen_at", "id"), reverse=True)

    def add(self, session: Session) -> None:
        """Add a session."""
        self._moment.change(("session", session.id), lambda tables: tables.add_session(session))

    def touch(self, session: str, at: datetime) -> None:
        """Note that it was seen."""
        self._moment.touch(("session", session), lambda tables: tables.touch_session(session, at))

    def set_looks(self, session: str, looks: Mapping[Looked, datetime]) -> None:
        """Replace what it looks into."""
        self._moment.change(("session", session), lambda tables: tables.set_looks(session, dict(looks)))

    def end(self, session: str) -> None:
        """End a session."""
        self._moment.change(("session", session), lambda tables: tables.end_session(session))

    def end_of(self, account: AccountName, *, but: str | None) -> None:
        """End all of an account but one."""
        self._moment.change(("sessions", account), lambda tables: tables.end_sessions(account, but))

    def end_begun(self, issuer: str, *, subject: str | None, sid: str | None) -> Sequence[AccountName]:
        """End those that began with a provider's session, or with any of a person there."""
        ended = [
            session
            for session in self._moment.tables.sessions.values()
            if (begun := session.begun) is not None
            and begun.issuer == issuer
            and (begun.sid == sid if sid is not None else begun.subject == subject)
        ]
        ids = {session.id for session in ended}
        # Where none ends, nothing changes that an entry would have to tell.
        write = self._moment.change if ended else self._moment.touch
        write(("sessions", issuer, subject, sid), lambda tables: tables.drop_sessions(ids))
        return sorted({session.account for session in ended})

    def forget(self, *, created_before: datetime, seen_before: datetime) -> None:
        """Remove those that are over."""
        self._moment.touch("sessions", lambda tables: tables.forget_sessions(created_before, seen_before))


class MemoryAttempts:
    """The failures as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def of(self, keys: Sequence[str]) -> Mapping[str, Failures]:
        """Return what was counted under each of ``keys``."""
        counted = self._moment.tables.attempts
        return {key: counted[key] for key in keys if key in counted}

    def count(self, key: str, at: datetime, *, since: datetime, expected: int) -> None:
        """Count one more."""
        self._moment.touch(("attempts", key), lambda tables: tables.count_attempt(key, at, since, expected))

    def take_back(self, key: str, at: datetime, before: datetime) -> None:
        """Count one less."""
        self._moment.touch(("attempts", key), lambda tables: tables.take_back_attempt(key, at, before))

    def clear(self, key: str) -> None:
        """Forget what was counted."""
        self._moment.touch(("attempts", key), lambda tables: tables.clear_attempts(key))

    def forget(self, before: datetime) -> None:
        """Remove what is old."""
        self._moment.touch("attempts", lambda tables: tables.forget_attempts(before))
