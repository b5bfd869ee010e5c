"""Files and the core metadata beside them: whole, in parts, and not at all."""

import hashlib
import io
import tarfile
import zipfile
from email.utils import format_datetime

import pytest

from warehouse14.testing.builders import build_wheel
from web.asking import WHEN, Index

BODY = bytes(range(256)) * 40


def fill(index: Index) -> Index:
    index.project("demo")
    index.wheel("demo", extra_members={"demo.bin": BODY})
    index.sdist("demo")
    return index


@pytest.fixture
def filled(any_index: Index) -> Index:
    """A project with a wheel and a sdist."""
    return fill(any_index)


@pytest.fixture(scope="module")
def served(any_lasting_index: Index) -> Index:
    """The same for tests that only look at it."""
    return fill(any_lasting_index)


WHEEL = "/packages/demo/demo-1.0-py3-none-any.whl"
SDIST = "/packages/demo/demo-1.0.tar.gz"


@pytest.mark.parametrize("target", [WHEEL, SDIST, f"{WHEEL}.metadata", f"{SDIST}.metadata"])
def test_a_file_comes_whole_with_all_its_headers(served: Index, target: str) -> None:
    """A078, A079, A084, behaviours 17, 18, 26, 29"""
    answer = served.get(target, Accept_Encoding="gzip, deflate")
    assert answer.status == 200
    assert dict(answer.headers.items()) == {
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(answer.body).hexdigest()}"',
        "Last-Modified": format_datetime(WHEN, usegmt=True),
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Authorization",
        "Content-Length": str(len(answer.body)),
        "X-Request-ID": answer.headers["X-Request-ID"],
    }


@pytest.mark.parametrize("target", [WHEEL, SDIST, f"{WHEEL}.metadata", f"{SDIST}.metadata"])
def test_head_is_answered_directly(served: Index, target: str) -> None:
    """A081, A027"""
    got, head = served.get(target), served.ask("HEAD", target)
    assert (head.status, head.body) == (200, b"")
    (_, _, heads, _), (_, _, gots, _) = head.whole, got.whole
    assert heads == gots


def test_the_bytes_are_those_that_were_sent(index: Index) -> None:
    """A078, behaviours 18"""
    built = build_wheel("demo", "1.0", extra_members={"big": BODY * 100})
    assert index.upload(built, "demo").status == 200
    assert index.get(WHEEL).body == built.content


def test_metadata_is_that_of_the_archive(served: Index) -> None:
    """A085"""
    with zipfile.ZipFile(io.BytesIO(served.get(WHEEL).body)) as archive:
        assert served.get(f"{WHEEL}.metadata").body == archive.read("demo-1.0.dist-info/METADATA")
    with tarfile.open(fileobj=io.BytesIO(served.get(SDIST).body)) as archive:
        member = archive.extractfile("demo-1.0/PKG-INFO")
        assert member is not None
        assert served.get(f"{SDIST}.metadata").body == member.read()


@pytest.mark.parametrize(
    ("version", "parts", "served"),
    [
        ("2.0", {"metadata_version": "2.1"}, False),
        ("2.0", {"metadata_version": "2.2"}, True),
        ("2.0", {"metadata_version": "2.4", "dynamic": ["Requires-Dist"]}, False),
        ("2.0", {"metadata_version": "2.4", "dynamic": ["requires-python"]}, False),
        ("2.0", {"metadata_version": "2.4", "dynamic": ["Provides-Extra"]}, False),
        ("2.0", {"metadata_version": "2.4", "dynamic": ["License", "Summary"]}, True),
    ],
)
def test_a_sdist_has_metadata_only_if_it_is_final(
    filled: Index, version: str, parts: dict, served: bool
) -> None:
    """A085, A086"""
    built = filled.sdist("demo", version, **parts)
    assert filled.get(f"/packages/demo/{built.filename}.metadata").status == (200 if served else 404)


@pytest.mark.parametrize(
    "target",
    [
        f"{WHEEL}.metadata.metadata",
        f"{WHEEL}.asc",
        f"{WHEEL}.provenance",
        f"{WHEEL}.sig",
        f"{WHEEL}.json",
        f"{WHEEL}/x",
        f"{WHEEL}%2Fx",
        "/packages/demo/.metadata",
        "/packages/demo/METADATA",
        "/packages/demo/demo-2.0-py3-none-any.whl",
        "/packages/demo/demo-2.0-py3-none-any.whl.metadata",
        "/packages/demo/demo-1.0.zip",
        "/packages/demo/DEMO-1.0.tar.gz",
        "/packages/demo/",
        "/packages/",
        "/packages/other/demo-1.0.tar.gz",
        "/packages/demo/..%2Fdemo-1.0.tar.gz",
        "/packages/demo/%2e%2e/%2e%2e/etc/passwd",
        "/packages/demo/a%00b",
        "/packages/demo/a%0Ab",
        "/packages/demo/" + "a" * 5000,
        "/packages/demo/%ff",
    ],
)
def test_nothing_else_is_there(served: Index, target: str) -> None:
    """A025, A086, A087, behaviours 23, 24, 25"""
    assert served.get(target).status == 404


def size(index: Index) -> int:
    return len(index.get(WHEEL).body)


RANGES = [
    # What is asked for (N stands for the size), and which slice comes.
    ("bytes=0-0", slice(0, 1)),
    ("bytes=0-9", slice(0, 10)),
    ("bytes=10-", slice(10, None)),
    ("bytes=5-99999999", slice(5, None)),
    ("bytes=-1", slice(-1, None)),
    ("bytes=-100", slice(-100, None)),
    ("bytes=-99999999", slice(0, None)),
    ("bytes=0-", slice(0, None)),
    (" bytes=3-4 ", slice(3, 5)),
]


@pytest.mark.parametrize(("asked", "wanted"), RANGES)
@pytest.mark.parametrize("target", [WHEEL, f"{WHEEL}.metadata"])
def test_a_range_is_sent_alone(served: Index, target: str, asked: str, wanted: slice) -> None:
    """A082"""
    whole = served.get(target).body
    answer = served.get(target, Range=asked)
    assert (answer.status, answer.body) == (206, whole[wanted])
    start = wanted.indices(len(whole))[0]
    last = start + len(answer.body) - 1
    assert answer.headers["Content-Range"] == f"bytes {start}-{last}/{len(whole)}"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-999999999", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(served: Index, asked: str) -> None:
    """A082"""
    answer = served.get(WHEEL, Range=asked)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{size(served)}"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,4-5",
        "bytes=5-2",
        "bytes=-",
        "bytes=",
        "bytes",
        "",
        "items=0-1",
        "bytes=a-b",
        "bytes=0x1-2",
        "bytes=1-2-3",
        "bytes=--5",
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
        "bytes=\xb2-\xb3",
        "\xff",
    ],
)
def test_a_range_that_cannot_be_read_gets_the_whole(served: Index, asked: str) -> None:
    """A082"""
    answer = served.get(WHEEL, Range=asked)
    assert (answer.status, len(answer.body)) == (200, size(served))


def test_a_range_is_for_get_alone(served: Index) -> None:
    """A081: RFC 9110, section 14.2."""
    for asked in ("bytes=0-9", "bytes=99999999-"):
        head = served.ask("HEAD", WHEEL, headers={"Range": asked})
        assert (head.status, head.headers["Content-Length"]) == (200, str(size(served)))


def test_if_range_decides_between_the_part_and_the_whole(served: Index) -> None:
    """A083"""
    whole = served.get(WHEEL)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    for condition in (etag, modified, f" {etag} "):
        assert served.get(WHEEL, Range="bytes=5-", If_Range=condition).status == 206
    for condition in ('"other"', f"W/{etag}", "Thu, 01 Jan 1970 00:00:00 GMT", "", "x", f"{etag}, {etag}"):
        answer = served.get(WHEEL, Range="bytes=5-", If_Range=condition)
        assert (answer.status, answer.body) == (200, whole.body)
    assert served.get(WHEEL, If_Range='"other"').status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_known_file_is_304(served: Index, method: str) -> None:
    """A084"""
    whole = served.get(WHEEL)
    etag = whole.headers["ETag"]
    for known in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = served.ask(method, WHEEL, headers={"If-None-Match": known, "Range": "bytes=0-1"})
        assert (again.status, again.body) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again.headers[name] == whole.headers[name]
    assert served.get(WHEEL, If_None_Match='"x"').status == 200


@pytest.mark.parametrize("asked", [None, "bytes=3-7", "bytes=0-99", "bytes=-4"])
def test_the_server_s_own_way_of_sending_a_file_is_used(served: Index, asked: str | None) -> None:
    """It gets a stream that stands at the part's first byte, and the length in the header."""
    taken = []

    class Wrapper:
        def __init__(self, stream: io.BufferedIOBase, block: int) -> None:
            taken.append(stream)
            self._stream = stream

        def __iter__(self) -> "Wrapper":
            return self

        def __next__(self) -> bytes:
            data = self._stream.read(1000)
            if not data:
                raise StopIteration
            return data

        def close(self) -> None:
            self._stream.close()

    whole = served.get(WHEEL).body
    headers = {} if asked is None else {"Range": asked}
    plain = served.ask("GET", WHEEL, headers=headers)
    wrapped = served.ask("GET", WHEEL, headers=headers, environ={"wsgi.file_wrapper": Wrapper})
    length = int(wrapped.headers["Content-Length"])
    assert wrapped.body[:length] == plain.body
    assert whole.endswith(wrapped.body)
    assert len(taken) == 1
    assert taken[0].closed
    served.ask("HEAD", WHEEL, environ={"wsgi.file_wrapper": Wrapper})
    assert len(taken) == 1


def test_a_yanked_file_can_still_be_had(filled: Index) -> None:
    """A094"""
    before = filled.get(WHEEL)
    filled.warehouse.files.yank(filled.warehouse.operator(), "demo", WHEEL.rpartition("/")[2], reason="no")
    assert filled.get(WHEEL).whole == before.whole
    assert filled.get(f"{WHEEL}.metadata").status == 200


def test_a_deleted_file_is_gone_and_so_is_its_metadata(filled: Index) -> None:
    filled.warehouse.files.delete(filled.warehouse.operator(), "demo", WHEEL.rpartition("/")[2])
    assert filled.get(WHEEL).status == 404
    assert filled.get(f"{WHEEL}.metadata").status == 404
    assert filled.get(SDIST).status == 200


def test_a_guessed_file_of_a_hidden_project_is_not_there(served: Index) -> None:
    """A069, behaviours 22"""
    unknown = served.get("/packages/nope/nope-1.0.tar.gz", by="eve")
    for target in (WHEEL, f"{WHEEL}.metadata", "/packages/demo/x", "/packages/demo/"):
        assert served.get(target, by="eve").whole == unknown.whole


def test_two_files_with_one_stem_are_two_files(filled: Index) -> None:
    """Behaviours 47"""
    filled.wheel("demo", "3.0")
    filled.wheel("demo", "3.0", tag="py2-none-any")
    names = [file.filename for file in filled.warehouse.projects.files(filled.warehouse.operator(), "demo")]
    assert {"demo-3.0-py3-none-any.whl", "demo-3.0-py2-none-any.whl"} < set(names)


@pytest.mark.parametrize("target", [WHEEL, f"{WHEEL}.metadata"])
def test_bytes_that_are_lost_are_503_and_not_404(filled: Index, target: str) -> None:
    """Behaviours J: never 404 for what is listed."""
    file = filled.warehouse.files.get(filled.warehouse.operator(), "demo", WHEEL.rpartition("/")[2])
    filled.warehouse.store.delete(file.metadata_key if target.endswith(".metadata") else file.key)
    for method in ("GET", "HEAD"):
        answer = filled.ask(method, target, "ada")
        assert (method, answer.status) == (method, 503)
        assert int(answer.headers["Retry-After"]) > 0
