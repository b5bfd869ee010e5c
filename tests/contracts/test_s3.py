from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from support.buckets import BucketServer
from support.cables import Cable
from warehouse14.adapters import s3
from warehouse14.domain.errors import Rejected
from warehouse14.domain.ports import FileStore, Incoming, Prepared
from warehouse14.settings import Section
from warehouse14.testing.file_store_contract import FileStoreContract
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEY, names, read
from warehouse14.testing.incoming_contract import IncomingContract, Put
from warehouse14.testing.parts_contract import TakesPartsContract


def opened(server: BucketServer, bucket: str, **more: str) -> FileStore:
    keys = {
        "bucket": bucket,
        "prefix": "packages/",
        "endpoint_url": server.endpoint,
        "region": "us-east-1",
        "path_style": "true",
    }
    return s3.file_store(Section("warehouse14.files.", keys | more))


class InBucket(StoreFixtures):
    """A bucket of a store, made for each test."""

    #: An object's time has whole seconds.
    clock_step = 1.1

    @pytest.fixture
    def bucket(self, server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> str:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        return server.fresh()

    @pytest.fixture
    def store(self, server: BucketServer, bucket: str) -> FileStore:
        return opened(server, bucket)

    @pytest.fixture
    def reopened(self, server: BucketServer, bucket: str) -> Callable[[], FileStore]:
        return lambda: opened(server, bucket)

    @pytest.fixture
    def broken_store(self, server: BucketServer, bucket: str) -> Iterator[FileStore]:
        with Cable(server.port) as cable:
            endpoint = f"http://127.0.0.1:{cable.port}"
            store = opened(server, bucket, endpoint_url=endpoint, attempts="1", connect_seconds="2")
            assert isinstance(store, Prepared)
            store.verify()
            cable.refuse()
            yield store


class OnLocalStack(InBucket):
    @pytest.fixture
    def server(self, localstack: BucketServer) -> BucketServer:
        return localstack


class OnSwift(InBucket):
    @pytest.fixture
    def server(self, swift: BucketServer) -> BucketServer:
        return swift


class OfOthers(IncomingContract):
    """What others put into such a bucket."""

    @pytest.fixture
    def put(self, server: BucketServer, bucket: str) -> Put:
        def put(key: str, data: bytes) -> None:
            server.client().put_object(Bucket=bucket, Key=f"packages/incoming/{key}", Body=data)

        return put

    def test_a_file_that_was_put_there_as_a_page_is_one(
        self, store: FileStore, incoming: Incoming, server: BucketServer, bucket: str
    ) -> None:
        for key in ("x.whl", "x.whl.error.txt"):
            server.client().put_object(
                Bucket=bucket, Key=f"packages/incoming/{key}", Body=b"data", ContentType="text/html"
            )
        found = incoming.arrived("x.whl")
        assert found is not None
        assert (found.size, incoming.noted("x.whl.error.txt")) == (4, "")
        waiting = incoming.waiting(found)
        with waiting.reader() as stream:
            assert stream.read() == b"data"
        waiting.commit(KEY)
        assert (read(store, KEY), names(store)) == (b"data", [KEY])
        incoming.remove(found)
        assert [each.key for each in incoming.all()] == ["x.whl.error.txt"]

    def test_a_notice_has_the_key_behind_the_prefix(self, incoming: Incoming, bucket: str) -> None:
        assert incoming.key(bucket, "packages/incoming/a/b.whl") == "a/b.whl"
        for name in ("packages/blobs/a/b.whl", "incoming/b.whl", "packages/incoming"):
            assert incoming.key(bucket, name) is None


class TestStoreOnLocalStack(OnLocalStack, FileStoreContract):
    pass


class TestPartsOnLocalStack(OnLocalStack, TakesPartsContract):
    lacks: ClassVar = {"joining_at_once": "LocalStack empties the object that the first of two has completed"}


@pytest.mark.registry
class TestStoreOnSwift(OnSwift, FileStoreContract):
    pass


@pytest.mark.registry
class TestPartsOnSwift(OnSwift, TakesPartsContract):
    pass


#: How an object is put there that the store will not give: in an archive, and with a key of its own.
WITHHELD = {
    "archive": ({"StorageClass": "DEEP_ARCHIVE"}, "lies in an archive, which gives no bytes"),
    "glacier": ({"StorageClass": "GLACIER"}, "lies in an archive, which gives no bytes"),
    "key": ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, "is encrypted with a key that"),
}


class TestIncomingOnLocalStack(OnLocalStack, OfOthers):
    @pytest.mark.parametrize(("how", "reason"), WITHHELD.values(), ids=WITHHELD)
    def test_an_object_that_the_store_will_never_give_is_found_and_rejected(
        self, incoming: Incoming, server: BucketServer, bucket: str, how: dict[str, str], reason: str
    ) -> None:
        client = server.client()
        for name in ("x.whl", "x.whl.more"):
            client.put_object(Bucket=bucket, Key=f"packages/incoming/{name}", Body=b"data", **how)
        found = incoming.arrived("x.whl")
        assert found in list(incoming.all())
        assert (incoming.noted("x.whl"), incoming.arrived("x.wh")) == ("", None)
        with incoming.waiting(found).reader() as stream, pytest.raises(Rejected, match=reason):
            stream.read()


@pytest.mark.registry
class TestIncomingOnSwift(OnSwift, OfOthers):
    pass
