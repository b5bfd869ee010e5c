"""Carrying the blobs of a file from one store to another, looking at every byte."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from warehouse14.domain.catalogue import MOST_SIDECAR
from warehouse14.domain.errors import NotFound
from warehouse14.domain.model import File
from warehouse14.domain.ports import FileStore
from warehouse14.domain.services.upkeep import Finding, Report
from warehouse14.domain.services.working import is_whole, lacking

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a file's blobs.

    Attributes:
        key: the file's.
        is_new: whether it was not there before.
        damage: what is wrong with them where they came from; what is damaged was not taken.
    """

    key: str
    is_new: bool
    damage: tuple[Report, ...] = ()


def carry(file: File, source: FileStore, target: FileStore) -> Carried:
    """Carry the blobs of a listed file. Those that are there, with the right size, are not sent again.

    Raises ``Unavailable``.
    """
    if is_whole(target, file):
        return Carried(file.key, is_new=False)
    small = {key: data for key in file.keys[1:] if (data := _read(source, key)) is not None}
    try:
        with closing(source.open(file.key, 0)) as stream:
            return take(file, iter(lambda: stream.read(CHUNK), b""), small, target)
    except NotFound:
        return missing(file)


def missing(file: File) -> Carried:
    """Return that there is nothing to carry."""
    return Carried(file.key, is_new=False, damage=(Report(Finding.MISSING, file.key),))


def take(file: File, pieces: Iterator[bytes], small: Mapping[str, bytes], target: FileStore) -> Carried:
    """Store a file from ``pieces``, and what is ``small`` and beside it, as far as that is sound."""
    sound, damage = _sound(file, small)
    finding = _keep(file, pieces, sound, target)
    if finding is not None:
        damage.append(Report(finding, file.key))
    return Carried(file.key, is_new=finding is None, damage=tuple(damage))


def take_beside(file: File, small: Mapping[str, bytes], target: FileStore) -> Carried:
    """Store what lacks beside a file whose own bytes are there, as far as that is ``small`` and sound."""
    lacks = lacking(target, file)
    sound, damage = _sound(file, small)
    found = [key for key in lacks if key in sound]
    for key in found:
        target.put(key, sound[key])
    named = tuple(report for report in damage if report.key in lacks)
    return Carried(file.key, is_new=bool(found), damage=named)


def _keep(
    file: File, pieces: Iterator[bytes], beside: Mapping[str, bytes], store: FileStore
) -> Finding | None:
    """Store a file if its bytes are what they are said to be; return what they are not."""
    running, length = hashlib.sha256(), 0
    with store.stage() as staged:
        for piece in pieces:
            running.update(piece)
            length += len(piece)
            staged.write(piece)
        if length != file.size:
            return Finding.WRONG_SIZE
        if running.hexdigest() != file.sha256:
            return Finding.WRONG_DIGEST
        for name, data in beside.items():
            staged.beside(name, data)
        staged.commit(file.key)
    return None


def _sound(file: File, small: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Report]]:
    """Return those of the blobs beside a file's own that are sound, and what is wrong with the others."""
    sound: dict[str, bytes] = {}
    damage: list[Report] = []
    for key in file.keys[1:]:
        data = small.get(key)
        if data is None:
            damage.append(Report(Finding.MISSING, key))
        elif len(data) > MOST_SIDECAR:
            damage.append(Report(Finding.WRONG_SIZE, key))
        elif key == file.metadata_key and hashlib.sha256(data).hexdigest() != file.metadata_sha256:
            damage.append(Report(Finding.WRONG_DIGEST, key))
        else:
            sound[key] = data
    return sound, damage


def _read(store: FileStore, key: str) -> bytes | None:
    """Return a small blob, or None if there is none; of one that is not small, one byte too many."""
    try:
        with closing(store.open(key, 0)) as stream:
            return stream.read(MOST_SIDECAR + 1)
    except NotFound:
        return None
