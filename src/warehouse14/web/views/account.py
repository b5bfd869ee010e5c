"""One's own account: tokens, password, sessions."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import NotFound, Rejected, TooManyAttempts
from warehouse14.web.html import elsewhere, go, onwards, show, words
from warehouse14.web.minting import TokenForm, given_form, given_overlap, lines, offered, show_new
from warehouse14.web.resources.browser import AccountPage, SessionPlace, TokenPlace
from warehouse14.web.security import signed_in


@view_config(context=AccountPage, request_method="GET", permission=Permission.BROWSE)
def account(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Show tokens and sessions."""
    return elsewhere(request, "/account/") or _page(request)


@view_config(context=AccountPage, name="token", request_method="POST", permission=Permission.BROWSE)
def mint(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Make a token, and show it: this once, in the answer itself."""
    form, tokens = given_form(request), request.registry.warehouse.tokens
    try:
        secret = tokens.mint(request.identity, **form.options())
    except (Rejected, NotFound) as error:
        return _page(request, status=400, problem=words(error), form=form)
    return show_new(request, secret, tokens.listed(request.identity), "/account/")


@view_config(context=TokenPlace, name="rotate", request_method="POST", permission=Permission.BROWSE)
def rotate(context: TokenPlace, request: Request) -> Response:
    """Put a new token in the place of one, and show it."""
    tokens = request.registry.warehouse.tokens
    try:
        secret = tokens.rotate(request.identity, _own(context, request), overlap_hours=given_overlap(request))
    except Rejected as error:
        return _page(request, status=400, problem=words(error))
    return show_new(request, secret, tokens.listed(request.identity), "/account/")


@view_config(context=TokenPlace, name="revoke", request_method="POST", permission=Permission.BROWSE)
def revoke(context: TokenPlace, request: Request) -> Response:
    """End a token."""
    request.registry.warehouse.tokens.revoke(request.identity, _own(context, request))
    return go(request, "/account/", "The token is revoked. It counts for nothing from now on.")


def _own(context: TokenPlace, request: Request) -> str:
    """Return the id of a token of one's own. Those of others, and of services, have pages of their own."""
    wanted = context.__name__
    if wanted not in {token.id for token in request.registry.warehouse.tokens.listed(request.identity)}:
        raise NotFound("token", wanted)
    return wanted


@view_config(context=SessionPlace, name="end", request_method="POST", permission=Permission.BROWSE)
def end_session(context: SessionPlace, request: Request) -> Response:
    """End one of one's other sessions."""
    request.registry.warehouse.sessions.end(request.identity, context.__name__)
    return go(request, "/account/", "That browser is signed out.")


@view_config(context=AccountPage, name="sessions", request_method="POST", permission=Permission.BROWSE)
def end_other_sessions(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """End all sessions but this one."""
    request.registry.warehouse.sessions.end_others(request.identity)
    return go(request, "/account/", "All other browsers are signed out.")


@view_config(context=AccountPage, name="part", request_method="POST", permission=Permission.BROWSE)
def part(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Part somebody at an identity provider from one's account."""
    issuer, subject = request.POST.get("issuer", ""), request.POST.get("subject", "")
    try:
        request.registry.warehouse.arrivals.part(request.identity, issuer, subject)
    except Rejected as error:
        return _page(request, status=400, problem=words(error))
    return go(request, "/account/", "That way to sign in is closed.")


@view_config(context=AccountPage, name="password", request_method="GET", permission=Permission.BROWSE)
def password_form(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Ask for a new password."""
    return _password_page(request, goal=request.GET.get("next", ""))


@view_config(context=AccountPage, name="password", request_method="POST", permission=Permission.BROWSE)
def change_password(context: AccountPage, request: Request) -> Response:  # noqa: ARG001
    """Replace the password; all other sessions end."""
    given, goal = request.POST, request.POST.get("next", "")
    if given.get("password") != given.get("again"):
        return _password_page(request, goal=goal, status=400, problem="The two new passwords differ.")
    try:
        request.registry.warehouse.sessions.change_password(
            request.identity, given.get("old_password", ""), given.get("password", "")
        )
    except Rejected as error:
        return _password_page(request, goal=goal, status=400, problem=words(error))
    except TooManyAttempts as error:
        response = _password_page(request, goal=goal, status=429, problem=str(error))
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return onwards(request, goal, "Your password is changed.", default="/account/")


def _page(
    request: Request, *, status: int = 200, problem: str = "", form: TokenForm | None = None
) -> Response:
    warehouse, identity = request.registry.warehouse, request.identity
    return show(
        request,
        "account",
        status=status,
        tokens=lines(request, warehouse.tokens.listed(identity)),
        logins=warehouse.arrivals.joined(identity),
        providers=request.registry.sign_ins.providers,
        sessions=warehouse.sessions.listed(identity),
        current=identity.session,
        problem=problem,
        **offered(form),
    )


def _password_page(request: Request, *, goal: str, status: int = 200, problem: str = "") -> Response:
    found = signed_in(request)
    once = found is not None and found.replaces_password
    return show(request, "password", status=status, problem=problem, once=once, next=goal)
