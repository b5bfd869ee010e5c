"""Publishing by the legacy API: what is taken, what is refused and how, and that a refusal leaves nothing."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from warehouse14.domain.access import operator
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.model import FileType, Role, Scope
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel
from warehouse14.web.forms import ALLOWANCE
from web.asking import JSON, PRINTABLE, Answer, Index, anchors, ask
from web.bodies import BOUNDARY, form_body, part, upload_form

UV = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
WHEEL = build_wheel("demo", "1.0")
SDIST = build_sdist("demo", "1.0")
SHA256 = hashlib.sha256(WHEEL.content).hexdigest()


def may_not_upload(who: str, project: str = "demo") -> str:
    return (
        f"{who} may not upload to the project {project}. Ask one of its admins for the role admin. "
        "If it is new, create it first."
    )


def form(**changed: Any) -> list[bytes]:
    """Return the form of the wheel, with fields changed."""
    return upload_form(WHEEL, "demo", "1.0", **changed)


def content(built: BuiltFile = WHEEL, **parts: Any) -> bytes:
    return part("content", built.content, **{"filename": built.filename, **parts})


def is_refusal(answer: Answer, status: int, *words: str) -> bool:
    """The message stands in the body, and on one line in the reason phrase, where there is one."""
    assert answer.status == status
    assert PRINTABLE.match(answer.reason)
    assert answer.media_type == "text/plain"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "was ever registered" not in answer.text
    for word in words:
        assert word in answer.text
    return True


# -- what is taken ---------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/legacy/", "/simple/", "/"])
@pytest.mark.parametrize("built", [WHEEL, SDIST])
def test_an_upload_is_200_and_there_at_once(any_index: Index, target: str, built: BuiltFile) -> None:
    """A102, A112, A114, behaviours 30, 41"""
    answer = any_index.send(upload_form(built, "demo", "1.0"), target=target)
    assert (answer.status, answer.body, answer.media_type) == (200, b"", "text/plain")
    page = any_index.get("/simple/demo/")
    assert [text for _, text in anchors(page.text)] == [built.filename]
    assert any_index.get(f"/packages/demo/{built.filename}").body == built.content
    project = any_index.warehouse.projects.get(any_index.warehouse.operator(), "demo")
    assert (project.public, dict(project.grants)) == (False, {"account:ada": Role.ADMIN})


ACCEPTED: list[tuple[str, Callable[[], list[bytes]]]] = [
    ("as twine", lambda: form()),
    ("no protocol version", lambda: form(protocol_version=None)),
    ("no content type of the part", lambda: form(content_part=content())),
    ("blake2 alone", lambda: _digested(blake2_256_digest=_blake2(WHEEL.content))),
    (
        "three digests",
        lambda: _digested(
            sha256_digest=SHA256, blake2_256_digest=_blake2(WHEEL.content), md5_digest=_md5(WHEEL.content)
        ),
    ),
    (
        "digests in upper case",
        lambda: _digested(sha256_digest=SHA256.upper(), md5_digest=_md5(WHEEL.content).upper()),
    ),
    ("an empty digest", lambda: _digested(sha256_digest=SHA256, md5_digest="", blake2_256_digest="UNKNOWN")),
    ("a wheel without pyversion", lambda: form(pyversion=None)),
    ("a sdist without pyversion", lambda: upload_form(SDIST, "demo", "1.0", pyversion=None)),
    ("a sdist with an unknown pyversion", lambda: upload_form(SDIST, "demo", "1.0", pyversion="UNKNOWN")),
    ("the name in another spelling", lambda: upload_form(WHEEL, "DEMO", "1.0")),
    ("the version in another spelling", lambda: upload_form(WHEEL, "demo", "v1.0")),
    ("unknown fields", lambda: form(import_names="demo", provides_extras="x", _x="1", **{"": "no name"})),
    ("repeated lists", lambda: form(classifiers=["a", "b"], requires_dist=["c", "d"])),
    ("a wrong metadata version", lambda: form(metadata_version="2.3")),
    ("a long description", lambda: form(description="x" * 2_000_000)),
    ("a field that says UNKNOWN first", lambda: form(version=["UNKNOWN", "1.0"])),
    ("a signature", lambda: [part("gpg_signature", b"\0sig", filename="x.asc"), *form()]),
    ("content before the last fields", lambda: [*form(), part("comment", "x")]),
    ("a digest after the content too", lambda: [*form(), part("md5_digest", _md5(WHEEL.content))]),
]


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _blake2(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _digested(**digests: str) -> list[bytes]:
    return form(**{"sha256_digest": None, **digests})


@pytest.mark.parametrize("case", [name for name, _ in ACCEPTED])
def test_what_clients_send_is_taken(index: Index, case: str) -> None:
    """A095, A097 to A100"""
    answer = index.send(dict(ACCEPTED)[case]())
    assert (answer.status, answer.text) == (200, "")
    assert len(anchors(index.get("/simple/demo/").text)) == 1


def test_the_action_may_stand_in_the_query(index: Index) -> None:
    """A095"""
    parts = form(action=None)
    assert index.send(parts, target="/legacy/?:action=file_upload").status == 200
    assert index.send(parts, target="/legacy/?%3Aaction=file_upload").status == 200
    assert index.send(parts, target="/legacy/").status == 400


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_body_may_come_in_pieces_without_a_length(index: Index, size: int) -> None:
    """A113: chunked transfer; the server hands over a stream that gives what it has."""

    class Trickle:
        def __init__(self, data: bytes) -> None:
            self._data = data

        def read(self, most: int = -1) -> bytes:
            taken, self._data = self._data[:size], self._data[size:]
            return taken

    content_type, body = form_body(form())
    environ = {"wsgi.input": Trickle(body), "CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    environ["REQUEST_METHOD"] = "POST"
    headers = {"Authorization": f"Bearer {index.token('ada')}", "Content-Type": content_type}
    assert ask(index.app, "UNCHECKED", "/legacy/", headers, environ=environ).status == 200


def test_metadata_comes_from_the_file_and_not_from_the_form(index: Index) -> None:
    """A100, A054"""
    built = build_wheel("demo", "1.0", requires_python=">=3.9", summary="true")
    assert index.upload(built, "demo", requires_python=">=2", summary="false").status == 200
    file = index.warehouse.files.get(index.warehouse.operator(), "demo", built.filename)
    assert (file.requires_python, file.summary) == (">=3.9", "true")
    page = json.loads(index.get("/simple/demo/", accept=JSON).text)
    assert page["files"][0]["requires-python"] == ">=3.9"


def test_the_project_is_shown_as_its_newest_file_spells_it(index: Index) -> None:
    """Upload rule 53, behaviours 10"""
    assert index.upload(build_wheel("Demo.Pkg", "1.0"), "demo-pkg").status == 200
    assert [text for _, text in anchors(index.get("/simple/").text)] == ["Demo.Pkg"]
    assert index.upload(build_wheel("demo_pkg", "1.1"), "demo-pkg", "1.1").status == 200
    assert [text for _, text in anchors(index.get("/simple/").text)] == ["demo_pkg"]


# -- what is refused -------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], list[bytes]], int, str]] = {
    # A095; upload rules 2, 3, 9
    "no action": (lambda: form(action=None), 400, ":action"),
    "another action": (lambda: form(action="delete"), 400, ":action"),
    "submit": (lambda: form(action="submit"), 410, "submit"),
    "submit_pkg_info": (lambda: [part(":action", "submit_pkg_info")], 410, "submit_pkg_info"),
    "doc_upload": (lambda: form(action="doc_upload"), 410, "doc_upload"),
    "protocol 2": (lambda: form(protocol_version="2"), 400, "protocol_version"),
    # upload rules 10, 11, 20, 34, 39
    "no name": (lambda: form(name=None), 400, "name"),
    "name UNKNOWN": (lambda: form(name="UNKNOWN"), 400, "name"),
    "empty name": (lambda: upload_form(WHEEL, "", "1.0"), 400, "name"),
    "no version": (lambda: form(version=None), 400, "version"),
    "bad version": (lambda: upload_form(WHEEL, "demo", "one"), 400, "version"),
    "another version": (lambda: upload_form(WHEEL, "demo", "1.1"), 400, "version"),
    "no filetype": (lambda: form(filetype=None), 400, "filetype"),
    "egg": (lambda: form(filetype="bdist_egg"), 400, "filetype"),
    "filetype of a sdist": (lambda: form(filetype="sdist", pyversion=""), 400, "filetype"),
    "no content": (lambda: form()[:-1], 400, "content"),
    "no parts": (list, 400, ":action"),
    # A026, A109; upload rules 15, 42, 57, 56, 58, 59
    "name with a newline": (lambda: upload_form(WHEEL, "demo\n", "1.0"), 400, "name"),
    "name with a dash at its end": (lambda: upload_form(WHEEL, "demo-", "1.0"), 400, "name"),
    "name that is not ASCII": (lambda: upload_form(WHEEL, "démo", "1.0"), 400, "name"),
    "name with a slash": (lambda: upload_form(WHEEL, "../demo", "1.0"), 400, "name"),
    "a long name": (lambda: upload_form(WHEEL, "d" * 201, "1.0"), 400, "name"),
    "pyversion of a sdist": (lambda: upload_form(SDIST, "demo", "1.0", pyversion="py3"), 400, "pyversion"),
    "an image": (lambda: _content(content_type="image/png"), 400, "image"),
    "a file name with a path": (lambda: _content(filename=f"../{WHEEL.filename}"), 400, "content"),
    "a file name with a backslash": (lambda: _content(filename=f"a\\\\{WHEEL.filename}"), 400, "content"),
    "a file name with a NUL": (lambda: _content(filename=f"a\0{WHEEL.filename}"), 400, "content"),
    "a file name with a newline": (lambda: _content(filename=f"a%0A{WHEEL.filename}"), 400, "content"),
    "an empty file name": (lambda: _content(filename=""), 400, "content"),
    "a file name of dots": (lambda: _content(filename=".."), 400, "content"),
    "a file name that is too long": (
        lambda: _content(filename="demo-1.0" + "0" * 300 + ".tar.gz"),
        400,
        "240",
    ),
    "a file name of no distribution": (lambda: _content(filename="demo-1.0.exe"), 400, "extension"),
    "a file name of another project": (lambda: _content(filename="other-1.0-py3-none-any.whl"), 400, "other"),
    "a file name not normalized": (lambda: _content(filename="Demo-1.0-py3-none-any.whl"), 400, "demo-"),
    "a file name that is not ASCII": (lambda: _content(filename="démo-1.0-py3-none-any.whl"), 400, "name"),
    "a file name that is not UTF-8": (lambda: _content(filename=b"\xff-1.0-py3-none-any.whl"), 400, "form"),
    "content without a file name": (lambda: _content(filename=None), 400, "content"),
    # A097; upload rules 4, 5, 17
    "a field as a file": (lambda: [part("summary", "x", filename="x.txt"), *form()], 400, "summary"),
    "two names": (lambda: form(name=["demo", "demo"]), 400, "more than once"),
    "two files": (lambda: [*form(), content()], 400, "one file"),
    "content first": (lambda: list(reversed(form())), 400, "missing"),
    "a name with NUL": (lambda: upload_form(WHEEL, "de\0mo", "1.0"), 400, "NUL"),
    "a name that is not UTF-8": (lambda: upload_form(WHEEL, b"de\xffmo", "1.0"), 400, "UTF-8"),
    "a huge field": (lambda: form(version="1" * 5000), 400, "version"),
    "too much of unknown fields": (lambda: form(description="x" * 8_400_000), 400, "bytes"),
    "too many fields": (lambda: form(classifiers=["x"] * 20_001), 400, "too large"),
    "too long headers together": (
        lambda: [*form(), *(part("x", "1", content_type="x" * 15_000) for _ in range(600))],
        400,
        "fields of the form",
    ),
    "too long a header": (lambda: [part("x" * 20_000, "1"), *form()], 400, "too large"),
    # A098; upload rules 12, 13, 16, 62
    "no digest": (lambda: _digested(), 400, "sha256_digest"),
    "md5 alone": (lambda: _digested(md5_digest=_md5(WHEEL.content)), 400, "md5"),
    "a digest that is none": (lambda: _digested(sha256_digest="x" * 64), 400, "sha256_digest"),
    "a short digest": (lambda: _digested(sha256_digest=SHA256[:-1]), 400, "sha256_digest"),
    "a wrong sha256": (lambda: _digested(sha256_digest="0" * 64), 400, "sha256_digest"),
    "a wrong blake2": (
        lambda: _digested(sha256_digest=SHA256, blake2_256_digest="0" * 64),
        400,
        "blake2_256_digest",
    ),
    "a wrong md5": (lambda: _digested(sha256_digest=SHA256, md5_digest="0" * 32), 400, "md5_digest"),
    "a wrong digest after the content": (lambda: [*form(), part("md5_digest", "0" * 32)], 400, "md5_digest"),
    # A109, A110
    "no archive": (lambda: _named(b"no archive"), 400, "demo-1.0"),
    "an empty file": (lambda: _named(b""), 400, "demo-1.0"),
    "a sdist under a wheel's name": (lambda: _named(SDIST.content), 400, "demo-1.0"),
    "the wheel of another project": (lambda: _named(build_wheel("other", "1.0").content), 400, "demo"),
    "the wheel of another version": (lambda: _named(build_wheel("demo", "2.0").content), 400, "demo"),
    "metadata 2.0": (lambda: _named(build_wheel("demo", "1.0", metadata_version="2.0").content), 400, "2.0"),
}


def _content(**changed: Any) -> list[bytes]:
    return form(content_part=content(**changed))


def _named(data: bytes) -> list[bytes]:
    return upload_form(BuiltFile(WHEEL.filename, data, FileType.WHEEL), "demo", "1.0")


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_and_leaves_nothing(any_lasting_index: Index, case: str) -> None:
    """A095, A097, A098, A105, A109, A110, A117: in the store, in the database, not even a project."""
    build, status, word = REFUSED[case]
    any_lasting_index.token("ada")
    with any_lasting_index.unchanged():
        answer = any_lasting_index.send(build())
    assert is_refusal(answer, status, word)
    assert any_lasting_index.get("/simple/demo/").status == 404


def body_of(parts: list[bytes] | None = None) -> bytes:
    return form_body(parts or form())[1]


BODIES: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "cut off in the content": (BOUNDARY, lambda: body_of()[:-200], 400),
    "cut off before the last line": (BOUNDARY, lambda: body_of()[: -len(BOUNDARY) - 6], 400),
    "cut off in the last line": (BOUNDARY, lambda: body_of()[:-4], 400),
    "cut off in the headers": (BOUNDARY, lambda: body_of()[:90], 400),
    "cut off in a field": (BOUNDARY, lambda: body_of()[:200], 400),
    "empty": (BOUNDARY, lambda: b"", 400),
    "another boundary": ("other", lambda: body_of(), 400),
    "no boundary": ("", lambda: body_of(), 415),
    "line feeds alone": (BOUNDARY, lambda: body_of().replace(b"\r\n", b"\n"), 400),
    "garbage": (BOUNDARY, lambda: bytes(range(256)) * 50, 400),
    "no disposition": (BOUNDARY, lambda: body_of([b"Content-Type: text/plain\r\n\r\nx\r\n"]), 400),
    "no name": (BOUNDARY, lambda: body_of([b"Content-Disposition: form-data\r\n\r\nx\r\n"]), 400),
    "another disposition": (
        BOUNDARY,
        lambda: body_of([b'Content-Disposition: file; name="x"\r\n\r\nx\r\n']),
        400,
    ),
    "a header without a colon": (BOUNDARY, lambda: body_of([b"nonsense\r\n\r\nx\r\n"]), 400),
    "a length of a part that is wrong": (
        BOUNDARY,
        lambda: body_of([b'Content-Disposition: form-data; name="x"\r\nContent-Length: 99\r\n\r\nx\r\n']),
        400,
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_is_no_form_is_refused_and_leaves_nothing(any_lasting_index: Index, case: str) -> None:
    """A097, A117, behaviours 46, 48"""
    boundary, build, status = BODIES[case]
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    any_lasting_index.token("ada")
    with any_lasting_index.unchanged():
        answer = any_lasting_index.ask("POST", "/legacy/", headers=headers, body=build())
    assert is_refusal(answer, status)
    assert any_lasting_index.get("/simple/demo/").status == 404


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart",
        ";;;",
        "\xff",
    ],
)
def test_a_body_of_another_type_is_415(stocked: Index, content_type: str) -> None:
    """Behaviours 35"""
    stocked.token("ada")
    with stocked.unchanged():
        answer = stocked.ask("POST", "/legacy/", headers={"Content-Type": content_type}, body=body_of())
    assert is_refusal(answer, 415, "multipart/form-data")


# -- the same file twice -----------------------------------------------------------------


def test_unsorted_tags_in_a_wheels_name_are_taken_with_a_warning_in_the_answer(any_index: Index) -> None:
    """Upload rule 83, A102"""
    built = build_wheel("demo", "1.0", tag="py3.py2-none-any")
    for _ in range(2):
        answer = any_index.upload(built, "demo")
        assert (answer.status, answer.media_type) == (200, "text/plain")
        assert answer.text == f"{built.filename}: the tags py3.py2 should be sorted: py2.py3.\n"
    assert any_index.upload(build_wheel("demo", "1.0", tag="py2.py3-none-any"), "demo").text == ""


def test_identical_bytes_are_200_and_change_nothing(any_index: Index) -> None:
    """A103; upload rule 63"""
    for built in (WHEEL, SDIST):
        assert any_index.upload(built, "demo").status == 200
        pages = any_index.get("/simple/demo/").whole
        with any_index.unchanged():
            again = any_index.upload(built, "demo")
        assert (again.status, again.body) == (200, b"")
        assert any_index.get("/simple/demo/").whole == pages


def test_identical_bytes_need_the_right_to_upload_as_well(any_index: Index) -> None:
    """A103, A108"""
    assert any_index.upload(WHEEL, "demo").status == 200
    assert any_index.upload(WHEEL, "demo", by="eve").status == 403
    assert any_index.send(form(), None).status == 401


def test_other_bytes_under_a_listed_name_are_409(any_index: Index) -> None:
    """A104; upload rule 64, behaviours 36"""
    assert any_index.upload(WHEEL, "demo").status == 200
    with any_index.unchanged():
        answer = any_index.upload(build_wheel("demo", "1.0", body=b"other"), "demo")
    assert is_refusal(answer, 409, "File already exists")
    assert "File already exists" in answer.reason
    assert any_index.get(f"/packages/demo/{WHEEL.filename}").body == WHEEL.content


def test_a_conflict_is_said_before_the_archive_is_opened(any_index: Index) -> None:
    """Upload rules: cheap refusals, identical bytes, conflict, and then the archive."""
    assert any_index.upload(WHEEL, "demo").status == 200
    with any_index.unchanged():
        assert any_index.send(_named(b"no archive")).status == 409


@pytest.mark.parametrize("how", ["file", "release"])
@pytest.mark.parametrize("body", [b"", b"other"])
def test_a_deleted_name_takes_no_bytes_again(any_index: Index, how: str, body: bytes) -> None:
    """A093; upload rule 65, behaviours J"""
    assert any_index.upload(WHEEL, "demo").status == 200
    files, operator = any_index.warehouse.files, any_index.warehouse.operator()
    if how == "file":
        files.delete(operator, "demo", WHEEL.filename)
    else:
        files.delete_release(operator, "demo", "1.0")
    with any_index.unchanged():
        answer = any_index.upload(build_wheel("demo", "1.0", body=body), "demo")
    assert is_refusal(answer, 400, "restored")
    assert "already exist" not in answer.text + answer.reason
    assert any_index.upload(build_wheel("demo", "1.0.post1"), "demo", "1.0.post1").status == 200


def test_a_release_is_known_by_its_canonical_version(any_index: Index) -> None:
    """Upload rule 55"""
    assert any_index.upload(build_wheel("demo", "1.0"), "demo", "1.0").status == 200
    assert any_index.upload(build_sdist("demo", "1.0"), "demo", "1.0.0").status == 200
    assert json.loads(any_index.get("/simple/demo/", accept=JSON).text)["versions"] == ["1.0"]


def test_of_two_at_once_one_wins_and_the_other_leaves_nothing(any_index: Index) -> None:
    """A111, behaviours 49"""
    any_index.project("demo")
    any_index.token("ada")
    answers: dict[int, int] = {}
    start = threading.Barrier(4)

    def send(number: int) -> None:
        built = build_wheel("demo", "1.0", body=b"%d" % (number % 2))
        start.wait()
        answers[number] = any_index.upload(built, "demo").status

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_bytes = sorted([{answers[0], answers[2]}, {answers[1], answers[3]}], key=sorted)
    assert by_bytes == [{200}, {409}]
    with any_index.warehouse.units.read() as unit:
        assert [change.action for change in unit.journal.since(0, 100)].count("file.upload") == 1
        (listed,) = unit.files.of("demo")
    assert {blob.key for blob in any_index.warehouse.store.keys()} == set(listed.keys)
    assert not any_index.remains()[3]


@contextmanager
def before_the_commit(
    index: Index, meanwhile: Callable[[], object], *, then: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Do something else when the next upload has passed every look, right before its blobs are put; and
    something ``then``, right after."""
    store, stage = index.warehouse.store, index.warehouse.store.stage

    class Slow:
        def __init__(self, staged: Any) -> None:
            self._staged = staged

        def __getattr__(self, name: str) -> Any:
            return getattr(self._staged, name)

        def commit(self, key: str) -> None:
            store.stage = stage
            meanwhile()
            self._staged.commit(key)
            then()

    @contextmanager
    def slowly() -> Iterator[Slow]:
        with stage() as staged:
            yield Slow(staged)

    store.stage = slowly
    try:
        yield
    finally:
        store.stage = stage


OTHER = build_wheel("demo", "1.0", body=b"other")


@pytest.mark.parametrize(
    ("faster", "by", "status"),
    [(OTHER, "ada", 409), (OTHER, "eve", 403), (WHEEL, "eve", 403), (WHEEL, "ada", 200)],
    ids=["other bytes", "a stranger's other bytes", "a stranger's same bytes", "the same bytes"],
)
def test_who_loses_a_first_upload_leaves_the_blobs_of_the_winner_alone(
    any_index: Index, faster: BuiltFile, by: str, status: int
) -> None:
    any_index.token("ada")
    any_index.token(by)
    with before_the_commit(any_index, lambda: any_index.upload(faster, "demo", by=by)):
        assert any_index.upload(WHEEL, "demo").status == status
    with any_index.warehouse.units.read() as unit:
        (listed,) = unit.files.of("demo")
    assert listed.sha256 == hashlib.sha256(faster.content).hexdigest()
    assert {blob.key for blob in any_index.warehouse.store.keys()} == set(listed.keys)


def test_who_loses_the_right_to_upload_in_the_middle_leaves_no_blob(any_index: Index) -> None:
    any_index.project("demo")
    operator = any_index.warehouse.operator()
    any_index.account("bob")
    any_index.warehouse.projects.grant(operator, "demo", "account:bob", Role.ADMIN)
    any_index.token("bob")

    def withdraw() -> None:
        any_index.warehouse.projects.revoke(operator, "demo", "account:bob")

    with before_the_commit(any_index, withdraw):
        answer = any_index.upload(WHEEL, "demo", by="bob")
    assert is_refusal(answer, 403, may_not_upload("bob"))
    assert any_index.remains()[2:] == ([], [])


@pytest.mark.parametrize("sent", [WHEEL, OTHER])
def test_a_file_that_was_deleted_in_the_middle_keeps_its_blobs_and_the_sender_leaves_none(
    any_index: Index, sent: BuiltFile
) -> None:
    any_index.project("demo")
    operator = any_index.warehouse.operator()

    def publish_and_delete() -> None:
        assert any_index.upload(WHEEL, "demo").status == 200
        any_index.warehouse.files.delete(operator, "demo", WHEEL.filename)

    with before_the_commit(any_index, publish_and_delete):
        answer = any_index.upload(sent, "demo")
    assert is_refusal(answer, 400, f"{WHEEL.filename} was deleted")
    with any_index.warehouse.units.read() as unit:
        (deleted,) = unit.files.of("demo")
    assert {blob.key for blob in any_index.warehouse.store.keys()} == set(deleted.keys)


def lose(index: Index) -> None:
    """Take every blob away, behind the back of the index."""
    for blob in list(index.warehouse.store.keys()):
        index.warehouse.store.delete(blob.key)


def test_a_listed_file_whose_bytes_are_lost_again_at_once_is_not_taken_for_published(
    any_index: Index,
) -> None:
    any_index.project("demo")
    assert any_index.upload(WHEEL, "demo").status == 200
    lose(any_index)
    with before_the_commit(any_index, lambda: None, then=lambda: lose(any_index)):
        answer = any_index.upload(WHEEL, "demo")
    assert is_refusal(answer, 503, "cleared away meanwhile")
    assert any_index.upload(WHEEL, "demo").status == 200


def test_a_listed_file_that_is_deleted_while_its_bytes_are_put_again_is_not_taken_for_published(
    any_index: Index,
) -> None:
    any_index.project("demo")
    assert any_index.upload(WHEEL, "demo").status == 200
    lose(any_index)
    operator = any_index.warehouse.operator()
    delete = partial(any_index.warehouse.files.delete, operator, "demo", WHEEL.filename)
    with before_the_commit(any_index, delete):
        answer = any_index.upload(WHEEL, "demo")
    assert is_refusal(answer, 400, f"{WHEEL.filename} was deleted")


def test_a_listed_file_whose_project_is_deleted_while_its_bytes_are_put_again_is_not_taken_for_published(
    any_index: Index,
) -> None:
    any_index.project("demo")
    assert any_index.upload(WHEEL, "demo").status == 200
    lose(any_index)
    with before_the_commit(any_index, partial(any_index.warehouse.projects.delete, operator(), "demo")):
        answer = any_index.upload(WHEEL, "demo")
    assert is_refusal(answer, 403, may_not_upload("ada"))


# -- who may -----------------------------------------------------------------------------


def rights(index: Index) -> None:
    index.project("demo", member="bob")
    index.project("pub", public=True)
    index.account("root", administrator=True)


def test_a_token_that_only_reads_is_told_so_on_every_name_alike(any_index: Index) -> None:
    rights(any_index)
    for project in ("demo", "theirs", "new", "namespaces"):
        text = any_index.token("ada", Scope.READ)
        content_type, body = form_body(upload_form(build_wheel(project, "1.0"), project, "1.0"))
        answer = any_index.ask(
            "POST", "/legacy/", token=text, headers={"Content-Type": content_type}, body=body
        )
        assert is_refusal(answer, 403, "This token does not publish. Make one with the scope upload.")


@pytest.mark.parametrize(
    ("by", "project", "status"),
    [
        ("ada", "demo", 200),
        ("bob", "demo", 403),
        ("eve", "demo", 403),
        ("root", "demo", 403),
        ("ada", "pub", 200),
        ("eve", "pub", 403),
        (None, "demo", 401),
        (None, "new", 401),
        ("eve", "new", 200),
    ],
)
def test_roles_decide_who_uploads(any_index: Index, by: str | None, project: str, status: int) -> None:
    """A107, A108, behaviours 40, 69, J"""
    rights(any_index)
    built = build_wheel(project, "1.0")
    if by:
        any_index.token(by)
    before = any_index.remains()
    answer = any_index.upload(built, project, by=by)
    assert answer.status == status
    if status != 200:
        assert any_index.remains() == before
    if status == 403:
        assert is_refusal(answer, 403, may_not_upload(by, project))
        assert answer.reason == may_not_upload(by, project)
    if status == 401:
        assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("scope", "limit", "project", "status"),
    [
        (Scope.READ, None, "demo", 403),
        (Scope.READ, None, "new", 403),
        (Scope.READ, "demo", "demo", 403),
        (Scope.UPLOAD, None, "demo", 200),
        (Scope.UPLOAD, None, "new", 200),
        (Scope.UPLOAD, "demo", "demo", 200),
        (Scope.UPLOAD, "demo", "pub", 403),
        (Scope.UPLOAD, "demo", "new", 403),
        (Scope.UPLOAD, "pub", "demo", 403),
    ],
)
def test_a_token_s_scope_and_project_hold_it_back(
    any_index: Index, scope: Scope, limit: str | None, project: str, status: int
) -> None:
    """Issue item 8, behaviours 63: a token for one project creates nothing."""
    rights(any_index)
    token = any_index.token("ada", scope, limit)
    before = any_index.remains()
    answer = any_index.send(upload_form(build_wheel(project, "1.0"), project, "1.0"), token=token)
    assert answer.status == status
    if status == 403:
        assert any_index.remains() == before


def test_a_refusal_is_the_same_for_public_hidden_reserved_and_deleted_names(any_index: Index) -> None:
    """Upload rule 43, behaviours J"""
    rights(any_index)
    any_index.project("gone")
    any_index.warehouse.projects.delete(any_index.warehouse.operator(), "gone")
    any_index.token("eve")
    texts = set()
    with any_index.unchanged():
        for name in ("demo", "pub", "gone", "namespaces", "namespace", "Namespace", "NAMESPACES"):
            answer = any_index.upload(build_wheel(name, "1.0"), name, by="eve")
            key = name.lower()
            headers = [item for item in answer.lasting if item[0] != "Content-Length"]
            texts.add(
                (answer.status, answer.reason.replace(key, "X"), answer.text.replace(key, "X"), str(headers))
            )
    assert len(texts) == 1
    assert texts.pop()[0] == 403


@pytest.mark.parametrize("by", ["ada", "root"])
def test_a_deleted_project_s_name_stays_taken_also_for_its_owner(any_index: Index, by: str) -> None:
    """Issue item 3"""
    rights(any_index)
    any_index.warehouse.projects.delete(any_index.warehouse.operator(), "demo")
    any_index.token(by)
    with any_index.unchanged():
        assert any_index.upload(WHEEL, "demo", by=by).status == 403


def test_where_first_uploads_create_nothing_they_are_403(opener: Callable[..., Index]) -> None:
    """A114, behaviours 41"""
    index = opener(create_on_upload="false")
    index.token("ada")
    with index.unchanged():
        assert is_refusal(index.upload(WHEEL, "demo"), 403, may_not_upload("ada"))
    index.project("demo")
    assert index.upload(WHEEL, "demo").status == 200


def test_rights_are_decided_before_the_content_is_read(any_index: Index) -> None:
    """A108: neither bad content nor wrong digests, nor that the file is there, change the answer."""
    rights(any_index)
    any_index.upload(WHEEL, "demo")
    for parts in (
        form(),
        upload_form(build_wheel("demo", "1.0", body=b"other"), "demo", "1.0"),
        upload_form(build_wheel("demo", "9.0"), "demo", "9.0"),
        _named(b"no archive"),
        form(sha256_digest="0" * 64),
    ):
        assert any_index.send(parts, "eve").status == 403


def test_nobody_is_refused_whatever_they_send(index: Index) -> None:
    """A107, A108"""
    whole = index.send([], None).whole
    assert whole[0] == 401
    for case in list(REFUSED)[::7]:
        assert index.send(REFUSED[case][0](), None).whole == whole
    assert index.ask("POST", "/legacy/", None, headers={"Content-Length": "99999999999"}).whole == whole


# -- how much ----------------------------------------------------------------------------


def test_a_file_at_the_limit_is_taken_and_one_byte_more_is_413(opener: Callable[..., Index]) -> None:
    """Upload rule 60, behaviours 45: counted while it comes in."""
    small, large = WHEEL, build_wheel("demo", "2.0", body=b"some more than nothing")
    assert len(large.content) > len(small.content)
    index = opener(max_file_bytes=str(len(small.content)))
    assert index.upload(small, "demo").status == 200
    with index.unchanged():
        answer = index.upload(large, "demo", "2.0")
    assert is_refusal(answer, 413, str(len(small.content)), "max_file_bytes")


def test_an_announced_length_above_the_limit_is_413_before_the_body_is_read(
    opener: Callable[..., Index],
) -> None:
    """Upload rule 60"""

    class Unread:
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    index = opener(max_file_bytes="1000")
    headers = {
        "Authorization": f"Bearer {index.token('ada')}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(1001 + ALLOWANCE),
    }
    environ = {"wsgi.input": Unread(), "REQUEST_METHOD": "POST"}
    with index.unchanged():
        answer = ask(index.app, "UNCHECKED", "/legacy/", headers, environ=environ)
    assert is_refusal(answer, 413, "1000")


def test_a_body_of_unknown_length_that_does_not_end_is_413_where_it_passes_the_limit(
    opener: Callable[..., Index],
) -> None:
    """Not every server counts: what comes before the first boundary is in no field."""

    class Endless:
        given = 0

        def read(self, size: int) -> bytes:
            self.given += size
            return b"x" * size

    index, body = opener(max_file_bytes="1000"), Endless()
    headers = {
        "Authorization": f"Bearer {index.token('ada')}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "REQUEST_METHOD": "POST"}
    with index.unchanged():
        answer = ask(index.app, "UNCHECKED", "/legacy/", headers, environ=environ)
    assert is_refusal(answer, 413, "1000")
    assert body.given < 2 * ALLOWANCE


# -- how errors are written ---------------------------------------------------------------


@pytest.mark.parametrize("accept", [UV, "application/json", "application/json, */*;q=0.1"])
def test_an_error_is_json_for_those_who_prefer_it(any_index: Index, accept: str) -> None:
    """A105, A104"""
    any_index.upload(WHEEL, "demo")
    other = upload_form(build_wheel("demo", "1.0", body=b"other"), "demo", "1.0")
    answer = any_index.send(other, Accept=accept)
    assert answer.headers["Content-Type"] == "application/json"
    value = json.loads(answer.text)
    assert set(value) == {"message", "code", "title"}
    assert (value["code"], value["title"]) == (f"409 {value['message']}", "Conflict")
    assert "File already exists" in value["message"]
    assert "File already exists" in answer.reason
    for by, status in (("eve", 403), (None, 401)):
        refused = any_index.send(other, by, Accept=accept)
        assert json.loads(refused.text)["code"].startswith(f"{status} ")


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "text/html", "text/plain, application/json;q=0.5", "", ";;application/json", "q=;"],
)
def test_an_error_is_text_for_everybody_else(stocked: Index, accept: str | None) -> None:
    """A105"""
    headers = {} if accept is None else {"Accept": accept}
    answer = stocked.send(form(version="one"), **headers)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert len(answer.text) < 1000
    assert "'one' is not a version" in answer.text


@pytest.mark.parametrize(
    "version",
    [
        "1\r\nSet-Cookie: a=b",
        "1\nX: y",
        "é",
        "\u2028",
        "1" * 4000,
        "\x7f",
        "\x1b[31m",
        "日本語",
        "<b>",
        "\x85",
    ],
)
def test_a_reason_phrase_is_one_short_line_of_ascii(stocked: Index, version: str) -> None:
    """A105"""
    for accept in (UV, "*/*"):
        answer = stocked.send(upload_form(WHEEL, "demo", version), Accept=accept)
        assert answer.status == 400
        assert re.fullmatch(r"[\x20-\x7e]{1,300}", answer.reason)
        assert "Set-Cookie" not in answer.headers
        assert "X" not in answer.headers


# -- near misses ---------------------------------------------------------------------------

UPLOAD_HERE = "http://index.example/legacy/"


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("POST", "/simple/demo/", "GET, HEAD"),
        ("PUT", "/simple/demo/", "GET, HEAD"),
        ("POST", "/simple/demo", "GET, HEAD"),
        ("PUT", "/legacy/", "POST"),
        ("GET", "/legacy/", "POST"),
        ("HEAD", "/legacy/", "POST"),
        ("GET", "/legacy", "POST"),
        ("DELETE", "/simple/", "GET, HEAD, POST"),
        ("PUT", "/", "GET, HEAD, POST"),
        ("POST", "/legacy/+simple/", "GET, HEAD"),
        ("POST", "/legacy/+simple", "GET, HEAD"),
        ("POST", "/legacy/+simple/demo/", "GET, HEAD"),
        ("POST", f"/packages/demo/{WHEEL.filename}", "GET, HEAD"),
        ("DELETE", f"/packages/demo/{WHEEL.filename}", "GET, HEAD"),
        ("POST", f"/packages/demo/{WHEEL.filename}.metadata", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_the_wrong_method_is_405_and_names_the_upload_address(
    stocked: Index, method: str, target: str, allow: str
) -> None:
    """A029; upload rule 1, behaviours 13"""
    content_type, body = form_body(upload_form(build_wheel("demo", "2.0"), "demo", "2.0"))
    sent = {"headers": {"Content-Type": content_type}, "body": body} if method in {"POST", "PUT"} else {}
    with stocked.unchanged():
        answer = stocked.ask(method, target, **sent)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)
    if method != "HEAD":
        assert UPLOAD_HERE in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "/legacy/demo/",
        "/legacy/x",
        "/pypi/",
        "/pypi",
        "/upload/",
        "/legacy/legacy/",
        "/simple/nope/",
        "/simple/simple/",
        "/simple/demo/1.0/",
        "/packages/",
        "/packages/demo/",
        "/legacy/+simple/nope/",
    ],
)
def test_a_near_miss_is_404_and_names_the_upload_address(stocked: Index, target: str) -> None:
    """Upload rule 1"""
    stocked.token("ada")
    with stocked.unchanged():
        answer = stocked.send(upload_form(build_wheel("demo", "2.0"), "demo", "2.0"), target=target)
    assert is_refusal(answer, 404, UPLOAD_HERE)


def test_hatch_finds_out_what_is_there(any_index: Index) -> None:
    """A116"""
    any_index.upload(WHEEL, "demo")
    headers = {"Accept": "*/*"}
    for target in ("/legacy/%2Bsimple/demo/", "/legacy/+simple/demo/"):
        answer = any_index.ask("GET", target, headers=headers)
        assert (answer.status, answer.media_type) == (200, "text/html")
        # As hatch reads it.
        assert re.findall("<a [^>]+>([^<]+)</a>", answer.text) == [WHEEL.filename]
    assert any_index.get("/legacy/%2Bsimple/nope/").status == 404
    assert any_index.get("/legacy/%2Bsimple/demo/", by="eve").status == 404


# -- when something fails in the middle -----------------------------------------------------


@pytest.mark.parametrize("failing", ["stage", "put"])
def test_a_store_that_fails_is_503_with_retry_after_and_nothing_is_listed(
    index: Index, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A077, A111, A117: the next upload works."""

    def fail(*arguments: object) -> None:
        raise Unavailable("The disk is full.")

    index.token("ada")
    with monkeypatch.context() as broken:
        broken.setattr(index.warehouse.store, failing, fail)
        answer = index.upload(WHEEL, "demo")
    assert is_refusal(answer, 503, "The disk is full.")
    assert int(answer.headers["Retry-After"]) > 0
    assert index.get("/simple/demo/").status == 404
    assert not index.remains()[3]
    assert index.upload(WHEEL, "demo").status == 200


def test_what_nobody_foresaw_is_500_without_a_word_on_why(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("a secret detail")

    index.token("ada")
    with monkeypatch.context() as broken:
        broken.setattr(index.warehouse.store, "stage", fail)
        answer = index.upload(WHEEL, "demo")
    assert answer.status == 500
    assert "secret" not in answer.text + answer.reason
    assert "a secret detail" in caplog.text


def test_an_upload_needs_no_csrf_token_and_no_origin(index: Index) -> None:
    """Architecture 4: credentials of the request's own stand for it."""
    answer = index.send(form(), Origin="https://evil.example", Referer="https://x.example")
    assert answer.status == 200
