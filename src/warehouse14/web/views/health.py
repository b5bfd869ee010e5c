"""Whether the server is alive."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.web.resources.clients import Health


@view_config(context=Health, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def health(request: Request) -> Response:  # noqa: ARG001
    """Say that the server answers."""
    response = Response("ok\n", content_type="text/plain")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
