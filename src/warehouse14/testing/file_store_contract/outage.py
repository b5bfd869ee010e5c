"""What a store says when its engine fails."""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import pytest

from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.ports import FileStore, Prepared
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import METHODS


class OutageContract(StoreFixtures):
    """An engine that does not answer."""

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
