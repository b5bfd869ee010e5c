"""Projects: the list with its search, a new one, and the page of each."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import AlreadyExists, Rejected
from warehouse14.domain.model import Order
from warehouse14.domain.services.working import require_site
from warehouse14.web.html import elsewhere, go, show, words
from warehouse14.web.paging import Paging, page_number, paging
from warehouse14.web.release import permissions, shown_release, version_lines
from warehouse14.web.resources.browser import ProjectPage, ProjectPages

_LENGTH = 25
_VERSIONS = 100
_TEXT_LENGTH = 200


@view_config(context=ProjectPages, request_method="GET", permission=Permission.BROWSE)
def projects(context: ProjectPages, request: Request) -> Response:  # noqa: ARG001
    """Show the projects that the caller may read, or those of them that a search finds."""
    text = request.GET.get("q", "").strip()[:_TEXT_LENGTH]
    order = Order.NEWEST if request.GET.get("sort") == Order.NEWEST else Order.NAME
    number = page_number(request)
    found = request.registry.warehouse.catalogue.search(
        request.identity, text, order=order, start=(number - 1) * _LENGTH, count=_LENGTH
    )
    return elsewhere(request, "/projects/") or show(
        request,
        "projects",
        projects=found.projects,
        text=text,
        order=order,
        paging=Paging(number, _LENGTH, found.total),
    )


@view_config(context=ProjectPages, name="new", request_method="GET", permission=Permission.BROWSE)
def new_project_form(context: ProjectPages, request: Request) -> Response:  # noqa: ARG001
    """Show the form for a new project."""
    require_site(request.identity, Permission.CREATE)
    return show(request, "new_project", name="", public=False, problem="")


@view_config(context=ProjectPages, name="new", request_method="POST", permission=Permission.BROWSE)
def new_project(context: ProjectPages, request: Request) -> Response:  # noqa: ARG001
    """Take a new name."""
    name, public = request.POST.get("name", "").strip(), request.POST.get("access") == "public"
    try:
        project = request.registry.warehouse.projects.create(request.identity, name, public=public)
    except (Rejected, AlreadyExists) as error:
        status = 400 if isinstance(error, Rejected) else 409
        return show(request, "new_project", status=status, name=name, public=public, problem=words(error))
    return go(request, f"/projects/{project.name}/", f"The project {project.display_name} is yours.")


@view_config(context=ProjectPage, request_method="GET", permission=Permission.READ)
def project(context: ProjectPage, request: Request) -> Response:
    """Show a project with its latest release."""
    path = f"/projects/{context.project.name}/"
    release = request.registry.warehouse.catalogue.latest(context.project)
    found = elsewhere(request, path)
    if found is not None:
        return found
    if release is None:
        return show(request, "empty_project", project=context.project, may=permissions(request))
    return show(request, "project", **shown_release(request, context.project, release), is_release=False)


@view_config(context=ProjectPage, name="versions", request_method="GET", permission=Permission.READ)
def versions(context: ProjectPage, request: Request) -> Response:
    """Show all versions of a project, a page at a time."""
    releases = request.registry.warehouse.catalogue.releases(context.project)
    page = paging(request, _VERSIONS, len(releases))
    shown = releases[page.start : page.stop]
    return show(
        request,
        "versions",
        project=context.project,
        versions=version_lines(shown, context.project, None),
        paging=page,
        may=permissions(request),
    )
