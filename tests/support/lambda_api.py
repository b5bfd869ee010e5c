"""Invoke of AWS Lambda, as far as boto3 asks it for an asynchronous invocation (API reference, Invoke).

Events go to a function on this machine as the platform brings them: one after the other, when a process is
there, and again if that failed (AWS Lambda, "Error handling for asynchronous invocation").
"""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from support.functions import Function

_PATH = "/2015-03-31/functions/{name}/invocations"
#: How often an event is brought at most.
_DELIVERIES = 3
#: How often a process is looked after that has an event, in seconds.
_TURN = 0.05
#: The quota of the payload of an asynchronous invocation, in bytes.
_MOST_BYTES = 256 * 1024


class LambdaApi:
    """Takes invocations of one function; a context manager that ends it.

    Attributes:
        asked: the events that were taken, in turn.
        answers: what came of each delivery: None, or an error.
        refusals: a status, a code and a sentence to answer instead, as long as there are any.
        regions: the regions that they were signed for.
        begins: how long a process takes before it is there, in seconds.
        again: how long an event that failed waits before it is brought again, in seconds: a minute there.
    """

    def __init__(self, function: Function | None, name: str = "index-gate") -> None:
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        self.refusals: list[tuple[int, str, str]] = []
        self.regions: list[str] = []
        self.begins = 0.0
        self.again = 1.0
        self._function = function
        self._path = _PATH.format(name=name)
        self._waiting: Queue[Any] = Queue()
        self._brought = 0
        self._is_over = threading.Event()
        self._threads: Sequence[threading.Thread] = ()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    def variables(self) -> dict[str, str]:
        """Return the variables in which boto3 finds it."""
        return {"AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{self._server.server_address[1]}"}

    def answer(self, path: str, kind: str, payload: bytes) -> tuple[int, Any]:
        """Return a status and an answer to an invocation."""
        if self.refusals:
            status, code, sentence = self.refusals.pop(0)
            return status, {"__type": code, "Message": sentence}
        if unquote(path) != self._path:
            return 404, {"__type": "ResourceNotFoundException", "Message": f"Function not found: {path}"}
        assert (kind, len(payload) <= _MOST_BYTES) == ("Event", True)
        self.asked.append(json.loads(payload))
        self._waiting.put(self.asked[-1])
        return 202, None

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._deliver_all, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def _deliver_all(self) -> None:
        while not self._is_over.is_set():
            with suppress(Empty):
                event = self._waiting.get(timeout=_TURN)
                self._is_over.wait(self.begins)
                self._deliver(event)
                self._brought += 1

    def _deliver(self, event: Any) -> None:
        for _ in range(_DELIVERIES):
            error = self._error_of(event)
            self.answers.append(error)
            if error is None or self._is_over.wait(self.again):
                return

    def _error_of(self, event: Any) -> Any:
        """Bring an event to the function, whose process may die of it, and return the error if any."""
        function = self._function
        if function is None:
            return None
        is_done = threading.Event()

        def watch() -> None:
            while not is_done.wait(_TURN):
                function.replace_dead()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            return function.invoke(event, seconds=60).error
        finally:
            is_done.set()
            watcher.join()

    def settled(self, *, seconds: float = 60.0) -> None:
        """Wait until everything that was asked for has been brought, as often as it has to be."""
        deadline = time.monotonic() + seconds
        while self._brought < len(self.asked):
            assert time.monotonic() < deadline, "an event has not been brought"
            time.sleep(_TURN)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()


def _handler(api: LambdaApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            region, _, _ = self.headers["Authorization"].partition("/lambda/aws4_request")
            api.regions.append(region.rpartition("/")[2])
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = api.answer(self.path, self.headers["X-Amz-Invocation-Type"], payload)
            body = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            if answer is not None:
                self.send_header("X-Amzn-Errortype", answer["__type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
