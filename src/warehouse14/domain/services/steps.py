"""Long work that stops at a step, for whoever has a time to keep: it can be left there, or gone on with."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Step:
    """Comes among the items of long work before each part of it. A step is no result."""


STEP = Step()


def results(items: Iterable[Item | Step]) -> Iterator[Item]:
    """Return the items alone, for whoever has the time for all."""
    return (item for item in items if not isinstance(item, Step))
