"""A blob on its way in, in a nameless file on this machine's disk.

What is stored where depends on the digest of all of it, and it is inspected
before: a store gives nothing back of what it has not got whole.
"""

import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from warehouse14.adapters.s3.client import answering
from warehouse14.domain.blobkeys import checked_key

#: Stores that many bytes of a file under a key.
_Store = Callable[[str, BinaryIO, int], None]


class StagedObject:
    """Any use after the commit or the end raises ``RuntimeError``."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        with answering("take"):
            self._file: BinaryIO | None = tempfile.TemporaryFile()  # noqa: SIM115 - end() closes it
        self._size = 0
        self._beside: list[tuple[str, bytes]] = []

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        with answering("take"):
            self._opened().write(data)
        self._size += len(data)

    def reader(self) -> BinaryIO:
        """Return what was written, from its first byte."""
        file = self._opened()
        with answering("give"):
            file.flush()
            # A descriptor of its own: others read, and this one is written to, meanwhile.
            return open(f"/proc/self/fd/{file.fileno()}", "rb")

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob."""
        self._opened()
        self._beside.append((checked_key(key), bytes(data)))

    def commit(self, key: str) -> None:
        """Store it, after the small blobs beside it."""
        file = self._opened()
        checked_key(key)
        for small, data in self._beside:
            self._store(small, io.BytesIO(data), len(data))
        with answering("take"):
            file.flush()
        self._store(key, file, self._size)
        self.end()

    def end(self) -> None:
        """Forget what was not committed."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise RuntimeError("what was staged is committed or gone")
        return self._file
