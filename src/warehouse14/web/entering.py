"""Where a session begins and ends in a browser, however its owner signed in."""

from contextlib import suppress

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.errors import NotFound
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.web import cookies
from warehouse14.web.html import onwards, redirect
from warehouse14.web.security import PASSWORD_PAGE, signed_in


def enter(request: Request, found: SignedIn, goal: str) -> Response:
    """Return the way on for somebody whose session has begun, with its cookie.

    Whoever was signed in here before is so no longer.
    """
    leave(request)
    if found.replaces_password:
        response = redirect(request, PASSWORD_PAGE, {"next": goal})
    else:
        response = onwards(request, goal)
    cookies.keep_secret(request, response, found.secret)
    return response


def leave(request: Request) -> SignedIn | None:
    """End the session of this browser, if it has one, and return what it was."""
    session = signed_in(request)
    # One that ended meanwhile is what was wanted.
    if session is not None:
        with suppress(NotFound):
            identity = session.identity(request.environ.get("REMOTE_ADDR", ""))
            request.registry.warehouse.sessions.end(identity, session.session.id)
    return session
