"""What is open to all: whether the server is alive, and a word at the door."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.web.addresses import absolute
from warehouse14.web.resources import Health, Root


@view_config(context=Health, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def health(request: Request) -> Response:  # noqa: ARG001
    """Say that the server answers."""
    return _text("ok\n")


@view_config(context=Root, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def door(request: Request) -> Response:
    """Say what this is, and where clients go."""
    index, upload = absolute(request, "/simple/"), absolute(request, "/legacy/")
    return _text(
        "This is Warehouse14, a private Python package index.\n\n"
        f"Install from {index}\nPublish to   {upload}\n\n"
        "Sign in with an API token: user name __token__, and the token as the password.\n"
    )


def _text(text: str) -> Response:
    response = Response(text, content_type="text/plain")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
