"""The ports, and preparing."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

from warehouse14.domain.ports import FileStore, Prepared
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEY, read


class PreparedContract(StoreFixtures):
    """``prepare``, ``verify``, and the ports."""

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
