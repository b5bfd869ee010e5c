"""Where clients send parts: what may be sent there, how it is read, copied and cleared away."""

import hashlib
import io
import json
import os
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from support.buckets import BucketServer
from support.cables import Cable
from support.sites import REPOSITORY
from warehouse14.adapters import s3
from warehouse14.adapters.s3 import copying
from warehouse14.adapters.s3.store import ReachedS3Store
from warehouse14.domain.errors import NotFound, Unavailable
from warehouse14.domain.ports import Part, Place, TakesParts
from warehouse14.settings import Section, SettingError
from warehouse14.testing.file_store_contract.steps import KEY, names, read

MIB = 1024 * 1024
PART = 5 * MIB
SOON = datetime.now(UTC) + timedelta(days=1)
SERVERS = [pytest.param("localstack"), pytest.param("swift", marks=pytest.mark.registry)]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    found: BucketServer = request.getfixturevalue(request.param)
    for name, value in found.credentials().items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def bucket(server: BucketServer) -> str:
    return server.fresh()


@pytest.fixture
def store(server: BucketServer, bucket: str) -> ReachedS3Store:
    return opened(server, bucket)


def opened(server: BucketServer, bucket: str, **more: str) -> ReachedS3Store:
    keys = {
        "bucket": bucket,
        "prefix": "packages",
        "endpoint_url": server.endpoint,
        "region": "us-east-1",
        "path_style": "true",
    }
    found = s3.file_store(Section("warehouse14.files.", keys | more))
    assert isinstance(found, ReachedS3Store)
    assert isinstance(found, TakesParts)
    return found


def part_of(number: int, data: bytes) -> Part:
    return Part(number, len(data), hashlib.sha256(data).hexdigest())


def send(place: Place, begun: str, number: int, data: bytes) -> None:
    request = place.request(begun, part_of(number, data))
    answer = requests.put(request.address, data=data, headers=request.headers, timeout=60)
    assert answer.status_code == 200, answer.text


def sent_whole(place: Place, data: bytes) -> str:
    """Send a file in parts, and return what they are called."""
    begun = place.begin()
    for number, start in enumerate(range(0, len(data), PART), start=1):
        send(place, begun, number, data[start : start + PART])
    return begun


def joined(store: ReachedS3Store, data: bytes, key: str = "a/b") -> Place:
    place = store.place(key)
    assert place.join(sent_whole(place, data))
    return place


# -- sending ------------------------------------------------------------------------------


def test_parts_are_joined_and_become_a_blob_that_has_small_ones_beside_it(store: ReachedS3Store) -> None:
    data = os.urandom(2 * PART + 5)
    place = store.place("a/b")
    begun = sent_whole(place, data)
    assert place.sent(begun) == {1: PART, 2: PART, 3: 5}
    assert place.join(begun)
    assert place.join(begun)
    assert place.sent(begun) is None or place.sent(begun) == {1: PART, 2: PART, 3: 5}
    assert names(store) == []
    waiting = place.waiting()
    waiting.beside(f"{KEY}.json", b"{}")
    waiting.commit(KEY)
    assert (read(store, KEY), read(store, f"{KEY}.json")) == (data, b"{}")
    place.end(begun)
    place.end(begun)
    assert names(store) == [KEY, f"{KEY}.json"]
    assert read(store, KEY) == data
    with pytest.raises(NotFound):
        place.waiting()


@pytest.mark.parametrize("other", [b"abd", b"abcd", b"ab", b""])
def test_an_address_takes_the_bytes_that_were_announced_and_no_others(
    store: ReachedS3Store, other: bytes
) -> None:
    place = store.place("a/b")
    begun = place.begin()
    request = place.request(begun, part_of(1, b"abc"))
    told = {"x-amz-checksum-sha256": place.request(begun, part_of(1, other)).headers["x-amz-checksum-sha256"]}
    for headers in (request.headers, told, {}):
        answer = requests.put(request.address, data=other, headers=dict(headers), timeout=60)
        assert answer.status_code in {400, 403}, answer.text
    assert place.sent(begun) == {}


def test_an_address_is_for_one_part_of_one_upload(store: ReachedS3Store) -> None:
    place = store.place("a/b")
    begun = place.begin()
    request = place.request(begun, part_of(1, b"abc"))
    for address in (
        request.address.replace("partNumber=1", "partNumber=2"),
        request.address.replace("/a/b/", "/a/c/"),
        request.address.replace("staging/a/b/file", f"blobs/{KEY}"),
    ):
        assert address != request.address
        answer = requests.put(address, data=b"abc", headers=dict(request.headers), timeout=60)
        assert answer.status_code == 403
    assert (place.sent(begun), names(store)) == ({}, [])


def test_a_store_without_sums_is_held_to_the_length_alone(server: BucketServer, bucket: str) -> None:
    place = opened(server, bucket, checksums="false").place("a/b")
    begun = place.begin()
    request = place.request(begun, part_of(1, b"abc"))
    assert request.headers == {}
    assert requests.put(request.address, data=b"abcd", timeout=60).status_code == 403
    assert requests.put(request.address, data=b"abd", timeout=60).status_code == 200
    assert place.join(begun)


def test_addresses_are_made_for_where_clients_reach_the_store(server: BucketServer, bucket: str) -> None:
    with Cable(server.port) as cable:
        public = f"http://127.0.0.1:{cable.port}"
        place = opened(server, bucket, public_endpoint_url=public).place("a/b")
        begun = place.begin()
        send(place, begun, 1, b"abc")
        assert place.request(begun, part_of(1, b"abc")).address.startswith(public)
        assert cable.asked
    assert place.join(begun)


def test_an_upload_that_was_ended_takes_nothing_and_is_none(store: ReachedS3Store) -> None:
    place = store.place("a/b")
    begun = place.begin()
    send(place, begun, 1, b"abc")
    request = place.request(begun, part_of(2, b"abc"))
    place.end(begun)
    assert place.sent(begun) is None
    assert not place.join(begun)
    assert requests.put(request.address, data=b"abc", headers=request.headers, timeout=60).status_code == 404


def test_notes_are_kept_and_replaced(store: ReachedS3Store) -> None:
    place = store.place("a/b")
    assert place.noted("x.json") is None
    for data in (b"{}", b'{"a": 1}'):
        place.note("x.json", data)
        assert place.noted("x.json") == data
    assert store.place("a").noted("x.json") is None
    assert names(store) == []


# -- reading ------------------------------------------------------------------------------


def test_what_waits_is_read_like_a_file_from_any_offset(store: ReachedS3Store) -> None:
    data = os.urandom(PART + 3 * MIB)
    place, chance = joined(store, data), random.Random(7)  # noqa: S311
    with place.waiting().reader() as stream:
        assert stream.seek(0, io.SEEK_END) == len(data)
        assert stream.read(1) == b""
        for _ in range(60):
            at, count = chance.randrange(len(data)), chance.choice([1, 30, 70_000, 2 * MIB])
            stream.seek(at)
            assert stream.read(count) == data[at : at + count]
        stream.seek(0)
        assert hashlib.file_digest(stream, "sha256").digest() == hashlib.sha256(data).digest()


def test_what_is_read_in_order_is_asked_for_once(
    store: ReachedS3Store, server: BucketServer, bucket: str
) -> None:
    data = os.urandom(PART + 3 * MIB)
    joined(store, data)
    with Cable(server.port) as cable:
        place = opened(server, bucket, endpoint_url=f"http://127.0.0.1:{cable.port}").place("a/b")
        waiting, before = place.waiting(), cable.asked
        with waiting.reader() as stream:
            # Over each half megabyte, as over members of an archive.
            for at in range(0, len(data), MIB // 2):
                stream.seek(at)
                assert stream.read(30) == data[at : at + 30]
        assert cable.asked - before == 1


def test_reading_goes_on_when_the_connection_was_cut(
    store: ReachedS3Store, server: BucketServer, bucket: str
) -> None:
    data = os.urandom(PART + 3 * MIB)
    joined(store, data)
    with Cable(server.port) as cable:
        place = opened(server, bucket, endpoint_url=f"http://127.0.0.1:{cable.port}").place("a/b")
        with place.waiting().reader() as stream:
            head = stream.read(MIB)
            cable.bytes_left = 3 * MIB
            middle = stream.read(MIB)
            cable.bytes_left = None
            cable.cut()
            assert head + middle + stream.read() == data


def test_what_was_replaced_meanwhile_is_neither_read_on_nor_copied(store: ReachedS3Store) -> None:
    place = joined(store, bytes(PART))
    waiting = place.waiting()
    stream = waiting.reader()
    # The end first: LocalStack lets nobody replace what it still sends.
    stream.seek(PART - 10)
    assert stream.read(5) == bytes(5)
    again = place.begin()
    send(place, again, 1, b"x" * PART)
    place.join(again)
    stream.seek(0)
    with pytest.raises(Unavailable):
        stream.read(5)
    with pytest.raises(Unavailable):
        waiting.commit(KEY)
    assert names(store) == []


def test_a_large_file_is_copied_in_parts(store: ReachedS3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_AT_ONCE", PART)
    monkeypatch.setattr(copying, "_PART_BYTES", PART)
    data = os.urandom(2 * PART + 5)
    joined(store, data).waiting().commit(KEY)
    assert read(store, KEY) == data
    assert [leftover for leftover in store.leftovers(SOON) if "blobs/" in leftover] == []


@pytest.mark.parametrize("before", [b"abc", b"other"])
def test_what_waits_takes_the_place_of_a_blob_that_may_be_damaged(
    store: ReachedS3Store, before: bytes
) -> None:
    store.put(KEY, before)
    place = store.place("a/b")
    begun = place.begin()
    send(place, begun, 1, b"abd")
    place.join(begun)
    place.waiting().commit(KEY)
    assert read(store, KEY) == b"abd"


# -- what is left -------------------------------------------------------------------------


def test_what_waits_is_a_leftover_only_when_it_is_old(store: ReachedS3Store) -> None:
    place = joined(store, bytes(PART))
    place.note("x.json", b"{}")
    send(place, place.begin(), 1, b"abc")
    store.put(KEY, b"data")
    assert list(store.leftovers(datetime.now(UTC) - timedelta(hours=1))) == []
    found = list(store.leftovers(SOON))
    assert sorted(leftover.partition(" ")[2] for leftover in found) == [
        "staging/a/b/file",
        "staging/a/b/file",
        "staging/a/b/x.json",
    ]
    for leftover in found:
        store.sweep(leftover)
        store.sweep(leftover)
    assert list(store.leftovers(SOON)) == []
    assert names(store) == [KEY]


@pytest.mark.parametrize("leftover", [f"- blobs/{KEY}", "- ", "-", "- other/x"])
def test_no_file_is_swept_as_a_leftover(store: ReachedS3Store, leftover: str) -> None:
    store.put(KEY, b"data")
    store.sweep(leftover)
    assert names(store) == [KEY]


def test_the_rule_of_the_documents_is_one_that_a_store_takes(localstack: BucketServer) -> None:
    text = (REPOSITORY / "docs/deploy/s3.md").read_text(encoding="utf-8")
    (rules,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    bucket, client = localstack.fresh(), localstack.client()
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=json.loads(rules))
    (kept,) = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (kept["Filter"], kept["Expiration"]) == ({"Prefix": "packages/staging/"}, {"Days": 1})


def test_a_store_that_clients_do_not_reach_takes_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for downloads, takes in (("proxy", False), ("redirect", True)):
        found = s3.file_store(Section("warehouse14.files.", {"bucket": "b", "downloads": downloads}))
        assert isinstance(found, TakesParts) == takes


@pytest.mark.parametrize("staging", ["blobs", "blobs/x/", "/", "a//b"])
def test_what_waits_lies_apart_from_the_files(staging: str) -> None:
    with pytest.raises(SettingError, match=r"warehouse14\.files\.staging = "):
        s3.file_store(Section("warehouse14.files.", {"bucket": "b", "staging": staging}))
