"""Which form of a page a client gets: the whole matrix, on the list and on a project."""

import gzip
import json

import pytest

from web.asking import HTML, JSON, Index

TEXT = "text/html"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"

PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {HTML};q=0.2, text/html;q=0.01"
POETRY = f"{JSON}, */*;q=0.1"
DEVPI = f"{HTML};q=0.2, {JSON}, text/html;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"

ACCEPTED = [
    # A030, A031
    (None, TEXT),
    ("", TEXT),
    ("*/*", TEXT),
    ("text/*", TEXT),
    ("application/*", JSON),
    (BROWSER, TEXT),
    # A032
    (PIP, JSON),
    (UV, JSON),
    (POETRY, JSON),
    (DEVPI, JSON),
    # A033
    (f"{JSON};q=0.1, text/html;q=0.9", TEXT),
    (f"{HTML}, {JSON};q=0", HTML),
    (f"{JSON};q=0, */*", TEXT),
    (f"text/html;q=0, {JSON};q=0, */*;q=0.5", HTML),
    (f"{JSON};q=0.2, */*;q=0.8", TEXT),
    # A034
    (f"text/html, {HTML}, {JSON}", JSON),
    (f"text/html, {HTML}", HTML),
    (f"text/html;q=0.5, {JSON};q=0.5", JSON),
    # A035, A036
    (JSON, JSON),
    (HTML, HTML),
    (TEXT, TEXT),
    (LATEST_JSON, JSON),
    (LATEST_HTML, HTML),
    (f"{LATEST_JSON};q=0.5, {LATEST_HTML}", HTML),
    # A038
    (JSON.upper(), JSON),
    (f"  {JSON}  ;  q=1.000 ", JSON),
    (f"{JSON};q=0.001,{JSON}", JSON),
    (f"text/html;level=1, {JSON};q=0.5", TEXT),
    (f"{JSON}, {JSON}, {JSON}", JSON),
    (", ".join(["image/png"] * 700 + [JSON]), JSON),
    # A039
    (JAVA, TEXT),
    (";;", TEXT),
    (f"{JSON};q=abc", TEXT),
    (",,,", TEXT),
    ("\xff\xfe", TEXT),
    (f"{JSON} {HTML}", TEXT),
]

REFUSED = [
    "application/json",
    "image/png",
    "application/vnd.pypi.simple.v2+json",
    "application/xhtml+xml, application/xml",
    "*/*;q=0",
    f"{JSON};q=0",
    f"{JSON};q=0, {LATEST_JSON};q=0",
]

pages = pytest.mark.parametrize("target", ["/simple/", "/simple/demo/", "/legacy/+simple/demo/"])


def content_type(media_type: str) -> str:
    """A041: the types of PEP 691 have no parameters."""
    return "text/html; charset=UTF-8" if media_type == TEXT else media_type


@pages
@pytest.mark.parametrize(("accept", "wanted"), ACCEPTED)
def test_what_is_accepted_decides_the_form(
    stocked: Index, target: str, accept: str | None, wanted: str
) -> None:
    """A030 to A036, A038, A039, A041, A042"""
    answer = stocked.get(target, accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type(wanted)
    assert "Accept" in [name.strip() for name in answer.headers["Vary"].split(",")]
    if wanted == JSON:
        assert json.loads(answer.text)["meta"]["api-version"] == "1.4"
    else:
        assert answer.text.startswith("<!DOCTYPE html>")


@pages
@pytest.mark.parametrize("accept", REFUSED)
def test_what_cannot_be_had_is_406_with_a_list_of_what_can(stocked: Index, target: str, accept: str) -> None:
    """A037, A042, A043"""
    answer = stocked.get(target, accept=accept)
    assert answer.status == 406
    assert "Accept" in answer.headers["Vary"]
    for supported in (JSON, HTML, TEXT, LATEST_JSON, LATEST_HTML):
        assert supported in answer.text
    assert answer.headers["Content-Type"]


FORMATS = [
    (JSON, JSON),
    (JSON.replace("+", "%2B"), JSON),
    (HTML.replace("+", "%2B"), HTML),
    ("text/html", TEXT),
    ("text%2Fhtml", TEXT),
    (LATEST_JSON.replace("+", "%2B"), JSON),
    (LATEST_HTML, HTML),
    (JSON.upper(), JSON),
]


@pages
@pytest.mark.parametrize(("asked", "wanted"), FORMATS)
@pytest.mark.parametrize("accept", [None, "text/html", JSON, "image/png", ";;"])
def test_a_format_in_the_query_beats_the_header(
    stocked: Index, target: str, asked: str, wanted: str, accept: str | None
) -> None:
    """A040"""
    answer = stocked.get(f"{target}?format={asked}", accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type(wanted))


@pages
@pytest.mark.parametrize(
    "query",
    [
        "format=application/json",
        "format=",
        "format=*/*",
        f"format={JSON};q=1",
        f"format={JSON},text/html",
        f"format={JSON}&format=text/html",
        "format=%00",
        "format=%ff",
        "a=1&" * 200 + f"format={JSON}",
    ],
)
def test_a_format_that_cannot_be_had_is_406(stocked: Index, target: str, query: str) -> None:
    """A040"""
    answer = stocked.get(f"{target}?{query}")
    assert answer.status == 406
    assert JSON in answer.text


@pytest.mark.parametrize("query", ["platformat=x", "x=1", "=", "&&&", "%zz", "for%6Dat2=1", "xformat=y"])
def test_any_other_query_is_passed_over(stocked: Index, query: str) -> None:
    assert stocked.get(f"/simple/demo/?{query}").status == 200


@pages
@pytest.mark.parametrize("accept", [TEXT, JSON, HTML])
@pytest.mark.parametrize(
    "encodings",
    ["gzip", "gzip, deflate", "gzip, deflate, zstd", "GZIP", "gzip;q=0.5", "deflate, gzip;q=1.0, *;q=0.5"],
)
def test_a_page_is_compressed_for_those_who_ask(
    stocked: Index, target: str, accept: str, encodings: str
) -> None:
    """A044, A042"""
    plain = stocked.get(target, accept=accept)
    packed = stocked.get(target, accept=accept, Accept_Encoding=encodings)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["Content-Length"]) == len(packed.body)
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize(
    "encodings", ["", "identity", "br, zstd", "gzip;q=0", "gzip;q=0, *", ";;gzip", "gzip gzip", "\xffgzip"]
)
def test_a_page_is_not_compressed_for_others(stocked: Index, encodings: str) -> None:
    """A044"""
    answer = stocked.get("/simple/demo/", Accept_Encoding=encodings)
    assert answer.status == 200
    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<!DOCTYPE html>")


@pages
@pytest.mark.parametrize(
    "headers", [{}, {"Accept": JSON}, {"Accept-Encoding": "gzip"}, {"Accept": "image/png"}]
)
def test_head_is_get_without_the_body(stocked: Index, target: str, headers: dict[str, str]) -> None:
    """A027"""
    got = stocked.ask("GET", target, headers=headers)
    head = stocked.ask("HEAD", target, headers=headers)
    assert (head.status, head.lasting) == (got.status, got.lasting)
    assert (head.body, bool(got.body)) == (b"", True)


@pytest.mark.parametrize("by", ["ada", "eve", None])
@pytest.mark.parametrize(
    "target", ["/simple/", "/simple/demo/", "/packages/demo/x", "/nowhere", "/legacy/", "/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_answer_has_a_content_type(stocked: Index, by: str | None, target: str, method: str) -> None:
    """A043"""
    assert stocked.ask(method, target, by).headers["Content-Type"]
