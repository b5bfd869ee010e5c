"""A private project and an absent one answer the same bytes to whoever may not see it."""

import pytest

from warehouse14.testing.builders import build_wheel
from web.asking import HTML, JSON, Answer, Index
from web.bodies import form_body, upload_form

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "NONSENSE"]
ACCEPTS = [
    None,
    "*/*",
    "text/html",
    JSON,
    HTML,
    "image/png",
    ";;",
    "application/json;q=0.9, text/plain;q=0.8",
    "text/*",
]

#: Every address that names a project, in the project's own spelling and in others.
ADDRESSES = [
    "/simple/NAME/",
    "/simple/NAME",
    "/simple//NAME/",
    "/./simple/NAME/",
    "/x/../simple/NAME/",
    "/simple/NAME/x",
    "/simple/NAME/@@x",
    "/simple/NAME/1.0/",
    "/simple/NAME/?format=text/html",
    "/simple/NAME/?format=application/json",
    "/legacy/+simple/NAME/",
    "/legacy/+simple/NAME",
    "/legacy/%2Bsimple/NAME/",
    "/packages/NAME",
    "/packages/NAME/",
    "/packages/NAME/FILE",
    "/packages/NAME/FILE/",
    "/packages/NAME/FILE/x",
    "/packages/NAME/FILE.metadata",
    "/packages/NAME/FILE.metadata.metadata",
    "/packages/NAME/FILE.asc",
    "/packages/NAME/x-1.0.tar.gz",
    "/pypi/NAME/json",
    "/pypi/NAME/1.0/json",
    "/api/projects/NAME",
    "/api/projects/NAME/",
    "/api//projects/NAME",
    "/api/projects/NAME/roles",
    "/api/projects/NAME/journal?what=x",
    "/api/projects/NAME/public",
    "/api/projects/NAME/delete",
    "/api/projects/NAME/@@delete",
    "/api/projects/NAME/1.0",
    "/api/projects/NAME/1.0/yank",
    "/api/projects/NAME/1.0/FILE/yank",
    "/api/projects/NAME/1.0/FILE/x",
]

#: The hidden project, a deleted one, one that a token may not see, and how they are spelled.
SPELLINGS = ["hid-den", "Hid.Den", "HID_DEN", "hid--den", "%68id-den"]


@pytest.fixture(scope="module")
def hiding(stocked: Index) -> Index:
    stocked.project("hid-den")
    stocked.wheel("hid-den")
    stocked.project("old-one")
    stocked.wheel("old-one")
    stocked.warehouse.projects.delete(stocked.warehouse.operator(), "old-one")
    stocked.token("eve")
    return stocked


def asked(
    index: Index,
    method: str,
    address: str,
    name: str,
    who: str | None,
    accept: str | None = None,
    **headers: str,
) -> Answer:
    file = f"{name.lower().replace('-', '_')}-1.0-py3-none-any.whl"
    target = address.replace("NAME", name).replace("FILE", file)
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    if accept is not None:
        sent["Accept"] = accept
    token = None if who is None else index.token(*who.split(":")[:1], **_limit(who))
    return index.ask(method, target, None, token=token, headers=sent)


def _limit(who: str) -> dict[str, str]:
    return {"project": who.partition(":")[2]} if ":" in who else {}


@pytest.mark.parametrize("who", [None, "eve", "root", "bob", "ada:demo"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_hidden_deleted_and_absent_look_alike(hiding: Index, address: str, who: str | None) -> None:
    """A066, A069, behaviours 22, 76, J: by every method; Ada with a token for another project."""
    for method in METHODS:
        absent = asked(hiding, method, address, "nev-er", who)
        assert absent.status == (401 if who is None else 404)
        for name in ("hid-den", "old-one"):
            assert asked(hiding, method, address, name, who).whole == absent.whole, (method, name)


@pytest.mark.parametrize("who", [None, "eve"])
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "address",
    [
        "/simple/NAME/",
        "/simple/NAME",
        "/packages/NAME/FILE",
        "/legacy/+simple/NAME",
        "/api/projects/NAME",
        "/api/projects/NAME/1.0/FILE/delete",
    ],
)
def test_no_spelling_tells_them_apart(hiding: Index, address: str, spelling: str, who: str | None) -> None:
    """A069, A023"""
    other = spelling.replace("%68id", "nev").replace("den", "er").replace("Den", "Er").replace("DEN", "ER")
    other = other.replace("hid", "nev").replace("Hid", "Nev").replace("HID", "NEV")
    assert other.lower().strip("%") != spelling.lower()
    for method in ("GET", "HEAD", "POST"):
        there = asked(hiding, method, address, spelling, who)
        assert there.whole == asked(hiding, method, address, other, who).whole


@pytest.mark.parametrize("who", [None, "eve"])
@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_accept_header_tells_them_apart(
    hiding: Index, accept: str | None, who: str | None, method: str
) -> None:
    """A069"""
    for address in ADDRESSES:
        there = asked(hiding, method, address, "hid-den", who, accept)
        assert there.whole == asked(hiding, method, address, "nev-er", who, accept).whole, address


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept_Encoding": "gzip"},
        {"If_None_Match": "*"},
        {"Range": "bytes=0-1"},
        {"Range": "bytes=99999999-"},
        {"If_Modified_Since": "Thu, 01 Jan 2032 00:00:00 GMT"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Cookie": "session=x"},
        {"Origin": "https://x.example"},
        {"Expect": "100-continue"},
    ],
)
@pytest.mark.parametrize("who", [None, "eve"])
def test_no_other_header_tells_them_apart(hiding: Index, headers: dict[str, str], who: str | None) -> None:
    """A069"""
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        for address in ADDRESSES:
            there = asked(hiding, method, address, "hid-den", who, **headers)
            assert there.whole == asked(hiding, method, address, "nev-er", who, **headers).whole, address


@pytest.mark.parametrize("who", [None, "eve"])
def test_asking_before_and_after_it_is_kept_makes_no_difference(hiding: Index, who: str | None) -> None:
    """A069: what others have looked at is not seen by its absence, either."""
    before = [asked(hiding, "GET", address, "hid-den", who).whole for address in ADDRESSES]
    for address in ADDRESSES:
        asked(hiding, "GET", address, "hid-den", "ada")
    assert [asked(hiding, "GET", address, "hid-den", who).whole for address in ADDRESSES] == before


def test_a_hidden_project_is_in_no_list(hiding: Index) -> None:
    """Behaviours 2"""
    for accept in (JSON, HTML, None):
        for who in ("eve", "root", "bob"):
            page = hiding.get("/simple/", by=who, accept=accept).text
            assert "hid-den" not in page
            assert "old-one" not in page


def test_an_upload_shows_only_that_a_name_is_taken(hiding: Index) -> None:
    """Upload rule 43, behaviours J: hidden, deleted, public and reserved names in one text."""
    texts = set()
    with hiding.unchanged():
        for name in ("hid-den", "old-one", "pub", "demo", "namespace", "namespaces"):
            for version, body in (("1.0", b""), ("1.0", b"other"), ("7.0", b"")):
                built = build_wheel(name, version, body=body)
                content_type, sent = form_body(upload_form(built, name, version))
                for target in ("/legacy/", "/simple/", "/"):
                    answer = hiding.ask(
                        "POST", target, "eve", headers={"Content-Type": content_type}, body=sent
                    )
                    texts.add(
                        (answer.status, answer.reason.replace(name, "X"), answer.text.replace(name, "X"))
                    )
    assert len(texts) == 1


def test_a_site_may_say_403_for_what_is_there(opener) -> None:
    """A069: a setting, for sites that prefer clients to stop there."""
    index = opener(denied_read="403")
    index.project("demo")
    wheel = index.wheel("demo").filename
    for target in (
        "/simple/demo/",
        "/simple/demo",
        f"/packages/demo/{wheel}",
        f"/packages/demo/{wheel}.metadata",
    ):
        answer = index.get(target, by="eve")
        assert (answer.status, answer.reason) == (403, "You may not read this project.")
        assert index.get(target, by=None).status == 401
        assert index.get(target.replace("demo", "nope"), by="eve").status == 404
