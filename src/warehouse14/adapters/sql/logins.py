"""Logins in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import logins
from warehouse14.domain.errors import AlreadyExists
from warehouse14.domain.model import Login
from warehouse14.domain.names import AccountName, ProviderName

_THERE = (logins.c.issuer == bindparam("of_issuer"), logins.c.subject == bindparam("of_subject"))
_GET = select(logins).where(*_THERE)
_OF = (
    select(logins)
    .where(logins.c.account == bindparam("of_account"))
    .order_by(logins.c.created_at, logins.c.issuer, logins.c.subject)
)
_REMOVE = delete(logins).where(*_THERE)
_ALIKE = (
    "The database of this site cannot tell this person from another one at the provider, whose name there "
    "differs in spaces at the end alone, and who signs in here no more. An administrator of this site can "
    "part that login from its account."
)


class SqlLogins:
    """Implements ``Logins``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, issuer: str, subject: str) -> Login | None:
        """See the port."""
        login = self._like(issuer, subject)
        # Whoever signs in is nobody else.
        return login if login is not None and _is(login, issuer, subject) else None

    def of(self, account: AccountName) -> Sequence[Login]:
        """See the port."""
        return [_login(row) for row in self._run.rows(_OF, of_account=account)]

    def add(self, login: Login) -> None:
        """See the port. Raises ``AlreadyExists`` where this engine cannot keep it beside another's, which no
        further try would change."""
        like = self._like(login.issuer, login.subject)
        if like is not None and not _is(like, login.issuer, login.subject):
            raise AlreadyExists("login", login.subject, _ALIKE)
        self._run.insert(insert(logins), login_values(login), kind="login", name=login.subject)

    def remove(self, issuer: str, subject: str) -> None:
        """See the port."""
        values = {"of_issuer": issuer, "of_subject": subject}
        self._run.change(_REMOVE, values, kind="login", name=subject)

    def _like(self, issuer: str, subject: str) -> Login | None:
        """Return the login that the engine takes for this one: MariaDB passes over spaces at the end."""
        row = self._run.rows(_GET, of_issuer=issuer, of_subject=subject).one_or_none()
        return None if row is None else _login(row)


def login_values(login: Login) -> dict[str, Any]:
    """Return the row of a login."""
    return {
        "issuer": login.issuer,
        "subject": login.subject,
        "provider": login.provider,
        "account": login.account,
        "created_at": login.created_at,
    }


def _is(login: Login, issuer: str, subject: str) -> bool:
    return (login.issuer, login.subject) == (issuer, subject)


def _login(row: Row[Any]) -> Login:
    return Login(
        issuer=row.issuer,
        subject=row.subject,
        provider=ProviderName(row.provider),
        account=AccountName(row.account),
        created_at=row.created_at,
    )
