"""A gzipped tar archive, read once from front to back in bounded memory.

The formats are gzip (RFC 1952) and ustar and pax (POSIX.1-2017), with the
long names of GNU tar. The standard library's reader is not used because it
holds extended headers of any size in memory and follows sparse maps.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, Final

from warehouse14.domain.archives.bounds import CHUNK, MAX_MEMBERS, MAX_TAR_HEADER, Budget
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected

_BLOCK: Final = 512
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_PAX_DIGITS: Final = 20


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


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member as its headers describe it; ``size`` is that of its contents."""

    name: str
    kind: Kind
    size: int
    target: str


@dataclass(frozen=True, slots=True)
class _Header:
    name: bytes
    kind: bytes
    size: int
    target: bytes


class TarStream:
    """The members of a ``.tar.gz`` stream. Iterate once; ``contents`` is for the member at hand."""

    __slots__ = ("_left", "_pieces", "filename")

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        self.filename = filename
        packed = stream.seek(0, 2)
        stream.seek(0)
        self._pieces = _Pieces(_gunzipped(stream, filename, Budget(filename, packed)))
        self._left = 0

    def __iter__(self) -> Iterator[TarMember]:
        for _ in range(MAX_MEMBERS):
            member = self._member()
            if member is None:
                self._check_padding()
                return
            self._left = _padded(member.size)
            yield member
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
        while header is not None and header.kind in b"xXgLK":
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
        block = b"".join(self._pieces.take(_BLOCK))
        if not block.strip(b"\0"):
            return None
        if len(block) < _BLOCK or not _checksum_fits(block):
            raise self._refusal("it is not a tar archive, or it is damaged: a header's checksum is wrong")
        prefix, magic = block[345:500].partition(b"\0")[0], block[257:263]
        name = block[:100].partition(b"\0")[0]
        if prefix and magic != b"ustar\0":
            raise self._refusal(f"its member {shown(_text(name))} has a header that tools read differently")
        return _Header(
            name=prefix + b"/" + name if prefix else name,
            kind=block[156:157],
            size=self._number(block[124:136]),
            target=block[157:257].partition(b"\0")[0],
        )

    def _extended(self, header: _Header) -> dict[bytes, bytes]:
        """Return what the extended ``header`` says of the next member."""
        if header.size > MAX_TAR_HEADER:
            raise self._refusal(f"it has an extended header of more than {MAX_TAR_HEADER} bytes")
        data = b"".join(self._pieces.take(header.size))
        self._check_whole(len(data), header.size)
        self._skip(_padded(header.size) - header.size)
        if header.kind in b"LK":
            return {b"path" if header.kind == b"L" else b"linkpath": data.partition(b"\0")[0]}
        records = dict(self._pax_records(data))
        if any(key.startswith(b"GNU.sparse.") for key in records):
            raise self._refusal("it has a sparse member; use regular files")
        known = {key: value for key, value in records.items() if key in {b"path", b"linkpath", b"size"}}
        if header.kind == b"g" and known:
            raise self._refusal("it has a global pax header that gives every member the same name or size")
        return known

    def _pax_records(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        at = 0
        while at < len(data):
            space = data.find(b" ", at, at + _PAX_DIGITS)
            length = self._decimal(data[at : max(at, space)])
            record = data[space + 1 : at + length]
            key, equals, value = record[:-1].partition(b"=")
            if not equals or record[-1:] != b"\n" or at + length > len(data):
                raise self._refusal("it has a malformed pax header")
            yield key, value
            at += length

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

    def rest(self) -> Iterable[bytes]:
        """Yield all that is left."""
        yield self._piece[self._at :]
        yield from self._source


def _gunzipped(stream: BinaryIO, filename: str, budget: Budget) -> Iterator[bytes]:
    """Yield the unpacked bytes of all gzip members; zeros may follow the last one."""
    engine = zlib.decompressobj(_GZIP_WINDOW)
    piece = stream.read(CHUNK)
    try:
        while piece:
            output = engine.decompress(piece, CHUNK)
            budget.spend(len(output))
            yield output
            piece = engine.unconsumed_tail
            if engine.eof:
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
    counted = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(counted)
    return int(text, 8) in {unsigned, unsigned - 256 * sum(byte > 127 for byte in counted)}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
