"""Sessions in a table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.accounts import require_account
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.adapters.dynamodb.table import update
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Looked, Session
from warehouse14.domain.names import AccountName


class DynamoSessions:
    """Implements ``Sessions``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, session: str) -> Session | None:
        """See the port."""
        item = self._moment.table.get(keys.session(session))
        return None if item is None else people_rows.session(item)

    def of(self, account: AccountName) -> Sequence[Session]:
        """See the port."""
        found = map(people_rows.session, self._items_of(account))
        return sorted(found, key=attrgetter("seen_at", "id"), reverse=True)

    def _items_of(self, account: AccountName) -> list[dict[str, Any]]:
        first = keys.FIRST_SESSION
        notes = self._moment.table.query(keys.of_account(account), first=first, last=first + keys.END)
        return self._there(note["sk"].removeprefix(first) for note in notes)

    def _there(self, names: Iterable[str]) -> list[dict[str, Any]]:
        return list(self._moment.table.get_many(map(keys.session, names)).values())

    def add(self, session: Session) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            require_account(found, session.account)
            if found.get(key) is not None:
                raise Conflict("session", session.id)
            found.put(*people_rows.session_items(session))

        key = keys.session(session.id)
        self._moment.change([keys.account(session.account), key], apply)

    def touch(self, session: str, at: datetime) -> None:
        """See the port."""
        seen = update(keys.session(session), "SET seen = :at", "attribute_exists(pk)", at=rows.written(at))
        self._moment.touch(seen)

    def set_looks(self, session: str, looks: Mapping[Looked, datetime]) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            _require(found, session)

        key = keys.session(session)
        self._moment.change([key], apply)
        # Only where it still is: an ending deletes sessions before its commit, and none may come back then.
        changed = update(
            key, "SET looks = :looks", "attribute_exists(pk)", looks=people_rows.looks_part(looks)
        )
        self._moment.touch(changed, refused=Conflict("session", session))

    def end(self, session: str) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            row = _require(found, session)
            found.delete(keys.session(session), *people_rows.session_notes(row))

        self._moment.change([keys.session(session)], apply)

    def end_of(self, account: AccountName, *, but: str | None) -> None:
        """See the port."""
        self._end(lambda: [item for item in self._items_of(account) if item["id"] != but])

    def end_begun(self, issuer: str, *, subject: str | None, sid: str | None) -> Sequence[AccountName]:
        """See the port."""
        kind, value = ("sid", sid) if sid is not None else ("subject", subject or "")
        partition = keys.of_begun(issuer, kind, value)

        def begun() -> list[dict[str, Any]]:
            return self._there(note["sk"] for note in self._moment.table.query(partition))

        self._end(begun)
        return sorted({AccountName(item["account"]) for item in begun()})

    def _end(self, find: Callable[[], Iterable[dict[str, Any]]]) -> None:
        """End sessions. They may be more than one transaction takes, so they end before it."""

        def places() -> list[list[keys.Key]]:
            found = list(find())
            notes = [note for item in found for note in people_rows.session_notes(item)]
            # Notes last: a sweep that breaks off leaves no session that the next one does not find.
            return [[keys.session(item["id"]) for item in found], notes]

        self._moment.sweep(places)

    def forget(self, *, created_before: datetime, seen_before: datetime) -> None:
        """See the port."""
        dates = {"created": rows.written(created_before), "seen": rows.written(seen_before)}
        over = "created < :created OR seen < :seen"
        self._end(lambda: self._moment.table.query(keys.SESSIONS, only=over, values=dates))


def _require(found: Rows, session: str) -> dict[str, Any]:
    row = found.get(keys.session(session))
    if row is None:
        raise Conflict("session", session)
    return row
