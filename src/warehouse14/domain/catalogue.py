"""What the index shows to people: projects that they find, releases, and what metadata says of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.version import Version

from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.details import Details, read_details
from warehouse14.domain.errors import NotFound
from warehouse14.domain.followed import project_tag
from warehouse14.domain.index import Index
from warehouse14.domain.model import (
    File,
    FoundProject,
    Order,
    Project,
    Reach,
    Release,
    finds,
    releases,
    searched_text,
)
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import FileStore, UnitOfWork, Units
from warehouse14.domain.services.working import require_site

#: More of a description than this is not shown, in characters.
DESCRIPTION_LENGTH = 500_000

#: More is not read: METADATA and PKG-INFO of 4 MiB, of which JSON may make six times as much.
_MOST_METADATA = 4 * 1024 * 1024
#: No blob beside a file is larger, in bytes.
MOST_SIDECAR = 6 * _MOST_METADATA + 1024 * 1024
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
        words = _words(text)
        principals = None if identity.is_operator else identity.principals
        with self._units.read() as unit:
            reach = Reach() if identity.token is None else identity.token.reach
            if reach.project is not None:
                only = _only(unit, identity, reach.project, words)
                return Found(only[start : start + count], len(only))
            projects, total = unit.projects.search(
                principals, words, order=order, start=start, count=count, prefix=reach.prefix or ""
            )
        return Found(projects, total)

    def search_all(self, identity: Identity, text: str, *, start: int = 0, count: int = 50) -> Found:
        """Find among all projects of the site, by name, as an administrator may know that they are there.

        Raises ``Forbidden``.
        """
        require_site(identity, Permission.ADMINISTER)
        with self._units.read() as unit:
            return Found(
                *unit.projects.search(None, _words(text), order=Order.NAME, start=start, count=count)
            )

    def releases(self, project: Project) -> tuple[Release, ...]:
        """Return the releases of ``project`` that have files, the newest version first."""
        key = ("releases", project.name)
        kept: tuple[Release, ...] | None = self._index.cache.get(key)
        if kept is None:
            with self._units.read() as unit:
                serial = unit.journal.serial()
                files = unit.files.of(project.name)
            listed = [file for file in files if file.deleted_at is None]
            kept = releases(listed)
            size, tags = (1 + len(listed)) * _FILE_SIZE, [project_tag(project.name)]
            self._index.cache.put(key, kept, size=size, tags=tags, serial=serial)
        return kept

    def latest(self, project: Project) -> Release | None:
        """Return the release to show first: the latest, or the newest of those that are all yanked."""
        found = self.releases(project)
        latest = None if project.latest is None else Version(project.latest.version)
        # What was read at two moments may not agree: then the newest release does.
        return next((release for release in found if release.version == latest), found[0] if found else None)

    def details(self, file: File) -> Details:
        """Return what the core metadata of ``file`` say; nothing where they were not kept, or are lost."""
        key = ("details", file.key)
        kept: Details | None = self._index.cache.get(key)
        if kept is None:
            data = self._metadata(file)
            if data is None:
                # They come back when somebody sends the file again, which is no change.
                return Details()
            kept = read_details(data)
            # A file never takes other bytes: this is true for ever.
            self._index.cache.keep(key, kept, size=2 * len(data) + _FILE_SIZE)
        return kept

    def readable(self, identity: Identity, names: Iterable[ProjectName]) -> frozenset[ProjectName]:
        """Return those of ``names`` that are projects here which ``identity`` may read."""
        found = (self._index.project(name) for name in names)
        return frozenset(
            project.name
            for project in found
            if project is not None and allows(identity, Permission.READ, project)
        )

    def _metadata(self, file: File) -> bytes | None:
        """Return the core metadata of ``file``, or None if their blob is lost, or cannot be read."""
        try:
            if file.metadata_sha256 is not None:
                return self._read(file.metadata_key, _MOST_METADATA)
            known = json.loads(self._read(file.sidecar_key, MOST_SIDECAR))
            kept = known.get(SIDECAR_METADATA, "") if isinstance(known, dict) else ""
            return str(kept).encode("utf-8", "surrogateescape")
        except (NotFound, ValueError, RecursionError):
            return None

    def _read(self, key: str, most: int) -> bytes:
        with self._store.open(key, 0) as stream:
            return stream.read(most)


def _words(text: str) -> Sequence[str]:
    """Return the words that count, as an engine can take them: no NUL, no halves of characters."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode().split()[:_MOST_WORDS]


def _only(
    unit: UnitOfWork, identity: Identity, name: ProjectName, words: Sequence[str]
) -> Sequence[FoundProject]:
    """Return the one project that the token of ``identity`` is for, if a search finds it."""
    project = unit.projects.get(name)
    if project is None or project.deleted_at is not None or not allows(identity, Permission.READ, project):
        return []
    searched = searched_text(project.name, project.display_name, project.latest)
    if not finds(words, searched):
        return []
    return [FoundProject(project.name, project.display_name, project.public, project.latest)]
