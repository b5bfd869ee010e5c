"""What commands print: results on stdout, complaints and progress on stderr."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TextIO

#: One line of a listing: what ``--json`` prints, with datetimes as they are.
Row = Mapping[str, Any]

#: What takes the place of a standard stream that was closed. Nothing can be written to the one of
#: stdout: who asked for a result is told that it is lost. Nobody can be told that of stderr.
_STAND_INS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))


class OutputFailed(Exception):
    """The standard output takes nothing any more. One line that says why."""


class ReaderLeft(OutputFailed):
    """Whoever read the standard output has gone."""


def replace_closed_streams() -> None:
    """Put something in the place of each standard stream that was closed.

    So nothing else gets its number, and what is written there is not taken for written.
    """
    for name, flags, mode in _STAND_INS:
        if getattr(sys, name) is None:
            # It lasts as long as the process, as the stream in whose place it is would.
            setattr(sys, name, open(os.open(os.devnull, flags), mode, encoding="utf-8"))  # noqa: SIM115


def say(line: str) -> None:
    """Print one line of the result."""
    with _writing():
        sys.stdout.write(_fitting(sys.stdout, line))


def finish() -> None:
    """Let go of everything that was said. Raises ``OutputFailed``."""
    with _writing():
        sys.stdout.flush()


def abandon() -> None:
    """Let what was said and is not written yet go nowhere."""
    _empty(sys.stdout)


def hand_over(text: str, if_unseen: Callable[[], str]) -> None:
    """Print what is shown only now.

    If it cannot be printed, ``if_unseen`` does what is then to be done, and
    its sentence stands in the complaint. Raises ``OutputFailed``.
    """
    try:
        say(text)
        finish()
    except OutputFailed as error:
        raise OutputFailed(f"{error}; {if_unseen()}") from error
    except KeyboardInterrupt:
        complain(if_unseen())
        raise


def confirm(line: str) -> None:
    """Print what was done; if it cannot be printed, the complaint says it."""
    hand_over(line, lambda: f"this is done all the same: {line}")


def complain(message: str) -> None:
    """Print what is wrong, in one line, for people and logs."""
    note(f"warehouse14: {one_line(message)}")


def note(line: str) -> None:
    """Print one line beside the result, if anybody can read it."""
    try:
        sys.stderr.write(_fitting(sys.stderr, line))
    except OSError:
        _empty(sys.stderr)


def show(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a listing: each row as a JSON object, or the ``columns`` of all rows as a table."""
    show_lines(map(json_line, rows) if as_json else _table(rows, columns))


def show_lines(lines: Iterable[str]) -> None:
    """Print lines. Whoever reads them may leave when they have seen enough."""
    with suppress(ReaderLeft):
        for line in lines:
            say(line)
        finish()


def json_line(row: Row) -> str:
    """Return ``row`` as one line of JSON, in ASCII; times are in UTC, as ISO 8601 writes them."""
    return json.dumps(row, default=_json_value)


def escaped(text: str) -> str:
    """Return ``text`` with everything escaped that a terminal would not show as it is."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def one_line(text: str) -> str:
    """Return ``text`` on one line, fit for a terminal."""
    return escaped(" ".join(text.split()))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        abandon()
        raise
    except OSError as error:
        abandon()
        kind = ReaderLeft if isinstance(error, BrokenPipeError) else OutputFailed
        why = "it is closed" if error.errno == errno.EBADF else error.strerror
        raise kind(f"the standard output cannot be written: {why}") from error


def _empty(stream: TextIO) -> None:
    """Let what ``stream`` holds go nowhere; the interpreter would write it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _fitting(stream: TextIO, line: str) -> str:
    """Return ``line``, ended, with everything escaped that the stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding) + "\n"


def _table(rows: Iterable[Row], columns: Sequence[str]) -> Iterable[str]:
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    titles = [column.removesuffix("_at").replace("_", " ").upper() for column in columns]
    return _aligned([titles, *cells])


def _aligned(lines: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return _iso(value, timespec="seconds")
    return escaped(str(value))


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return _iso(value, timespec="auto")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _iso(value: datetime, *, timespec: str) -> str:
    return value.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
