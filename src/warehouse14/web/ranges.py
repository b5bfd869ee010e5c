"""Byte ranges: one part of a file, or all of it (RFC 9110, section 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z", re.ASCII)
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Part:
    """``length`` bytes from offset ``start``; ``whole`` if nothing less was asked for."""

    start: int
    length: int
    whole: bool


def requested_part(environ: Mapping[str, Any], size: int, *, etag: str, modified: str) -> Part | None:
    """Return the part that a request wants of ``size`` bytes, or None if there is no such part.

    A range that is malformed, has several parts, or whose ``If-Range`` names
    other bytes counts as no range at all.
    """
    whole = Part(0, size, whole=True)
    match = _RANGE.match(environ.get("HTTP_RANGE", "").strip())
    if match is None or not any(match.groups()):
        return whole
    condition = environ.get("HTTP_IF_RANGE")
    if condition is not None and condition.strip() not in {etag, modified}:
        return whole
    first, last = match.groups()
    if len(first) > _DIGITS or len(last) > _DIGITS:
        return whole
    return _suffix(int(last), size) if not first else _from(int(first), last, size, whole)


def _suffix(length: int, size: int) -> Part | None:
    if length == 0 or size == 0:
        return None
    length = min(length, size)
    return Part(size - length, length, whole=False)


def _from(start: int, last: str, size: int, whole: Part) -> Part | None:
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return whole
    return Part(start, end - start + 1, whole=False) if start < size else None
