"""Which representation a client of the Simple API gets (PEP 691; RFC 9110, section 12.5.1)."""

from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qs

from webob.acceptparse import (
    AcceptEncodingValidHeader,
    AcceptValidHeader,
    create_accept_encoding_header,
    create_accept_header,
)

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"
_TEXT = "text/html"


class Form(Enum):
    """How a page is written."""

    JSON = "json"
    HTML = "html"


class Offer(Enum):
    """A media type that a page can be sent as, and how it is written.

    The members stand in the order of preference where a client has none:
    JSON says most; but whoever accepts just anything gets HTML, as ever.
    """

    JSON = (_JSON, Form.JSON)
    HTML = (_HTML, Form.HTML)
    TEXT = (_TEXT, Form.HTML)

    @property
    def media_type(self) -> str:
        """The ``Content-Type``."""
        return self.value[0]

    @property
    def form(self) -> Form:
        """The form that it has."""
        return self.value[1]


#: What a client may write, and what it then gets: ``latest`` is answered with the concrete type.
_NAMES = {
    _JSON: Offer.JSON,
    "application/vnd.pypi.simple.latest+json": Offer.JSON,
    _HTML: Offer.HTML,
    "application/vnd.pypi.simple.latest+html": Offer.HTML,
    _TEXT: Offer.TEXT,
}

SUPPORTED = ", ".join(_NAMES)
_LONGEST_KEPT = 500


def negotiate(accept: str | None, query: str) -> Offer | None:
    """Return what to send for an ``Accept`` header and a query string, or None for 406.

    ``?format=`` beats the header (PEP 691). A header that cannot be read is
    taken as one that accepts anything.
    """
    if "format=" in query:
        wanted = _formats(query)
        if wanted:
            return _by_format(wanted)
    accept = (accept or "").strip()
    if not accept:
        return Offer.TEXT
    if len(accept) > _LONGEST_KEPT:
        return _by_accept.__wrapped__(accept)
    return _by_accept(accept)


def _formats(query: str) -> list[str]:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=100).get("format", [])
    except ValueError:  # too many fields: none of our clients
        return [""]


def _by_format(wanted: list[str]) -> Offer | None:
    return _NAMES.get(wanted[0].replace(" ", "+").lower()) if len(wanted) == 1 else None


@lru_cache(maxsize=512)
def _by_accept(accept: str) -> Offer | None:
    header = create_accept_header(accept)
    if not isinstance(header, AcceptValidHeader) or not header.parsed:
        return Offer.TEXT
    ranked = [(_rank(header, name, offer), offer) for name, offer in _NAMES.items()]
    best, offer = max(ranked, key=lambda pair: pair[0])
    return offer if best[0] > 0 else None


def _rank(header: AcceptValidHeader, name: str, offer: Offer) -> tuple[float, int, int]:
    """Return quality, how precisely it was asked for, and our own preference."""
    quality, precision = 0.0, -1
    for media_range, value, _, _ in header.parsed:
        found = _precision(media_range.partition(";")[0].strip().lower(), name)
        if found > precision:
            quality, precision = value, found
    order = list(Offer).index(offer)
    return quality, precision, order if precision == 0 else -order


def _precision(media_range: str, name: str) -> int:
    if media_range == name:
        return 2
    if media_range == name.partition("/")[0] + "/*":
        return 1
    return 0 if media_range == "*/*" else -1


def takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is accepted; a header that cannot be read asks for none."""
    kept = len(accept_encoding) <= _LONGEST_KEPT
    return _takes_gzip(accept_encoding) if kept else _takes_gzip.__wrapped__(accept_encoding)


@lru_cache(maxsize=512)
def _takes_gzip(accept_encoding: str) -> bool:
    header = create_accept_encoding_header(accept_encoding)
    return isinstance(header, AcceptEncodingValidHeader) and bool(header.acceptable_offers(["gzip"]))
