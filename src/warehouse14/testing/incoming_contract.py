"""What a file store must do that takes files which others put into it. Third-party adapters subclass
:class:`IncomingContract` beside ``FileStoreContract``, with the same fixtures and ``put``.
"""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

from collections.abc import Callable

import pytest

from warehouse14.domain.errors import Unavailable
from warehouse14.domain.ports import FileStore, Incoming, TakesIncoming
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEY, names, read

#: Keys as people write them, and as they should not.
KEYS = (
    "demo-1.0.whl",
    "team a/demo-1.0+local.1.whl",
    "gr\u00fc\u00dfe/100%/%2F.whl",
    "two\nlines.whl",
    'a"b&c=d#e?f.whl',
    f"{'long/' * 150}x.whl",
)
#: Longer than stores take.
_LONG = "x" * 1025

#: Puts a file there as others do, by its key.
Put = Callable[[str, bytes], None]


class IncomingContract(StoreFixtures):
    """The whole contract of ``TakesIncoming``: subclass it as ``Test...`` and provide the fixtures.

    * ``store``: as for ``FileStoreContract``.
    * ``put``: a function that puts a file there, by its key, as others do, past the store.
    """

    @pytest.fixture
    def put(self) -> Put:
        """Return a function that puts a file there, by its key. Override it."""
        return self.absent("put", "others")

    @pytest.fixture
    def incoming(self, store: FileStore) -> Incoming:
        assert isinstance(store, TakesIncoming)
        return store.incoming()

    @pytest.mark.parametrize("key", KEYS)
    def test_what_is_put_there_is_found_read_and_removed(
        self, incoming: Incoming, put: Put, key: str
    ) -> None:
        put(key, b"data")
        (listed,) = incoming.all()
        found = incoming.arrived(key)
        assert found is not None
        assert found == listed
        assert (found.key, found.size) == (key, 4)
        with incoming.waiting(found).reader() as stream:
            assert stream.read() == b"data"
        incoming.remove(found)
        incoming.remove(found)
        assert (incoming.arrived(key), list(incoming.all())) == (None, [])

    def test_what_is_committed_is_a_blob_with_those_beside_it_and_stays_there_too(
        self, store: FileStore, incoming: Incoming, put: Put
    ) -> None:
        put("a b/x.whl", b"data")
        found = incoming.arrived("a b/x.whl")
        assert found is not None
        waiting = incoming.waiting(found)
        waiting.beside(f"{KEY}.json", b"{}")
        waiting.commit(KEY)
        assert (read(store, KEY), read(store, f"{KEY}.json")) == (b"data", b"{}")
        assert incoming.arrived("a b/x.whl") == found

    def test_what_lies_there_is_no_blob(self, store: FileStore, incoming: Incoming, put: Put) -> None:
        put("x.whl", b"data")
        incoming.note("x.whl.error.txt", "no", tag="1")
        store.put(KEY, b"blob")
        assert names(store) == [KEY]
        assert sorted(each.key for each in incoming.all()) == ["x.whl", "x.whl.error.txt"]

    def test_an_empty_file_is_one(self, incoming: Incoming, put: Put) -> None:
        put("x.whl", b"")
        found = incoming.arrived("x.whl")
        assert found is not None
        with incoming.waiting(found).reader() as stream:
            assert (found.size, stream.read()) == (0, b"")

    def test_one_that_was_replaced_is_neither_read_nor_committed_nor_removed(
        self, store: FileStore, incoming: Incoming, put: Put
    ) -> None:
        put("x.whl", b"first")
        first = incoming.arrived("x.whl")
        assert first is not None
        waiting = incoming.waiting(first)
        put("x.whl", b"other")
        with waiting.reader() as stream, pytest.raises(Unavailable):
            stream.read()
        with pytest.raises(Unavailable):
            waiting.commit(KEY)
        incoming.remove(first)
        other = incoming.arrived("x.whl")
        assert other is not None
        assert (other.tag != first.tag, names(store)) == (True, [])

    def test_a_text_says_of_which_file_it_speaks(self, incoming: Incoming, put: Put) -> None:
        assert incoming.noted("x.txt") is None
        assert incoming.note("x.txt", "one", tag="1")
        assert incoming.note("x.txt", "gr\u00fc\u00dfe", tag="2")
        assert incoming.noted("x.txt") == "2"
        found = incoming.arrived("x.txt")
        assert found is not None
        with incoming.waiting(found).reader() as stream:
            assert stream.read() == "gr\u00fc\u00dfe".encode()
        incoming.remove_note("x.txt")
        incoming.remove_note("x.txt")
        assert incoming.noted("x.txt") is None
        put("x.txt", b"of somebody else")
        assert incoming.noted("x.txt") == ""

    def test_a_key_that_no_store_takes_has_nothing_and_takes_no_text(self, incoming: Incoming) -> None:
        assert (incoming.arrived(_LONG), incoming.noted(_LONG)) == (None, None)
        assert not incoming.note(_LONG, "text", tag="1")

    def test_a_notice_of_another_place_has_no_key(self, incoming: Incoming) -> None:
        assert incoming.key("another-bucket-than-any", "x.whl") is None
