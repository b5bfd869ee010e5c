"""What the page of a project, and that of a release, shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from packaging.version import Version
from pyramid.request import Request

from warehouse14.domain.access import Permission
from warehouse14.domain.catalogue import DESCRIPTION_LENGTH
from warehouse14.domain.details import Details
from warehouse14.domain.model import File, FileType, Project, Release
from warehouse14.domain.names import ProjectName
from warehouse14.web.paging import paging
from warehouse14.web.readme import Busy, plain, render, safe_url
from warehouse14.web.wheels import Fits, describe

_FILES = 50
#: About what it takes to know that a description cannot be rendered, in bytes.
_NOT_RENDERED = 500
_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file as a row of the page."""

    file: File
    fits: Fits | None

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "Source" if self.file.filetype is FileType.SDIST else "Wheel"


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version as a row of the page."""

    release: Release
    is_latest: bool
    is_shown: bool

    @property
    def version(self) -> Version:
        """The version."""
        return self.release.version


def shown_release(request: Request, project: Project, release: Release) -> Mapping[str, Any]:
    """Return the values of the template ``project``."""
    catalogue = request.registry.warehouse.catalogue
    first = min(release.files, key=lambda file: (file.uploaded_at, file.filename))
    details = catalogue.details(first)
    files = sorted(release.files, key=lambda file: (file.filetype is FileType.WHEEL, file.filename))
    page = paging(request, _FILES, len(files))
    versions = version_lines(catalogue.releases(project), project, release)
    return {
        "project": project,
        "release": release,
        "first": first,
        "details": details,
        "description": _description(request, first, details),
        "links": [link for link in details.links if safe_url(link.url)],
        "unsafe_links": [link for link in details.links if not safe_url(link.url)],
        "people": _people(details),
        "known": _known(request, details),
        "files": [FileLine(file, describe(file.filename)) for file in files[page.start : page.stop]],
        "paging": page,
        "versions": versions[:_VERSIONS],
        "version_count": len(versions),
        "size": sum(file.size for file in files),
        "same_metadata": len({file.requires_python for file in files}) == 1,
        "may": permissions(request),
    }


def version_lines(releases: Sequence[Release], project: Project, shown: Release | None) -> list[VersionLine]:
    """Return the rows of versions, the newest first."""
    latest = Version(project.latest.version) if project.latest else None
    return [
        VersionLine(
            release, release.version == latest, shown is not None and release.version == shown.version
        )
        for release in releases
    ]


def _description(request: Request, file: File, details: Details) -> Markup:
    """Return the description as HTML; it is rendered once for each file, if there is time."""
    cache, key = request.registry.warehouse.index.cache, ("description", file.key)
    text = details.description[:DESCRIPTION_LENGTH]
    kept: tuple[Markup | None] | None = cache.get(key)
    if kept is None:
        try:
            # Not the host of the request: what is kept is shown at every host.
            site = request.registry.site
            kept = (render(text, details.content_type, site.image_hosts, site.url),)
        except Busy:
            return plain(text)
        # A file never takes other bytes: this is true for ever. That it cannot be rendered is kept
        # without the text, so that it is not driven out and tried again.
        cache.keep(key, kept, size=_NOT_RENDERED if kept[0] is None else 4 * len(kept[0]))
    return plain(text) if kept[0] is None else kept[0]


def _people(details: Details) -> list[tuple[str, str, str]]:
    """Return role, name and address of each author and maintainer, each once."""
    found: dict[tuple[str, str], str] = {}
    for role, people in (("Author", details.authors), ("Maintainer", details.maintainers)):
        for person in people:
            found.setdefault((person.name or person.email, person.email), role)
    return [(role, name, email) for (name, email), role in found.items()]


def _known(request: Request, details: Details) -> frozenset[ProjectName]:
    """Return those dependencies that are projects here which the caller may see."""
    names = {
        dependency.project
        for dependencies in details.dependencies.values()
        for dependency in dependencies
        if dependency.project is not None
    }
    known: frozenset[ProjectName] = request.registry.warehouse.catalogue.readable(request.identity, names)
    return known


def permissions(request: Request) -> Mapping[str, bool]:
    """Return what the caller may do with the project, by permission."""
    return {
        permission.value: bool(request.has_permission(permission, request.context))
        for permission in (Permission.MANAGE, Permission.YANK, Permission.DELETE, Permission.UPLOAD)
    }
