"""Absolute addresses. ``warehouse14.url`` decides them; without it, the request does."""

from urllib.parse import quote

from pyramid.request import Request


def absolute(request: Request, path: str) -> str:
    """Return the public address of ``path``, which begins with a slash and is not yet quoted."""
    base: str = request.registry.site.url or request.application_url
    return base.rstrip("/") + quote(path, safe="/+")


def absolute_with_query(request: Request, path: str) -> str:
    """Return the same with the request's own query string."""
    query = request.environ.get("QUERY_STRING", "")
    return absolute(request, path) + (f"?{query}" if query else "")
