"""What the file store in a bucket makes of answers."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from support.strangers import Says, Stranger
from warehouse14.adapters import s3
from warehouse14.adapters.s3.store import S3Store
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.settings import Section
from warehouse14.testing.file_store_contract.steps import KEY

PAGE = b"<!DOCTYPE html><html><body>It works<br></body></html>"
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


def store_at(stranger: Stranger) -> S3Store:
    keys = {
        "bucket": "one",
        "endpoint_url": stranger.endpoint,
        "region": "us-east-1",
        "path_style": "true",
        "attempts": "1",
    }
    store = s3.file_store(Section("warehouse14.files.", keys))
    assert isinstance(store, S3Store)
    return store


def complaint(code: str, more: str = "") -> bytes:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message>{more}</Error>'
    return text.encode("ascii")


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


def test_a_blob_that_is_there_is_not_young_again_by_an_answer_that_does_not_say_so(
    stranger: Stranger, store: S3Store
) -> None:
    there = Says(200, heads=DATE | {"ETag": '"5e5e"'})
    stranger.answer = lambda asked: there if asked.method == "HEAD" else Says(200, XML_PAGE)
    with pytest.raises(Unavailable):
        store.store(KEY, io.BytesIO(), 0)
    assert "x-amz-copy-source" in stranger.asked[-1].heads


@pytest.mark.parametrize("more", ["", "<Region>eu-central-1</Region>"])
def test_a_bucket_in_another_region_is_said(more: str) -> None:
    says = Says(301, complaint("PermanentRedirect", more), {"Content-Type": "application/xml"})
    with Stranger(lambda _: says) as stranger:
        with pytest.raises(Misconfigured, match=r"it is in another region; set warehouse14\.files\.region"):
            store_at(stranger).verify()
        assert len(stranger.asked) == 2
