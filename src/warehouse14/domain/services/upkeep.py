"""Upkeep: does every listed file have its bytes, and which bytes belong to nobody?"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from warehouse14.domain.errors import NotFound
from warehouse14.domain.model import File
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import Blob, FileStore, Now, UnitOfWork, Units

DEFAULT_GRACE = timedelta(days=1)
_CHUNK = 1024 * 1024


class Finding(StrEnum):
    """What a check can find. All but the last are damage."""

    MISSING = "missing"
    WRONG_SIZE = "wrong size"
    WRONG_DIGEST = "wrong digest"
    UNREFERENCED = "unreferenced"

    @property
    def is_damage(self) -> bool:
        """Whether a listed file cannot be served as it was published."""
        return self is not Finding.UNREFERENCED


@dataclass(frozen=True, slots=True)
class Report:
    """One finding, about one blob's key."""

    finding: Finding
    key: str


class UpkeepService:
    """The use cases of the site's operator."""

    def __init__(self, units: Units, store: FileStore, now: Now) -> None:
        self._units = units
        self._store = store
        self._now = now

    def check(self, *, digests: bool = False) -> Iterator[Report | None]:
        """Compare every listed file with its blob, and every blob with the listed files.

        Yields one report for each finding and None for each file that is as it
        must be, so that a caller can show progress. With ``digests`` every
        byte is read.
        """
        live: set[str] = set()
        blobs = list(self._store.keys())
        for file in self._listed():
            live.update((file.key, file.metadata_key, file.sidecar_key))
            yield self._look_at(file, digests=digests)
        for blob in blobs:
            if blob.key not in live:
                yield Report(Finding.UNREFERENCED, blob.key)

    def count(self) -> int:
        """Return how many files are listed."""
        return sum(1 for _ in self._listed())

    def collect(self, *, older_than: timedelta = DEFAULT_GRACE, dry_run: bool = False) -> Iterator[str]:
        """Delete what nobody refers to and is older than ``older_than``; yield each key.

        Blobs are listed first and references second, so that a blob whose
        row comes in between is known; and each is looked at once more right
        before it goes.
        """
        before = self._now() - older_than
        every = self._store.keys()
        blobs = [blob for blob in every if blob.modified <= before]
        live = {key for file in self._listed() for key in (file.key, file.metadata_key, file.sidecar_key)}
        for blob in blobs:
            if blob.key not in live and (dry_run or self._take(blob)):
                yield blob.key
        for leftover in self._store.leftovers(before):
            if not dry_run:
                self._store.sweep(leftover)
            yield leftover

    def _take(self, blob: Blob) -> bool:
        """Delete ``blob`` unless somebody refers to it, or put it again, since it was listed."""
        now = self._store.stat(blob.key)
        if now is None or now.modified != blob.modified:
            return False
        with self._units.read() as unit:
            if _is_live(unit, blob.key):
                return False
        self._store.delete(blob.key)
        return True

    def _listed(self) -> Iterator[File]:
        with self._units.read() as unit:
            yield from unit.files.all()

    def _look_at(self, file: File, *, digests: bool) -> Report | None:
        found = self._store.stat(file.key)
        if found is None:
            return Report(Finding.MISSING, file.key)
        if found.size != file.size:
            return Report(Finding.WRONG_SIZE, file.key)
        if digests and self._digest(file.key) != file.sha256:
            return Report(Finding.WRONG_DIGEST, file.key)
        if file.metadata_sha256 is None:
            return None
        return self._look_at_metadata(file, file.metadata_sha256, digests=digests)

    def _look_at_metadata(self, file: File, sha256: str, *, digests: bool) -> Report | None:
        if self._store.stat(file.metadata_key) is None:
            return Report(Finding.MISSING, file.metadata_key)
        if digests and self._digest(file.metadata_key) != sha256:
            return Report(Finding.WRONG_DIGEST, file.metadata_key)
        return None

    def _digest(self, key: str) -> str:
        running = hashlib.sha256()
        try:
            with self._store.open(key, 0) as stream:
                while chunk := stream.read(_CHUNK):
                    running.update(chunk)
        except NotFound:
            return ""
        return running.hexdigest()


def _is_live(unit: UnitOfWork, key: str) -> bool:
    name, _, rest = key.partition("/")
    digest = rest.partition("/")[0]
    project = unit.projects.get(ProjectName(name))
    if project is None or project.deleted_at is not None:
        return False
    return any(file.deleted_at is None and file.sha256 == digest for file in unit.files.of(project.name))
