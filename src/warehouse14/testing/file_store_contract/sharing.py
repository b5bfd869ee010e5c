"""Stores that share an engine."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

from collections.abc import Callable
from functools import partial

from warehouse14.domain.ports import FileStore
from warehouse14.testing.contract import CROWD, race
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import CHUNK, KEY, names, read, stage


class SharingContract(StoreFixtures):
    """Several instances over one engine."""

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
