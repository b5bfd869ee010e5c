"""``benchmarks/run``: measure, print the table, and write it to ``benchmarks/results.md``."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import browsing, engines, functions, people, reading, tables, uploading, weighing
from benchmarks.bench import Bench
from benchmarks.processes import BenchmarkError
from benchmarks.report import Fsync, Group, describe, document, measure_fsync
from benchmarks.settings import HERE, TOOLS

GROUPS: dict[str, Callable[[Bench], Group]] = {
    "start": weighing.start,
    "pages": reading.pages,
    "lists": reading.lists,
    "browser": browsing.browsing,
    "people": people.people,
    "downloads": reading.downloads,
    "large": weighing.large,
    "uploads": uploading.uploads,
    "thousandth": uploading.thousandth,
    "body": uploading.huge_body,
    "postgresql": engines.postgresql,
    "many": engines.many,
    "bucket": engines.bucket,
    "dynamodb": tables.dynamodb,
    "lambda": functions.functions,
}
_SECONDS = 10


def main() -> int:
    arguments = _arguments()
    load = os.getloadavg()
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=TOOLS) as name:
        folder = Path(name)
        fsync = measure_fsync(folder)
        machine = describe(folder, load, fsync)
        sys.stdout.write(f"{machine}\n")
        try:
            groups = _measure(arguments.only or list(GROUPS), folder, arguments.seconds, fsync)
        except BenchmarkError as error:
            sys.stderr.write(f"benchmarks: {error}\n")
            return 1
    if arguments.only or arguments.no_write:
        return 0
    command = "benchmarks/run" + (f" --seconds {arguments.seconds}" if arguments.seconds != _SECONDS else "")
    (HERE / "results.md").write_text(document(machine, groups, command), encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=GROUPS,
        help=f"measure this group alone and write nothing; may be repeated: {', '.join(GROUPS)}",
    )
    parser.add_argument(
        "--seconds",
        metavar="N",
        type=int,
        default=_SECONDS,
        help=f"the length of each turn of the load (default: {_SECONDS})",
    )
    parser.add_argument("--no-write", action="store_true", help="only print the table")
    return parser.parse_args()


def _measure(names: list[str], folder: Path, seconds: int, fsync: Fsync) -> list[Group]:
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:4.0f} s] {what}\n")

    groups = []
    bench = Bench(folder, seconds, fsync, ExitStack(), say)
    for name in names:
        say(name)
        with ExitStack() as stack:
            bench.stack = stack
            groups.append(GROUPS[name](bench))
        sys.stdout.write(f"{groups[-1].text()}\n")
        sys.stdout.flush()
    say("done")
    return groups


if __name__ == "__main__":
    sys.exit(main())
