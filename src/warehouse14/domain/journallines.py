"""The entries of the journal as lines for other programs: CSV (RFC 4180) and JSON Lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from warehouse14.domain.model import Change

COLUMNS = (
    "serial",
    "at",
    "actor",
    "origin",
    "action",
    "project",
    "account",
    "group",
    "token",
    "by_token",
    "detail",
)

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield the line of the columns and one for each entry, without the ends of the lines.

    A cell that a spreadsheet would take for a formula has an apostrophe before it.
    """
    yield _csv_line(COLUMNS)
    for change in changes:
        values = {**_values(change), "detail": json.dumps(dict(change.detail))}
        yield _csv_line([_harmless(values[column]) for column in COLUMNS])


def json_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Yield an object for each entry, exact and in ASCII, without the ends of the lines."""
    for change in changes:
        yield json.dumps({**_values(change), "detail": dict(change.detail)})


def iso(at: datetime) -> str:
    """Return a time in UTC as ISO 8601 writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _values(change: Change) -> dict[str, object]:
    values: dict[str, object] = {column: getattr(change, column) for column in COLUMNS}
    values["at"] = iso(change.at)
    return values


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
