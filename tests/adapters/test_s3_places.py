"""Where clients send parts to a bucket: what is not the promise of every store that takes parts."""

import json
import os
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
from warehouse14.domain.ports import Place, TakesParts
from warehouse14.settings import Section, SettingError
from warehouse14.testing.file_store_contract.steps import KEY, names, read
from warehouse14.testing.parts_contract import part_of, send

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


def put(place: Place, begun: str, number: int, data: bytes) -> None:
    assert send(place.request(begun, part_of(number, data)), data) == 200


def sent_whole(place: Place, data: bytes) -> str:
    """Send a file in parts, and return what they are called."""
    begun = place.begin()
    for number, start in enumerate(range(0, len(data), PART), start=1):
        put(place, begun, number, data[start : start + PART])
    return begun


def joined(store: ReachedS3Store, data: bytes, key: str = "a/b") -> Place:
    place = store.place(key)
    assert place.join(sent_whole(place, data))
    return place


# -- sending ------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [b"abd", b"abcd", b"ab", b""])
def test_no_other_headers_have_an_address_take_other_bytes(store: ReachedS3Store, other: bytes) -> None:
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
        put(place, begun, 1, b"abc")
        assert place.request(begun, part_of(1, b"abc")).address.startswith(public)
        assert cable.asked
    assert place.join(begun)


# -- reading ------------------------------------------------------------------------------


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


def test_a_large_file_is_copied_in_parts(store: ReachedS3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MOST_AT_ONCE", PART)
    monkeypatch.setattr(copying, "_PART_BYTES", PART)
    data = os.urandom(2 * PART + 5)
    joined(store, data).waiting().commit(KEY)
    assert read(store, KEY) == data
    assert [leftover for leftover in store.leftovers(SOON) if "blobs/" in leftover] == []


# -- what is left -------------------------------------------------------------------------


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
    kept = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [(rule["Filter"]["Prefix"], rule.get("Expiration")) for rule in kept] == [
        ("packages/staging/", {"Days": 1}),
        ("packages/incoming/", None),
    ]
    for rule in kept:
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


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


@pytest.mark.parametrize(
    ("staging", "incoming"),
    [
        ("", "blobs"),
        ("", "blobs/x/"),
        ("", "/"),
        ("", "staging/"),
        ("", "staging/x"),
        ("in/x", "in"),
        ("", "a//b"),
    ],
)
def test_what_others_put_there_lies_apart_from_all_else(staging: str, incoming: str) -> None:
    settings = {"bucket": "b", "staging": staging, "incoming": incoming}
    with pytest.raises(SettingError, match=r"warehouse14\.files\.incoming = .* (lies where|is not a path)"):
        s3.file_store(Section("warehouse14.files.", settings))
