"""Whatever is sent: an answer with a Content-Type, never a 5xx, and nothing left behind."""

import base64
import dataclasses
import itertools
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warehouse14.domain.errors import Unavailable
from warehouse14.testing.builders import build_wheel
from web.asking import JSON, Answer, Index
from web.bodies import BOUNDARY, form_body, part, upload_form

pytestmark = pytest.mark.filterwarnings("error")

quickly = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

WHEEL = build_wheel("demo", "9.0")
_numbers = itertools.count()
METHODS = st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"])
PEOPLE = st.sampled_from(["ada", "eve", None])

#: Bytes that break parsers, and names that are there.
PIECES = st.sampled_from(
    [
        "simple",
        "packages",
        "legacy",
        "pypi",
        "api",
        "api/projects",
        "api/projects/demo",
        "yank",
        "roles",
        "journal",
        "1.0",
        "health",
        "+simple",
        "demo",
        "Demo",
        "pub",
        "demo-1.0-py3-none-any.whl",
        "demo-1.0-py3-none-any.whl.metadata",
        "namespaces",
        "..",
        ".",
        "",
        "@@view",
        "%2F",
        "%2f%2f",
        "%5c",
        "%00",
        "%0a",
        "%0d%0aSet-Cookie:x",
        "%2e%2e",
        "%ff",
        "%c3%28",
        "%ed%a0%80",
        "%f0%9f%90%8d",
        "%C3%A9",
        "%",
        "%zz",
        "é",
        "a" * 300,
        "a" * 9000,
        "..%2f..%2fetc%2fpasswd",
        "~root",
        ";x=y",
        "*",
        ":",
        "<script>",
        "{}",
    ]
)
PATHS = st.lists(
    st.one_of(PIECES, st.binary(max_size=8).map(lambda raw: quote(raw, safe=""))), max_size=6
).map(lambda parts: "/" + "/".join(parts))

#: What a header may hold: any byte but the line's end and NUL, which no server lets through.
NOISE = st.text(
    st.characters(max_codepoint=255, exclude_characters="\0\r\n", exclude_categories=()), max_size=60
)


def mutated(*wholes: str) -> st.SearchStrategy[str]:
    """Return headers that were whole before something happened to them."""

    def damage(whole: str, at: int, noise: str, length: int) -> str:
        at = at % (len(whole) + 1)
        return whole[:at] + noise + whole[at + length :]

    damaged = st.builds(
        damage, st.sampled_from(wholes), st.integers(0, 200), NOISE, st.integers(min_value=0, max_value=9)
    )
    return st.one_of(st.sampled_from(wholes), damaged, NOISE)


HEADERS = {
    "Accept": mutated(
        JSON, f"{JSON};q=0.5, text/html;q=0.1", "*/*", "text/*;q=1.5", "application/json;q=0.9"
    ),
    "Accept-Encoding": mutated("gzip", "gzip;q=0.5, *;q=0", "br, gzip"),
    "Range": mutated("bytes=0-9", "bytes=-5", "bytes=5-", "bytes=0-1,2-3", "bytes=9999999-"),
    "If-Range": mutated('"abc"', "Thu, 01 Jan 1970 00:00:00 GMT"),
    "If-None-Match": mutated('"abc"', 'W/"abc", "def"', "*"),
    "If-Modified-Since": mutated("Thu, 01 Jan 1970 00:00:00 GMT"),
    "Content-Type": mutated(f"multipart/form-data; boundary={BOUNDARY}", "text/plain; charset=x"),
    "Content-Length": st.sampled_from(["0", "5", "100", "99999999999999999999"]),
    "Cookie": mutated("a=b; c=d"),
    "Host": mutated("index.example", "index.example:8080", "[::1]:80"),
    "X-Forwarded-Host": NOISE,
    "Expect": st.just("100-continue"),
}


@pytest.fixture(scope="module")
def filled(stocked: Index) -> Iterator[Index]:
    logging.getLogger("warehouse14").setLevel(logging.CRITICAL)
    stocked.token("eve")
    stocked.token("ada")
    yield stocked
    logging.getLogger("warehouse14").setLevel(logging.NOTSET)


def is_sound(answer: Answer) -> bool:
    """What holds for every answer, whatever was asked."""
    assert answer.status < 500
    if answer.status != 304:
        assert answer.headers["Content-Type"]
    for name, value in answer.headers.items():
        assert not set(name + value) & set("\r\n\0")
    assert not set(answer.reason) & set("\r\n\0")
    assert "Set-Cookie" not in answer.headers
    return True


@given(method=METHODS, path=PATHS, by=PEOPLE)
@quickly
@example(method="GET", path="/simple/%ff/", by="ada")
@example(method="GET", path="/simple/demo%00/", by="ada")
@example(method="GET", path="/simple/demo%0a/", by="ada")
@example(method="GET", path="/simple/..%2f..%2fetc/", by="ada")
@example(method="POST", path="/%ff", by=None)
@example(method="GET", path="/" + "a/" * 5000, by="ada")
def test_any_path_gets_an_answer(filled: Index, method: str, path: str, by: str | None) -> None:
    """A025"""
    with filled.unchanged():
        assert is_sound(filled.ask(method, path, by))


@given(
    target=st.sampled_from(
        ["/simple/", "/simple/demo/", "/packages/demo/demo-1.0-py3-none-any.whl", "/legacy/", "/"]
    ),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    headers=st.fixed_dictionaries({}, optional=HEADERS),
    by=PEOPLE,
    query=st.one_of(st.just(""), st.sampled_from(["format=", "format=%ff", ":action=%00", "&" * 500]), NOISE),
)
@quickly
def test_any_header_gets_an_answer(
    filled: Index, target: str, method: str, headers: dict[str, str], by: str | None, query: str
) -> None:
    """A038, A039, A082, A088"""
    with filled.unchanged():
        assert is_sound(
            filled.ask(method, f"{target}?{query}", by, headers=headers, environ={"PATH_INFO": target})
        )


@given(
    header=mutated(
        "Basic dXNlcjpwYXNz",
        "Basic Og==",
        "Bearer wh14_abc",
        "token x",
        "Basic X190b2tlbl9fOng=",
        "Digest a=b",
    ),
    target=st.sampled_from(["/simple/", "/simple/demo/", "/legacy/+simple/nope/"]),
)
@quickly
def test_any_authorization_gets_an_answer(filled: Index, header: str, target: str) -> None:
    """A068"""
    answer = filled.ask("GET", target, None, headers={"Authorization": header})
    assert is_sound(answer)
    # After too many refusals an address has to wait.
    assert answer.status in {401, 429}


FIELDS = st.sampled_from(
    [
        ":action",
        "protocol_version",
        "name",
        "version",
        "filetype",
        "pyversion",
        "sha256_digest",
        "md5_digest",
        "x",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [b"", b"UNKNOWN", b"\0", b"\xff", b"..", b"../../x", b"demo\n", b"1", b"9" * 5000, b"sdist"]
    ),
    st.binary(max_size=30),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
FILENAMES = st.one_of(
    st.sampled_from(
        [
            None,
            "",
            ".",
            "..",
            "../x.whl",
            "/etc/passwd",
            "C:\\x.whl",
            "a\0.whl",
            "demo-9.0-py3-none-any.whl\n",
            "demo-9.0.tar.gz",
            "é-9.0-py3-none-any.whl",
            "a" * 300 + ".whl",
            "demo-9.0-py3-none-any.WHL",
            "demo-9.0-" + ".".join(["py3"] * 40) + "-none-any.whl",
            "demo-" + "9" * 5000 + ".tar.gz",
        ]
    ),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass").replace(b'"', b"")),
    st.binary(max_size=30).map(lambda raw: raw.replace(b'"', b"")),
)


@given(changed=st.dictionaries(FIELDS, VALUES, min_size=1, max_size=3), by=st.sampled_from(["ada", "eve"]))
@quickly
@example(changed={"version": b"9" * 4000}, by="ada")
@example(changed={"version": b"1." * 2000 + b"1"}, by="ada")
def test_any_value_of_a_field_gets_an_answer(filled: Index, changed: dict[str, bytes], by: str) -> None:
    """A025, A026, A105, A117: no digest fits, so that nothing can be taken."""
    sent = {("action" if name == ":action" else name): value for name, value in changed.items()}
    parts = upload_form(WHEEL, "demo", "9.0", **{"blake2_256_digest": "0" * 64, **sent})
    with filled.unchanged():
        answer = filled.send(parts, by)
    assert is_sound(answer)
    assert answer.status in {400, 403, 410}


@given(
    filename=FILENAMES,
    filetype=st.sampled_from(["sdist", "bdist_wheel"]),
    version=st.sampled_from(["9.0", "1" * 90]),
)
@quickly
def test_any_file_name_gets_an_answer(
    filled: Index, filename: str | bytes | None, filetype: str, version: str
) -> None:
    """A025, A109, behaviours 38"""
    sent = part("content", WHEEL.content, filename=filename)
    parts = upload_form(
        WHEEL,
        "demo",
        version,
        content_part=sent,
        filetype=filetype,
        pyversion=None,
        blake2_256_digest="0" * 64,
    )
    with filled.unchanged():
        answer = filled.send(parts)
    assert is_sound(answer)
    assert answer.status == 400


@given(data=st.binary(max_size=400), keep=st.integers(0, 2000), at=st.integers(0, 2000))
@quickly
def test_any_damage_to_a_body_gets_an_answer(filled: Index, data: bytes, keep: int, at: int) -> None:
    """A097, A117: a form with something cut out or put in."""
    content_type, body = form_body(upload_form(WHEEL, "demo", "9.0", blake2_256_digest="0" * 64))
    at, keep = at % len(body), keep % len(body)
    damaged = body[:at] + data + body[at + len(body) - keep :]
    with filled.unchanged():
        answer = filled.ask("POST", "/legacy/", headers={"Content-Type": content_type}, body=damaged)
    assert is_sound(answer)
    assert 400 <= answer.status < 500


@given(body=st.binary(max_size=300), boundary=NOISE)
@quickly
def test_any_body_and_boundary_gets_an_answer(filled: Index, body: bytes, boundary: str) -> None:
    """A097"""
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with filled.unchanged():
        answer = filled.ask("POST", "/simple/", headers=headers, body=body)
    assert is_sound(answer)
    assert answer.status in {400, 415}


@given(data=st.binary(max_size=300), at=st.integers(0, 5000))
@quickly
def test_any_archive_gets_an_answer(filled: Index, data: bytes, at: int) -> None:
    """A110: damaged in the middle, with a digest that fits. Some bytes of a ZIP file say nothing (times)."""
    version = f"9.{next(_numbers)}"
    whole = build_wheel("demo", version)
    at %= len(whole.content)
    damaged = whole.content[:at] + data + whole.content[at + len(data) :]
    before = filled.remains()
    answer = filled.upload(dataclasses.replace(whole, content=damaged), "demo", version)
    assert is_sound(answer)
    assert answer.status in {200, 400}
    if answer.status == 400:
        assert filled.remains() == before
    else:
        assert filled.get(f"/packages/demo/{whole.filename}").body == damaged


@pytest.mark.parametrize("by", ["ada", None])
@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/simple/"), ("GET", "/simple/demo/"), ("GET", "/packages/x/y"), ("POST", "/legacy/")],
)
def test_a_database_that_does_not_answer_is_503_and_never_404(
    stocked: Index, monkeypatch: pytest.MonkeyPatch, by: str | None, method: str, target: str
) -> None:
    """A077, behaviours 101: a client that is told 404 would look elsewhere."""

    def fail() -> None:
        raise Unavailable("The database does not answer.")

    text = None if by is None else stocked.token(by)
    monkeypatch.setattr(stocked.warehouse.units, "pulse", fail)
    answer = stocked.ask(method, target, None, token=text)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "The database does not answer." in answer.text


HOSTS = [
    '"><script>',
    "evil.example/",
    "a:80:80",
    "x'y",
    "1.2.3.4@evil.example",
    "evil.example:",
    "[::1",
    "a b",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("target", ["/login", "/projects/", "/simple/", "/nothing"])
def test_a_host_that_is_none_is_400_and_stands_in_no_answer(index: Index, host: str, target: str) -> None:
    answer = index.ask("GET", target, headers={"Host": host})
    assert answer.status == 400
    assert "Host" in answer.text
    assert host not in answer.text
    assert "Location" not in answer.headers


QUERIES = ["path=x", "request=x", "a=1&a=2", "status=1", "query=x", "%ff", "&".join(["a"] * 5000)]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("target", ["/login/", "/projects", "/account", "/projects/demo", "/admin"])
def test_a_redirect_to_the_one_address_of_a_page_carries_any_query(
    index: Index, target: str, query: str
) -> None:
    index.project("demo")
    index.account("root", administrator=True)
    for by in ("root", "ada", None):
        assert index.browse("GET", f"{target}?{query}", by).status in {301, 303, 400, 403, 404}


@pytest.mark.parametrize(
    "version", ["1" * 5000, "1." + "0" * 60_000, "1!" + "9" * 5000, f"{'9' * 5000}!1", "1.0+" + "1" * 5000]
)
def test_a_version_of_any_length_is_one_that_is_not_there(index: Index, version: str) -> None:
    index.project("demo")
    assert index.browse("GET", f"/projects/demo/{version}/").status == 404


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "nonsense", "\u00e9", "utf-7"])
def test_a_form_in_another_charset_is_415(index: Index, charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = index.ask("POST", "/login", None, headers={"Content-Type": kind}, body=b"name=a&password=b")
    assert answer.status == 415


@pytest.mark.parametrize(
    "notice", [b'["\\ud800", "x"]', b"[" * 30_000, b"\xff", b'{"a": 1}', b"[1]", b'["a", ["b"]]', b"null"]
)
def test_a_notice_that_somebody_else_wrote_breaks_no_page(index: Index, notice: bytes) -> None:
    value = base64.urlsafe_b64encode(notice).decode()
    answer = index.ask("GET", "/login", None, headers={"Cookie": f"warehouse14-notice={value}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "cookie",
    ['theme="\\351"', "theme=\xe9", "theme=\xff\xfe; warehouse14-session=x", ";;;", "=", "a=b=c", '"'],
)
def test_a_cookie_of_somebody_else_breaks_no_page(index: Index, cookie: str) -> None:
    """Any host beside this one can set it for all of them, under any name."""
    for path in ("/", "/login", "/nowhere", "/simple/"):
        answer = index.ask("GET", path, None, headers={"Cookie": cookie})
        assert answer.status < 500, path


@pytest.mark.parametrize("foreign", ["theme=\xe9", "\xff\xfe=x", 'a="\\351"', ";;", "warehouse14=\xff"])
def test_whoever_is_signed_in_stays_so_beside_a_cookie_of_somebody_else(index: Index, foreign: str) -> None:
    own = f"warehouse14-session={index.cookie('ada')}"
    for sent in (f"{foreign}; {own}", f"{own}; {foreign}"):
        answer = index.ask("GET", "/account/", None, headers={"Cookie": sent})
        assert (answer.status, "<h1>ada</h1>" in answer.text) == (200, True)
