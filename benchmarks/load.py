"""The load: wrk for what is read, and one small client for what is uploaded and downloaded."""

import http.client
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from benchmarks.processes import BenchmarkError, Server
from benchmarks.settings import CONNECTIONS, MIB

WARM_UP = 2
_TROUBLE = re.compile(r"^\s*(Non-2xx or 3xx responses|Socket errors):.*$", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([0-9.]+)$", re.MULTILINE)
_DROPPED_HEADERS = frozenset({"date", "server", "connection", "via"})
#: Headers that are new in every answer; one as long stands for them.
_NEW_EACH_TIME = frozenset({"x-request-id"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent; ``headers`` without those that the server itself adds."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, wanted: str) -> str:
        """Return the value of a header. Raises ``BenchmarkError`` if there is none."""
        for name, value in self.headers:
            if name.lower() == wanted.lower():
                return value
        raise BenchmarkError(f"the answer has no {wanted}")


@dataclass(frozen=True, slots=True)
class Target:
    """An address to put under load, and the only status that it may answer with."""

    server: Server
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    def answer(self) -> Answer:
        """Ask once. Raises ``BenchmarkError`` for another status."""
        connection = self.server.connect()
        try:
            return ask(connection, self)
        finally:
            connection.close()


def ask(connection: http.client.HTTPConnection, target: Target) -> Answer:
    """Ask on an open connection, without ``Accept-Encoding``."""
    connection.putrequest("GET", target.path, skip_accept_encoding=True)
    for name, value in target.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    if response.status != target.status:
        said = f"{response.status}, not {target.status}: {body[:300]!r}"
        raise BenchmarkError(f"{target.server.name}: {target.path} answers {said}")
    headers = [_same_each_time(*item) for item in response.getheaders()]
    kept = [item for item in headers if item[0].lower() not in _DROPPED_HEADERS]
    return Answer(response.status, response.reason, kept, body)


def _same_each_time(name: str, value: str) -> tuple[str, str]:
    return name, "0" * len(value) if name.lower() in _NEW_EACH_TIME else value


def alternate(targets: Sequence[Target], seconds: int, *, rounds: int = 2) -> list[float]:
    """Return requests/s of each target: the mean of its ``rounds`` turns of ``seconds`` each.

    The targets take turns, in changing order, so that a noisy machine is fair to each.
    """
    for target in targets:
        target.answer()
        requests_per_second(target, min(WARM_UP, seconds))
    rates: list[list[float]] = [[] for _ in targets]
    order = list(range(len(targets)))
    for _ in range(rounds):
        for number in order:
            rates[number].append(requests_per_second(targets[number], seconds))
        order.reverse()
    return [fmean(each) for each in rates]


def requests_per_second(target: Target, seconds: int) -> float:
    """Return what wrk reaches, 0 if not one answer came in time. Raises ``BenchmarkError`` for errors."""
    command = ["wrk", "--threads=2", f"--connections={CONNECTIONS}", f"--duration={seconds}s"]
    command.append(f"--timeout={seconds + 30}s")
    for name, value in target.headers.items():
        command += ["--header", f"{name}: {value}"]
    command.append(f"http://127.0.0.1:{target.server.port}{target.path}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    trouble = _TROUBLE.search(done.stdout)
    rate = _RATE.search(done.stdout)
    if trouble or rate is None:
        raise BenchmarkError(f"{target.server.name}: {target.path} under load:\n{done.stdout}{done.stderr}")
    return float(rate[1])


def download(target: Target) -> tuple[int, float]:
    """Read a large answer and throw it away; return its bytes and the seconds that it took."""
    connection = target.server.connect()
    began = time.perf_counter()
    try:
        size = sum(pieces(connection, target, memoryview(bytearray(MIB))))
    finally:
        connection.close()
    return size, time.perf_counter() - began


def pieces(connection: http.client.HTTPConnection, target: Target, buffer: memoryview) -> Iterator[int]:
    """Read an answer piece by piece into ``buffer``; yield how much each was."""
    connection.request("GET", target.path, headers=dict(target.headers))
    response = connection.getresponse()
    if response.status != target.status:
        raise BenchmarkError(f"{target.server.name}: {target.path} answers {response.status}")
    expected = int(response.headers["Content-Length"])
    done = 0
    while got := response.readinto(buffer):
        done += got
        yield got
    if done != expected:
        raise BenchmarkError(f"{target.server.name}: {target.path} ended after {done} of {expected} bytes")


def read_slowly(target: Target, *, readers: int, seconds: float) -> None:
    """Let several clients begin to read and take only about 3 MB/s each, for a while."""
    stop = time.monotonic() + seconds
    failures: list[BaseException] = []

    def read() -> None:
        connection = target.server.connect()
        try:
            for _ in pieces(connection, target, memoryview(bytearray(64 * 1024))):
                if time.monotonic() > stop:
                    return
                time.sleep(0.02)
        except BaseException as error:  # noqa: BLE001 - told to the caller below
            failures.append(error)
        finally:
            connection.close()

    in_parallel([read] * readers)
    if failures:
        raise BenchmarkError(f"a slow reader failed: {failures[0]!r}")


def in_parallel(tasks: Sequence[object]) -> None:
    """Run ``tasks`` in threads, and wait for all."""
    threads = [threading.Thread(target=task) for task in tasks]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
