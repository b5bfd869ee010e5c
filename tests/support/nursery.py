"""A process that has read all of our code, and forks those that run our command.

Run as ``python -m support.nursery SOCKET``, with the number of an open socket. By it comes each order: the
words of a command, its folder and its environment in JSON, and its standard streams. Back goes the number of
the process, which is an orphan: whoever is its next subreaper waits for it.
"""

import gc
import json
import os
import socket
import sys
import threading
from importlib import import_module
from typing import Any

from warehouse14.adapters.aws import new_session
from warehouse14.cli import main as command

#: What a site of the tests may need beside the command line itself.
_READ = (
    "prometheus_client",
    "psycopg",
    "pymysql",
    "support.killing",
    "warehouse14.adapters.dynamodb",
    "warehouse14.adapters.filesystem",
    "warehouse14.adapters.s3",
    "warehouse14.adapters.sql",
    "warehouse14.web.serving",
    "warehouse14.web.views",
)
#: No order is as long, in bytes.
_MOST = 1024 * 1024


def serve(orders: socket.socket) -> None:
    """Fork for each order; return when nobody orders any more."""
    while True:
        text, streams, _, _ = socket.recv_fds(orders, _MOST, 3)
        if not text:
            return
        number = _orphan()
        if number == 0:
            orders.close()
            _run(json.loads(text), streams)
        for stream in streams:
            os.close(stream)
        orders.send(str(number).encode("ascii"))


def _orphan() -> int:
    """Fork a process without a parent, and return its number; 0 in it."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        number = os.fork()
        if number == 0:
            os.close(reading)
            os.close(writing)
            return 0
        os.write(writing, str(number).encode("ascii"))
        os._exit(0)
    os.waitpid(parent, 0)
    os.close(writing)
    number = int(os.read(reading, 32))
    os.close(reading)
    return number


def _run(order: dict[str, Any], streams: list[int]) -> None:
    """Become a process that runs the command, and end as it."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["warehouse14", *order["words"]]
    try:
        status = command()
    except SystemExit as ending:
        status = ending.code
    # Wait for threads as any end does. To take all apart that was read would take longer than most commands.
    threading._shutdown()  # type: ignore[attr-defined]
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    for name in _READ:
        import_module(name)
    for service in ("dynamodb", "s3"):
        new_session().client(service, region_name="us-east-1")
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
