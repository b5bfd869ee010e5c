"""What is looked at before a view: a form that is too large, a verb without its mark."""

import re

from pyramid.events import ContextFound, NewRequest
from pyramid.httpexceptions import HTTPNotFound

from warehouse14.web.addresses import check_host
from warehouse14.web.errors import Refusal
from warehouse14.web.security import is_for_clients

#: More than any form of a page holds, in bytes. It is read into memory whole.
_MOST = 100_000
_FORM = "application/x-www-form-urlencoded"
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
    if (request.content_length or 0) > _MOST:
        raise Refusal(413, f"A form has at most {_MOST} bytes.")
    charset = _CHARSET.search(request.headers.get("Content-Type", ""))
    if request.content_type not in {_FORM, ""} or (charset and charset[1].lower() not in _UTF_8):
        raise Refusal(415, f"Send the form as {_FORM}, in UTF-8.")


def check_view_name(event: ContextFound) -> None:
    """Know a verb by its ``@@`` alone: else what is private would show in what ``/projects/new`` answers."""
    request = event.request
    if request.view_name and f"/@@{request.view_name}" not in request.environ["PATH_INFO"]:
        raise HTTPNotFound
    if request.subpath:
        raise HTTPNotFound
