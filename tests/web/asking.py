"""A whole index to ask questions of, without a server: requests go to the WSGI application."""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from webob.headers import ResponseHeaders
from webtest import lint

from support.parts import taking_parts
from warehouse14.bootstrap import assemble
from warehouse14.domain.credentials import hash_password, session_id, session_secret
from warehouse14.domain.errors import AlreadyExists
from warehouse14.domain.model import Action, Change, Role, Scope, Session
from warehouse14.domain.names import AccountName
from warehouse14.domain.services.uploadform import UploadForm
from warehouse14.domain.services.working import entry
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel
from warehouse14.web import make_app
from warehouse14.web.csrf import csrf_token
from web.bodies import form_body, upload_form

WHEN = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
MEMORY = {"warehouse14.metadata": "memory", "warehouse14.files": "memory"}

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"

#: The password of everybody who signs in with a browser.
PASSWORD = "correct horse"

#: Headers that differ from one answer to the next.
_OF_ONE = frozenset({"date", "x-request-id"})

#: Methods that the WSGI checker knows; with any other it complains instead of calling.
_LINTED = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"})


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


class Clock:
    """The time, which stands until it is moved."""

    def __init__(self) -> None:
        self.now = WHEN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(frozen=True)
class Answer:
    """A response, all of it."""

    status: int
    reason: str
    headers: ResponseHeaders
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def media_type(self) -> str:
        return self.headers["Content-Type"].partition(";")[0]

    @property
    def lasting(self) -> list[tuple[str, str]]:
        """The headers, but for the time and the name of the request."""
        return [item for item in self.headers.items() if item[0].lower() not in _OF_ONE]

    @property
    def whole(self) -> tuple[int, str, tuple[tuple[str, str], ...], bytes]:
        """All that a client can see, but for the time and the name of the request."""
        return self.status, self.reason, tuple(sorted(self.lasting)), self.body


def ask(
    app: Any,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    environ: Mapping[str, Any] | None = None,
) -> Answer:
    """Send a request as a server would, and return the answer. ``target`` is percent-encoded."""
    path, _, query = target.partition("?")
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "6543",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "index.example",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if body or method in {"POST", "PUT", "PATCH"}:
        made["CONTENT_LENGTH"] = str(len(body))
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        made[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    made.update(environ or {})
    return _run(lint.middleware(app) if method in _LINTED else app, made)


def _run(app: Any, environ: dict[str, Any]) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started[-1]
    code, _, reason = status.partition(" ")
    return Answer(int(code), reason, ResponseHeaders(headers), body)


@dataclass
class Index:
    """An index, its application, and who uses it."""

    warehouse: Warehouse
    app: Any
    clock: Clock
    _tokens: dict[tuple[Any, ...], str] = field(default_factory=dict)

    # -- people ---------------------------------------------------------------------

    def account(self, name: str, *, administrator: bool = False) -> None:
        """Make sure that there is an account."""
        try:
            self.warehouse.accounts.add(self.warehouse.operator(), name, administrator=administrator)
        except AlreadyExists:
            return

    def token(self, name: str, scope: Scope = Scope.UPLOAD, project: str | None = None) -> str:
        """Return a token of an account, the same one each time."""
        self.account(name)
        key = (name, scope, project)
        if key not in self._tokens:
            self._tokens[key] = self.mint(name, scopes={scope}, project=project)
        return self._tokens[key]

    def cookie(self, name: str) -> str:
        """Return the session cookie of an account, the same one each time."""
        key = ("cookie", name)
        if key not in self._tokens:
            self._tokens[key] = self._signed_in(name)
        return self._tokens[key]

    def password(self, name: str) -> None:
        """Make an account with the password, which is hashed once in all tests."""
        self.account(name)
        with self.warehouse.units.write() as unit:
            unit.accounts.set_password(AccountName(name), _password_hash(), once=False)
            unit.journal.append(self._entry(Action.ACCOUNT_PASSWORD, name))

    def _signed_in(self, name: str) -> str:
        self.password(name)
        secret, now = session_secret(), self.clock.now
        session = Session(session_id(secret), AccountName(name), now, now, "192.0.2.7", "Lynx")
        with self.warehouse.units.write() as unit:
            unit.sessions.add(session)
            unit.journal.append(self._entry(Action.SESSION_START, name))
        return secret

    def _entry(self, action: Action, name: str) -> Change:
        return entry(action, self.warehouse.operator(), self.clock, account=AccountName(name))

    def browse(
        self, method: str, target: str, by: str | None = "ada", form: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request as the browser of an account does, a form with its CSRF token."""
        headers = {}
        fields = dict(form or {})
        if by is not None:
            headers["Cookie"] = f"warehouse14-session={self.cookie(by)}"
            fields = {"csrf_token": csrf_token(self.cookie(by)), **fields}
        if method != "POST":
            return ask(self.app, method, target, headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return ask(self.app, method, target, headers, urlencode(fields).encode())

    def mint(self, name: str, **parts: Any) -> str:
        """Return a new token of an account."""
        self.account(name)
        return self.warehouse.tokens.mint(self.warehouse.operator(), name="t", account=name, **parts).text

    # -- things -----------------------------------------------------------------------

    def project(self, name: str, admin: str = "ada", *, public: bool = False, member: str = "") -> None:
        """Make a project."""
        operator = self.warehouse.operator()
        self.account(admin)
        self.warehouse.projects.create(operator, name, admin=admin, public=public)
        if member:
            self.account(member)
            self.warehouse.projects.grant(operator, name, f"account:{member}", Role.MEMBER)

    def publish(self, built: BuiltFile, name: str, version: str = "1.0") -> BuiltFile:
        """Publish a file past the web, into a project that is there."""
        form = UploadForm(name=name, filetype=built.filetype, filename=built.filename, version=version)
        self.warehouse.uploads.publish(self.warehouse.operator(), form, [built.content])
        return built

    def wheel(self, name: str, version: str = "1.0", **parts: Any) -> BuiltFile:
        """Publish a wheel past the web."""
        return self.publish(build_wheel(name, version, **parts), name, version)

    def sdist(self, name: str, version: str = "1.0", **parts: Any) -> BuiltFile:
        """Publish a sdist past the web."""
        return self.publish(build_sdist(name, version, **parts), name, version)

    # -- requests -----------------------------------------------------------------------

    def ask(
        self,
        method: str,
        target: str,
        by: str | None = "ada",
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        environ: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a request by an account (with its upload token), a given token, or nobody."""
        sent = dict(headers or {})
        if token is None and by is not None:
            token = self.token(by)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return ask(self.app, method, target, sent, body, environ)

    def get(self, target: str, by: str | None = "ada", accept: str | None = None, **headers: str) -> Answer:
        """GET, with headers whose dashes are written as underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if accept is not None:
            sent["Accept"] = accept
        return self.ask("GET", target, by, headers=sent)

    def send(
        self,
        parts: list[bytes],
        by: str | None = "ada",
        *,
        target: str = "/legacy/",
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """POST a form."""
        content_type, body = form_body(parts)
        sent = {"Content-Type": content_type}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.ask("POST", target, by, token=token, headers=sent, body=body)

    def upload(
        self, built: BuiltFile, name: str, version: str = "1.0", by: str | None = "ada", **fields: Any
    ) -> Answer:
        """POST a file as twine does, with fields changed (or left out, for None)."""
        return self.send(upload_form(built, name, version, **fields), by)

    # -- what is there ------------------------------------------------------------------

    def remains(self) -> tuple[int, list[str], list[str], list[str]]:
        """Return what an upload could leave behind: the serial, projects, blobs and staged bytes."""
        with self.warehouse.units.read() as unit:
            serial = unit.journal.serial()
            projects = [project.name for project in unit.projects.visible(None)]
        store = self.warehouse.store
        blobs = sorted(blob.key for blob in store.keys())
        return serial, projects, blobs, sorted(store.leftovers(datetime.max.replace(tzinfo=UTC)))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Hold that the block leaves nothing behind."""
        before = self.remains()
        yield
        assert self.remains() == before


#: Who may read the metrics: whoever asks, as everybody comes from there.
METERED = {"metrics.addresses": "192.0.2.0/24"}

#: An identity provider that does not answer: nobody listens there.
SILENT_PROVIDER = {
    "sign_in": "local oidc:corp",
    "sign_in.corp.server_metadata_url": "https://127.0.0.1:1/.well-known/openid-configuration",
    "sign_in.corp.client_id": "index",
}


def open_index(settings: Mapping[str, str], **more: str) -> Index:
    """Return an index over stores that are prepared, with a clock that stands."""
    given = {**settings, **{f"warehouse14.{key}": value for key, value in more.items()}}
    found, site, sign_ins = assemble(given, {})
    clock = Clock()
    warehouse = Warehouse(found.units, taking_parts(found.store), found.policy, now=clock)
    return Index(warehouse, make_app(warehouse, site, given, sign_ins), clock)


def open_peopled() -> Index:
    """Return an index with all kinds of people.

    ``demo`` is private, ``pub`` is public; Ada is the admin of both and of a group, Bob a member. Eve has
    no role anywhere, and Root administers the site.
    """
    index = open_index(MEMORY, create_on_upload="true", **SILENT_PROVIDER, **METERED)
    for name, public in (("demo", False), ("pub", True)):
        index.project(name, public=public, member="bob")
        index.wheel(name)
    index.warehouse.groups.create(index.warehouse.operator(), "crew", admin="ada")
    index.warehouse.groups.add(index.warehouse.operator(), "crew", "bob")
    index.account("eve")
    index.account("root", administrator=True)
    return index


def anchors(page: str) -> list[tuple[dict[str, str], str]]:
    """Return the attributes and the text of a page's links, as the HTML parser of pip would."""
    found: list[tuple[dict[str, str], str]] = []

    class Reader(HTMLParser):
        inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                self.inside = True
                found.append(({name: value or "" for name, value in attrs}, ""))

        def handle_endtag(self, tag: str) -> None:
            if tag == "a":
                self.inside = False

        def handle_data(self, data: str) -> None:
            if self.inside:
                attributes, text = found[-1]
                found[-1] = (attributes, text + data)

    Reader().feed(page)
    return found


PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")
