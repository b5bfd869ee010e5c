"""Deleting blobs and sweeping leftovers."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import pytest

from warehouse14.domain.errors import NotFound
from warehouse14.domain.ports import FileStore
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEY, names, read


class DeletingContract(StoreFixtures):
    """``delete`` and ``sweep``."""

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
