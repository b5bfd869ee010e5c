"""A release and its files: the page, the download, and what their owners do to them."""

from collections.abc import Callable

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Release
from warehouse14.web.html import elsewhere, go, protect, show, words
from warehouse14.web.release import shown_release
from warehouse14.web.resources.browser import FilePage, ReleasePage
from warehouse14.web.views.files import send

Target = ReleasePage | FilePage


@view_config(context=ReleasePage, request_method="GET", permission=Permission.READ)
def release(context: ReleasePage, request: Request) -> Response:
    """Show one release."""
    found = _release(context, request)
    path = f"/projects/{context.project.name}/{found.version}/"
    return elsewhere(request, path) or show(
        request, "project", **shown_release(request, context.project, found), is_release=True
    )


@view_config(context=FilePage, request_method="GET", permission=Permission.READ)
def download(context: FilePage, request: Request) -> Response:
    """Send a file to a browser, to be kept and not shown."""
    response = send(request, context.file)
    protect(request, response)
    response.headers["Content-Disposition"] = f'attachment; filename="{context.file.filename}"'
    return response


@view_config(context=ReleasePage, name="yank", request_method="GET", permission=Permission.YANK)
@view_config(context=FilePage, name="yank", request_method="GET", permission=Permission.YANK)
def yank_form(context: Target, request: Request) -> Response:
    """Ask for the reason."""
    return _form(context, request, "yank")


@view_config(context=ReleasePage, name="yank", request_method="POST", permission=Permission.YANK)
@view_config(context=FilePage, name="yank", request_method="POST", permission=Permission.YANK)
def yank(context: Target, request: Request) -> Response:
    """Yank it (PEP 592)."""
    reason, files = request.POST.get("reason", "").strip(), request.registry.warehouse.files
    try:
        _do(context, request, files.yank, files.yank_release, reason=reason)
    except Rejected as error:
        return _form(context, request, "yank", status=400, problem=words(error), reason=reason)
    return _back(context, request, f"Yanked {_words(context)}: installers pass it over.")


@view_config(context=ReleasePage, name="unyank", request_method="GET", permission=Permission.YANK)
@view_config(context=FilePage, name="unyank", request_method="GET", permission=Permission.YANK)
def unyank_form(context: Target, request: Request) -> Response:
    """Ask whether it is meant."""
    return _form(context, request, "unyank")


@view_config(context=ReleasePage, name="unyank", request_method="POST", permission=Permission.YANK)
@view_config(context=FilePage, name="unyank", request_method="POST", permission=Permission.YANK)
def unyank(context: Target, request: Request) -> Response:
    """Take the yank back."""
    files = request.registry.warehouse.files
    _do(context, request, files.unyank, files.unyank_release)
    return _back(context, request, f"Un-yanked {_words(context)}: installers choose it again.")


@view_config(context=ReleasePage, name="delete", request_method="GET", permission=Permission.DELETE)
@view_config(context=FilePage, name="delete", request_method="GET", permission=Permission.DELETE)
def delete_form(context: Target, request: Request) -> Response:
    """Ask for the name once more."""
    return _form(context, request, "delete")


@view_config(context=ReleasePage, name="delete", request_method="POST", permission=Permission.DELETE)
@view_config(context=FilePage, name="delete", request_method="POST", permission=Permission.DELETE)
def delete(context: Target, request: Request) -> Response:
    """Delete it, if its name was typed."""
    wanted, files = _typed(context), request.registry.warehouse.files
    if request.POST.get("confirm", "").strip() != wanted:
        problem = f"Type {wanted} to delete it."
        return _form(context, request, "delete", status=400, problem=problem)
    _do(context, request, files.delete, files.delete_release)
    return _back(context, request, f"Deleted {_words(context)}. File names stay taken.")


def _do(
    context: Target,
    request: Request,
    to_file: Callable[..., object],
    to_release: Callable[..., object],
    **more: str,
) -> None:
    """Do what is to be done to the file or to the release of the page."""
    if isinstance(context, FilePage):
        to_file(request.identity, context.project.name, context.file.filename, **more)
    else:
        to_release(request.identity, context.project.name, str(context.version), **more)


def _form(
    context: Target, request: Request, deed: str, *, status: int = 200, problem: str = "", reason: str = ""
) -> Response:
    if isinstance(context, ReleasePage):
        _release(context, request)
    return show(
        request,
        deed,
        status=status,
        project=context.project,
        target=_words(context),
        typed=_typed(context),
        back=_path(context),
        problem=problem,
        reason=reason,
    )


def _release(context: ReleasePage, request: Request) -> Release:
    """Return the release that has files, or raise what is answered with 404."""
    releases = request.registry.warehouse.catalogue.releases(context.project)
    for found in releases:
        if found.version == context.version:
            kept: Release = found
            return kept
    raise HTTPNotFound


def _words(context: Target) -> str:
    return context.file.filename if isinstance(context, FilePage) else f"release {context.version}"


def _typed(context: Target) -> str:
    return context.file.filename if isinstance(context, FilePage) else str(context.version)


def _path(context: Target) -> str:
    version = context.__parent__.version if isinstance(context, FilePage) else context.version
    return f"/projects/{context.project.name}/{version}/"


def _back(context: Target, request: Request, notice: str) -> Response:
    """Go back to the release, or to the project if the release has no file left."""
    version = context.__parent__.version if isinstance(context, FilePage) else context.version
    warehouse = request.registry.warehouse
    warehouse.index.cache.follow()
    left = {release.version for release in warehouse.catalogue.releases(context.project)}
    return go(request, _path(context) if version in left else f"/projects/{context.project.name}/", notice)
