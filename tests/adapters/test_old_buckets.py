"""The bucket of an old site on a real store: what lies there is read as it was listed."""

import tracemalloc
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from moving.oldsites import OldBucket
from support.buckets import BucketServer
from support.cables import Cable
from support.strangers import Says, Stranger
from warehouse14.adapters.oldsites.bucket import Bucket, Object
from warehouse14.adapters.oldsites.speaking import Speaker
from warehouse14.domain.errors import Misconfigured, Rejected, Unavailable
from warehouse14.settings import Section, SettingError

KEY = "a folder/Grüße + 100%?#.whl"


@pytest.fixture
def old(localstack: BucketServer) -> OldBucket:
    return OldBucket(localstack)


@pytest.fixture
def opened(old: OldBucket, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bucket]:
    for name, value in old.server.credentials().items():
        monkeypatch.setenv(name, value)

    def bucket(**more: str) -> Bucket:
        values = {"bucket": old.name, "region": "us-east-1", "endpoint_url": old.server.endpoint}
        return Speaker(Section("", values | more)).bucket()

    return bucket


def only(bucket: Bucket) -> Object:
    (found,) = bucket.objects()
    return found


def test_an_object_is_read_whatever_its_key(old: OldBucket, opened: Callable[..., Bucket]) -> None:
    old.put(KEY, b"0123456789")
    found = only(opened())
    assert (found.key, found.size, found.at.microsecond) == (KEY, 10, 0)
    with closing(opened().open(KEY, found.etag)) as stream:
        assert [stream.read(4), stream.read(), stream.read()] == [b"0123", b"456789", b""]


def test_an_object_that_was_replaced_or_deleted_meanwhile_is_refused(
    old: OldBucket, opened: Callable[..., Bucket]
) -> None:
    old.put(KEY, b"before")
    found = only(opened())
    old.put(KEY, b"behind")
    with pytest.raises(Rejected, match="replaced while this ran"):
        opened().open(KEY, found.etag)
    old.remove(KEY)
    with pytest.raises(Rejected, match="deleted meanwhile"):
        opened().open(KEY, found.etag)


def test_an_object_that_is_archived_is_refused(old: OldBucket, opened: Callable[..., Bucket]) -> None:
    old.put(KEY, b"cold", StorageClass="GLACIER")
    with pytest.raises(Rejected, match="restore it"):
        opened().open(KEY, only(opened()).etag)


_OF_A_CUSTOMER = "The object was stored using a form of Server Side Encryption."


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (400, "InvalidRequest", _OF_A_CUSTOMER, r"with it \(SSE-C\)"),
        (400, "KMS.DisabledException", "no", "the key of KMS"),
        (400, "KMS.KMSInvalidStateException", "no", "the key of KMS"),
    ],
)
def test_an_object_under_a_key_that_nobody_has_is_refused(
    opened: Callable[..., Bucket], status: int, code: str, message: str, reason: str
) -> None:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    with Stranger(lambda _: Says(status, text.encode("ascii"))) as stranger:
        bucket = opened(endpoint_url=f"http://127.0.0.1:{stranger.port}")
        with pytest.raises(Rejected, match=reason):
            bucket.open(KEY, '"5e5e"')


def test_an_object_that_is_replaced_while_a_connection_breaks_is_refused(
    old: OldBucket, opened: Callable[..., Bucket]
) -> None:
    old.put(KEY, b"a" * 5_000_000)
    found = only(opened())
    with Cable(old.server.port) as cable:
        stream = opened(endpoint_url=f"http://127.0.0.1:{cable.port}").open(KEY, found.etag)
        stream.read(1000)
        old.put(KEY, b"b" * 5_000_000)
        cable.cut()
        with closing(stream), pytest.raises(Rejected, match="replaced while this ran"):
            stream.read()


def test_the_whole_is_not_taken_for_what_was_missing(opened: Callable[..., Bucket]) -> None:
    whole = Says(200, bytes(5_000_000), {"ETag": '"5e5e"'})
    with Stranger(lambda _: whole) as stranger, Cable(stranger.port) as cable:
        stream = opened(endpoint_url=f"http://127.0.0.1:{cable.port}").open(KEY, '"5e5e"')
        stream.read(1000)
        cable.cut()
        with closing(stream), pytest.raises(Unavailable, match="does not answer as it should"):
            stream.read()


@pytest.mark.thorough
def test_a_store_that_is_gone_is_unavailable(old: OldBucket, opened: Callable[..., Bucket]) -> None:
    old.put(KEY, b"a" * 5_000_000)
    found = only(opened())
    with Cable(old.server.port) as cable:
        stream = opened(endpoint_url=f"http://127.0.0.1:{cable.port}").open(KEY, found.etag)
        cable.refuse()
        with closing(stream), pytest.raises(Unavailable, match="does not answer"):
            stream.read()


@pytest.mark.parametrize("values", [{"bucket": "no-such-bucket"}, {"bucket": "No Name!"}])
def test_a_bucket_that_is_none_is_misconfigured(opened: Callable[..., Bucket], values: Any) -> None:
    with pytest.raises(Misconfigured, match=f"The bucket {values['bucket']}: "):
        list(opened(**values).objects())


@pytest.mark.parametrize("address", ["ftp://example.org", "http://me:secret@127.0.0.1"])
def test_an_address_that_is_none_or_has_a_password_is_refused(
    opened: Callable[..., Bucket], address: str
) -> None:
    with pytest.raises(SettingError) as refused:
        opened(endpoint_url=address)
    assert "secret" not in str(refused.value)


def test_an_object_is_never_whole_in_memory(old: OldBucket, opened: Callable[..., Bucket]) -> None:
    size, piece = 32_000_000, 1_000_000
    old.put(KEY, bytes(size))
    bucket = opened()
    found = only(bucket)
    tracemalloc.start()
    try:
        with closing(bucket.open(KEY, found.etag)) as stream:
            lengths = [len(data) for data in iter(lambda: stream.read(piece), b"")]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(lengths) == size
    assert peak < 8 * piece
