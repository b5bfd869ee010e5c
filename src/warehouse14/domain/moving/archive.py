"""A backup as one file: a POSIX tar (pax) of what a site knows and its blobs, in this order.

``warehouse14.json``
    What it is: the version of this format, when it was made, the serial, the SHA-256 of the next.
``known.jsonl``
    The rows of :mod:`warehouse14.domain.moving.lines`.
``blobs/KEY``
    The blobs of each listed file, small ones first.
``end.json``
    The last member, without which the archive is cut off.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from warehouse14.domain.catalogue import MOST_SIDECAR
from warehouse14.domain.errors import Rejected

_FORMAT = 1
_HEAD = "warehouse14.json"
_KNOWN = "known.jsonl"
_BLOBS = "blobs/"
_END = "end.json"
_CHUNK = 1024 * 1024
#: The head and the end are a few lines, in bytes.
_MOST_SAID = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """What the first member says.

    Attributes:
        made_at: when the backup was begun.
        serial: of the newest entry that is in it.
        sha256: of the rows.
    """

    made_at: datetime
    serial: int
    sha256: str


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, no more than ``size``, and at the end none."""


class Writing:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._blobs = 0

    def head(self, made_at: datetime, serial: int, rows: BinaryIO) -> None:
        """Add what the site knows: ``rows`` is at its end, and read from its first byte."""
        size = rows.tell()
        rows.seek(0)
        sha256 = _digest(iter(lambda: rows.read(_CHUNK), b""))
        said = {
            "format": _FORMAT,
            "made_at": made_at.isoformat(),
            "serial": serial,
            "sha256": sha256,
        }
        self._small(_HEAD, said)
        rows.seek(0)
        self._add(_KNOWN, size, rows)

    def blob(self, key: str, size: int, stream: Readable) -> None:
        """Add a blob of ``size`` bytes. Raises ``OSError`` for a stream that ends before."""
        self._add(_BLOBS + key, size, stream)
        self._blobs += 1

    def end(self) -> None:
        """Add what says that it is whole."""
        self._small(_END, {"blobs": self._blobs})

    def _small(self, name: str, said: dict[str, Any]) -> None:
        data = json.dumps(said).encode("ascii")
        self._add(name, len(data), io.BytesIO(data))

    def _add(self, name: str, size: int, stream: Readable) -> None:
        member = tarfile.TarInfo(name)
        member.size = size
        member.mode = 0o600
        self._tar.addfile(member, stream)  # type: ignore[arg-type]  # it only reads
        _forget_members(self._tar)


class Reading:
    """An archive that is being read, from its beginning to its end."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = iter(self._following, None)

    def head(self, rows: BinaryIO) -> Head:
        """Return what it is, and write its rows to ``rows``. Raises ``Rejected``."""
        said = self._said(self._next(_HEAD))
        if said.get("format") != _FORMAT:
            raise Rejected(
                f"It has the format {said.get('format')!r:.40}, and this release reads {_FORMAT}.",
                field="archive",
            )
        try:
            head = Head(datetime.fromisoformat(said["made_at"]), int(said["serial"]), str(said["sha256"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Rejected(f"Its head cannot be read: {error}", field="archive") from error
        pieces = self._pieces(self._next(_KNOWN))
        if _digest(piece for piece in pieces if rows.write(piece)) != head.sha256:
            raise Rejected("What it says that the site knew is damaged.", field="archive")
        return head

    def blobs(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield key and pieces of each blob, to be read before the next.

        Raises ``Rejected`` at the end if the archive is cut off.
        """
        for count, member in enumerate(self._members):
            if member.name == _END:
                if self._said(member).get("blobs") != count:
                    raise Rejected("Some of its blobs are missing.", field="archive")
                return
            if not _is_plain(member) or not member.name.startswith(_BLOBS):
                raise Rejected(f"It has a member of another kind: {member.name!r:.300}", field="archive")
            yield member.name.removeprefix(_BLOBS), self._pieces(member)
            _forget_members(self._tar)
        raise _cut_off()

    def _following(self) -> tarfile.TarInfo | None:
        with _legible():
            return self._tar.next()

    def _next(self, name: str) -> tarfile.TarInfo:
        member = next(self._members, None)
        if member is None or member.name != name or not _is_plain(member):
            raise Rejected("It is no backup of Warehouse14.", field="archive")
        return member

    def _said(self, member: tarfile.TarInfo) -> dict[str, Any]:
        if not _is_plain(member):
            raise Rejected(f"It has a member of another kind: {member.name!r:.300}", field="archive")
        if member.size > _MOST_SAID:
            raise Rejected(f"{member.name!r:.300} in it is larger than {_MOST_SAID} bytes.", field="archive")
        data = b"".join(self._pieces(member))
        try:
            said = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Rejected(f"{member.name} in it cannot be read: {error}", field="archive") from error
        return said if isinstance(said, dict) else {}

    def _pieces(self, member: tarfile.TarInfo) -> Iterator[bytes]:
        stream = self._tar.extractfile(member)
        assert stream is not None
        left = member.size
        while left:
            piece = stream.read(min(_CHUNK, left))
            if not piece:
                raise _cut_off()
            left -= len(piece)
            yield piece


class _Way:
    """The way to a file, which can be shut: what is written then goes nowhere."""

    def __init__(self, to: BinaryIO) -> None:
        self._to: BinaryIO | None = to

    def write(self, data: bytes) -> int:
        """Write ``data``."""
        return len(data) if self._to is None else self._to.write(data)

    def shut(self) -> None:
        """Write nothing more."""
        self._to = None


@contextmanager
def writing(to: BinaryIO) -> Iterator[Writing]:
    """Return an archive that is written to ``to``, and closed at the end of the block.

    After an error ``to`` gets nothing more: a tar that is not closed would write its end later, when the
    file is no more.
    """
    way = _Way(to)
    tar = tarfile.open(fileobj=way, mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload]  # noqa: SIM115
    try:
        yield Writing(tar)
        tar.close()
    except BaseException:
        way.shut()
        tar.close()
        raise


@contextmanager
def reading(stream: BinaryIO) -> Iterator[Reading]:
    """Return the archive in ``stream``. Raises ``Rejected`` for what is none, or is damaged."""
    try:
        with _opened(stream) as tar:
            yield Reading(tar)
    except tarfile.TarError as error:
        raise _no_backup(error) from error


def _opened(stream: BinaryIO) -> tarfile.TarFile:
    with _legible():
        return tarfile.open(fileobj=stream, mode="r|")


@contextmanager
def _legible() -> Iterator[None]:
    """Raise ``Rejected`` for headers with numbers that are none, and for headers of headers without end."""
    try:
        yield
    except (ValueError, OverflowError, RecursionError) as error:
        raise _no_backup(error) from error


def joined(pieces: Iterable[bytes]) -> bytes:
    """Return all ``pieces`` of a small member together; of one that is larger than what lies beside a file
    may be, no more than shows it."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MOST_SIDECAR:
            break
    return bytes(data)


def _is_plain(member: tarfile.TarInfo) -> bool:
    """Whether a member has the bytes that it says: a sparse one has holes, which fill a disk from nothing."""
    return member.isfile() and not member.issparse() and member.size >= 0


def _no_backup(error: Exception) -> Rejected:
    return Rejected(f"It is no backup of Warehouse14, or damaged: {error}", field="archive")


def _forget_members(tar: tarfile.TarFile) -> None:
    """Let go of the members that have passed: there are several for each file of a site."""
    tar.members.clear()  # type: ignore[attr-defined]


def _digest(pieces: Iterable[bytes]) -> str:
    running = hashlib.sha256()
    for piece in pieces:
        running.update(piece)
    return running.hexdigest()


def _cut_off() -> Rejected:
    return Rejected(
        "It is cut off, and nothing of it is listed. Take a whole one: the same stores will do.",
        field="archive",
    )
