"""What commands print: results on stdout, complaints and progress on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

#: One line of a listing: what ``--json`` prints, with datetimes as they are.
Row = Mapping[str, Any]


def say(line: str) -> None:
    """Print one line of the result."""
    _write(sys.stdout, line)


def complain(message: str) -> None:
    """Print what is wrong, in one line, for people and logs."""
    _write(sys.stderr, f"warehouse14: {one_line(message)}")


def note(line: str) -> None:
    """Print one line beside the result."""
    _write(sys.stderr, line)


def show(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a listing: each row as a JSON object, or the ``columns`` of all rows as a table."""
    if as_json:
        for row in rows:
            say(json_line(row))
        return
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    titles = [column.removesuffix("_at").replace("_", " ").upper() for column in columns]
    for line in _aligned([titles, *cells]):
        say(line)


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


def _write(stream: TextIO, line: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


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
