"""Signing in with a password of this site, and signing out however one signed in."""

import logging

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.domain.errors import Rejected, TooManyAttempts, Unauthenticated, Unavailable
from warehouse14.domain.names import AccountName, account_name
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.web import cookies
from warehouse14.web.addresses import absolute
from warehouse14.web.cookies import Notice
from warehouse14.web.entering import enter, leave
from warehouse14.web.html import depart, elsewhere, go, onwards, show
from warehouse14.web.requestids import request_id
from warehouse14.web.resources.browser import SignIn, SignOut
from warehouse14.web.security import signed_in

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
    if not request.registry.sign_ins.local:
        raise HTTPNotFound
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
    response = enter(request, found, goal)
    cookies.keep_device(request, response, found.account.name)
    return response


@view_config(context=SignOut, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(context: SignOut, request: Request) -> Response:  # noqa: ARG001
    """End the session, also one that opens nothing but the page for a new password; one that began at an
    identity provider ends there, too, or the next page says that it may go on."""
    away, notice = _farewell(request, leave(request))
    response = go(request, "/") if away is None else depart(request, away)
    cookies.notify(request, response, notice)
    cookies.drop_secret(request, response)
    return response


def _farewell(request: Request, found: SignedIn | None) -> tuple[str | None, Notice]:
    """Return where the session at the identity provider ends, if there is one that can be ended, and what
    to say."""
    begun = None if found is None else found.session.begun
    provider = None if begun is None else request.registry.sign_ins.providers.get(begun.provider)
    if begun is None or provider is None:
        return None, Notice("You are signed out.")
    try:
        return provider.farewell(begun.id_token, absolute(request, "/")), Notice("You are signed out.")
    except Unavailable as error:
        _log.warning("%s [request %s]", error.in_full, request_id(request))
        return None, Notice(
            f"You are signed out here. {provider.title} does not answer, so you may still be signed in "
            "there, and whoever uses this browser next comes in without a password. Sign out there, too.",
            "refused",
        )


def _form(request: Request, *, status: int = 200, **values: str) -> Response:
    sign_ins = request.registry.sign_ins
    ways = {"local": sign_ins.local, "providers": sign_ins.providers}
    return show(request, "sign_in", status=status, **ways, **{"problem": "", "name": "", **values})


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
