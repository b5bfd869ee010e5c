"""waitress as this index needs it: refusals at the headers, a deadline for them, an end within two seconds.

``use = egg:warehouse14`` in a ``[server:...]`` section; every setting of
waitress may stand beside it.
"""

import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from warehouse14.domain.warehouse import Warehouse
from warehouse14.settings import DEFAULT_MAX_FILE_BYTES
from warehouse14.web.connections import channel_class, sweep
from warehouse14.web.descriptors import fitting_connections
from warehouse14.web.forms import ALLOWANCE
from warehouse14.web.framing import read_frames_strictly

_log = logging.getLogger(__name__)

#: How long requests in progress may still take after SIGTERM, in seconds.
_GRACE = 1.2
#: How long a thread keeps the interpreter while others want it, in seconds. Python's own 5 ms
#: made a server with eight busy threads three times slower.
_SWITCH_INTERVAL = 0.0001


def serve_paste(app: Any, global_conf: Any, **settings: Any) -> int:  # noqa: ARG001
    """Serve ``app`` until SIGTERM or SIGINT (``paste.server_runner``)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # How many requests wait is for a metric, not for a line per request.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        limit = _limit(app, settings)
    except ValueError as error:
        sys.stderr.write("warehouse14: max_request_body_size is not a whole number\n")
        raise SystemExit(2) from error
    settings.setdefault("asyncore_use_poll", True)
    settings.setdefault("connection_limit", fitting_connections())
    settings.setdefault("ident", "")
    sockets: dict[int, Any] = {}
    try:
        server = create_server(app, map=sockets, **settings)
    except (OSError, ValueError) as error:
        wasyncore.close_all(sockets, ignore_all=True)
        sys.stderr.write(f"warehouse14: {_trouble(error, settings)}\n")
        raise SystemExit(1 if isinstance(error, OSError) else 2) from error
    read_frames_strictly()
    for listener in _listeners(sockets):
        listener.channel_class = channel_class(limit)
        listener.maintenance = _maintenance(listener)
    server.print_listen("Serving on http://{}:{}")
    _run(sockets, use_poll=server.adj.asyncore_use_poll)
    warehouse = _warehouse_of(app)
    if warehouse is not None:
        # The last connection that closes folds SQLite's write-ahead log into its file.
        warehouse.close()
    return 0


def _trouble(error: Exception, settings: dict[str, Any]) -> str:
    """Return in one line why there is no server."""
    if isinstance(error, ValueError):
        return f"a setting of the [server:...] section is wrong: {error}"
    where = settings.get("listen") or ":".join(settings[key] for key in ("host", "port") if key in settings)
    return f"cannot listen on {where or 'its address'}: {error}"


def _limit(app: Any, settings: dict[str, Any]) -> int | None:
    """Return the largest file of an app that is ours, and let no body be much longer.

    An app inside a composite or a filter cannot be asked: then the server takes
    what the largest file by default needs, and the app refuses what is too long for it.
    """
    warehouse = _warehouse_of(app)
    limit = DEFAULT_MAX_FILE_BYTES if warehouse is None else warehouse.uploads.max_file_bytes
    fitting = limit + ALLOWANCE
    given = int(settings.get("max_request_body_size", fitting))
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


def _run(sockets: dict[int, Any], *, use_poll: bool) -> None:
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        for listener in _listeners(sockets):
            listener.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Every request lets go of the interpreter's lock when it asks the database for changes; a
    # thread that computes keeps it for this long, and a request waits as long to go on.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    # What was loaded at the start stays: the collector of garbage need not look at it again.
    gc.collect()
    gc.freeze()
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
