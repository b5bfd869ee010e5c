"""What the file store in a bucket makes of answers: those of no store at all, and those of a busy one."""

import io
import os
import re
import socket
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from support.strangers import Asked, Says, Stranger
from warehouse14.adapters import s3
from warehouse14.adapters.s3.store import ReachedS3Store, S3Store
from warehouse14.domain.errors import Misconfigured, Rejected, Replaced, Unavailable, WarehouseError
from warehouse14.domain.ports import Arrived
from warehouse14.settings import Section, SettingError
from warehouse14.testing.file_store_contract.steps import KEY

PAGE = b"<!DOCTYPE html><html><body>It works<br></body></html>"
SIDECAR = f"{KEY}.json"
XML_PAGE = b"<html><head><title>x</title></head><body>It works</body></html>"
HTML = {"Content-Type": "text/html"}
DATE = {"Last-Modified": "Sun, 22 Nov 2026 05:00:00 GMT"}
#: More than goes in one request.
LARGE = 20 * 1024 * 1024

STRANGERS = {
    "a page": Says(200, PAGE, HTML),
    "a page with a date": Says(200, PAGE, HTML | DATE),
    "a page that is XML": Says(200, XML_PAGE, HTML),
    "a page that is XML, with a date": Says(200, XML_PAGE, HTML | DATE),
    "a page with a date that is none": Says(200, XML_PAGE, HTML | {"Last-Modified": "yesterday"}),
    "nothing": Says(200),
    "no content": Says(204),
    "a page that is not there": Says(404, PAGE, HTML),
    "a page that is XML and not there": Says(404, XML_PAGE, HTML),
    "nothing that is not there": Says(404),
    "no range": Says(416, PAGE, HTML),
    "a way to sign in": Says(302, PAGE, HTML | {"Location": "/login"}),
    "another address": Says(301, PAGE, HTML | {"Location": "https://127.0.0.1/"}),
    "a fault": Says(500, PAGE, HTML),
}
#: What can be told from a store's by what is answered: a HEAD has only a status, a deletion nothing at all.
METHODS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: store.put(KEY, b"data"),
    "store": lambda store: store.store(KEY, io.BytesIO(bytes(LARGE)), LARGE),
    "open": lambda store: store.open(KEY, 0),
    "open later": lambda store: store.open(KEY, 5),
    "keys": lambda store: list(store.keys()),
    "leftovers": lambda store: list(store.leftovers(datetime.now(UTC))),
}


@pytest.fixture(scope="module", autouse=True)
def _credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger(lambda _: Says(500)) as started:
        yield started


@pytest.fixture(scope="module")
def store(stranger: Stranger) -> S3Store:
    """One for all tests: to make a client takes long."""
    return store_at(stranger)


def store_at(stranger: Stranger, **more: str) -> S3Store:
    return store_of(stranger.endpoint, **more)


def store_of(endpoint: str, **more: str) -> S3Store:
    keys = {
        "bucket": "one",
        "endpoint_url": endpoint,
        "region": "us-east-1",
        "path_style": "true",
        "attempts": "1",
    }
    store = s3.file_store(Section("warehouse14.files.", keys | more))
    assert isinstance(store, S3Store)
    return store


def complaint(code: str, more: str = "") -> bytes:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message>{more}</Error>'
    return text.encode("ascii")


@pytest.mark.parametrize("broken", ["refused", "cut", pytest.param("silent", marks=pytest.mark.thorough)])
def test_no_error_of_a_connection_shows_the_key_of_an_object(broken: str) -> None:
    place = "0123456789abcdef" * 2
    with _broken(broken) as port:
        store = store_of(f"http://127.0.0.1:{port}", read_seconds="1")
        with pytest.raises(Unavailable) as raised:
            store.place(place).noted("begun.json")
    told = "".join(traceback.format_exception(raised.value)) + raised.value.in_full
    assert f"http://127.0.0.1:{port}/..." in told
    assert place not in told


@contextmanager
def _broken(how: str) -> Iterator[int]:
    """The port of a server that closes connections, or says nothing, or that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if how == "refused":
            server.close()
        if how == "cut":
            threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        yield port


# -- what is no store ---------------------------------------------------------------------


@pytest.mark.parametrize("says", STRANGERS.values(), ids=STRANGERS)
def test_a_server_that_is_no_store_is_said_at_the_start(
    stranger: Stranger, store: S3Store, says: Says
) -> None:
    stranger.answer = lambda _: says
    for ask in (store.verify, store.prepare):
        with pytest.raises(Misconfigured) as caught:
            ask()
        assert "what answers is no S3" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("says", STRANGERS.values(), ids=STRANGERS)
def test_what_no_store_answers_is_unavailable(
    stranger: Stranger, store: S3Store, says: Says, method: Callable[[S3Store], object]
) -> None:
    stranger.answer = lambda _: says
    with pytest.raises(Unavailable):
        method(store)


@pytest.mark.parametrize(
    "says",
    [pytest.param(says, id=name) for name, says in STRANGERS.items() if says.status != 404],
)
def test_what_no_store_knows_of_a_blob_is_unavailable(stranger: Stranger, store: S3Store, says: Says) -> None:
    stranger.answer = lambda _: says
    with pytest.raises(Unavailable):
        store.stat(KEY)


@pytest.mark.parametrize("start", [0, 5])
def test_a_page_is_no_blob_even_if_it_has_an_etag(stranger: Stranger, store: S3Store, start: int) -> None:
    says = Says(200, PAGE, HTML | DATE | {"ETag": '"5e5e"'})
    stranger.answer = lambda _: says
    with pytest.raises(Unavailable):
        store.open(KEY, start)
    with pytest.raises(Unavailable):
        store.stat(KEY)


def test_a_page_is_no_file_that_was_put_into_the_bucket(stranger: Stranger, store: S3Store) -> None:
    """One that was put there as a page is a file, but only a store lists it."""
    stranger.answer = lambda _: Says(200, PAGE, HTML | DATE | {"ETag": '"5e5e"'})
    with pytest.raises(Unavailable):
        store.incoming().arrived("x.whl")
    with pytest.raises(Unavailable):
        store.incoming().noted("x.whl")
    found = Arrived("x.whl", len(PAGE), "5e5e", datetime.now(UTC))
    with store.incoming().waiting(found).reader() as stream, pytest.raises(Unavailable):
        stream.read()


def test_the_whole_is_not_taken_for_a_part(stranger: Stranger, store: S3Store) -> None:
    stranger.answer = lambda _: Says(200, b"0123456789", DATE | {"ETag": '"5e5e"'})
    with store.open(KEY, 0) as whole:
        assert whole.read() == b"0123456789"
    with pytest.raises(Unavailable):
        store.open(KEY, 5)


def test_the_whole_of_what_waits_is_not_taken_for_a_part(stranger: Stranger, store: S3Store) -> None:
    assert isinstance(store, ReachedS3Store)
    stranger.answer = lambda _: Says(200, bytes(LARGE), DATE | {"ETag": '"5e5e"'})
    with store.place("a/b").waiting().reader() as stream:
        assert stream.read(4) == bytes(4)
        stream.seek(LARGE // 2)
        with pytest.raises(Unavailable):
            stream.read(4)


def test_an_address_with_a_password_that_boto3_finds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://ada:secret@127.0.0.1:1")
    with pytest.raises(SettingError, match="a name or a password") as caught:
        s3.file_store(Section("warehouse14.files.", {"bucket": "one"}))
    assert "secret" not in str(caught.value)


def test_a_blob_that_is_there_is_not_young_again_by_an_answer_that_does_not_say_so(
    stranger: Stranger, store: S3Store
) -> None:
    there = Says(200, heads=DATE | {"ETag": '"5e5e"'})
    stranger.answer = lambda asked: there if asked.method == "HEAD" else Says(200, XML_PAGE)
    with pytest.raises(Unavailable):
        store.store(SIDECAR, io.BytesIO(), 0)
    assert "x-amz-copy-source" in stranger.asked[-1].heads


XML = {"Content-Type": "application/xml"}


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (Says(500, complaint("Whatever"), XML), Unavailable),
        (Says(503, complaint("Whatever"), XML), Unavailable),
        (Says(502, PAGE, HTML), Unavailable),
        (Says(503, PAGE, HTML), Unavailable),
        (Says(403, complaint("Whatever"), XML), Misconfigured),
    ],
)
def test_only_a_store_that_may_be_up_later_is_unavailable_at_the_start(
    stranger: Stranger, store: S3Store, says: Says, kind: type[WarehouseError]
) -> None:
    stranger.answer = lambda _: says
    for ask in (store.verify, store.prepare):
        with pytest.raises(kind, match=r"^the bucket one: [^\n]*$"):
            ask()


@pytest.mark.parametrize("more", ["", "<Region>eu-central-1</Region>"])
def test_a_bucket_in_another_region_is_said(more: str) -> None:
    says = Says(301, complaint("PermanentRedirect", more), {"Content-Type": "application/xml"})
    with Stranger(lambda _: says) as stranger:
        with pytest.raises(Misconfigured, match=r"it is in another region; set warehouse14\.files\.region"):
            store_at(stranger).verify()
        assert len(stranger.asked) == 2


def test_credentials_without_a_right_are_told_where_the_rights_are() -> None:
    says = Says(403, complaint("AccessDenied"), {"Content-Type": "application/xml"})
    with Stranger(lambda _: says) as stranger:
        with pytest.raises(Misconfigured, match=r"may not use it; see docs/deploy/s3\.md"):
            store_at(stranger).verify()
        with pytest.raises(Unavailable) as caught:
            list(store_at(stranger).keys())
    assert "AccessDenied" in str(caught.value.detail)


def test_credentials_that_have_expired_are_said_at_the_start_and_unavailable_later(
    stranger: Stranger, store: S3Store
) -> None:
    stranger.answer = lambda _: Says(400, complaint("ExpiredToken"), XML)
    for step in (store.verify, store.prepare):
        with pytest.raises(Misconfigured, match=r"^the bucket one: [^\n]* are wrong or have expired$"):
            step()
    for method in METHODS.values():
        with pytest.raises(Unavailable) as caught:
            method(store)
        assert "ExpiredToken" in str(caught.value.detail)


# -- a store that is busy, or does not know conditions ------------------------------------


class InTurn:
    """A store without objects that answers what is to be stored with one after another."""

    def __init__(self, *answers: Says) -> None:
        self.conditions: list[str | None] = []
        self._answers = list(answers)

    def __call__(self, asked: Asked) -> Says:
        if asked.method == "HEAD":
            return Says(404)
        if "x-amz-copy-source" in asked.heads:
            self.conditions.append("copied")
            return Says(200, b"<CopyObjectResult><ETag>5e5e</ETag></CopyObjectResult>")
        self.conditions.append(asked.heads.get("if-none-match"))
        return self._answers.pop(0)


STORED = Says(200, heads={"ETag": '"5e5e"'})
BUSY = Says(409, complaint("ConditionalRequestConflict"))
#: What Swift says of an object that was overtaken by one that is newer.
OVERTAKEN = Says(200)
THERE = Says(412, complaint("PreconditionFailed"))
UNKNOWN = Says(501, complaint("NotImplemented"))
WRONG = [Says(400, complaint("InvalidArgument")), Says(400, complaint("InvalidRequest"))]


@pytest.mark.parametrize(
    ("answers", "conditions"),
    [
        ([STORED], ["*"]),
        ([BUSY, BUSY, STORED], ["*", "*", "*"]),
        ([BUSY, THERE], ["*", "*", "copied"]),
        ([OVERTAKEN, THERE], ["*", "*", "copied"]),
        ([THERE], ["*", "copied"]),
        ([UNKNOWN, STORED], ["*", None]),
        ([BUSY, BUSY, BUSY, BUSY, UNKNOWN, STORED], ["*", "*", "*", "*", "*", None]),
    ],
)
def test_conditions_are_asked_for_as_long_as_the_store_knows_them(
    answers: list[Says], conditions: list[str | None]
) -> None:
    turns = InTurn(*answers)
    with Stranger(turns) as stranger:
        store_at(stranger).put(SIDECAR, b"{}")
    assert turns.conditions == conditions


@pytest.mark.parametrize("answers", [[STORED], [BUSY, OVERTAKEN, OVERTAKEN, BUSY, STORED]])
def test_what_is_not_a_sidecar_takes_the_place_of_what_is_there(answers: list[Says]) -> None:
    turns = InTurn(*answers)
    with Stranger(turns) as stranger:
        store_at(stranger).put(KEY, b"data")
    assert turns.conditions == [None] * len(answers)


@pytest.mark.parametrize("kept", ["note", "text"])
def test_a_note_that_another_overtook_is_kept_all_the_same(kept: str) -> None:
    turns = InTurn(BUSY, OVERTAKEN, STORED)
    with Stranger(turns) as stranger:
        store = store_at(stranger, public_endpoint_url=stranger.endpoint)
        assert isinstance(store, ReachedS3Store)
        if kept == "note":
            store.place("one").note("asked.json", b"{}")
        else:
            assert store.incoming().note("demo-1.0.whl.error.txt", "no", tag="5e5e")
    assert turns.conditions == [None, None, None]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "answers",
    [[BUSY] * 9, [OVERTAKEN] * 9, [UNKNOWN] * 9, [UNKNOWN, *[BUSY] * 9], [*[BUSY] * 4, *[UNKNOWN] * 9]],
)
def test_a_store_that_takes_nothing_is_unavailable(answers: list[Says]) -> None:
    for key in (KEY, SIDECAR):
        with Stranger(InTurn(*answers)) as stranger, pytest.raises(Unavailable):
            store_at(stranger).put(key, b"data")


# -- keys of others -----------------------------------------------------------------------


NOT_ALLOWED = (
    "User: arn:aws:sts::123456789012:assumed-role/site/s3_events is not authorized to perform: kms:Decrypt on"
    " resource: arn:aws:kms:us-east-1:210987654321:key/5e5e because no identity-based policy allows the"
    " kms:Decrypt action"
)
NOT_KNOWN = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or"
    " you are not allowed to access."
)


def read_what_waits(code: str, message: str) -> None:
    """Read an object of which a store says this."""
    says = Says(403, complaint(code).replace(b"<Message>no<", f"<Message>{message}<".encode()))
    found = Arrived("demo-1.0.whl", 4, "5e5e", datetime.now(UTC))
    with Stranger(lambda _: says) as stranger:
        store_at(stranger).incoming().waiting(found).reader().read()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", NOT_ALLOWED),
        ("AccessDenied", NOT_KNOWN),
        ("KMS.DisabledException", "arn:aws:kms:us-east-1:123456789012:key/5e5e is disabled."),
        ("KMS.NotFoundException", "Key 5e5e does not exist"),
        ("KMS.KMSInvalidStateException", "arn:aws:kms:us-east-1:123456789012:key/5e5e is pending deletion."),
    ],
)
def test_what_lies_under_a_key_that_gives_the_site_nothing_is_refused(code: str, message: str) -> None:
    with pytest.raises(Rejected, match="encrypted with a key of KMS that this site may not use"):
        read_what_waits(code, message)


@pytest.mark.parametrize(
    ("code", "message"),
    [("AccessDenied", "Access Denied"), ("KMS.ThrottlingException", "Rate exceeded"), ("SlowDown", "kms:")],
)
def test_what_may_pass_has_a_file_wait(code: str, message: str) -> None:
    with pytest.raises(Unavailable):
        read_what_waits(code, message)


# -- copies -------------------------------------------------------------------------------

OF_DATA = b64encode(sha256(b"data").digest()).decode("ascii")
KEY_OF_DATA = f"demo/{sha256(b'data').hexdigest()}/demo-1.0-py3-none-any.whl"


def take_over(said: str, **more: str) -> list[Asked]:
    """Make a copy a blob of which a store says this sum, and return what it was asked."""
    sum_of_it = f"<ChecksumSHA256>{said}</ChecksumSHA256>" if said else ""
    result = f"<CopyObjectResult><ETag>5e5e</ETag>{sum_of_it}</CopyObjectResult>"
    with Stranger(lambda _: Says(200, result.encode("ascii"))) as stranger:
        store_at(stranger, **more).take_over(KEY_OF_DATA, "incoming/x.whl", 4, '"5e5e"')
        return stranger.asked


@pytest.mark.parametrize("said", [OF_DATA, "", "a" * 43 + "=-2"])
def test_a_copy_is_held_to_its_key_as_far_as_the_store_says_a_sum(said: str) -> None:
    [asked] = take_over(said)
    assert asked.heads["x-amz-checksum-algorithm"] == "SHA256"


def test_a_copy_of_other_bytes_than_its_key_says_was_replaced() -> None:
    with pytest.raises(Replaced):
        take_over(b64encode(sha256(b"other").digest()).decode("ascii"))


def test_a_store_that_refuses_sums_is_asked_for_none_of_a_copy() -> None:
    [asked] = take_over("", checksums="false")
    assert not [name for name in asked.heads if "checksum" in name]


SUM, TAGS, CONDITION = "x-amz-checksum-algorithm", "x-amz-tagging-directive", "x-amz-copy-source-if-match"


def take_over_where_unknown(*unknown: str) -> set[str]:
    """Make a copy a blob of a store that refuses these headers, and return what it was asked for at last."""

    def answer(asked: Asked) -> Says:
        result = b"<CopyObjectResult><ETag>5e5e</ETag></CopyObjectResult>"
        return UNKNOWN if any(name in asked.heads for name in unknown) else Says(200, result)

    with Stranger(answer) as stranger:
        store_at(stranger).take_over(KEY_OF_DATA, "incoming/x.whl", 4, '"5e5e"')
        return {name for name in (SUM, TAGS, CONDITION) if name in stranger.asked[-1].heads}


@pytest.mark.parametrize(
    ("unknown", "asked"),
    [([SUM], {TAGS, CONDITION}), ([TAGS], {SUM, CONDITION}), ([SUM, TAGS], {CONDITION})],
)
def test_of_a_copy_nothing_is_asked_that_the_store_does_not_know(unknown: list[str], asked: set[str]) -> None:
    assert take_over_where_unknown(*unknown) == asked


def put_again(*, of_tags: Says | None = None) -> list[Asked]:
    """Put a sidecar that is there already in a store that says this of tags, and return which copies it was
    asked for."""

    def answer(asked: Asked) -> Says:
        if asked.method == "HEAD":
            return Says(200, heads=DATE | {"ETag": '"5e5e"'})
        if TAGS in asked.heads and of_tags is not None:
            return of_tags
        return Says(200, b"<CopyObjectResult><ETag>5e5e</ETag></CopyObjectResult>")

    with Stranger(answer) as stranger:
        store_at(stranger).put(SIDECAR, b"{}")
        return [asked for asked in stranger.asked if asked.method == "PUT"]


def test_what_is_made_young_again_leaves_its_tags_behind_that_take_further_rights() -> None:
    [asked] = put_again()
    assert asked.heads[TAGS] == "REPLACE"
    assert "x-amz-copy-source" in asked.heads


@pytest.mark.parametrize("says", [UNKNOWN, *WRONG])
def test_what_is_made_young_again_says_nothing_of_tags_to_a_store_that_does_not_know_them(says: Says) -> None:
    assert [TAGS in asked.heads for asked in put_again(of_tags=says)] == [True, False]


# -- sums ---------------------------------------------------------------------------------


def sums(asked: list[Asked]) -> list[tuple[str, str]]:
    """Return the sums that requests with bytes said, and those of the bytes that came."""
    return [
        (each.heads["x-amz-checksum-sha256"], b64encode(sha256(each.body).digest()).decode("ascii"))
        for each in asked
        if each.method == "PUT"
    ]


def test_an_object_goes_with_its_sum() -> None:
    with Stranger(InTurn(STORED)) as stranger:
        store_at(stranger).put(KEY, b"data")
    ((said, came),) = sums(stranger.asked)
    assert said == came


def in_parts(asked: Asked) -> Says:
    if asked.method == "HEAD":
        return Says(404)
    if asked.method == "PUT":
        return STORED
    if asked.path.endswith("?uploads"):
        return Says(
            200, b"<InitiateMultipartUploadResult><UploadId>5e</UploadId></InitiateMultipartUploadResult>"
        )
    return Says(200, b"<CompleteMultipartUploadResult><ETag>5e-2</ETag></CompleteMultipartUploadResult>")


def test_each_part_goes_with_its_sum_and_the_object_with_those_of_its_parts() -> None:
    with Stranger(in_parts) as stranger:
        store_at(stranger).store(KEY, io.BytesIO(os.urandom(LARGE)), LARGE)
    found = sums(stranger.asked)
    assert len(found) == 2
    for said, came in found:
        assert said == came
        assert f"<ChecksumSHA256>{said}</ChecksumSHA256>".encode() in stranger.asked[-1].body


@pytest.mark.parametrize("size", [4, LARGE])
def test_a_store_that_refuses_sums_gets_none(size: int) -> None:
    with Stranger(in_parts) as stranger:
        store_at(stranger, checksums="false").store(KEY, io.BytesIO(os.urandom(size)), size)
    assert stranger.asked
    assert not [name for each in stranger.asked for name in each.heads if "checksum" in name]
    assert b"Checksum" not in stranger.asked[-1].body


# -- deletions ----------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_store_that_is_silent_is_not_asked_again_to_delete_a_blob() -> None:
    """By then another may have put it again, and have listed the file."""
    silent = threading.Event()

    def answer_too_late(_: Asked) -> Says:
        silent.wait(10)
        return Says(204)

    with Stranger(answer_too_late) as stranger:
        with pytest.raises(Unavailable) as raised:
            store_at(stranger, attempts="4", read_seconds="3").delete(KEY)
        silent.set()
        assert [asked.method for asked in stranger.asked] == ["DELETE"]
    assert "is not asked again" in raised.value.in_full


@pytest.mark.thorough
def test_a_store_that_is_not_asked_again_to_delete_a_blob_is_said_to_have_been_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("warehouse14.adapters.s3.client._REMOVES_AGAIN", 0.0)
    with Stranger(InTurn(Says(503, complaint("SlowDown")))) as stranger:
        with pytest.raises(Unavailable) as raised:
            store_at(stranger, attempts="4").delete(KEY)
        assert [asked.method for asked in stranger.asked] == ["DELETE"]
    assert "is not asked again: An error occurred (SlowDown)" in raised.value.in_full


@pytest.mark.thorough
@pytest.mark.parametrize("broken", ["refused", "cut"])
def test_a_deletion_is_said_to_have_been_for_want_of_a_connection_without_the_key(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse14.adapters.s3.client._REMOVES_AGAIN", 0.0)
    with _broken(broken) as port, pytest.raises(Unavailable) as raised:
        store_of(f"http://127.0.0.1:{port}", attempts="4").delete(KEY)
    assert re.search(r"is not asked again: (Could not connect|Connection was closed)", raised.value.in_full)
    assert f"http://127.0.0.1:{port}/..." in raised.value.in_full
    assert KEY not in "".join(traceback.format_exception(raised.value))


@pytest.mark.thorough
def test_a_store_that_is_at_fault_at_once_is_asked_again_to_delete_a_blob() -> None:
    turns = InTurn(Says(503, complaint("SlowDown")), Says(204))
    with Stranger(turns) as stranger:
        store_at(stranger, attempts="4").delete(KEY)
        assert [asked.method for asked in stranger.asked] == ["DELETE", "DELETE"]
