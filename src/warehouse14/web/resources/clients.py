"""The addresses for clients: index, files, uploads.

/simple/                  Projects
/simple/<name>/           ProjectDetail
/packages/<name>/         Packages, Folder
/packages/<name>/<file>   Download
/legacy/                  Legacy        (and /legacy/+simple/, which hatch asks for)
/health                   Health
"""

from __future__ import annotations

from warehouse14.domain.model import File
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
