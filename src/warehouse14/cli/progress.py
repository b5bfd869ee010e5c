"""Progress bars for long work: on stderr, and only on a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], *, unit: str, count: Callable[[], int] | None = None) -> Iterator[Item]:
    """Yield the ``items`` while a bar follows them; ``count`` is asked for their number if it is seen."""
    is_seen = sys.stderr.isatty()
    total = count() if is_seen and count else None
    yield from tqdm(items, total=total, unit=f" {unit}", file=sys.stderr, disable=not is_seen, leave=False)


def aside(write: Callable[[str], None], line: str) -> None:
    """Write a line while a bar may stand on the screen."""
    with tqdm.external_write_mode():
        write(line)


@contextmanager
def byte_bar(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yield what is told how many more bytes of ``total`` are done, while a bar follows."""
    with tqdm(
        desc=what,
        total=total,
        unit="B",
        unit_scale=True,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
    ) as bar:
        yield bar.update
