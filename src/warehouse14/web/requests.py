"""What is looked at before a view: a form that is too large, a verb without its mark, an odd spelling."""

import re

from pyramid.events import ContextFound, NewRequest
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.traversal import split_path_info

from warehouse14.web.addresses import check_host
from warehouse14.web.errors import Refusal
from warehouse14.web.security import is_for_clients, is_for_programs

#: More than any form of a page holds, in bytes. It is read into memory whole.
_MOST = 100_000
FORM = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]*)", re.IGNORECASE)
_UTF_8 = frozenset({"utf-8", "utf8", ""})
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def settle_scheme(event: NewRequest) -> None:
    """Know that the site is reached by TLS if its address says so: a proxy need not pass that on."""
    request = event.request
    if (request.registry.site.url or "").startswith("https://"):
        request.scheme = "https"


def check_address(event: NewRequest) -> None:
    """Refuse a host that is none, before an address is made from it."""
    check_host(event.request)


def check_form(event: NewRequest) -> None:
    """Refuse what is no form of a page, before anything reads it."""
    request = event.request
    if request.method not in _CHANGES or is_for_clients(request):
        return
    if "HTTP_AUTHORIZATION" in request.environ:
        # A client at an address for browsers: it is told where to go, whatever it sends.
        raise HTTPNotFound
    if request.content_length is None and request.is_body_readable:
        # Servers that do not wait for the whole body know no length of one in chunks.
        raise Refusal(411, "Say how long the form is: send Content-Length.")
    if (request.content_length or 0) > _MOST:
        raise Refusal(413, f"A form has at most {_MOST} bytes.")
    if request.content_type not in {FORM, ""} or not is_utf_8(request):
        raise Refusal(415, f"Send the form as {FORM}, in UTF-8.")


def is_utf_8(request: Request) -> bool:
    """Whether the body is in UTF-8, as far as its type says."""
    charset = _CHARSET.search(request.headers.get("Content-Type", ""))
    return charset is None or charset[1].lower() in _UTF_8


def check_sender(event: ContextFound) -> None:
    """Refuse a change by the API that a browser sends for a page: it may add credentials that somebody once
    typed, which then stand for nobody's will. Programs name no origin (Fetch, section 3.2)."""
    environ = event.request.environ
    if event.request.method not in _CHANGES or not is_for_programs(event.request):
        return
    if "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none":
        raise Refusal(403, "The API is for programs, and takes no change that a browser sends for a page.")


def check_view_name(event: ContextFound) -> None:
    """Know a verb by its mark alone: else what is private would show in what ``/projects/new`` answers."""
    request = event.request
    last = split_path_info(request.environ["PATH_INFO"])[-1:]
    if request.view_name and last != (f"{request.context.mark}{request.view_name}",):
        raise HTTPNotFound
    if request.subpath:
        raise HTTPNotFound


def check_spelling(event: ContextFound) -> None:
    """Know an address of the API by its one spelling: with an empty name in it, where a program has nothing
    to put, that of a release would be that of its project."""
    request = event.request
    path = request.environ["PATH_INFO"]
    if is_for_programs(request) and path != "/" + "/".join(split_path_info(path)):
        raise HTTPNotFound
