"""Connections of waitress as this index needs them.

A body that is too long, or that finds no room, is answered in our words, and
so are headers that take too long; a sender who is refused gets to read the
answer; a file goes from the disk to the socket without passing through this
process (sendfile).
"""

import errno
import io
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask
from waitress.utilities import Error, RequestEntityTooLarge

from warehouse14.domain.services.uploadform import too_large
from warehouse14.web.framing import frame_problem, head_problem, settle_connection
from warehouse14.web.headers import PROTECTION
from warehouse14.web.requestids import mark_proxy

_log = logging.getLogger(__name__)

#: How long the headers of a request may take from their first byte to their last, in seconds.
_HEADER_SECONDS = 30.0
#: How long the rest of a refused body is read and thrown away, in seconds, so
#: that its sender gets to see the refusal instead of a broken connection.
_LINGER = 10.0
#: How TLS begins (RFC 8446, section 5.1). Whoever begins it waits for an answer before any end of a line.
_TLS_HELLO = b"\x16\x03"
_SPEAKS_HTTP = "This server speaks HTTP without TLS at this address: write http:// instead of https://."
#: What one call hands from a file to a socket at most, in bytes.
_PIECE = 1024 * 1024
#: What a system says that cannot hand a file of this kind to a socket.
_NO_SENDFILE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


class _Refused(Error):  # type: ignore[misc]
    """A refusal that is written by the server, before the application is called."""

    def __init__(self, code: int, reason: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self._headers = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:  # noqa: ARG002
        """Return status, headers and body, as waitress asks for them."""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        headers += PROTECTION.items()
        body = f"{self.code} {self.reason}\n\n{self.body}\n".encode()
        return f"{self.code} {self.body[:300]}", headers + self._headers, body


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Parses a request. A body that is too long or finds no room becomes an answer."""

    limit: int | None = None
    empty: bool
    #: Since when the rest of the headers is waited for, on the monotonic clock.
    awaited_since: float | None = None
    error: Any
    headers_finished: bool
    header_plus: bytes
    connection_close: bool
    _head_passed = False
    #: The head as it came, until it was looked at.
    head = b""

    def received(self, data: bytes) -> int:
        """Take ``data``; return how much of it belonged to this request."""
        if not self.headers_finished and not self.header_plus and data.startswith(_TLS_HELLO):
            self._refuse_without_head(_Refused(400, "Bad Request", _SPEAKS_HTTP))
            return len(data)
        try:
            taken: int = super().received(data)
        except ValueError:
            self._refuse(_Refused(400, "Bad Request", "The request is malformed."))
            return len(data)
        except OSError as error:
            _log.exception("a request's body cannot be kept")
            self._refuse(
                _Refused(
                    503,
                    "Service Unavailable",
                    f"The server cannot keep the upload ({error.strerror}). Try again later.",
                    Retry_After="60",
                )
            )
            return len(data)
        if self.empty:
            # Blank lines begin the request that follows: sent one by one, they win no time for it.
            self.empty = self.completed = self.headers_finished = False
            self.header_plus = b""
        problem = self._problem()
        if problem is not None:
            self._refuse(_Refused(400, "Bad Request", problem))
        if isinstance(self.error, RequestEntityTooLarge):
            message = (
                f"The request is larger than {self.adj.max_request_body_size} bytes, the limit of this "
                "server (max_request_body_size)."
                if self.limit is None
                else str(too_large(self.limit))
            )
            self._refuse(_Refused(413, "Content Too Large", message))
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head."""
        self.head = header_plus
        super().parse_header(header_plus)
        settle_connection(self.headers)
        self.connection_close = self.connection_close or self.headers.get("CONNECTION") == "close"

    def _problem(self) -> str | None:
        """Return what is wrong with what came until now, unless that is said already."""
        if self.error is not None or not self.headers_finished or self.empty:
            return None
        if not self._head_passed:
            self._head_passed = True
            problem = head_problem(self)
            self.head = b""
            return problem
        return frame_problem(self.body_rcv, self.body_bytes_received) if self.chunked else None

    def refuse_as_late(self) -> None:
        """Answer a sender whose headers are late."""
        message = f"The headers of the request took more than {_HEADER_SECONDS:g} seconds."
        self._refuse_without_head(_Refused(408, "Request Timeout", message))

    def _refuse_without_head(self, error: _Refused) -> None:
        """Answer as if a bare ``GET /`` had come."""
        self.parse_header(b"GET / HTTP/1.1\r\n")
        self._refuse(error)

    def _refuse(self, error: _Refused) -> None:
        self.error = error
        self.completed = True
        # Whoever waits for "100 Continue" gets the answer instead of an invitation.
        self.expect_continue = False


class _Piece(NamedTuple):
    """The next part of a file, to be sent without being read."""

    descriptor: int
    offset: int
    length: int


class _FileBuffer(ReadOnlyFileBasedBuffer):  # type: ignore[misc]
    """``wsgi.file_wrapper``: the rest of an open file, handed out in pieces."""

    def get(self, numbytes: int = -1, skip: bool = False) -> Any:  # noqa: FBT002 - as waitress has it
        """Return the next piece of a file of the system, or the next bytes of any other file."""
        try:
            descriptor = self.file.fileno()
        except (AttributeError, io.UnsupportedOperation):
            return super().get(numbytes, skip)
        return _Piece(descriptor, self.file.tell(), min(self.remain, _PIECE))


class _Task(WSGITask):  # type: ignore[misc]
    """A request, with our way of sending files."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment."""
        environ: dict[str, Any] = super().get_environment()
        environ["wsgi.file_wrapper"] = _FileBuffer
        mark_proxy(environ, self.channel.adj.trusted_proxy)
        return environ

    def write(self, data: bytes) -> None:
        """Write a part of the body; the head goes with the first one, in one piece."""
        if self.wrote_header:
            super().write(data)
        else:
            with self.channel.gathering():
                super().write(data)

    def set_close_on_finish(self) -> None:
        """Close after this answer, but for one without a body, after which nothing is left to read."""
        wants_close = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or self.version != "1.1" or wants_close:
            super().set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. After a refusal it listens a little longer before it closes."""

    task_class = _Task
    _linger_until: float | None = None
    _refused = False
    _parked = False
    #: Whether a thread is answering, and whether it could not send all that it had.
    _answering = False
    _clogged = False
    #: What is to be sent in one piece.
    _gathered: list[bytes] | None = None
    creation_time: float
    last_activity: float
    request: Any

    def service(self) -> None:
        """Answer the next request, unless the client has yet to take the last answer.

        Then the request waits here, and not a thread with it.
        """
        with self.outbuf_lock:
            # The main thread may give the parked request its turn as soon as the lock is free.
            parked = self._parked = bool(self.connected and self.total_outbufs_len)
        if parked:
            self.server.pull_trigger()
            return
        if self.requests and self.requests[0].error is not None:
            self._refused = True
        self._answering = True
        try:
            super().service()
        finally:
            self._answering = False
            if self.total_outbufs_len:
                # The main thread was told before, when it could not yet know that this is left to it.
                self.server.pull_trigger()

    def writable(self) -> bool:
        """Whether to wait for room. A client that takes nothing of what is due is given up in time.

        What a thread is about to send is left to it: to look again and again whether it is done would
        take the interpreter from it.
        """
        if self._parked and time.time() - self.last_activity > self.adj.channel_timeout:
            self.will_close = True
        if self._answering and not self._clogged:
            return bool(self.will_close or self.close_when_flushed)
        return self._parked or bool(super().writable())

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Send in one piece what is written in the block."""
        self._gathered = []
        try:
            yield
            data = b"".join(self._gathered)
        finally:
            self._gathered = None
        self.write_soon(data)

    def write_soon(self, data: Any) -> int:
        """Write; the thread that answers calls it."""
        if self._gathered is None:
            return int(super().write_soon(data))
        self._gathered.append(data)
        return len(data)

    def handle_write(self) -> None:
        """Write; when all is written, a request that waited has its turn."""
        if self._parked:
            self._flush_exception(self._flush_some_if_lockable)
        super().handle_write()
        if self._parked and not self.total_outbufs_len:
            self._parked = False
            self.server.add_task(self)

    def _flush_some(self, do_close: bool = True) -> bool:  # noqa: FBT002 - as waitress has it
        """Send what can be sent; one thread at a time."""
        with self.outbuf_lock:
            sent = bool(super()._flush_some(do_close))
            self._clogged = bool(self.total_outbufs_len)
            return sent

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Never wait for a client: a file takes no memory, and requests wait their turn."""

    def send(self, data: Any, do_close: bool = True) -> int:  # noqa: FBT002 - as waitress has it
        """Send bytes, or a piece of a file; return how many went."""
        if not isinstance(data, _Piece):
            return int(super().send(data, do_close))
        try:
            sent = os.sendfile(self.socket.fileno(), data.descriptor, data.offset, data.length)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in _NO_SENDFILE:
                piece = os.pread(data.descriptor, data.length, data.offset)
                return int(super().send(piece, do_close))
            sent = 0
        if sent == 0:
            # The client is gone, or the file is shorter than was said.
            self.will_close = True
            if do_close:
                self.handle_close()
        return sent

    def readable(self) -> bool:
        """Whether to wait for input."""
        return self._linger_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Read; what comes after a refusal is thrown away."""
        if self._linger_until is None:
            super().handle_read()
            if self.request is not None:
                self._awaits_headers()
            return
        try:
            data = self.recv(self.adj.recv_bytes)
        except OSError:
            data = b""
        if not data or time.monotonic() > self._linger_until:
            super().handle_close()

    def handle_close(self) -> None:
        """Close, unless the sender of a refused body has yet to read the answer."""
        if not self._refused or self._linger_until is not None or not self.connected:
            super().handle_close()
            return
        self._linger_until = time.monotonic() + _LINGER
        self.will_close = False
        self.last_activity = time.time()
        try:
            self.socket.shutdown(1)
        except OSError:
            super().handle_close()

    def sweep(self, now: float) -> None:
        """Refuse a request whose headers are late; end a connection that has lingered or never asked."""
        if self._linger_until is not None:
            self.will_close = self.will_close or now > self._linger_until
        elif self.last_activity == self.creation_time:
            # Nothing came yet: a connection is made in order to ask something.
            self.will_close = self.will_close or time.time() - self.creation_time > _HEADER_SECONDS
        elif (
            self.request is not None
            and self._awaits_headers()
            and now - self.request.awaited_since > _HEADER_SECONDS
        ):
            self._refuse_as_late()

    def _awaits_headers(self) -> bool:
        """Whether the server waits for the rest of a request's headers; the first time starts the clock.

        While an answer to an earlier request is due, nothing is read, and no sender is late.
        """
        if self.request.headers_finished or self.requests or not self.readable():
            return False
        if self.request.awaited_since is None:
            self.request.awaited_since = time.monotonic()
        return True

    def _refuse_as_late(self) -> None:
        # A thread that ends an earlier request looks at this one, with the same lock.
        with self.requests_lock:
            self.request.refuse_as_late()
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)


def sweep(channels: Iterable[_Channel]) -> None:
    """Let nobody hold a connection with headers that do not end. The thread that reads calls it."""
    now = time.monotonic()
    for channel in list(channels):
        channel.sweep(now)


def channel_class(limit: int | None) -> type[_Channel]:
    """Return the class of connections to a site whose largest file has ``limit`` bytes, if it says."""
    parser = type("Parser", (_Parser,), {"limit": limit})
    return type("Channel", (_Channel,), {"parser_class": parser})
