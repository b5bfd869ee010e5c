"""Log records as one line of text or of JSON, with the request that they belong to. Standard library only.

An ini names the formatters: ``class = warehouse14.logs.TextFormatter`` or ``warehouse14.logs.JsonFormatter``
in a ``[formatter_...]`` section. No value makes a second line, and of our tokens only the public id is
written, wherever one stands.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

#: The request that a thread is answering, or "".
REQUEST: ContextVar[str] = ContextVar("warehouse14_request", default="")

#: The attribute of a record that holds more than its message.
FIELDS = "warehouse14_fields"

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
#: The public id of one of our tokens, and its secret.
_TOKEN = re.compile(r"(wh14_[0-9A-Za-z]{10})[0-9A-Za-z]+", re.ASCII)
#: What ends a line somewhere, steers a terminal, turns text around, or cannot be written.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = re.compile(r"[^\s\"'=\\]+")
#: Before the further lines of a record: none looks like the beginning of another.
_INDENT = "    "


class TextFormatter(logging.Formatter):
    """A line as its ``format`` says, in UTC, with the request at its end; the lines of an exception follow,
    each with spaces before it."""

    def __init__(self, fmt: str | None = None, *args: Any, **options: Any) -> None:
        super().__init__(fmt or _TEXT, *args, **options)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return when it was, in UTC (RFC 3339), or as ``datefmt`` says."""
        at = datetime.fromtimestamp(record.created, UTC)
        return at.strftime(datefmt) if datefmt else _moment(at)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of an exception."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        words = [self.formatMessage(record)]
        words += (f"{name}={_word(value)}" for name, value in _fields(record).items())
        line, request = " ".join(words), REQUEST.get()
        # An error has the name of its request in its message, for those who log in another way.
        if request and f"[request {request}]" not in line:
            line = f"{line} [request {request}]"
        return "\n".join([_safe(line), *(f"{_INDENT}{_safe(each)}" for each in _trace(record))])


class JsonFormatter(logging.Formatter):
    """A JSON object in a line: ``time``, ``level``, ``logger``, ``message``, ``request`` where there is one,
    ``exception`` with its type, message and trace, and what else the record has."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        found = {
            "time": _moment(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_request(),
            **_fields(record),
            **_exception(record),
        }
        return _masked(json.dumps(found, default=str))


def _request() -> Mapping[str, str]:
    request = REQUEST.get()
    return {"request": request} if request else {}


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(record, FIELDS, {})
    return found


def _exception(record: logging.LogRecord) -> Mapping[str, Any]:
    error = record.exc_info and record.exc_info[1]
    if not error:
        return {}
    told = {"type": type(error).__name__, "message": str(error), "trace": "\n".join(_trace(record))}
    return {"exception": told}


def _trace(record: logging.LogRecord) -> Iterator[str]:
    """Yield the lines of an exception and its causes."""
    if record.exc_info and record.exc_info[1] is not None:
        for part in traceback.format_exception(record.exc_info[1]):
            yield from part.rstrip("\n").split("\n")


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: object) -> str:
    """Return a value as one word, in quotation marks if it is none."""
    if value is None:
        return "-"
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], _masked(text))


def _masked(text: str) -> str:
    return _TOKEN.sub(r"\1...", text)
