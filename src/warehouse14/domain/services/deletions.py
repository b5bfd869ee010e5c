"""Deleting blobs while their project is held, and a second look where that took longer than it is held."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from warehouse14.domain.blobkeys import METADATA, SIDECAR
from warehouse14.domain.errors import Conflict, Unavailable
from warehouse14.domain.model import File
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.domain.ports import FileStore, UnitOfWork, Units
from warehouse14.domain.sentences import printable
from warehouse14.domain.services.working import hold

_log = logging.getLogger(__name__)

#: More than a key has.
_MOST_SHOWN = 2000
#: Takes the keys of blobs that a listed file is without, as they were deleted too slowly.
Tell = Callable[[set[str]], object]


class Deletion:
    """Blobs of one project that are deleted in one unit, which holds it.

    Attributes:
        unit: the unit.
        is_held: says whether it is still sure that no other unit holds the project.
        asked: the keys of which the store was asked; the last one may be there still, if it failed.
        done: those of which the store has said that they are gone.
    """

    def __init__(self, unit: UnitOfWork, store: FileStore, is_held: Callable[[], bool]) -> None:
        self.unit = unit
        self.is_held = is_held
        self.asked: list[str] = []
        self.done: list[str] = []
        self._store = store

    def delete(self, key: str) -> None:
        """Delete a blob. Raises ``Unavailable``, also where the store has done it and nobody knows."""
        self.asked.append(key)
        self._store.delete(key)
        self.done.append(key)


def _shown(key: str) -> str:
    return printable(key, most=_MOST_SHOWN)


def _log_missed(keys: set[str]) -> None:
    for key in sorted(keys):
        _log.error("a listed file is without a blob that was deleted too slowly: %s", _shown(key))


@contextmanager
def deleting(
    units: Units, store: FileStore, name: ProjectName, tell: Tell = _log_missed
) -> Iterator[Deletion]:
    """Hold a project while blobs of it are deleted.

    What was asked of a store cannot be taken back. So where it took longer than the project is sure to be
    held, also where it failed, ``tell`` gets the keys of those that a listed file is without by then. Raises
    ``Unavailable``.
    """
    begun: list[Deletion] = []
    try:
        with units.write() as unit:
            begun.append(Deletion(unit, store, hold(unit, name)))
            yield begun[0]
    finally:
        for deletion in begun:
            if deletion.asked and not deletion.is_held():
                tell(_missed(units, store, name, deletion.asked))


def files_of(unit: UnitOfWork, name: ProjectName, keys: Iterable[str]) -> Iterator[File]:
    """Yield the files of a project that the blobs of ``keys`` are, or lie beside; it may have very many
    others."""
    for filename in dict.fromkeys(map(_file_of, keys)):
        file = unit.files.get(name, filename)
        if file is not None:
            yield file


def _missed(units: Units, store: FileStore, name: ProjectName, keys: Iterable[str]) -> set[str]:
    """Return those of ``keys`` that a listed file is without. The project is held, so that whoever was about
    to list one has done so."""
    try:
        with units.write() as unit:
            unit.hold(name)
            listed = _listed_keys(unit, name, keys)
            return {key for key in keys if key in listed and store.stat(key) is None}
    except (Conflict, Unavailable):
        for key in keys:
            _log.error("perhaps a listed file is without a blob that was deleted too slowly: %s", _shown(key))
        raise


def _listed_keys(unit: UnitOfWork, name: ProjectName, keys: Iterable[str]) -> set[str]:
    project = unit.projects.get(name)
    if project is None or project.deleted_at is not None:
        return set()
    listed = (file for file in files_of(unit, name, keys) if file.deleted_at is None)
    return {key for file in listed for key in file.keys}


def _file_of(key: str) -> FileName:
    """Return the name of the file that a blob is, or lies beside. Names in a folder need not be text."""
    name = key.rpartition("/")[2].encode(errors="replace").decode()
    return FileName(name.removesuffix(SIDECAR).removesuffix(METADATA))
