"""Files that others put into the store, past this program: each passes the gate of uploads, and goes then.

It may end at any moment and begin again, also twice at the same time: what counts is what lies there now. A
file is listed before it is removed, and one that is listed with the same bytes is only removed. One that is
refused stays, with a text beside it that says why.

A file may be such that its check ends the process. Whoever takes in everything keeps a text beside the one
that they are at, so that such a file ends two runs, and not every one. One beside whose key there is no room
for a text is therefore not read then. As long as a text is young, whoever wrote it may be at that file, and
others pass it over.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import chain
from typing import BinaryIO

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import (
    Misconfigured,
    NotFound,
    Rejected,
    Replaced,
    Unavailable,
    WarehouseError,
)
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Arrived, Incoming, Now, TakesIncoming
from warehouse14.domain.readonly import refuse_change
from warehouse14.domain.sentences import printable
from warehouse14.domain.services.incomingtexts import ERROR, Texts
from warehouse14.domain.services.steps import STEP, Step, results
from warehouse14.domain.services.uploadform import form_of, too_large
from warehouse14.domain.services.uploads import Published, UploadService

_log = logging.getLogger(__name__)

#: What the journal keeps as the place that such a file came from.
ORIGIN = "incoming"
#: After how long nobody is at work any more on a file whose event has come: as long as a function may take.
UNHANDLED = timedelta(minutes=15)

#: How often a file is looked at that is replaced while it is read.
_MOST_TRIES = 4
_NO_ROOM = (
    "Its key is so long that no text fits beside it, without which it is not read. Put it there under a"
    " shorter one."
)
#: What could lead elsewhere in a store that takes keys for paths.
_NO_NAMES = frozenset({".", ".."})


class Outcome(StrEnum):
    """What came of a file. One that ``WAITS`` is to be tried again."""

    PUBLISHED = "published"
    THERE = "there already"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was looked at: its key, what came of it, and why if it is not listed."""

    key: str
    outcome: Outcome
    reason: str = ""


def failed(key: str, error: Exception) -> Taken:
    """Return what came of a file whose check failed as nothing should, with the traceback in the log."""
    _log.error("incoming: the check of a file failed", exc_info=error)
    return Taken(key, Outcome.WAITS, f"{type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where the files lie, the texts beside them, and the account that they count as uploaded by."""

    incoming: Incoming
    texts: Texts
    account: AccountName


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Files that may have to be looked at: without a text that is as young, with one that may say that they
    were begun, and with another. And the keys of files that are gone, and have a text still."""

    fresh: list[Arrived]
    begun: list[Arrived]
    noted: list[Arrived]
    gone: list[str]


class IncomingService:
    """The use cases of files that others put into the store.

    Args:
        uploads: judges a file, and publishes it.
        store: where they lie, or None on a site whose store takes none.
        account: the name of the account that they count as uploaded by, or None for nobody.
        acting: returns who an account is now.
        now: the time.
        read_only: whether every change is refused.
    """

    def __init__(
        self,
        uploads: UploadService,
        store: TakesIncoming | None,
        account: AccountName | None,
        acting: Callable[[str], Identity],
        now: Now,
        *,
        read_only: bool = False,
    ) -> None:
        self._uploads = uploads
        self._incoming = None if store is None else store.incoming()
        self._account = account
        self._acting = acting
        self._now = now
        self._read_only = read_only

    @property
    def is_open(self) -> bool:
        """Whether this site takes such files."""
        return self._incoming is not None and self._account is not None

    def key(self, bucket: str, name: str) -> str | None:
        """Return the key of what a notice of the store speaks of; None if it is neither a file for us nor the
        text beside one."""
        key = self._open().incoming.key(bucket, name)
        return key if key is not None and _is_file(key.removesuffix(ERROR)) else None

    def take(self, key: str) -> Taken | None:
        """Take in what lies under ``key`` now; None if nothing does, or no file, or one that was refused and
        is the same since.

        Raises:
            Unavailable: the store or the database does not answer, or the site changes nothing for now.
            Misconfigured: this site takes no such files.
        """
        ground = self._writable()
        if not _is_file(key):
            return None
        arrived = ground.incoming.arrived(key)
        if arrived is not None and ground.texts.is_told(arrived):
            return None
        return self._take_now(ground, key)

    def cancel(self, key: str) -> Taken | None:
        """Forget a file that was removed from there: nothing that is listed goes. Of a text that was removed,
        take in the file, and return what came of it. Raises as :meth:`take` does."""
        ground = self._writable()
        if key.endswith(ERROR):
            return self.take(key.removesuffix(ERROR))
        if _is_file(key):
            ground.texts.clear(key)
        return None

    def take_all(self, *, older_than: timedelta | None = None) -> Iterator[Taken]:
        """Take in everything that waits, but for what was refused and is the same since.

        Yields each file that was looked at, also one that cannot be read. Raises as :meth:`take` does where
        none could be taken in by now.
        """
        return results(self.take_all_in_steps(older_than=older_than))

    def take_all_in_steps(
        self, *, older_than: timedelta | None = None, is_short: bool = False
    ) -> Iterator[Taken | Step]:
        """Do what ``take_all`` does, with a step before each file that is looked at, and no other.

        Where the time ``is_short``, a process may have ended with that, and not by what is in the file that
        it was at. So of those that were begun before one alone is looked at, and before all others.
        """
        ground = self._writable()
        waiting = self._waiting(ground, older_than)
        begun = deque(waiting.begun)
        others = [*waiting.fresh, *waiting.noted]
        for arrived in chain(_out_of(begun), others) if is_short else chain(others, _out_of(begun)):
            yield STEP
            try:
                taken = self._take_alone(ground, arrived)
            except Unavailable as error:
                self._require_answers(ground)
                taken = Taken(arrived.key, Outcome.WAITS, error.in_full)
            except Exception as error:  # noqa: BLE001 - whatever it is, it keeps no other file back
                taken = failed(arrived.key, error)
            if taken is not None:
                yield taken
                if is_short:
                    begun.clear()
        yield from self._clear_all(ground, waiting.gone)

    def _take_alone(self, ground: _Ground, arrived: Arrived) -> Taken | None:
        """Take in a file with a text beside it; None also for one that another is at, or has refused since
        it was listed."""
        check = ground.texts.next_check(arrived)
        if check is None:
            return None
        with ground.texts.begun(arrived, check=check) as is_noted:
            return self._take_now(ground, arrived.key) if is_noted else _without_room(arrived)

    def _require_answers(self, ground: _Ground) -> None:
        """Raise ``Unavailable`` unless store and database answer: then it was for want of one file alone."""
        with suppress(NotFound, Rejected):
            self._acting(ground.account)
        next(ground.incoming.all(), None)

    def _waiting(self, ground: _Ground, older_than: timedelta | None) -> _Waiting:
        """Return what may have to be looked at, told apart by what the list says alone: there may be very
        many texts."""
        before = None if older_than is None else self._now() - older_than
        found = sorted(ground.incoming.all(), key=lambda arrived: (arrived.modified, arrived.key))
        texts = {each.key: each for each in found if each.key.endswith(ERROR)}
        files = {each.key: each for each in found if _is_file(each.key)}
        keys = [key.removesuffix(ERROR) for key in texts]
        waiting = _Waiting([], [], [], gone=[key for key in keys if key not in files])
        for arrived in files.values():
            if before is None or arrived.modified <= before:
                text = texts.get(arrived.key + ERROR)
                _place_of(waiting, ground.texts, arrived, text).append(arrived)
        return waiting

    def _clear_all(self, ground: _Ground, gone: list[str]) -> Iterator[Step]:
        """Clear away the texts of files that are gone, but for one where that cannot be done now, with a step
        before each."""
        for key in gone:
            yield STEP
            try:
                ground.texts.clear(key)
            except Unavailable as error:
                self._require_answers(ground)
                _log.warning(
                    "incoming: the text beside %s, which is gone, stays: %s", printable(key), error.in_full
                )

    def _take_now(self, ground: _Ground, key: str) -> Taken | None:
        """Take in what lies under a key, and if that is replaced meanwhile, what lies there then."""
        for left in reversed(range(_MOST_TRIES)):
            arrived = ground.incoming.arrived(key)
            if arrived is None:
                ground.texts.clear(key)
                return None
            try:
                taken = self._take(ground, arrived)
            except Unavailable:
                # Of one that was replaced or removed meanwhile, nothing more can be read.
                if not left or ground.incoming.arrived(key) == arrived:
                    raise
                continue
            if not left or taken.outcome is not Outcome.REFUSED or ground.texts.stands(arrived):
                return taken
        raise AssertionError

    def _take(self, ground: _Ground, arrived: Arrived) -> Taken:
        try:
            published = self._publish(ground, arrived)
        except Unavailable:
            raise
        except WarehouseError as error:
            if not ground.texts.tell(arrived, error):
                _log.warning("incoming: there is no room for a text beside %s", printable(arrived.key))
            return Taken(arrived.key, Outcome.REFUSED, str(error))
        # The text goes first: a file that is left behind is looked at again, a text is not.
        ground.texts.take_back(arrived)
        ground.incoming.remove(arrived)
        return Taken(arrived.key, Outcome.PUBLISHED if published.is_new else Outcome.THERE)

    def _publish(self, ground: _Ground, arrived: Arrived) -> Published:
        identity = replace(self._acting(ground.account), origin=ORIGIN)
        form = form_of(arrived.key.rpartition("/")[2])
        self._uploads.permit(identity, form)
        if arrived.size > self._uploads.max_file_bytes:
            raise too_large(self._uploads.max_file_bytes)
        return self._uploads.publish_waiting(identity, form, _Judged(ground.incoming, arrived), {})

    def _open(self) -> _Ground:
        if self._incoming is None:
            raise Misconfigured("the file store of this site is none that others put files into")
        if self._account is None:
            raise Misconfigured(
                "warehouse14.incoming_account is not set: say which account the files count as uploaded by"
                " that are put into the store"
            )
        return _Ground(self._incoming, Texts(self._incoming, self._account, self._now), self._account)

    def _writable(self) -> _Ground:
        ground = self._open()
        if self._read_only:
            refuse_change()
        return ground


class _Judged:
    """Implements ``Waiting`` over a file that others may replace by one with the same tag.

    Its time tells. One that comes within the same second is told only by a store that says the digest of what
    it copies.
    """

    def __init__(self, incoming: Incoming, arrived: Arrived) -> None:
        self._incoming = incoming
        self._arrived = arrived
        self._waiting = incoming.waiting(arrived)

    def reader(self) -> BinaryIO:
        """Return it as a file."""
        return self._waiting.reader()

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob."""
        self._waiting.beside(key, data)

    def commit(self, key: str) -> None:
        """Make it a blob. Raises ``Replaced`` unless it lies there as it did, since it was judged."""
        self._waiting.commit(key)
        if self._incoming.arrived(self._arrived.key) != self._arrived:
            raise Replaced


def _out_of(begun: deque[Arrived]) -> Iterator[Arrived]:
    """Yield files as long as there are any."""
    while begun:
        yield begun.popleft()


def _place_of(waiting: _Waiting, texts: Texts, arrived: Arrived, text: Arrived | None) -> list[Arrived]:
    """Return where a file belongs, by the text that lies beside it."""
    if text is None or text.modified < arrived.modified:
        return waiting.fresh
    return waiting.begun if texts.may_be_of_begun(arrived, text) else waiting.noted


def _is_file(key: str) -> bool:
    """Whether what lies under a key may be one to take in: no folder, no text of ours, nothing that leads
    elsewhere."""
    leads = "\0" in key or not _NO_NAMES.isdisjoint(key.split("/"))
    return not (leads or key.endswith(("/", ERROR)) or not key)


def _without_room(arrived: Arrived) -> Taken:
    return Taken(arrived.key, Outcome.REFUSED, _NO_ROOM)
