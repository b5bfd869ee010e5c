"""The addresses for clients: index, files, uploads, and changes.

/simple/                  Projects
/simple/<name>/           ProjectDetail
/packages/<name>/         Packages, Folder
/packages/<name>/<file>   Download
/legacy/                  Legacy        (and /legacy/+simple/, which hatch asks for)
/health, /health/ready    Health, Ready
/metrics                  Metrics       for those whom the settings open it to
/api/projects/<name>                     ApiProject   delete, public, private, roles, grant, revoke, journal
/api/projects/<name>/<version>           ApiRelease   yank, unyank, delete
/api/projects/<name>/<version>/<file>    ApiFile      yank, unyank, delete
/api/uploads                             ApiUploads
/api/uploads/<id>                        ApiUpload    part, finish
"""

from __future__ import annotations

from packaging.version import Version

from warehouse14.domain.model import File, Project
from warehouse14.web.resources.base import KNOWN, Place, ProjectBound, Resource
from warehouse14.web.resources.lookup import Lookup

_METADATA_SUFFIX = ".metadata"


class ProjectList(Place):
    """``/simple/``, ``/legacy/+simple/``: the projects, by name.

    ``path`` is its one address, ``depth`` how far below the root that lies.
    """

    __acl__ = KNOWN
    path: str
    depth: int

    def __getitem__(self, name: str) -> Resource:
        return ProjectDetail(self, name, self._lookup.project(name), self._lookup)


class Projects(ProjectList):
    """``/simple/``: the projects, and an upload address."""

    path = "/simple/"
    depth = 1


class PublisherProjects(ProjectList):
    """``/legacy/+simple/``: where hatch looks for what is there."""

    path = "/legacy/+simple/"
    depth = 2


class ProjectDetail(ProjectBound):
    """``/simple/<name>/``, ``/legacy/+simple/<name>/``"""

    __parent__: ProjectList


class Packages(Place):
    """``/packages/``: nothing itself, only what is in it."""

    __acl__ = KNOWN

    def __getitem__(self, name: str) -> Resource:
        return Folder(self, name, self._lookup.project(name), self._lookup)


class Folder(ProjectBound):
    """``/packages/<name>/``: nothing itself, only the files in it."""

    def __getitem__(self, name: str) -> Resource:
        if name.endswith(_METADATA_SUFFIX):
            file = self._file(name.removesuffix(_METADATA_SUFFIX))
            if file.metadata_sha256 is None:
                raise KeyError(name)
            return CoreMetadata(self, name, file, self._lookup)
        return Download(self, name, self._file(name), self._lookup)

    def _file(self, name: str) -> File:
        return self._lookup.file(self.project.name, name)


class Download(ProjectBound):
    """``/packages/<name>/<file>``"""

    __parent__: Folder

    def __init__(self, parent: Folder, name: str, file: File, lookup: Lookup) -> None:
        super().__init__(parent, name, parent.project, lookup)
        self.file = file


class CoreMetadata(Download):
    """``/packages/<name>/<file>.metadata`` (PEP 658)"""


class Legacy(Place):
    """``/legacy/``: the upload address."""

    __acl__ = KNOWN

    def __getitem__(self, name: str) -> Resource:
        if name == "+simple":
            return PublisherProjects(self, name, self._lookup)
        raise KeyError(name)


class Health(Place):
    """``/health``"""

    def __getitem__(self, name: str) -> Resource:
        return {"ready": Ready}[name](self, name, self._lookup)


class Ready(Place):
    """``/health/ready``"""


class Metrics(Place):
    """``/metrics``"""


class Api(Place):
    """``/api/``: nothing itself."""

    __acl__ = KNOWN

    def __getitem__(self, name: str) -> Resource:
        return {"projects": ApiProjects, "uploads": ApiUploads}[name](self, name, self._lookup)


class ApiProjects(Place):
    """``/api/projects/``: nothing itself, only the projects in it."""

    __acl__ = KNOWN

    def __getitem__(self, name: str) -> Resource:
        return ApiProject(self, name, self._lookup.project(name), self._lookup)


class ApiBound(ProjectBound):
    """A place of the API that belongs to a project. No version and no file name is a verb."""

    mark = ""


class ApiProject(ApiBound):
    """``/api/projects/<name>``"""

    def __getitem__(self, name: str) -> Resource:
        return ApiRelease(self, name, self.project, self._lookup.version(name), self._lookup)


class ApiRelease(ApiBound):
    """``/api/projects/<name>/<version>``: one that has no files is not there for its views."""

    def __init__(
        self, parent: ApiProject, name: str, project: Project, version: Version, lookup: Lookup
    ) -> None:
        super().__init__(parent, name, project, lookup)
        self.version = version

    def __getitem__(self, name: str) -> Resource:
        file = self._lookup.file_of(self.project.name, self.version, name)
        return ApiFile(self, name, self.project, file, self._lookup)


class ApiFile(ApiBound):
    """``/api/projects/<name>/<version>/<file>``"""

    def __init__(self, parent: ApiRelease, name: str, project: Project, file: File, lookup: Lookup) -> None:
        super().__init__(parent, name, project, lookup)
        self.file = file


class ApiUploads(Place):
    """``/api/uploads``: where an upload past this program begins."""

    __acl__ = KNOWN
    mark = ""

    def __getitem__(self, name: str) -> Resource:
        return ApiUpload(self, name)


class ApiUpload(Resource):
    """``/api/uploads/<id>``: one of those who began it; whether there is one, its use cases say."""

    __acl__ = KNOWN
    mark = ""

    @property
    def id(self) -> str:
        """What names it."""
        return self.__name__
