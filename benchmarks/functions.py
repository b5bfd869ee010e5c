"""Rows of a function of AWS Lambda: its start, its memory, and its answers to a warm process."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.bench import Bench
from benchmarks.processes import BenchmarkError
from benchmarks.reading import JSON
from benchmarks.report import Group, Row, mib
from benchmarks.settings import MIB
from benchmarks.sites import Site
from support.buckets import LocalStack
from support.front_ends import event_of
from support.functions import Function, as_variables, resident_bytes
from support.tables import REGION, DynamoDBLocal

_STARTS = 7
_COLD_SECONDS = 0.7
_MEMORY = 128 * MIB
_WARM = 50


class _Started(NamedTuple):
    """What one process took: seconds to its first page, and of the processor for it, bytes of memory, and
    seconds for a further page."""

    cold: float
    processor: float
    memory: int
    warm: float


def functions(bench: Bench) -> Group:
    """Measure the start of a function until it has answered for a project, on one core."""
    store = bench.stack.enter_context(LocalStack())
    keeper = bench.stack.enter_context(DynamoDBLocal())
    credentials = {**keeper.credentials(), **store.credentials()}
    os.environ.update(credentials)
    site = Site(bench.new_folder("function"), _engines(store, keeper))
    site.publish(bench.hundred)
    variables = as_variables(site.settings()) | credentials
    event = event_of("function-url", "/simple/hundred/", "", *{**site.credentials, **JSON}.items())
    bench.say(f"starting a function {_STARTS} times")
    started = [_started(variables, event) for _ in range(_STARTS)]
    cold, memory = median(each.cold for each in started), median(each.memory for each in started)
    return Group(
        "AWS Lambda",
        [
            Row(
                title="From the process's start to the first page of 100 files",
                ours=f"median {cold:.2f} s, worst {max(each.cold for each in started):.2f} s",
                result=f"{cold:.2f} s",
                target=f"median at most {_COLD_SECONDS} s",
                passed=cold <= _COLD_SECONDS,
            ),
            Row(
                title="Processor time of that",
                ours=f"median {median(each.processor for each in started):.2f} s",
            ),
            Row(
                title="Resident memory after it",
                ours=f"median {mib(memory)}, most {mib(max(each.memory for each in started))}",
                result=mib(memory),
                target=f"at most {mib(_MEMORY)}",
                passed=memory <= _MEMORY,
            ),
            Row(
                title="The same page from a process that has answered before",
                ours=f"median {median(each.warm for each in started) * 1000:.1f} ms",
            ),
        ],
        [
            f"{_STARTS} starts, each on one core, with AWS's own runtime client and a Runtime API of ours.",
            "Metadata in DynamoDB Local and files in LocalStack, both on this machine and on both cores.",
        ],
    )


def _engines(store: LocalStack, keeper: DynamoDBLocal) -> Mapping[str, str]:
    return {
        "metadata": "dynamodb",
        "metadata.table": keeper.fresh(),
        "metadata.region": REGION,
        "metadata.endpoint_url": keeper.endpoint,
        "files": "s3",
        "files.bucket": store.fresh(),
        "files.region": "us-east-1",
        "files.endpoint_url": store.endpoint,
        "files.path_style": "true",
    }


def _started(variables: Mapping[str, str], event: object) -> _Started:
    began = time.monotonic()
    with Function(variables, core=0) as function:
        _ask(function, event)
        cold = time.monotonic() - began
        pid = function.processes[0].pid
        processor, memory = _processor_seconds(pid), resident_bytes(pid)
        times = []
        for _ in range(_WARM):
            asked = time.monotonic()
            _ask(function, event)
            times.append(time.monotonic() - asked)
    return _Started(cold, processor, memory, median(times))


def _processor_seconds(pid: int) -> float:
    """Return how long a process has had a processor (Linux, proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _ask(function: Function, event: object) -> None:
    invocation = function.invoke(event)
    if invocation.error is not None or invocation.answer["statusCode"] != 200:
        raise BenchmarkError(f"the function fails: {invocation.error or invocation.answer}\n{function.log()}")
