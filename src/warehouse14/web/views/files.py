"""Downloads: the files themselves, and the core metadata beside them."""

from collections.abc import Iterator
from email.utils import format_datetime
from typing import Any, BinaryIO

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import NotFound, Unavailable
from warehouse14.domain.model import File
from warehouse14.domain.ports import Elsewhere, FileStore, HandsOver
from warehouse14.web.errors import Refusal
from warehouse14.web.ranges import Part, requested_part
from warehouse14.web.resources.clients import CoreMetadata, Download

_CHUNK = 256 * 1024
#: The headers of a file that a 304 carries too (RFC 9110, section 15.4.5).
_WITH_304 = ("ETag", "Cache-Control", "Vary")
#: The header of a file that is for the server in front to send, too, when it sends the bytes.
_OF_THE_SENDER = "Accept-Ranges"
#: Conditions that are passed over here.
_CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
_FOR_EVER = "private, max-age=31536000, immutable"


@view_config(context=Download, request_method="GET", permission=Permission.READ)
def file(context: Download, request: Request) -> Response:
    """Send a file, or the part of it that was asked for."""
    return send(request, context.file)


def send(request: Request, found: File) -> Response:
    """Return the answer with the bytes of a file, or the part of it that was asked for, or one that says
    who has them."""
    modified = format_datetime(found.uploaded_at, usegmt=True)
    headers = _headers(found.sha256, modified)
    if not _is_known(request, headers) and request.method == "GET":
        part, elsewhere = _part(request, found.size, headers), _elsewhere(request, found)
        if elsewhere is not None and not (elsewhere.internal and _is_peculiar(request, part)):
            return _handed_over(request, found, elsewhere, headers)
    return _send(request, found.key, found.size, headers)


@view_config(context=CoreMetadata, request_method="GET", permission=Permission.READ)
def core_metadata(context: CoreMetadata, request: Request) -> Response:
    """Send the core metadata of a file (PEP 658)."""
    found = context.file
    assert found.metadata_sha256 is not None
    blob = request.registry.warehouse.store.stat(found.metadata_key)
    if blob is None:
        raise _lost(found.metadata_key)
    modified = format_datetime(found.uploaded_at, usegmt=True)
    return _send(request, found.metadata_key, blob.size, _headers(found.metadata_sha256, modified))


def _headers(sha256: str, modified: str) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": f'"{sha256}"',
        "Last-Modified": modified,
        "Cache-Control": _FOR_EVER,
        "Vary": "Authorization",
    }


def _elsewhere(request: Request, found: File) -> Elsewhere | None:
    store = request.registry.warehouse.store
    if not isinstance(store, HandsOver):
        return None
    return store.elsewhere(found.key, filename=found.filename)


def _is_peculiar(request: Request, part: Part) -> bool:
    """Whether a server in front would answer in another way: it knows another ETag and another time of
    the file when it judges conditions, and refuses ranges that are none (RFC 9110, section 14.2)."""
    has_bad_range = part.whole and "HTTP_RANGE" in request.environ
    return has_bad_range or any(name in request.environ for name in _CONDITIONS)


def _handed_over(request: Request, found: File, elsewhere: Elsewhere, headers: dict[str, str]) -> Response:
    """Return the answer that lets another send the bytes."""
    if elsewhere.internal:
        _check_bytes(request, found.key, found.size)
        passed_on = {name: value for name, value in headers.items() if name != _OF_THE_SENDER}
        return _response("200 OK", passed_on | {"X-Accel-Redirect": elsewhere.address}, ())
    # The address is good for a while only, and for whoever has it.
    sent = {"Location": elsewhere.address, "Cache-Control": "no-store", "Content-Length": "0"}
    return _response("302 Found", sent, ())


def _send(request: Request, key: str, size: int, headers: dict[str, str]) -> Response:
    if _is_known(request, headers):
        kept = {name: headers[name] for name in _WITH_304}
        return _response("304 Not Modified", kept, ())
    part = _part(request, size, headers)
    headers["Content-Length"] = str(part.length)
    if part.whole:
        return _response("200 OK", headers, _body(request, key, size, part))
    headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    return _response("206 Partial Content", headers, _body(request, key, size, part))


def _part(request: Request, size: int, headers: dict[str, str]) -> Part:
    """Return the part that is asked for. Raises ``Refusal`` if there is no such part."""
    # Ranges are defined for GET alone (RFC 9110, section 14.2).
    ranged = request.environ if request.method == "GET" else {}
    part = requested_part(ranged, size, etag=headers["ETag"], modified=headers["Last-Modified"])
    if part is None:
        raise Refusal(416, f"The file has {size} bytes.", content_range=f"bytes */{size}")
    return part


def _is_known(request: Request, headers: dict[str, str]) -> bool:
    wanted = request.environ.get("HTTP_IF_NONE_MATCH")
    if wanted is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
    return headers["ETag"] in tags or "*" in tags


def _response(status: str, headers: dict[str, str], body: Any) -> Response:
    return Response(status=status, headerlist=list(headers.items()), app_iter=body)


def _body(request: Request, key: str, size: int, part: Part) -> Any:
    """Return the bytes, through the server's own way of sending a file where it has one.

    HEAD, too, answers for a file that can be sent.
    """
    _check_bytes(request, key, size)
    if request.method == "HEAD" or part.length == 0:
        return ()
    stream = _open(request.registry.warehouse.store, key, part.start)
    wrapper = request.environ.get("wsgi.file_wrapper")
    # What comes from a store over the network is no file that the server could look around in.
    if wrapper is not None and stream.seekable():
        return wrapper(stream, _CHUNK)
    return _Chunks(stream, part.length)


def _check_bytes(request: Request, key: str, size: int) -> None:
    """Raise ``Unavailable`` unless the store has all bytes of ``key``."""
    store: FileStore = request.registry.warehouse.store
    found = store.stat(key)
    if found is None or found.size != size:
        raise _lost(key)


def _open(store: FileStore, key: str, start: int) -> BinaryIO:
    try:
        return store.open(key, start)
    except NotFound as error:
        raise _lost(key) from error


def _lost(key: str) -> Unavailable:
    return Unavailable(f"The bytes of {key.rpartition('/')[2]} are missing in the file store.")


class _Chunks:
    """The next ``length`` bytes of ``stream``, in pieces; closes it at the end."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        while self._left and (data := self._stream.read(min(_CHUNK, self._left))):
            self._left -= len(data)
            yield data

    def close(self) -> None:
        """Called by the server, also when the client went away."""
        self._stream.close()
