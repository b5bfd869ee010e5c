"""The journal in a table."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.moment import Moment
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change

#: How long an entry is waited for that was committed, and that a query does not show, in seconds.
_PATIENCE = 5.0


class DynamoJournal:
    """Implements ``Journal``. ``newest`` is a serial that is known to be reached."""

    def __init__(self, moment: Moment, newest: int) -> None:
        self._moment = moment
        self._newest = newest

    def append(self, change: Change) -> None:
        """See the port."""
        self._moment.append(change)

    def serial(self) -> int:
        """See the port. Whoever reads on from here is shown that entry, too."""
        site = self._moment.table.get(keys.SITE) or {}
        serial = int(site.get("n", 0))
        self._newest = max(self._newest, serial)
        return serial

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """See the port. A query is of no single moment: one that lacks an entry is made again. It need not
        show what is committed while it is made."""
        known = self._newest
        for _ in tries(_PATIENCE):
            first = keys.place(serial + 1)
            items = self._moment.table.query(keys.JOURNAL, first=first, limit=max(limit, 1))
            found = self._reached([rows.entry(item) for item in islice(items, limit)])
            if self._is_whole(serial, found) and (len(found) == limit or self._ends(known, serial, found)):
                return found
        raise Unavailable("The database does not show all that was committed. Try again.")

    def _reached(self, found: Sequence[Change]) -> Sequence[Change]:
        """Return what was found without what is beyond the serial: it is being restored, or was left by a
        restoration that broke off."""
        if not found or found[-1].serial <= self._newest:
            return found
        newest = self.serial()
        return [change for change in found if change.serial <= newest]

    def _is_whole(self, serial: int, found: Sequence[Change]) -> bool:
        """Whether nothing lacks in what was found after ``serial``.

        Commits leave no gaps, but what was restored may have some. So the entry before each gap's end is
        asked for, at one moment with the serial, which is at the end of the gap or beyond it: if there is no
        such entry, there never was.
        """
        before = max(serial, 0)
        for change in found:
            if change.serial != before + 1:
                entry = (keys.JOURNAL, keys.place(change.serial - 1))
                if entry in self._moment.table.get_at_once([keys.SITE, entry]):
                    return False
            before = change.serial
        return True

    def _ends(self, known: int, serial: int, found: Sequence[Change]) -> bool:
        """Whether the entry was found of a serial that is ``known``, which may be shown before it."""
        if known <= (found[-1].serial if found else serial):
            return True
        entry = (keys.JOURNAL, keys.place(known))
        return entry not in self._moment.table.get_at_once([keys.SITE, entry])

    def found(self, sought: Sought, *, before: int | None, after: int | None, count: int) -> Sequence[Change]:
        """See the port."""
        reached = self._each_reached(map(rows.entry, self._walk(sought, before, after, count)))
        found = list(islice(filter(sought.finds, reached), count))
        return found if after is None else found[::-1]

    def _each_reached(self, entries: Iterator[Change]) -> Iterator[Change]:
        """Yield entries as :meth:`_reached` returns them. The serial is read once, and only where one is
        beyond what is known of it."""
        newest, is_read = self._newest, False
        for change in entries:
            if change.serial > newest and not is_read:
                newest, is_read = self.serial(), True
            if change.serial <= newest:
                yield change

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
