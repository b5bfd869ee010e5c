"""A provider that answers wrongly: the real one, behind something that changes what it sends."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import requests
from joserfc import jws, jwt
from joserfc.jwk import RSAKey, import_key

from support.providers import Corp

Claims = dict[str, Any]


@dataclass
class Wrongs:
    """What is changed on the way; as it is made, nothing.

    Attributes:
        claims: changes the claims of an ID token before it is signed anew with the provider's own key.
        header: changes the header that it is signed with.
        key: signs it instead of the provider's own; its public part is not published.
        published: is published instead of the provider's own keys.
        signs: makes the whole token from its header and claims.
        pages: is sent instead of what the address that ends like this would send.
        delay: how long the address that ends like this takes, in seconds.
        discovery: changes the metadata.
        answer: changes the address that the browser is sent back to.
    """

    claims: Callable[[Claims], object] = lambda claims: None
    header: Mapping[str, str] = field(default_factory=dict)
    key: RSAKey | None = None
    published: RSAKey | None = None
    signs: Callable[[Mapping[str, str], Claims], str] | None = None
    pages: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    delay: Mapping[str, float] = field(default_factory=dict)
    discovery: Callable[[Claims], object] = lambda metadata: None
    answer: Callable[[str], str] = lambda location: location


class TamperedCorp(Corp):
    """The provider behind an address of its own, at which ``wrongs`` happen; a context manager."""

    def __init__(self, corp: Corp) -> None:
        super().__init__(corp.server)
        self.wrongs = Wrongs()
        #: The paths that were asked for, in their order.
        self.asked: list[str] = []
        self.real = corp.issuer
        handler = type("Handler", (_Handler,), {"corp": self})
        self._httpd = _Standing(("127.0.0.1", 0), handler)

    @property
    def issuer(self) -> str:
        """The address of what stands before the provider."""
        return f"http://127.0.0.1:{self._httpd.server_port}"

    @property
    def own_key(self) -> RSAKey:
        """The provider's private key."""
        found = import_key(self.server.app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"][0])
        assert isinstance(found, RSAKey)
        return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def resigned(self, id_token: str) -> str:
        """Return an ID token of the provider with the wrongs in it."""
        found = jwt.decode(id_token, self.own_key, algorithms=["RS512", "RS256"])
        claims = {**found.claims, "iss": self.issuer}
        # The access token is another one's, too; its hash stays true.
        self.wrongs.claims(claims)
        key = self.wrongs.key or self.own_key
        header = {"alg": "RS256", "kid": key.ensure_kid() or key.kid or "", **self.wrongs.header}
        header = {name: value for name, value in header.items() if value}
        if self.wrongs.signs is not None:
            return self.wrongs.signs(header, claims)
        claims.pop("at_hash", None)
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["RS256"])


class _Standing(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of whoever has gone before they were answered: another test would hear it."""


class _Handler(BaseHTTPRequestHandler):
    corp: TamperedCorp
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _pass_on(self, body: bytes) -> None:
        wrongs, path = self.corp.wrongs, self.path.partition("?")[0]
        self.corp.asked.append(path)
        time.sleep(_of(wrongs.delay, path, 0.0))
        status, text = _of(wrongs.pages, path, (0, ""))
        location = None
        if not status:
            status, text, location = self._ask(path, body)
        self.send_response(status)
        content = text.encode()
        self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/html")
        self.send_header("Content-Length", str(len(content)))
        if location is not None:
            self.send_header("Location", wrongs.answer(location))
        self.end_headers()
        self.wfile.write(content)

    def _ask(self, path: str, body: bytes) -> tuple[int, str, str | None]:
        kept = {
            name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers
        }
        answer = requests.request(
            self.command,
            self.corp.real + self.path,
            data=body,
            headers=kept,
            allow_redirects=False,
            timeout=60,
        )
        text, location = answer.text, answer.headers.get("Location")
        if path.endswith("/jwks.json") and self.corp.wrongs.published is not None:
            text = json.dumps({"keys": [self.corp.wrongs.published.as_dict(private=False)]})
        if text.startswith("{"):
            text = self._rewritten(path, json.loads(text.replace(self.corp.real, self.corp.issuer)))
        if location is not None:
            quoted = requests.utils.quote(self.corp.real, safe="")
            location = location.replace(quoted, requests.utils.quote(self.corp.issuer, safe=""))
        return answer.status_code, text, location

    def _rewritten(self, path: str, found: Claims) -> str:
        if path.endswith("/openid-configuration"):
            self.corp.wrongs.discovery(found)
        if "id_token" in found:
            found["id_token"] = self.corp.resigned(found["id_token"])
        return json.dumps(found)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _of(values: Mapping[str, Any], path: str, default: Any) -> Any:
    return next((value for end, value in values.items() if path.endswith(end)), default)
