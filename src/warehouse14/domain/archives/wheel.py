"""A wheel's contents, held against the binary distribution format (PEP 427)."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from warehouse14.domain.archives.bounds import MAX_METADATA, MAX_WHEEL, gathered
from warehouse14.domain.archives.filenames import ClaimedName, compressed_tags, expand_tags, split_version
from warehouse14.domain.archives.record import digest_of, read_record
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.archives.zipframing import Member, ZipArchive
from warehouse14.domain.errors import Rejected

_DIST_INFO: Final = ".dist-info"
_WHEEL_VERSION = re.compile(r"1\.[0-9]{1,9}", re.ASCII)


def read_wheel(stream: BinaryIO, filename: str, claimed: ClaimedName) -> tuple[str, bytes]:
    """Return the name and the exact bytes of the wheel's METADATA.

    Every member is unpacked once, in bounded memory, and held against RECORD;
    WHEEL must be of version 1 and name the tags of the file name.

    Raises ``Rejected`` if anything is missing, contradictory or out of bounds.
    """
    archive = ZipArchive(stream, filename)
    files = {member.name: member for member in archive.members if not member.is_directory}
    folder = _dist_info(archive, claimed)
    wheel, metadata, record = (f"{folder}/{name}" for name in ("WHEEL", "METADATA", "RECORD"))
    for name in (wheel, metadata, record):
        if name not in files:
            raise refusal(filename, f"it has no {shown(name)}, which every wheel must have.")
    digests = read_record(
        archive.chunks(files[record]),
        {name: member.unpacked for name, member in files.items()},
        filename=filename,
        record=record,
    )
    kept = _verify(archive, digests, record, {wheel: MAX_WHEEL, metadata: MAX_METADATA})
    _check_wheel(kept[wheel], filename, wheel)
    return metadata, kept[metadata]


def _dist_info(archive: ZipArchive, claimed: ClaimedName) -> str:
    """Return the name of the only ``.dist-info`` folder, which must fit the file name."""
    tops = {member.name.partition("/")[0] for member in archive.members}
    found = sorted(top for top in tops if top.lower().endswith(_DIST_INFO))
    if len(found) != 1:
        names = ", ".join(map(shown, found[:3])) or "none"
        raise refusal(
            archive.filename, f"it must have exactly one folder NAME-VERSION.dist-info, but has {names}."
        )
    if split_version(found[0].removesuffix(_DIST_INFO), claimed.project) != claimed.version:
        raise refusal(
            archive.filename,
            f"its folder {shown(found[0])} must be named after {claimed.project} and {claimed.version}, "
            "as the file is.",
        )
    return found[0]


def _verify(
    archive: ZipArchive, digests: dict[str, str], record: str, keep: dict[str, int]
) -> dict[str, bytes]:
    """Unpack every member but RECORD once, hold it against its digest, and return those to ``keep``."""
    kept: dict[str, bytes] = {}
    for member in archive.members:
        if member.name == record:
            continue
        pieces = archive.chunks(member)
        if member.name in keep:
            kept[member.name] = gathered(
                pieces, keep[member.name], filename=archive.filename, member=member.name
            )
            pieces = iter([kept[member.name]])
        _check_digest(archive.filename, member, pieces, digests.get(member.name))
    return kept


def _check_digest(filename: str, member: Member, pieces: Iterator[bytes], listed: str | None) -> None:
    """Exhaust ``pieces``, and raise ``Rejected`` if their digest is not the ``listed`` one."""
    actual = digest_of(listed.partition("=")[0] if listed else "sha256", pieces)
    if listed and actual != listed:
        raise refusal(
            filename,
            f"its member {shown(member.name)} has the hash {actual}, but RECORD lists {shown(listed)}.",
        )


def _check_wheel(data: bytes, filename: str, name: str) -> None:
    """Raise ``Rejected`` unless the member WHEEL is of version 1.x and has the file name's tags."""
    wanted = expand_tags(compressed_tags(filename)) or frozenset()
    versions: list[str] = []
    missing = set(wanted)
    for key, value in _fields(data, filename, name):
        if key == "wheel-version":
            versions.append(value)
        elif key == "tag":
            tags = expand_tags(value)
            if tags is None or not tags <= wanted:
                raise _wheel_refusal(filename, name, f"the tag {shown(value)} is not in the file name")
            missing -= tags
    if len(versions) != 1 or not _WHEEL_VERSION.fullmatch(versions[0]):
        raise _wheel_refusal(filename, name, "it must have one Wheel-Version, and that must be 1.x")
    if missing:
        listed = ", ".join(sorted(missing)[:3])
        raise _wheel_refusal(filename, name, f"it lacks a Tag that is in the file name: {shown(listed)}")


def _fields(data: bytes, filename: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _wheel_refusal(filename, name, "it is not UTF-8") from error
    for line in text.splitlines():
        key, _, value = line.partition(":")
        yield key.strip().lower(), value.strip()


def _wheel_refusal(filename: str, name: str, problem: str) -> Rejected:
    return refusal(filename, f"{shown(name)}: {problem}.")
