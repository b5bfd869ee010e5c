"""What a file store alone knows of its files: their sidecars, and core metadata."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse14.domain.archives.coremetadata import CoreMetadata, read_core_metadata
from warehouse14.domain.archives.filenames import ALL_EXTENSIONS
from warehouse14.domain.catalogue import MOST_SIDECAR, SIDECAR_METADATA
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.lengths import NAME
from warehouse14.domain.model import File, FileType
from warehouse14.domain.moving.checking import checked_digest
from warehouse14.domain.names import file_name, is_plain, project_name
from warehouse14.domain.ports import FileStore

_SIDECAR = ".json"
_METADATA = ".metadata"
#: What is raised for a sidecar that is none, or that says what cannot be.
_UNREADABLE = (Rejected, ValueError, KeyError, TypeError, OverflowError, RecursionError)
#: What a sidecar may say otherwise than the row: it may be of an earlier attempt with the same bytes.
_OF_ATTEMPTS = frozenset({"uploaded_at", "uploaded_by"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file as its blobs tell of it: ``display_name`` is how it spells its project."""

    file: File
    display_name: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A blob that nothing can be made of, and why not."""

    key: str
    reason: str


def found_in(store: FileStore) -> Iterator[Found | Lost]:
    """Return every file in a store, in no order. Raises ``Unavailable``."""
    for blob in store.keys():
        if not blob.key.endswith(ALL_EXTENSIONS):
            continue
        try:
            yield _found(store, blob.key, blob.size)
        except NotFound:
            yield Lost(blob.key, "it has no sidecar, or no core metadata")
        except _UNREADABLE as error:
            yield Lost(blob.key, f"what is beside it cannot be read: {error}")


def is_wrong(store: FileStore, file: File) -> bool:
    """Whether the sidecar of a listed file cannot be read, or is of another file: nothing could be made of
    the file, or not what it is, if the database were lost.

    Raises ``NotFound`` if there is none, and ``Unavailable``.
    """
    try:
        known = json.loads(_read(store, file.sidecar_key))
        said = _said(known)
        if SIDECAR_METADATA in known:
            core = read_core_metadata(_kept(known), filename=file.filename, member="METADATA")
            said |= _listed(core)
    except _UNREADABLE:
        return True
    is_same = all(getattr(file, name) == value for name, value in said.items() if name not in _OF_ATTEMPTS)
    return not is_same or (SIDECAR_METADATA in known) != (file.metadata_sha256 is None)


def _found(store: FileStore, key: str, size: int) -> Found:
    known = json.loads(_read(store, key + _SIDECAR))
    said = _said(known)
    offered = None if SIDECAR_METADATA in known else _read(store, key + _METADATA)
    core = read_core_metadata(
        offered if offered is not None else _kept(known), filename=said["filename"], member="METADATA"
    )
    file = File(
        **said,
        **_listed(core),
        metadata_sha256=None if offered is None else hashlib.sha256(offered).hexdigest(),
    )
    if file.key != key or file.size != size:
        raise ValueError("it says that it is of another file")
    return Found(file, str(known["project"]))


def _listed(core: CoreMetadata) -> dict[str, Any]:
    """Return what a listed file has of its core metadata."""
    return {
        "version": str(core.version),
        "requires_python": core.requires_python,
        "summary": core.summary,
    }


def _said(known: dict[str, Any]) -> dict[str, Any]:
    """Return what a sidecar by itself says of its file, by the names that the file has for it."""
    uploaded_at = datetime.fromisoformat(known["uploaded_at"])
    if uploaded_at.tzinfo is None:
        raise ValueError("it does not say in which time zone it was uploaded")
    # Stores keep UTC: there, too, the year is one of the calendar.
    uploaded_at.astimezone(UTC)
    return {
        "project": project_name(known["project"]),
        "filename": file_name(known["filename"]),
        "filetype": FileType(known["filetype"]),
        "size": int(known["size"]),
        "sha256": checked_digest(known["sha256"]),
        "blake2_256": checked_digest(known["blake2_256"]),
        "uploaded_at": uploaded_at,
        "uploaded_by": _name(known["uploaded_by"]),
    }


def _name(text: object) -> str:
    """Return who published. Raises ``ValueError`` for what no account is called, and no journal keeps."""
    if not isinstance(text, str) or not is_plain(text, NAME):
        raise ValueError(f"{text!r:.80} names nobody")
    return text


def _kept(known: dict[str, Any]) -> bytes:
    return str(known[SIDECAR_METADATA]).encode("utf-8", "surrogateescape")


def _read(store: FileStore, key: str) -> bytes:
    with closing(store.open(key, 0)) as stream:
        return stream.read(MOST_SIDECAR)
