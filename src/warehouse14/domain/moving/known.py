"""What a site knows at one moment, and putting it where another knows nothing or less of the same."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat, takewhile
from typing import Protocol, TypeVar

from warehouse14.domain.errors import Conflict, Misconfigured
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token
from warehouse14.domain.moving.runs import batch, begin
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import Restores, Settles, UnitOfWork, Units

Item = TypeVar("Item")

#: How many rows are put, or entries read, in one unit.
_BATCH = 2000
#: After how many seconds a serial is asked for again that is on its way.
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class People:
    """Who there is."""

    accounts: Sequence[Account]
    groups: Sequence[Group]
    logins: Sequence[Login]
    tokens: Sequence[Token]


@dataclass(frozen=True, slots=True)
class Owned:
    """A project and all of its files, deleted ones too."""

    project: Project
    files: Sequence[File]

    @property
    def listed(self) -> Sequence[File]:
        """The files that have blobs."""
        if self.project.deleted_at is not None:
            return ()
        return [file for file in self.files if file.deleted_at is None]


class Known(Protocol):
    """What a site knows at one moment."""

    def people(self) -> People:
        """Return who there is."""

    def owned(self, since: int) -> Iterator[Owned]:
        """Return the projects that changed after the entry ``since``, by name."""

    def changes(self, since: int) -> Iterator[Change]:
        """Return the journal after the entry ``since``, in order."""

    def change(self, serial: int) -> Change | None:
        """Return one entry, or None if there is none yet."""

    def serial(self) -> int:
        """Return the serial of the newest entry, 0 for none."""


class InUnit:
    """Implements ``Known`` in a unit that reads.

    Not every store reads a unit at one moment. So the journal ends at the entry that is the newest now, and a
    project that changes later is said to have changed by then: whoever asks later what has changed since that
    entry is told of it again. What is read is no older than that entry if it is waited for all that lags
    behind it.

    Args:
        unit: what is read.
        settle_seconds: how long its store may take to show all of a commit; that is waited for first.
    """

    def __init__(self, unit: UnitOfWork, settle_seconds: float = 0) -> None:
        self._unit = unit
        #: The newest entry when this began, and the newest that is known by now.
        self._serial = self._newest = unit.journal.serial()
        #: How long it is waited in all for a serial that is shown later than its project.
        self._patience = settle_seconds
        # What was committed by then is shown by now.
        time.sleep(settle_seconds)

    def people(self) -> People:
        """See the protocol. Not every store reads a unit at one moment: all accounts are known whom others
        name, as none is ever removed."""
        unit = self._unit
        groups = unit.groups.ever()
        accounts = unit.accounts.all()
        return People(
            accounts=accounts,
            groups=groups,
            logins=self._logins(accounts),
            tokens=[token for account in accounts for token in unit.tokens.of(account.name)],
        )

    def _logins(self, accounts: Iterable[Account]) -> list[Login]:
        """Return the logins of these accounts, each once: one may be joined to another meanwhile."""
        found = {
            (login.issuer, login.subject): login
            for account in accounts
            for login in self._unit.logins.of(account.name)
            if login.account == account.name
        }
        return list(found.values())

    def owned(self, since: int) -> Iterator[Owned]:
        """See the protocol."""
        for project in self._unit.projects.changed_since(since):
            serial = self._said(project.serial)
            # Before the first entry there was none.
            if serial > 0:
                yield Owned(replace(project, serial=serial), self._unit.files.of(project.name))

    def require_whole(self) -> None:
        """Raise ``Conflict`` if a copy or restoration to this site was cut off that has put projects, and not
        the entries of theirs."""
        for project in self._unit.projects.changed_since(self._serial):
            if not self._has_reached(project.serial):
                raise Conflict(
                    "site",
                    "source",
                    f"The site that is to be read has {project.name!r} of a copy or restore that was cut off:"
                    f" its journal has no entry {project.serial}. Run that again to its end; where the site"
                    f" has changes of its own since, {_way_out(project)}.",
                )

    def _said(self, serial: int) -> int:
        """Return the serial that a project is said to have. One that the journal has not reached is no
        change: a copy or a restoration was cut off, and whoever compares has to see that."""
        return min(serial, self._serial) if self._has_reached(serial) else serial

    def _has_reached(self, serial: int) -> bool:
        """Whether the journal has come to an entry by now."""
        if serial > self._newest:
            self._newest = self._unit.journal.serial()
        while serial > self._newest and self._patience > 0:
            time.sleep(_PAUSE)
            self._patience -= _PAUSE
            self._newest = self._unit.journal.serial()
        return serial <= self._newest

    def changes(self, since: int) -> Iterator[Change]:
        """See the protocol."""
        return takewhile(lambda change: change.serial <= self._serial, self._changes(since))

    def _changes(self, since: int) -> Iterator[Change]:
        while found := self._unit.journal.since(since, _BATCH):
            yield from found
            since = found[-1].serial

    def change(self, serial: int) -> Change | None:
        """See the protocol."""
        return next(iter(self._unit.journal.since(serial - 1, 1)), None)

    def serial(self) -> int:
        """See the protocol."""
        return self._serial


def _way_out(project: Project) -> str:
    """Return what else makes a site whole that has a project of a later state."""
    if project.deleted_at is None:
        return "change the roles of such a project, or publish to it"
    # Nobody changes it; a table has so what is put into it until that is whole.
    return "run it on empty stores, and do the little again that was done here"


def settle_seconds(units: Units) -> float:
    """Return how long a store may take to show all of a commit."""
    return units.settle_seconds if isinstance(units, Settles) else 0.0


def restorable(units: Units) -> Restores:
    """Return ``units`` as a store that takes what another knows. Raises ``Misconfigured``."""
    if not isinstance(units, Restores):
        raise Misconfigured(
            "The site that is to be written to takes nothing: warehouse14.read_only is set there, or its"
            " store of metadata cannot do this."
        )
    return units


def common_serial(known: Known, units: Units) -> int:
    """Return the serial of the last entry of ``units``, 0 for none.

    Raises ``Conflict`` unless all that has happened there happened in ``known``, too: it has to be empty, or
    an older copy that nobody has changed.
    """
    with units.read() as unit:
        there = InUnit(unit)
        serial = there.serial()
        last = there.change(serial) if serial else None
        if last is not None and known.change(serial) != last:
            raise _changed(_first_of_its_own(there, known))
    _require_no_other(known, units)
    return serial


def _first_of_its_own(there: Known, known: Known) -> Change:
    """Return the first entry that is ``there`` and not ``known``."""
    both = zip(there.changes(0), chain(known.changes(0), repeat(None)), strict=False)
    return next(change for change, ours in both if change != ours)


def _changed(first: Change) -> Conflict:
    return Conflict(
        "site",
        "target",
        "The site that is to be written to has changes of its own, which would be lost: the first is"
        f" {first.action}, entry {first.serial} of its journal, at {first.at.isoformat(' ', 'seconds')}. Take"
        " stores that are empty (without 'warehouse14 init'), or an older copy that nobody has changed.",
    )


def _require_no_other(known: Known, units: Units) -> None:
    """Raise ``Conflict`` if another state than what is ``known`` was put in part, and would stay.

    It is newer, or of changes that were lost: the site then went on from a backup. The journal, which comes
    last, does not tell, but projects, or accounts and groups, of which none is ever removed, do.
    """
    with units.read() as unit:
        serial = unit.journal.serial()
        cut_off = {project.name: project.serial for project in unit.projects.changed_since(serial)}
        accounts = {account.name for account in unit.accounts.all()}
        groups = {group.name for group in unit.groups.ever()}
    who = known.people()
    if (
        not accounts.issubset(account.name for account in who.accounts)
        or not groups.issubset(group.name for group in who.groups)
        or not _are_replaced(cut_off, known, serial)
    ):
        raise Conflict(
            "site",
            "target",
            "The site that is to be written to has a part of a newer state of this one, or of one that was"
            " lost: a copy or restore was cut off. Run that again to its end, or take stores that are empty.",
        )


def _are_replaced(serials: Mapping[ProjectName, int], known: Known, since: int) -> bool:
    """Whether each project has changed after ``since`` in what is ``known``, up to its serial or beyond."""
    if not serials:
        return True
    newest = {change.project: change.serial for change in known.changes(since)}
    left = {name: serial for name, serial in serials.items() if newest.get(name, 0) < serial}
    return not left or _are_put(left, known, since)


def _are_put(serials: Mapping[ProjectName, int], known: Known, since: int) -> bool:
    """Whether each project is among those that are put, with its serial or a higher one.

    What changed while it was read has the last serial of a journal that tells nothing of that change. One
    that is beyond that journal is itself a part of what was cut off.
    """
    last = known.serial()
    found = {owned.project.name: owned.project.serial for owned in known.owned(since)}
    return all(serial <= found.get(name, 0) <= last for name, serial in serials.items())


def left_of(since: int) -> int:
    """Return after which entry projects have changed that a store with all entries up to ``since`` may lack:
    the first entry comes before its project does."""
    return max(since - 1, 0)


def put(known: Known, units: Units, since: int) -> None:
    """Put what is ``known`` in the place of what is in ``units``, which has all entries up to ``since``.

    The journal comes last: whoever is interrupted starts again from the same place. Its first entry comes
    first, so that stores that hold a part of one site are not taken for empty by another.

    It is a run of its own from its beginning on, so that of several the last to begin is the one that ends.

    Raises ``Conflict`` if another writes there, and ``Misconfigured`` if it takes nothing.
    """
    target = restorable(units)
    changes = known.changes(since)
    expected = since
    who = known.people()
    run = begin(target, expected)
    # A newer run that has ended by this may have put something since the comparison.
    _require_no_other(known, units)
    with batch(target, run, expected) as restoration:
        restoration.people(who.accounts, who.groups, who.logins, who.tokens)
        first = next(changes, None) if since == 0 else None
        if first is not None:
            restoration.journal([first])
            expected = first.serial
    for some in _batches(known.owned(left_of(since)), lambda owned: len(owned.files) + 1):
        with batch(target, run, expected) as restoration:
            for owned in some:
                restoration.project(owned.project, owned.files)
    for entries in _batches(changes, lambda _: 1):
        with batch(target, run, expected) as restoration:
            restoration.journal(entries)
        expected = entries[-1].serial


def _batches(items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Yield the items in lists that are together no larger than a batch, or one item."""
    batch: list[Item] = []
    room = _BATCH
    for item in items:
        if batch and size(item) > room:
            yield batch
            batch, room = [], _BATCH
        batch.append(item)
        room -= size(item)
    if batch:
        yield batch
