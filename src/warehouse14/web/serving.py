"""waitress as this index needs it: refusals at the headers, and an end within two seconds.

``use = egg:warehouse14`` in a ``[server:...]`` section; every setting of
waitress may stand beside it.
"""

import logging
import signal
import sys
import threading
import time
from typing import Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.utilities import Error, RequestEntityTooLarge

from warehouse14.domain.services.uploads import too_large
from warehouse14.web.forms import ALLOWANCE

_log = logging.getLogger(__name__)

#: How long requests in progress may still take after SIGTERM, in seconds.
_GRACE = 1.2
#: How long the rest of a refused body is read and thrown away, in seconds, so
#: that its sender gets to see the refusal instead of a broken connection.
_LINGER = 10.0


def serve_paste(app: Any, global_conf: Any, **settings: Any) -> int:  # noqa: ARG001
    """Serve ``app`` until SIGTERM or SIGINT (``paste.server_runner``)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # How many requests wait is for a metric, not for a line per request.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    limit = _limit(app, settings)
    settings.setdefault("asyncore_use_poll", True)
    settings.setdefault("ident", "")
    sockets: dict[int, Any] = {}
    try:
        server = create_server(app, map=sockets, **settings)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"warehouse14: cannot listen: {error}\n")
        raise SystemExit(1 if isinstance(error, OSError) else 2) from error
    for listener in _listeners(sockets):
        listener.channel_class = _channel_class(limit)
    server.print_listen("Serving on http://{}:{}")
    _run(sockets, use_poll=server.adj.asyncore_use_poll)
    return 0


def _limit(app: Any, settings: dict[str, Any]) -> int | None:
    """Return the largest file of an app that is ours, and let no body be much longer."""
    registry = getattr(app, "registry", None)
    warehouse = getattr(registry, "warehouse", None)
    if warehouse is None:
        return None
    limit: int = warehouse.uploads.max_file_bytes
    fitting = limit + ALLOWANCE
    settings["max_request_body_size"] = min(int(settings.get("max_request_body_size", fitting)), fitting)
    return limit


def _run(sockets: dict[int, Any], *, use_poll: bool) -> None:
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        for listener in _listeners(sockets):
            listener.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping.is_set():
        wasyncore.loop(timeout=1, use_poll=use_poll, map=sockets, count=1)
    for listener in _listeners(sockets):
        listener.accepting = False
        listener.socket.close()
        del sockets[listener._fileno]  # noqa: SLF001
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(_is_busy(channel) for channel in sockets.values()):
        wasyncore.loop(timeout=0.05, use_poll=use_poll, map=sockets, count=1)


def _listeners(sockets: dict[int, Any]) -> list[BaseWSGIServer]:
    return [found for found in sockets.values() if isinstance(found, BaseWSGIServer)]


def _is_busy(channel: Any) -> bool:
    return isinstance(channel, HTTPChannel) and bool(channel.requests or channel.total_outbufs_len)


class _Refused(Error):  # type: ignore[misc]
    """A refusal that is written by the server, before the application is called."""

    def __init__(self, code: int, reason: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self._headers = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:  # noqa: ARG002
        """Return status, headers and body, as waitress asks for them."""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        body = f"{self.code} {self.reason}\n\n{self.body}\n".encode()
        return f"{self.code} {self.body[:300]}", headers + self._headers, body


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Parses a request. A body that is too long or finds no room becomes an answer."""

    limit: int | None = None

    def received(self, data: bytes) -> int:
        """Take ``data``; return how much of it belonged to this request."""
        try:
            taken: int = super().received(data)
        except OSError as error:
            _log.exception("a request's body cannot be kept")
            self._refuse(
                _Refused(
                    503,
                    "Service Unavailable",
                    f"The server cannot keep the upload ({error.strerror}). Try again later.",
                    Retry_After="60",
                )
            )
            return len(data)
        if isinstance(self.error, RequestEntityTooLarge):
            limit = self.adj.max_request_body_size if self.limit is None else self.limit
            self._refuse(_Refused(413, "Content Too Large", str(too_large(limit))))
        return taken

    def _refuse(self, error: _Refused) -> None:
        self.error = error
        self.completed = True
        # Whoever waits for "100 Continue" gets the answer instead of an invitation.
        self.expect_continue = False


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. After a refusal it listens a little longer before it closes."""

    _linger_until: float | None = None
    _refused = False

    def received(self, data: bytes) -> bool:
        """Take what came in."""
        more: bool = super().received(data)
        if self.requests and self.requests[-1].error is not None:
            self._refused = True
        return more

    def readable(self) -> bool:
        """Whether to wait for input."""
        return self._linger_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Read; what comes after a refusal is thrown away."""
        if self._linger_until is None:
            super().handle_read()
            return
        try:
            data = self.recv(self.adj.recv_bytes)
        except OSError:
            data = b""
        if not data or time.monotonic() > self._linger_until:
            super().handle_close()

    def handle_close(self) -> None:
        """Close, unless the sender of a refused body has yet to read the answer."""
        if not self._refused or self._linger_until is not None or not self.connected:
            super().handle_close()
            return
        self._linger_until = time.monotonic() + _LINGER
        self.will_close = False
        self.last_activity = time.time()
        try:
            self.socket.shutdown(1)
        except OSError:
            super().handle_close()


def _channel_class(limit: int | None) -> type[_Channel]:
    parser = type("Parser", (_Parser,), {"limit": limit})
    return type("Channel", (_Channel,), {"parser_class": parser})
