"""A cache that follows the journal, so that what it holds is never older than the last commit.

Each value is kept under tags, the subjects that it was made from. Once in a
request :meth:`FollowedCache.follow` asks the store's pulse; if anything was
committed, the journal's new entries name the tags whose values go. There is
no time-to-live: a change is seen by the very next request, on every process.
Where a store shows a commit part by part, what has just changed is not kept.
Where the last entry that was followed is no more, or is another, the store
was put back under the running program, and everything goes.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from warehouse14.domain.model import Change
from warehouse14.domain.names import AccountName, GroupName, ProjectName
from warehouse14.domain.ports import Settles, UnitOfWork, Units
from warehouse14.domain.settling import Settling

#: More new entries than this, and everything goes.
_MOST_ENTRIES = 1000


def project_tag(name: ProjectName) -> str:
    """Return the tag of what was made from one project and its files."""
    return f"project:{name}"


def account_tag(name: AccountName) -> str:
    """Return the tag of what was made from one account."""
    return f"account:{name}"


def group_tag(name: GroupName) -> str:
    """Return the tag of what was made from one group."""
    return f"group:{name}"


def token_tag(token: str) -> str:
    """Return the tag of what was made from one token."""
    return f"token:{token}"


def changed_tags(change: Change) -> list[str]:
    """Return the tags whose values ``change`` makes stale."""
    tags = []
    if change.project is not None:
        tags.append(project_tag(change.project))
    if change.account is not None:
        tags.append(account_tag(change.account))
    if change.group is not None:
        tags.append(group_tag(change.group))
    if change.token is not None:
        tags.append(token_tag(change.token))
    return tags


def _changes_since(unit: UnitOfWork, serial: int, last: Change | None) -> Sequence[Change] | None:
    """Return the entries after ``serial``, as many as are worth reading and one more; or None if the entry
    of that serial is not ``last``. It is asked for with the others: that costs nothing."""
    entries = unit.journal.since(max(serial - 1, 0), _MOST_ENTRIES + 2)
    changes = [change for change in entries if change.serial > serial]
    there = next((change for change in entries if change.serial == serial), None)
    return changes if there == last else None


def _entry(unit: UnitOfWork, serial: int) -> Change | None:
    """Return the entry ``serial``, or None if there is none."""
    found = unit.journal.since(max(serial - 1, 0), 1)
    return found[0] if found and found[0].serial == serial else None


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    size: int
    tags: tuple[str, ...]


class FollowedCache:
    """Values by key, the least recently used first out, at most ``max_bytes`` of them.

    Attributes:
        size: how many bytes they have by now.
        hits, misses: how often a value was asked for that was there, and that was not.
        projects_serial: the last entry that it knows of with which any project changed, or a later one.
    """

    def __init__(self, units: Units, *, max_bytes: int) -> None:
        self._units = units
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._seen = threading.local()
        self._serial = self.projects_serial = -1
        #: The entry of that serial, or None if there is none.
        self._last: Change | None = None
        #: How often it has begun again.
        self._beginnings = 0
        self.size = self.hits = self.misses = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._by_tag: dict[str, set[Hashable]] = {}
        self._settling = Settling(units.settle_seconds if isinstance(units, Settles) else 0)

    def follow(self) -> None:
        """Drop what has changed since the last time. Raises ``Unavailable``."""
        self._seen.at = self._settling.now()
        pulse = self._units.pulse()
        # Of a store that was put back, the pulse may come to the same value again.
        is_of_this_past = getattr(self._seen, "beginnings", 0) == self._beginnings
        if is_of_this_past and getattr(self._seen, "pulse", None) == pulse:
            return
        while not self._catch_up():
            # Another thread began again meanwhile, or went on from where this one would have.
            pass
        self._seen.pulse = pulse

    def _catch_up(self) -> bool:
        """Go to the journal's end. Return False where that has to be asked for anew."""
        # Before the unit begins: what that reads is no older, so that an entry that it lacks is no more.
        with self._lock:
            known, last = self._serial, self._last
        with self._units.read() as unit:
            changes = None if known < 0 else _changes_since(unit, known, last)
            if changes is not None and len(changes) <= _MOST_ENTRIES:
                self._advance(changes)
            else:
                serial = unit.journal.serial()
                if not self._start_again(serial, _entry(unit, serial), instead_of=(known, last)):
                    return False
        with self._lock:
            self._seen.serial, self._seen.beginnings = self._serial, self._beginnings
        return True

    def serial(self, unit: UnitOfWork) -> int:
        """Return a serial that what ``unit`` reads is no older than: that to which this thread has followed,
        which costs nothing, or else that of the journal."""
        seen: int | None = getattr(self._seen, "serial", None)
        return unit.journal.serial() if seen is None else seen

    def settled(self, serial: int) -> int:
        """Return the last entry up to ``serial`` that was shown whole to this thread since it followed."""
        with self._lock:
            return self._settling.settled(serial, self._read_at())

    def _read_at(self) -> float:
        """Return from when on this thread has read what it has by now."""
        at: float = getattr(self._seen, "at", 0.0)
        return at

    def get(self, key: Hashable) -> Any | None:
        """Return the value of ``key``, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return entry.value

    def put(self, key: Hashable, value: Any, *, size: int, tags: Sequence[str], serial: int) -> None:
        """Keep ``value``, of about ``size`` bytes, that was read when the journal stood at ``serial``.

        One that was read before the cache last moved on is not kept: what it
        was made from may have changed in between. Nor is one of what changed
        so lately that the store may not have shown all of it, nor one that
        was read before the cache last began again: serials of two pasts
        cannot be compared.
        """
        entry = _Entry(value, size, tuple(dict.fromkeys(tags)))
        with self._lock:
            is_old = serial < self._serial or self._settling.is_open(tags, self._read_at())
            is_from_before = getattr(self._seen, "beginnings", 0) != self._beginnings
            if is_old or is_from_before or size > self._max_bytes:
                return
            self._drop(key)
            self._entries[key] = entry
            self.size += size
            for tag in entry.tags:
                self._by_tag.setdefault(tag, set()).add(key)
            while self.size > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def keep(self, key: Hashable, value: Any, *, size: int) -> None:
        """Keep ``value``, of about ``size`` bytes, that no change makes stale."""
        with self._lock:
            serial = self._serial
        self.put(key, value, size=size, tags=(), serial=serial)

    def _start_again(
        self, serial: int, last: Change | None, *, instead_of: tuple[int, Change | None]
    ) -> bool:
        """Go to ``serial``, whose entry is ``last``, without what was kept: nobody has read what changed up
        to there, or it was changed back. Return False, and stay, where the cache is no more ``instead_of``
        which it is to be there: another thread may know of more."""
        with self._lock:
            if (self._serial, self._last) != instead_of:
                return False
            self._clear()
            self._settling.see_all()
            self._serial = self.projects_serial = serial
            self._last = last
            self._beginnings += 1
            return True

    def _advance(self, changes: Sequence[Change]) -> None:
        """Go to the last of ``changes``, and no further: a store may know of more by now."""
        with self._lock:
            if not changes or changes[-1].serial <= self._serial:
                return
            for change in changes:
                tags = changed_tags(change)
                self._drop_tags(tags)
                self._settling.see(change.serial, tags)
            of_projects = [change.serial for change in changes if change.project is not None]
            if of_projects:
                self.projects_serial = of_projects[-1]
            self._last = changes[-1]
            self._serial = self._last.serial

    def _drop_tags(self, tags: Iterable[str]) -> None:
        for tag in tags:
            for key in list(self._by_tag.get(tag, ())):
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size -= entry.size
        for tag in entry.tags:
            keys = self._by_tag[tag]
            keys.discard(key)
            if not keys:
                del self._by_tag[tag]

    def _clear(self) -> None:
        self._entries.clear()
        self._by_tag.clear()
        self.size = 0
