"""The blobs of a file that is being published: put before its row, and taken away if it is refused."""

import logging
from contextlib import suppress
from itertools import takewhile

from warehouse14.domain.archives import Inspected
from warehouse14.domain.errors import Replaced, Unavailable
from warehouse14.domain.model import File
from warehouse14.domain.ports import FileStore, Units, Waiting
from warehouse14.domain.services.deletions import deleting
from warehouse14.domain.services.upkeep import damage_to, remove_wrong_blob, remove_wrong_sidecar
from warehouse14.domain.services.uploaded import sidecar
from warehouse14.domain.services.working import is_whole

_log = logging.getLogger(__name__)


class UploadedBlobs:
    """Puts and removes them."""

    def __init__(self, units: Units, store: FileStore) -> None:
        self._units = units
        self._store = store

    def are_sound(self, file: File) -> bool:
        """Whether the blobs of a file have the bytes that they should have. Raises ``Unavailable``."""
        return damage_to(self._store, file, digests=True) is None

    def are_there(self, file: File) -> bool:
        """Whether there are all blobs of a file. Raises ``Unavailable``."""
        return is_whole(self._store, file)

    def require(self, file: File) -> None:
        """Raise ``Unavailable`` unless the blobs of a file are there: a collector may have taken what an
        earlier upload had left, without having seen this one."""
        if not self.are_there(file):
            raise Unavailable("The file's bytes were cleared away meanwhile. Send it again.")

    def put(self, staged: Waiting, file: File, inspected: Inspected) -> None:
        """Make what is staged the blobs of a file.

        Raises ``Unavailable``. After ``Replaced`` no wrong bytes are left, also where a row refers to the
        right ones. If they cannot be removed now, the log names them, and it is another ``Unavailable``.
        """
        try:
            if inspected.metadata is not None:
                staged.beside(file.metadata_key, inspected.metadata)
            staged.beside(file.sidecar_key, sidecar(file, inspected))
            staged.commit(file.key)
        except Replaced:
            self.drop(file)
            self._remove_wrong(file)
            raise

    def put_again(self, staged: Waiting, file: File, inspected: Inspected) -> None:
        """Make what is staged the blobs of a listed file, some of which were lost or damaged. Raises as
        :meth:`put` does."""
        remove_wrong_sidecar(self._units, self._store, file)
        self.put(staged, file, inspected)

    def drop(self, file: File) -> None:
        """Delete the blobs of a file that was refused, unless a row refers to the same bytes.

        The project is held, as it is by whoever lists a file. What cannot be
        deleted now, or not while that is sure, is the collector's.
        """
        with suppress(Unavailable), deleting(self._units, self._store, file.project) as deletion:
            listed = deletion.unit.files.get(file.project, file.filename)
            if listed is None or listed.key != file.key:
                for key in takewhile(lambda _: deletion.is_held(), file.keys):
                    deletion.delete(key)

    def _remove_wrong(self, file: File) -> None:
        """Delete the blob of a file if its bytes are wrong. Raises ``Unavailable``."""
        try:
            remove_wrong_blob(self._units, self._store, file)
        except Unavailable:
            _log.error("other bytes than were judged may be left, and cannot be removed now: %s", file.key)
            raise
