"""Runs: putting rows into a store in several batches, between which nobody else puts any."""

from collections.abc import Iterator
from contextlib import contextmanager

from warehouse14.domain.errors import Conflict
from warehouse14.domain.ports import Restoration, Restores


def begin(target: Restores, expected: int) -> int:
    """Return the number of a run that begins, and ends those before: they stop at their next batch.

    Raises ``Conflict`` if the newest entry is not that of the serial ``expected``: what was compared before
    is not what is there.
    """
    with _watched(target, expected) as restoration:
        return restoration.begin()


@contextmanager
def batch(target: Restores, run: int, expected: int) -> Iterator[Restoration]:
    """Return what puts a batch of a run. Raises ``Conflict`` as :func:`begin` does, and if another run has
    begun since."""
    with _watched(target, expected) as restoration:
        _require(restoration.run() == run)
        yield restoration


@contextmanager
def _watched(target: Restores, expected: int) -> Iterator[Restoration]:
    try:
        with target.restoring() as restoration:
            _require(restoration.serial() == expected)
            yield restoration
    except Conflict as error:
        # Also where the engine gave one of two up that wait for each other.
        raise Conflict(
            "site",
            "target",
            "Another writes to the same stores, or another copy or restore of them has begun since. Begin"
            " again when it has ended.",
        ) from error


def _require(is_alone: bool) -> None:
    if not is_alone:
        raise Conflict("site", "target")
