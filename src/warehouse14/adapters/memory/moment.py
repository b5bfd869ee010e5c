"""One moment of the rows, and what a unit of work wants to change."""

from collections.abc import Callable, Hashable, Sequence

from warehouse14.adapters.memory.tables import Tables
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.model import Change
from warehouse14.domain.names import ProjectName

#: A write that waits for the end of its unit. It checks its condition and changes the rows.
Intent = Callable[[Tables], None]


class Connection:
    """What all units share that were opened since the last outage: the next one ends it for good."""

    def __init__(self) -> None:
        self.error: OSError | None = None

    def checked(self) -> "Connection":
        """Return this connection, or raise ``Unavailable`` if it was lost."""
        if self.error is not None:
            raise Unavailable("The metadata store does not answer.") from self.error
        return self


class Moment:
    """What all nouns of one unit share: the rows of one moment to read, and the intents to write."""

    def __init__(self, tables: Tables, connection: Connection, *, writable: bool) -> None:
        self._tables: Tables | None = tables
        self._connection = connection
        self._writable = writable
        self._read = False
        self._intents: list[Intent] = []
        self._items: set[Hashable] = set()
        self._changed = False
        self._changed_projects: set[ProjectName] = set()
        self._entry: Change | None = None

    @property
    def tables(self) -> Tables:
        """The committed rows that this unit sees."""
        if self._tables is None:
            raise RuntimeError("this unit of work is over")
        self._connection.checked()
        self._read = True
        return self._tables

    def renew(self, tables: Tables) -> None:
        """See ``tables`` from now on. Nothing may have been read or written before."""
        if self._read or self._items:
            raise RuntimeError("a unit of work holds a name before it reads and writes")
        self._tables = tables

    def touch(self, item: Hashable, intent: Intent) -> None:
        """Keep a write that needs no journal entry."""
        self._check_writable()
        if item in self._items:
            raise RuntimeError(f"{item} is written twice in one unit of work")
        self._items.add(item)
        self._intents.append(intent)

    def change(self, item: Hashable, intent: Intent, *, project: ProjectName | None = None) -> None:
        """Keep a write that needs a journal entry, one that names ``project`` if that is given."""
        self.touch(item, intent)
        self._changed = True
        if project is not None:
            self._changed_projects.add(project)

    def append(self, entry: Change) -> None:
        """Keep the journal entry; it is the last write."""
        self._check_writable()
        self._entry = entry
        self._intents.append(lambda tables: tables.append(entry))

    def intents(self) -> Sequence[Intent]:
        """Return all that is to be written, if it is complete."""
        if self._changed and self._entry is None:
            raise RuntimeError("a unit of work changed something without a journal entry")
        unnamed = self._changed_projects - {self._entry.project if self._entry else None}
        if unnamed:
            raise RuntimeError(f"the journal entry does not name the changed project: {sorted(unnamed)}")
        return self._intents

    def end(self) -> None:
        """Refuse everything from now on."""
        self._tables = None

    def _check_writable(self) -> None:
        if self._tables is None:
            raise RuntimeError("this unit of work is over")
        if not self._writable:
            raise RuntimeError("this unit of work only reads")
        if self._entry is not None:
            raise RuntimeError("the journal entry is the last write of a unit of work")
        self._connection.checked()
