"""API tokens in a table."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.accounts import noted, require_account
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.adapters.dynamodb.table import update
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Role, Token
from warehouse14.domain.names import AccountName, GroupName, Principal, ProjectName


class DynamoTokens:
    """Implements ``Tokens``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, token: str) -> Token | None:
        """See the port."""
        item = self._moment.table.get(keys.token(token))
        return None if item is None else people_rows.token(item)

    def of(self, account: AccountName) -> Sequence[Token]:
        """See the port."""
        found = noted(self._moment, account, keys.FIRST_TOKEN)
        return sorted(map(people_rows.token, found), key=attrgetter("created_at", "id"))

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
        # What ends just then is noted at the time and a #, which comes before this.
        first, last = f"{rows.written(after)}$", f"{rows.written(until)}$"
        notes = list(self._moment.table.query(keys.ENDING, first=first, last=last))
        administered = self._administered({note["account"] for note in notes}, account, principals)
        wanted = [(note["to"], keys.ROW) for note in notes if note["account"] in administered]
        found = self._moment.table.get_many(wanted[:count])
        return [people_rows.token(found[key]) for key in wanted[:count] if key in found]

    def _administered(
        self, services: Iterable[str], account: AccountName, principals: frozenset[Principal]
    ) -> set[str]:
        """Return those of the service accounts whose project or group somebody is an admin of."""
        owners = {service: _owner(service) for service in services}
        asked = [key for kind, name in owners.values() for key in _places(kind, name, account, principals)]
        found = self._moment.table.get_many(asked)
        return {
            service
            for service, (kind, name) in owners.items()
            if any(_is_admin(found.get(key)) for key in _places(kind, name, account, principals)[1:])
            and found.get(_places(kind, name, account, principals)[0], {"deleted": ""}).get("deleted") is None
        }

    def add(self, token: Token) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            require_account(found, token.account)
            if found.get(key) is not None:
                raise Conflict("token", token.id)
            found.put(*people_rows.token_items(token))

        key = keys.token(token.id)
        self._moment.change([keys.account(token.account), key], apply)

    def revoke(self, token: str, at: datetime) -> None:
        """See the port."""
        self._change(token, lambda _: True, revoked=rows.written(at))

    def expire(self, token: str, at: datetime) -> None:
        """See the port."""
        ends = str(rows.written(at))
        self._change(token, lambda row: (row.get("expires") or ends) >= ends, expires=ends)

    def _change(self, token: str, fits: Callable[[dict[str, Any]], bool], **parts: Any) -> None:
        def apply(found: Rows) -> None:
            row = found.get(key)
            if row is None or row.get("revoked") is not None or not fits(row):
                raise Conflict("token", token)
            found.delete(people_rows.ending(row))
            found.change(row, **parts)
            found.put(*people_rows.ending_items({**row, **parts}))

        key = keys.token(token)
        self._moment.change([key], apply)

    def touch(self, token: str, at: datetime, *, unless_since: datetime, origin: str, agent: str) -> None:
        """See the port."""
        operation = update(
            keys.token(token),
            "SET used = :at, used_from = :origin, used_by = :agent",
            "attribute_exists(pk) AND (attribute_not_exists(used) OR used < :unless)",
            at=rows.written(at),
            origin=origin,
            agent=agent,
            unless=rows.written(unless_since),
        )
        self._moment.touch(operation)


def _owner(service: str) -> tuple[str, str]:
    kind, _, name = service.partition(":")
    return kind, name


def _places(kind: str, name: str, account: AccountName, principals: frozenset[Principal]) -> list[keys.Key]:
    """Return where a project or a group stands, and where it is said that somebody is an admin of it."""
    if kind == "project":
        project = ProjectName(name)
        return [keys.project(project), *(keys.grant(project, who) for who in sorted(principals))]
    return [keys.group(GroupName(name)), keys.member(GroupName(name), account)]


def _is_admin(item: dict[str, Any] | None) -> bool:
    return item is not None and (item.get("role") == Role.ADMIN.value or item.get("admin") is True)
