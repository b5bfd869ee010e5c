"""The use cases of taking a site elsewhere: copy, backup and restore.

Blobs go first and rows second, so that nothing is ever listed whose bytes
are not there. The journal is the last: an interrupted run is begun again,
and sends nothing twice.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import BinaryIO

from warehouse14.domain.archives.filenames import ALL_EXTENSIONS
from warehouse14.domain.blobkeys import names_in
from warehouse14.domain.catalogue import MOST_SIDECAR
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.model import File
from warehouse14.domain.moving.archive import Reading, Writing, joined, reading, writing
from warehouse14.domain.moving.blobs import CHUNK, Carried, missing, take, take_beside
from warehouse14.domain.moving.carrier import Carrier
from warehouse14.domain.moving.known import (
    InUnit,
    Known,
    common_serial,
    left_of,
    put,
    restorable,
    settle_seconds,
)
from warehouse14.domain.moving.lines import InLines, rows, write
from warehouse14.domain.ports import FileStore, Now, UnitOfWork, Units
from warehouse14.domain.services.upkeep import Finding, Report
from warehouse14.domain.services.working import is_listed, is_whole, lacking

#: How many blobs a file has beside its own: core metadata and a sidecar.
_BESIDE = 2


class MoveService:
    """The use cases."""

    def __init__(self, units: Units, store: FileStore, now: Now) -> None:
        self._units = units
        self._store = store
        self._now = now

    def copy_to(self, units: Units, store: FileStore) -> Iterator[Carried]:
        """Copy all that is known and all listed blobs to other stores, which were prepared.

        Serials, dates, yanks, roles, accounts and hashes of tokens stay as they are; sessions are not
        copied. What was copied before is not copied again, but what was damaged then is tried again. What
        changes here meanwhile may be in the copy or not; a second run brings it.

        Yields one of each file of the projects that changed, and of those whose bytes are still not there:
        whoever is told of no damage has a whole copy. Raises ``Misconfigured`` if the other stores
        cannot take it, ``Conflict`` if they have changes of their own, or this site has projects of a copy or
        restoration that was cut off, and ``Unavailable``.
        """
        restorable(units)
        carrier = Carrier(self._units, self._store, store)
        with self._units.read() as unit:
            since = common_serial(self._whole(unit), units)
        seen = yield from carrier.changed_since(left_of(since))
        if since > 0:
            yield from carrier.lacking(left_of(since))
        # What was listed meanwhile, which may be much after hours.
        seen = yield from carrier.changed_since(seen, again=True)
        with self._units.read() as unit:
            known = self._whole(unit)
            # The little that was listed since then: engines end a unit that does nothing for minutes.
            for owned in known.owned(seen):
                yield from carrier.carry(owned.listed, again=True)
            put(known, units, since)

    def backup(self, to: BinaryIO) -> Iterator[Carried]:
        """Write an archive of all that is known, as of one moment where the store reads so, and of all listed
        blobs.

        Yields one of each listed file. Raises ``Conflict`` if this site has projects of a copy or restoration
        that was cut off, ``Unavailable``, and ``OSError`` if ``to`` takes no more.
        """
        made_at = self._now()
        with writing(to) as archive, tempfile.TemporaryFile() as lines:
            with self._units.read() as unit:
                write(rows(self._whole(unit)), lines)
            # Of what is in it: a store may know of more by now.
            archive.head(made_at, InLines(lines).serial(), lines)
            for file in _listed(InLines(lines), 0):
                yield self._pack(archive, file)
            archive.end()

    def restore(self, archive: BinaryIO) -> Iterator[Carried]:
        """Put what is in an archive, which :meth:`backup` wrote, in these stores.

        Yields one of each listed file of it: one whose bytes are damaged there, or were when the archive was
        written, is listed without them. Raises ``Rejected`` for an archive that is cut off, or whose rows are
        damaged: then nothing is listed; ``Conflict`` and ``Misconfigured`` as :meth:`copy_to` does, and
        ``Unavailable``.
        """
        restorable(self._units)
        with reading(archive) as found, tempfile.TemporaryFile() as lines:
            head = found.head(lines)
            known = InLines(lines)
            known.check(head.serial)
            since = common_serial(known, self._units)
            yield from self._unpack(found, _listed(known, 0))
            put(known, self._units, since)

    def count_for(self, units: Units) -> int:
        """Return how many listed files a copy to other stores looks at: those of what has changed. What was
        damaged before comes beside, and what is listed meanwhile."""
        with self._units.read() as unit:
            known = InUnit(unit)
            return sum(1 for _ in _listed(known, left_of(common_serial(known, units))))

    def count(self) -> int:
        """Return how many files are listed."""
        with self._units.read() as unit:
            return sum(1 for _ in unit.files.all())

    def _whole(self, unit: UnitOfWork) -> InUnit:
        """Return what this site knows, to be put elsewhere."""
        known = InUnit(unit, settle_seconds(self._units))
        known.require_whole()
        return known

    def _pack(self, archive: Writing, file: File) -> Carried:
        """Add the blobs of a file, its own as the last."""
        damage = []
        for key in reversed(file.keys):
            finding = self._pack_one(archive, file, key)
            if finding is not None:
                damage.append(Report(finding, key))
        if damage and not is_listed(self._units, file):
            # It was deleted meanwhile, and may be gone.
            damage.clear()
        return Carried(file.key, is_new=not damage, damage=tuple(damage))

    def _pack_one(self, archive: Writing, file: File, key: str) -> Finding | None:
        there = self._store.stat(key)
        if there is None:
            return Finding.MISSING
        is_sound = there.size == file.size if key == file.key else there.size <= MOST_SIDECAR
        if not is_sound:
            return Finding.WRONG_SIZE
        try:
            with closing(_Hashed(self._store.open(key, 0))) as stream:
                archive.blob(key, there.size, stream)
        except NotFound:
            return Finding.MISSING
        expected = {file.key: file.sha256, file.metadata_key: file.metadata_sha256}.get(key)
        return Finding.WRONG_DIGEST if expected and stream.sha256 != expected else None

    def _unpack(self, archive: Reading, files: Iterator[File]) -> Iterator[Carried]:
        """Store the blobs of an archive, which has them in the order of its listed ``files``: small ones come
        before the file that they are beside."""
        small: dict[str, bytes] = {}
        for key, pieces in archive.blobs():
            if not _is_of_file(key):
                if not all(other.rpartition(".")[0] == key.rpartition(".")[0] for other in small):
                    yield from self._lost(files, small)
                    small.clear()
                if len(small) == _BESIDE:
                    raise Rejected(f"It has too much beside one file: {key}", field="archive")
                small[key] = joined(pieces)
                continue
            for file in files:
                if file.key == key:
                    yield self._take(file, pieces, small)
                    break
                yield self._without(file, small)
            else:
                raise Rejected(f"It has a blob of no listed file: {key}", field="archive")
            small.clear()
        for file in files:
            yield self._without(file, small)

    def _lost(self, files: Iterator[File], small: Mapping[str, bytes]) -> Iterator[Carried]:
        """Go on in ``files`` to the one that ``small`` is beside, and whose own blob was lost before."""
        for file in files:
            yield self._without(file, small)
            if not small.keys().isdisjoint(file.keys):
                return
        raise Rejected(f"It has blobs of no listed file: {', '.join(small)}", field="archive")

    def _without(self, file: File, small: Mapping[str, bytes]) -> Carried:
        """Return what becomes of a file whose own blob an archive does not have: these stores may, or lack
        only what is beside it."""
        if file.key in lacking(self._store, file):
            return missing(file)
        return take_beside(file, small, self._store)

    def _take(self, file: File, pieces: Iterator[bytes], small: Mapping[str, bytes]) -> Carried:
        if is_whole(self._store, file):
            return Carried(file.key, is_new=False)
        return take(file, pieces, small, self._store)


class _Hashed:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._running = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was read, in hex."""
        return self._running.hexdigest()

    def read(self, size: int = CHUNK) -> bytes:
        """Return the next bytes, no more than ``size``, and at the end none."""
        data = self._stream.read(size)
        self._running.update(data)
        return data

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()


def _listed(known: Known, since: int) -> Iterator[File]:
    return (file for owned in known.owned(since) for file in owned.listed)


def _is_of_file(key: str) -> bool:
    """Whether a key is that of a file, and not of what is beside it."""
    try:
        _, _, filename = names_in(key)
    except ValueError as error:
        raise Rejected(f"It has a blob under {key!r}, which is no key of a file.", field="archive") from error
    return filename.endswith(ALL_EXTENSIONS)
