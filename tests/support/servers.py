"""Real server processes on free loopback ports."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from support.forks import Forked, fork
from support.sites import COMMAND, Site, environment

_START_SECONDS = 60.0
_BIN = COMMAND.parent


class Kind(StrEnum):
    """What speaks HTTP for the application."""

    WAITRESS = "waitress"
    GUNICORN = "gunicorn"
    GRANIAN = "granian"

    @property
    def passes_the_reason_on(self) -> bool:
        """Whether the status line has our reason phrase; granian writes one of its own."""
        return self is not Kind.GRANIAN

    def words(self, ini: Path, port: int) -> list[str | Path]:
        """Return the command that docs/deploy/servers.md says; ``WAREHOUSE14_INI`` names ``ini``."""
        match self:
            case Kind.WAITRESS:
                return [COMMAND, "--ini", ini, "serve", "--listen", f"127.0.0.1:{port}"]
            case Kind.GUNICORN:
                return [
                    _BIN / "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2",
                    "--worker-class", "gthread", "--threads", "8", "--timeout", "300",
                    "--forwarded-allow-ips", "", "--no-control-socket", "warehouse14.web.wsgi:application()",
                ]  # fmt: skip
            case Kind.GRANIAN:
                return [
                    _BIN / "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
                    "--http", "1", "--workers", "2", "--blocking-threads", "8",
                    "--factory", "warehouse14.web.wsgi:application",
                ]  # fmt: skip


#: Those beside our own.
OTHERS = (Kind.GUNICORN, Kind.GRANIAN)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """One server process on a site; a context manager that ends it."""

    def __init__(
        self,
        site: Site,
        *,
        port: int | None = None,
        ini: Path | None = None,
        wrapper: Sequence[str] = (),
        prefix: str = "",
        program: Sequence[str | Path] | None = None,
        kind: Kind = Kind.WAITRESS,
    ) -> None:
        """Remember how to start.

        ``ini`` is the site's own unless given, ``wrapper`` are words before the
        command, ``prefix`` is the path that the ini mounts the application at,
        and ``program`` is run instead of the command that serves, which is that
        of ``kind``.
        """
        self.site = site
        self.kind = kind
        self._ini = ini or site.ini
        self.port = port or free_port()
        self.prefix = prefix
        self._words = [*wrapper, *(program or kind.words(self._ini, self.port))]
        self._log = site.folder / f"server-{self.port}.log"
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | Forked":
        """The process; for ``program``, the one that was started first."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def url(self) -> str:
        """The address of the application, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def as_account(self, token: str, *, user: str = "__token__") -> str:
        """Return the same address with credentials in it."""
        return f"http://{user}:{token}@127.0.0.1:{self.port}{self.prefix}"

    def log(self) -> str:
        """Return what it has written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> Self:
        """Start, and return when it answers."""
        variables = environment(**{**self.site.variables, "WAREHOUSE14_INI": str(self._ini)})
        with self._log.open("ab") as log:
            if self.site.forked and self._words[0] == COMMAND:
                self._process = fork(
                    self._words[1:], self.site.folder, variables, out=log.fileno(), err=log.fileno()
                )
            else:
                self._process = subprocess.Popen(
                    self._words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.site.folder,
                    env=variables,
                    start_new_session=True,
                )
        try:
            self._wait()
        except BaseException:
            self.process.kill()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_well():
            assert self.process.poll() is None, f"the server ended while it started:\n{self.log()}"
            assert time.monotonic() < deadline, f"the server does not answer:\n{self.log()}"
            time.sleep(0.02)

    def is_well(self, *, timeout: float = 5) -> bool:
        """Whether ``/health`` answers 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", f"{self.prefix}/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.process.kill()
        self.process.wait(timeout=10)

    def terminate(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=20)

    def resident_bytes(self) -> int:
        """Return how much memory it has in use (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def peak_bytes(self) -> int:
        """Return the most memory that it had in use since :meth:`forget_peak` (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def forget_peak(self) -> None:
        """Let the peak begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)
        if kind is not None:
            sys.stderr.write(self.log())


def wait_until(condition: "object", *, seconds: float = 10.0, what: str = "it") -> None:
    """Wait for a callable to return something true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.01)
