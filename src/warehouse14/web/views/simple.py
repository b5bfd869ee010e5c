"""The Simple API: the list of projects, and the page of each."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.web.addresses import absolute_with_query
from warehouse14.web.errors import Refusal
from warehouse14.web.negotiation import SUPPORTED, Offer, negotiate, takes_gzip
from warehouse14.web.page import Page
from warehouse14.web.resources.clients import ProjectDetail, ProjectList

_VARY = "Accept, Accept-Encoding, Authorization"
#: The headers of a page that a 304 carries too (RFC 9110, section 15.4.5).
_WITH_304 = frozenset({"ETag", "Cache-Control", "Vary", "X-PyPI-Last-Serial"})


@view_config(context=ProjectList, request_method="GET", permission=Permission.BROWSE)
def projects(context: ProjectList, request: Request) -> Response:
    """Send the list of the projects that the caller may read."""
    elsewhere = _elsewhere(request, context.path)
    if elsewhere is not None:
        return elsewhere
    page = request.registry.lists.page(request.identity, _offer(request), compressed=_takes_gzip(request))
    return _send(request, page)


@view_config(context=ProjectDetail, request_method="GET", permission=Permission.READ)
def project(context: ProjectDetail, request: Request) -> Response:
    """Send the page of one project."""
    projects = context.__parent__
    elsewhere = _elsewhere(request, f"{projects.path}{context.project.name}/")
    if elsewhere is not None:
        return elsewhere
    root = "../" * (projects.depth + 1)
    page = request.registry.pages.project(
        context.project, _offer(request), root, compressed=_takes_gzip(request)
    )
    return _send(request, page)


def _elsewhere(request: Request, path: str) -> Response | None:
    """Return the redirect to the one address of a page, unless the request is for it."""
    if request.environ["PATH_INFO"] == path:
        return None
    response = Response(status=301, location=absolute_with_query(request, path))
    response.headers.update({"Vary": _VARY, "Cache-Control": "no-cache, private"})
    return response


def _offer(request: Request) -> Offer:
    environ = request.environ
    offer = negotiate(environ.get("HTTP_ACCEPT"), environ.get("QUERY_STRING", ""))
    if offer is None:
        raise Refusal(406, f"This page can be had as: {SUPPORTED}.", vary=_VARY)
    return offer


def _takes_gzip(request: Request) -> bool:
    header = request.environ.get("HTTP_ACCEPT_ENCODING", "")
    return "gzip" in header.lower() and takes_gzip(header)


def _send(request: Request, page: Page) -> Response:
    wanted = request.environ.get("HTTP_IF_NONE_MATCH")
    if wanted is not None and _matches(wanted, page.etag):
        headers = [header for header in page.headers if header[0] in _WITH_304]
        return Response(status="304 Not Modified", headerlist=headers, app_iter=())
    return Response(status="200 OK", headerlist=list(page.headers), app_iter=[page.body])


def _matches(wanted: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
    return etag in tags or "*" in tags
