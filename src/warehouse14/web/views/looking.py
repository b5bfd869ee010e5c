"""Site administrators who look into a project or a group that is not theirs."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.names import project_name
from warehouse14.web.html import go, moment, show, words
from warehouse14.web.paging import Paging, page_number
from warehouse14.web.resources.browser import AdminPage, GroupPage
from warehouse14.web.views import groups

_LENGTH = 50
_TEXT_LENGTH = 200


@view_config(context=AdminPage, name="projects", request_method="GET", permission=Permission.ADMINISTER)
def projects(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Show all projects of the site by name, and the form to look into one."""
    return _page(request)


@view_config(context=AdminPage, name="look", request_method="POST", permission=Permission.ADMINISTER)
def look(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Look into a project as administrator, for an hour."""
    given = {key: request.POST.get(key, "").strip() for key in ("project", "reason")}
    looking = request.registry.warehouse.looking
    try:
        until = looking.look(request.identity, given["project"], reason=given["reason"])
    except (Rejected, NotFound) as error:
        return _page(request, status=400, problem=words(error), given=given)
    notice = f"You see and mend this project until {moment(until)}. Its admins find that in its journal."
    return go(request, f"/projects/{project_name(given['project'])}/", notice)


@view_config(context=GroupPage, name="look", request_method="POST", permission=Permission.ADMINISTER)
def look_at_group(context: GroupPage, request: Request) -> Response:
    """Look into a group as administrator, for an hour."""
    reason = request.POST.get("reason", "").strip()
    looking = request.registry.warehouse.looking
    try:
        until = looking.look_at_group(request.identity, context.group.name, reason=reason)
    except Rejected as error:
        return groups.page_of(context, request, status=400, look_problem=words(error), reason=reason)
    notice = f"You mend this group until {moment(until)}. Its admins find that in its journal."
    return go(request, groups.path_of(context), notice)


def _page(
    request: Request, *, status: int = 200, problem: str = "", given: dict[str, str] | None = None
) -> Response:
    text, number = request.GET.get("q", "").strip()[:_TEXT_LENGTH], page_number(request)
    warehouse = request.registry.warehouse
    catalogue = warehouse.catalogue
    found = catalogue.search_all(request.identity, text, start=(number - 1) * _LENGTH, count=_LENGTH)
    return show(
        request,
        "all_projects",
        status=status,
        projects=found.projects,
        readable=catalogue.readable(request.identity, [project.name for project in found.projects]),
        text=text,
        paging=Paging(number, _LENGTH, found.total),
        looking=request.identity.looking,
        abandoned=warehouse.projects.abandoned(
            request.identity, [project.name for project in found.projects]
        ),
        problem=problem,
        given=given or {"project": "", "reason": ""},
    )
