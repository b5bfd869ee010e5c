"""The table, and the description of the machine that it was made on."""

import os
import platform
import re
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median

from benchmarks.settings import CONNECTIONS, MIB, THREADS, TOOLS, UPLOADERS

#: On a slower disk the target for uploads does not apply.
FSYNC_TARGET_MS = 2.0

_COLUMNS = ("", "ceiling", "this index", "others", "result", "target", "")
_OURS = ("pyramid", "waitress", "sqlalchemy", "multipart", "jinja2")
_PEERS = {"pypiserver": ("pypiserver", "waitress", "watchdog"), "devpi": ("devpi-server", "waitress")}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        title: what was measured.
        ours: this index's figure.
        result: what is held against the target, in words.
        target: the target, in words; empty for a row that only informs.
        passed: whether the result meets the target.
        ceiling: the ceiling's figure, if there is one.
        others: the peers' figures.
    """

    title: str
    ours: str
    result: str = ""
    target: str = ""
    passed: bool | None = None
    ceiling: str = ""
    others: str = ""

    @property
    def verdict(self) -> str:
        """``pass`` or ``miss``; empty without a target."""
        return "" if self.passed is None else "pass" if self.passed else "**miss**"

    def cells(self) -> tuple[str, ...]:
        """Return the cells, in the order of the columns."""
        return (self.title, self.ceiling, self.ours, self.others, self.result, self.target, self.verdict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that were measured together, with what is to be known of them."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """Return the table in Markdown."""
        lines = [_COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
        drawn = [_line(line, widths) for line in lines]
        drawn.insert(1, _line(["-" * width for width in widths], widths))
        notes = "".join(f"\n* {note}" for note in self.notes)
        return f"## {self.title}\n\n" + "\n".join(drawn) + "\n" + (f"{notes}\n" if notes else "")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


@dataclass(frozen=True, slots=True)
class Fsync:
    """How long the disk takes to make 4 KiB durable, in milliseconds."""

    median: float
    mean: float
    ninetieth: float

    def __str__(self) -> str:
        return f"median {self.median:.2f} ms, mean {self.mean:.2f} ms, 90 % within {self.ninetieth:.2f} ms"


def document(machine: str, groups: Sequence[Group], command: str) -> str:
    """Return the whole of results.md."""
    text = "\n".join(group.text() for group in groups)
    return (
        f"# How fast the index is\n\nMade by `{command}`. All systems ran on this machine, one beside the "
        f"other, with {THREADS} threads; wrk held {CONNECTIONS} keep-alive connections and sent no "
        f"`Accept-Encoding`; {UPLOADERS} clients uploaded at once. Rates are the mean of the two turns "
        f"that each system had, in changing order (peers on pages: one turn); every answer was checked for "
        f"its status. Memory is the resident memory that the kernel counts for the process.\n\n"
        f"{machine}\n{text}"
    )


def describe(folder: Path, load: tuple[float, float, float], fsync: Fsync) -> str:
    """Return the description of the machine and of every program, as a list."""
    processor = _found("/proc/cpuinfo", r"model name\s*:\s*(.+)")
    memory = _found("/proc/meminfo", r"MemTotal:\s*(\d+)")
    wrk = _said(["wrk", "-v"], r"wrk (?:debian/)?(\S+)")
    nginx = _said(["nginx", "-v"], r"nginx/(\S+)")
    lines = [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Processor: {processor}, {os.cpu_count()} cores",
        f"Memory: {int(memory) // 1024} MiB",
        f"Kernel: {platform.system()} {platform.release()}; file system {_file_system(folder)}",
        f"fsync after 4 KiB, of 200: {fsync}",
        "Load average before the start: " + " ".join(f"{value:.2f}" for value in load),
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(f"{name} {version(name)}" for name in _OURS),
        *(f"{peer}: {_peer_versions(peer)}" for peer in _PEERS),
        f"wrk {wrk}, nginx {nginx}",
    ]
    return "".join(f"* {line}\n" for line in lines)


def measure_fsync(folder: Path) -> Fsync:
    """Let the disk make 4 KiB durable, 200 times."""
    times = []
    path = folder / "fsync"
    with path.open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    path.unlink()
    return Fsync(median(times), fmean(times), sorted(times)[179])


def mib(size: float) -> str:
    """Return a size in MiB."""
    return f"{size / MIB:.1f} MiB"


def _found(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text(encoding="utf-8"))
    return found[1].strip() if found else "unknown"


def _said(command: list[str], pattern: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def _file_system(folder: Path) -> str:
    done = subprocess.run(["df", "--output=fstype", folder], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _peer_versions(peer: str) -> str:
    names = _PEERS[peer]
    code = f"from importlib.metadata import version as v; print(', '.join(n + ' ' + v(n) for n in {names!r}))"
    python = TOOLS / peer / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
