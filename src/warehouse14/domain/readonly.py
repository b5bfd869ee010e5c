"""A site that changes nothing, for the time of a move: what reads goes on."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, NoReturn

from warehouse14.domain.errors import ReadOnly
from warehouse14.domain.ports import (
    Blob,
    Elsewhere,
    FileStore,
    HandsOver,
    Prepared,
    Settles,
    Staged,
    UnitOfWork,
    Units,
)

#: After how many seconds to try again: a move takes its time.
_RETRY_SECONDS = 300


def refuse_change() -> NoReturn:
    """Raise ``ReadOnly``."""
    raise ReadOnly(
        "This site changes nothing for now, as it is being moved. Try again later.",
        retry_after=_RETRY_SECONDS,
        detail="warehouse14.read_only is set",
    )


class _Unchanging:
    """What both have in common: their ground may be prepared, and is let go of."""

    def __init__(self, real: object) -> None:
        self._ground = real if isinstance(real, Prepared) else None

    def prepare(self) -> None:
        """See the port."""
        if self._ground is not None:
            self._ground.prepare()

    def verify(self) -> None:
        """See the port."""
        if self._ground is not None:
            self._ground.verify()

    def close(self) -> None:
        """See the port."""
        if self._ground is not None:
            self._ground.close()


class ReadOnlyUnits(_Unchanging):
    """Implements ``Units`` and ``Settles``; no unit writes."""

    def __init__(self, units: Units) -> None:
        super().__init__(units)
        self._units = units
        self.settle_seconds = units.settle_seconds if isinstance(units, Settles) else 0.0

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """See the port."""
        return self._units.read()

    def write(self) -> AbstractContextManager[UnitOfWork]:
        """Raise ``ReadOnly``."""
        refuse_change()

    def pulse(self) -> Hashable:
        """See the port."""
        return self._units.pulse()


class ReadOnlyFiles(_Unchanging):
    """Implements ``FileStore`` and ``HandsOver``; no blob comes or goes."""

    def __init__(self, store: FileStore) -> None:
        super().__init__(store)
        self._store = store

    def stage(self) -> AbstractContextManager[Staged]:
        """Raise ``ReadOnly``."""
        refuse_change()

    def put(self, key: str, data: bytes) -> None:  # noqa: ARG002
        """Raise ``ReadOnly``."""
        refuse_change()

    def open(self, key: str, start: int) -> BinaryIO:
        """See the port."""
        return self._store.open(key, start)

    def stat(self, key: str) -> Blob | None:
        """See the port."""
        return self._store.stat(key)

    def delete(self, key: str) -> None:  # noqa: ARG002
        """Raise ``ReadOnly``."""
        refuse_change()

    def keys(self) -> Iterator[Blob]:
        """See the port."""
        return self._store.keys()

    def leftovers(self, before: datetime) -> Iterator[str]:
        """See the port."""
        return self._store.leftovers(before)

    def sweep(self, leftover: str) -> None:  # noqa: ARG002
        """Raise ``ReadOnly``."""
        refuse_change()

    def elsewhere(self, key: str, *, filename: str) -> Elsewhere | None:
        """See the port."""
        return self._store.elsewhere(key, filename=filename) if isinstance(self._store, HandsOver) else None


def never(_: Callable[[], None]) -> None:
    """Run nothing: what nobody waits for only ever writes."""
