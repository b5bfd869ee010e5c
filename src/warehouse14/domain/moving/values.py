"""From JSON to values of the domain, which any store can keep."""

from datetime import UTC, datetime
from typing import Any

from cattrs.preconf.json import JsonConverter, make_converter

from warehouse14.domain.model import FileType, Role, Scope

#: The largest whole number that every engine keeps.
_MOST = 2**63 - 1


def converter() -> JsonConverter:
    """Return what reads values strictly: nothing unknown, nothing of another type."""
    made = make_converter(forbid_extra_keys=True)
    made.register_structure_hook(str, _text)
    made.register_structure_hook(bool, _flag)
    made.register_structure_hook(int, _number)
    made.register_structure_hook(datetime, _moment)
    for kind in (FileType, Role, Scope):
        # They are text, too, and would be taken for it.
        made.register_structure_hook(kind, _member)
    return made


def _text(value: Any, _: type[str]) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    # Halves of characters have no form in UTF-8.
    value.encode()
    if "\0" in value:
        raise ValueError(f"{value!r:.40} has a NUL, which not every engine keeps")
    return value


def _flag(value: Any, _: type[bool]) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is neither true nor false")
    return value


def _number(value: Any, _: type[int]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise TypeError(f"{value!r:.40} is no number from 0 to {_MOST}")
    return value


def _moment(value: Any, _: type[datetime]) -> datetime:
    """Return a date in UTC, in which stores keep it: there, too, its year is one of the calendar."""
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{value:.40} has no time zone")
    return found.astimezone(UTC)


def _member(value: Any, kind: type[Any]) -> Any:
    return kind(value)
