"""Bodies that are put together from pieces, each of which is compressed by itself."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

#: RFC 1952, section 2.3: deflate, no flags, no time, slowest and best, system unknown.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
#: RFC 1951, section 3.2.6: a last block, with nothing in it.
_LAST_BLOCK = b"\x03\x00"
_GZIP_LEVEL = 6
_RAW = -zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a body.

    Attributes:
        sent: its bytes as they are sent: compressed blocks, or the text itself.
        crc: the CRC-32 of the text.
        length: how many bytes the text has.
    """

    sent: bytes | memoryview
    crc: int
    length: int


def piece(text: str, *, compressed: bool) -> Piece:
    """Return ``text`` as a piece. What is compressed ends on a byte and refers to nothing before it."""
    plain = text.encode("utf-8")
    if not compressed:
        return Piece(plain, 0, len(plain))
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _RAW)
    packed = packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
    return Piece(packed, zlib.crc32(plain), len(plain))


def joined(pieces: Iterable[Piece], *, compressed: bool) -> bytes:
    """Return the body that ``pieces`` make: one member of gzip (RFC 1952) if they are compressed."""
    known = list(pieces)
    if not compressed:
        return b"".join(piece.sent for piece in known)
    crc = length = 0
    for piece in known:
        crc = _appended(crc, piece)
        length += piece.length
    end = _LAST_BLOCK + crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join([_GZIP_HEAD, *(piece.sent for piece in known), end])


def head_length(*, compressed: bool) -> int:
    """Return at which byte of a body its first piece begins."""
    return len(_GZIP_HEAD) if compressed else 0


def _appended(crc: int, piece: Piece) -> int:
    """Return the CRC-32 of a text with the CRC ``crc`` and then that of ``piece``.

    A CRC is linear: what the bytes before do to it, they do also to one of as
    many zeros, which are faster had than the text.
    """
    zeros = bytes(piece.length)
    return zlib.crc32(zeros, crc) ^ zlib.crc32(zeros) ^ piece.crc
