"""Server processes: started, awaited, weighed, and always ended."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE = 60.0
_LAST_LINES = 2000


class BenchmarkError(Exception):
    """Something answered otherwise than it must for the figures to mean anything."""


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server process on a port of its own; its output goes to a file.

    Attributes:
        name: what the table calls it.
        port: where it listens, on 127.0.0.1.
        started_in: the seconds from its start to its first 200 (or other answer at all).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        port: int,
        ready: str = "/",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.started_in = 0.0
        self._command = [str(part) for part in command]
        self._folder = folder
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._log = folder / f"{name.replace(' ', '-')}-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await(began)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def connect(self) -> http.client.HTTPConnection:
        """Return a new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """Return the most resident memory in bytes since :meth:`forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> int:
        """Begin to watch the resident memory; return it in bytes."""
        (self._proc() / "clear_refs").write_text("5", encoding="ascii")
        return self.memory()

    def _proc(self) -> Path:
        assert self._process is not None
        return Path("/proc") / str(self._process.pid)

    def _status(self, key: str) -> int:
        for line in (self._proc() / "status").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == key:
                return int(value.split()[0]) * 1024
        raise BenchmarkError(f"the system does not say {key}")

    def _await(self, began: float) -> None:
        assert self._process is not None
        while time.perf_counter() - began < _PATIENCE:
            if self._process.poll() is not None:
                break
            if self._answers():
                self.started_in = time.perf_counter() - began
                return
            time.sleep(0.005)
        said = self._log.read_text(encoding="utf-8", errors="replace")[-_LAST_LINES:]
        raise BenchmarkError(f"{self.name} does not serve:\n{said}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self._ready)
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()


def output_of(*command: str | Path, folder: Path | None = None) -> str:
    """Return what a command prints, on either stream. Raises ``BenchmarkError`` if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{done.args[0]} ended with {done.returncode}:\n{done.stdout[-_LAST_LINES:]}")
    return done.stdout.strip()
