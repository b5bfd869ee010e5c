"""What every file store must do that takes parts. Third-party adapters subclass :class:`TakesPartsContract`
beside ``FileStoreContract``, with the same fixtures.
"""
# The name of a test is its sentence, and a store is no mapping:
# ruff: noqa: D102

import hashlib
import io
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

import pytest
import requests

from warehouse14.domain.errors import NotFound, Unavailable
from warehouse14.domain.ports import FileStore, Part, PartRequest, Place, TakesParts
from warehouse14.testing.contract import race
from warehouse14.testing.file_store_contract.fixtures import StoreFixtures
from warehouse14.testing.file_store_contract.steps import KEY, names, read

MIB = 1024 * 1024
_SECONDS = 60

#: Every method of a place that asks the engine, for an outage.
_METHODS: dict[str, Callable[[Place], object]] = {
    "note": lambda place: place.note("x.json", b"{}"),
    "noted": lambda place: place.noted("x.json"),
    "begin": lambda place: place.begin(),
    "sent": lambda place: place.sent("begun"),
    "join": lambda place: place.join("begun"),
    "waiting": lambda place: place.waiting(),
    "end": lambda place: place.end("begun"),
}


class TakesPartsContract(StoreFixtures):
    """The whole contract of ``TakesParts``: subclass it as ``Test...`` and provide the fixtures.

    * ``store``, ``broken_store`` and ``reopened``: as for ``FileStoreContract``.

    An adapter that lacks something says so, with its reason, in the class attribute ``lacks``:

    * ``outage`` and ``sharing``: as there;
    * ``digests``: an address takes other bytes of the same length, too;
    * ``joining_at_once``: of several who join one upload at the same moment some spoil it.

    ``part_bytes`` is how large every part but the last has to be at least.
    """

    part_bytes: ClassVar[int] = 5 * MIB

    def test_the_adapter_implements_the_ports(self, store: FileStore) -> None:
        assert isinstance(store, FileStore)
        assert isinstance(store, TakesParts)

    # -- sending --------------------------------------------------------------------------

    def test_parts_are_joined_and_become_a_blob_that_has_small_ones_beside_it(self, store: FileStore) -> None:
        data = os.urandom(2 * self.part_bytes + 5)
        place = place_of(store)
        begun = self._sent(place, data)
        sizes = {1: self.part_bytes, 2: self.part_bytes, 3: 5}
        assert place.sent(begun) == sizes
        for _ in range(2):
            assert place.join(begun)
        assert place.sent(begun) in (None, sizes)
        assert names(store) == []
        waiting = place.waiting()
        waiting.beside(f"{KEY}.json", b"{}")
        waiting.commit(KEY)
        assert (read(store, KEY), read(store, f"{KEY}.json")) == (data, b"{}")
        for _ in range(2):
            place.end(begun)
        assert names(store) == [KEY, f"{KEY}.json"]
        assert read(store, KEY) == data
        with pytest.raises(NotFound):
            place.waiting()

    def test_parts_come_in_any_order_and_the_last_of_one_number_counts(self, store: FileStore) -> None:
        place = place_of(store)
        begun, first = place.begin(), os.urandom(self.part_bytes)
        for number, data in ((2, b"end"), (1, bytes(self.part_bytes)), (1, first)):
            assert send(place.request(begun, part_of(number, data)), data) < 300
        assert place.sent(begun) == {1: self.part_bytes, 2: 3}
        assert place.join(begun)
        with place.waiting().reader() as stream:
            assert stream.read() == first + b"end"

    @pytest.mark.parametrize("other", [b"abcd", b"ab", b""])
    def test_an_address_takes_no_bytes_of_another_length(self, store: FileStore, other: bytes) -> None:
        self._refuses(store, other)

    def test_an_address_takes_no_bytes_of_another_digest(self, store: FileStore) -> None:
        self.needs("digests")
        self._refuses(store, b"abd")

    def _refuses(self, store: FileStore, other: bytes) -> None:
        place = place_of(store)
        begun = place.begin()
        assert 400 <= send(place.request(begun, part_of(1, b"abc")), other) < 500
        assert place.sent(begun) == {}

    def test_an_upload_that_was_ended_takes_nothing_and_is_none(self, store: FileStore) -> None:
        place = place_of(store)
        begun = self._sent(place, b"abc")
        request = place.request(begun, part_of(2, b"abc"))
        place.end(begun)
        assert place.sent(begun) is None
        assert not place.join(begun)
        assert 400 <= send(request, b"abc") < 500

    def test_one_place_knows_nothing_of_another(self, store: FileStore) -> None:
        place_of(store).join(self._sent(place_of(store), b"abc"))
        for other in ("a", "a/b/c", "b"):
            with pytest.raises(NotFound):
                place_of(store, other).waiting()

    def test_many_who_join_at_the_same_time_have_one_file(self, store: FileStore) -> None:
        self.needs("joining_at_once")
        data = os.urandom(self.part_bytes + 5)
        begun = self._sent(place_of(store), data)
        joins = [partial(place_of(store).join, begun) for _ in range(4)]
        assert race(joins) == [None] * len(joins)
        with place_of(store).waiting().reader() as stream:
            assert stream.read() == data

    def test_notes_are_kept_and_replaced_and_are_no_blobs(self, store: FileStore) -> None:
        place = place_of(store)
        assert place.noted("x.json") is None
        for data in (b"{}", b'{"a": 1}'):
            place.note("x.json", data)
            assert place.noted("x.json") == data
        assert place_of(store, "a").noted("x.json") is None
        place.end(place.begin())
        assert place.noted("x.json") == b'{"a": 1}'
        assert names(store) == []

    # -- reading and committing -----------------------------------------------------------

    def test_what_waits_is_read_like_a_file_from_any_offset(self, store: FileStore) -> None:
        data = os.urandom(self.part_bytes + 3 * MIB)
        place, chance = self._joined(store, data), random.Random(7)  # noqa: S311
        with place.waiting().reader() as stream:
            assert stream.seek(0, io.SEEK_END) == len(data)
            assert stream.read(1) == b""
            for _ in range(60):
                at, count = chance.randrange(len(data)), chance.choice([1, 30, 70_000, 2 * MIB])
                stream.seek(at)
                assert stream.read(count) == data[at : at + count]
            stream.seek(0)
            assert stream.read() == data

    def test_what_was_replaced_meanwhile_is_neither_read_on_nor_copied(self, store: FileStore) -> None:
        place = self._joined(store, bytes(self.part_bytes))
        waiting = place.waiting()
        stream = waiting.reader()
        # The end first: some engines let nobody replace what they still send.
        stream.seek(self.part_bytes - 10)
        assert stream.read(5) == bytes(5)
        place.join(self._sent(place, b"x" * self.part_bytes))
        stream.seek(0)
        with pytest.raises(Unavailable):
            stream.read(5)
        with pytest.raises(Unavailable):
            waiting.commit(KEY)
        assert names(store) == []

    @pytest.mark.parametrize("before", [b"abc", b"other"])
    def test_what_waits_takes_the_place_of_a_blob_that_may_be_damaged(
        self, store: FileStore, before: bytes
    ) -> None:
        store.put(KEY, before)
        self._joined(store, b"abd").waiting().commit(KEY)
        assert read(store, KEY) == b"abd"

    # -- others, and what is left ---------------------------------------------------------

    def test_another_instance_goes_on_where_one_has_stopped(
        self, store: FileStore, reopened: Callable[[], FileStore]
    ) -> None:
        begun = self._sent(place_of(store), b"abc")
        place_of(store).note("x.json", b"{}")
        other = place_of(reopened())
        assert (other.sent(begun), other.noted("x.json")) == ({1: 3}, b"{}")
        assert other.join(begun)
        place_of(reopened()).waiting().commit(KEY)
        assert read(store, KEY) == b"abc"

    def test_what_waits_is_a_leftover_only_when_it_is_old(self, store: FileStore) -> None:
        place = self._joined(store, b"abc")
        place.note("x.json", b"{}")
        begun = self._sent(place, b"abc")
        store.put(KEY, b"data")
        now = datetime.now(UTC)
        assert list(store.leftovers(now - timedelta(hours=1))) == []
        found = list(store.leftovers(now + timedelta(days=1)))
        assert found
        for leftover in found:
            for _ in range(2):
                store.sweep(leftover)
        assert list(store.leftovers(now + timedelta(days=1))) == []
        assert (place.sent(begun), place.noted("x.json"), names(store)) == (None, None, [KEY])
        with pytest.raises(NotFound):
            place.waiting()

    @pytest.mark.parametrize("method", _METHODS)
    def test_without_an_engine_a_place_is_unavailable(self, broken_store: FileStore, method: str) -> None:
        with pytest.raises(Unavailable) as caught:
            _METHODS[method](place_of(broken_store))
        assert caught.value.__cause__ is not None

    def _sent(self, place: Place, data: bytes) -> str:
        """Send a file in parts, and return what they are called."""
        begun = place.begin()
        for number, start in enumerate(range(0, len(data), self.part_bytes), start=1):
            piece = data[start : start + self.part_bytes]
            assert send(place.request(begun, part_of(number, piece)), piece) < 300
        return begun

    def _joined(self, store: FileStore, data: bytes) -> Place:
        place = place_of(store)
        assert place.join(self._sent(place, data))
        return place


def place_of(store: FileStore, key: str = "a/b") -> Place:
    """Return a place of a store that takes parts."""
    assert isinstance(store, TakesParts)
    return store.place(key)


def part_of(number: int, data: bytes) -> Part:
    """Return what is announced of a part."""
    return Part(number, len(data), hashlib.sha256(data).hexdigest())


def send(request: PartRequest, data: bytes) -> int:
    """Send a part as clients do, and return the status of the answer."""
    answer = requests.put(request.address, data=data, headers=dict(request.headers), timeout=_SECONDS)
    return answer.status_code
