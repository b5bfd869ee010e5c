"""Keys, and listing them."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import pytest

from warehouse14.domain.ports import FileStore
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEYED, KEYS, NO_KEYS, names, nothing_left, read

MANY = 1_100


class KeysContract(StoreFixtures):
    """``keys``, and what is one."""

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
