"""The Runtime API of AWS Lambda, as the documents of AWS describe it, for functions on this machine."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

_VERSION = "/2018-06-01/runtime"
#: The quota of "invocation payload (request and response)", in bytes.
MOST_BYTES = 6 * 1024 * 1024
#: How often a waiting runtime is looked after, in seconds.
_TURN = 0.1
ARN = "arn:aws:lambda:us-east-1:123456789012:function:index"


@dataclass
class Invocation:
    """An event on its way to a function, and what came back: an answer, or an error."""

    payload: bytes
    deadline: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    error: Any = None

    def end(self, *, answer: Any = None, error: Any = None) -> None:
        self.answer, self.error = answer, error
        self.done.set()


class RuntimeApi:
    """What the runtime client of a function asks for work; a context manager that ends it.

    Attributes:
        failures: what functions have said of an end before they were ready.
        before_event, after_answer: called when an event is about to be taken, and when an answer has come,
            which its process does not yet know.
    """

    def __init__(self) -> None:
        self.failures: list[Any] = []
        self.before_event: Callable[[], None] = lambda: None
        self.after_answer: Callable[[], None] = lambda: None
        self._waiting: Queue[Invocation] = Queue()
        self._taken: dict[str, Invocation] = {}
        self._ending = False
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def address(self) -> str:
        """What ``AWS_LAMBDA_RUNTIME_API`` is."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, event: Any, *, seconds: float = 30.0) -> Invocation:
        """Send an event, and return what came of it. A function has ``seconds`` for it."""
        payload = json.dumps(event).encode()
        assert len(payload) <= MOST_BYTES, "a front end refuses what is larger"
        invocation = Invocation(payload, time.time() + seconds)
        self.before_event()
        self._waiting.put(invocation)
        assert invocation.done.wait(seconds + 30), "the function does not answer"
        return invocation

    def next(self) -> Invocation | None:
        """Return the next event, when there is one; None at the end."""
        while not self._ending:
            try:
                invocation = self._waiting.get(timeout=_TURN)
            except Empty:
                continue
            self._taken[invocation.id] = invocation
            return invocation
        return None

    def take(self, path: str, body: bytes) -> int:
        """Take what a runtime says; return the status of the answer."""
        if path == f"{_VERSION}/init/error":
            self.failures.append(json.loads(body))
            return 202
        name, _, what = path.removeprefix(f"{_VERSION}/invocation/").partition("/")
        invocation = self._taken.pop(name)
        self.after_answer()
        if what == "error":
            invocation.end(error=json.loads(body))
        elif len(body) > MOST_BYTES:
            invocation.end(error={"errorType": "Function.ResponseSizeTooLarge", "errorMessage": len(body)})
            return 413
        else:
            invocation.end(answer=json.loads(body))
        return 202

    def give_up(self, error: Any) -> None:
        """End what was taken with an error, when the process is gone that took it."""
        while self._taken:
            self._taken.popitem()[1].end(error=error)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a process that was ended while it waited."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            assert self.path == f"{_VERSION}/invocation/next"
            invocation = api.next()
            if invocation is None:
                self.close_connection = True
                return
            about = {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": ARN,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            }
            self._send(200, invocation.payload, about)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._send(api.take(self.path, body), b'{"status":"OK"}', {})

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
