"""Rows of what is read: project pages, the list of projects, small files."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from statistics import median

from benchmarks.bench import LISTED, LISTER, Bench
from benchmarks.load import WARM_UP, Target, alternate, ask, requests_per_second
from benchmarks.peers import BACKENDS, Devpi, ceiling, pypiserver
from benchmarks.processes import BenchmarkError, Server
from benchmarks.report import Group, Row
from benchmarks.samples import wheels
from benchmarks.sites import PUBLISHER, publish
from benchmarks.uploading import upload_all
from warehouse14.domain.model import Role
from warehouse14.domain.names import account_name
from warehouse14.testing.builders import BuiltFile

#: What pip asks for, and what asks for HTML.
_TYPE = "application/vnd.pypi.simple.v1"
JSON = {"Accept": f"{_TYPE}+json, {_TYPE}+html; q=0.1, text/html; q=0.01"}
HTML = {"Accept": "text/html"}
FORMS = {"JSON": JSON, "HTML": HTML}

_OF_CEILING = 0.40
_WRITES = 20
_AFTER_WRITE_MS = 50.0


def pages(bench: Bench) -> Group:
    """Measure project pages against the ceiling and the peers."""
    ours = bench.start(bench.site.server())
    measured: dict[str, Target] = {}
    for size, name in (("100", "hundred"), ("1,000", "thousand")):
        for form, accept in FORMS.items():
            headers = {**bench.site.credentials, **accept}
            measured[f"Page of {size} files, {form}"] = Target(ours, f"/simple/{name}/", headers)
    page = measured["Page of 100 files, JSON"]
    known = {**page.headers, "If-None-Match": page.answer().header("ETag")}
    measured["The same, not modified (304)"] = Target(ours, page.path, known, status=304)

    others = _peer_pages(bench)
    rows = against_ceiling(bench, measured, others)
    return Group(
        "Project pages, requests/s",
        rows,
        [
            "This index is asked with a token; the peers let anybody read.",
            "The ceiling gets the same requests, and its answers have the same headers and bytes.",
            "pypiserver is measured with both of its backends, and has no JSON of the Simple API.",
            "devpi-server has the 100 files only: to give it 1,000 takes too long.",
        ],
    )


def _peer_pages(bench: Bench) -> Mapping[str, Sequence[Target]]:
    devpi = _devpi(bench, bench.hundred)
    servers = _pypiservers(bench, bench.files)
    hundred, thousand = (
        [Target(server, f"/simple/{name}/", HTML) for server in servers] for name in ("hundred", "thousand")
    )
    page = f"{devpi.path}+simple/hundred/"
    return {
        "Page of 100 files, JSON": [Target(devpi.server, page, JSON)],
        "Page of 100 files, HTML": [*hundred, Target(devpi.server, page, HTML)],
        "Page of 1,000 files, HTML": thousand,
    }


def lists(bench: Bench) -> Group:
    """Measure the list of projects, and its first answer after somebody's write."""
    lister = bench.site.add_account(LISTER)
    bench.site.add_projects(LISTER, LISTED)
    ours = bench.start(bench.site.server())
    measured = {
        f"List of 2,000 projects, {form}": Target(ours, "/simple/", {**lister, **accept})
        for form, accept in FORMS.items()
    }
    # Before the peers are there, which have nothing to do with it.
    written = [_after_write(bench, form, measured[f"List of 2,000 projects, {form}"]) for form in FORMS]
    rows = [*against_ceiling(bench, measured, _peer_lists(bench)), *written]
    return Group(
        "The list of projects, requests/s",
        rows,
        [
            f"{_WRITES} writes for each form, by another process: grants and uploads, in turn.",
            "This index decides for each project whether the caller may see it; the peers let anybody read.",
            "The peers have one file in each of as many projects.",
        ],
    )


def _peer_lists(bench: Bench) -> Mapping[str, Sequence[Target]]:
    bench.say(f"giving {LISTED:,} projects to the peers")
    devpi = _devpi(bench, bench.listed)
    servers = _pypiservers(bench, bench.listed)
    page = f"{devpi.path}+simple/"
    return {
        "List of 2,000 projects, JSON": [Target(devpi.server, page, JSON)],
        "List of 2,000 projects, HTML": [
            *(Target(server, "/simple/", HTML) for server in servers),
            Target(devpi.server, page, HTML),
        ],
    }


def _devpi(bench: Bench, files: Sequence[BuiltFile]) -> Devpi:
    """Return a devpi-server that runs and has ``files``."""
    devpi = Devpi(bench.new_folder("devpi"))
    bench.start(devpi.server)
    devpi.make_index()
    upload_all(devpi.server, devpi.path, devpi.credentials, files)
    return devpi


def _pypiservers(bench: Bench, files: Sequence[BuiltFile]) -> Sequence[Server]:
    """Return a pypiserver of each kind that runs and has ``files``."""
    return [bench.start(pypiserver(bench.new_folder("pypiserver"), backend, files)) for backend in BACKENDS]


def _after_write(bench: Bench, form: str, target: Target) -> Row:
    """Measure the first answer after each of several writes by another process (this one)."""
    times = []
    files = wheels(f"written-{form.lower()}", _WRITES)
    with closing(target.server.connect()) as connection, closing(bench.site.warehouse()) as warehouse:
        # Public, so that whoever asks for the list sees its changes.
        name = f"written-{form.lower()}"
        warehouse.projects.create(warehouse.operator(), name, admin=account_name(PUBLISHER), public=True)
        before = ask(connection, target).header("X-PyPI-Last-Serial")
        for number in range(_WRITES):
            if number % 2:
                publish(warehouse, [files[number]])
            else:
                role = Role.MEMBER if number % 4 else Role.ADMIN
                project = f"listed-{number // 4 + (0 if form == 'JSON' else 100):04}"
                warehouse.projects.grant(warehouse.operator(), project, "account:ada", role)
            began = time.perf_counter()
            now = ask(connection, target).header("X-PyPI-Last-Serial")
            times.append((time.perf_counter() - began) * 1000)
            if now == before:
                raise BenchmarkError("the list does not know of the write before it")
            before = now
    return Row(
        title=f"The same, first answer after a write, {form}",
        ours=f"median {median(times):.1f} ms",
        result=f"worst {max(times):.1f} ms",
        target=f"at most {_AFTER_WRITE_MS:.0f} ms",
        passed=max(times) <= _AFTER_WRITE_MS,
    )


def downloads(bench: Bench) -> Group:
    """Measure the download of a small file against the peers."""
    small = bench.hundred[0]
    ours = bench.start(bench.site.server())
    devpi = _devpi(bench, [small])
    peers = _pypiservers(bench, bench.files)
    targets = [
        Target(ours, f"/packages/hundred/{small.filename}", bench.site.credentials),
        *(Target(peer, f"/packages/{small.filename}") for peer in peers),
        Target(devpi.server, devpi.link(small.filename, "hundred")),
    ]
    for target in targets:
        if target.answer().body != small.content:
            raise BenchmarkError(f"{target.server.name} sends other bytes")
    rate, *others = alternate(targets, bench.seconds)
    best = max(others[: len(peers)])
    named = zip((target.server for target in targets[1:]), others, strict=True)
    row = Row(
        title=f"Download of {len(small.content):,} bytes, requests/s",
        ours=f"{rate:,.0f}",
        others=", ".join(_figure(server, each) for server, each in named),
        result=f"{rate / best:.2f} of pypiserver's better one",
        target="at least 1.00",
        passed=rate >= best,
    )
    return Group("Small files", [row])


def against_ceiling(
    bench: Bench,
    measured: Mapping[str, Target],
    others: Mapping[str, Sequence[Target]],
    *,
    least: float | None = _OF_CEILING,
) -> list[Row]:
    """Return a row for each of ``measured``: its rate is to be ``least`` of the ceiling at least, or for None
    whatever it is."""
    names = {title: f"answer{number}" for number, title in enumerate(measured)}
    answers = {names[title]: target.answer() for title, target in measured.items()}
    bare = bench.start(ceiling(bench.new_folder("ceiling"), answers))
    rows = []
    for title, target in measured.items():
        bench.say(title)
        best = Target(bare, f"/{names[title]}", target.headers, status=target.status)
        if best.answer() != target.answer():
            raise BenchmarkError(f"{title}: the ceiling does not answer the same")
        top, rate = alternate([best, target], bench.seconds)
        figures = []
        for other in others.get(title, ()):
            other.answer()
            requests_per_second(other, min(WARM_UP, bench.seconds))
            figure = requests_per_second(other, bench.seconds)
            figures.append(f"{_figure(other.server, figure)} ({figure / top:.3f})")
        rows.append(
            Row(
                title=title,
                ceiling=f"{top:,.0f}",
                ours=f"{rate:,.0f}",
                others=", ".join(figures),
                result=f"{rate / top:.2f} of the ceiling",
                target="" if least is None else f"at least {least:.2f}",
                passed=None if least is None else rate / top >= least,
            )
        )
    return rows


def _figure(server: Server, rate: float) -> str:
    return f"{server.name} {rate:,.0f}" if rate >= 100 else f"{server.name} {rate:.1f}"
