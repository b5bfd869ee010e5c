"""What goes around each request: its name, the access log, the metrics."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.logs import REQUEST
from warehouse14.web.access import is_wanted, log_access
from warehouse14.web.requestids import HEADER, request_id

Handler = Callable[[Request], Response]


def watching(handler: Handler, registry: Any) -> Handler:
    """Return a handler that names each request and tells of it (a tween factory)."""

    def watch(request: Request) -> Response:
        began, response = perf_counter(), None
        name = request_id(request)
        named = REQUEST.set(name)
        try:
            response = handler(request)
            response.headers[HEADER] = name
            return response
        finally:
            seconds = perf_counter() - began
            if registry.meter is not None:
                registry.meter.count(request, response, seconds)
            if is_wanted():
                log_access(request, response, seconds)
            REQUEST.reset(named)

    return watch
