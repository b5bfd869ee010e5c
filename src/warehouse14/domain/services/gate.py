"""The gate of direct uploads: what came past this program is read, judged as any upload is, and published.

It may be cut off at any moment and begun again, also by two at once: blobs are put before the row, as for
any upload, and the answer is written when both are there. A lease keeps others from the same work, not from
the same result.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Rejected, Unavailable, WarehouseError
from warehouse14.domain.ports import Now, Place
from warehouse14.domain.services.directnotes import Asked, Begun, Lease, Outcome
from warehouse14.domain.services.uploads import UploadService

_log = logging.getLogger(__name__)

#: The notes of an upload: who wants it published, who is at work on it, and what came of it.
ASKED, LEASE, ANSWER = "asked.json", "lease.json", "answer.json"

#: How long somebody at work is trusted to be, and how often they say so, in seconds.
_LEASE_SECONDS = 20
_BEAT_SECONDS = 5
#: How often a file is tried that ends whoever reads it.
_MOST_RUNS = 5
#: How often the time that somebody is waited for is doubled who was called, and did not come.
_MOST_DOUBLINGS = 4


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that is listed now. ``is_new`` is whether it was not before, with the same bytes; ``warnings``
    are sentences for its publisher."""

    filename: str
    is_new: bool
    warnings: tuple[str, ...] = ()


#: Has the upload of an id pass the gate soon: in this process, or in another that calls ``direct.run``.
#: Raises ``Unavailable`` if nobody can be had for that now.
Start = Callable[[str], None]
#: Returns who acts now for those who have asked. Raises ``Forbidden``.
Acting = Callable[[Asked], Identity]


class Gate:
    """Publishes what has come to a place.

    Args:
        uploads: judges a file, and publishes it.
        acting: says who acts for those who have asked and gone.
        now: the time.
    """

    def __init__(self, uploads: UploadService, acting: Acting, now: Now) -> None:
        self._uploads = uploads
        self._acting = acting
        self._now = now

    def answer(self, place: Place, begun: Begun) -> Accepted | None:
        """Return what came of an upload, or None if that is not known. Raises what it was refused with."""
        note = place.noted(ANSWER)
        if note is None:
            return None
        outcome = Outcome.from_json(note)
        error = outcome.error(begun.filename)
        if error is not None:
            raise error
        return Accepted(begun.filename, outcome.is_new, tuple(outcome.warnings))

    def call(self, place: Place, start: Callable[[], None]) -> None:
        """Have somebody run it by ``start``, unless somebody is at work, or was called and may be on the way.

        Polls come faster than a process begins, and one that never comes is called ever less often.
        """
        lease = self._lease(place)
        if lease.ends_at > self._now():
            return
        seconds = _LEASE_SECONDS * 2 ** min(lease.calls, _MOST_DOUBLINGS)
        self._note_lease(place, seconds, lease.runs, calls=lease.calls + 1)
        try:
            start()
        except Unavailable as error:
            _log.error("nobody can be had to check a direct upload: %s", error.in_full)
            self._note_lease(place, 0, lease.runs, calls=lease.calls)

    def run(self, begun: Begun, place: Place) -> None:
        """Publish what was asked for, unless there is an answer, or somebody at work.

        Raises ``Unavailable`` if it has to be tried again.
        """
        note = place.noted(ASKED)
        if note is None or place.noted(ANSWER) is not None or self._is_taken(place):
            return
        outcome = self._outcome(begun, Asked.from_json(note), place)
        if place.noted(ANSWER) is None:
            place.note(ANSWER, outcome.to_json())
        place.end(begun.parts)

    def _is_taken(self, place: Place) -> bool:
        """Whether somebody is at work on it."""
        lease = self._lease(place)
        return not lease.calls and lease.ends_at > self._now()

    def _outcome(self, begun: Begun, asked: Asked, place: Place) -> Outcome:
        """Return what came of it. Raises ``Unavailable``."""
        runs = self._lease(place).runs
        if runs >= _MOST_RUNS:
            return Outcome.of(Rejected(_TOO_OFTEN, field="content"))
        try:
            with self._leased(place, runs):
                return self._publish(begun, asked, place)
        except Unavailable as error:
            self._note_lease(place, error.retry_after, runs)
            raise
        except WarehouseError as error:
            return Outcome.of(error)

    def _publish(self, begun: Begun, asked: Asked, place: Place) -> Outcome:
        identity = self._acting(asked)
        if not place.join(begun.parts):
            raise Rejected(_GONE, field="content")
        published = self._uploads.publish_waiting(
            identity, begun.form, place.waiting(), {"sha256": begun.sha256}
        )
        return Outcome(is_new=published.is_new, warnings=published.warnings)

    @contextmanager
    def _leased(self, place: Place, runs: int) -> Iterator[None]:
        """Say that somebody is at work, again and again as long as the block takes."""
        is_over = Event()

        def beat() -> None:
            while not is_over.wait(_BEAT_SECONDS):
                with suppress(Unavailable):
                    self._note_lease(place, _LEASE_SECONDS, runs + 1)

        self._note_lease(place, _LEASE_SECONDS, runs + 1)
        thread = Thread(target=beat, name="warehouse14-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _note_lease(self, place: Place, seconds: int, runs: int, *, calls: int = 0) -> None:
        lease = Lease(self._now() + timedelta(seconds=seconds), runs, calls)
        with suppress(Unavailable):
            place.note(LEASE, lease.to_json())

    def _lease(self, place: Place) -> Lease:
        note = place.noted(LEASE)
        return Lease(self._now(), 0) if note is None else Lease.from_json(note)


_GONE = "content: the parts are there no more. Send the file again."
_TOO_OFTEN = (
    f"content: the check of this file was begun {_MOST_RUNS} times and never ended. Ask whoever runs this"
    " index, whose log says why."
)
