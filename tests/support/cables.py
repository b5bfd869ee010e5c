"""A TCP connection to a real server that can be slow, cut or refused, or swallow everything."""

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 64 * 1024
#: Ends a connection with a reset, as a crash or a firewall does, and not with a farewell.
_RESET = struct.pack("ii", 1, 0)


class Cable:
    """A port before another; a context manager.

    Attributes:
        delay: how long each piece takes, in seconds.
        silent: whether all that comes is swallowed, with the connections left open.
        muted: whether what is answered is swallowed, with the connections left open.
        mutes_at: what mutes it when it passes from the side of the client; None for nothing.
        bytes_left: after how many more bytes, in both directions together, all connections are cut; None
            for never.
        asked: how many pieces came from the side of the client.
    """

    def __init__(self, port: int) -> None:
        self._behind = port
        self.delay = 0.0
        self.silent = False
        self.muted = False
        self.mutes_at: bytes | None = None
        self.bytes_left: int | None = None
        self.asked = 0
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0

    def refuse(self) -> None:
        """Cut all connections and take no more."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            # Wakes who waits in accept, too.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections; new ones are fine."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        """Take connections as if nothing had been."""
        self.delay, self.silent, self.bytes_left = 0.0, False, None
        self.muted, self.mutes_at = False, None
        if self._listener is None:
            self._listen()

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._behind), timeout=10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._ends |= {near, far}
            for source, sink, asks in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=(source, sink, asks), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                self.asked += asks
                if asks and self.mutes_at is not None and self.mutes_at in data:
                    self.muted = True
                if self.silent or (self.muted and not asks):
                    continue
                time.sleep(self.delay)
                sink.sendall(self._counted(data))
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _counted(self, data: bytes) -> bytes:
        """Return what of ``data`` still passes; cut everything if that is not all."""
        with self._lock:
            if self.bytes_left is not None:
                data, rest = data[: self.bytes_left], data[self.bytes_left :]
                self.bytes_left -= len(data)
            else:
                rest = b""
        if rest or self.bytes_left == 0:
            self.cut()
        return data
