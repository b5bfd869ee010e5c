"""What stands before a function on AWS: HTTP on this machine becomes events, and answers become HTTP again.

The shapes are those that the documents of AWS describe; ``events/`` has one of each, as a request without
anything to say would be.
"""

import json
import threading
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

from support.functions import Function
from support.runtime_api import MOST_BYTES

_EVENTS = Path(__file__).parent / "events"
_STAGE = "prod"
_MOST_OF_A_BALANCER = 1024 * 1024
_TEXT = ("text/", "application/json", "application/xml", "application/javascript")
#: Function URLs and REST APIs keep some headers of an answer for themselves.
_REMAPPED = {"www-authenticate": "x-amzn-Remapped-www-authenticate"}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    peer: str

    def named(self, name: str) -> str:
        """Return the values of a header, with commas between them."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def encoded(self, *, always: bool = False) -> dict[str, Any]:
        """Return the body as an event has it."""
        if not always and self.named("Content-Type").startswith(_TEXT):
            return {"body": self.body.decode(), "isBase64Encoded": False}
        return {"body": b64encode(self.body).decode(), "isBase64Encoded": True}

    def forwarded(self) -> Headers:
        """Return the headers with those that a front end adds, or sets."""
        own = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"}
        kept = [(key, value) for key, value in self.headers if key.lower() not in own]
        before = self.named("X-Forwarded-For")
        chain = f"{before}, {self.peer}" if before else self.peer
        return [*kept, ("X-Forwarded-For", chain), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "80")]


def _shape(name: str) -> Any:
    return json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def _grouped(pairs: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        found[name].append(value)
    return dict(found)


def _version_2(name: str, asked: Asked, path: str) -> Any:
    event = _shape(name)
    cookies = [cookie.strip() for cookie in asked.named("Cookie").split(";") if cookie.strip()]
    pairs = [(key.lower(), value) for key, value in asked.forwarded() if key.lower() != "cookie"]
    headers = {key: ",".join(values) for key, values in _grouped(pairs).items()}
    event |= {"rawPath": path, "rawQueryString": asked.query, "headers": headers}
    event |= {"cookies": cookies} if cookies else {}
    event |= asked.encoded() if asked.body else {}
    about = {
        "method": asked.method,
        "path": path,
        "sourceIp": asked.peer,
        "userAgent": asked.named("User-Agent"),
    }
    event["requestContext"]["http"] |= about
    return event


def _function_url(asked: Asked) -> Any:
    return _version_2("function_url", asked, asked.path)


def _http_api(asked: Asked) -> Any:
    return _version_2("http_api", asked, unquote(asked.path))


def _rest_api(asked: Asked) -> Any:
    event = _shape("rest_api")
    headers = _grouped(asked.forwarded())
    query = parse_qs(asked.query, keep_blank_values=True)
    event |= {
        "path": asked.path.removeprefix(f"/{_STAGE}") or "/",
        "httpMethod": asked.method,
        "multiValueHeaders": headers,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueQueryStringParameters": query or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "pathParameters": {"proxy": unquote(asked.path.removeprefix(f"/{_STAGE}/"))},
    }
    event |= asked.encoded(always=True) if asked.body else {}
    event["requestContext"] |= {"path": asked.path, "httpMethod": asked.method}
    event["requestContext"]["identity"]["sourceIp"] = asked.peer
    return event


def _load_balancer(asked: Asked) -> Any:
    event = _several(asked)
    for several, one in (
        ("multiValueHeaders", "headers"),
        ("multiValueQueryStringParameters", "queryStringParameters"),
    ):
        event[one] = {name: values[-1] for name, values in event.pop(several).items()}
    return event


def _several(asked: Asked) -> Any:
    """Return the event of a load balancer whose target group has multi-value headers."""
    event = _shape("load_balancer")
    del event["headers"], event["queryStringParameters"]
    pairs = [tuple(f"{part}=".split("=")[:2]) for part in asked.query.split("&") if part]
    return event | {
        "path": asked.path,
        "httpMethod": asked.method,
        "multiValueHeaders": _grouped([(key.lower(), value) for key, value in asked.forwarded()]),
        # Neither decoded nor joined: as it was sent.
        "multiValueQueryStringParameters": _grouped(pairs),  # type: ignore[arg-type]
        **asked.encoded(),
    }


#: What a REST API takes in an answer: anything else, and it answers 502.
_KNOWN_TO_REST = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})


@dataclass(frozen=True)
class Kind:
    """A kind of front end: its events, the path that it adds, and what it lets pass. ``known`` is all that an
    answer may say, where others are passed over."""

    event: Callable[[Asked], Any]
    prefix: str = ""
    most_bytes: int = MOST_BYTES
    remaps: bool = False
    known: frozenset[str] | None = None

    def takes(self, answer: Mapping[str, Any]) -> bool:
        """Return whether an answer of the function is one."""
        return len(json.dumps(answer)) <= self.most_bytes and (
            self.known is None or answer.keys() <= self.known
        )


KINDS: Mapping[str, Kind] = {
    "function-url": Kind(_function_url, remaps=True),
    "http-api": Kind(_http_api, prefix=f"/{_STAGE}"),
    "rest-api": Kind(_rest_api, prefix=f"/{_STAGE}", remaps=True, known=_KNOWN_TO_REST),
    "load-balancer": Kind(_load_balancer, most_bytes=_MOST_OF_A_BALANCER),
    "load-balancer-several": Kind(_several, most_bytes=_MOST_OF_A_BALANCER),
}


def event_of(
    kind: str, path: str = "/", query: str = "", *headers: tuple[str, str], method: str = "GET"
) -> Any:
    """Return the event of a request without a body, from 192.0.2.1."""
    asked = Asked(
        method, KINDS[kind].prefix + path, query, [("Host", "index.example"), *headers], b"", "192.0.2.1"
    )
    return deepcopy(KINDS[kind].event(asked))


def headers_of(answer: Any) -> list[tuple[str, str]]:
    """Return the headers of an answer, as a front end sends them on."""
    single = [
        *answer.get("headers", {}).items(),
        *(("Set-Cookie", each) for each in answer.get("cookies", ())),
    ]
    several = answer.get("multiValueHeaders", {})
    return [*single, *((name, value) for name, values in several.items() for value in values)]


def body_of(answer: Any) -> bytes:
    """Return the body of an answer."""
    return b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()


class FrontEnd:
    """A front end of a function on a free loopback port; a context manager that ends it.

    Attributes:
        peer: the address that requests come from, as it says.
        paths: what it was asked for, in turn.
    """

    def __init__(self, kind: str, function: Function) -> None:
        self._kind = KINDS[kind]
        self._function = function
        self.peer = "127.0.0.1"
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.prefix = self._kind.prefix

    @property
    def url(self) -> str:
        """The address of the application, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def as_account(self, token: str) -> str:
        """Return the same address with credentials in it."""
        return f"http://__token__:{token}@127.0.0.1:{self.port}{self.prefix}"

    def answer(self, asked: Asked) -> tuple[int, Headers, bytes]:
        """Return what the function answers, or what stands in for that."""
        self.paths.append(asked.path)
        event = self._kind.event(asked)
        if len(json.dumps(event)) > self._kind.most_bytes:
            return 413, [], b'{"message":"Request Too Long"}'
        invocation = self._function.invoke(event)
        answer = invocation.answer
        if invocation.error is not None or not self._kind.takes(answer):
            return 502, [], b'{"message":"Internal Server Error"}'
        renamed = _REMAPPED if self._kind.remaps else {}
        headers = [(renamed.get(name.lower(), name), value) for name, value in headers_of(answer)]
        return answer["statusCode"], headers, body_of(answer)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(front: FrontEnd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, path, query, list(self.headers.items()), body, front.peer)
            status, headers, content = front.answer(asked)
            self.send_response(status)
            for name, value in headers:
                if name.lower() != "content-length" or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD" and status not in {204, 304}:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
