"""Blobs in memory."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

from warehouse14.domain.errors import NotFound
from warehouse14.domain.ports import Blob, Now, Staged


class MemoryFiles:
    """Blobs that live as long as this object. ``now`` says how young a blob is."""

    def __init__(self, now: Now = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._blobs: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def stage(self) -> Iterator[Staged]:
        """Return a place to write to."""
        staged = MemoryStaged(self)
        try:
            yield staged
        finally:
            staged.end()

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob; one that is there keeps its bytes and is young again."""
        _check(key)
        with self._lock:
            kept, _ = self._blobs.get(key, (bytes(data), None))
            self._blobs[key] = (kept, self._now())

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob's bytes from offset ``start`` on."""
        _check(key)
        found = self._blobs.get(key)
        if found is None:
            raise NotFound("blob", key)
        blob = io.BytesIO(found[0])
        blob.seek(start)
        return blob

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``."""
        _check(key)
        found = self._blobs.get(key)
        return None if found is None else Blob(key, len(found[0]), found[1])

    def delete(self, key: str) -> None:
        """Remove ``key``."""
        _check(key)
        with self._lock:
            self._blobs.pop(key, None)

    def keys(self) -> Iterator[Blob]:
        """Return every blob that is there now."""
        with self._lock:
            blobs = list(self._blobs.items())
        return (Blob(key, len(data), modified) for key, (data, modified) in blobs)

    def leftovers(self, before: datetime) -> Iterator[str]:  # noqa: ARG002 - there are none of any age
        """Return nothing: what is not committed is gone with its object."""
        return iter(())

    def sweep(self, leftover: str) -> None:
        """Do nothing: nothing is ever left."""

    def prepare(self) -> None:
        """Do nothing: there is nothing to prepare."""

    def verify(self) -> None:
        """Do nothing: memory is as it must be."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


class MemoryStaged:
    """Bytes on their way in. Any use after the commit or the end raises ``RuntimeError``."""

    def __init__(self, store: MemoryFiles) -> None:
        self._store = store
        self._data: bytearray | None = bytearray()
        self._beside: dict[str, bytes] = {}

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        self._open().extend(data)

    def reader(self) -> BinaryIO:
        """Return what was written."""
        return io.BytesIO(bytes(self._open()))

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob."""
        self._open()
        _check(key)
        self._beside[key] = data

    def commit(self, key: str) -> None:
        """Make it the blob ``key``."""
        whole = bytes(self._open())
        _check(key)
        for small, data in self._beside.items():
            self._store.put(small, data)
        self._store.put(key, whole)
        self.end()

    def end(self) -> None:
        """Forget what was not committed."""
        self._data = None

    def _open(self) -> bytearray:
        if self._data is None:
            raise RuntimeError("what was staged is committed or gone")
        return self._data


def _check(key: str) -> None:
    """Raise ``ValueError`` unless ``key`` is made of ``/``-separated names."""
    if not {"", ".", ".."}.isdisjoint(key.split("/")) or "\\" in key or "\0" in key:
        raise ValueError(f"{key!r} is no key of a blob")
