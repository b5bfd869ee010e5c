"""What the index shows to people: projects that they find, releases, and what metadata says of them."""

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.details import Details, read_details
from warehouse14.domain.errors import NotFound
from warehouse14.domain.followed import project_tag
from warehouse14.domain.index import Index
from warehouse14.domain.model import File, FoundProject, Order, Project, Release, latest_of, releases
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import FileStore, Units

#: More of a description than this is not shown, in characters.
DESCRIPTION_LENGTH = 500_000

_MOST_METADATA = 8 * 1024 * 1024
_MOST_WORDS = 10
_FILE_SIZE = 1500
#: The key in a sidecar of core metadata that is not offered beside the file.
SIDECAR_METADATA = "core_metadata"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found, and how many there are in all."""

    projects: Sequence[FoundProject]
    total: int


class Catalogue:
    """The read side of the browser's pages.

    :meth:`search` looks for permissions itself; the others are asked about
    projects that somebody may read.
    """

    def __init__(self, units: Units, store: FileStore, index: Index) -> None:
        self._units = units
        self._store = store
        self._index = index

    def search(
        self, identity: Identity, text: str, *, order: Order = Order.NAME, start: int = 0, count: int = 50
    ) -> Found:
        """Find the projects that ``identity`` may read and in whose name or summary each word occurs.

        Args:
            identity: who asks.
            text: words, in any case; the first ten count.
            order: how they are sorted.
            start: the place of the first one to return.
            count: how many to return at most.
        """
        words = text.split()[:_MOST_WORDS]
        principals = None if identity.is_operator else identity.principals
        with self._units.read() as unit:
            projects, total = unit.projects.search(principals, words, order=order, start=start, count=count)
        return Found(projects, total)

    def releases(self, project: Project) -> tuple[Release, ...]:
        """Return the releases of ``project`` that have files, the newest version first."""

        def look() -> tuple[tuple[Release, ...], int, int]:
            with self._units.read() as unit:
                serial = unit.journal.serial()
                files = unit.files.of(project.name)
            listed = [file for file in files if file.deleted_at is None]
            return releases(listed), len(listed) * _FILE_SIZE, serial

        found: tuple[Release, ...] = self._kept(("releases", project.name), project.name, look)
        return found

    def latest(self, project: Project) -> Release | None:
        """Return the release to show first: the latest, or the newest of those that are all yanked."""
        found = self.releases(project)
        latest = latest_of(file for release in found for file in release.files)
        if latest is None:
            return found[0] if found else None
        return next(release for release in found if release.version == Version(latest.version))

    def details(self, file: File) -> Details:
        """Return what the core metadata of ``file`` says; nothing where it was not kept."""

        def look() -> tuple[Details, int, int]:
            with self._units.read() as unit:
                serial = unit.journal.serial()
            data = self._metadata(file)
            return read_details(data), 2 * len(data) + _FILE_SIZE, serial

        found: Details = self._kept(("details", file.key), file.project, look)
        return found

    def readable(self, identity: Identity, names: Iterable[ProjectName]) -> frozenset[ProjectName]:
        """Return those of ``names`` that are projects here which ``identity`` may read."""
        found = (self._index.project(name) for name in names)
        return frozenset(
            project.name
            for project in found
            if project is not None and allows(identity, Permission.READ, project)
        )

    def _kept(self, key: Hashable, project: ProjectName, look: Any) -> Any:
        kept = self._index.cache.get(key)
        if kept is None:
            kept, size, serial = look()
            self._index.cache.put(key, kept, size=size, tags=[project_tag(project)], serial=serial)
        return kept

    def _metadata(self, file: File) -> bytes:
        try:
            if file.metadata_sha256 is not None:
                return self._read(file.metadata_key)
            kept = json.loads(self._read(file.sidecar_key)).get(SIDECAR_METADATA, "")
            return str(kept).encode("utf-8", "surrogateescape")
        except (NotFound, ValueError):
            return b""

    def _read(self, key: str) -> bytes:
        with self._store.open(key, 0) as stream:
            return stream.read(_MOST_METADATA)
