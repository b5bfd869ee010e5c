"""A gzipped tar archive, read once from front to back in bounded memory.

The formats are gzip (RFC 1952) and ustar and pax (POSIX.1-2017), with the
long names of GNU tar. The standard library's reader is not used because it
holds extended headers of any size in memory and follows sparse maps.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import BinaryIO, Final, NamedTuple

from warehouse14.domain.archives.bounds import (
    CHUNK,
    MAX_GZIP_MEMBERS,
    MAX_MEMBERS,
    MAX_PAX_RECORDS,
    MAX_PAX_RECORDS_OF_ALL,
    MAX_TAR_BLOCKS,
    MAX_TAR_HEADER,
    MAX_TAR_HEADERS,
    MAX_TAR_HEADERS_OF_MEMBER,
    Budget,
)
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected

_BLOCK: Final = 512
_HALF: Final = _BLOCK // 2
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_PAX_DIGITS: Final = 20
_ASCII: Final = bytes(range(128))
_NEWLINE: Final = ord("\n")
#: Name, size, checksum, type, link target, magic and prefix.
_FIELDS: Final = struct.Struct("100s24x12s12x8sc100s6s82x155s12x")
_KNOWN: Final = frozenset({b"path", b"linkpath", b"size"})
_EXTENDED: Final = frozenset({b"x", b"X", b"g", b"L", b"K"})


class Kind(Enum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"


_KINDS: Final = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARDLINK,
    b"2": Kind.SYMLINK,
    b"5": Kind.FOLDER,
}


class TarMember(NamedTuple):
    """One member as its headers describe it; ``size`` is that of its contents."""

    name: str
    kind: Kind
    size: int
    target: str


class _Header(NamedTuple):
    name: bytes
    kind: bytes
    size: int
    target: bytes


class TarStream:
    """The members of a ``.tar.gz`` stream. Iterate once; ``contents`` is for the member at hand."""

    __slots__ = ("_blocks", "_extended_bytes", "_left", "_pieces", "_records", "filename")

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        self.filename = filename
        packed = stream.seek(0, 2)
        stream.seek(0)
        self._pieces = _Pieces(_gunzipped(stream, filename, Budget(filename, packed)))
        self._left = 0
        self._blocks = 0
        self._extended_bytes = 0
        self._records = 0

    def __iter__(self) -> Iterator[TarMember]:
        for _ in range(MAX_MEMBERS):
            member = self._member()
            if member is None:
                self._check_padding()
                return
            self._left = _padded(member.size)
            yield member
            if self._left:
                self._skip(self._left)
        raise self._refusal(f"it has more than the {MAX_MEMBERS} members that are allowed")

    def contents(self, member: TarMember) -> Iterator[bytes]:
        """Yield the contents of the ``member`` that the iteration has just yielded."""
        self._left -= member.size
        count = 0
        for piece in self._pieces.take(member.size):
            count += len(piece)
            yield piece
        self._check_whole(count, member.size)

    def _member(self) -> TarMember | None:
        """Return the next member, its extended headers applied, or None at the end."""
        pax: dict[bytes, bytes] = {}
        header = self._header()
        count = total = 0
        while header is not None and header.kind in _EXTENDED:
            count += 1
            total += header.size
            self._check_extended(count, total, header.size)
            pax.update(self._extended(header))
            header = self._header()
        if header is None:
            return None
        kind = self._kind(header)
        size = self._decimal(pax[b"size"]) if b"size" in pax else header.size
        if kind is not Kind.FILE and size:
            raise self._refusal(
                f"its member {shown(_text(header.name))} is a {kind.value} with contents of its own"
            )
        name, target = pax.get(b"path", header.name), pax.get(b"linkpath", header.target)
        return TarMember(_text(name), kind, size, _text(target))

    def _kind(self, header: _Header) -> Kind:
        kind = _KINDS.get(header.kind)
        if kind is None:
            raise self._refusal(
                f"its member {shown(_text(header.name))} is a device, a sparse file or of an unknown type "
                f"({header.kind.decode('latin-1')!a}); use regular files, folders and links"
            )
        if header.kind == b"\0" and header.name.endswith(b"/"):
            return Kind.FOLDER
        return kind

    def _header(self) -> _Header | None:
        """Return the next header block, or None at the end of the archive."""
        block = self._pieces.whole(_BLOCK)
        if not block.strip(b"\0"):
            return None
        self._blocks += 1
        if self._blocks > MAX_TAR_BLOCKS:
            raise self._refusal(f"it has more than the {MAX_TAR_BLOCKS} headers that are allowed")
        if len(block) < _BLOCK or not _checksum_fits(block):
            raise self._refusal("it is not a tar archive, or it is damaged: a header's checksum is wrong")
        name, size, _, kind, target, magic, prefix = _FIELDS.unpack(block)
        name, prefix = name.partition(b"\0")[0], prefix.partition(b"\0")[0]
        if prefix and magic != b"ustar\0":
            raise self._refusal(f"its member {shown(_text(name))} has a header that tools read differently")
        return _Header(
            name=prefix + b"/" + name if prefix else name,
            kind=kind,
            size=self._number(size),
            target=target.partition(b"\0")[0],
        )

    def _check_extended(self, count: int, total: int, size: int) -> None:
        """Raise ``Rejected`` if one member has too many extended headers, or they are too long."""
        self._extended_bytes += size
        if count > MAX_TAR_HEADERS_OF_MEMBER:
            raise self._refusal(
                f"it has a member with more than {MAX_TAR_HEADERS_OF_MEMBER} extended headers"
            )
        if total > MAX_TAR_HEADER or self._extended_bytes > MAX_TAR_HEADERS:
            raise self._refusal(
                f"it has an extended header of more than {MAX_TAR_HEADER} bytes for one member, "
                f"or of more than {MAX_TAR_HEADERS} for all"
            )

    def _extended(self, header: _Header) -> dict[bytes, bytes]:
        """Return what the extended ``header`` says of the next member."""
        data = self._pieces.whole(header.size)
        self._check_whole(len(data), header.size)
        if data:
            self._skip(_padded(header.size) - header.size)
        if header.kind in b"LK":
            return {b"path" if header.kind == b"L" else b"linkpath": data.partition(b"\0")[0]}
        known: dict[bytes, bytes] = {}
        for key, value in self._pax_records(data):
            if key in _KNOWN:
                known[key] = value
            elif key.startswith(b"GNU.sparse."):
                raise self._refusal("it has a sparse member; use regular files")
        if header.kind == b"g" and known:
            raise self._refusal("it has a global pax header that gives every member the same name or size")
        return known

    def _pax_records(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        at = count = 0
        while at < len(data):
            count += 1
            if count > MAX_PAX_RECORDS or self._records + count > MAX_PAX_RECORDS_OF_ALL:
                raise self._refusal(
                    f"it has a pax header of more than {MAX_PAX_RECORDS} records, "
                    f"or more than {MAX_PAX_RECORDS_OF_ALL} in all"
                )
            space = data.find(b" ", at, at + _PAX_DIGITS)
            end = at + self._decimal(data[at : max(at, space)])
            equals = data.find(b"=", space + 1, end)
            if equals < 0 or end > len(data) or data[end - 1] != _NEWLINE:
                raise self._refusal("it has a malformed pax header")
            yield data[space + 1 : equals], data[equals + 1 : end - 1]
            at = end
        self._records += count

    def _decimal(self, digits: bytes) -> int:
        if not digits.isdigit() or len(digits) > _PAX_DIGITS:
            raise self._refusal("it has a malformed number in a pax header")
        return int(digits)

    def _number(self, field: bytes) -> int:
        """The number in a header field: octal text, or base 256 as GNU tar writes large ones."""
        if field[0] == 0x80:
            return int.from_bytes(field[1:], "big")
        text = field.partition(b"\0")[0].strip()
        if text.strip(b"01234567"):
            raise self._refusal("it has a header with a malformed size")
        return int(text or b"0", 8)

    def _check_padding(self) -> None:
        """Raise ``Rejected`` unless nothing but zeros follows the end of the archive."""
        if any(piece.count(0) != len(piece) for piece in self._pieces.rest()):
            raise self._refusal("something follows the end of its tar archive")

    def _skip(self, length: int) -> None:
        self._check_whole(sum(map(len, self._pieces.take(length))), length)

    def _check_whole(self, count: int, length: int) -> None:
        if count != length:
            raise self._refusal("its tar archive ends in the middle of a member")

    def _refusal(self, problem: str) -> Rejected:
        return refusal(self.filename, f"{problem}.")


class _Pieces:
    """Takes exact lengths from an iterator of byte strings."""

    __slots__ = ("_at", "_piece", "_source")

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._piece = b""
        self._at = 0

    def take(self, length: int) -> Iterator[bytes]:
        """Yield the next ``length`` bytes, or fewer if the source ends."""
        while length > 0:
            if self._at == len(self._piece):
                following = next(self._source, None)
                if following is None:
                    return
                self._piece, self._at = following, 0
            part = self._piece[self._at : self._at + length]
            self._at += len(part)
            length -= len(part)
            yield part

    def whole(self, length: int) -> bytes:
        """Return the next ``length`` bytes in one, or fewer if the source ends."""
        end = self._at + length
        if end <= len(self._piece):
            part = self._piece[self._at : end]
            self._at = end
            return part
        return b"".join(self.take(length))

    def rest(self) -> Iterable[bytes]:
        """Yield all that is left."""
        yield self._piece[self._at :]
        yield from self._source


def _gunzipped(stream: BinaryIO, filename: str, budget: Budget) -> Iterator[bytes]:
    """Yield the unpacked bytes of all gzip members; zeros may follow the last one."""
    engine = zlib.decompressobj(_GZIP_WINDOW)
    piece = stream.read(CHUNK)
    members = 0
    try:
        while piece:
            output = engine.decompress(piece, CHUNK)
            budget.spend(len(output))
            yield output
            piece = engine.unconsumed_tail
            if engine.eof:
                members += 1
                if members > MAX_GZIP_MEMBERS:
                    raise refusal(
                        filename, f"it has more than the {MAX_GZIP_MEMBERS} gzip members that are allowed."
                    )
                piece = _next_gzip_member(stream, engine.unused_data)
                engine = zlib.decompressobj(_GZIP_WINDOW) if piece else engine
            elif not piece and len(output) < CHUNK:
                piece = stream.read(CHUNK)
    except zlib.error as error:
        raise refusal(filename, f"it is not gzip, or it is damaged ({error}).") from error
    if not engine.eof:
        raise refusal(filename, "its gzip data is cut off.")


def _next_gzip_member(stream: BinaryIO, rest: bytes) -> bytes:
    """Return what follows the zeros after a gzip member; empty at the end of the file."""
    rest = rest.lstrip(b"\0")
    while not rest:
        more = stream.read(CHUNK)
        if not more:
            return b""
        rest = more.lstrip(b"\0")
    return rest


def _padded(size: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // _BLOCK) * _BLOCK


def _checksum_fits(block: bytes) -> bool:
    """Whether the header's checksum is right, its bytes taken as unsigned or, as old tools did, as signed."""
    text = block[148:156].partition(b"\0")[0].strip()
    if not text or text.strip(b"01234567"):
        return False
    told = int(text, 8)
    counted = block[:148] + b" " * 8 + block[156:]
    unsigned = _sum(counted[:_HALF]) + _sum(counted[_HALF:])
    return told == unsigned or told == unsigned - 256 * len(counted.translate(None, _ASCII))


def _sum(half: bytes) -> int:
    """The sum of the bytes of half a block; adler32 adds them modulo 65521, and 256 of them stay below."""
    return (zlib.adler32(half) & 0xFFFF) - 1


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
