"""Rows of the engines that a site moves to: PostgreSQL, and a store that does as S3 does."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median

from benchmarks.bench import Bench
from benchmarks.bulk import FILES, fill, name_of
from benchmarks.load import Target, ask
from benchmarks.processes import BenchmarkError, Server
from benchmarks.reading import FORMS, JSON, against_ceiling
from benchmarks.report import Group, Row, mib
from benchmarks.samples import wheel, wheels
from benchmarks.settings import MIB
from benchmarks.sites import PUBLISHER, Site, publish
from benchmarks.uploading import huge_upload
from support.buckets import LocalStack
from support.databases import PostgreSQLServer

_OF_CEILING = 0.25
_WRITES = 20
_FEW, _MANY = 1_000, 100_000
_VISITS = 40
_NO_SLOWER = 1.5
_FIRST_LIST_SECONDS = 3.0
_LIST_OF_CEILING = 0.40
_AFTER_WRITE_MS = 50.0
_CACHE = 16 * MIB
#: So many that a cache which keeps them all is far beyond what may be taken.
_CACHED_PAGES = 24_000
_REDIRECT_MS = 5.0
_REDIRECTS = 100
_S3_MEMORY = 64 * MIB


def postgresql(bench: Bench) -> Group:
    """Measure pages against the ceiling, and what two processes know of the writes of a third."""
    keeper = bench.stack.enter_context(PostgreSQLServer())
    site = _site_on(bench, keeper, keeper.fresh())
    bench.say("publishing 100 files on PostgreSQL")
    site.publish(bench.hundred)
    ours = bench.start(site.server())
    measured = {
        f"Page of 100 files, {form}": Target(ours, "/simple/hundred/", {**site.credentials, **accept})
        for form, accept in FORMS.items()
    }
    rows = against_ceiling(bench, measured, {}, least=_OF_CEILING)
    rows.append(_seen_by_all(site, [ours, bench.start(site.server())]))
    return Group(
        "PostgreSQL on the same machine",
        rows,
        [
            "Requests/s with a token. Each asks PostgreSQL whether anything has changed.",
            f"{_WRITES} files were published by a third process, and each server asked right after.",
            "This PostgreSQL is 18, as PyPI has it, with fsync off; nothing that it writes is timed.",
        ],
    )


def many(bench: Bench) -> Group:
    """Measure a site of a million files on PostgreSQL beside a small one."""
    keeper = bench.stack.enter_context(PostgreSQLServer())
    sites = []
    for projects in (_FEW, _MANY):
        bench.say(f"making {projects:,} projects with {projects * FILES:,} files")
        database = keeper.fresh()
        site = _site_on(bench, keeper, database, {"page_cache_bytes": str(_CACHE)})
        fill(site, keeper, database, projects)
        sites.append(_Filled(site, bench.start(site.server()), projects))
    few, large = sites
    rows = [_first_list(large)]
    bench.say("pages and searches of both")
    rows += [_beside(title, few, large, paths, headers) for title, paths, headers in _compared(few, large)]
    rows += _lists(bench, large)
    rows.append(_cache_row(bench, large))
    return Group(
        f"{_MANY:,} projects and {_MANY * FILES:,} files on PostgreSQL",
        rows,
        [
            f"Beside a site of {_FEW:,} projects with {_FEW * FILES:,} files, on the same PostgreSQL.",
            f"{_VISITS - 1} requests to each in turn; those for pages are each for another.",
            "One account administers all of them, by a grant for each.",
            f"Both have warehouse14.page_cache_bytes = {_CACHE // MIB} MiB.",
        ],
    )


def bucket(bench: Bench) -> Group:
    """Measure a site whose files are in S3: a large upload, and the redirect of a download."""
    store = bench.stack.enter_context(LocalStack())
    os.environ.update(store.credentials())
    settings = {
        "files": "s3",
        "files.bucket": store.fresh(),
        "files.region": "us-east-1",
        "files.endpoint_url": store.endpoint,
        "files.path_style": "true",
    }
    site = Site(bench.new_folder("bucket"), settings)
    site.publish(bench.hundred[:1])
    return Group(
        "Files in S3",
        [
            _redirect_row(site, bench.start(site.server()), bench.hundred[0].filename),
            huge_upload(bench, site, "A valid wheel of 1 GiB through S3: resident memory", _S3_MEMORY),
        ],
        [
            "The store is LocalStack, on this machine; how long the upload took is mostly its time.",
            f"The redirect {_REDIRECTS} times on one connection, with a token, from request to last byte.",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Filled:
    """A site with many projects, and its server."""

    site: Site
    server: Server
    projects: int

    def target(self, path: str, headers: Mapping[str, str]) -> Target:
        """Return an address that ada asks for."""
        return Target(self.server, path, headers)


def _site_on(
    bench: Bench, keeper: PostgreSQLServer, database: str, more: Mapping[str, str] | None = None
) -> Site:
    site = Site(bench.new_folder("postgresql"), {"metadata": "sql", "metadata.url": keeper.url(database)})
    site.configure(more or {})
    return site


def _seen_by_all(site: Site, servers: Sequence[Server]) -> Row:
    """Write, and ask every server for the page."""
    times, known = [], 0
    for each in wheels("written", _WRITES):
        with closing(site.warehouse()) as warehouse:
            publish(warehouse, [each])
        for server in servers:
            began = time.perf_counter()
            page = Target(server, "/simple/written/", {**site.credentials, **JSON}).answer()
            times.append((time.perf_counter() - began) * 1000)
            known += each.filename.encode() in page.body
    return Row(
        title="Next request to each of two processes after a write, ms",
        ours=f"median {median(times):.1f}, worst {max(times):.1f}",
        result=f"{known} of {len(times)} had it",
        target="all",
        passed=known == len(times),
    )


def _first_list(large: _Filled) -> Row:
    began = time.perf_counter()
    large.target("/simple/", {**large.site.credentials, **JSON}).answer()
    took = time.perf_counter() - began
    return Row(
        title=f"First list of {large.projects:,} projects of a new process",
        ours=f"{took:.2f} s",
        result=f"{took:.2f} s",
        target=f"less than {_FIRST_LIST_SECONDS:.0f} s",
        passed=took < _FIRST_LIST_SECONDS,
    )


#: What is asked of a site, by the number of the visit and how many projects it has.
_Paths = Callable[[int, int], str]
#: What is searched for, by what it finds.
_WORDS = {
    "a word that all have": "number",
    "two words that all have": "number+lake",
    "a part that ten have": "ulk-00099",
    "a name": "bulk-000123",
    "a word that none has": "nothing",
}


def _compared(few: _Filled, large: _Filled) -> list[tuple[str, _Paths, Mapping[_Filled, Mapping[str, str]]]]:
    """Return the pages that both sites are asked for: title, paths, and headers for each."""
    tokens = {each: {**each.site.credentials, **JSON} for each in (few, large)}
    cookies = {
        each: {"Cookie": f"warehouse14-session={each.site.sign_in(PUBLISHER)}"} for each in (few, large)
    }
    return [
        (
            "Project page for pip, not in memory",
            lambda visit, count: f"/simple/{name_of(visit * (count // _VISITS))}/",
            tokens,
        ),
        (
            "Project page for browsers",
            lambda visit, count: f"/projects/{name_of(visit * (count // _VISITS))}/",
            cookies,
        ),
        *((f"Search for {what}", _search_for(word), cookies) for what, word in _WORDS.items()),
    ]


def _search_for(word: str) -> _Paths:
    return lambda _visit, _count: f"/projects/?q={word}"


def _beside(
    title: str, few: _Filled, large: _Filled, paths: _Paths, headers: Mapping[_Filled, Mapping[str, str]]
) -> Row:
    times: dict[_Filled, list[float]] = {few: [], large: []}
    with closing(few.server.connect()) as one, closing(large.server.connect()) as other:
        connections = {few: one, large: other}
        for each, connection in connections.items():
            # Its first page loads what the later ones have.
            ask(connection, each.target(paths(0, each.projects), headers[each]))
        for visit in range(1, _VISITS):
            for each, connection in connections.items():
                target = each.target(paths(visit, each.projects), headers[each])
                began = time.perf_counter()
                ask(connection, target)
                times[each].append((time.perf_counter() - began) * 1000)
    small, big = median(times[few]), median(times[large])
    return Row(
        title=title,
        ours=f"median {small:.1f} ms of {few.projects:,}, {big:.1f} ms of {large.projects:,}; worst "
        f"{max(times[few]):.1f} ms, {max(times[large]):.1f} ms",
        result=f"{big / small:.2f} times",
        target=f"at most {_NO_SLOWER} times",
        passed=big / small <= _NO_SLOWER,
    )


def _lists(bench: Bench, large: _Filled) -> list[Row]:
    title = f"List of {large.projects:,} projects, JSON, requests/s"
    target = large.target("/simple/", {**large.site.credentials, **JSON})
    rows = against_ceiling(bench, {title: target}, {}, least=_LIST_OF_CEILING)
    times = []
    with closing(target.server.connect()) as connection, closing(large.site.warehouse()) as warehouse:
        for number in range(_WRITES):
            publish(warehouse, [wheel(f"later-{number}", "1.0")])
            began = time.perf_counter()
            page = ask(connection, target)
            times.append((time.perf_counter() - began) * 1000)
            if f'"later-{number}"'.encode() not in page.body:
                raise BenchmarkError("the list does not know of the write before it")
    rows.append(
        Row(
            title="The same, first answer after a write",
            ours=f"median {median(times):.1f} ms",
            result=f"worst {max(times):.1f} ms",
            target=f"at most {_AFTER_WRITE_MS:.0f} ms",
            passed=max(times) <= _AFTER_WRITE_MS,
        )
    )
    return rows


def _cache_row(bench: Bench, large: _Filled) -> Row:
    """Ask for more pages than fit into the memory that they may take, and see that it is not taken."""
    bench.say(f"{_CACHED_PAGES:,} different pages")
    with large.site.server() as server:
        sizes = 0
        with closing(server.connect()) as connection:
            headers = {**large.site.credentials, **JSON}
            # What each thread gets with its first requests, such as a connection, is no page.
            for _ in range(_VISITS):
                ask(connection, Target(server, f"/simple/{name_of(0)}/", headers))
            before = server.forget_peak()
            for number in range(1, _CACHED_PAGES + 1):
                sizes += len(ask(connection, Target(server, f"/simple/{name_of(number)}/", headers)).body)
        grown = server.peak_memory() - before
    if sizes < 4 * _CACHE:
        raise BenchmarkError(f"{mib(sizes)} of pages do not tell a cache that drops from one that keeps all")
    return Row(
        title=f"Memory after {_CACHED_PAGES:,} pages of {sizes // _CACHED_PAGES:,} bytes",
        ours=f"from {mib(before)} up to {mib(before + grown)}",
        result=f"+{mib(grown)}",
        target=f"at most {mib(2 * _CACHE)}, twice page_cache_bytes",
        passed=grown <= 2 * _CACHE,
    )


def _redirect_row(site: Site, server: Server, filename: str) -> Row:
    target = Target(server, f"/packages/hundred/{filename}", site.credentials, status=302)
    times = []
    with closing(server.connect()) as connection:
        ask(connection, target)
        for _ in range(_REDIRECTS):
            began = time.perf_counter()
            ask(connection, target)
            times.append((time.perf_counter() - began) * 1000)
    middle = median(times)
    return Row(
        title="A download's redirect",
        ours=f"median {middle:.2f} ms, worst {max(times):.2f} ms",
        result=f"{middle:.2f} ms",
        target=f"less than {_REDIRECT_MS:.0f} ms",
        passed=middle < _REDIRECT_MS,
    )
