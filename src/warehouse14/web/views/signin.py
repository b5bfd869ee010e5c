"""Signing in with a local account, and signing out."""

import logging
from contextlib import suppress

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.domain.errors import NotFound, Rejected, TooManyAttempts, Unauthenticated
from warehouse14.domain.names import AccountName, account_name
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.web import cookies
from warehouse14.web.html import elsewhere, go, onwards, redirect, request_id, show
from warehouse14.web.resources.browser import SignIn, SignOut
from warehouse14.web.security import PASSWORD_PAGE, signed_in

_log = logging.getLogger(__name__)


@view_config(context=SignIn, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def sign_in_form(context: SignIn, request: Request) -> Response:  # noqa: ARG001
    """Show the form, or go on where somebody is signed in already."""
    if signed_in(request) is not None:
        return onwards(request, request.GET.get("next", ""))
    return elsewhere(request, "/login") or _form(request, next=request.GET.get("next", ""))


@view_config(context=SignIn, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_in(context: SignIn, request: Request) -> Response:  # noqa: ARG001
    """Check name and password, and start a session with a cookie of its own."""
    name, goal = request.POST.get("name", "").strip(), request.POST.get("next", "")
    try:
        found = request.registry.warehouse.sessions.sign_in(
            name,
            request.POST.get("password", ""),
            origin=request.environ.get("REMOTE_ADDR", ""),
            agent=request.user_agent or "",
            device=_device(request, name),
        )
    except Unauthenticated as error:
        _log_failure(request, name)
        return _form(request, status=403, problem=str(error), name=name, next=goal)
    except TooManyAttempts as error:
        response = _form(request, status=429, problem=str(error), name=name, next=goal)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    # Whoever was signed in here before is so no longer.
    _end(request, signed_in(request))
    response = _after(request, goal, once=found.account.password_once)
    cookies.keep_secret(request, response, found.secret)
    cookies.keep_device(request, response, found.account.name)
    return response


@view_config(context=SignOut, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(context: SignOut, request: Request) -> Response:  # noqa: ARG001
    """End the session, also one that opens nothing but the page for a new password."""
    _end(request, signed_in(request))
    response = go(request, "/login", "You are signed out.")
    cookies.drop_secret(request, response)
    return response


def _end(request: Request, session: SignedIn | None) -> None:
    # One that ended meanwhile is what was wanted.
    if session is not None:
        with suppress(NotFound):
            identity = session.identity(request.environ.get("REMOTE_ADDR", ""))
            request.registry.warehouse.sessions.end(identity, session.session.id)


def _form(request: Request, *, status: int = 200, **values: str) -> Response:
    return show(request, "sign_in", status=status, **{"problem": "", "name": "", **values})


def _after(request: Request, goal: str, *, once: bool) -> Response:
    return redirect(request, PASSWORD_PAGE, {"next": goal}) if once else onwards(request, goal)


def _log_failure(request: Request, raw: str) -> None:
    """Log who failed to sign in. What is no account's name may be a password in the wrong field."""
    name = _account_name(raw)
    known = name is not None and name in request.registry.warehouse.accounts.known([name])
    _log.warning(
        "a sign-in %s from %r failed [request %s]",
        f"as {name}" if known else "with a name that is no account's",
        request.environ.get("REMOTE_ADDR", ""),
        request_id(request),
    )


def _device(request: Request, raw: str) -> str | None:
    name = _account_name(raw)
    return None if name is None else cookies.device(request, name)


def _account_name(raw: str) -> AccountName | None:
    try:
        return account_name(raw)
    except Rejected:
        return None
