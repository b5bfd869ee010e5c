"""What the formatters make of records, whatever stands in them."""

import json
import logging
import re

import pytest

from warehouse14.logs import FIELDS, REQUEST, JsonFormatter, TextFormatter

TOKEN = "wh14_0123456789" + "s3cr3t" * 5 + "abc"
FORMATTERS = [TextFormatter(), JsonFormatter()]
#: What ends a line somewhere, and what steers a terminal.
BREAKS = [
    "\n",
    "\r",
    "\r\n",
    "\x0b",
    "\x0c",
    "\x1b[2K",
    "\x85",
    "\u2028",
    "\u2029",
    "\x00",
    "\u202e",
    "\ud800",
]


def record(message: str, *values: object, **fields: object) -> logging.LogRecord:
    """Return a record of the beginning of 2026."""
    found = logging.LogRecord("warehouse14.x", logging.WARNING, "x.py", 1, message, values, None)
    found.created = 1767225600.25
    if fields:
        setattr(found, FIELDS, fields)
    return found


def failed(message: str) -> logging.LogRecord:
    """Return the record of an error with a cause."""
    found, error = record("failed"), ValueError(message)
    error.__cause__ = KeyError(message)
    found.exc_info = (ValueError, error, None)
    return found


@pytest.fixture
def named() -> str:
    REQUEST.set("4f2a")
    return "4f2a"


@pytest.fixture(autouse=True)
def _unnamed() -> None:
    REQUEST.set("")


def test_a_line_of_text_has_the_time_in_utc_and_the_request_at_its_end(named: str) -> None:
    found = TextFormatter().format(record("%s is late", "ada", status=200, client="pip 25", account=None))
    assert found == (
        "2026-01-01T00:00:00.250Z WARNING warehouse14.x ada is late "
        'status=200 client="pip 25" account=- [request 4f2a]'
    )


def test_a_line_of_text_names_a_request_once_and_none_outside_of_one(named: str) -> None:
    assert TextFormatter("%(message)s").format(record("x [request 4f2a]")) == "x [request 4f2a]"
    REQUEST.set("")
    assert TextFormatter("%(message)s").format(record("x")) == "x"


def test_an_object_has_what_a_line_has_and_the_cause_of_an_exception(named: str) -> None:
    found = json.loads(JsonFormatter().format(record("%s is late", "ada", status=200)))
    assert found == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "WARNING",
        "logger": "warehouse14.x",
        "message": "ada is late",
        "request": "4f2a",
        "status": 200,
    }
    told = json.loads(JsonFormatter().format(failed("a detail")))["exception"]
    assert (told["type"], told["message"]) == ("ValueError", "a detail")
    assert "KeyError: 'a detail'" in told["trace"]


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize("mark", BREAKS)
def test_no_value_makes_a_second_line(formatter: logging.Formatter, mark: str) -> None:
    forged = f"ada{mark}2026-01-01T00:00:00.250Z ERROR warehouse14 forged"
    line = formatter.format(record("%s", forged, path=forged))
    assert line.splitlines() == [line]
    assert line.isprintable()
    assert "forged" in line


@pytest.mark.parametrize("mark", BREAKS)
def test_no_line_of_an_exception_looks_like_a_record(mark: str) -> None:
    first, *rest = TextFormatter().format(failed(f"x{mark}2026-01-01 forged")).splitlines()
    assert first.endswith("failed")
    assert any("forged" in line for line in rest)
    assert all(re.match("    ", line) and line.isprintable() for line in rest)


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_of_a_token_only_the_public_id_is_written_wherever_it_stands(formatter: logging.Formatter) -> None:
    for found in (record(f"GET /simple/{TOKEN}/"), record("x", client=TOKEN), failed(TOKEN)):
        written = formatter.format(found)
        assert "s3cr3t" not in written
        assert "wh14_0123456789..." in written
