"""Rows of large files and memory, and of the start."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.bench import Bench
from benchmarks.load import Target, download, read_slowly
from benchmarks.peers import BACKENDS, nginx, pypiserver
from benchmarks.processes import Server
from benchmarks.reading import JSON
from benchmarks.report import Group, Row, mib
from benchmarks.settings import MIB

_LARGE = 200 * MIB
_HUGE = 2048 * MIB
_OF_NGINX = 0.5
_DOWNLOADS = 10
_SLOW_READERS = 4
_SLOW_SECONDS = 5.0
_MEMORY = 64 * MIB
_START_SECONDS = 1.5
_STARTS = 5
_IDLE_MEMORY = 90 * MIB


def large(bench: Bench) -> Group:
    """Measure large downloads against nginx, and what they take in memory."""
    rows = []
    for name, size in (("200 MB", _LARGE), ("2 GB", _HUGE)):
        bench.say(f"storing a file of {name}")
        path = bench.site.add_zeros(size)
        with ExitStack() as stack:
            ours = Target(stack.enter_context(bench.site.server()), path, bench.site.credentials)
            blob = bench.site.blob(path)
            theirs = stack.enter_context(nginx(bench.new_folder("nginx"), blob.parent.parent))
            bench.say(f"downloading {name}")
            targets = [Target(theirs, f"/{blob.parent.name}/{blob.name}")]
            for backend in BACKENDS:
                peer = pypiserver(bench.new_folder("pypiserver"), backend, linked=[blob])
                targets.append(Target(stack.enter_context(peer), f"/packages/{blob.name}"))
            rows += _downloads(name, ours, targets)
        blob.unlink()
    return Group(
        "Large files",
        rows,
        [
            f"Slow readers take about 3 MB/s each, for {_SLOW_SECONDS:.0f} s.",
            "Memory is the most that it was.",
            "devpi-server was not asked for files of this size.",
        ],
    )


def _downloads(name: str, ours: Target, others: Sequence[Target]) -> list[Row]:
    server = ours.server
    Target(server, "/simple/hundred/", ours.headers).answer()
    before = server.forget_peak()
    rates: dict[str, list[float]] = {}
    for number in range(_DOWNLOADS):
        for target in (ours, *others) if number % 2 else (*others, ours):
            size, seconds = download(target)
            rates.setdefault(target.server.name, []).append(size / MIB / seconds)
    after_downloads = server.peak_memory() - before
    rate, best = (median(rates[key]) for key in ("this index", "nginx"))
    figures = [f"{target.server.name} {median(rates[target.server.name]):,.0f}" for target in others]
    server.forget_peak()
    read_slowly(ours, readers=_SLOW_READERS, seconds=_SLOW_SECONDS)
    with_slow_readers = server.peak_memory() - before
    return [
        Row(
            title=f"Download of {name}, MiB/s",
            ours=f"{rate:,.0f}",
            others=", ".join(figures),
            result=f"{rate / best:.2f} of nginx",
            target=f"at least {_OF_NGINX:.2f}",
            passed=rate / best >= _OF_NGINX,
        ),
        _memory_row(f"Memory of {_DOWNLOADS} downloads of {name}", before, after_downloads),
        _memory_row(f"Memory with {_SLOW_READERS} slow readers of {name}", before, with_slow_readers),
    ]


def _memory_row(title: str, before: int, grown: int) -> Row:
    return Row(
        title=title,
        ours=f"from {mib(before)} up to {mib(before + grown)}",
        result=f"+{mib(grown)}",
        target=f"less than {mib(_MEMORY)}",
        passed=grown < _MEMORY,
    )


def start(bench: Bench) -> Group:
    """Measure the start, and the memory of an idle server."""
    times, weights = [], []
    for _ in range(_STARTS):
        with bench.site.server() as server:
            times.append(server.started_in)
            weights.append(_idle_memory(bench, server))
    began, weight = median(times), median(weights)
    return Group(
        "Start",
        [
            Row(
                title="From the process's start to 200 on /health",
                ours=f"median {began:.2f} s, worst {max(times):.2f} s",
                result=f"{began:.2f} s",
                target=f"less than {_START_SECONDS} s",
                passed=began < _START_SECONDS,
            ),
            Row(
                title="Resident memory, idle after the first page",
                ours=f"median {mib(weight)}, most {mib(max(weights))}",
                result=mib(weight),
                target=f"less than {mib(_IDLE_MEMORY)}",
                passed=weight < _IDLE_MEMORY,
            ),
        ],
        [f"{_STARTS} starts."],
    )


def _idle_memory(bench: Bench, server: Server) -> int:
    Target(server, "/simple/hundred/", {**bench.site.credentials, **JSON}).answer()
    time.sleep(0.5)
    return server.memory()
