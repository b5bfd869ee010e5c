"""A page of the Simple API as it is sent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from warehouse14.web.negotiation import Offer

#: About what a page takes in memory beside its bytes, in bytes.
OVERHEAD = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is sent: its bytes, their ETag, and all headers."""

    body: bytes
    etag: str
    headers: Sequence[tuple[str, str]]


def finished(body: bytes, offer: Offer, last_serial: int, *, compressed: bool) -> Page:
    """Return the page of ``body``, which is compressed already if it says so."""
    digest = hashlib.sha256(offer.media_type.encode("ascii") + b"\0" + body).hexdigest()
    etag = f'"{digest[:40]}"'
    content_type = offer.media_type + ("; charset=UTF-8" if offer is Offer.TEXT else "")
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("ETag", etag),
        ("Cache-Control", "no-cache, private"),
        ("Vary", "Accept, Accept-Encoding, Authorization"),
        ("X-PyPI-Last-Serial", str(last_serial)),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if compressed:
        headers.append(("Content-Encoding", "gzip"))
    return Page(body, etag, tuple(headers))
