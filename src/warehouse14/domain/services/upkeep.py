"""Upkeep: does every listed file have its bytes, and which bytes belong to nobody?"""

import hashlib
from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby, islice

from warehouse14.domain.blobkeys import METADATA, SIDECAR
from warehouse14.domain.errors import Conflict, NotFound, Unavailable
from warehouse14.domain.model import File
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import Blob, FileStore, Now, UnitOfWork, Units
from warehouse14.domain.services.deletions import Deletion, deleting, files_of
from warehouse14.domain.services.steps import STEP, Step, results
from warehouse14.domain.services.working import is_listed

DEFAULT_GRACE = timedelta(days=1)
_CHUNK = 1024 * 1024
#: How many blobs go in one unit.
_BATCH = 100
#: How many blobs are listed between two steps: what a store gives at once.
_PAGE = 1000
_LOST = (
    "The file store has files, and the database has never known a project: nothing is removed. If it was"
    " lost, restore a backup or run 'warehouse14 rebuild'; if it is the wrong one, name the right one."
    " 'collect --never-listed' removes the files all the same."
)
_TOO_SLOW = "The file store is too slow to mend this file now. Send it again."


class Finding(StrEnum):
    """What a check can find. All but the last are damage."""

    MISSING = "missing"
    WRONG_SIZE = "wrong size"
    WRONG_DIGEST = "wrong digest"
    WRONG_SIDECAR = "wrong sidecar"
    UNREFERENCED = "unreferenced"

    @property
    def is_damage(self) -> bool:
        """Whether a listed file cannot be served as it was published, or not be found again by its blobs
        alone if the database is lost."""
        return self is not Finding.UNREFERENCED


@dataclass(frozen=True, slots=True)
class Report:
    """One finding, about one blob's key."""

    finding: Finding
    key: str


@dataclass(frozen=True, slots=True)
class Loose:
    """A blob that belongs to no listed file, or what staging has left behind.

    Attributes:
        key: the blob's, or the name of what was left behind.
        is_left: whether it stays, as it is of a file that the database has never listed.
        is_missed: whether a listed file is damaged by that: it was published while the store took so long to
            delete the blob that the project was held no more.
    """

    key: str
    is_left: bool = False
    is_missed: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much an index holds."""

    projects: int
    projects_with_files: int
    files: int
    bytes: int
    accounts: int


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
        byte is read. Nothing is held open meanwhile.
        """
        return results(self.check_in_steps(digests=digests))

    def check_in_steps(self, *, digests: bool = False) -> Iterator[Report | Step | None]:
        """Do what ``check`` does, with a step before each page of blobs, each project and each file, and each
        project of blobs that were not met."""
        live: set[str] = set()
        blobs = yield from self._blobs()
        for file in self._listed():
            yield STEP
            if isinstance(file, Step):
                continue
            live.update(file.keys)
            report = damage_to(self._store, file, digests=digests)
            yield report if report and is_listed(self._units, file) else None
        loose = sorted((blob for blob in blobs if blob.key not in live), key=lambda blob: blob.key)
        for name, theirs in groupby(loose, key=_project_of):
            yield STEP
            # A project that was made private meanwhile may have been in no list.
            with self._units.read() as unit:
                listed = _kept_keys(unit, name, unit.files.of(name), self._now())
            yield from (Report(Finding.UNREFERENCED, blob.key) for blob in theirs if blob.key not in listed)

    def count(self) -> int:
        """Return how many files are listed."""
        with self._units.read() as unit:
            return sum(1 for _ in unit.files.all())

    def sizes(self) -> Sizes:
        """Return how much is listed."""
        with self._units.read() as unit:
            files = list(unit.files.all())
            projects = {file.project for file in files}
            return Sizes(
                projects=len(unit.projects.visible(None)),
                projects_with_files=len(projects),
                files=len(files),
                bytes=sum(file.size for file in files),
                accounts=sum(not account.is_service for account in unit.accounts.all()),
            )

    def is_lost(self) -> bool:
        """Whether the database looks lost: it has never known a project, and the file store has blobs."""
        with self._units.read() as unit:
            if next(unit.projects.changed_since(-1), None) is not None:
                return False
        return next(iter(self._store.keys()), None) is not None

    def collect(
        self,
        *,
        older_than: timedelta = DEFAULT_GRACE,
        never_listed: bool = False,
        dry_run: bool = False,
    ) -> Iterator[Loose]:
        """Delete what nobody has referred to for ``older_than``.

        Blobs are listed first and references second, so that a blob whose row
        comes in between is known; and each is looked at once more right before
        it goes, in a unit that holds its project, as the unit does that lists a file.

        A file with its sidecar, of which the database has never known the name, is left: uploads that are
        cut off leave such, but a database that was lost, or restored from an old backup, makes such of
        files that were listed. They go with ``never_listed``.

        Yields each key that is deleted, or with ``dry_run`` would be, and each that is left. Raises
        ``Conflict`` if :meth:`is_lost`, unless ``never_listed``, and ``Unavailable``.
        """
        steps = self.collect_in_steps(older_than=older_than, never_listed=never_listed, dry_run=dry_run)
        return results(steps)

    def collect_in_steps(
        self,
        *,
        older_than: timedelta = DEFAULT_GRACE,
        never_listed: bool = False,
        dry_run: bool = False,
    ) -> Iterator[Loose | Step]:
        """Do what ``collect`` does, with a step before each page of blobs, each project and each unit."""
        yield STEP
        if not never_listed and self.is_lost():
            raise Conflict("site", "database", _LOST)
        before = self._now() - older_than
        every = yield from self._blobs()
        old = sorted((blob for blob in every if blob.modified <= before), key=lambda blob: blob.key)
        for name, blobs in groupby(old, key=_project_of):
            yield STEP
            with self._units.read() as unit:
                files = unit.files.of(name)
                kept = _kept_keys(unit, name, files, before)
            known = {file.filename for file in files}
            loose = [blob for blob in blobs if blob.key not in kept]
            left = set() if never_listed else _never_listed(loose, known)
            yield from (Loose(key, is_left=True) for key in sorted(left))
            loose = [blob for blob in loose if blob.key not in left]
            if dry_run:
                yield from (Loose(blob.key) for blob in loose)
                continue
            while loose:
                yield STEP
                seen = yield from self._take(name, loose[:_BATCH], before)
                loose = loose[seen:]
        yield STEP
        for leftover in self._store.leftovers(before):
            if not dry_run:
                self._store.sweep(leftover)
            yield Loose(leftover)
            yield STEP

    def _blobs(self) -> Generator[Step, None, list[Blob]]:
        """Return every blob, with a step before each page."""
        yield STEP
        listed = self._store.keys()
        blobs: list[Blob] = []
        while page := list(islice(listed, _PAGE)):
            blobs += page
            yield STEP
        return blobs

    def _take(
        self, name: ProjectName, blobs: Sequence[Blob], before: datetime
    ) -> Generator[Loose, None, int]:
        """Delete those of ``blobs`` that nobody refers to or has put again since they were listed, as far as
        there is time. Yield those that are deleted, also where another could not be. Return how many are done
        with."""
        done: Sequence[str] = ()
        missed: set[str] = set()
        try:
            with deleting(self._units, self._store, name, missed.update) as deletion:
                done = deletion.done
                files = files_of(deletion.unit, name, [blob.key for blob in blobs])
                seen = self._delete(blobs, _kept_keys(deletion.unit, name, files, before), deletion)
        finally:
            for key in dict.fromkeys([*done, *sorted(missed)]):
                yield Loose(key, is_missed=key in missed)
        return seen

    def _delete(self, blobs: Sequence[Blob], kept: Container[str], deletion: Deletion) -> int:
        """Delete those of ``blobs`` that are as they were listed; return how many are done with."""
        for seen, blob in enumerate(blobs):
            now = self._store.stat(blob.key)
            if not deletion.is_held():
                # The next unit looks at it again; at one that takes that long by itself, the next run.
                return max(seen, 1)
            if blob.key not in kept and now is not None and now.modified == blob.modified:
                deletion.delete(blob.key)
        return len(blobs)

    def _listed(self) -> Iterator[File | Step]:
        """Yield every listed file, with a step before each project."""
        with self._units.read() as unit:
            names = [project.name for project in unit.projects.visible(None)]
        for name in names:
            yield STEP
            with self._units.read() as unit:
                files = unit.files.of(name)
            yield from (file for file in files if file.deleted_at is None)


def damage_to(store: FileStore, file: File, *, digests: bool) -> Report | None:
    """Return what is wrong with the blobs of a file, or None if they are as they must be.

    With ``digests`` every byte of the file and of what is beside it is read. Raises ``Unavailable``.
    """
    found = store.stat(file.key)
    if found is None:
        return Report(Finding.MISSING, file.key)
    if found.size != file.size:
        return Report(Finding.WRONG_SIZE, file.key)
    if digests and _digest(store, file.key) != file.sha256:
        return Report(Finding.WRONG_DIGEST, file.key)
    damage = _damage_to_sidecar(store, file) if digests else _loss_of_sidecar(store, file)
    if damage is not None:
        return Report(damage, file.sidecar_key)
    if file.metadata_sha256 is None:
        return None
    if store.stat(file.metadata_key) is None:
        return Report(Finding.MISSING, file.metadata_key)
    if digests and _digest(store, file.metadata_key) != file.metadata_sha256:
        return Report(Finding.WRONG_DIGEST, file.metadata_key)
    return None


def remove_wrong_sidecar(units: Units, store: FileStore, file: File) -> None:
    """Delete the sidecar of a listed file if it is wrong: a store would keep it, whatever is put.

    The project is held, so that of two who see the damage the slower does not take away what the faster has
    put meanwhile. Raises ``Unavailable``, also where the store is too slow for that.
    """
    with deleting(units, store, file.project) as deletion:
        if _damage_to_sidecar(store, file) is Finding.WRONG_SIDECAR:
            if not deletion.is_held():
                raise Unavailable(_TOO_SLOW)
            deletion.delete(file.sidecar_key)
            # Whoever had it deleted puts the right one next, whatever another has put meanwhile.
            deletion.asked.clear()


def remove_wrong_blob(units: Units, store: FileStore, file: File) -> None:
    """Delete the blob of a file, listed or not, if it has other bytes than its key says.

    The project is held, as for a sidecar, but not while the blob is read, however large it is: then it has to
    be the one that was read. Raises ``Unavailable``, also where the store is too slow for that.
    """
    read = store.stat(file.key)
    if read is None or _digest(store, file.key) in {file.sha256, ""}:
        return
    with deleting(units, store, file.project) as deletion:
        if store.stat(file.key) == read:
            if not deletion.is_held():
                raise Unavailable(_TOO_SLOW)
            deletion.delete(file.key)


def _damage_to_sidecar(store: FileStore, file: File) -> Finding | None:
    # Who serves need not have imported it before somebody sends a file again.
    from warehouse14.domain.moving.sidecars import is_wrong

    try:
        return Finding.WRONG_SIDECAR if is_wrong(store, file) else None
    except NotFound:
        return Finding.MISSING


def _loss_of_sidecar(store: FileStore, file: File) -> Finding | None:
    return Finding.MISSING if store.stat(file.sidecar_key) is None else None


def _digest(store: FileStore, key: str) -> str:
    """Return the SHA-256 of a blob in hex, or nothing for one that is gone."""
    running = hashlib.sha256()
    try:
        with closing(store.open(key, 0)) as stream:
            while chunk := stream.read(_CHUNK):
                running.update(chunk)
    except NotFound:
        return ""
    return running.hexdigest()


def _never_listed(blobs: Sequence[Blob], known: Container[str]) -> set[str]:
    """Return the keys of those files, with all that is beside them, that have a sidecar, and no row."""
    keys = {blob.key for blob in blobs}
    files = [key for key in keys if key + SIDECAR in keys and key.rpartition("/")[2] not in known]
    return {key + beside for key in files for beside in ("", SIDECAR, METADATA)} & keys


def _project_of(blob: Blob) -> ProjectName:
    """Return of which project a blob is. Names in a folder need not be text: such a one is of none."""
    return ProjectName(blob.key.partition("/")[0].encode(errors="replace").decode())


def _kept_keys(unit: UnitOfWork, name: ProjectName, files: Iterable[File], before: datetime) -> set[str]:
    """Return the keys of those of a project's ``files`` that are listed, or were deleted after ``before``."""
    project = unit.projects.get(name)
    if project is None:
        return set()
    kept: set[str] = set()
    for file in files:
        deleted_at = file.deleted_at or project.deleted_at
        if deleted_at is None or deleted_at > before:
            kept.update(file.keys)
    return kept
