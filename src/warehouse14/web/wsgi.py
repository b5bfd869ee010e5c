"""The application for other servers than that of ``[server:...] use = egg:warehouse14``.

``gunicorn 'warehouse14.web.wsgi:application()'`` and ``granian --factory
warehouse14.web.wsgi:application`` serve the site that ``WAREHOUSE14_INI`` names.
"""

import atexit
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import plaster
from pyramid.paster import get_app, setup_logging
from waitress.adjustments import Adjustments
from waitress.proxy_headers import proxy_headers_middleware

from warehouse14.web.requestids import mark_proxy

_INI = "WAREHOUSE14_INI"
_SERVER = "server:main"
#: The settings of ``[server:main]`` that say who is in front, which not every server can be told.
_IN_FRONT = frozenset(
    {
        "trusted_proxy",
        "trusted_proxy_count",
        "trusted_proxy_headers",
        "clear_untrusted_proxy_headers",
        "log_untrusted_proxy_headers",
        "url_prefix",
    }
)

#: Whether a request has passed what waitress makes of the headers of a proxy.
_LET_IN = "warehouse14.let_in"

_Environ = dict[str, Any]
_Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]


def application() -> _Application:
    """Return the WSGI application of the site, behind what ``[server:main]`` says of the proxy in front.

    A site that cannot be served is one line, and raises ``RuntimeError``: servers start a process
    again and again that has merely ended.
    """
    try:
        return _application(os.environ.get(_INI, ""))
    except SystemExit as error:
        # The line is written already.
        raise RuntimeError("the site cannot be served") from error
    except Exception as error:
        sys.stderr.write(f"warehouse14: {_INI} = {os.environ.get(_INI, '')!r} cannot be served: {error}\n")
        raise RuntimeError("the site cannot be served") from error


def _application(ini: str) -> _Application:
    setup_logging(ini)
    app = get_app(ini)
    warehouse = getattr(getattr(app, "registry", None), "warehouse", None)
    if warehouse is not None:
        atexit.register(warehouse.close)
    return _behind(app, _in_front(plaster.get_loader(ini, protocols=["wsgi"]).get_settings(_SERVER)))


def _in_front(server: Mapping[str, str]) -> Adjustments:
    """Return what the settings of a server say of the proxy in front, as waitress reads it."""
    return Adjustments(**{key: value for key, value in server.items() if key in _IN_FRONT})


def _behind(app: _Application, given: Adjustments) -> _Application:
    """Return the application as one that knows the proxy in front, as waitress does."""

    def mounted(environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if given.url_prefix and f"{path}/".startswith(f"{given.url_prefix}/"):
            environ["PATH_INFO"] = path.removeprefix(given.url_prefix)
        environ["SCRIPT_NAME"] = given.url_prefix
        environ[_LET_IN] = True
        return app(environ, start_response)

    def marked(environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        mark_proxy(environ, given.trusted_proxy)
        answer = wrapped(environ, start_response)
        # A refusal of waitress says its status when it is read: too late for granian, which would send 200.
        return answer if _LET_IN in environ else list(answer)

    wrapped: _Application = proxy_headers_middleware(
        mounted,
        trusted_proxy=given.trusted_proxy,
        trusted_proxy_count=given.trusted_proxy_count,
        trusted_proxy_headers=given.trusted_proxy_headers,
        clear_untrusted=given.clear_untrusted_proxy_headers,
        log_untrusted=given.log_untrusted_proxy_headers,
    )
    return marked
