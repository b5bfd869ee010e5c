"""Where direct uploads lie: what was begun is found by its id, or by what was said of the file."""

import re
import secrets
from dataclasses import replace
from datetime import timedelta

from warehouse14.domain.access import Identity
from warehouse14.domain.ports import Now, Place, TakesParts
from warehouse14.domain.services.directnotes import KEY_LENGTH, Begun
from warehouse14.domain.services.gate import ANSWER, ASKED
from warehouse14.domain.services.uploadform import UploadForm

#: How long there is to send a file.
LASTS = timedelta(days=1)
#: The usual size of a part in bytes, and how many parts stores take at most.
PART_BYTES = 8 * 1024 * 1024
_MOST_PARTS = 10_000
_BEGUN = "begun.json"
_ID = re.compile(rf"([0-9a-f]{{{KEY_LENGTH}}})([0-9a-f]{{{KEY_LENGTH}}})\Z", re.ASCII)


def is_id(text: str) -> bool:
    """Whether a text could be the id of an upload."""
    return _ID.match(text) is not None


class Beginnings:
    """What was begun in a store that takes parts, for a day."""

    def __init__(self, store: TakesParts, now: Now) -> None:
        self._store = store
        self._now = now

    def begin(self, identity: Identity, form: UploadForm, *, size: int, sha256: str) -> Begun:
        """Return the upload of this account and file that has no answer yet, or a new one."""
        draft = Begun(
            secret=secrets.token_hex(KEY_LENGTH // 2),
            parts="",
            owner=identity.name,
            project=form.name,
            filename=form.filename,
            filetype=form.filetype,
            version=form.version,
            size=size,
            sha256=sha256,
            part_bytes=max(PART_BYTES, -(-size // _MOST_PARTS)),
            begun_at=self._now(),
        )
        return self._going_on(draft.key) or self._begun_anew(draft)

    def found(self, upload: str) -> Begun | None:
        """Return the upload with this id, whose ever it is; None if there is none, or it is too old."""
        match = _ID.match(upload)
        return self._begun(f"{match[1]}/{match[2]}") if match else None

    def place(self, begun: Begun) -> Place:
        """Return where the parts of an upload come to."""
        # Each attempt has a place of its own: somebody may still be reading an earlier one.
        return self._store.place(f"{begun.key}/{begun.secret}")

    def _begun(self, key: str) -> Begun | None:
        """Return of what a place says that it was begun there, or last below it, if it is not too old."""
        note = self._store.place(key).noted(_BEGUN)
        begun = None if note is None else Begun.from_json(note)
        return begun if begun and self._now() < begun.begun_at + LASTS else None

    def _going_on(self, key: str) -> Begun | None:
        begun = self._begun(key)
        if begun is None:
            return None
        place = self.place(begun)
        if place.noted(ANSWER) is not None:
            return None
        is_there = place.sent(begun.parts) is not None or place.noted(ASKED) is not None
        return begun if is_there else None

    def _begun_anew(self, draft: Begun) -> Begun:
        place = self.place(draft)
        begun = replace(draft, parts=place.begin())
        place.note(_BEGUN, begun.to_json())
        # Of two that begin at the same time, whoever comes later goes on with one; both last.
        self._store.place(begun.key).note(_BEGUN, begun.to_json())
        return self._begun(begun.key) or begun
