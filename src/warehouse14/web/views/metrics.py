"""What operators watch a site by."""

import hmac

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.domain.origins import comes_from, networks, ranges
from warehouse14.settings import MetricsAccess
from warehouse14.web.errors import Refusal
from warehouse14.web.resources.clients import Metrics

_BEARER = "bearer"


@view_config(context=Metrics, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def metrics(context: Metrics, request: Request) -> Response:  # noqa: ARG001
    """Show the metrics to those whom the settings open them to, whoever they are here."""
    access: MetricsAccess = request.registry.site.metrics
    if access.addresses and not _comes_from(request, access):
        raise HTTPNotFound
    if access.token and not _brings(request, access.token):
        raise Refusal(
            401,
            "Send the token of warehouse14.metrics.token as a Bearer credential.",
            www_authenticate='Bearer realm="Warehouse14 metrics"',
        )
    meter = request.registry.meter
    response = Response(meter.page(), headerlist=[("Content-Type", meter.content_type)])
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _comes_from(request: Request, access: MetricsAccess) -> bool:
    return comes_from(request.environ.get("REMOTE_ADDR", ""), networks(ranges(access.addresses)))


def _brings(request: Request, token: str) -> bool:
    """Whether the request brings the token (RFC 6750, section 2.1)."""
    scheme, _, given = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    # As the environment has it: bytes in the form of Latin-1.
    return hmac.compare_digest(given.strip().encode("latin-1", "replace"), token.encode()) and (
        scheme.lower() == _BEARER
    )
