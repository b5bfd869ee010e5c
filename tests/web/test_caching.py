"""Pages may be kept but must be asked about: validators, and that no change goes unseen."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from warehouse14.domain.model import Role, Scope
from warehouse14.testing.builders import build_wheel
from web.asking import HTML, JSON, Answer, Index

ACCEPTS = ["text/html", HTML, JSON]
ENCODINGS = ["identity", "gzip"]

pages = pytest.mark.parametrize("target", ["/simple/", "/simple/demo/", "/legacy/+simple/demo/"])
accepts = pytest.mark.parametrize("accept", ACCEPTS)
encodings = pytest.mark.parametrize("encoding", ENCODINGS)


@pages
@accepts
@encodings
def test_a_page_carries_validators_and_is_private(
    stocked: Index, target: str, accept: str, encoding: str
) -> None:
    """A088, A089, A042, A091, A076"""
    answer = stocked.get(target, accept=accept, Accept_Encoding=encoding)
    assert re.fullmatch('"[0-9a-f]{40}"', answer.headers["ETag"])
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert {name.strip() for name in answer.headers["Vary"].split(",")} == {
        "Accept",
        "Accept-Encoding",
        "Authorization",
    }
    assert re.fullmatch("[0-9]+", answer.headers["X-PyPI-Last-Serial"])
    assert "Set-Cookie" not in answer.headers
    assert "Last-Modified" not in answer.headers


@pages
@accepts
@encodings
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_known_page_is_304_with_the_same_validators(
    stocked: Index, target: str, accept: str, encoding: str, method: str
) -> None:
    """A088, A042"""
    first = stocked.get(target, accept=accept, Accept_Encoding=encoding)
    etag = first.headers["ETag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        headers = {"Accept": accept, "Accept-Encoding": encoding, "If-None-Match": known}
        again = stocked.ask(method, target, headers=headers)
        assert (again.status, again.body) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "X-PyPI-Last-Serial"):
            assert again.headers[name] == first.headers[name]
        assert "Content-Encoding" not in again.headers


@pages
@pytest.mark.parametrize("known", ['"x"', "", "x", "W/", ",", '"', '"x","y"', "\xff"])
def test_an_unknown_validator_gets_the_page(stocked: Index, target: str, known: str) -> None:
    """A088"""
    assert stocked.get(target, If_None_Match=known).status == 200


@pages
def test_every_form_and_encoding_has_its_own_etag(stocked: Index, target: str) -> None:
    """A088"""
    etags = {
        stocked.get(target, accept=accept, Accept_Encoding=encoding).headers["ETag"]
        for accept in ACCEPTS
        for encoding in ENCODINGS
    }
    assert len(etags) == len(ACCEPTS) * len(ENCODINGS)


def test_the_same_page_has_the_same_etag_in_another_process(opener: Callable[..., Index]) -> None:
    """A088: the validator comes from the content."""
    found = set()
    for _ in range(2):
        index = opener()
        index.project("demo")
        index.wheel("demo")
        found.add(index.get("/simple/demo/").headers["ETag"])
    assert len(found) == 1


def test_a_refusal_is_not_kept(stocked: Index) -> None:
    """A092"""
    for by, target, status in [
        (None, "/simple/", 401),
        (None, "/packages/demo/demo-1.0-py3-none-any.whl", 401),
        ("eve", "/simple/demo/", 404),
        ("ada", "/simple/nope/", 404),
        ("ada", "/packages/demo/nope.whl", 404),
    ]:
        answer = stocked.get(target, by=by)
        assert (answer.status, answer.headers["Cache-Control"]) == (status, "no-store")
        assert "ETag" not in answer.headers


def test_a_first_upload_is_seen_where_nothing_was(any_index: Index) -> None:
    """A092, A112, behaviours 30"""
    assert any_index.get("/simple/new/").status == 404
    assert any_index.upload(build_wheel("new", "1.0"), "new").status == 200
    for accept in ACCEPTS:
        answer = any_index.get("/simple/new/", accept=accept)
        assert "new-1.0-py3-none-any.whl" in answer.text
        assert "new" in any_index.get("/simple/", accept=accept).text
    assert any_index.get("/packages/new/new-1.0-py3-none-any.whl.metadata").status == 200


def all_forms(index: Index, target: str, by: str = "ada") -> dict[tuple[str, str], Answer]:
    return {
        (accept, encoding): index.get(target, by=by, accept=accept, Accept_Encoding=encoding)
        for accept in ACCEPTS
        for encoding in ENCODINGS
    }


def changes(index: Index) -> list[Callable[[], object]]:
    """Every change that a project's page shows, each new after the one before."""
    files, projects = index.warehouse.files, index.warehouse.projects
    operator = index.warehouse.operator()
    first = "demo-1.0-py3-none-any.whl"
    return [
        lambda: index.upload(build_wheel("demo", "2.0"), "demo", "2.0"),
        lambda: files.yank(operator, "demo", first),
        lambda: files.yank(operator, "demo", first, reason="broken"),
        lambda: files.unyank(operator, "demo", first),
        lambda: files.yank_release(operator, "demo", "2.0"),
        lambda: files.delete(operator, "demo", first),
        lambda: files.delete_release(operator, "demo", "2.0"),
        lambda: index.upload(build_wheel("demo", "3.0"), "demo", "3.0"),
        lambda: projects.set_public(operator, "demo", public=True),
        lambda: projects.grant(operator, "demo", "account:eve", Role.MEMBER),
        lambda: projects.set_public(operator, "demo", public=False),
        lambda: projects.revoke(operator, "demo", "account:eve"),
    ]


def test_every_change_is_seen_by_the_next_request_in_every_form(any_index: Index) -> None:
    """A090, A091, A112: the page was kept there before."""
    any_index.project("demo")
    any_index.wheel("demo")
    any_index.account("eve")
    serials = [int(any_index.get("/simple/demo/").headers["X-PyPI-Last-Serial"])]
    for change in changes(any_index):
        before = all_forms(any_index, "/simple/demo/")
        assert {answer.status for answer in all_forms(any_index, "/simple/demo/").values()} == {200}
        change()
        for form, old in before.items():
            accept, encoding = form
            new = any_index.get(
                "/simple/demo/", accept=accept, Accept_Encoding=encoding, If_None_Match=old.headers["ETag"]
            )
            assert new.status == 200
            assert new.headers["ETag"] != old.headers["ETag"]
        serials.append(int(new.headers["X-PyPI-Last-Serial"]))
    assert all(earlier < later for earlier, later in pairwise(serials))


def test_a_serial_never_falls_when_something_else_changes(any_index: Index) -> None:
    """A091"""
    any_index.project("demo")
    any_index.project("other")
    for target in ("/simple/", "/simple/demo/"):
        before = int(any_index.get(target).headers["X-PyPI-Last-Serial"])
        any_index.wheel("other", "1.0" if target == "/simple/" else "2.0")
        after = int(any_index.get(target).headers["X-PyPI-Last-Serial"])
        assert after > before if target == "/simple/" else after == before


def test_who_may_read_is_decided_anew_at_every_request(any_index: Index) -> None:
    """A090: the page was kept for the caller, and for others, before."""
    any_index.project("demo")
    wheel = any_index.wheel("demo").filename
    any_index.account("eve")
    projects, operator = any_index.warehouse.projects, any_index.warehouse.operator()
    targets = [
        "/simple/demo/",
        "/legacy/+simple/demo/",
        f"/packages/demo/{wheel}",
        f"/packages/demo/{wheel}.metadata",
    ]

    def statuses() -> set[int]:
        listed = {"demo" in any_index.get("/simple/", by="eve", accept=accept).text for accept in ACCEPTS}
        assert len(listed) == 1
        found = {any_index.get(target, by="eve").status for target in targets}
        assert found == ({200} if listed == {True} else {404})
        return found

    steps: list[tuple[Callable[[], object], set[int]]] = [
        (lambda: None, {404}),
        (lambda: projects.grant(operator, "demo", "account:eve", Role.MEMBER), {200}),
        (lambda: projects.revoke(operator, "demo", "account:eve"), {404}),
        (lambda: projects.set_public(operator, "demo", public=True), {200}),
        (lambda: projects.set_public(operator, "demo", public=False), {404}),
        (lambda: projects.grant(operator, "demo", "account:eve", Role.ADMIN), {200}),
        (lambda: projects.delete(operator, "demo"), {404}),
    ]
    for change, wanted in steps:
        for target in targets:
            any_index.get(target)
        change()
        assert statuses() == wanted
        assert statuses() == wanted


@pytest.mark.parametrize("first", range(5))
def test_the_very_first_request_after_a_change_sees_it(any_index: Index, first: int) -> None:
    """A090: each address is the first to be asked once, so that none relies on another."""
    any_index.project("demo")
    wheel = any_index.wheel("demo").filename
    targets = [
        "/simple/",
        "/simple/demo/",
        "/legacy/+simple/demo/",
        f"/packages/demo/{wheel}",
        f"/packages/demo/{wheel}.metadata",
    ]
    target = targets[first]
    projects, operator = any_index.warehouse.projects, any_index.warehouse.operator()

    def seen() -> bool:
        answer = any_index.get(target, by="eve")
        return "demo" in answer.text if first == 0 else answer.status == 200

    any_index.token("eve")
    for each in targets:
        any_index.get(each, by="eve")
        any_index.get(each)
    projects.grant(operator, "demo", "account:eve", Role.MEMBER)
    assert seen()
    projects.revoke(operator, "demo", "account:eve")
    assert not seen()
    projects.set_public(operator, "demo", public=True)
    assert seen()
    projects.set_public(operator, "demo", public=False)
    assert not seen()
    if first:
        any_index.get(target)
        projects.delete(operator, "demo")
        assert any_index.get(target).status == 404


def test_a_deleted_file_is_gone_at_the_very_next_request(any_index: Index) -> None:
    """A090"""
    any_index.project("demo")
    for version in ("1.0", "2.0"):
        target = f"/packages/demo/{any_index.wheel('demo', version).filename}"
        suffix = ".metadata" if version == "2.0" else ""
        assert any_index.get(target + suffix).status == 200
        operator = any_index.warehouse.operator()
        any_index.warehouse.files.delete(operator, "demo", target.rpartition("/")[2])
        assert any_index.get(target + suffix).status == 404


def test_lists_are_kept_apart_by_who_asks(any_index: Index) -> None:
    """A069, behaviours 2, D56"""
    any_index.project("mine", admin="ada")
    any_index.project("yours", admin="eve")
    any_index.project("ours", admin="root", public=True)
    wanted = {"ada": ["mine", "ours"], "eve": ["ours", "yours"], "root": ["ours"]}
    for _ in range(2):
        for name, projects in wanted.items():
            page = any_index.get("/simple/", by=name).text
            assert re.findall(">([a-z]+)</a>", page) == projects
    limited = any_index.token("ada", scope=Scope.READ, project="mine")
    assert re.findall(">([a-z]+)</a>", any_index.ask("GET", "/simple/", token=limited).text) == ["mine"]
    assert re.findall(">([a-z]+)</a>", any_index.get("/simple/").text) == ["mine", "ours"]


def test_reading_moves_no_serial(any_index: Index) -> None:
    any_index.project("demo")
    wheel = any_index.wheel("demo").filename
    any_index.token("ada")
    with any_index.unchanged():
        for target in ("/simple/", "/simple/demo/", f"/packages/demo/{wheel}", "/simple/nope/"):
            any_index.get(target)
            any_index.clock.pass_by(hours=1)


ROUNDABOUT = ["/static/..", "/health/..", "/static/x/../..", "/%73tatic/..", "/static//..", "/healthz/.."]


@pytest.mark.parametrize("way", ROUNDABOUT)
def test_the_ends_of_a_token_are_seen_on_whatever_way_a_page_is_reached(any_index: Index, way: str) -> None:
    any_index.project("demo")
    wheel = any_index.wheel("demo").filename
    targets = [f"{way}/packages/demo/{wheel}", f"{way}/packages/demo/{wheel}.metadata"]
    text = any_index.mint("ada")
    for target in targets:
        assert any_index.ask("GET", target, token=text).status == 200
    tokens, operator = any_index.warehouse.tokens, any_index.warehouse.operator()
    tokens.revoke(operator, text[5:15])
    for target in targets:
        assert any_index.ask("GET", target, token=text).status == 401
