"""What each kind of people is let in to: every view, by the tree and the access lists that decide of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.traversal import traverse

from permissions.words import HIDDEN, NO, PEOPLE, SIGN_IN, YES, cell, first_sentence
from warehouse14.domain.model import Scope
from warehouse14.web.resources import Root
from warehouse14.web.security import is_for_clients
from warehouse14.web.views.direct import begin
from warehouse14.web.views.upload import upload
from web.asking import Index, open_peopled
from web.test_open_views import View, views

#: The private project, and the public one.
PROJECTS = {False: "demo", True: "pub"}

#: What stands in the addresses of the site that is asked; the first that fits counts.
_STAND_INS = (
    ("/groups/<name>/", "/groups/crew/"),
    ("/admin/accounts/<name>/", "/admin/accounts/eve/"),
    ("<provider>", "corp"),
    ("<digest>/<file>", "0/site.css"),
    ("<file>", "<name>-1.0-py3-none-any.whl"),
    ("<version>", "1.0"),
    ("<id>", "nothing"),
)
#: The addresses of a resource, as its docstring begins.
_ADDRESSES = re.compile(r"``/[^`]*``(?:, ``/[^`]*``)*")


@dataclass(frozen=True)
class Row:
    """A row of the table: ``cells`` by kind of people."""

    view: View
    address: str
    method: str
    what: str
    is_for_clients: bool
    cells: Mapping[str, str]


def rows(of_uploads: Mapping[str, str]) -> Sequence[Row]:
    """Return a row for each address of each view, by address.

    What is sent of an upload names the project: there the use case decides, whose cells are ``of_uploads``.
    """
    index = open_peopled()
    found = [row for view in views(index) for row in _rows(index, view, of_uploads)]
    index.warehouse.close()
    return sorted(found, key=lambda row: (row.address, row.method))


def _rows(index: Index, view: View, of_uploads: Mapping[str, str]) -> Iterable[Row]:
    method = view.methods[0]
    for address in addresses(view):
        cells = {kind: _cell(index, view, address, kind) for kind in PEOPLE}
        if view.call in {upload, begin}:
            assert {written for kind, written in cells.items() if kind in of_uploads} == {YES}
            cells |= of_uploads
        asked = _request(index, method, address, None)
        yield Row(view, address, method, first_sentence(view.call), is_for_clients(asked), cells)


def _cell(index: Index, view: View, address: str, kind: str) -> str:
    return cell(lambda public: let_in(index, view, address, kind, public=public))


def addresses(view: View) -> Sequence[str]:
    """Return the addresses of a view, as the docstring of its resource has them."""
    found = _ADDRESSES.match(view.place.__doc__ or "")
    assert found is not None, f"The docstring of {view.context} does not begin with its address"
    places = re.findall(r"``(.*?)``", found[0])
    verb = f"/{view.place.mark}{view.name}" if view.name else ""
    return [f"{place.rstrip('/')}{verb}" if verb else place for place in places]


def let_in(index: Index, view: View, address: str, kind: str, *, public: bool) -> str:
    """Return whether somebody gets to the view on one of the projects, and what they hear if not."""
    path = filled(address, PROJECTS[public])
    request = _request(index, view.methods[0], path, PEOPLE[kind])
    found = traverse(Root(request), path)
    context = found["context"]
    is_there = isinstance(context, view.place) and found["view_name"] == view.name and not found["subpath"]
    if is_there and _permits(request, view, context):
        return YES
    if request.identity is None:
        return SIGN_IN
    return NO if is_there else HIDDEN


def filled(address: str, project: str) -> str:
    """Return an address of the site that is asked."""
    for pattern, value in _STAND_INS:
        address = address.replace(pattern, value)
    return address.replace("<name>", project)


def _permits(request: Request, view: View, context: object) -> bool:
    return view.permission == NO_PERMISSION_REQUIRED or bool(request.has_permission(view.permission, context))


def _request(index: Index, method: str, path: str, who: str | None) -> Request:
    """Return a request of somebody who has signed in, or has a token that holds nothing back."""
    request = Request.blank(path, method=method)
    request.registry = index.app.registry
    if who is not None and is_for_clients(request):
        request.headers["Authorization"] = f"Bearer {index.mint(who, scopes=set(Scope))}"
    elif who is not None:
        request.headers["Cookie"] = f"warehouse14-session={index.cookie(who)}"
    return request
