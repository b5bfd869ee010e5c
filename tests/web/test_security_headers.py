"""Every answer, of every view and of every refusal, carries the headers that keep a browser safe."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from web.asking import Answer, Index, ask, open_peopled
from web.conftest import Opener
from web.test_acl_parity import TABLE as CLIENTS
from web.test_api_parity import TABLE as PROGRAMS
from web.test_browser_parity import TABLE as PAGES
from web.test_browser_parity import address_of
from web.test_open_views import views

FORM = "application/x-www-form-urlencoded"

ADDRESSES = sorted(
    {
        (view[2].split()[0], address_of(address, "pub"), urlencode(form))
        for view, rows in PAGES.items()
        for address, form, *_ in rows
    }
    | {
        (view[2].split()[0], address_of(address, "pub"), "")
        for view, rows in [*CLIENTS.items(), *PROGRAMS.items()]
        for address, *_ in rows
    }
)

#: Refusals of every kind: the method, the target, headers, and the status.
REFUSALS: list[tuple[str, str, dict[str, str], int]] = [
    ("GET", "/nonsense", {}, 404),
    ("GET", "/%ff", {}, 404),
    ("GET", "/projects/pub/@@revoke", {}, 405),
    ("PUT", "/projects/", {"Content-Type": FORM}, 405),
    ("POST", "/projects/@@new", {"Content-Type": FORM}, 400),
    ("POST", "/projects/@@new", {"Content-Type": "text/plain"}, 415),
    ("POST", "/projects/@@new", {"Content-Type": FORM, "Content-Length": "100001"}, 413),
    ("GET", "/projects/?q=%ff", {}, 400),
    ("GET", "/projects/", {"Host": "not a host"}, 400),
    ("GET", "/simple/", {"Authorization": "Bearer nonsense"}, 401),
    ("GET", "/simple/pub/", {"Accept": "image/png"}, 406),
    ("GET", "/packages/pub/pub-1.0-py3-none-any.whl", {"Range": "bytes=9999999-"}, 416),
    ("GET", "/simple/absent/", {}, 404),
    ("DELETE", "/simple/pub/", {}, 405),
    ("POST", "/legacy/", {"Content-Type": FORM}, 415),
    ("GET", "/api/projects/absent", {}, 404),
    ("GET", "/api/projects/pub/public", {}, 405),
    ("GET", "/api/projects/pub", {"Authorization": "Bearer nonsense"}, 401),
    ("POST", "/legacy", {}, 308),
    ("GET", "/simple", {}, 301),
    ("GET", "/projects", {}, 301),
]


@pytest.fixture(scope="module")
def peopled() -> Iterator[Index]:
    index = open_peopled()
    yield index
    index.warehouse.close()


def sent(
    index: Index, method: str, target: str, who: str | None, given: dict[str, str], **more: Any
) -> Answer:
    """Send it with the cookie and the token of an account, as the address wants them."""
    headers = dict(given)
    is_for_clients = target.startswith(("/simple", "/legacy", "/packages", "/api")) or (method, target) == (
        "POST",
        "/",
    )
    if who is not None and is_for_clients:
        headers.setdefault("Authorization", f"Bearer {index.token(who)}")
    elif who is not None:
        headers["Cookie"] = f"warehouse14-session={index.cookie(who)}"
    return ask(index.app, method, target, headers, **more)


def assert_safe(answer: Answer, *, is_by_tls: bool = False) -> None:
    headers = answer.headers
    policy = [part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")]
    assert dict(policy)["default-src"] == dict(policy)["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert ("max-age" in headers.get("Strict-Transport-Security", "")) == is_by_tls
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
        assert len(headers.getall(name)) == 1


def test_the_addresses_are_those_of_every_view(peopled: Index) -> None:
    assert PAGES.keys() | CLIENTS.keys() | PROGRAMS.keys() == {view.key for view in views(peopled)}


@pytest.mark.parametrize("who", [None, "eve", "ada", "root"])
@pytest.mark.parametrize(("method", "target", "form"), ADDRESSES)
def test_every_view_protects_what_it_answers(
    peopled: Index, method: str, target: str, form: str, who: str | None
) -> None:
    headers = {"Content-Type": FORM} if method == "POST" else {}
    assert_safe(sent(peopled, method, target, who, headers, body=form.encode()))


@pytest.mark.parametrize(("method", "target", "form"), ADDRESSES)
def test_behind_tls_every_answer_says_so(peopled: Index, method: str, target: str, form: str) -> None:
    headers = {"Content-Type": FORM} if method == "POST" else {}
    for who in (None, "ada"):
        environ = {"wsgi.url_scheme": "https"}
        answer = sent(peopled, method, target, who, headers, body=form.encode(), environ=environ)
        assert_safe(answer, is_by_tls=True)


@pytest.mark.parametrize(("method", "target", "headers", "status"), REFUSALS)
def test_every_refusal_is_protected(
    peopled: Index, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    answer = sent(peopled, method, target, "ada", headers)
    assert answer.status == status
    assert_safe(answer)


def test_what_is_known_already_is_protected(peopled: Index) -> None:
    for target in ("/simple/pub/", "/packages/pub/pub-1.0-py3-none-any.whl"):
        answer = sent(peopled, "GET", target, "ada", {"If-None-Match": "*"})
        assert answer.status == 304
        assert_safe(answer)


@pytest.mark.parametrize("target", ["/", "/simple/"])
def test_what_nobody_foresaw_is_protected(
    peopled: Index, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(peopled.warehouse.catalogue, "search", fail)
    monkeypatch.setattr(peopled.app.registry.lists, "page", fail)
    answer = sent(peopled, "GET", target, "ada", {})
    assert answer.status == 500
    assert_safe(answer)


def test_a_site_whose_address_is_https_says_so_to_clients(opener: Opener) -> None:
    index = opener(url="https://packages.example/python")
    for target in ("/health", "/simple/", "/nonsense"):
        assert_safe(ask(index.app, "GET", target), is_by_tls=True)
