"""Where bytes are kept, by keys."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Blob:
    """What a file store knows about one key. ``size`` is in bytes."""

    key: str
    size: int
    modified: datetime


class Waiting(Protocol):
    """A blob that is not committed yet, seen by nobody else."""

    def reader(self) -> BinaryIO:
        """Return all of it that has come, seekable, from its first byte."""

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob of its own key, to be there when ``commit`` has made this one."""

    def commit(self, key: str) -> None:
        """Make it the blob ``key``, durably and in one step; after that it takes no more.

        It takes the place of a blob that is there, which may be damaged; the first sidecar stays
        (:func:`~warehouse14.domain.blobkeys.keeps_its_bytes`). Either is young again. Raises ``Replaced`` if
        others can put bytes in its place, and what was made a blob is not what was read.
        """


class Staged(Waiting, Protocol):
    """A blob on its way in."""

    def write(self, data: bytes) -> None:
        """Append ``data``."""


@runtime_checkable
class FileStore(Protocol):
    """Blobs under keys, which are made of ``/``-separated names. A key holds the digest of its bytes, so
    that a blob is only ever replaced by what it must be."""

    def stage(self) -> AbstractContextManager[Staged]:
        """Return a place to write to. What is not committed in the ``with`` block is gone after it."""

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob, all or nothing, durably. What is there already is treated as
        :meth:`Staged.commit` does."""

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob's bytes from offset ``start`` on. Raises ``NotFound``."""

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``, or None if there is no such blob."""

    def delete(self, key: str) -> None:
        """Remove ``key``; one that is not there is fine."""

    def keys(self) -> Iterator[Blob]:
        """Return every blob, in any order. What others have put beside them, under a name that is no key, is
        none."""

    def leftovers(self, before: datetime) -> Iterator[str]:
        """Return names for what staging has left behind, last touched before ``before``."""

    def sweep(self, leftover: str) -> None:
        """Remove one leftover; one that is not there is fine."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the bytes of a blob are to be had without passing through this program.

    Attributes:
        address: good for whoever has it, for a while; or a path.
        internal: whether it is a path at the server in front, which sends the bytes in the place of this
            program.
    """

    address: str
    internal: bool


@runtime_checkable
class HandsOver(Protocol):
    """What a file store may be able to do beside: let others send its blobs."""

    def elsewhere(self, key: str, *, filename: str) -> Elsewhere | None:
        """Return where the bytes of ``key`` are to be had, for a file that whoever saves it calls
        ``filename``; None if they are not. It does not look whether there are any."""
