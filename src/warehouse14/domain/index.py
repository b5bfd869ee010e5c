"""What the index shows to clients: projects, files and pages, kept as long as they are true."""

from warehouse14.domain.access import Identity
from warehouse14.domain.followed import PROJECTS, FollowedCache, project_tag
from warehouse14.domain.model import File, Project
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.domain.ports import Units
from warehouse14.domain.services.projects import visible_projects
from warehouse14.domain.simple import ProjectList, ProjectPage, project_list, project_page

#: About what a project or a file takes in memory, in bytes.
_PROJECT_SIZE = 2000
_FILE_SIZE = 1500


class Index:
    """The read side. It knows no permissions: who asks has been allowed to.

    Looking up a project, with which everything begins, follows the journal. A
    page comes with the serial at which it was read.
    """

    def __init__(self, units: Units, cache: FollowedCache) -> None:
        self._units = units
        self.cache = cache

    def project(self, name: ProjectName) -> Project | None:
        """Return the project as of now, unless it is absent or deleted."""
        self.cache.follow()
        key = ("project", name)
        found: Project | None = self.cache.get(key)
        if found is not None:
            return found
        with self._units.read() as unit:
            serial = unit.journal.serial()
            found = unit.projects.get(name)
        if found is None or found.deleted_at is not None:
            return None
        tags = [project_tag(name)]
        self.cache.put(key, found, size=_PROJECT_SIZE, tags=tags, serial=serial)
        return found

    def file(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, unless it is absent or deleted."""
        key = ("file", project, filename)
        found: File | None = self.cache.get(key)
        if found is not None:
            return found
        with self._units.read() as unit:
            serial = unit.journal.serial()
            found = unit.files.get(project, filename)
        if found is None or found.deleted_at is not None:
            return None
        tags = [project_tag(project)]
        self.cache.put(key, found, size=_FILE_SIZE, tags=tags, serial=serial)
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
            return project_list(serial, visible_projects(unit, identity)), serial


__all__ = ["PROJECTS", "Index"]
