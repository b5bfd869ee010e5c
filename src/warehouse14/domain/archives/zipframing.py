"""A ZIP file whose central directory, local headers and contents tell one story.

The members must tile the file from its first byte to the central directory:
nothing overlaps, and no gap hides a member from one tool that another sees.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from warehouse14.domain.archives.bounds import CHUNK, Budget, Source
from warehouse14.domain.archives.refusals import refusal
from warehouse14.domain.archives.zipdirectory import (
    FLAG_DESCRIPTOR,
    FLAG_UTF8,
    STORED,
    Entry,
    extra_fields,
    find_directory,
    member_refusal,
    read_entries,
    renames,
    widened,
)

_LOCAL_SIGNATURE: Final = b"PK\x03\x04"
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_DESCRIPTOR_SIGNATURE: Final = b"PK\x07\x08"
_DESCRIPTOR: Final = struct.Struct("<3L")
_DESCRIPTOR64: Final = struct.Struct("<L2Q")
_DESCRIPTOR_LENGTH: Final = 24
_FULL32: Final = 0xFFFFFFFF
#: The two other flags, of deflate's effort, say nothing that a reader needs.
_FLAGS_COMPARED: Final = 0x0001 | FLAG_DESCRIPTOR | FLAG_UTF8


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, where its packed bytes lie, and what they must unpack to."""

    name: str
    method: int
    start: int
    packed: int
    unpacked: int
    crc: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a folder, which its name's last character says."""
        return self.name.endswith("/")


class ZipArchive:
    """An opened ZIP file. ``members`` are in the order in which they lie in the file.

    Raises ``Rejected`` if the framing is not exactly as the specification says.
    """

    __slots__ = ("_budget", "_source", "filename", "members")

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        self.filename = filename
        self._source = Source(stream, filename)
        self._budget = Budget(filename, self._source.size)
        self.members = _read_members(self._source)

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Yield what ``member`` unpacks to, piece by piece.

        Raises ``Rejected`` on damaged data, too much of it, and, after the
        last piece, if size or CRC-32 are not what the headers say.
        """
        packed = self._source.chunks(member.start, member.packed)
        count = crc = 0
        for piece in packed if member.method == STORED else self._inflated(member, packed):
            count += len(piece)
            if count > member.unpacked:
                break
            self._budget.spend(len(piece))
            crc = zlib.crc32(piece, crc)
            yield piece
        if count != member.unpacked or crc != member.crc:
            raise member_refusal(
                self.filename, member.name, "does not unpack to the size and CRC-32 that its header says"
            )

    def _inflated(self, member: Member, packed: Iterable[bytes]) -> Iterator[bytes]:
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in packed:
                yield from _outputs(engine, piece)
        except zlib.error as error:
            raise member_refusal(self.filename, member.name, f"cannot be unpacked ({error})") from error
        if not engine.eof or engine.unused_data:
            raise member_refusal(self.filename, member.name, "ends before or after its compressed data does")


def _outputs(engine: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    """Yield all that ``engine`` makes of ``piece``, never more than ``CHUNK`` bytes at a time."""
    output = engine.decompress(piece, CHUNK)
    yield output
    while engine.unconsumed_tail or len(output) == CHUNK:
        output = engine.decompress(engine.unconsumed_tail, CHUNK)
        yield output


def _read_members(source: Source) -> tuple[Member, ...]:
    directory = find_directory(source)
    entries = read_entries(source, directory)
    offsets = [*(entry.offset for entry in entries), directory.offset]
    if offsets[0] != 0:
        raise refusal(
            source.filename, "something precedes its first member. A ZIP file begins with a member."
        )
    return tuple(_member(source, entry, end) for entry, end in zip(entries, offsets[1:], strict=True))


def _member(source: Source, entry: Entry, end: int) -> Member:
    """Return the member of ``entry``, which must fill the file up to ``end``."""
    name_at = entry.offset + _LOCAL.size
    header = _LOCAL.unpack(source.read(entry.offset, _LOCAL.size))
    signature, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = header
    name_and_extra = source.read(name_at, name_length + extra_length)
    fields = extra_fields(name_and_extra[name_length:])
    sizes = None if fields is None else widened((unpacked, packed), fields)
    if (
        signature != _LOCAL_SIGNATURE
        or method != entry.method
        or (flags ^ entry.flags) & _FLAGS_COMPARED
        or name_and_extra[:name_length] != entry.raw_name
        or fields is None
        or renames(fields, entry.raw_name)
        or not _sizes_agree(entry, crc, sizes)
    ):
        raise member_refusal(
            source.filename, entry.name, "has a local header that contradicts the central directory"
        )
    start = name_at + name_length + extra_length
    _check_tiling(source, entry, start + entry.packed, end)
    if entry.name.endswith("/") and entry.unpacked:
        raise member_refusal(source.filename, entry.name, "is a folder with contents of its own")
    return Member(entry.name, entry.method, start, entry.packed, entry.unpacked, entry.crc)


def _sizes_agree(entry: Entry, crc: int, sizes: tuple[int, ...] | None) -> bool:
    """Whether CRC and sizes equal the entry's, or are left to the data descriptor."""
    if sizes == (entry.unpacked, entry.packed) and crc == entry.crc:
        return True
    return bool(entry.flags & FLAG_DESCRIPTOR) and sizes == (0, 0) and crc in {0, entry.crc}


def _check_tiling(source: Source, entry: Entry, data_end: int, end: int) -> None:
    """Raise ``Rejected`` unless exactly the data descriptor, if any, lies between the data and ``end``."""
    gap = end - data_end
    if not entry.flags & FLAG_DESCRIPTOR:
        fits = gap == 0
    else:
        fits = 0 < gap <= _DESCRIPTOR_LENGTH and source.read(data_end, gap) in _descriptors(entry)
    if not fits:
        raise member_refusal(
            source.filename,
            entry.name,
            "overlaps the next one, or something lies between them that is no member",
        )


def _descriptors(entry: Entry) -> set[bytes]:
    """The four forms that the entry's data descriptor may have (APPNOTE.TXT 4.3.9)."""
    forms = {_DESCRIPTOR64.pack(entry.crc, entry.packed, entry.unpacked)}
    if max(entry.packed, entry.unpacked) <= _FULL32:
        forms.add(_DESCRIPTOR.pack(entry.crc, entry.packed, entry.unpacked))
    return forms | {_DESCRIPTOR_SIGNATURE + form for form in forms}
