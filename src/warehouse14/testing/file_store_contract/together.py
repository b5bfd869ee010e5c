"""Storing blobs beside each other."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

from datetime import UTC, datetime, timedelta
from functools import partial

from warehouse14.domain.ports import FileStore
from warehouse14.testing.contract import CROWD, race
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import CHUNK, KEY, names, read, stage


class TogetherContract(StoreFixtures):
    """Many who store at the same time."""

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
