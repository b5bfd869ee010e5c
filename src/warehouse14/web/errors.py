"""From the domain's errors to HTTP. The one place that knows both.

Nobody gets 401 on every private address, existing or not; somebody who may
not read a project gets the bytes of one that does not exist.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken, PredicateMismatch, URLDecodeError
from pyramid.httpexceptions import HTTPException, HTTPForbidden, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.traversal import split_path_info
from pyramid.view import (
    exception_view_config,
    forbidden_view_config,
    notfound_view_config,
    view_config,
)

from warehouse14.domain import errors
from warehouse14.domain.access import SCOPES, Permission, allows
from warehouse14.web.access import without_ids
from warehouse14.web.addresses import absolute
from warehouse14.web.allowed import allowed_methods
from warehouse14.web.html import redirect, show
from warehouse14.web.requestids import request_id
from warehouse14.web.resources import ProjectBound, Resource
from warehouse14.web.security import (
    OPEN_PLACES,
    PASSWORD_PAGE,
    PRIVATE_PLACES,
    HeldBack,
    is_for_clients,
    is_for_programs,
    refusal,
    signed_in,
)

_log = logging.getLogger(__name__)

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

#: The same as people say it, for the pages.
_HEADINGS = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    405: "Not for this address",
    409: "That is taken",
    411: "Not a form",
    413: "Too large",
    415: "Not a form",
    429: "Too many attempts",
    500: "Something went wrong",
    503: "Not available right now",
}

#: The first that an error is an instance of decides.
_STATUSES: tuple[tuple[type[errors.WarehouseError], int], ...] = (
    (errors.TooLarge, 413),
    (errors.Rejected, 400),
    (errors.Unauthenticated, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooManyAttempts, 429),
    (errors.Unavailable, 503),
)

ErrorView = Callable[[Any, Request], Response]

_REASON_LENGTH = 300
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_JSON = "application/json"
_NOT_FOUND = "There is nothing here, or you may not see it."


class Refusal(Exception):
    """A refusal that belongs to HTTP alone, such as 405 or 415."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, message, {_header(name): value for name, value in headers.items()})


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal, before it is written as text or JSON."""

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)


@exception_view_config(Refusal)
def refused(error: Refusal, request: Request) -> Response:
    """Answer what the web refuses itself."""
    return write(request, error.answer)


@exception_view_config(errors.WarehouseError)
def domain_error(error: errors.WarehouseError, request: Request) -> Response:
    """Answer what the domain refuses."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if isinstance(error, errors.Unavailable):
        level = logging.INFO if isinstance(error, errors.ReadOnly) else logging.ERROR
        _log.log(level, "%s [request %s]", error.in_full, request_id(request), exc_info=error.__cause__)
        return write(request, Answer(status, str(error), {"Retry-After": str(error.retry_after)}))
    if isinstance(error, errors.TooManyAttempts):
        return write(request, Answer(status, str(error), {"Retry-After": str(error.retry_after)}))
    if status == 401:
        return write(request, unauthorized(str(error)))
    return write(request, Answer(status, str(error)))


def _answered(view: ErrorView) -> ErrorView:
    """Answer what the domain refuses while ``view`` asks who is there: a view of errors has no other."""

    @wraps(view)
    def answer(error: Any, request: Request) -> Response:
        try:
            return view(error, request)
        except errors.WarehouseError as refusal:
            return domain_error(refusal, request)

    return answer


@notfound_view_config()
@_answered
def not_found(error: HTTPNotFound, request: Request) -> Response:
    """Answer an address, or a method, that is not there."""
    if _is_private(request) and request.identity is None:
        return _nobody(request)
    context = getattr(request, "context", None)
    if isinstance(error, PredicateMismatch) and _may_know(request, context):
        assert isinstance(context, Resource)
        return write(request, _wrong_method(request, context))
    return write(request, _nothing(request))


@forbidden_view_config()
@_answered
def forbidden(error: HTTPForbidden, request: Request) -> Response:
    """Answer somebody who may not: nobody gets 401 or the sign-in, a stranger to a project 404."""
    if request.identity is None:
        return _nobody(request)
    if not _may_know(request, request.context):
        status = request.registry.site.denied_read
        if status == 403:
            return write(request, Answer(403, "You may not read this project."))
        return write(request, _nothing(request))
    return write(request, Answer(403, _held_back(request, error) or "You may not do this."))


def _held_back(request: Request, error: HTTPForbidden) -> str:
    """Return which scope a token lacks, if that is all that holds its owner back."""
    if not isinstance(error.result, HeldBack) or not isinstance(request.context, ProjectBound):
        return ""
    wanted = error.result.permission
    if not allows(replace(request.identity, token=None), wanted, request.context.project):
        return ""
    scopes = [scope for scope, permissions in SCOPES.items() if wanted in permissions]
    return f"This token may not do this. Make one with the scope {' or '.join(scopes)}."


@exception_view_config(URLDecodeError)
def undecodable(error: URLDecodeError, request: Request) -> Response:  # noqa: ARG001
    """Answer an address that is not UTF-8: as one that is not there."""
    request.environ["PATH_INFO"] = request.environ["PATH_INFO"].encode("ascii", "replace").decode("ascii")
    return not_found(HTTPNotFound(), request)


@exception_view_config(BadCSRFToken)
@exception_view_config(BadCSRFOrigin)
def forged(error: HTTPException, request: Request) -> Response:  # noqa: ARG001
    """Answer a form that did not come from a page of this site, or from one that is too old."""
    message = (
        "This form is too old, or not from this site. Go back, load the page again, and send it once more."
    )
    return write(request, Answer(400, message))


@exception_view_config(UnicodeDecodeError)
def undecodable_form(error: UnicodeDecodeError, request: Request) -> Response:  # noqa: ARG001
    """Answer a form or a query that is not UTF-8."""
    return write(request, Answer(400, "What was sent is not UTF-8."))


@view_config(context=Exception)
def unexpected(error: Exception, request: Request) -> Response:
    """Answer what nobody foresaw; the log has the cause."""
    if isinstance(error, HTTPException):
        return error
    path = without_ids(request.environ.get("PATH_INFO", ""))
    _log.error("%s %r failed [request %s]", request.method, path, request_id(request), exc_info=error)
    return write(request, Answer(500, "Something went wrong here. The log of the server says what."))


def unauthorized(message: str) -> Answer:
    """Return the refusal for nobody (RFC 9110, section 15.5.2)."""
    return Answer(401, message, {"WWW-Authenticate": 'Basic realm="Warehouse14", charset="UTF-8"'})


def _nobody(request: Request) -> Response:
    """Answer somebody who is not known: a client is told how to sign in, a browser is led there."""
    if is_for_clients(request):
        return domain_error(refusal(request), request)
    if _is_client(request):
        # The pages for browsers know no tokens: to a client, nothing is there.
        return write(request, _nothing(request))
    found = signed_in(request)
    path = PASSWORD_PAGE if found is not None else "/login"
    if request.method not in {"GET", "HEAD"}:
        message = "You are not signed in, or no longer. Nothing was changed: sign in, and send it again."
        return write(request, Answer(401, message))
    goal = request.environ.get("PATH_INFO", "")
    query = request.environ.get("QUERY_STRING", "")
    return redirect(request, path, {"next": _goal(goal, query)})


def _is_client(request: Request) -> bool:
    """Whether a client asks: at an address for clients, or with credentials of its own at any other."""
    return is_for_clients(request) or "HTTP_AUTHORIZATION" in request.environ


def _goal(path: str, query: str) -> str:
    """Return where to go after the sign-in; the home page needs no word."""
    # As the environment has it: bytes in the form of Latin-1.
    decoded = path.encode("latin-1", "replace").decode("utf-8", "replace")
    return "" if decoded == "/" else decoded + (f"?{query}" if query else "")


def write(request: Request, answer: Answer) -> Response:
    """Return ``answer`` as a page, or to clients in a form that they understand."""
    if _is_client(request):
        return _write_for_clients(request, answer)
    _log.info(
        "%d to %s %r [request %s]",
        answer.status,
        request.method,
        without_ids(request.environ.get("PATH_INFO", "")),
        request_id(request),
    )
    response = show(
        request,
        "error",
        status=answer.status,
        status_code=answer.status,
        title=_HEADINGS.get(answer.status, _REASONS[answer.status]),
        message=answer.message,
        request_id=request_id(request),
    )
    response.headers.update(answer.headers)
    return response


def _write_for_clients(request: Request, answer: Answer) -> Response:
    """Return ``answer`` as JSON to those who prefer it and in the API, else as plain text.

    The message stands in the body whole, and in the reason phrase as far as
    HTTP/1.1 can carry it: that is all that twine prints.
    """
    response = Response(status=f"{answer.status} {_reason(answer)}")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(answer.headers)
    title = _REASONS[answer.status]
    if is_for_programs(request):
        _write_json(response, {"error": answer.message})
    elif _prefers_json(request):
        # The code is all that uv prints.
        code = f"{answer.status} {answer.message}"
        _write_json(response, {"message": answer.message, "code": code, "title": title})
    else:
        response.content_type = "text/plain"
        response.text = f"{answer.status} {title}\n\n{answer.message}\n"
    return response


def _write_json(response: Response, values: dict[str, str]) -> None:
    response.json_body = values
    response.headers["Content-Type"] = _JSON


def _reason(answer: Answer) -> str:
    return _UNPRINTABLE.sub(" ", answer.message)[:_REASON_LENGTH].strip()


def _prefers_json(request: Request) -> bool:
    header = request.environ.get("HTTP_ACCEPT", "")
    if _JSON not in header.lower():
        return False
    offers = request.accept.acceptable_offers(["text/plain", _JSON])
    return bool(offers) and offers[0][0] == _JSON


def _may_know(request: Request, context: object) -> bool:
    """Whether the caller may know that ``context`` is there."""
    if not isinstance(context, ProjectBound):
        return isinstance(context, Resource)
    return bool(request.has_permission(Permission.READ, context))


def _nothing(request: Request) -> Answer:
    if request.method in {"GET", "HEAD"} or not _may_publish(request):
        return Answer(404, _NOT_FOUND)
    return Answer(404, f"{_NOT_FOUND} {_publish_here(request)}")


def _wrong_method(request: Request, context: Resource) -> Answer:
    message = f"{request.method} is not for this address."
    if _may_publish(request):
        message = f"{message} {_publish_here(request)}"
    return Answer(405, message, {"Allow": ", ".join(allowed_methods(request, context))})


def _may_publish(request: Request) -> bool:
    """Whether it may be a client that looks for the address of uploads."""
    return _is_client(request) and not is_for_programs(request)


def _publish_here(request: Request) -> str:
    return f"To publish, POST to {absolute(request, '/legacy/')}."


def _is_private(request: Request) -> bool:
    # Split as the traversal splits it: "/./simple/x" is "/simple/x".
    parts = split_path_info(request.environ.get("PATH_INFO", ""))
    return parts[0] in PRIVATE_PLACES if is_for_clients(request) and parts else _is_page(parts)


def _is_page(parts: tuple[str, ...]) -> bool:
    """Whether an address is one that only people who are signed in are told about."""
    return not parts or parts[0] not in OPEN_PLACES


def _header(name: str) -> str:
    return name.replace("_", "-").title()
