"""What the head and the frame of a request must be beyond what waitress asks (RFC 9112)."""

import re
from collections.abc import Callable
from typing import Any

from waitress import receiver
from waitress.receiver import ChunkedReceiver

#: What a chunked body may take beside its content: sizes, extensions, blank lines and trailer, in
#: bytes, as long as that is not more than the content itself.
_FRAME_BYTES = 64 * 1024
#: What a line of that frame may take until it ends, in bytes. waitress looks through all of it again
#: with every piece that comes.
_LINE_BYTES = 8 * 1024

#: What is in no line that ends in CR LF.
_NO_LINES = re.compile(rb"(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: A line that goes on (RFC 9112, section 5.2).
_FOLDED = re.compile(rb"\n[ \t]")
_TRANSFER_ENCODING = re.compile(rb"(?im)^transfer-encoding:(.*)$")

#: What is wrong with a head, and what is said of it. What is behind us might read such a request
#: in another way (RFC 9112, sections 3.2 and 6.1).
_HEAD_RULES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (
        lambda request: request.chunked and "CONTENT_LENGTH" in request.headers,
        "Send Content-Length or Transfer-Encoding, not both.",
    ),
    (
        # waitress takes it out of the headers where it understands it.
        lambda request: "TRANSFER_ENCODING" in request.headers,
        "Transfer-Encoding belongs to HTTP/1.1; send Content-Length.",
    ),
    (
        lambda request: bool(_FOLDED.search(request.head)),
        "A header goes on in the next line: write each in one line.",
    ),
    (
        lambda request: _codings(request.head) > 1,
        "Send the body in chunks once: Transfer-Encoding says so more than once.",
    ),
    (
        lambda request: request.version == "1.1" and not _names_one_host(request.headers.get("HOST", "")),
        "Send one Host header, with the name of this site.",
    ),
)


def read_frames_strictly() -> None:
    """Let no line of a chunked body end in a bare LF, which others take for the end of a line (RFC 9112,
    section 7.1): the ``$`` of waitress passes over it."""
    for name in ("CHUNK_EXT_RE", "ONLY_HEXDIG_RE"):
        pattern: bytes = getattr(receiver, name).pattern
        setattr(receiver, name, re.compile(pattern.removesuffix(b"$") + rb"\Z"))


def head_problem(request: Any) -> str | None:
    """Return what is wrong with the head of a parsed ``request``, or None."""
    return next((message for is_wrong, message in _HEAD_RULES if is_wrong(request)), None)


def frame_problem(body: ChunkedReceiver, received: int) -> str | None:
    """Return what is wrong with the frame of a chunked body, of which ``received`` bytes came, or None."""
    content = len(body)
    if len(body.control_line) + len(body.trailer) > _LINE_BYTES:
        return f"The body has a chunk size or a trailer of more than {_LINE_BYTES} bytes."
    if _NO_LINES.search(body.trailer):
        return "The body has a trailer with a bare line feed or another control character."
    if received - content > max(_FRAME_BYTES, content):
        return "The body is sent in too small chunks: they take more than what is in them."
    return None


def settle_connection(headers: dict[str, str]) -> None:
    """Leave of several options in ``Connection`` the one that counts for the server (RFC 9110,
    section 7.6.1)."""
    options = {option.strip().lower() for option in headers.get("CONNECTION", "").split(",")}
    for decisive in ("close", "keep-alive"):
        if decisive in options:
            headers["CONNECTION"] = decisive
            return


def _codings(head: bytes) -> int:
    """Return how many transfer codings the fields of a head name."""
    return sum(value.count(b",") + 1 for value in _TRANSFER_ENCODING.findall(head))


def _names_one_host(host: str) -> bool:
    return bool(host) and not any(character in host for character in ", \t")
