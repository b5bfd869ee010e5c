"""``warehouse14.aws_lambda.http``: the pages, for whatever front end of a function they are asked through."""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from itertools import islice, product
from typing import Any
from urllib.parse import urlsplit

from apig_wsgi import make_lambda_handler
from pyramid.router import Router

from warehouse14.aws_lambda import Handler
from warehouse14.aws_lambda.events import Event, client, front_end, place, settled
from warehouse14.aws_lambda.limits import MOST_BYTES
from warehouse14.aws_lambda.opening import one_line, open_site
from warehouse14.web import make_app
from warehouse14.web.html import LARGEST_FORM
from warehouse14.web.requestids import THROUGH_PROXY

_log = logging.getLogger(__name__)

_LIMITS = "warehouse14.aws_lambda.limits"
_INCLUDES = "pyramid.includes"
_COOKIE = "set-cookie"
#: More ways to write its name than an answer has cookies.
_SPELLINGS = tuple(
    islice(map("".join, product(*(dict.fromkeys((letter, letter.upper())) for letter in _COOKIE))), 64)
)
_PORTS = {"http": "80", "https": "443"}
#: What is left of a request's time for handing its answer back, in seconds.
_HANDING_BACK = 0.5

_Environ = dict[str, Any]
_Header = tuple[str, str]


def make_handler() -> Handler:
    """Return the handler; a site that cannot be opened ends the process with one line."""
    with one_line():
        (warehouse, site, sign_ins), settings = open_site()
        includes = f"{settings.get(_INCLUDES, '')} {_LIMITS}"
        app = make_app(warehouse, site, {**settings, _INCLUDES: includes}, sign_ins)
    return HttpHandler(app)


class HttpHandler:
    """Answers events that are HTTP requests."""

    def __init__(self, app: Router) -> None:
        self._app = app
        self._warehouse = app.registry.warehouse
        self._proxies: int = app.registry.site.lambda_proxies
        self._base = urlsplit(app.registry.site.url or "").path.rstrip("/")
        # Every body goes as base64, text too: then its length is known before.
        self._answer = make_lambda_handler(
            self._application, binary_support=True, non_binary_content_type_prefixes=()
        )

    def __call__(self, event: Event, context: Any) -> Mapping[str, Any]:
        """Answer one request. When this returns, nothing is left to be done.

        Raises ``ValueError`` for an event that is no request.
        """
        front = front_end(event)
        try:
            answer: dict[str, Any] = self._answer(settled(event), context)
        finally:
            self._settle(context)
        if not front.takes_phrase:
            return answer
        status = HTTPStatus(answer["statusCode"])
        return answer | {"statusDescription": f"{status.value} {status.phrase}"}

    def _settle(self, context: Any) -> None:
        """Wait for what was put off: the process may be stopped as soon as it has answered."""
        left = context.get_remaining_time_in_millis() / 1000 - _HANDING_BACK
        if not self._warehouse.settle(left):
            _log.error("small writes in the background are not done when the time of the request ends")

    def _application(self, environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Call the application, with what is true of the request in the place of what was only said."""
        self._set_right(environ)
        is_plain = not environ["apig_wsgi.multi_value_headers"]

        def start(status: str, headers: list[_Header], exc_info: Any = None) -> Any:
            return start_response(status, _each_once(headers) if is_plain else headers, exc_info)

        found: Iterable[bytes] = self._app(environ, start)
        return found

    def _set_right(self, environ: _Environ) -> None:
        event, context = environ["apig_wsgi.full_event"], environ["apig_wsgi.context"]
        front = front_end(event)
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = place(event, front, self._base)
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = client(front, event, forwarded, self._proxies)
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "")
        environ["wsgi.url_scheme"] = scheme = scheme if scheme in _PORTS else "https"
        environ["SERVER_NAME"], environ["SERVER_PORT"] = "localhost", _PORTS[scheme]
        environ[THROUGH_PROXY], environ["HTTP_X_REQUEST_ID"] = True, context.aws_request_id
        environ[MOST_BYTES] = front.most_bytes
        environ[LARGEST_FORM] = front.largest_file


def _each_once(headers: Iterable[_Header]) -> list[_Header]:
    """Return headers for a front end that takes one of each name: cookies are told apart by capitals, which
    mean nothing (RFC 9110, section 5.1), and what comes again is appended to the first (section 5.3)."""
    spellings = iter(_SPELLINGS)
    found: dict[str, str] = {}
    for name, value in headers:
        if name.lower() == _COOKIE:
            found[next(spellings)] = value
        else:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return list(found.items())
