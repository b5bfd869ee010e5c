"""Uploads that pass this program by: parts go straight to the store, and the gate reads what came.

What is known of an upload lies in notes beside its parts. Its id is the place of all that an account sends
of one file, and a secret: so the same account that begins again goes on, and nobody else gets there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NoReturn

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Conflict, NotFound, Rejected
from warehouse14.domain.ports import Now, Part, PartRequest, Place, TakesParts
from warehouse14.domain.readonly import refuse_change
from warehouse14.domain.services.beginnings import LASTS, Beginnings
from warehouse14.domain.services.directnotes import Asked, Begun
from warehouse14.domain.services.gate import ASKED, Accepted, Gate, Start
from warehouse14.domain.services.uploadform import UploadForm, check_digests
from warehouse14.domain.services.uploads import UploadService

_NONE = "There is no such upload of yours: it has ended, or is over a day old. Begin it again."
_ASKED = "This upload takes no parts any more: it was finished. Ask what came of it."


@dataclass(frozen=True, slots=True)
class DirectUpload:
    """An upload that takes parts.

    Attributes:
        id: names it, to the account that began it alone.
        size, part_bytes: of the file, and of every part but the last, in bytes.
        sent: the numbers of the parts that have come.
        ends_at: until when it takes them.
        is_asked: whether somebody has asked that it be published; it takes no parts then.
    """

    id: str = field(repr=False)
    size: int
    part_bytes: int
    sent: frozenset[int]
    ends_at: datetime
    is_asked: bool


class DirectUploadService:
    """The use cases of uploads past this program, where the store takes parts.

    Args:
        uploads: judges what is to come, and permits it.
        store: takes parts, or None on a site whose store takes none.
        gate: judges what has come, and publishes it.
        start: has an upload pass the gate soon, by its id.
        now: the time.
        read_only: whether every change is refused.
    """

    def __init__(
        self,
        uploads: UploadService,
        store: TakesParts | None,
        gate: Gate,
        start: Start,
        now: Now,
        *,
        read_only: bool = False,
    ) -> None:
        self._uploads = uploads
        self._beginnings = None if store is None else Beginnings(store, now)
        self._gate = gate
        self._start = start
        self._read_only = read_only

    @property
    def is_open(self) -> bool:
        """Whether the store of this site takes parts."""
        return self._beginnings is not None

    def begin(
        self, identity: Identity, form: UploadForm, *, size: int, sha256: str, again: bool = False
    ) -> DirectUpload | Accepted:
        """Allow a file to come, or go on with the same upload of the same account; a file that is listed
        already with these bytes is the answer.

        Whether the stored bytes still are these is not looked at here, as that may take long: a file comes
        ``again`` to take the place of damaged ones.

        Args:
            identity: who acts.
            form: what is said of the file.
            size: how many bytes it has.
            sha256: what they hash to, in hex.
            again: whether it is to come also if it is listed.

        Raises:
            Rejected: a rule of the index is broken; the message says which and what would be right.
            TooLarge: it is larger than ``max_file_bytes``.
            FileExists: a listed file has this name and other bytes.
            Forbidden: the identity may not upload here.
            Unavailable: the store or the database does not answer.
            NotFound: the store of this site takes no parts.
        """
        beginnings = self._opened()
        published = self._uploads.expect(identity, form, size=size, sha256=sha256)
        if published is not None and not again:
            return Accepted(form.filename, is_new=False, warnings=published.warnings)
        if not size:
            raise Rejected("content: the file is empty.", field="content")
        begun = beginnings.begin(identity, form, size=size, sha256=_digest(sha256))
        return _told(begun, beginnings.place(begun))

    def request(self, identity: Identity, upload: str, *, number: int, sha256: str) -> PartRequest:
        """Return what sends one part.

        Args:
            identity: who acts.
            upload: the id.
            number: of the part, from 1 on.
            sha256: what it hashes to, in hex.

        Raises:
            NotFound: there is no such upload of this account, or it is too old.
            Rejected: there is no such part.
            Conflict: somebody has asked that it be published.
            Forbidden: the identity may not upload any more.
        """
        begun, place = self._own(identity, upload)
        digest = _digest(sha256)
        if number not in begun.sizes:
            raise Rejected(f"number: the file has the parts 1 to {len(begun.sizes)}.", field="number")
        if place.noted(ASKED) is not None:
            raise Conflict("upload", upload, _ASKED)
        return place.request(begun.parts, Part(number, begun.sizes[number], digest))

    def finish(self, identity: Identity, upload: str) -> DirectUpload | Accepted:
        """Ask that a file be published all of whose parts have come; return what came of it, or the upload
        if that is not known yet. To ask again is fine.

        Raises as :meth:`status` does, and ``Rejected`` if parts are missing.
        """
        begun, place = self._own(identity, upload)
        sent, is_asked = _sent(begun, place)
        if not is_asked:
            _require_all(begun, sent or {})
            token = identity.token.id if identity.token else None
            place.note(ASKED, Asked(identity.account, token, identity.origin).to_json())
        return self.status(identity, upload)

    def status(self, identity: Identity, upload: str) -> DirectUpload | Accepted:
        """Return what came of an upload, or the upload if that is not known yet.

        What was asked for and lies still is taken up again.

        Raises:
            NotFound: there is no such upload of this account, or it is too old.
            Rejected, TooLarge, FileExists, Forbidden: the file was refused, as an upload is.
            Unavailable: the store or the database does not answer.
        """
        begun, place = self._own(identity, upload)
        accepted = self._gate.answer(place, begun)
        if accepted is not None:
            return accepted
        told = _told(begun, place)
        if told.is_asked:
            self._gate.call(place, partial(self._start, upload))
        return told

    def run(self, upload: str) -> None:
        """Let an upload that was asked for pass the gate, in this thread; one that is not there, or that has
        its answer, is fine.

        Whoever starts it may do so again and at the same time: the file is published once.

        Raises ``Unavailable`` if the store or the database does not answer: it has to be run again, as it is
        when somebody polls.
        """
        beginnings = self._opened()
        begun = beginnings.found(upload)
        if begun is not None:
            self._gate.run(begun, beginnings.place(begun))

    def _opened(self) -> Beginnings:
        if self._read_only:
            refuse_change()
        if self._beginnings is None:
            raise NotFound("store", "that takes parts", "This site takes files by the upload form alone.")
        return self._beginnings

    def _own(self, identity: Identity, upload: str) -> tuple[Begun, Place]:
        """Return an upload of this account. Raises ``NotFound``, and ``Forbidden`` if it may not upload any
        more."""
        beginnings = self._opened()
        begun = beginnings.found(upload)
        if begun is None or begun.owner != identity.name:
            _refuse(upload)
        self._uploads.permit(identity, begun.form)
        return begun, beginnings.place(begun)


def _told(begun: Begun, place: Place) -> DirectUpload:
    sent, is_asked = _sent(begun, place)
    if sent is None:
        _refuse(begun.id)
    return DirectUpload(
        id=begun.id,
        size=begun.size,
        part_bytes=begun.part_bytes,
        sent=_whole(begun, sent),
        ends_at=begun.begun_at + LASTS,
        is_asked=is_asked,
    )


def _sent(begun: Begun, place: Place) -> tuple[Mapping[int, int] | None, bool]:
    """Return the sizes of the parts that have come, None if there is no such upload, and whether somebody has
    asked that it be published: then all have come, and may lie there as one file."""
    if place.noted(ASKED) is None:
        sent = place.sent(begun.parts)
        # Where there are none, another who sends the same file may have asked in between.
        if sent is not None or place.noted(ASKED) is None:
            return sent, False
    return begun.sizes, True


def _digest(sha256: str) -> str:
    return check_digests({"sha256": sha256}, required=True)["sha256"]


def _require_all(begun: Begun, sent: Mapping[int, int]) -> None:
    """Raise ``Rejected`` unless all parts have come whole."""
    missing = sorted(begun.sizes.keys() - _whole(begun, sent))
    if missing:
        raise Rejected(
            f"content: {len(missing)} of {len(begun.sizes)} parts have not come whole, "
            f"part {missing[0]} first. Send them.",
            field="content",
        )


def _whole(begun: Begun, sent: Mapping[int, int]) -> frozenset[int]:
    """Return the numbers of the parts that have come whole."""
    return frozenset(number for number, size in begun.sizes.items() if sent.get(number) == size)


def _refuse(upload: str) -> NoReturn:
    raise NotFound("upload", upload, _NONE)
