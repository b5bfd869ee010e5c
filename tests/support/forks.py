"""Our command in processes that are forked from one that has read all of our code.

Some tests end a process at each of many steps, and a start takes longer than a step. Such a process is one
as any other, with a number, a session, signals and files of its own, and is killed as any other. What a start
itself does is tested where the command is started; so is what an end does that is left to atexit.
"""

import atexit
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

#: Makes a process the parent of the orphans below it (Linux, linux/prctl.h).
_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.005
_one_at_a_time = threading.Lock()


class Forked:
    """A process that was forked, to be waited for as ``subprocess.Popen`` is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return how it ended. Raises ``TimeoutExpired`` if it has not in so many seconds."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("warehouse14", timeout)
            time.sleep(_PAUSE)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def fork(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str], *, out: int, err: int
) -> Forked:
    """Begin to run our command; ``out`` and ``err`` are open files that it writes to."""
    order = {
        "words": [str(word) for word in words],
        "folder": str(folder),
        "environment": dict(environment),
    }
    with _one_at_a_time, open(os.devnull, "rb") as nothing:
        orders = _nursery().orders
        socket.send_fds(orders, [json.dumps(order).encode()], [nothing.fileno(), out, err])
        return Forked(int(orders.recv(32)))


def run(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str], *, timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run our command to its end, with nothing typed."""
    with TemporaryFile() as out, TemporaryFile() as err:
        process = fork(words, folder, environment, out=out.fileno(), err=err.fileno())
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(list(words), status, out.read().decode(), err.read().decode())


class _Nursery:
    """What forks. One lasts as long as the process of the tests, and ends when that lets go of it."""

    def __init__(self) -> None:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.orders, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            # Its output is that of the tests: it has nothing to say but why it could not start.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.nursery", str(far.fileno())],
                pass_fds=[far.fileno()],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self.orders.close()
        self._process.wait(timeout=10)


@cache
def _nursery() -> _Nursery:
    return _Nursery()
