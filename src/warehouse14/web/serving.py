"""waitress as this index needs it: refusals at the headers, a deadline for them, an end within two seconds.

``use = egg:warehouse14`` in a ``[server:...]`` section; every setting of
waitress may stand beside it.
"""

import errno
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from warehouse14.domain.warehouse import Warehouse
from warehouse14.logs import TextFormatter
from warehouse14.settings import DEFAULT_MAX_FILE_BYTES
from warehouse14.web.connections import channel_class, sweep
from warehouse14.web.descriptors import fitting_connections
from warehouse14.web.forms import ALLOWANCE
from warehouse14.web.framing import read_frames_strictly

_log = logging.getLogger(__name__)

#: How long requests in progress may still take after SIGTERM, in seconds.
_GRACE = 1.2
#: When small writes in the background are given up, in seconds after SIGTERM: what is left of two
#: is for the end of the process.
_END = 1.4


def serve_paste(app: Any, global_conf: Any, **settings: Any) -> int:
    """Serve ``app`` until SIGTERM or SIGINT (``paste.server_runner``).

    What keeps it from serving is one line, and ends the process: with status 1
    for an address that is taken, with 2 for all else.
    """
    _log_to_the_terminal()
    # How many requests wait is for a metric, not for a line per request.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    warehouse = _warehouse_of(app)
    sockets: dict[int, Any] = {}
    try:
        server = _open(app, sockets, settings)
    except (OSError, ValueError, OverflowError) as error:
        wasyncore.close_all(sockets, ignore_all=True)
        if warehouse is not None:
            warehouse.close()
        sys.stderr.write(f"warehouse14: {_trouble(error, settings)}\n")
        status = 1 if isinstance(error, OSError) and error.errno == errno.EADDRINUSE else 2
        if "__script__" in global_conf:
            _leave(status)
        raise SystemExit(status) from error
    server.print_listen("Serving on http://{}:{}")
    asked = _run(sockets, use_poll=server.adj.asyncore_use_poll)
    if warehouse is not None:
        # The last connection that closes folds SQLite's write-ahead log into its file.
        warehouse.close(max(0.0, asked + _END - time.monotonic()))
    return 0


def _log_to_the_terminal() -> None:
    """Log as the settings of a site usually have it, unless its own say how."""
    terminal = logging.StreamHandler()
    terminal.setFormatter(TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[terminal])


def _open(app: Any, sockets: dict[int, Any], settings: dict[str, Any]) -> Any:
    """Return a server that listens, and whose connections are ours."""
    limit = _limit(app, settings)
    if not settings.get("listen", "*").strip():
        raise ValueError("listen is empty")
    settings.setdefault("asyncore_use_poll", True)
    settings.setdefault("connection_limit", fitting_connections())
    settings.setdefault("ident", "")
    server = create_server(app, map=sockets, **settings)
    read_frames_strictly()
    for listener in _listeners(sockets):
        listener.channel_class = channel_class(limit)
        listener.maintenance = _maintenance(listener)
    return server


def _leave(status: int) -> NoReturn:
    """End the process: pserve (which says ``__script__``) takes ``SystemExit`` from a server for an end
    that was wished, adds a line of its own and ends with status 0."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _trouble(error: Exception, settings: dict[str, Any]) -> str:
    """Return in one line why there is no server."""
    if not isinstance(error, OSError):
        return f"a setting of the [server:...] section is wrong: {error}"
    where = settings.get("listen") or settings.get("unix_socket")
    where = where or ":".join(settings[key] for key in ("host", "port") if key in settings)
    return f"cannot listen on {where or 'its address'}: {error}"


def _limit(app: Any, settings: dict[str, Any]) -> int | None:
    """Return the largest file of an app that is ours, and let no body be much longer.

    An app inside a composite or a filter cannot be asked: then the server takes
    what the largest file by default needs, and the app refuses what is too long for it.
    """
    warehouse = _warehouse_of(app)
    limit = DEFAULT_MAX_FILE_BYTES if warehouse is None else warehouse.uploads.max_file_bytes
    fitting = limit + ALLOWANCE
    try:
        given = int(settings.get("max_request_body_size", fitting))
    except ValueError:
        raise ValueError("max_request_body_size is not a whole number") from None
    if given < limit:
        _log.warning("max_request_body_size = %s takes no file of %s bytes, as the site allows", given, limit)
    settings["max_request_body_size"] = given if warehouse is None else min(given, fitting)
    return limit if given >= fitting and warehouse is not None else None


def _maintenance(listener: BaseWSGIServer) -> Callable[[float], None]:
    """Return what is to be done every ``cleanup_interval``: what waitress does, and our sweep."""
    usual = listener.maintenance

    def maintenance(now: float) -> None:
        usual(now)
        sweep(listener.active_channels.values())

    return maintenance


def _warehouse_of(app: Any) -> Warehouse | None:
    return getattr(getattr(app, "registry", None), "warehouse", None)


def _run(sockets: dict[int, Any], *, use_poll: bool) -> float:
    """Serve until a signal and through the grace after it. Return when the signal came."""
    stopping = threading.Event()
    asked = 0.0

    def stop(*_: object) -> None:
        nonlocal asked
        asked = asked or time.monotonic()
        stopping.set()
        for listener in _listeners(sockets):
            listener.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # What was loaded at the start stays: the collector of garbage need not look at it again.
    gc.collect()
    gc.freeze()
    while not stopping.is_set():
        wasyncore.loop(timeout=1, use_poll=use_poll, map=sockets, count=1)
    for listener in _listeners(sockets):
        listener.accepting = False
        listener.socket.close()
        del sockets[listener._fileno]  # noqa: SLF001
    while time.monotonic() < asked + _GRACE and any(_is_busy(channel) for channel in sockets.values()):
        wasyncore.loop(timeout=0.05, use_poll=use_poll, map=sockets, count=1)
    return asked


def _listeners(sockets: dict[int, Any]) -> list[BaseWSGIServer]:
    return [found for found in sockets.values() if isinstance(found, BaseWSGIServer)]


def _is_busy(channel: Any) -> bool:
    return isinstance(channel, HTTPChannel) and bool(channel.requests or channel.total_outbufs_len)
