"""Reads docs/permissions.md."""

from collections.abc import Mapping, Sequence
from functools import cache

from support.sites import REPOSITORY

PAGE = REPOSITORY / "docs/permissions.md"


@cache
def section(title: str) -> Sequence[Mapping[str, str]]:
    """Return the rows of the table below a heading, each by the names of its columns."""
    _, found, after = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{PAGE.name} has no section {title!r}"
    head, _, *lines = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [dict(zip(_cells(head), _cells(line), strict=True)) for line in lines]


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip("|").split("|")]
