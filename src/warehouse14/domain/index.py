"""What the index shows to clients: projects, files and pages, kept as long as they are true."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from warehouse14.domain.access import Identity
from warehouse14.domain.followed import FollowedCache, project_tag
from warehouse14.domain.model import File, Project
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.domain.services.projects import visible_projects
from warehouse14.domain.simple import ProjectList, ProjectPage, project_list, project_page

Found = TypeVar("Found", Project, File)

#: About what a project or a file takes in memory, and that there is none, in bytes.
_FOUND_SIZE = 2000
_NOTHING_SIZE = 500


class Index:
    """The read side. It knows no permissions: who asks has been allowed to.

    A server calls ``cache.follow()`` once in a request, before anything is
    looked up. A page comes with the serial at which it was read.
    """

    def __init__(self, units: Units, cache: FollowedCache) -> None:
        self._units = units
        self.cache = cache

    def project(self, name: ProjectName) -> Project | None:
        """Return the project, unless it is absent or deleted."""
        return self._known(("project", name), name, lambda unit: unit.projects.get(name))

    def file(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, unless it is absent or deleted."""
        return self._known(
            ("file", project, filename), project, lambda unit: unit.files.get(project, filename)
        )

    def _known(
        self, key: Hashable, project: ProjectName, look: Callable[[UnitOfWork], Found | None]
    ) -> Found | None:
        """Return what ``look`` finds, unless it is deleted. That there is nothing is kept, too: else the
        time of an answer would tell a stranger what there is."""
        kept: tuple[Found | None] | None = self.cache.get(key)
        if kept is not None:
            return kept[0]
        with self._units.read() as unit:
            serial = unit.journal.serial()
            found = look(unit)
        if found is not None and found.deleted_at is not None:
            found = None
        size = _NOTHING_SIZE if found is None else _FOUND_SIZE
        self.cache.put(key, (found,), size=size, tags=[project_tag(project)], serial=serial)
        return found

    def project_page(self, project: Project) -> tuple[ProjectPage, int]:
        """Return a project's page, and the serial at which it was read."""
        with self._units.read() as unit:
            serial = unit.journal.serial()
            current = unit.projects.get(project.name) or project
            return project_page(current, unit.files.of(project.name)), serial

    def project_list(self, identity: Identity) -> tuple[ProjectList, int]:
        """Return the list of the projects that ``identity`` may read, and its serial."""
        with self._units.read() as unit:
            serial = unit.journal.serial()
            return project_list(visible_projects(unit, identity)), serial
