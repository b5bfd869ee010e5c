"""What all nouns of one unit share: what was read, and what is to be written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.adapters.dynamodb.table import Table
from warehouse14.adapters.dynamodb.waiting import Deadline
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Change
from warehouse14.domain.names import ProjectName

#: For how long a unit waits for others in all, in seconds: for names that it holds, in its process, in the
#: table, and for a transaction of its own that is on its way.
PATIENCE = 20.0
#: Which part of that is for its commit alone.
_OF_COMMIT = 0.25


class Rows:
    """The items that a commit has read, and those that it writes.

    Nobody else has changed them if the serial has not moved at the end.
    """

    def __init__(self, found: Mapping[Key, dict[str, Any]]) -> None:
        self._found = found
        self.written: dict[Key, Item | None] = {}

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return an item as it is now or will be, or None."""
        if key in self.written:
            found = self.written[key]
            return None if found is None else dict(found)
        return self._found.get(key)

    def put(self, *items: Item) -> None:
        """Write items."""
        for item in items:
            self.written[item["pk"], item["sk"]] = item

    def change(self, item: Item, **parts: Any) -> None:
        """Write an item with other parts."""
        self.put({**item, **parts})

    def changed_files(self) -> list[tuple[Item, Item]]:
        """Return the items of files that are written and were there, as they were and as they will be."""
        return [
            (self._found[key], item)
            for key, item in self.written.items()
            if item is not None and "p" in item and key in self._found
        ]

    def leave(self, place: Key) -> None:
        """Write nothing there."""
        del self.written[place]

    def delete(self, *places: Key) -> None:
        """Delete items; those that are not there are fine."""
        self.written.update(dict.fromkeys(places))

    def listed_project(self, name: ProjectName, expected: int | None = None) -> dict[str, Any]:
        """Return a project that is there, is not deleted, and has not changed since the serial
        ``expected``, or raise ``Conflict``."""
        row = self.get(keys.project(name))
        if row is None or row.get("deleted") is not None or expected not in {None, row["serial"]}:
            raise Conflict("project", name)
        return row


#: Changes rows, or raises ``Conflict``.
Apply = Callable[[Rows], None]


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that waits for the end of its unit: the items that it has to know, and what it does."""

    needs: Sequence[Key]
    apply: Apply


@dataclass(frozen=True, slots=True)
class Touch:
    """A write that needs no journal entry.

    Attributes:
        operation: what is asked of the service.
        refused: what is raised where its condition does not hold; None where that is fine.
        instead: what is asked then in its place.
    """

    operation: Mapping[str, Any]
    refused: Conflict | None = None
    instead: Mapping[str, Any] | None = None

    def after_refusal(self) -> list["Touch"]:
        """Return what is left to do where the condition does not hold. Raises ``Conflict``."""
        if self.refused is not None:
            raise self.refused
        return [] if self.instead is None else [Touch(self.instead)]


class Moment:
    """What one unit wants."""

    def __init__(self, table: Table, *, writable: bool) -> None:
        self._table: Table | None = table
        self._writable = writable
        self._deadline = Deadline(PATIENCE)
        self.intents: list[Intent] = []
        self.touches: list[Touch] = []
        #: Find items that need not be deleted at once with the rest: they go before it, one part after the
        #: other.
        self.sweeps: list[Callable[[], Sequence[Sequence[Key]]]] = []
        self.entry: Change | None = None
        #: Who holds what in this unit, by key.
        self.held: dict[Key, str] = {}
        #: What was read in this unit and is asked for again.
        self.kept: dict[Any, Any] = {}

    @property
    def table(self) -> Table:
        """The table, as long as the unit lasts."""
        if self._table is None:
            raise RuntimeError("this unit of work is over")
        return self._table

    def patience_of_hold(self) -> float:
        """Return how many seconds are left to wait for a name."""
        return max(0.0, self._deadline.left() - PATIENCE * _OF_COMMIT)

    def deadline_of_commit(self) -> Deadline:
        """Return the time that the commit has from now on: all that is left, and a fair part also where the
        unit itself took long, as it does behind a slow file store."""
        return Deadline(max(self._deadline.left(), PATIENCE * _OF_COMMIT))

    def change(self, needs: Iterable[Key], apply: Apply) -> None:
        """Keep a write that needs a journal entry."""
        self._check_writable()
        self.intents.append(Intent(list(needs), apply))

    def touch(
        self,
        operation: Mapping[str, Any],
        refused: Conflict | None = None,
        instead: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a write that needs none; see :class:`Touch`."""
        self._check_writable()
        self.touches.append(Touch(operation, refused, instead))

    def sweep(self, over: Callable[[], Sequence[Sequence[Key]]]) -> None:
        """Delete items before the rest of the unit: what is over, or ends whatever comes of the rest. They
        are looked for whenever the unit is decided, as others may have come to them. Each part of them is
        gone before the next is touched."""
        self._check_writable()
        self.sweeps.append(over)

    def append(self, entry: Change) -> None:
        """Keep the journal entry; it is the last write."""
        self._check_writable()
        self.entry = entry

    def end(self) -> None:
        """Refuse everything from now on."""
        self._table = None

    def _check_writable(self) -> None:
        if self._table is None:
            raise RuntimeError("this unit of work is over")
        if not self._writable:
            raise RuntimeError("this unit of work only reads")
        if self.entry is not None:
            raise RuntimeError("the journal entry is the last write of a unit of work")


def apply_entry(found: Rows, change: Change) -> None:
    """Write an entry that has its serial, and give that to the project that it names."""
    found.put(*rows.entry_items(change))
    if change.project is None:
        return
    row = found.get(keys.project(change.project))
    if row is not None:
        found.change(row, serial=change.serial)


def apply_lists(found: Rows) -> None:
    """Let the lists of projects say what the projects say."""
    for (partition, place), item in list(found.written.items()):
        if item is None or (partition, place) != keys.project(item.get("name", "")):
            continue
        line = rows.listing_item(item)
        found.delete(*((other, item["name"]) for other in keys.LISTS if other != line["pk"]))
        found.put(line)
