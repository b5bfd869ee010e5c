"""What all places of the resource tree share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyramid.authorization import DENY_ALL, Allow

from warehouse14.domain.access import GRANTS, PUBLIC, Permission
from warehouse14.domain.model import Looked, Project, Role
from warehouse14.domain.names import AUTHENTICATED
from warehouse14.web.resources.lookup import Lookup

Acl = Sequence[Any]

#: The principal of administrators; no project can be granted to it.
ADMINISTRATORS = "system.Administrators"

#: Everybody who is known may look around, and may try to publish.
KNOWN: Acl = ((Allow, AUTHENTICATED, frozenset({Permission.BROWSE})), DENY_ALL)


class Resource:
    """A place in the tree.

    Attributes:
        project: the project that it belongs to, if it belongs to one.
        mark: what stands in an address before the verb of a view, where a verb could be a name.
    """

    project: Project | None = None
    mark = "@@"
    __acl__: Acl = (DENY_ALL,)

    def __init__(self, parent: Resource | None, name: str) -> None:
        self.__parent__ = parent
        self.__name__ = name


class Place(Resource):
    """A child of the root."""

    def __init__(self, parent: Resource, name: str, lookup: Lookup) -> None:
        super().__init__(parent, name)
        self._lookup = lookup


class ProjectBound(Resource):
    """A place that belongs to a project and has its access list."""

    project: Project

    def __init__(self, parent: Resource, name: str, project: Project, lookup: Lookup) -> None:
        super().__init__(parent, name)
        self.project = project
        self._lookup = lookup

    @property
    def __acl__(self) -> Acl:  # type: ignore[override]
        """The project's grants as an ACL. What the tree allows above does not leak in."""
        return project_acl(self.project)


def looking_into(looked: Looked) -> str:
    """Return the principal of an administrator who looks into something; nothing can be granted to it."""
    return f"system.Looking:{looked}"


def project_acl(project: Project) -> Acl:
    """Return the access list of a project: the policy table, projected."""
    acl: list[Any] = [(Allow, who, GRANTS[role]) for who, role in project.grants.items()]
    acl.append((Allow, looking_into(project.name), GRANTS[Role.ADMIN]))
    if project.public:
        acl.append((Allow, AUTHENTICATED, PUBLIC))
    return (*acl, DENY_ALL)
