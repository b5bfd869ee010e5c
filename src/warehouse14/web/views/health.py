"""Whether the server is alive, and whether its stores answer."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.web.resources.clients import Health, Ready


@view_config(context=Health, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def health(request: Request) -> Response:  # noqa: ARG001
    """Say that the server answers."""
    return _fresh(Response("ok\n", content_type="text/plain"))


@view_config(context=Ready, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def ready(context: Ready, request: Request) -> Response:  # noqa: ARG001
    """Say whether each store answers, and in what time; why one does not is in the log."""
    answers = request.registry.warehouse.readiness.answers()
    is_ready = all(answer.is_well for answer in answers)
    body = {
        "ready": is_ready,
        "stores": {
            answer.store: {"ok": answer.is_well, "milliseconds": round(answer.seconds * 1000, 1)}
            for answer in answers
        },
    }
    response = Response(json_body=body, status=200 if is_ready else 503)
    if not is_ready:
        response.headers["Retry-After"] = "5"
    return _fresh(response)


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
