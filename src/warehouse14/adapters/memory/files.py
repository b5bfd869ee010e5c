"""Blobs in memory."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

from warehouse14.domain.blobkeys import checked_key, keeps_its_bytes
from warehouse14.domain.errors import NotFound, Unavailable
from warehouse14.domain.ports import Blob, Now, Staged


class MemoryFiles:
    """Blobs that live as long as this object. ``now`` says how young a blob is."""

    def __init__(self, now: Now = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._blobs: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()
        self._error: OSError | None = None

    def fail_with(self, error: OSError | None) -> None:
        """Do not answer from now on, because of ``error``; answer again for None."""
        with self._lock:
            self._error = error

    def check(self) -> None:
        """Raise ``Unavailable`` unless the store answers."""
        if self._error is not None:
            raise Unavailable("The file store does not answer.") from self._error

    @contextmanager
    def stage(self) -> Iterator[Staged]:
        """Return a place to write to."""
        self.check()
        staged = MemoryStaged(self)
        try:
            yield staged
        finally:
            staged.end()

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob."""
        checked_key(key)
        with self._lock:
            self.check()
            there = self._blobs.get(key) if keeps_its_bytes(key) else None
            self._blobs[key] = (bytes(data) if there is None else there[0], self._now())

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob's bytes from offset ``start`` on."""
        found = self._found(key)
        if found is None:
            raise NotFound("blob", key)
        blob = io.BytesIO(found[0])
        blob.seek(start)
        return blob

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``."""
        found = self._found(key)
        return None if found is None else Blob(key, len(found[0]), found[1])

    def _found(self, key: str) -> tuple[bytes, datetime] | None:
        checked_key(key)
        self.check()
        return self._blobs.get(key)

    def delete(self, key: str) -> None:
        """Remove ``key``."""
        checked_key(key)
        with self._lock:
            self.check()
            self._blobs.pop(key, None)

    def keys(self) -> Iterator[Blob]:
        """Return every blob that is there now."""
        with self._lock:
            self.check()
            blobs = list(self._blobs.items())
        return (Blob(key, len(data), modified) for key, (data, modified) in blobs)

    def leftovers(self, before: datetime) -> Iterator[str]:  # noqa: ARG002 - there are none of any age
        """Return nothing: what is not committed is gone with its object."""
        self.check()
        return iter(())

    def sweep(self, leftover: str) -> None:  # noqa: ARG002 - there is none of any name
        """Check that it answers: nothing is ever left."""
        self.check()

    def prepare(self) -> None:
        """Check that it answers: there is nothing to prepare."""
        self.check()

    def verify(self) -> None:
        """Check that it answers: memory is as it must be."""
        self.check()

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
        self._beside[checked_key(key)] = data

    def commit(self, key: str) -> None:
        """Make it the blob ``key``."""
        whole = bytes(self._open())
        checked_key(key)
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
        self._store.check()
        return self._data
