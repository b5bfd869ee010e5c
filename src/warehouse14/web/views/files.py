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
from warehouse14.domain.ports import FileStore
from warehouse14.web.errors import Refusal
from warehouse14.web.ranges import Part, requested_part
from warehouse14.web.resources.clients import CoreMetadata, Download

_CHUNK = 256 * 1024
#: The headers of a file that a 304 carries too (RFC 9110, section 15.4.5).
_WITH_304 = ("ETag", "Cache-Control", "Vary")
_FOR_EVER = "private, max-age=31536000, immutable"


@view_config(context=Download, request_method="GET", permission=Permission.READ)
def file(context: Download, request: Request) -> Response:
    """Send a file, or the part of it that was asked for."""
    return send(request, context.file)


def send(request: Request, found: File) -> Response:
    """Return the answer with the bytes of a file, or the part of it that was asked for."""
    modified = format_datetime(found.uploaded_at, usegmt=True)
    return _send(request, found.key, found.size, found.sha256, modified)


@view_config(context=CoreMetadata, request_method="GET", permission=Permission.READ)
def core_metadata(context: CoreMetadata, request: Request) -> Response:
    """Send the core metadata of a file (PEP 658)."""
    found = context.file
    assert found.metadata_sha256 is not None
    blob = request.registry.warehouse.store.stat(found.metadata_key)
    if blob is None:
        raise _lost(found.metadata_key)
    modified = format_datetime(found.uploaded_at, usegmt=True)
    return _send(request, found.metadata_key, blob.size, found.metadata_sha256, modified)


def _send(request: Request, key: str, size: int, sha256: str, modified: str) -> Response:
    headers = {
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": f'"{sha256}"',
        "Last-Modified": modified,
        "Cache-Control": _FOR_EVER,
        "Vary": "Authorization",
    }
    if _is_known(request, headers):
        kept = {name: headers[name] for name in _WITH_304}
        return _response("304 Not Modified", kept, ())
    # Ranges are defined for GET alone (RFC 9110, section 14.2).
    ranged = request.environ if request.method == "GET" else {}
    part = requested_part(ranged, size, etag=headers["ETag"], modified=modified)
    if part is None:
        raise Refusal(416, f"The file has {size} bytes.", content_range=f"bytes */{size}")
    headers["Content-Length"] = str(part.length)
    if part.whole:
        return _response("200 OK", headers, _body(request, key, size, part))
    headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    return _response("206 Partial Content", headers, _body(request, key, size, part))


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
    store: FileStore = request.registry.warehouse.store
    found = store.stat(key)
    if found is None or found.size != size:
        raise _lost(key)
    if request.method == "HEAD" or part.length == 0:
        return ()
    stream = _open(store, key, part.start)
    wrapper = request.environ.get("wsgi.file_wrapper")
    if wrapper is not None:
        return wrapper(stream, _CHUNK)
    return _Chunks(stream, part.length)


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
