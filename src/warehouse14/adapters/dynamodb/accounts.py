"""Accounts and logins in a table."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Account, Login, Vouched
from warehouse14.domain.names import AccountName


class DynamoAccounts:
    """Implements ``Accounts``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: AccountName) -> Account | None:
        """See the port."""
        partition, place = keys.account(name)
        found = list(self._moment.table.query(partition, first=place, last=keys.LAST_GROUP))
        # Who asks who somebody is asks for the groups, too.
        self._moment.kept[keys.FIRST_GROUP, name] = found[1:]
        return people_rows.account(found[0]) if found else None

    def all(self) -> Sequence[Account]:
        """See the port."""
        names = [AccountName(item["sk"]) for item in self._moment.table.query(keys.ACCOUNTS)]
        found = self._moment.table.get_many(map(keys.account, names))
        return [people_rows.account(found[key]) for key in map(keys.account, names) if key in found]

    def add(self, account: Account) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            if found.get(key) is not None:
                raise Conflict("account", account.name)
            found.put(*people_rows.account_items(account))

        key = keys.account(account.name)
        self._moment.change([key], apply)

    def set_password(self, name: AccountName, password_hash: str, *, once: bool) -> None:
        """See the port."""
        self._change(name, password=password_hash, once=once)

    def set_disabled(self, name: AccountName, disabled: bool) -> None:
        """See the port."""
        self._change(name, disabled=disabled)

    def set_administrator(self, name: AccountName, administrator: bool) -> None:
        """See the port."""
        self._change(name, administrator=administrator)

    def set_vouched(self, name: AccountName, vouched: Vouched) -> None:
        """See the port."""
        self._change(name, vouched=people_rows.vouched_part(vouched))

    def set_signed_in(self, name: AccountName, at: datetime, *, vouched: Vouched | None = None) -> None:
        """See the port."""
        said = {} if vouched is None else {"vouched": people_rows.vouched_part(vouched)}
        self._change(name, signed_in=rows.written(at), **said)

    def _change(self, name: AccountName, **parts: Any) -> None:
        def apply(found: Rows) -> None:
            found.change(require_account(found, name), **parts)

        self._moment.change([keys.account(name)], apply)


class DynamoLogins:
    """Implements ``Logins``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, issuer: str, subject: str) -> Login | None:
        """See the port."""
        item = self._moment.table.get(keys.login(issuer, subject))
        return None if item is None else people_rows.login(item)

    def of(self, account: AccountName) -> Sequence[Login]:
        """See the port."""
        items = noted(self._moment, account, keys.FIRST_LOGIN)
        return sorted(map(people_rows.login, items), key=attrgetter("created_at", "issuer", "subject"))

    def add(self, login: Login) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            require_account(found, login.account)
            if found.get(key) is not None:
                raise Conflict("login", login.subject)
            found.put(*people_rows.login_items(login))

        key = keys.login(login.issuer, login.subject)
        self._moment.change([keys.account(login.account), key], apply)

    def remove(self, issuer: str, subject: str) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            row = found.get(key)
            if row is None:
                raise Conflict("login", subject)
            found.delete(key, keys.login_of(AccountName(row["account"]), issuer, subject))

        key = keys.login(issuer, subject)
        self._moment.change([key], apply)


def require_account(found: Rows, name: AccountName) -> dict[str, Any]:
    """Return an account that is there, or raise ``Conflict``."""
    row = found.get(keys.account(name))
    if row is None:
        raise Conflict("account", name)
    return row


def noted(moment: Moment, account: AccountName, first: str) -> list[dict[str, Any]]:
    """Return the items of an account whose notes begin with ``first``: what is noted may be gone."""
    notes = moment.table.query(keys.of_account(account), first=first, last=first + keys.END)
    wanted = [(note["to"], keys.ROW) for note in notes]
    return list(moment.table.get_many(wanted).values())
