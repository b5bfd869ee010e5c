"""What every file store must do. Third-party adapters subclass :class:`FileStoreContract`.

::

    pytest.register_assert_rewrite("warehouse14.testing")  # in conftest.py: failures then show values

    class TestMyFiles(FileStoreContract):
        lacks = {"outage": "there is no engine that could fail"}

        @pytest.fixture
        def store(self, bucket):
            return MyFiles(bucket)
"""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import hashlib
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

import pytest

from warehouse14.domain.errors import Misconfigured, NotFound, Unavailable, WarehouseError
from warehouse14.domain.ports import FileStore, Prepared, Staged
from warehouse14.testing.contract import CROWD, Contract, race

MANY = 1_100
CHUNK = 64 * 1024
KEY = "demo/5e5e/demo-1.0-py3-none-any.whl"

#: Keys that every store must keep apart and give back as they are.
KEYS = [
    "a",
    "demo/5e5e/METADATA",
    "demo/5e5e/demo-1.0-py3-none-any.whl.json",
    "demo/5e5e/Demo-1.0.whl",
    "demo/5e5e/demo 1.0 .whl",
    "demo/5e5e/demo-1.0+local.1.whl",
    "demo/5e5e/demo%2F1.0%.whl",
    "demo/5e5e/demo#1?x=y&z=;.whl",
    "demo/5e5e/dêmo-日本.whl",
    "demo/5e5e/de\N{COMBINING CIRCUMFLEX ACCENT}mo.whl",
    "demo/5e5e/\N{SNAKE}.whl",
    "demo/5e5e/'\"$(x)`*[a]{b}~!",
    "demo/5e5e/.hidden",
    "demo/5e5e/..two-dots",
    "demo/5e5e/-dash",
    "demo/5e5e/line\nbreak",
    f"demo/{'d' * 240}/{'x' * 240}",
    f"demo/5e5e/{chr(0x65E5) * 80}",
]

#: What is no key: it could lead elsewhere, or mean another key.
NO_KEYS = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\0b", "a\\b"]

#: Every method that takes a key.
KEYED: dict[str, Callable[[FileStore, str], object]] = {
    "put": lambda store, key: store.put(key, b"data"),
    "commit": lambda store, key: stage(store, key, b"data"),
    "open": lambda store, key: store.open(key, 0),
    "stat": lambda store, key: store.stat(key),
    "delete": lambda store, key: store.delete(key),
}

#: Every method, for an outage.
METHODS: dict[str, Callable[[FileStore], object]] = {
    **{name: partial(lambda method, store: method(store, KEY), method) for name, method in KEYED.items()},
    "keys": lambda store: list(store.keys()),
    "leftovers": lambda store: list(store.leftovers(datetime.now(UTC))),
    "sweep": lambda store: store.sweep("leftover"),
}


class Stop(Exception):
    """Raised by a test in the middle of a stage."""


def stage(store: FileStore, key: str, *chunks: bytes) -> None:
    """Store ``chunks`` through a stage."""
    with store.stage() as staged:
        for chunk in chunks:
            staged.write(chunk)
        staged.commit(key)


def read(store: FileStore, key: str, start: int = 0) -> bytes:
    """Return the bytes of a blob."""
    with store.open(key, start) as blob:
        return blob.read()


def names(store: FileStore) -> list[str]:
    """Return all keys, sorted."""
    return sorted(blob.key for blob in store.keys())


def modified(store: FileStore, key: str) -> datetime:
    """Return the age of a blob that must be there."""
    blob = store.stat(key)
    assert blob is not None
    return blob.modified


@contextmanager
def nothing_left(store: FileStore) -> Iterator[None]:
    """Check that the keys are the same after the block, and that nothing was left behind."""
    before = names(store)
    yield
    assert names(store) == before
    assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []


class FileStoreContract(Contract):
    """The whole contract of ``FileStore``: subclass it as ``Test...`` and provide the fixtures.

    * ``store``: the adapter, open, prepared and empty.
    * ``broken_store``: an adapter that was opened and whose engine was then made to fail.
    * ``reopened``: a function that opens one more instance over the engine of ``store``.

    An adapter that lacks something says so, with its reason, in the class attribute ``lacks``, and
    the tests show as skips:

    * ``bounded_memory``: a large blob may be held in memory;
    * ``outage``: there is no engine that could fail (``broken_store`` need not be provided);
    * ``sharing``: there is no second instance over the same engine (nor ``reopened``).

    ``clock_step`` is how many seconds the engine's clock needs to show a later time.
    """

    clock_step: ClassVar[float] = 0.02

    @pytest.fixture
    def store(self) -> FileStore:
        """Return the adapter, open, prepared and empty. Override it."""
        return self.absent("store", "store")

    @pytest.fixture
    def broken_store(self) -> FileStore:
        """Return an adapter that was opened and whose engine was then made to fail for good."""
        return self.absent("broken_store", "outage")

    @pytest.fixture
    def reopened(self) -> Callable[[], FileStore]:
        """Return a function that opens one more instance over the engine of ``store``."""
        return self.absent("reopened", "sharing")

    def test_the_adapter_implements_the_ports(self, store: FileStore) -> None:
        assert isinstance(store, FileStore)
        assert isinstance(store, Prepared)

    def test_a_prepared_adapter_is_as_it_must_be_and_can_be_prepared_again(self, store: FileStore) -> None:
        assert isinstance(store, Prepared)
        store.put(KEY, b"kept")
        store.verify()
        store.prepare()
        store.verify()
        assert read(store, KEY) == b"kept"
        store.close()

    # -- putting and staging

    def test_a_blob_is_read_as_it_was_put(self, store: FileStore) -> None:
        data = bytes(range(256)) * 300
        store.put(KEY, data)
        assert read(store, KEY) == data
        assert names(store) == [KEY]

    def test_a_blob_is_read_as_it_was_staged(self, store: FileStore) -> None:
        stage(store, KEY, b"one ", b"", b"two ", b"three" * 50_000)
        assert read(store, KEY) == b"one two " + b"three" * 50_000
        assert names(store) == [KEY]

    def test_an_empty_blob_is_a_blob(self, store: FileStore) -> None:
        store.put("a/empty", b"")
        stage(store, "a/staged")
        assert read(store, "a/empty") == read(store, "a/staged") == b""
        blob = store.stat("a/empty")
        assert blob is not None
        assert blob.size == 0
        assert names(store) == ["a/empty", "a/staged"]

    def test_what_is_staged_can_be_read_before_the_commit(self, store: FileStore) -> None:
        with store.stage() as staged:
            staged.write(b"0123456789")
            with staged.reader() as reader:
                assert reader.read(4) == b"0123"
                reader.seek(-2, 2)
                assert (reader.tell(), reader.read()) == (8, b"89")
                reader.seek(1)
                assert reader.read() == b"123456789"
            staged.commit(KEY)
        assert read(store, KEY) == b"0123456789"

    def test_readers_and_writer_of_a_stage_do_not_disturb_each_other(self, store: FileStore) -> None:
        with store.stage() as staged:
            staged.write(b"01234")
            with staged.reader() as one, staged.reader() as two:
                assert (one.read(2), two.read(3)) == (b"01", b"012")
                assert (one.read(), two.read()) == (b"234", b"34")
            staged.write(b"56789")
            with staged.reader() as reader:
                assert reader.read() == b"0123456789"
            staged.commit(KEY)
        assert read(store, KEY) == b"0123456789"

    def test_what_is_staged_is_seen_by_nobody_before_the_commit(self, store: FileStore) -> None:
        with store.stage() as staged:
            staged.write(b"data" * CHUNK)
            assert names(store) == []
            assert store.stat(KEY) is None
            staged.commit(KEY)
            assert read(store, KEY) == b"data" * CHUNK
        assert names(store) == [KEY]

    def test_what_is_not_committed_is_gone(self, store: FileStore) -> None:
        with nothing_left(store), store.stage() as staged:
            staged.write(b"data" * CHUNK)

    def test_an_exception_in_a_stage_leaves_nothing_and_comes_out(self, store: FileStore) -> None:
        def write_and_stop() -> None:
            with store.stage() as staged:
                staged.write(b"data" * CHUNK)
                raise Stop

        with nothing_left(store), pytest.raises(Stop):
            write_and_stop()

    def test_an_exception_after_the_commit_keeps_the_blob(self, store: FileStore) -> None:
        def commit_and_stop() -> None:
            with store.stage() as staged:
                staged.write(b"data")
                staged.commit(KEY)
                raise Stop

        with pytest.raises(Stop):
            commit_and_stop()
        assert read(store, KEY) == b"data"

    def test_a_committed_stage_takes_nothing_more(self, store: FileStore) -> None:
        def use_after_commit(use: Callable[[Staged], object]) -> None:
            with store.stage() as staged:
                staged.write(b"data")
                staged.commit(KEY)
                use(staged)

        uses: tuple[Callable[[Staged], object], ...] = (
            lambda staged: staged.write(b"more"),
            lambda staged: staged.beside("other/small", b"more"),
            lambda staged: staged.commit("other/key"),
        )
        for use in uses:
            with pytest.raises(RuntimeError):
                use_after_commit(use)
        assert read(store, KEY) == b"data"
        assert names(store) == [KEY]

    def test_small_blobs_beside_a_staged_one_are_there_with_it_and_not_before(self, store: FileStore) -> None:
        beside = {f"{KEY}.json": b"{}", "demo/5e5e/METADATA": b"Name: demo\n", "elsewhere/small": b""}
        with store.stage() as staged:
            staged.write(b"data")
            for key, data in beside.items():
                staged.beside(key, data)
            assert names(store) == []
            staged.commit(KEY)
        assert {key: read(store, key) for key in names(store)} == {KEY: b"data", **beside}
        assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []

    def test_small_blobs_beside_what_is_not_committed_are_gone_with_it(self, store: FileStore) -> None:
        with nothing_left(store), store.stage() as staged:
            staged.write(b"data")
            staged.beside("demo/5e5e/METADATA", b"Name: demo\n")

    def test_a_small_blob_that_is_there_keeps_its_bytes(self, store: FileStore) -> None:
        store.put("demo/5e5e/METADATA", b"first")
        with store.stage() as staged:
            staged.write(b"data")
            staged.beside("demo/5e5e/METADATA", b"second")
            staged.commit(KEY)
        assert read(store, "demo/5e5e/METADATA") == b"first"

    def test_two_stages_at_the_same_time_do_not_mix(self, store: FileStore) -> None:
        with store.stage() as one, store.stage() as two:
            for _ in range(3):
                one.write(b"one")
                two.write(b"two")
            two.commit("b/two")
            one.commit("a/one")
        assert (read(store, "a/one"), read(store, "b/two")) == (b"one" * 3, b"two" * 3)

    @pytest.mark.parametrize("method", ["put", "commit"])
    def test_a_key_that_exists_keeps_its_bytes_and_is_young_again(
        self, store: FileStore, method: str
    ) -> None:
        store.put(KEY, b"the first")
        first = modified(store, KEY)
        time.sleep(self.clock_step)
        KEYED[method](store, KEY)
        assert read(store, KEY) == b"the first"
        assert modified(store, KEY) > first
        assert names(store) == [KEY]
        assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []

    def test_of_many_who_commit_a_key_one_is_stored_whole(self, store: FileStore) -> None:
        contents = [f"{number:02}".encode() * CHUNK for number in range(CROWD)]
        assert race([partial(stage, store, KEY, data, data) for data in contents]) == [None] * CROWD
        assert read(store, KEY) in {data * 2 for data in contents}
        assert names(store) == [KEY]
        assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []

    def test_many_commit_beside_each_other(self, store: FileStore) -> None:
        keys = [f"demo/5e5e/{number:02}" for number in range(CROWD)]
        assert race([partial(stage, store, key, key.encode()) for key in keys]) == [None] * CROWD
        assert names(store) == keys
        assert [read(store, key) for key in keys] == [key.encode() for key in keys]

    def test_commits_and_deletions_beside_each_other_do_not_disturb(self, store: FileStore) -> None:
        def come_and_go(number: int) -> None:
            key = f"demo/5e5e/{number}"
            for _ in range(20):
                store.put(key, key.encode())
                assert read(store, key) == key.encode()
                store.delete(key)
                assert store.stat(key) is None

        assert race([partial(come_and_go, number) for number in range(8)]) == [None] * 8
        assert names(store) == []

    def test_a_large_blob_is_streamed(self, store: FileStore) -> None:
        self.needs("bounded_memory")
        chunks, most = 640, 8 * 1024 * 1024
        written, found = hashlib.sha256(), hashlib.sha256()
        tracemalloc.start()
        try:
            with store.stage() as staged:
                for number in range(chunks):
                    chunk = number.to_bytes(4, "big") * (CHUNK // 4)
                    written.update(chunk)
                    staged.write(chunk)
                staged.commit(KEY)
            with store.open(KEY, 0) as blob:
                while chunk := blob.read(CHUNK):
                    found.update(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert found.digest() == written.digest()
        assert peak < most
        blob_found = store.stat(KEY)
        assert blob_found is not None
        assert blob_found.size == chunks * CHUNK

    # -- reading

    @pytest.mark.parametrize("start", [0, 1, 5, 9, 10])
    def test_a_blob_is_read_from_any_offset(self, store: FileStore, start: int) -> None:
        store.put(KEY, b"0123456789")
        assert read(store, KEY, start) == b"0123456789"[start:]

    def test_a_blob_is_read_in_pieces(self, store: FileStore) -> None:
        store.put(KEY, b"0123456789" * CHUNK)
        with store.open(KEY, 3) as blob:
            assert blob.read(4) == b"3456"
            assert blob.read(4) == b"7890"
            assert len(blob.read()) == 10 * CHUNK - 11
            assert blob.read(1) == b""

    @pytest.mark.parametrize("start", [0, 5])
    def test_an_unknown_key_is_not_found(self, store: FileStore, start: int) -> None:
        store.put("demo/5e5e/other", b"data")
        for key in (KEY, "a", "demo/x/y/z"):
            with pytest.raises(NotFound) as caught:
                store.open(key, start)
            assert (caught.value.kind, caught.value.name) == ("blob", key)
            assert store.stat(key) is None

    def test_a_part_of_a_key_is_no_key(self, store: FileStore) -> None:
        store.put(KEY, b"data")
        for part in ("demo", "demo/5e5e"):
            assert store.stat(part) is None
            with pytest.raises(NotFound):
                store.open(part, 0)
            store.delete(part)
        assert read(store, KEY) == b"data"
        assert names(store) == [KEY]

    def test_stat_and_keys_say_the_same(self, store: FileStore) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        store.put(KEY, b"0123456789")
        blob = store.stat(KEY)
        assert blob is not None
        assert (blob.key, blob.size) == (KEY, 10)
        assert blob.modified.utcoffset() == timedelta(0)
        assert before <= blob.modified <= datetime.now(UTC) + timedelta(seconds=2)
        assert list(store.keys()) == [blob]

    def test_an_open_blob_never_gives_other_bytes_after_its_deletion(self, store: FileStore) -> None:
        size = 20 * CHUNK
        store.put(KEY, b"a" * size)
        with store.open(KEY, 0) as blob:
            assert blob.read(10) == b"a" * 10
            store.delete(KEY)
            store.put(KEY, b"b" * size)
            try:
                rest = blob.read()
            except (OSError, WarehouseError):
                rest = b"a" * (size - 10)
        assert rest == b"a" * (size - 10)
        assert read(store, KEY) == b"b" * size

    # -- keys

    def test_all_keys_are_kept_apart_and_given_back_as_they_are(self, store: FileStore) -> None:
        for key in KEYS:
            store.put(key, key.encode())
        assert names(store) == sorted(KEYS)
        for key in KEYS:
            assert read(store, key) == key.encode()
            blob = store.stat(key)
            assert blob is not None
            assert (blob.key, blob.size) == (key, len(key.encode()))
        for key in KEYS:
            store.delete(key)
        assert names(store) == []

    @pytest.mark.parametrize("method", KEYED)
    @pytest.mark.parametrize("key", NO_KEYS)
    def test_what_is_no_key_is_refused(self, store: FileStore, method: str, key: str) -> None:
        store.put("a/b", b"kept")
        with nothing_left(store), pytest.raises(ValueError, match=r"key"):
            KEYED[method](store, key)
        assert read(store, "a/b") == b"kept"

    def test_more_than_a_thousand_keys_are_all_listed(self, store: FileStore) -> None:
        keys = [f"p{number % 50:02}/{number:04}" for number in range(MANY)]
        for key in keys:
            store.put(key, key.encode())
        assert names(store) == sorted(keys)
        assert sum(blob.size for blob in store.keys()) == sum(len(key) for key in keys)

    def test_keys_may_be_deleted_while_they_are_listed(self, store: FileStore) -> None:
        keys = [f"demo/{number:02}/file" for number in range(40)]
        for key in keys:
            store.put(key, b"data")
        seen = []
        for blob in store.keys():
            seen.append(blob.key)
            store.delete(blob.key)
        assert sorted(seen) == keys
        assert names(store) == []

    def test_a_listing_goes_on_when_everything_is_deleted_meanwhile(self, store: FileStore) -> None:
        keys = [f"demo/{number % 20:02}/{number:02}" for number in range(60)]
        for key in keys:
            store.put(key, b"data")
        listing = store.keys()
        seen = [next(listing).key]
        for key in keys:
            store.delete(key)
        seen.extend(blob.key for blob in listing)
        assert set(seen) <= set(keys)
        assert len(seen) == len(set(seen))

    # -- deleting and sweeping

    def test_a_deleted_blob_is_gone_and_the_others_stay(self, store: FileStore) -> None:
        for key in ("demo/1/a", "demo/1/b", "demo/2/a"):
            store.put(key, key.encode())
        store.delete("demo/1/a")
        assert names(store) == ["demo/1/b", "demo/2/a"]
        assert store.stat("demo/1/a") is None
        with pytest.raises(NotFound):
            store.open("demo/1/a", 0)
        assert read(store, "demo/1/b") == b"demo/1/b"

    def test_deleting_twice_is_fine(self, store: FileStore) -> None:
        store.delete(KEY)
        store.put(KEY, b"data")
        store.delete(KEY)
        store.delete(KEY)
        assert names(store) == []

    def test_a_deleted_key_can_be_taken_again(self, store: FileStore) -> None:
        store.put(KEY, b"one")
        store.delete(KEY)
        store.put(KEY, b"two")
        assert read(store, KEY) == b"two"

    def test_sweeping_what_is_not_there_is_fine(self, store: FileStore) -> None:
        store.put(KEY, b"data")
        store.sweep("not-there")
        assert read(store, KEY) == b"data"

    # -- several instances

    def test_another_instance_sees_what_was_stored(
        self, store: FileStore, reopened: Callable[[], FileStore]
    ) -> None:
        stage(store, KEY, b"data")
        other = reopened()
        assert read(other, KEY) == b"data"
        other.put("other/key", b"more")
        assert names(store) == names(other) == sorted([KEY, "other/key"])
        other.delete(KEY)
        assert store.stat(KEY) is None

    def test_of_many_instances_that_commit_a_key_one_is_stored_whole(
        self, store: FileStore, reopened: Callable[[], FileStore]
    ) -> None:
        stores = [store, reopened(), reopened(), reopened()]
        contents = [f"{number:02}".encode() * CHUNK for number in range(CROWD)]
        acts = [partial(stage, stores[number % 4], KEY, data) for number, data in enumerate(contents)]
        assert race(acts) == [None] * CROWD
        assert {read(each, KEY) for each in stores} <= set(contents)
        assert len({read(each, KEY) for each in stores}) == 1

    # -- an engine that does not answer

    @pytest.mark.parametrize("method", METHODS)
    def test_without_an_engine_every_method_is_unavailable(
        self, broken_store: FileStore, method: str
    ) -> None:
        with pytest.raises(Unavailable) as caught:
            METHODS[method](broken_store)
        assert caught.value.__cause__ is not None

    def test_preparing_and_verifying_without_an_engine_says_so(self, broken_store: FileStore) -> None:
        assert isinstance(broken_store, Prepared)
        with pytest.raises((Unavailable, Misconfigured)) as caught:
            broken_store.verify()
        assert "\n" not in str(caught.value)

    def test_closing_without_an_engine_is_quiet(self, broken_store: FileStore) -> None:
        assert isinstance(broken_store, Prepared)
        broken_store.close()
