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
from warehouse14.web.resources.clients import Api, Health, Legacy, Metrics, Packages, Projects
from warehouse14.web.resources.lookup import Lookup

__all__ = ["PLACES", "Place", "ProjectBound", "Resource", "Root"]

#: What needs no look at the database: whether the process lives, and its own files.
_UNFOLLOWED = frozenset({"health", "metrics", "static"})

_PLACES: dict[str, type[Place]] = {
    "simple": Projects,
    "packages": Packages,
    "legacy": Legacy,
    "api": Api,
    "health": Health,
    "metrics": Metrics,
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

#: What the first part of an address may be.
PLACES = frozenset(_PLACES)


class Root(Resource):
    """``/``"""

    __acl__ = KNOWN

    def __init__(self, request: Request) -> None:
        super().__init__(None, "")
        self._lookup = Lookup(request)
        self._has_metrics = request.registry.meter is not None
        # Split as the traversal splits it: "/static/../simple/x" is "/simple/x".
        if _UNFOLLOWED.isdisjoint(split_path_info(request.environ["PATH_INFO"])[:1]):
            # Before anything is looked up: what was committed by now counts in this request.
            request.registry.warehouse.index.cache.follow()

    def __getitem__(self, name: str) -> Resource:
        if name == "metrics" and not self._has_metrics:
            raise KeyError(name)
        return _PLACES[name](self, name, self._lookup)
