"""Addresses that are almost right lead to the one that is, wherever the index is mounted."""

from urllib.parse import urljoin, urlsplit

import pytest
from paste.deploy.config import PrefixMiddleware

from web.asking import JSON, Index, anchors, ask
from web.conftest import Opener

NEAR = [
    # A021, A022
    ("/simple", "/simple/"),
    ("//simple//", "/simple/"),
    ("/./simple/", "/simple/"),
    ("/simple/demo", "/simple/demo/"),
    # A023
    ("/simple/DEMO/", "/simple/demo/"),
    ("/simple/Foo.Bar_baz/", "/simple/foo-bar-baz/"),
    ("/simple/Foo.Bar_baz", "/simple/foo-bar-baz/"),
    ("/simple/foo--bar._-baz/", "/simple/foo-bar-baz/"),
    ("/simple/%46oo.bar-baz/", "/simple/foo-bar-baz/"),
    ("/simple//demo//", "/simple/demo/"),
    ("/simple/x/../demo/", "/simple/demo/"),
    ("/simple/demo/?format=application/vnd.pypi.simple.v1%2Bjson", None),
    ("/simple/demo?format=application/vnd.pypi.simple.v1%2Bjson&a=%ff", "/simple/demo/"),
    # A116
    ("/legacy/+simple", "/legacy/+simple/"),
    ("/legacy/%2Bsimple/demo", "/legacy/+simple/demo/"),
    ("/legacy/%2Bsimple/Foo.Bar_baz/", "/legacy/+simple/foo-bar-baz/"),
    ("/legacy/%2Bsimple/demo/", None),
]


def fill(index: Index) -> Index:
    index.project("demo")
    index.wheel("demo")
    index.project("Foo.Bar-Baz")
    return index


@pytest.fixture(scope="module")
def named(lasting_index: Index) -> Index:
    """An index with two projects."""
    return fill(lasting_index)


@pytest.mark.parametrize(("target", "wanted"), NEAR)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_near_miss_is_redirected(named: Index, method: str, target: str, wanted: str | None) -> None:
    """A021, A022, A023, A042, behaviours 3, 6, 7"""
    answer = named.ask(method, target)
    if wanted is None:
        assert answer.status == 200
        return
    assert answer.status == 301
    query = urlsplit(target).query
    assert answer.headers["Location"] == f"http://index.example{wanted}" + (f"?{query}" if query else "")
    assert "Accept" in answer.headers["Vary"]
    assert "private" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_negotiation_is_the_same_after_a_redirect(named: Index) -> None:
    """A022"""
    location = named.get("/simple/Demo", accept=JSON).headers["Location"]
    assert named.get(urlsplit(location).path, accept=JSON).headers["Content-Type"] == JSON


@pytest.mark.parametrize("target", ["/simple", "/simple/demo", "/simple/DEMO/", "/legacy/+simple", "/legacy"])
def test_nobody_is_asked_for_a_name_before_anything_is_redirected(named: Index, target: str) -> None:
    """A066"""
    assert named.get(target, by=None).status == 401


@pytest.mark.parametrize("target", ["/simple/demo", "/simple/DEMO/", "/simple/nope", "/simple/NOPE/"])
def test_a_stranger_is_not_redirected_to_what_is_not_there_for_them(named: Index, target: str) -> None:
    """A069"""
    assert named.get(target, by="eve").status == 404


@pytest.mark.parametrize(
    ("target", "wanted"), [("/legacy", "/legacy/"), ("/simple", "/simple/"), ("/legacy?a=b", "/legacy/?a=b")]
)
def test_an_upload_without_the_last_slash_is_sent_on_with_its_method(
    named: Index, target: str, wanted: str
) -> None:
    """A096"""
    answer = named.ask("POST", target, body=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status == 308
    assert answer.headers["Location"] == f"http://index.example{wanted}"
    assert f"http://index.example{wanted}" in answer.text


PLACES = [
    # A024: how a server (its trusted_proxy, PasteDeploy's prefix, mod_wsgi) says where it is mounted.
    ({}, "http://index.example"),
    ({"wsgi.url_scheme": "https", "HTTP_HOST": "pypi.example"}, "https://pypi.example"),
    ({"wsgi.url_scheme": "https", "HTTP_HOST": "pypi.example:8443"}, "https://pypi.example:8443"),
    ({"SCRIPT_NAME": "/team/pypi"}, "http://index.example/team/pypi"),
    (
        {"SCRIPT_NAME": "/team", "wsgi.url_scheme": "https", "HTTP_HOST": "pypi.example"},
        "https://pypi.example/team",
    ),
]


@pytest.mark.parametrize(("environ", "base"), PLACES)
@pytest.mark.parametrize(
    ("method", "target", "wanted"),
    [
        ("GET", "/simple", "/simple/"),
        ("GET", "/simple/Foo.Bar_baz", "/simple/foo-bar-baz/"),
        ("GET", "/legacy/+simple", "/legacy/+simple/"),
        ("POST", "/legacy", "/legacy/"),
    ],
)
def test_a_redirect_stays_where_the_index_is_mounted(
    named: Index, environ: dict[str, str], base: str, method: str, target: str, wanted: str
) -> None:
    """A024, behaviours 11"""
    answer = named.ask(method, target, environ=environ)
    assert answer.headers["Location"] == base + wanted


@pytest.mark.parametrize("environ", [environ for environ, _ in PLACES])
@pytest.mark.parametrize("url", ["https://packages.example/pypi", "https://packages.example/pypi/"])
def test_the_public_address_decides_where_it_is_set(
    opener: Opener, environ: dict[str, str], url: str
) -> None:
    """A024"""
    index = fill(opener(url=url))

    def location(method: str, target: str) -> str:
        by = None if target == "/projects" else "ada"
        return index.ask(method, target, by, environ=environ).headers["Location"]

    assert location("GET", "/simple/Demo") == "https://packages.example/pypi/simple/demo/"
    assert location("POST", "/legacy") == "https://packages.example/pypi/legacy/"
    assert "https://packages.example/pypi/legacy/" in index.ask("PUT", "/simple/", environ=environ).text
    assert location("GET", "/projects") == "https://packages.example/pypi/login?next=%2Fprojects"
    assert "https://packages.example/pypi/simple/" in index.ask("GET", "/login", None, environ=environ).text


def test_no_header_of_a_client_moves_a_redirect(named: Index) -> None:
    """A024: what a proxy may say is the server's business."""
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=https",
        "X-Script-Name": "/evil",
        "X-Original-Url": "/evil",
    }
    answer = named.ask("GET", "/simple/Demo", headers=headers)
    assert answer.headers["Location"] == "http://index.example/simple/demo/"


@pytest.mark.parametrize("prefix", ["", "/pypi", "/a/b%20c"])
@pytest.mark.parametrize("base", ["/simple/", "/legacy/+simple/"])
def test_the_links_of_a_page_lead_to_the_files_under_any_prefix(named: Index, prefix: str, base: str) -> None:
    """A017, A072, behaviours 11"""
    environ = {"SCRIPT_NAME": prefix.replace("%20", " ")}
    listed = named.ask("GET", base, environ=environ)
    hrefs = [urljoin(prefix + base, link["href"]) for link, _ in anchors(listed.text)]
    assert hrefs == [f"{prefix}{base}demo/", f"{prefix}{base}foo-bar-baz/"]
    page = named.ask("GET", f"{base}demo/", environ=environ)
    href = urljoin(hrefs[0], anchors(page.text)[0][0]["href"])
    path = urlsplit(href).path
    assert path == f"{prefix}/packages/demo/demo-1.0-py3-none-any.whl"
    assert named.ask("GET", path.removeprefix(prefix), environ=environ).status == 200


def test_an_index_below_a_prefix_middleware_stays_there(named: Index) -> None:
    """A024: with Paste Deploy's own ``filter:prefix``."""
    app = PrefixMiddleware(named.app, prefix="/pypi")
    headers = {"Authorization": f"Bearer {named.token('ada')}"}
    answer = ask(app, "GET", "/pypi/simple/Demo", headers)
    assert (answer.status, answer.headers["Location"]) == (301, "http://index.example/pypi/simple/demo/")
    assert ask(app, "GET", "/pypi/simple/demo/", headers).status == 200


def test_the_mount_point_itself_answers_with_and_without_its_slash(named: Index) -> None:
    for path in ("", "/"):
        answer = named.ask("GET", path, None, environ={"SCRIPT_NAME": "/pypi"})
        assert (answer.status, answer.headers["Location"]) == (303, "http://index.example/pypi/login")
    answer = named.ask("GET", "/login", None, environ={"SCRIPT_NAME": "/pypi"})
    assert "http://index.example/pypi/simple/" in answer.text
