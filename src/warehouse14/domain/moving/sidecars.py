"""What a file store alone knows of its files: their sidecars, and core metadata."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse14.domain.archives.coremetadata import read_core_metadata
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
        except (Rejected, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            yield Lost(blob.key, f"what is beside it cannot be read: {error}")


def _found(store: FileStore, key: str, size: int) -> Found:
    known = json.loads(_read(store, key + _SIDECAR))
    offered = None if SIDECAR_METADATA in known else _read(store, key + _METADATA)
    core = offered if offered is not None else _kept(known)
    filename = file_name(known["filename"])
    said = read_core_metadata(core, filename=filename, member="METADATA")
    file = File(
        project=project_name(known["project"]),
        filename=filename,
        version=str(said.version),
        filetype=FileType(known["filetype"]),
        size=int(known["size"]),
        sha256=checked_digest(known["sha256"]),
        blake2_256=checked_digest(known["blake2_256"]),
        requires_python=said.requires_python,
        summary=said.summary,
        metadata_sha256=None if offered is None else hashlib.sha256(offered).hexdigest(),
        uploaded_at=datetime.fromisoformat(known["uploaded_at"]),
        uploaded_by=_name(known["uploaded_by"]),
    )
    if file.key != key or file.size != size:
        raise ValueError("it says that it is of another file")
    if file.uploaded_at.tzinfo is None:
        raise ValueError("it does not say in which time zone it was uploaded")
    # Stores keep UTC: there, too, the year is one of the calendar.
    file.uploaded_at.astimezone(UTC)
    return Found(file, str(known["project"]))


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
