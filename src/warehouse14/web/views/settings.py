"""The settings of a project: open or closed, and its end."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.web.html import go, show
from warehouse14.web.resources.browser import ProjectPage


@view_config(context=ProjectPage, name="settings", request_method="GET", permission=Permission.MANAGE)
def settings(context: ProjectPage, request: Request) -> Response:
    """Show the settings."""
    return _page(context, request)


@view_config(context=ProjectPage, name="settings", request_method="POST", permission=Permission.MANAGE)
def set_access(context: ProjectPage, request: Request) -> Response:
    """Open the project to every signed-in account, or close it."""
    access = request.POST.get("access", "")
    if access not in {"public", "private"}:
        return _page(context, request, status=400, problem="access: choose private or public.")
    project = context.project
    request.registry.warehouse.projects.set_public(request.identity, project.name, public=access == "public")
    return go(request, f"/projects/{project.name}/@@settings", f"{project.display_name} is {access} now.")


@view_config(context=ProjectPage, name="delete", request_method="POST", permission=Permission.DELETE)
def delete(context: ProjectPage, request: Request) -> Response:
    """Delete the project, if its name was typed."""
    project = context.project
    if request.POST.get("confirm", "").strip() not in {project.name, project.display_name}:
        problem = f"Type {project.display_name} to delete it."
        return _page(context, request, status=400, delete_problem=problem)
    request.registry.warehouse.projects.delete(request.identity, project.name)
    return go(request, "/projects/", f"{project.display_name} is deleted. Its name stays taken.")


def _page(context: ProjectPage, request: Request, *, status: int = 200, **values: str) -> Response:
    catalogue = request.registry.warehouse.catalogue
    files = sum(len(release.files) for release in catalogue.releases(context.project))
    return show(
        request,
        "settings",
        status=status,
        project=context.project,
        files=files,
        **{"problem": "", "delete_problem": "", **values},
    )
