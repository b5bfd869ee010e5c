"""Rows of DynamoDB: how many commits a site takes, and the largest page."""

import gzip
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from itertools import cycle, islice

from benchmarks.bench import Bench
from benchmarks.load import Target
from benchmarks.processes import BenchmarkError
from benchmarks.reading import FORMS, JSON, against_ceiling
from benchmarks.report import Group, Row
from benchmarks.samples import wheel
from benchmarks.settings import MIB
from benchmarks.sites import PUBLISHER, Site
from support.tables import REGION, DynamoDBLocal
from warehouse14.domain.model import Change, File, FileType, Project, Role
from warehouse14.domain.names import FileName, ProjectName, account_name, account_principal
from warehouse14.domain.ports import Restores
from warehouse14.domain.warehouse import Warehouse, utc_now

_WRITERS = (1, 8, 32)
_PROCESSES = 4
_COMMITS = 192
#: A project for each of the most writers: they wait for the order of all changes, and not for a project.
_YANKED = max(_WRITERS)
_FILES = 10_000
_MOST_PAGE = 6 * MIB


def dynamodb(bench: Bench) -> Group:
    """Measure a site whose metadata is in a table."""
    server = bench.stack.enter_context(DynamoDBLocal())
    os.environ.update(server.credentials())
    settings = {
        "metadata": "dynamodb",
        "metadata.table": server.fresh(),
        "metadata.region": REGION,
        "metadata.endpoint_url": server.endpoint,
    }
    site = Site(bench.new_folder("table"), settings)
    bench.say("publishing 100 files on DynamoDB")
    site.publish(bench.hundred)
    ours = bench.start(site.server())
    measured = {
        f"Page of 100 files, {form}": Target(ours, "/simple/hundred/", {**site.credentials, **accept})
        for form, accept in FORMS.items()
    }
    rows = against_ceiling(bench, measured, {}, least=None)
    bench.say("commits on DynamoDB")
    rows += [_rate(site, "Journal entries", _note, writers) for writers in _WRITERS]
    site.publish(wheel(f"yanked-{number}", "1.0") for number in range(_YANKED))
    rows += [_rate(site, "Yanks of a file", _yank, writers) for writers in _WRITERS]
    bench.say(f"a page of {_FILES:,} files on DynamoDB")
    _fill(site)
    rows.append(_large_page(Target(ours, "/simple/large/", {**site.credentials, **JSON})))
    return Group(
        "DynamoDB Local on the same machine",
        rows,
        [
            "Requests/s with a token. Each asks DynamoDB whether anything has changed.",
            f"Journal entries and yanks by threads over {_PROCESSES} sets of units; each is one commit.",
            "A yank reads what it rests on, and commits the file, its project and the entry.",
            f"The yanked files are one of each of {_YANKED} projects, in turn.",
            "DynamoDB Local keeps its tables in memory, and has one processor with the rest.",
        ],
    )


def _rate(site: Site, what: str, commit: Callable[[Warehouse, int], object], writers: int) -> Row:
    """Let writers commit at once."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(site.warehouse())) for _ in range(min(writers, _PROCESSES))]
        began = time.perf_counter()
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(commit, islice(cycle(stores), _COMMITS), range(_COMMITS)))
        rate = _COMMITS / (time.perf_counter() - began)
    return Row(title=f"{what} per second, {writers} at once", ours=f"{rate:.0f}", result=f"{rate:.0f}")


def _note(warehouse: Warehouse, _number: int) -> None:
    with warehouse.units.write() as unit:
        unit.journal.append(Change("benchmark", utc_now(), "operator", ""))


def _yank(warehouse: Warehouse, number: int) -> None:
    """Yank a file, or replace the reason, which is a change as well."""
    name = f"yanked-{number % _YANKED}"
    filename = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    # Another reason each time.
    warehouse.files.yank(warehouse.operator(), name, filename, reason=f"{number} {time.perf_counter_ns()}")


def _digest(kind: str, number: int) -> str:
    """Return what is as hard to compress as any digest."""
    return sha256(f"{kind} {number}".encode()).hexdigest()


def _fill(site: Site) -> None:
    """Put a project of many files, past every check."""
    name, now = ProjectName("large"), utc_now()
    files = [
        File(
            project=name,
            filename=FileName(f"large-{number // 40}.{number % 40}-py3-none-any.whl"),
            version=f"{number // 40}.{number % 40}",
            filetype=FileType.WHEEL,
            size=1000 + number,
            sha256=_digest("content", number),
            blake2_256=_digest("blake2", number),
            requires_python=">=3.9",
            summary="One of very many",
            metadata_sha256=_digest("metadata", number),
            uploaded_at=now,
            uploaded_by=PUBLISHER,
        )
        for number in range(_FILES)
    ]
    grants = {account_principal(account_name(PUBLISHER)): Role.ADMIN}
    with closing(site.warehouse()) as warehouse:
        with warehouse.units.read() as unit:
            serial = unit.journal.serial() + 1
        if not isinstance(warehouse.units, Restores):
            raise BenchmarkError("the store cannot be filled")
        with warehouse.units.restoring() as restoration:
            restoration.project(Project(name, name, False, now, PUBLISHER, grants, serial), files)
            restoration.journal([Change("benchmark", now, "operator", "", project=name, serial=serial)])


def _large_page(target: Target) -> Row:
    began = time.perf_counter()
    body = target.answer().body
    took = time.perf_counter() - began
    packed = len(gzip.compress(body, 6))
    listed = len(json.loads(body)["files"])
    return Row(
        title=f"Page of {_FILES:,} files, not in memory",
        ours=f"{took:.2f} s, {listed:,} files, {len(body):,} bytes, {packed:,} with gzip",
        result=f"{packed / MIB:.2f} MiB",
        target=f"complete, less than {_MOST_PAGE // MIB} MiB with gzip",
        passed=listed == _FILES and packed < _MOST_PAGE,
    )
