"""A server that answers as it is told, where a store should be."""

import http.server
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """What came with one request. The names in ``heads`` are in lower case."""

    method: str
    path: str
    heads: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Says:
    """What is answered."""

    status: int
    body: bytes = b""
    heads: Mapping[str, str] = field(default_factory=dict)


class Stranger:
    """A small HTTP server on a free loopback port; a context manager.

    Attributes:
        answer: makes an answer of a request.
        asked: all requests so far.
    """

    def __init__(self, answer: Callable[[Asked], Says]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                heads = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(heads.get("content-length", 0)))
                asked = Asked(self.command, self.path, heads, body)
                outer.asked.append(asked)
                says = outer.answer(asked)
                self.send_response(says.status)
                for name, value in says.heads.items():
                    self.send_header(name, value)
                if says.status != 204:
                    self.send_header("Content-Length", str(len(says.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(says.body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - as http.server calls them

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
