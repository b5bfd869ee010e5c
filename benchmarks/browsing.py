"""Rows of the pages for browsers: how long they take on the server, and what a first visit weighs."""

import gzip
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from statistics import median

from benchmarks.bench import Bench
from benchmarks.load import Answer, Target, ask
from benchmarks.processes import BenchmarkError, Server
from benchmarks.report import Group, Row
from benchmarks.sites import PUBLISHER

_VISITS = 40
_SEARCHED = 20_000
_PAGE_MS = 40.0
_SEARCH_MS = 30.0
_VISIT_BYTES = 120_000
_ASSET = re.compile(rb'(?:href|src)="(/static/[^"]+)"')


def browsing(bench: Bench) -> Group:
    """Measure a large project's page, the search, and the bytes of a first visit."""
    bench.site.publish(bench.wide)
    bench.site.add_projects(PUBLISHER, _SEARCHED, start=10_000)
    cookie = {"Cookie": f"warehouse14-session={bench.site.sign_in(PUBLISHER)}"}
    ours = bench.start(bench.site.server())
    bench.say("pages for browsers")
    rows = [
        _timed("Project page, a release of 1,000 files", ours, ["/projects/wide/"], cookie, _PAGE_MS),
        _timed("Project page, 1,000 releases", ours, ["/projects/thousand/"], cookie, _PAGE_MS),
        _timed(
            f"Search over {_SEARCHED:,} projects",
            ours,
            [f"/projects/?q={words}" for words in ("number", "listed-1234", "number+lake", "nothing")],
            cookie,
            _SEARCH_MS,
        ),
        _timed("Home page", ours, ["/"], cookie, None),
        _first_visit(ours, cookie),
    ]
    return Group(
        "Pages for browsers",
        rows,
        [
            f"Each page {_VISITS} times on one connection, by one browser, from request to last byte.",
            "The release of 1,000 files has wheels of 40 kinds and a description of about 12 kB.",
            "A first visit, by an admin, loads the page and all that it refers to, with gzip.",
        ],
    )


def _timed(
    title: str, server: Server, paths: Sequence[str], headers: Mapping[str, str], most: float | None
) -> Row:
    times = []
    with closing(server.connect()) as connection:
        for path in paths:
            ask(connection, Target(server, path, headers))
        for number in range(_VISITS):
            target = Target(server, paths[number % len(paths)], headers)
            began = time.perf_counter()
            ask(connection, target)
            times.append((time.perf_counter() - began) * 1000)
    middle = median(times)
    return Row(
        title=title,
        ours=f"median {middle:.1f} ms, worst {max(times):.1f} ms",
        result=f"{middle:.1f} ms",
        target="" if most is None else f"less than {most:.0f} ms",
        passed=None if most is None else middle < most,
    )


def _first_visit(server: Server, headers: Mapping[str, str]) -> Row:
    zipped = {**headers, "Accept-Encoding": "gzip"}
    page = _get(server, "/projects/wide/", zipped)
    paths = sorted({path.decode() for path in _ASSET.findall(gzip.decompress(page.body))})
    if not paths:
        raise BenchmarkError("the project page refers to no style sheet")
    weight = len(page.body) + sum(len(_get(server, path, zipped).body) for path in paths)
    return Row(
        title="First visit to the page of 1,000 files, bytes",
        ours=f"{len(page.body):,} of HTML, {weight - len(page.body):,} in {len(paths)} files",
        result=f"{weight:,}",
        target=f"less than {_VISIT_BYTES:,}",
        passed=weight < _VISIT_BYTES,
    )


def _get(server: Server, path: str, headers: Mapping[str, str]) -> Answer:
    return Target(server, path, headers).answer()
