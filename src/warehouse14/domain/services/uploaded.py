"""What an upload makes: the row of a file, what is said of it beside its blob, the project of a first one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from warehouse14.domain.access import Identity
from warehouse14.domain.archives import Inspected
from warehouse14.domain.catalogue import SIDECAR_METADATA
from warehouse14.domain.errors import FileExists, Rejected
from warehouse14.domain.model import File, Latest, Project, Role
from warehouse14.domain.names import account_principal
from warehouse14.domain.ports import Now, UnitOfWork
from warehouse14.domain.services.uploadform import Claim


def new_file(
    claim: Claim,
    inspected: Inspected,
    hashes: Mapping[str, str],
    size: int,
    identity: Identity,
    now: Now,
) -> File:
    """Return the row of a file of ``size`` bytes, published now by ``identity``, or as it was at the site
    that it comes from."""
    metadata = inspected.metadata
    return File(
        project=claim.project,
        filename=claim.filename,
        version=str(inspected.version),
        filetype=claim.filetype,
        size=size,
        sha256=hashes["sha256"],
        blake2_256=hashes["blake2_256"],
        requires_python=inspected.requires_python,
        summary=inspected.summary,
        metadata_sha256=None if metadata is None else hashlib.sha256(metadata).hexdigest(),
        uploaded_at=claim.past.at if claim.past else now(),
        uploaded_by=claim.past.by if claim.past else identity.name,
    )


def same_file(existing: File, hashes: Mapping[str, str]) -> File:
    """Return ``existing`` if it has these hashes, in hex, by ``sha256`` and ``blake2_256``, or one of them.

    Raises ``FileExists`` if its name is taken by other bytes, and ``Rejected`` if it was deleted.
    """
    if existing.deleted_at is not None:
        raise Rejected(
            f"content: {existing.filename} was deleted, and its name stays taken. Publish a new version: the "
            "same bytes can be restored by a backup of the whole site alone.",
            field="content",
        )
    known = {"sha256": existing.sha256, "blake2_256": existing.blake2_256}
    if any(hashes.get(name, value) != value for name, value in known.items()):
        raise FileExists(existing.filename)
    return existing


def sidecar(file: File, inspected: Inspected) -> bytes:
    """Return the bytes of what cannot be read from the archive, for rebuilding the index from its store, and
    of core metadata that have no blob of their own."""
    known: dict[str, Any] = {
        "project": inspected.display_name,
        "filename": file.filename,
        "filetype": file.filetype.value,
        "size": file.size,
        "sha256": file.sha256,
        "blake2_256": file.blake2_256,
        "uploaded_at": file.uploaded_at.isoformat(),
        "uploaded_by": file.uploaded_by,
    }
    if not inspected.offered:
        known[SIDECAR_METADATA] = inspected.core_metadata.decode("utf-8", "surrogateescape")
    return json.dumps(known, indent=1).encode("utf-8")


def first_project(identity: Identity, claim: Claim, file: File, display_name: str, now: Now) -> Project:
    """Return the project that a first upload creates: private, owned by the uploader."""
    owner = claim.past.by if claim.past else identity.account
    assert owner is not None
    return Project(
        name=file.project,
        display_name=display_name,
        public=False,
        created_at=now(),
        created_by=identity.name,
        grants={account_principal(owner): Role.ADMIN},
        latest=_latest(file),
    )


def show(unit: UnitOfWork, project: Project, file: File, display_name: str) -> None:
    """Spell the project as its newest file does, and show its release if it is the latest now.

    That is said also where it is nothing new: it rests on the files that were there.
    """
    is_latest = project.latest is None or project.latest.gives_way_to(file.version)
    latest = _latest(file) if is_latest else project.latest
    unit.projects.set_latest(project.name, display_name, latest, expected=project.serial)


def _latest(file: File) -> Latest:
    return Latest(file.version, file.summary, file.uploaded_at)
