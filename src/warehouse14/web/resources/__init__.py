"""The resource tree. A resource finds or raises ``KeyError``; it never renders, decides or writes."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.traversal import split_path_info

from warehouse14.web.resources.base import KNOWN, Place, ProjectBound, Resource
from warehouse14.web.resources.browser import (
    AccountPage,
    AdminPage,
    GroupPages,
    ProjectPages,
    ProviderPlaces,
    SignIn,
    SignOut,
    Static,
    StylePage,
)
from warehouse14.web.resources.clients import Health, Legacy, Packages, Projects
from warehouse14.web.resources.lookup import Lookup

__all__ = ["Place", "ProjectBound", "Resource", "Root"]

#: What needs no look at the database: whether the process lives, and its own files.
_UNFOLLOWED = frozenset({"health", "static"})

_PLACES: dict[str, type[Place]] = {
    "simple": Projects,
    "packages": Packages,
    "legacy": Legacy,
    "health": Health,
    "login": SignIn,
    "logout": SignOut,
    "oauth": ProviderPlaces,
    "projects": ProjectPages,
    "groups": GroupPages,
    "account": AccountPage,
    "admin": AdminPage,
    "static": Static,
    "style": StylePage,
}


class Root(Resource):
    """``/``"""

    __acl__ = KNOWN

    def __init__(self, request: Request) -> None:
        super().__init__(None, "")
        self._lookup = Lookup(request)
        # Split as the traversal splits it: "/static/../simple/x" is "/simple/x".
        if _UNFOLLOWED.isdisjoint(split_path_info(request.environ["PATH_INFO"])[:1]):
            # Before anything is looked up: what was committed by now counts in this request.
            request.registry.warehouse.index.cache.follow()

    def __getitem__(self, name: str) -> Resource:
        return _PLACES[name](self, name, self._lookup)
