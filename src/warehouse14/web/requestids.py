"""The name of a request: in its answer, on its page, and in the log."""

import re
import secrets
from typing import Any

from pyramid.request import Request

HEADER = "X-Request-ID"
#: Set by our server, and by nobody else, for a request that came through the proxy that it trusts.
THROUGH_PROXY = "warehouse14.through_proxy"

_KEPT = "_warehouse14_request_id"
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def request_id(request: Request) -> str:
    """Return the name of this request: the trusted proxy's if that is a safe one, else one of our own."""
    kept: str | None = request.environ.get(_KEPT)
    if kept is None:
        kept = request.environ[_KEPT] = _given(request.environ) or secrets.token_hex(6)
    return kept


def mark_proxy(environ: dict[str, Any], trusted_proxy: str | None) -> None:
    """Mark a request that comes from the trusted proxy: before the address becomes that of the client."""
    environ[THROUGH_PROXY] = trusted_proxy in {"*", environ.get("REMOTE_ADDR")}


def _given(environ: dict[str, Any]) -> str | None:
    given = environ.get("HTTP_X_REQUEST_ID", "") if environ.get(THROUGH_PROXY) else ""
    return given if _SAFE.fullmatch(given) else None
