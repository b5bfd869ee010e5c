"""The end of a ZIP file: its end record and its central directory (APPNOTE.TXT 4.3.12 to 4.3.16).

Tools disagree about damaged or doctored archives: some search for the end
record from the back, some from the front, some trust the local headers. So
nothing is guessed here: what the specification allows in one way only is
taken, and everything else is refused.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warehouse14.domain.archives.bounds import MAX_DIRECTORY, MAX_MEMBERS, MIB, Source
from warehouse14.domain.archives.paths import folded, path_fault
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected

STORED: Final = 0
DEFLATED: Final = 8

FLAG_DESCRIPTOR: Final = 0x0008
FLAG_UTF8: Final = 0x0800
_FLAGS_REFUSED: Final = 0x0001 | 0x0020 | 0x0040 | 0x2000  # encrypted, a patch, strongly encrypted, masked

_END_SIGNATURE: Final = b"PK\x05\x06"
_END: Final = struct.Struct("<4s4H2LH")
_LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
_LOCATOR: Final = struct.Struct("<4sLQL")
_END64_SIGNATURE: Final = b"PK\x06\x06"
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY_SIGNATURE: Final = b"PK\x01\x02"
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_EXTRA: Final = struct.Struct("<2H")

_COMMENT_LENGTH: Final = 0xFFFF
_FULL16: Final = 0xFFFF
_FULL32: Final = 0xFFFFFFFF
_EXTRA_ZIP64: Final = 0x0001
_EXTRA_UNICODE_PATH: Final = 0x7075


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies and how many entries it has."""

    offset: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the central directory."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    offset: int


def find_directory(source: Source) -> Directory:
    """Return where the central directory is, as the only end record at the very end says.

    Raises ``Rejected`` if there is no such record, more than one, or bytes after it.
    """
    end_at, (_, disk, start_disk, here, count, size, offset, _) = _end_record(source)
    limit = end_at
    locator_at = end_at - _LOCATOR.size
    if locator_at >= 0 and source.read(locator_at, 4) == _LOCATOR_SIGNATURE:
        narrow = (disk, start_disk, here, count, size, offset)
        limit, (disk, start_disk, here, count, size, offset) = _end_record64(source, locator_at, narrow)
    if disk or start_disk or here != count:
        raise refusal(source.filename, "it is one part of a multi-volume ZIP file. Send a single file.")
    if offset + size != limit:
        raise refusal(
            source.filename,
            "its ZIP central directory does not end where the end record begins. "
            "Nothing may precede the first member or lie between the records.",
        )
    if count > MAX_MEMBERS or size > MAX_DIRECTORY:
        raise refusal(
            source.filename,
            f"it has too many members. {MAX_MEMBERS} are allowed, "
            f"in a directory of {MAX_DIRECTORY // MIB} MiB.",
        )
    return Directory(offset, size, count)


def read_entries(source: Source, directory: Directory) -> list[Entry]:
    """Return the central directory's entries in the order in which their members lie in the file.

    Raises ``Rejected`` for an entry that is malformed, encrypted, compressed
    other than by deflate, a link or device, or whose name is unsafe or taken.
    """
    entries = sorted(_entries(source, directory), key=lambda entry: entry.offset)
    names: set[str] = set()
    for entry in entries:
        key = folded(entry.name.removesuffix("/"))
        if key in names:
            raise member_refusal(
                source.filename,
                entry.name,
                "is there more than once (names that differ in case only are the same)",
            )
        names.add(key)
    return entries


def extra_fields(extra: bytes) -> dict[int, bytes] | None:
    """Return the extra fields by header ID, or None if they are malformed or one occurs twice."""
    fields: dict[int, bytes] = {}
    at = 0
    while at + _EXTRA.size <= len(extra):
        key, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if key in fields or at + length > len(extra):
            return None
        fields[key] = extra[at : at + length]
        at += length
    return fields


def widened(values: tuple[int, ...], fields: dict[int, bytes]) -> tuple[int, ...] | None:
    """Return ``values`` with those that are full replaced from the ZIP64 extra field, in its order.

    None if the field is there and too short.
    """
    wide = fields.get(_EXTRA_ZIP64)
    if wide is None:
        return values
    found: list[int] = []
    at = 0
    for value in values:
        if value != _FULL32:
            found.append(value)
            continue
        if at + 8 > len(wide):
            return None
        found.append(int.from_bytes(wide[at : at + 8], "little"))
        at += 8
    return tuple(found)


def renames(fields: dict[int, bytes], raw_name: bytes) -> bool:
    """Return whether an Info-ZIP Unicode path gives the member another name than its header does."""
    path = fields.get(_EXTRA_UNICODE_PATH)
    return path is not None and path != b"\x01" + zlib.crc32(raw_name).to_bytes(4, "little") + raw_name


def member_refusal(filename: str, member: str, problem: str) -> Rejected:
    """Return the error that refuses ``filename`` because its ``member`` has a ``problem``."""
    return refusal(filename, f"its member {shown(member)} {problem}.")


def _end_record(source: Source) -> tuple[int, tuple[bytes, int, int, int, int, int, int, int]]:
    """Return the position of the end record and its fields."""
    start = max(0, source.size - _END.size - _COMMENT_LENGTH)
    tail = source.read(start, source.size - start)
    found = [at for at in _occurrences(tail, _END_SIGNATURE) if _reaches_end(tail, at)]
    if not found or tail.rfind(_END_SIGNATURE) != found[0]:
        raise refusal(
            source.filename,
            "it is not a ZIP file with exactly one end record at its very end. "
            "It is no ZIP file, it was cut off, or something was appended.",
        )
    return start + found[0], _END.unpack_from(tail, found[0])


def _occurrences(data: bytes, pattern: bytes) -> Iterator[int]:
    at = data.find(pattern)
    while at >= 0:
        yield at
        at = data.find(pattern, at + 1)


def _reaches_end(tail: bytes, at: int) -> bool:
    """Whether the end record at ``at`` and its comment end with the file."""
    if at + _END.size > len(tail):
        return False
    comment_length: int = _END.unpack_from(tail, at)[-1]
    return at + _END.size + comment_length == len(tail)


def _end_record64(
    source: Source, locator_at: int, narrow: tuple[int, ...]
) -> tuple[int, tuple[int, int, int, int, int, int]]:
    """Return the position of the ZIP64 end record and its six fields, which must agree with ``narrow``."""
    _, disk, at, disks = _LOCATOR.unpack(source.read(locator_at, _LOCATOR.size))
    signature, length, _, _, *wide = _END64.unpack(source.read(at, _END64.size))
    if (
        signature != _END64_SIGNATURE
        or (disk, disks) != (0, 1)
        or length != _END64.size - 12
        or at + _END64.size != locator_at
    ):
        raise refusal(source.filename, "its ZIP64 end record is malformed or not where its locator says.")
    full = (_FULL16, _FULL16, _FULL16, _FULL16, _FULL32, _FULL32)
    if any(small not in {most, large} for small, most, large in zip(narrow, full, wide, strict=True)):
        raise refusal(source.filename, "its ZIP64 end record contradicts its end record.")
    first, second, third, fourth, fifth, sixth = wide
    return at, (first, second, third, fourth, fifth, sixth)


def _entries(source: Source, directory: Directory) -> Iterator[Entry]:
    block = source.read(directory.offset, directory.size)
    at = 0
    for _ in range(directory.count):
        entry, length = _entry(source.filename, block, at)
        at += length
        yield entry
    if at != len(block):
        raise refusal(source.filename, "its ZIP central directory is longer than its entries.")


def _entry(filename: str, block: bytes, at: int) -> tuple[Entry, int]:
    """Return the entry at ``at`` and its length."""
    if at + _ENTRY.size > len(block):
        raise refusal(filename, "its ZIP central directory has fewer entries than its end record says.")
    header = _ENTRY.unpack_from(block, at)
    signature, _, _, flags, method, _, _, crc, packed, unpacked, *lengths, disk, _, mode, offset = header
    name_length, extra_length, comment_length = lengths
    length = _ENTRY.size + name_length + extra_length + comment_length
    if signature != _ENTRY_SIGNATURE or at + length > len(block):
        raise refusal(filename, "its ZIP central directory is malformed.")
    name_at = at + _ENTRY.size
    raw_name = block[name_at : name_at + name_length]
    name = _decoded(filename, raw_name, utf8=bool(flags & FLAG_UTF8))
    _check_kind(filename, name, flags, method, mode >> 16)
    fields = extra_fields(block[name_at + name_length : name_at + name_length + extra_length])
    sizes = (
        None if fields is None or renames(fields, raw_name) else widened((unpacked, packed, offset), fields)
    )
    if sizes is None or disk not in {0, _FULL16}:
        raise member_refusal(filename, name, "has malformed extra fields, or another name or volume there")
    unpacked, packed, offset = sizes
    return Entry(name, raw_name, flags, method, crc, packed, unpacked, offset), length


def _decoded(filename: str, raw: bytes, *, utf8: bool) -> str:
    try:
        name = raw.decode("utf-8" if utf8 else "cp437")
    except UnicodeDecodeError as error:
        raise member_refusal(
            filename, raw.decode("latin-1"), "has a name that is not UTF-8 although it says so"
        ) from error
    fault = path_fault(name)
    if fault is None and not {"", "."}.isdisjoint(name.removesuffix("/").split("/")):
        fault = "has an empty or '.' folder in its name"
    if fault:
        raise member_refusal(filename, name, fault)
    return name


def _check_kind(filename: str, name: str, flags: int, method: int, mode: int) -> None:
    if flags & _FLAGS_REFUSED:
        raise member_refusal(filename, name, "is encrypted or a patch; members are plain")
    if method not in {STORED, DEFLATED}:
        raise member_refusal(
            filename,
            name,
            f"is compressed by method {method}; use 'stored' or 'deflate', which every installer knows",
        )
    kinds = {0, stat.S_IFDIR} if name.endswith("/") else {0, stat.S_IFREG}
    if stat.S_IFMT(mode) not in kinds:
        raise member_refusal(
            filename, name, "is a link, a device or a misnamed folder; use regular files and folders"
        )
