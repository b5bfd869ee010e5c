"""Closed by default: which views are open to all, which change something, and which need no CSRF token."""

from dataclasses import dataclass
from typing import Any

import pytest
from pyramid.interfaces import IDefaultCSRFOptions, IDefaultPermission, ISecurityPolicy
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED

from warehouse14.web.resources import Root
from warehouse14.web.security import CLOSED
from web.asking import Index

#: Every view that answers nobody, with the methods that it takes.
OPEN_TO_ALL = {
    ("Health", "", "GET HEAD"),
    ("Ready", "", "GET HEAD"),
    # To those whom the settings open it to.
    ("Metrics", "", "GET HEAD"),
    ("ProviderEnd", "", "POST"),
    ("ProviderPlace", "", "GET HEAD"),
    ("ProviderPlace", "start", "GET HEAD"),
    ("SignIn", "", "GET HEAD"),
    ("SignIn", "", "POST"),
    ("SignOut", "", "POST"),
    ("StaticFile", "", "GET HEAD"),
}

#: Every view that changes something by POST without a CSRF token: the request's own credentials stand for it.
EXEMPT_FROM_CSRF = {
    ("Root", "", "POST"),
    ("Projects", "", "POST"),
    ("Legacy", "", "POST"),
    ("ProviderEnd", "", "POST"),
    ("ApiProject", "delete", "POST"),
    ("ApiProject", "public", "POST"),
    ("ApiProject", "private", "POST"),
    ("ApiProject", "grant", "POST"),
    ("ApiProject", "revoke", "POST"),
    ("ApiRelease", "yank", "POST"),
    ("ApiRelease", "unyank", "POST"),
    ("ApiRelease", "delete", "POST"),
    ("ApiFile", "yank", "POST"),
    ("ApiFile", "unyank", "POST"),
    ("ApiFile", "delete", "POST"),
    ("ApiUploads", "", "POST"),
    ("ApiUpload", "part", "POST"),
    ("ApiUpload", "finish", "POST"),
}

#: The views of errors, which Pyramid calls with no permission.
OF_ERRORS = {
    "Refusal",
    "WarehouseError",
    "HTTPNotFound",
    "HTTPForbidden",
    "URLDecodeError",
    "UnicodeDecodeError",
    "BadCSRFToken",
    "BadCSRFOrigin",
    "Exception",
    # Pyramid's own, for its exceptions that are answers.
    "IExceptionResponse",
    "WSGIHTTPException",
}


@dataclass(frozen=True)
class View:
    """A view as Pyramid keeps it, and what it is called for."""

    place: Any
    call: Any
    context: str
    name: str
    methods: tuple[str, ...]
    permission: str | None
    require_csrf: bool | None
    route: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.context, self.name, " ".join(self.methods)


def views(index: Index) -> list[View]:
    """Return every view of resources, errors left out."""
    return [view for view in every_view(index) if view.context not in OF_ERRORS]


def every_view(index: Index) -> list[View]:
    found = []
    for entry in index.app.registry.introspector.get_category("views"):
        view: Any = entry["introspectable"]
        methods = view["request_methods"] or ()
        if isinstance(methods, str):
            methods = (methods,)
        if "GET" in methods and "HEAD" not in methods:
            methods = (*methods, "HEAD")
        found.append(
            View(
                place=view["context"],
                call=view["callable"],
                context=getattr(view["context"], "__name__", str(view["context"])),
                name=view["name"],
                methods=tuple(sorted(methods)),
                permission=_permission(entry["related"]),
                require_csrf=view.get("require_csrf"),
                route=view["route_name"],
            )
        )
    return found


def _permission(related: list[Any]) -> str | None:
    found = [str(each["value"]) for each in related if each.category_name == "permissions"]
    assert len(found) <= 1
    return found[0] if found else None


def test_the_views_open_to_all_are_these(stocked: Index) -> None:
    assert {view.key for view in views(stocked) if view.permission == NO_PERMISSION_REQUIRED} == OPEN_TO_ALL


def test_every_other_view_names_its_permission(stocked: Index) -> None:
    assert all(view.permission for view in views(stocked))


def test_what_names_no_permission_is_closed(stocked: Index) -> None:
    registry = stocked.app.registry
    assert registry.getUtility(IDefaultPermission) == CLOSED
    assert registry.getUtility(IDefaultCSRFOptions).require_csrf is True


@pytest.mark.parametrize("by", ["ada", "root", None])
def test_nobody_at_all_is_let_through_a_closed_view(stocked: Index, by: str | None) -> None:
    headers = {"Authorization": f"Bearer {stocked.token(by)}"} if by else {}
    request = Request.blank("/simple/", headers=headers)
    request.registry = stocked.app.registry
    policy = stocked.app.registry.getUtility(ISecurityPolicy)
    assert bool(policy.identity(request)) == bool(by)
    assert not policy.permits(request, Root(request), CLOSED)


def test_a_view_takes_get_and_head_or_post_and_says_so(stocked: Index) -> None:
    for view in views(stocked):
        assert view.methods in {("GET", "HEAD"), ("POST",)}, view


def test_the_views_exempt_from_csrf_are_these(stocked: Index) -> None:
    assert {view.key for view in views(stocked) if view.require_csrf is False} == EXEMPT_FROM_CSRF


def test_every_view_of_an_error_is_known(stocked: Index) -> None:
    assert {view.context for view in every_view(stocked)} >= OF_ERRORS
    assert {view.context for view in every_view(stocked)} - OF_ERRORS == {
        view.context for view in views(stocked)
    }


def test_there_are_no_routes(stocked: Index) -> None:
    """Architecture 4: pure traversal."""
    assert {view.route for view in every_view(stocked)} == {None}
    assert not stocked.app.registry.introspector.get_category("routes")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", "/logout", "POST"),
        ("GET", "/projects/pub/@@revoke", "POST"),
        ("GET", "/account/@@token", "POST"),
        ("GET", "/admin/@@accounts", "POST"),
        ("PUT", "/projects/pub/", "GET, HEAD"),
        ("PUT", "/projects/pub/@@people", "GET, HEAD, POST"),
        ("DELETE", "/projects/pub/1.0/pub-1.0-py3-none-any.whl", "GET, HEAD"),
        ("PUT", "/login", "GET, HEAD, POST"),
    ],
)
def test_an_address_asked_with_another_method_says_which_it_answers(
    stocked: Index, method: str, target: str, allowed: str
) -> None:
    headers = {"Cookie": f"warehouse14-session={stocked.cookie('root')}"}
    answer = stocked.ask(method, target, None, headers=headers)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("target", "media_type"), [("/login", "text/html"), ("/health", "text/plain"), ("/health/", "text/plain")]
)
@pytest.mark.parametrize("by", ["ada", "eve", None])
def test_the_open_views_answer_everybody(
    stocked: Index, target: str, media_type: str, by: str | None
) -> None:
    answer = stocked.get(target, by=by)
    assert (answer.status, answer.media_type) == (200, media_type)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "demo" not in answer.text
