"""Signing in through an identity provider: there, back, and the end that the provider tells of."""

import logging
from collections.abc import Mapping, Sequence

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.arrivals import Arrival
from warehouse14.domain.errors import SignInFailed
from warehouse14.domain.sentences import printable
from warehouse14.domain.services.arrivals import From
from warehouse14.domain.services.throttle import Limit, arrival_limits
from warehouse14.web.addresses import absolute
from warehouse14.web.cookies import arrived_before, keep_arrived
from warehouse14.web.entering import enter
from warehouse14.web.html import depart, go, onwards, show
from warehouse14.web.journeys import Journey, keep_journey, take_journey
from warehouse14.web.requestids import request_id
from warehouse14.web.resources.browser import ProviderEnd, ProviderPlace
from warehouse14.web.security import signed_in

_log = logging.getLogger(__name__)

#: How much of what went wrong stands in the log.
_SHOWN = 500
_NO_JOURNEY = "This sign-in was used before, took too long, or was begun in another browser."


@view_config(context=ProviderPlace, name="start", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def start(context: ProviderPlace, request: Request) -> Response:
    """Lead the browser to the provider, to sign in."""
    goal = request.GET.get("next", "")
    if signed_in(request) is not None:
        return onwards(request, goal)
    return _depart(context, request, goal=goal)


@view_config(context=ProviderPlace, name="join", request_method="POST", permission=Permission.BROWSE)
def join(context: ProviderPlace, request: Request) -> Response:
    """Lead the browser to the provider, to join who comes back to the account that is signed in."""
    return _depart(context, request, joins=request.identity.session)


@view_config(context=ProviderPlace, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def arrive(context: ProviderPlace, request: Request) -> Response:
    """Take the answer that the browser brings back."""
    request.registry.throttle.check(_limits(context, request))
    answer = {key: value for key, value in request.GET.items() if len(request.GET.getall(key)) == 1}
    journey = take_journey(request, answer.get("state", ""))
    if journey is None or journey.provider != context.name:
        return _failed(
            context, request, SignInFailed(_NO_JOURNEY, detail="no journey is known by this state")
        )
    try:
        return _finish(context, request, journey, answer)
    except SignInFailed as error:
        return _failed(context, request, error)


@view_config(
    context=ProviderEnd, request_method="POST", permission=NO_PERMISSION_REQUIRED, require_csrf=False
)
def end(context: ProviderEnd, request: Request) -> Response:
    """End the sessions that the provider says are over (OpenID Connect Back-Channel Logout 1.0).

    What the provider has signed is its own credential: there is no cookie, and no CSRF.
    """
    place = context.__parent__
    try:
        ending = place.provider.ending(request.POST.get("logout_token", ""))
        request.registry.warehouse.arrivals.end(_where(place, request), ending)
    except SignInFailed as error:
        _log_failure(place, request, error, "a logout message from")
        response = Response(json_body={"error": "invalid_request", "error_description": str(error)})
        response.status_int = 400
    else:
        response = Response()
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _depart(
    context: ProviderPlace, request: Request, *, goal: str = "", joins: str | None = None
) -> Response:
    departure = context.provider.begin(_answer_to(context, request))
    response = depart(request, departure.address)
    journey = Journey(context.name, departure.state, departure.kept, goal, joins)
    keep_journey(request, response, journey)
    return response


def _finish(
    context: ProviderPlace, request: Request, journey: Journey, answer: Mapping[str, str]
) -> Response:
    arrival = _arrival(context, request, journey, answer)
    arrivals, where = request.registry.warehouse.arrivals, _where(context, request)
    if journey.joins is None:
        response = enter(request, arrivals.sign_in(where, arrival), journey.goal)
        keep_arrived(request, response, context.name)
        return response
    found = signed_in(request)
    if found is None or found.session.id != journey.joins:
        raise SignInFailed("You are no longer signed in to the account that was to be joined.")
    is_new = arrivals.join(found.identity(where.origin), where, arrival)
    how = "now" if is_new else "already, as before"
    return go(request, "/account/", f"You can sign in through {context.provider.title} {how}.")


def _arrival(
    context: ProviderPlace, request: Request, journey: Journey, answer: Mapping[str, str]
) -> Arrival:
    """Return who has come back. Whoever has the provider asked in vain is counted."""
    try:
        return context.provider.finish(
            answer, state=journey.state, kept=journey.kept, answer_to=_answer_to(context, request)
        )
    except SignInFailed as error:
        if error.asked:
            request.registry.throttle.fail(_limits(context, request))
        raise


def _limits(context: ProviderPlace, request: Request) -> Sequence[Limit]:
    """Return what counts for an answer that does not count."""
    return arrival_limits(_origin(request), arrived_before(request, context.name))


def _where(context: ProviderPlace, request: Request) -> From:
    return From(
        context.name,
        context.provider.title,
        _origin(request),
        request.user_agent or "",
    )


def _origin(request: Request) -> str:
    """Return the address of the client."""
    found: str = request.environ.get("REMOTE_ADDR", "")
    return found


def _answer_to(context: ProviderPlace, request: Request) -> str:
    return absolute(request, f"/oauth/{context.name}")


def _failed(context: ProviderPlace, request: Request, error: SignInFailed) -> Response:
    _log_failure(context, request, error, "a sign-in through")
    return show(
        request,
        "sign_in_failed",
        status=403,
        provider=context.provider.title,
        message=str(error),
        request_id=request_id(request),
    )


def _log_failure(context: ProviderPlace, request: Request, error: SignInFailed, what: str) -> None:
    _log.warning(
        "%s %s from %r failed: %s (%s) [request %s]",
        what,
        context.name,
        _origin(request),
        # What others send stands in both.
        printable(str(error), most=_SHOWN),
        printable(error.detail, most=_SHOWN),
        request_id(request),
    )
