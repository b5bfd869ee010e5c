"""Putting and staging blobs."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import hashlib
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from warehouse14.domain.ports import FileStore, Staged
from warehouse14.testing.contract import race
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import (
    CHUNK,
    KEY,
    KEYED,
    modified,
    names,
    nothing_left,
    read,
    stage,
)


class Stop(Exception):
    """Raised by a test in the middle of a stage."""


class StagingContract(StoreFixtures):
    """``put`` and ``stage``."""

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

    def test_the_first_sidecar_stays_whatever_its_size_and_is_young_again(self, store: FileStore) -> None:
        sidecar = f"{KEY}.json"
        store.put(sidecar, b"{}")
        first = modified(store, sidecar)
        time.sleep(self.clock_step)
        with store.stage() as staged:
            staged.write(b"data")
            staged.beside(sidecar, b'{"size": 4}')
            staged.commit(KEY)
        assert read(store, sidecar) == b"{}"
        assert modified(store, sidecar) > first

    def test_two_stages_at_the_same_time_do_not_mix(self, store: FileStore) -> None:
        with store.stage() as one, store.stage() as two:
            for _ in range(3):
                one.write(b"one")
                two.write(b"two")
            two.commit("b/two")
            one.commit("a/one")
        assert (read(store, "a/one"), read(store, "b/two")) == (b"one" * 3, b"two" * 3)

    @pytest.mark.parametrize("method", ["put", "commit"])
    @pytest.mark.parametrize("size", [0, 2, 4, 10_000_000])
    def test_what_is_put_takes_the_place_of_what_is_there_and_is_young(
        self, store: FileStore, method: str, size: int
    ) -> None:
        """The key holds the digest: what is there is the same, or damaged."""
        store.put(KEY, b"x" * size)
        first = modified(store, KEY)
        time.sleep(self.clock_step)
        KEYED[method](store, KEY)
        assert read(store, KEY) == b"data"
        assert modified(store, KEY) > first
        assert names(store) == [KEY]
        assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []

    def test_a_blob_that_is_put_again_is_never_absent_and_never_in_parts(self, store: FileStore) -> None:
        store.put(KEY, b"a" * CHUNK)
        seen = set()

        def look() -> None:
            for _ in range(40):
                seen.add(read(store, KEY))

        def put() -> None:
            for number in range(20):
                store.put(KEY, b"ab"[number % 2 :][:1] * CHUNK)

        assert race([look, look, put, put]) == [None] * 4
        assert seen <= {b"a" * CHUNK, b"b" * CHUNK}

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
