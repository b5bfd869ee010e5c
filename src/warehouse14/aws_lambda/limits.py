"""Answers that the platform can carry: compressed where that helps, and 503 where nothing does."""

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW

from warehouse14.domain.errors import Unavailable
from warehouse14.web.negotiation import takes_gzip

#: Where an environment says how large the body of an answer may be, in bytes.
MOST_BYTES = "warehouse14.most_bytes"

Handler = Callable[[Request], Response]

#: What makes zlib write gzip (zlib.compressobj, "wbits").
_GZIP = 31
_LEVEL = 6


def includeme(config: Configurator) -> None:
    """Look at each answer before it is handed back."""
    config.add_tween("warehouse14.aws_lambda.limits.limiting", under=EXCVIEW)


def limiting(handler: Handler, registry: Any) -> Handler:  # noqa: ARG001
    """Return a handler whose answers are no larger than the request says (a tween factory)."""

    def limit(request: Request) -> Response:
        response = handler(request)
        if request.method != "HEAD":
            _fit(request, response, request.environ[MOST_BYTES])
        return response

    return limit


def _fit(request: Request, response: Response, most: int) -> None:
    """Read the body of a response, and make it fit. Raises ``Unavailable`` if it cannot."""
    with closing(_pieces(response.app_iter)) as pieces:
        body, is_whole = _read(pieces, most)
        if is_whole:
            _keep(response, body)
            return
        packed = _packed(chain([body], pieces), most) if _may_pack(request, response) else None
    if packed is None:
        raise Unavailable(
            "This answer is larger than the platform of this site can send. Ask for less of it, or for it "
            "compressed (Accept-Encoding: gzip).",
            detail=f"more than {most} bytes; see docs/deploy/lambda.md",
        )
    response.body = packed
    response.headers["Content-Encoding"] = "gzip"
    # These bytes are others than those that it names.
    response.headers.pop("ETag", None)
    response.vary = (*(response.vary or ()), "Accept-Encoding")


def _keep(response: Response, body: bytes) -> None:
    """Put what was read back. A response without a body may say nothing of its length, or that of another."""
    if body:
        response.body = body
    else:
        response.app_iter = ()


def _pieces(body: Iterable[bytes]) -> Generator[bytes]:
    """Return the pieces of a body, which is closed with it (PEP 3333)."""
    try:
        yield from body
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _read(pieces: Iterator[bytes], most: int) -> tuple[bytes, bool]:
    """Return a body, or its beginning if it has more than ``most`` bytes; and whether it is whole."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > most:
            return bytes(found), False
    return bytes(found), True


def _may_pack(request: Request, response: Response) -> bool:
    accepted = request.environ.get("HTTP_ACCEPT_ENCODING", "")
    return response.status_int == 200 and response.content_encoding is None and takes_gzip(accepted)


def _packed(pieces: Iterable[bytes], most: int) -> bytes | None:
    """Return a body compressed, or None if it has more than ``most`` bytes even so."""
    packing, found = zlib.compressobj(_LEVEL, wbits=_GZIP), bytearray()
    for piece in pieces:
        found += packing.compress(piece)
        if len(found) > most:
            return None
    found += packing.flush()
    return bytes(found) if len(found) <= most else None
