"""Absolute addresses. ``warehouse14.url`` decides them; without it, the request does."""

import re
from urllib.parse import quote, urlsplit

from pyramid.request import Request

from warehouse14.domain.errors import Rejected

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?\Z|\[[0-9A-Fa-f:.]+\](:\d+)?\Z", re.ASCII)


def absolute(request: Request, path: str) -> str:
    """Return the public address of ``path``, which begins with a slash and is not yet quoted."""
    base: str = request.registry.site.url or _of_request(request)
    return base.rstrip("/") + quote(path, safe="/+")


def prefix(request: Request) -> str:
    """Return the path that the site lies below, without its last slash."""
    public: str | None = request.registry.site.url
    return urlsplit(public).path.rstrip("/") if public else str(request.script_name)


def check_host(request: Request) -> None:
    """Raise ``Rejected`` if addresses are made from the request's host, and it is none."""
    if request.registry.site.url is None and not _HOST.match(request.host):
        raise Rejected("Host: not the name of a host.", field="Host")


def _of_request(request: Request) -> str:
    """Return the address of the application as the client called it."""
    check_host(request)
    address: str = request.application_url
    return address


def absolute_with_query(request: Request, path: str) -> str:
    """Return the same with the request's own query string."""
    query = request.environ.get("QUERY_STRING", "")
    return absolute(request, path) + (f"?{query}" if query else "")
