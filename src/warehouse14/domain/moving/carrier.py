"""Carrying the blobs of a site to another store, pass after pass, while the site serves."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from warehouse14.domain.model import File
from warehouse14.domain.moving.blobs import Carried, carry
from warehouse14.domain.moving.known import settle_seconds
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import FileStore, Units
from warehouse14.domain.services.working import is_listed

#: How many files are carried at once.
_TOGETHER = 8


class Carrier:
    """Carries the blobs of listed files from ``source``, whose rows are in ``units``, to ``target``.

    Each method yields one of each file that it looks at, but tells of a damaged one once, and raises
    ``Unavailable``.
    """

    def __init__(self, units: Units, source: FileStore, target: FileStore) -> None:
        self._units = units
        self._source = source
        self._target = target
        #: The keys of the files whose damage was told.
        self._damaged: set[str] = set()

    def changed_since(self, serial: int, *, again: bool = False) -> Generator[Carried, None, int]:
        """Carry what the projects list that changed after the entry ``serial``. ``again`` is as in
        :meth:`carry`. Returns the entry up to which this was looked for."""
        with self._units.read() as unit:
            now = unit.journal.serial()
            # What was committed by then is shown by now.
            time.sleep(settle_seconds(self._units))
            names = [each.name for each in unit.projects.changed_since(serial) if not each.deleted_at]
        yield from self.carry(self._listed_in(names), again=again)
        return now

    def lacking(self, serial: int) -> Iterator[Carried]:
        """Carry what the target lacks of the projects that did not change after the entry ``serial``: it was
        damaged when these were looked at."""
        there = {blob.key: blob.size for blob in self._target.keys()}
        with self._units.read() as unit:
            names = [
                each.name
                for each in unit.projects.changed_since(-1)
                if each.serial <= serial and not each.deleted_at
            ]
        yield from self.carry(file for file in self._listed_in(names) if not _is_among(there, file))

    def carry(self, files: Iterable[File], *, again: bool = False) -> Iterator[Carried]:
        """Carry ``files``, several at once. If this is done ``again``, those that are there are not told."""
        left = iter(files)
        with ThreadPoolExecutor(_TOGETHER) as pool:
            while some := list(islice(left, 4 * _TOGETHER)):
                carried = pool.map(lambda file: carry(file, self._source, self._target), some)
                for file, one in zip(some, carried, strict=True):
                    if self._is_to_tell(file, one) if one.damage else one.is_new or not again:
                        yield one

    def _is_to_tell(self, file: File, damaged: Carried) -> bool:
        # One that was deleted meanwhile may be gone.
        if damaged.key in self._damaged or not is_listed(self._units, file):
            return False
        self._damaged.add(damaged.key)
        return True

    def _listed_in(self, names: Iterable[ProjectName]) -> Iterator[File]:
        for name in names:
            with self._units.read() as unit:
                files = unit.files.of(name)
            yield from (file for file in files if file.deleted_at is None)


def _is_among(sizes: Mapping[str, int], file: File) -> bool:
    """Whether all blobs of ``file`` are among those of these ``sizes`` in bytes, by key."""
    return sizes.get(file.key) == file.size and all(key in sizes for key in file.keys)
