"""Reading blobs."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

from datetime import UTC, datetime, timedelta

import pytest

from warehouse14.domain.errors import NotFound, WarehouseError
from warehouse14.domain.ports import FileStore
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import CHUNK, KEY, names, read


class ReadingContract(StoreFixtures):
    """``open`` and ``stat``."""

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
