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
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
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
from warehouse14.domain.services.steps import STEP, Step, results
from warehouse14.domain.services.uploadform import form_of, too_large
from warehouse14.domain.services.uploads import Published, UploadService

_log = logging.getLogger(__name__)

#: What the key of a text ends in that says why the file was refused that has the rest as its key.
ERROR = ".error.txt"
#: What the journal keeps as the place that such a file came from.
ORIGIN = "incoming"
#: After how long nobody is at work any more on a file whose event has come: as long as a function may take.
UNHANDLED = timedelta(minutes=15)
#: After how long whoever left a text beside a file is not at it any more: it may be a command, which has more
#: time than a function.
ABANDONED = timedelta(hours=6)

#: How often a file is looked at that is replaced while it is read.
_MOST_TRIES = 4
#: What is said of a file whose check was begun, behind its tag: for the first time, and for the second, which
#: is the last.
_ONCE, _TWICE = " begun", " begun twice"
_NO_ROOM = (
    "Its key is so long that no text fits beside it, without which it is not read. Put it there under a"
    " shorter one."
)
#: More than any sentence has.
_MOST_TEXT = 10_000
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
        key = self._open().key(bucket, name)
        return key if key is not None and _is_file(key.removesuffix(ERROR)) else None

    def take(self, key: str) -> Taken | None:
        """Take in what lies under ``key`` now; None if nothing does, or no file, or one that was refused and
        is the same since.

        Raises:
            Unavailable: the store or the database does not answer, or the site changes nothing for now.
            Misconfigured: this site takes no such files.
        """
        incoming = self._writable()
        if not _is_file(key):
            return None
        arrived = incoming.arrived(key)
        if arrived is not None and _is_told(incoming, arrived, incoming.arrived(key + ERROR)):
            return None
        return self._take_now(incoming, key)

    def cancel(self, key: str) -> Taken | None:
        """Forget a file that was removed from there: nothing that is listed goes. Of a text that was removed,
        take in the file, and return what came of it. Raises as :meth:`take` does."""
        incoming = self._writable()
        if key.endswith(ERROR):
            return self.take(key.removesuffix(ERROR))
        if _is_file(key):
            _clear(incoming, key)
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
        incoming = self._writable()
        waiting = self._waiting(incoming, older_than)
        begun = deque(waiting.begun)
        others = [*waiting.fresh, *waiting.noted]
        for arrived in chain(_out_of(begun), others) if is_short else chain(others, _out_of(begun)):
            yield STEP
            try:
                taken = self._take_alone(incoming, arrived)
            except Unavailable as error:
                self._require_answers(incoming)
                taken = Taken(arrived.key, Outcome.WAITS, error.in_full)
            except Exception as error:  # noqa: BLE001 - whatever it is, it keeps no other file back
                taken = failed(arrived.key, error)
            if taken is not None:
                yield taken
                if is_short:
                    begun.clear()
        yield from self._clear_all(incoming, waiting.gone)

    def _take_alone(self, incoming: Incoming, arrived: Arrived) -> Taken | None:
        """Take in a file with a text beside it; None also for one that another is at, or has refused since
        it was listed."""
        text = incoming.arrived(arrived.key + ERROR)
        said = _said(incoming, arrived, text)
        was_begun = said == arrived.tag + _ONCE
        if said in _told(arrived) or (was_begun and self._is_held(text)):
            return None
        with self._begun(incoming, arrived, is_second=was_begun) as is_noted:
            return self._take_now(incoming, arrived.key) if is_noted else _without_room(arrived)

    def _is_held(self, text: Arrived | None) -> bool:
        """Whether whoever left a text beside a file, when they began it, may be at it still."""
        return text is not None and text.modified > self._now() - ABANDONED

    @contextmanager
    def _begun(self, incoming: Incoming, arrived: Arrived, *, is_second: bool) -> Iterator[bool]:
        """Have a text beside a file while it is looked at, which stays if that ends the process. Yield
        whether there is room for one."""
        key = arrived.key + ERROR
        tag = arrived.tag + (_TWICE if is_second else _ONCE)
        is_noted = incoming.note(key, self._text_of_begun(arrived, is_last=is_second), tag=tag)
        try:
            yield is_noted
        finally:
            with suppress(Unavailable):
                if incoming.noted(key) == tag:
                    incoming.remove_note(key)

    def _require_answers(self, incoming: Incoming) -> None:
        """Raise ``Unavailable`` unless store and database answer: then it was for want of one file alone."""
        with suppress(NotFound, Rejected):
            self._acting(self._account or "")
        next(incoming.all(), None)

    def _waiting(self, incoming: Incoming, older_than: timedelta | None) -> _Waiting:
        """Return what may have to be looked at, told apart by what the list says alone: there may be very
        many texts."""
        before = None if older_than is None else self._now() - older_than
        found = sorted(incoming.all(), key=lambda arrived: (arrived.modified, arrived.key))
        texts = {each.key: each for each in found if each.key.endswith(ERROR)}
        files = {each.key: each for each in found if _is_file(each.key)}
        keys = [key.removesuffix(ERROR) for key in texts]
        waiting = _Waiting([], [], [], gone=[key for key in keys if key not in files])
        for arrived in files.values():
            if before is None or arrived.modified <= before:
                self._place_of(waiting, arrived, texts.get(arrived.key + ERROR)).append(arrived)
        return waiting

    def _place_of(self, waiting: _Waiting, arrived: Arrived, text: Arrived | None) -> list[Arrived]:
        """Return where a file belongs, by the text that lies beside it."""
        if text is None or text.modified < arrived.modified:
            return waiting.fresh
        size = len(self._text_of_begun(arrived, is_last=False).encode())
        return waiting.begun if text.size == size else waiting.noted

    def _clear_all(self, incoming: Incoming, gone: list[str]) -> Iterator[Step]:
        """Clear away the texts of files that are gone, but for one where that cannot be done now, with a step
        before each."""
        for key in gone:
            yield STEP
            try:
                _clear(incoming, key)
            except Unavailable as error:
                self._require_answers(incoming)
                _log.warning(
                    "incoming: the text beside %s, which is gone, stays: %s", printable(key), error.in_full
                )

    def _take_now(self, incoming: Incoming, key: str) -> Taken | None:
        """Take in what lies under a key, and if that is replaced meanwhile, what lies there then."""
        for left in reversed(range(_MOST_TRIES)):
            arrived = incoming.arrived(key)
            if arrived is None:
                _clear(incoming, key)
                return None
            try:
                taken = self._take(incoming, arrived)
            except Unavailable:
                # Of one that was replaced or removed meanwhile, nothing more can be read.
                if not left or incoming.arrived(key) == arrived:
                    raise
                continue
            if not left or taken.outcome is not Outcome.REFUSED or _stands(incoming, arrived):
                return taken
        raise AssertionError

    def _take(self, incoming: Incoming, arrived: Arrived) -> Taken:
        try:
            published = self._publish(incoming, arrived)
        except Unavailable:
            raise
        except WarehouseError as error:
            self._tell(incoming, arrived, error)
            return Taken(arrived.key, Outcome.REFUSED, str(error))
        # The text goes first: a file that is left behind is looked at again, a text is not.
        _take_back(incoming, arrived)
        incoming.remove(arrived)
        return Taken(arrived.key, Outcome.PUBLISHED if published.is_new else Outcome.THERE)

    def _publish(self, incoming: Incoming, arrived: Arrived) -> Published:
        identity = replace(self._acting(self._account or ""), origin=ORIGIN)
        form = form_of(arrived.key.rpartition("/")[2])
        self._uploads.permit(identity, form)
        if arrived.size > self._uploads.max_file_bytes:
            raise too_large(self._uploads.max_file_bytes)
        return self._uploads.publish_waiting(identity, form, _Judged(incoming, arrived), {})

    def _tell(self, incoming: Incoming, arrived: Arrived, error: WarehouseError) -> None:
        """Leave a text beside a refused file."""
        if not incoming.note(arrived.key + ERROR, self._text(arrived, error), tag=arrived.tag):
            _log.warning("incoming: there is no room for a text beside %s", printable(arrived.key))

    def _text(self, arrived: Arrived, error: WarehouseError) -> str:
        name, reason = (printable(text, most=_MOST_TEXT) for text in (arrived.key, str(error)))
        return (
            f"{name} was refused:\n\n{reason}\n\n"
            f"It counted as an upload by the account {self._account} (warehouse14.incoming_account),"
            f" {self._now():%Y-%m-%d %H:%M:%S} UTC.\n"
            "Put a mended file in its place. Or, if this one is right by now, remove this text: then it is"
            " looked at again.\n"
        )

    def _text_of_begun(self, arrived: Arrived, *, is_last: bool) -> str:
        name, begun = printable(arrived.key, most=_MOST_TEXT), f"{self._now():%Y-%m-%d %H:%M:%S} UTC"
        if is_last:
            return (
                f"{name} was not taken in:\n\n"
                f"The check of this file was begun twice, the last time {begun}, and never ended. Ask whoever"
                " runs this site to look into its log.\n\n"
                "Remove this text to have it tried again.\n"
            )
        return (
            f"{name} is being looked at:\n\nThe check of this file was begun {begun}.\n\n"
            "This text goes when it ends. If it never does, it is begun once more, after"
            f" {ABANDONED // timedelta(hours=1)} hours. If nobody is at it, remove this text to have it begun"
            " at once.\n"
        )

    def _open(self) -> Incoming:
        if self._incoming is None:
            raise Misconfigured("the file store of this site is none that others put files into")
        if self._account is None:
            raise Misconfigured(
                "warehouse14.incoming_account is not set: say which account the files count as uploaded by"
                " that are put into the store"
            )
        return self._incoming

    def _writable(self) -> Incoming:
        incoming = self._open()
        if self._read_only:
            refuse_change()
        return incoming


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


def _is_file(key: str) -> bool:
    """Whether what lies under a key may be one to take in: no folder, no text of ours, nothing that leads
    elsewhere."""
    leads = "\0" in key or not _NO_NAMES.isdisjoint(key.split("/"))
    return not (leads or key.endswith(("/", ERROR)) or not key)


def _without_room(arrived: Arrived) -> Taken:
    return Taken(arrived.key, Outcome.REFUSED, _NO_ROOM)


def _is_told(incoming: Incoming, arrived: Arrived, text: Arrived | None) -> bool:
    """Whether a text lies beside a file that says of this one why it was refused."""
    return _said(incoming, arrived, text) in _told(arrived)


def _told(arrived: Arrived) -> Container[str | None]:
    """Return what a text says of a file that is not looked at any more."""
    return {arrived.tag, arrived.tag + _TWICE}


def _said(incoming: Incoming, arrived: Arrived, text: Arrived | None) -> str | None:
    """Return of what the text beside a file speaks, unless it is older than the file."""
    is_of_it = text is not None and text.modified >= arrived.modified
    return incoming.noted(arrived.key + ERROR) if is_of_it else None


def _stands(incoming: Incoming, arrived: Arrived) -> bool:
    """Whether what was said of a refused file may stay said: no other lies there by now."""
    now = incoming.arrived(arrived.key)
    if now is None:
        _clear(incoming, arrived.key)
    return now is None or now.tag == arrived.tag


def _take_back(incoming: Incoming, arrived: Arrived) -> None:
    """Remove the text beside a file that passed, unless it is of another that lies there by now."""
    said = incoming.noted(arrived.key + ERROR)
    if said is None:
        return
    now = incoming.arrived(arrived.key)
    if now is None or now.tag == arrived.tag or said not in {now.tag, now.tag + _ONCE, now.tag + _TWICE}:
        incoming.remove_note(arrived.key + ERROR)


def _clear(incoming: Incoming, key: str) -> None:
    """Remove what we said of a file that is gone."""
    if incoming.noted(key + ERROR) and incoming.arrived(key) is None:
        incoming.remove_note(key + ERROR)
