"""The journal: of a project, a group, the site, one's own account; as pages, and whole as a download."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.journal import FAMILIES, Sought, sought_of
from warehouse14.domain.journallines import csv_lines, json_lines
from warehouse14.domain.model import Action, Change
from warehouse14.domain.services.journal import JournalPage, Selection
from warehouse14.web.html import protect, show, words
from warehouse14.web.resources.browser import AccountPage, AdminPage, GroupPage, ProjectPage

#: Returns the entries that the caller may read of those that are sought.
Select = Callable[[Sought], Selection]

_LENGTH = 50
_TEXT_LENGTH = 300
#: An id as a list of tokens shows it. Of a whole token that is pasted there, the secret does not come back.
_TOKEN_LENGTH = 16
#: The filters of every page, and those that the site's has beside.
_FIELDS = ("who", "what", "token", "since", "until")
_FIELDS_OF_SITE = (*_FIELDS, "project", "group")
_NOTHING = JournalPage((), has_newer=False, has_older=False)
_OF_PROJECTS = ("project.", "file.", "token.")
_OF_GROUPS = ("group.", "project.", "token.")
#: How many lines of a download go in one piece.
_PIECE = 200
#: The formats of a download: the media type, what writes the lines, and what ends them.
_FORMATS: Mapping[str, tuple[str, Callable[[Iterator[Change]], Iterator[str]], str]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines, "\r\n"),
    "jsonl": ("application/jsonl", json_lines, "\n"),
}


@view_config(context=ProjectPage, name="journal", request_method="GET", permission=Permission.MANAGE)
def of_project(context: ProjectPage, request: Request) -> Response:
    """Show what happened to a project."""
    name = context.project.name
    journal = request.registry.warehouse.journal
    return _answer(
        request,
        lambda sought: journal.of_project(request.identity, name, sought),
        "project_journal",
        path=f"/projects/{name}/@@journal",
        file_name=name,
        families=_OF_PROJECTS,
        project=context.project,
    )


@view_config(context=GroupPage, name="journal", request_method="GET", permission=Permission.MANAGE)
def of_group(context: GroupPage, request: Request) -> Response:
    """Show what happened to a group."""
    name = context.group.name
    journal = request.registry.warehouse.journal
    return _answer(
        request,
        lambda sought: journal.of_group(request.identity, name, sought),
        "group_journal",
        path=f"/groups/{name}/@@journal",
        file_name=name,
        families=_OF_GROUPS,
        group=context.group,
    )


@view_config(context=AdminPage, name="journal", request_method="GET", permission=Permission.ADMINISTER)
def of_site(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Show what happened on the site."""
    journal = request.registry.warehouse.journal
    return _answer(
        request,
        lambda sought: journal.of_site(request.identity, sought),
        "site_journal",
        path="/admin/@@journal",
        file_name="site",
        fields=_FIELDS_OF_SITE,
    )


@view_config(context=AccountPage, name="journal", request_method="GET", permission=Permission.BROWSE)
def of_account(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Show what one's own account did, and what was done to it."""
    journal = request.registry.warehouse.journal
    return _answer(
        request,
        lambda sought: journal.of_account(request.identity, sought),
        "account_journal",
        path="/account/@@journal",
        file_name="account",
    )


def _answer(
    request: Request,
    select: Select,
    template: str,
    *,
    path: str,
    file_name: str,
    families: tuple[str, ...] = FAMILIES,
    fields: tuple[str, ...] = _FIELDS,
    **values: Any,
) -> Response:
    given = _given(request, fields)
    wanted = request.GET.get("format", "")
    if wanted in _FORMATS:
        return _download(request, select(sought_of(**given)), wanted, f"journal-{file_name}")
    found, problem = _page(request, select, given)
    return show(
        request,
        template,
        status=400 if problem else 200,
        found=found,
        problem=problem,
        given=given,
        is_filtered=any(given.values()),
        choices=[(family, _actions(family)) for family in families],
        path=path,
        **values,
    )


def sought(request: Request) -> Sought:
    """Return what the address seeks. Raises ``Rejected``."""
    return sought_of(**_given(request, _FIELDS))


def json_stream(selection: Selection) -> Response:
    """Return all entries as JSON Lines, read and sent in pieces."""
    return _stream(selection, "jsonl")


def _given(request: Request, fields: tuple[str, ...]) -> dict[str, str]:
    given = {field: request.GET.get(field, "").strip()[:_TEXT_LENGTH] for field in fields}
    return {**given, "token": given["token"][:_TOKEN_LENGTH]}


def _page(request: Request, select: Select, given: Mapping[str, str]) -> tuple[JournalPage, str]:
    """Return the page that is asked for, and what is wrong with the filters if anything is."""
    try:
        selection = select(sought_of(**given))
    except Rejected as error:
        return _NOTHING, words(error)
    page = selection.page(before=_serial(request, "before"), after=_serial(request, "after"), count=_LENGTH)
    return page, ""


def _actions(family: str) -> list[str]:
    return [action.value for action in Action if action.startswith(family)]


def _serial(request: Request, field: str) -> int | None:
    """Return the serial that the address names; anything odd is none."""
    raw = request.GET.get(field, "")
    return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else None


def _download(request: Request, selection: Selection, wanted: str, name: str) -> Response:
    """Return all entries as a file, read and sent in pieces."""
    response = _stream(selection, wanted)
    protect(request, response)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{wanted}"'
    return response


def _stream(selection: Selection, wanted: str) -> Response:
    content_type, lines, end = _FORMATS[wanted]
    response = Response(app_iter=_pieces(lines(selection.all()), end))
    response.headers["Content-Type"] = content_type
    return response


def _pieces(lines: Iterator[str], end: str) -> Iterator[bytes]:
    while piece := "".join(f"{line}{end}" for line in islice(lines, _PIECE)):
        yield piece.encode("utf-8", "replace")
