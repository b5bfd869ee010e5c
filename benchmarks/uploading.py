"""Rows of what is uploaded: small wheels by four at once, the thousandth file, one of 1 GiB."""

import http.client
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from benchmarks.bench import Bench
from benchmarks.load import Target, in_parallel
from benchmarks.peers import BACKENDS, Devpi, pypiserver
from benchmarks.processes import BenchmarkError, Server
from benchmarks.report import FSYNC_TARGET_MS, Group, Row, mib
from benchmarks.samples import file_digests, file_pieces, huge_wheel, upload_form, wheels, whole_form
from benchmarks.settings import MIB, UPLOADERS
from benchmarks.sites import Site
from warehouse14.testing.builders import BuiltFile

#: More than any system here takes in a second, from each client.
_MOST_PER_SECOND = 150
_ROUNDS = 2
_AS_FAST = 0.9
_COMPARED = 100
_PEER_SECONDS = 40.0
_GIB = 1024 * MIB
_BODY_MEMORY = 32 * MIB


@dataclass(frozen=True, slots=True)
class Place:
    """Where to upload: a server that runs, the path, and the credentials."""

    server: Server
    path: str
    credentials: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one system took while it was loaded: so many files, at a ``rate`` per second."""

    files: int
    rate: float


Prepared = tuple[str, bytes]


def upload_all(server: Server, path: str, credentials: Mapping[str, str], files: Sequence[BuiltFile]) -> None:
    """Upload ``files`` one after the other."""
    with closing(server.connect()) as connection:
        for file in files:
            _post(connection, Place(server, path, credentials), whole_form(file))


def uploads(bench: Bench) -> Group:
    """Measure four uploaders at once on new sites."""
    bench.say("building wheels to upload")
    count = _MOST_PER_SECOND * bench.seconds
    prepared = [
        [whole_form(file) for file in wheels(f"uploader{number}", count)] for number in range(UPLOADERS)
    ]
    turns: dict[str, list[Turn]] = {}
    makers: list[Callable[[Bench, ExitStack], Place]] = [
        _our_place,
        *(_pypiserver_place(backend) for backend in BACKENDS),
    ]
    for _ in range(_ROUNDS):
        for make in makers:
            with ExitStack() as stack:
                place = make(bench, stack)
                bench.say(f"{UPLOADERS} uploaders to {place.server.name}")
                turns.setdefault(place.server.name, []).append(_turn(place, prepared, bench.seconds))
        makers.reverse()
    with ExitStack() as stack:
        place = _devpi_place(bench, stack)
        bench.say(f"{UPLOADERS} uploaders to {place.server.name}")
        turns[place.server.name] = [_turn(place, prepared, bench.seconds)]
    return Group(
        "Uploads",
        [_uploads_row(bench, {name: fmean(turn.rate for turn in each) for name, each in turns.items()})],
        [
            f"fsync here: {bench.fsync}; the target is for at most {FSYNC_TARGET_MS:.0f} ms.",
            "Each turn begins with an empty index.",
            "This index checks every file, and syncs the blob, its folder and the commit.",
            "pypiserver checks and syncs nothing. devpi-server had one turn.",
            f"Files taken in each turn: {_counts(turns)}. Some get slower the more they have.",
        ],
    )


def _counts(turns: Mapping[str, Sequence[Turn]]) -> str:
    return ", ".join(
        f"{name} {' and '.join(f'{turn.files:,}' for turn in each)}" for name, each in turns.items()
    )


def _uploads_row(bench: Bench, rates: Mapping[str, float]) -> Row:
    ours = rates["this index"]
    best = max(rate for name, rate in rates.items() if name.startswith("pypiserver"))
    others = ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items() if name != "this index")
    applies = bench.fsync.median <= FSYNC_TARGET_MS
    return Row(
        title=f"Wheels of 10 kB, {UPLOADERS} uploaders, per second",
        ours=f"{ours:.1f}",
        others=others,
        result=f"{ours / best:.2f} of pypiserver's better one",
        target="at least 1.00" if applies else "at least 1.00 (not on so slow a disk)",
        passed=ours >= best if applies else None,
    )


def thousandth(bench: Bench) -> Group:
    """Measure whether the thousandth file of a project goes in as fast as the first."""
    files = wheels("growing", 1000)
    prepared = [whole_form(file) for file in files]
    with ExitStack() as stack:
        bench.say("1,000 files of one project to this index")
        rows = [_our_thousandth_row(_our_place(bench, stack), prepared)]
    makers = [(_pypiserver_place(backend), _PEER_SECONDS / 4) for backend in BACKENDS]
    makers.append((_devpi_place, min(_PEER_SECONDS, 6.0 * bench.seconds)))
    for make, limit in makers:
        with ExitStack() as stack:
            place = make(bench, stack)
            bench.say(f"1,000 files of one project to {place.server.name}")
            rows.append(_thousandth_row(place, prepared, limit))
    return Group(
        "The thousandth file of a project, one uploader, per second",
        rows,
        [
            "Rates of medians. This index got the two hundreds in turn, the first one as another project.",
            "A peer that is slow is stopped after a while, at the file that is named.",
        ],
    )


def _our_thousandth_row(place: Place, prepared: Sequence[Prepared]) -> Row:
    """Compare the last hundred with the first hundred of a new project, sent in turn: the disk has moods."""
    fresh = [whole_form(file) for file in wheels("fresh", _COMPARED)]
    first: list[float] = []
    last: list[float] = []
    with closing(place.server.connect()) as connection:
        for each in prepared[:-_COMPARED]:
            _post(connection, place, each)
        for pair in zip(fresh, prepared[-_COMPARED:], strict=True):
            for times, each in zip((first, last), pair, strict=True):
                began = time.perf_counter()
                _post(connection, place, each)
                times.append(time.perf_counter() - began)
    before, after = 1 / median(first), 1 / median(last)
    count = len(prepared)
    return Row(
        title=place.server.name,
        ours=f"{before:.1f} for files 1 to {_COMPARED}, {after:.1f} for {count - _COMPARED + 1} to {count}",
        result=f"{after / before:.2f} of the first",
        target=f"as fast (at least {_AS_FAST:.2f})",
        passed=after / before >= _AS_FAST,
    )


def _thousandth_row(place: Place, prepared: Sequence[Prepared], limit: float) -> Row:
    times: list[float] = []
    with closing(place.server.connect()) as connection:
        deadline = time.monotonic() + limit
        for each in prepared:
            began = time.perf_counter()
            _post(connection, place, each)
            times.append(time.perf_counter() - began)
            if time.monotonic() > deadline:
                break
    part = min(_COMPARED, max(len(times) // 4, 1))
    first, last = 1 / median(times[:part]), 1 / median(times[-part:])
    figures = f"{first:.1f} for files 1 to {part}, {last:.1f} for {len(times) - part + 1} to {len(times)}"
    result = f"{last / first:.2f} of the first"
    return Row(title=place.server.name, ours="", others=figures, result=result)


def huge_body(bench: Bench) -> Group:
    """Measure how much memory an upload of 1 GiB takes."""
    row = huge_upload(
        bench, Site(bench.new_folder("site")), "A valid wheel of 1 GiB: resident memory", _BODY_MEMORY
    )
    return Group("A large upload", [row])


def huge_upload(bench: Bench, site: Site, title: str, most: int) -> Row:
    """Upload 1 GiB to a server of ``site``; return the row of its memory, to grow by less than ``most``."""
    server = bench.start(site.server())
    place = Place(server, "/legacy/", site.credentials)
    upload_all(server, place.path, place.credentials, wheels("before", 10))
    bench.say("building a wheel of 1 GiB")
    path = huge_wheel(bench.folder, "huge", _GIB)
    before = server.forget_peak()
    bench.say("uploading it")
    began = time.perf_counter()
    _post_file(place, path)
    took = time.perf_counter() - began
    grown = server.peak_memory() - before
    path.unlink()
    listed = Target(server, "/simple/huge/", place.credentials).answer()
    if path.name.encode() not in listed.body:
        raise BenchmarkError("the wheel of 1 GiB is not listed")
    return Row(
        title=title,
        ours=f"from {mib(before)} up to {mib(before + grown)}, in {took:.1f} s",
        result=f"+{mib(grown)}",
        target=f"less than {mib(most)}",
        passed=grown < most,
    )


def _post_file(place: Place, path: Path) -> None:
    """Upload a large file, piece by piece."""
    form = upload_form(path.name, file_digests(path))
    headers = {
        **place.credentials,
        "Content-Type": form.content_type,
        "Content-Length": str(len(form.before) + path.stat().st_size + len(form.after)),
    }
    body = (piece for part in ([form.before], file_pieces(path), [form.after]) for piece in part)
    with closing(place.server.connect()) as connection:
        connection.request("POST", place.path, body=body, headers=headers)
        _expect_ok(connection, place)


def _our_place(bench: Bench, stack: ExitStack) -> Place:
    site = Site(bench.new_folder("site"))
    return Place(stack.enter_context(site.server()), "/legacy/", site.credentials)


def _pypiserver_place(backend: str) -> Callable[[Bench, ExitStack], Place]:
    def make(bench: Bench, stack: ExitStack) -> Place:
        return Place(stack.enter_context(pypiserver(bench.new_folder("pypiserver"), backend)), "/", {})

    return make


def _devpi_place(bench: Bench, stack: ExitStack) -> Place:
    devpi = Devpi(bench.new_folder("devpi"))
    stack.enter_context(devpi.server)
    devpi.make_index()
    return Place(devpi.server, devpi.path, devpi.credentials)


def _turn(place: Place, prepared: Sequence[Sequence[Prepared]], seconds: int) -> Turn:
    """Return how many files all uploaders together publish, and how fast."""
    done: list[float] = []
    failures: list[BaseException] = []
    began = time.perf_counter()

    def uploader(own: Sequence[Prepared]) -> Callable[[], None]:
        def run() -> None:
            try:
                with closing(place.server.connect()) as connection:
                    for each in own:
                        _post(connection, place, each)
                        done.append(time.perf_counter())
                        if done[-1] - began > seconds:
                            return
            except BaseException as error:  # noqa: BLE001 - told to the caller below
                failures.append(error)

        return run

    in_parallel([uploader(own) for own in prepared])
    if failures:
        raise BenchmarkError(f"an uploader to {place.server.name} failed: {failures[0]!r}")
    return Turn(len(done), len(done) / (max(done) - began))


def _post(connection: http.client.HTTPConnection, place: Place, prepared: Prepared) -> None:
    content_type, body = prepared
    connection.request(
        "POST", place.path, body=body, headers={**place.credentials, "Content-Type": content_type}
    )
    _expect_ok(connection, place)


def _expect_ok(connection: http.client.HTTPConnection, place: Place) -> None:
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise BenchmarkError(f"{place.server.name} answers {response.status} to an upload: {text[:300]!r}")
