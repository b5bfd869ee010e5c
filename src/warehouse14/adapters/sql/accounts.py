"""Accounts and tokens in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, func, insert, or_, select, update

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import accounts, grants, group_members, groups, projects, tokens
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Account, Reach, Role, Scope, Token, Vouched, in_order
from warehouse14.domain.names import AccountName, Principal, ProviderName

_ACCOUNT = select(accounts).where(accounts.c.name == bindparam("of_name"))
_ACCOUNTS = select(accounts).order_by(accounts.c.name)
_CHANGE_ACCOUNT = update(accounts).where(accounts.c.name == bindparam("of_name"))
_SET_PASSWORD = _CHANGE_ACCOUNT.values(
    password_hash=bindparam("new_hash"), password_once=bindparam("new_once")
)
_SET_DISABLED = _CHANGE_ACCOUNT.values(disabled=bindparam("new_disabled"))
_SET_ADMINISTRATOR = _CHANGE_ACCOUNT.values(administrator=bindparam("new_administrator"))

_SET_VOUCHED = _CHANGE_ACCOUNT.values(
    vouched_at=bindparam("new_at"),
    email=bindparam("new_email"),
    provider_groups=bindparam("new_groups"),
    kept_out=bindparam("new_kept_out"),
    seen=bindparam("new_seen"),
)
_SET_SIGNED_IN = _CHANGE_ACCOUNT.values(signed_in_at=bindparam("new_signed_in_at"))

_TOKEN = select(tokens).where(tokens.c.id == bindparam("of_id"))
_TOKENS = (
    select(tokens)
    .where(tokens.c.account == bindparam("of_account"))
    .order_by(tokens.c.created_at, tokens.c.id)
)
#: How the names of service accounts begin; that of the project or group follows.
_OF_PROJECT, _OF_GROUP = "project:", "group:"


def _served(kind: str) -> ColumnElement[str]:
    """Return the name of the project or group that a token's account serves, if it is of that kind."""
    return func.substr(tokens.c.account, len(kind) + 1)


#: From the few tokens that end soon, and not from all that somebody is an admin of.
_ADMINISTERS = or_(
    and_(
        tokens.c.account.startswith(_OF_PROJECT),
        exists().where(
            grants.c.project == _served(_OF_PROJECT),
            grants.c.principal.in_(bindparam("principals", expanding=True)),
            grants.c.role == Role.ADMIN.value,
        ),
        exists().where(projects.c.name == _served(_OF_PROJECT), projects.c.deleted_at.is_(None)),
    ),
    and_(
        tokens.c.account.startswith(_OF_GROUP),
        exists().where(
            group_members.c.group == _served(_OF_GROUP),
            group_members.c.account == bindparam("of_account"),
            group_members.c.admin,
        ),
        exists().where(groups.c.name == _served(_OF_GROUP), groups.c.deleted_at.is_(None)),
    ),
)
_ENDING = (
    select(tokens)
    .where(
        tokens.c.revoked_at.is_(None),
        tokens.c.expires_at > bindparam("after"),
        tokens.c.expires_at <= bindparam("until"),
        _ADMINISTERS,
    )
    .order_by(tokens.c.expires_at, tokens.c.id)
    .limit(bindparam("most"))
)
_REVOKE = (
    update(tokens)
    .where(tokens.c.id == bindparam("of_id"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
_EXPIRE = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("of_id"),
        tokens.c.revoked_at.is_(None),
        or_(tokens.c.expires_at.is_(None), tokens.c.expires_at >= bindparam("at")),
    )
    .values(expires_at=bindparam("at"))
)
_TOUCH = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("of_id"),
        or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < bindparam("unless_since")),
    )
    .values(last_used_at=bindparam("at"), last_used_from=bindparam("origin"), last_used_by=bindparam("agent"))
)


class SqlAccounts:
    """Implements ``Accounts``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, name: AccountName) -> Account | None:
        """See the port."""
        row = self._run.rows(_ACCOUNT, of_name=name).one_or_none()
        return None if row is None else _account(row)

    def all(self) -> Sequence[Account]:
        """See the port."""
        return [_account(row) for row in self._run.rows(_ACCOUNTS)]

    def add(self, account: Account) -> None:
        """See the port."""
        self._run.insert(insert(accounts), account_values(account), kind="account", name=account.name)

    def set_password(self, name: AccountName, password_hash: str, *, once: bool) -> None:
        """See the port."""
        values = {"of_name": name, "new_hash": password_hash, "new_once": once}
        self._run.change(_SET_PASSWORD, values, kind="account", name=name)

    def set_disabled(self, name: AccountName, disabled: bool) -> None:
        """See the port."""
        values = {"of_name": name, "new_disabled": disabled}
        self._run.change(_SET_DISABLED, values, kind="account", name=name)

    def set_administrator(self, name: AccountName, administrator: bool) -> None:
        """See the port."""
        values = {"of_name": name, "new_administrator": administrator}
        self._run.change(_SET_ADMINISTRATOR, values, kind="account", name=name)

    def set_vouched(self, name: AccountName, vouched: Vouched) -> None:
        """See the port."""
        values = {f"new_{key}": value for key, value in _vouched_values(vouched).items()}
        self._run.change(_SET_VOUCHED, {"of_name": name, **values}, kind="account", name=name)

    def set_signed_in(self, name: AccountName, at: datetime, *, vouched: Vouched | None = None) -> None:
        """See the port."""
        values = {"of_name": name, "new_signed_in_at": at}
        self._run.change(_SET_SIGNED_IN, values, kind="account", name=name)
        if vouched is not None:
            self.set_vouched(name, vouched)


class SqlTokens:
    """Implements ``Tokens``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, token: str) -> Token | None:
        """See the port."""
        row = self._run.rows(_TOKEN, of_id=token).one_or_none()
        return None if row is None else _token(row)

    def of(self, account: AccountName) -> Sequence[Token]:
        """See the port."""
        return [_token(row) for row in self._run.rows(_TOKENS, of_account=account)]

    def ending_of_services(
        self,
        account: AccountName,
        principals: frozenset[Principal],
        *,
        after: datetime,
        until: datetime,
        count: int,
    ) -> Sequence[Token]:
        """See the port."""
        rows = self._run.rows(
            _ENDING,
            of_account=account,
            principals=sorted(principals),
            after=after,
            until=until,
            most=count,
        )
        return [_token(row) for row in rows]

    def add(self, token: Token) -> None:
        """See the port."""
        if self._run.rows(_ACCOUNT, of_name=token.account).one_or_none() is None:
            raise Conflict("account", token.account)
        self._run.insert(insert(tokens), token_values(token), kind="token", name=token.id)

    def revoke(self, token: str, at: datetime) -> None:
        """See the port."""
        self._run.change(_REVOKE, {"of_id": token, "at": at}, kind="token", name=token)

    def expire(self, token: str, at: datetime) -> None:
        """See the port."""
        self._run.change(_EXPIRE, {"of_id": token, "at": at}, kind="token", name=token)

    def touch(self, token: str, at: datetime, *, unless_since: datetime, origin: str, agent: str) -> None:
        """See the port."""
        values = {"at": at, "unless_since": unless_since, "origin": origin, "agent": agent}
        self._run.rows(_TOUCH, of_id=token, **values)


def _account(row: Row[Any]) -> Account:
    return Account(
        name=AccountName(row.name),
        administrator=row.administrator,
        created_at=row.created_at,
        password_hash=row.password_hash,
        disabled=row.disabled,
        password_once=row.password_once,
        vouched=_vouched(row),
        signed_in_at=row.signed_in_at,
    )


def account_values(account: Account) -> dict[str, Any]:
    """Return the row of an account."""
    return {
        "name": account.name,
        "administrator": account.administrator,
        "created_at": account.created_at,
        "password_hash": account.password_hash,
        "disabled": account.disabled,
        "password_once": account.password_once,
        "signed_in_at": account.signed_in_at,
        **_vouched_values(account.vouched, at="vouched_at", groups="provider_groups"),
    }


def _vouched_values(vouched: Vouched | None, *, at: str = "at", groups: str = "groups") -> dict[str, Any]:
    return {
        at: vouched and vouched.at,
        "email": vouched and vouched.email,
        groups: vouched and sorted(vouched.groups),
        "kept_out": vouched and sorted(vouched.kept_out),
        "seen": vouched and {name: at.isoformat() for name, at in vouched.seen.items()},
    }


def _vouched(row: Row[Any]) -> Vouched | None:
    if row.vouched_at is None:
        return None
    return Vouched(
        at=row.vouched_at,
        email=row.email,
        groups=frozenset(row.provider_groups),
        kept_out=frozenset(row.kept_out),
        seen={ProviderName(name): datetime.fromisoformat(at) for name, at in row.seen.items()},
    )


def token_values(token: Token) -> dict[str, Any]:
    """Return the row of a token."""
    return {
        "id": token.id,
        "account": token.account,
        "name": token.name,
        "scope": ",".join(in_order(token.scopes)),
        "project": token.reach.project,
        "prefix": token.reach.prefix,
        "days": token.days,
        "addresses": list(token.addresses) or None,
        "secret_sha256": token.secret_sha256,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "last_used_from": token.last_used_from,
        "last_used_by": token.last_used_by,
        "revoked_at": token.revoked_at,
    }


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        account=AccountName(row.account),
        name=row.name,
        scopes=frozenset(map(Scope, row.scope.split(","))),
        reach=Reach(row.project, row.prefix),
        secret_sha256=row.secret_sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        days=row.days,
        addresses=tuple(row.addresses or ()),
        last_used_at=row.last_used_at,
        last_used_from=row.last_used_from,
        last_used_by=row.last_used_by,
        revoked_at=row.revoked_at,
    )
