"""How much an archive may unpack to, counted from the bytes that really come out.

No size in a header is believed. The limits are generous for any honest
distribution and keep the work proportional to what was sent.
"""

from collections.abc import Iterable
from typing import BinaryIO, Final

from warehouse14.domain.archives.refusals import refusal, shown

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

#: More than this unpacked is refused if it is also more than ``BOMB_RATIO`` times the file.
BOMB_FLOOR: Final = 64 * MIB
BOMB_RATIO: Final = 50
#: No archive unpacks to more than this.
MAX_UNPACKED: Final = 16 * GIB
#: No archive has more members than this.
MAX_MEMBERS: Final = 50_000
#: The zip central directory is held in memory: 330 bytes for each of the most members.
MAX_DIRECTORY: Final = 16 * MIB
#: METADATA and PKG-INFO, and of it the fields without the description that follows them.
MAX_METADATA: Final = 4 * MIB
MAX_FIELDS: Final = 1 * MIB
#: How many fields those may be, and of how many names: the e-mail parser takes their product in time.
MAX_FIELD_COUNT: Final = 20_000
MAX_FIELD_NAMES: Final = 100
#: How many lines those may take; old tools fold the whole description into one field.
MAX_FIELD_LINES: Final = 50_000
MAX_WHEEL: Final = 64 * KIB
#: RECORD is read line by line.
MAX_RECORD: Final = 64 * MIB
MAX_RECORD_LINE: Final = 8 * KIB
#: It may have that many lines more than the wheel has files: itself, its signatures and blank lines.
MAX_RECORD_SURPLUS: Final = 16
#: The pax headers and GNU long names before one member of a tar archive, and those of all members.
MAX_TAR_HEADER: Final = 1 * MIB
MAX_TAR_HEADERS: Final = 16 * MIB
#: How many those may be: tools write one of each type at most, and many write one for every member.
MAX_TAR_HEADERS_OF_MEMBER: Final = 8
#: How many members and extended headers there may be together.
MAX_TAR_BLOCKS: Final = 75_000
#: How many records one pax header may have, and all of an archive; tools write fewer than ten for a member.
MAX_PAX_RECORDS: Final = 1000
MAX_PAX_RECORDS_OF_ALL: Final = 200_000
#: How many gzip members a tar archive may be packed in; tools write one, some one for every 64 KiB.
MAX_GZIP_MEMBERS: Final = 10_000
#: How many bytes are read or unpacked at a time.
CHUNK: Final = 256 * KIB


class Budget:
    """What one archive may still unpack to."""

    __slots__ = ("_filename", "_limit", "_unpacked")

    def __init__(self, filename: str, packed: int) -> None:
        self._filename = filename
        self._limit = min(max(BOMB_FLOOR, BOMB_RATIO * packed), MAX_UNPACKED)
        self._unpacked = 0

    def spend(self, unpacked: int) -> None:
        """Count ``unpacked`` more bytes, or raise ``Rejected`` if that is too much."""
        self._unpacked += unpacked
        if self._unpacked > self._limit:
            raise refusal(
                self._filename,
                f"it unpacks to more than {self._limit} bytes. An archive may unpack to "
                f"{BOMB_FLOOR // MIB} MiB, or to {BOMB_RATIO} times its size if that is more, "
                f"and to {MAX_UNPACKED // GIB} GiB at most.",
            )


def gathered(pieces: Iterable[bytes], limit: int, *, filename: str, member: str) -> bytes:
    """Return ``pieces`` in one, or raise ``Rejected`` as soon as they exceed ``limit`` bytes."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > limit:
            raise refusal(
                filename, f"its member {shown(member)} is larger than the {limit} bytes that it may have."
            )
    return bytes(found)


class Source:
    """A seekable stream of known size, which reads exactly what is asked for or refuses."""

    __slots__ = ("_stream", "filename", "size")

    def __init__(self, stream: BinaryIO, filename: str) -> None:
        self._stream = stream
        self.filename = filename
        self.size = stream.seek(0, 2)

    def read(self, offset: int, length: int) -> bytes:
        """Return the ``length`` bytes at ``offset``, or raise ``Rejected`` if there are fewer."""
        if offset < 0 or offset + length > self.size:
            raise refusal(
                self.filename,
                f"it has {self.size} bytes, but its own records point to byte {offset + length}. "
                "The archive is damaged or cut off.",
            )
        self._stream.seek(offset)
        data = self._stream.read(length)
        while len(data) < length:
            more = self._stream.read(length - len(data))
            if not more:
                raise refusal(
                    self.filename, f"it ends at byte {offset + len(data)}, while it was being read."
                )
            data += more
        return data

    def chunks(self, offset: int, length: int) -> Iterable[bytes]:
        """Yield the ``length`` bytes at ``offset`` in pieces of bounded size."""
        end = offset + length
        while offset < end:
            piece = self.read(offset, min(CHUNK, end - offset))
            offset += len(piece)
            yield piece
