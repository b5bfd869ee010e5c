"""What there is for whoever asks: a project that they may not read is not there, as one that is absent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property

from packaging.version import Version
from pyramid.request import Request

from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.index import Index
from warehouse14.domain.model import File, Group, Project, Role
from warehouse14.domain.names import (
    AccountName,
    ProjectName,
    ProviderName,
    account_principal,
    file_name,
    project_name,
)
from warehouse14.domain.ports import SignIn

#: A project as a stranger finds it.
_NOBODYS = Project(
    name=ProjectName("nobodys"),
    display_name="nobodys",
    public=False,
    created_at=datetime.min.replace(tzinfo=UTC),
    created_by="",
    grants={account_principal(AccountName("nobody")): Role.ADMIN},
)


class Lookup:
    """Finds projects and files for one request, or raises ``KeyError``.

    That a project is hidden is found out the same way as that it is absent,
    and the request then goes the same way: its bytes and its time tell nothing.
    Where the site answers 403 instead, nothing is hidden, and the ACLs refuse.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._index: Index = request.registry.warehouse.index
        self._hides = request.registry.site.denied_read == 404

    @cached_property
    def _identity(self) -> Identity | None:
        identity: Identity | None = self._request.identity
        return identity

    def project(self, raw: str) -> Project:
        """Return the project that ``raw`` names."""
        try:
            found = self._index.project(project_name(raw))
        except Rejected as error:
            raise KeyError(raw) from error
        # Asked of what is absent, too: else the time of an answer would tell a stranger what there is.
        readable = not self._hides or self._may_read(_NOBODYS if found is None else found)
        if found is None or not readable:
            raise KeyError(raw)
        return found

    def file(self, project: ProjectName, raw: str) -> File:
        """Return the listed file of ``project`` that ``raw`` names."""
        try:
            found = self._index.file(project, file_name(raw))
        except Rejected as error:
            raise KeyError(raw) from error
        if found is None:
            raise KeyError(raw)
        return found

    def version(self, raw: str) -> Version:
        """Return the version that ``raw`` spells."""
        try:
            return Version(raw)
        except ValueError as error:  # also of a number that is too long
            raise KeyError(raw) from error

    def file_of(self, project: ProjectName, version: Version, raw: str) -> File:
        """Return the listed file of a release that ``raw`` names."""
        found = self.file(project, raw)
        if Version(found.version) != version:
            raise KeyError(raw)
        return found

    def group(self, raw: str) -> Group:
        """Return the group of this site that ``raw`` names, if the caller may see it."""
        if self._identity is None:
            raise KeyError(raw)
        try:
            found: Group = self._request.registry.warehouse.groups.get(self._identity, raw)
        except (NotFound, Rejected) as error:
            raise KeyError(raw) from error
        return found

    def provider(self, name: ProviderName) -> SignIn:
        """Return the identity provider that the site calls ``name``."""
        providers: Mapping[ProviderName, SignIn] = self._request.registry.sign_ins.providers
        return providers[name]

    def _may_read(self, project: Project) -> bool:
        return self._identity is not None and allows(self._identity, Permission.READ, project)
