"""The journal in a table."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.moment import Moment
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change


class DynamoJournal:
    """Implements ``Journal``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def append(self, change: Change) -> None:
        """See the port."""
        self._moment.append(change)

    def serial(self) -> int:
        """See the port."""
        site = self._moment.table.get(keys.SITE) or {}
        return int(site.get("n", 0))

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """See the port."""
        found = self._moment.table.query(keys.JOURNAL, first=keys.place(serial + 1), limit=max(limit, 1))
        return [rows.entry(item) for item in islice(found, limit)]

    def found(self, sought: Sought, *, before: int | None, after: int | None, count: int) -> Sequence[Change]:
        """See the port."""
        fitting = filter(sought.finds, map(rows.entry, self._walk(sought, before, after, count)))
        found = list(islice(fitting, count))
        return found if after is None else found[::-1]

    def _walk(
        self, sought: Sought, before: int | None, after: int | None, count: int
    ) -> Iterator[dict[str, Any]]:
        """Yield the entries among which those that are sought are, in the order in which they are wanted."""
        last = None if before is None or after is not None else keys.place(max(before - 1, 0))
        first = None if after is None else keys.place(max(after, 0) + 1)
        # Mostly the next ones are it: a megabyte would be thousands.
        return self._moment.table.query(
            _partition(sought), first=first, last=last, reverse=after is None, limit=max(count, 1)
        )


def _partition(sought: Sought) -> str:
    """Return the smallest partition in which all that is sought must be."""
    ways = [
        ("token", sought.token),
        ("project", sought.project),
        ("group", sought.group),
        ("concerning", sought.account or sought.concerning or sought.actor),
    ]
    for kind, value in ways:
        if value is not None:
            return keys.of_entries(kind, value)
    return keys.JOURNAL
