"""The resource tree. A resource finds or raises ``KeyError``; it never renders, decides or writes.

/                         Root
/simple/                  Projects
/simple/<name>/           ProjectDetail
/packages/<name>/         Packages, Folder
/packages/<name>/<file>   Download
/legacy/                  Legacy        (and /legacy/+simple/, which hatch asks for)
/health                   Health
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyramid.authorization import DENY_ALL, Allow
from pyramid.request import Request

from warehouse14.domain.access import GRANTS, PUBLIC, Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.index import Index
from warehouse14.domain.model import File, Project
from warehouse14.domain.names import AUTHENTICATED, file_name, project_name

Acl = Sequence[Any]

#: Everybody who is known may look around, and may try to publish.
_KNOWN = ((Allow, AUTHENTICATED, frozenset({Permission.BROWSE})), DENY_ALL)

#: Whether the process lives is no question to the database.
_ALIVE = "/health"
_METADATA_SUFFIX = ".metadata"


class Resource:
    """A place in the tree.

    Attributes:
        methods: the HTTP methods that it answers, for ``Allow``.
        project: the project that it belongs to, if it belongs to one.
    """

    methods: tuple[str, ...] = ("GET", "HEAD")
    project: Project | None = None
    __acl__: Acl = (DENY_ALL,)

    def __init__(self, parent: Resource | None, name: str) -> None:
        self.__parent__ = parent
        self.__name__ = name


class Root(Resource):
    """``/``"""

    methods = ("GET", "HEAD", "POST")
    __acl__ = _KNOWN

    def __init__(self, request: Request) -> None:
        super().__init__(None, "")
        self._index: Index = request.registry.warehouse.index
        if request.environ["PATH_INFO"] != _ALIVE:
            # Before anything is looked up: what was committed by now counts in this request.
            self._index.cache.follow()

    def __getitem__(self, name: str) -> Resource:
        return _PLACES[name](self, name, self._index)


class Place(Resource):
    """A child of the root."""

    def __init__(self, parent: Resource, name: str, index: Index) -> None:
        super().__init__(parent, name)
        self._index = index


class ProjectList(Place):
    """The projects, by name. ``path`` is its one address, ``depth`` how far below the root that lies."""

    __acl__ = _KNOWN
    path: str
    depth: int

    def __getitem__(self, name: str) -> Resource:
        return ProjectDetail(self, name, _project(self._index, name), self._index)


class Projects(ProjectList):
    """``/simple/``: the projects, and an upload address."""

    methods = ("GET", "HEAD", "POST")
    path = "/simple/"
    depth = 1


class PublisherProjects(ProjectList):
    """``/legacy/+simple/``: where hatch looks for what is there."""

    path = "/legacy/+simple/"
    depth = 2


class ProjectBound(Resource):
    """A place that belongs to a project and has its access list."""

    project: Project

    def __init__(self, parent: Resource, name: str, project: Project, index: Index) -> None:
        super().__init__(parent, name)
        self.project = project
        self._index = index

    @property
    def __acl__(self) -> Acl:  # type: ignore[override]
        """The project's grants as an ACL. What the tree allows above does not leak in."""
        return project_acl(self.project)


class ProjectDetail(ProjectBound):
    """``/simple/<name>/``"""

    __parent__: ProjectList


class Packages(Place):
    """``/packages/``: nothing itself, only what is in it."""

    methods = ()
    __acl__ = _KNOWN

    def __getitem__(self, name: str) -> Resource:
        return Folder(self, name, _project(self._index, name), self._index)


class Folder(ProjectBound):
    """``/packages/<name>/``: nothing itself, only the files in it."""

    methods = ()

    def __getitem__(self, name: str) -> Resource:
        if name.endswith(_METADATA_SUFFIX):
            file = self._file(name.removesuffix(_METADATA_SUFFIX))
            if file.metadata_sha256 is None:
                raise KeyError(name)
            return CoreMetadata(self, name, file, self._index)
        return Download(self, name, self._file(name), self._index)

    def _file(self, name: str) -> File:
        try:
            file = self._index.file(self.project.name, file_name(name))
        except Rejected as error:
            raise KeyError(name) from error
        if file is None:
            raise KeyError(name)
        return file


class Download(ProjectBound):
    """``/packages/<name>/<file>``"""

    __parent__: Folder

    def __init__(self, parent: Folder, name: str, file: File, index: Index) -> None:
        super().__init__(parent, name, parent.project, index)
        self.file = file


class CoreMetadata(Download):
    """``/packages/<name>/<file>.metadata`` (PEP 658)"""


class Legacy(Place):
    """``/legacy/``: the upload address."""

    methods = ("POST",)
    __acl__ = _KNOWN

    def __getitem__(self, name: str) -> Resource:
        if name == "+simple":
            return PublisherProjects(self, name, self._index)
        raise KeyError(name)


class Health(Place):
    """``/health``"""


_PLACES = {"simple": Projects, "packages": Packages, "legacy": Legacy, "health": Health}

#: Below these, nobody is told anything but 401, whether it exists or not.
PRIVATE_PLACES = frozenset({"simple", "packages", "legacy", "pypi"})


def project_acl(project: Project) -> Acl:
    """Return the access list of a project: the policy table, projected."""
    acl: list[Any] = [(Allow, who, GRANTS[role]) for who, role in project.grants.items()]
    if project.public:
        acl.append((Allow, AUTHENTICATED, PUBLIC))
    return (*acl, DENY_ALL)


def _project(index: Index, raw: str) -> Project:
    try:
        project = index.project(project_name(raw))
    except Rejected as error:
        raise KeyError(raw) from error
    if project is None:
        raise KeyError(raw)
    return project
