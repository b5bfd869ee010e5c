"""The access log: a line for each request, for a site whose ini gives the logger ``warehouse14.access`` a
level of its own."""

import logging
import re
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.logs import FIELDS
from warehouse14.web.security import recognised

_log = logging.getLogger("warehouse14.access")

_LONGEST = 200
#: The id of an upload past this program, of which as much may be shown as tells one from another.
_UPLOAD = re.compile(r"([0-9a-f]{10})[0-9a-f]{54}")


def is_wanted() -> bool:
    """Whether there is an access log: what the levels above let through does not begin one."""
    return _log.level != logging.NOTSET and _log.isEnabledFor(logging.INFO)


def log_access(request: Request, response: Response | None, seconds: float) -> None:
    """Write the line of a request; without a response it failed."""
    account, token = recognised(request)
    environ = request.environ
    fields: dict[str, Any] = {
        "method": _shortened(environ["REQUEST_METHOD"]),
        "path": _path(request),
        "status": 500 if response is None else response.status_int,
        "bytes": sent_bytes(request, response),
        "milliseconds": round(seconds * 1000, 1),
        "account": account,
        "token": token,
        "address": environ.get("REMOTE_ADDR"),
        "client": _shortened(environ.get("HTTP_USER_AGENT", "")) or None,
    }
    _log.info("answered", extra={FIELDS: fields})


def without_ids(path: str) -> str:
    """Return a path without the id of an upload, which is a secret, as far as it opens one."""
    return _UPLOAD.sub(r"\1...", path)


def sent_bytes(request: Request, response: Response | None) -> int:
    """Return how many bytes of body an answer announces."""
    if response is None or request.environ["REQUEST_METHOD"] == "HEAD":
        return 0
    return response.content_length or 0


def _path(request: Request) -> str:
    """Return the path as it was asked for: never the query, which may hold the code of a sign-in."""
    raw = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    return _shortened(without_ids(raw.encode("latin-1", "replace").decode("utf-8", "replace")))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
