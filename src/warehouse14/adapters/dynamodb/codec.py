"""Values as DynamoDB writes them, and back. What is None is left out."""

from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

#: An item, or a part of one, as we use it.
Item = Mapping[str, Any]

_UNPACK: dict[str, Callable[[Any], Any]] = {
    "S": lambda value: value,
    "BOOL": lambda value: value,
    "N": int,
    "B": bytes,
    "L": lambda value: [_unpack_value(each) for each in value],
    "M": lambda value: unpack(value),
}


def pack(item: Item) -> dict[str, Any]:
    """Return an item as it is sent."""
    return {name: pack_value(value) for name, value in item.items() if value is not None}


@singledispatch
def pack_value(value: Any) -> dict[str, Any]:
    """Return one value as it is sent."""
    raise TypeError(f"DynamoDB keeps no {type(value).__name__}")


@pack_value.register
def _(value: str) -> dict[str, Any]:
    return {"S": str(value)}


@pack_value.register
def _(value: int) -> dict[str, Any]:
    return {"N": str(value)}


@pack_value.register
def _(value: bool) -> dict[str, Any]:
    return {"BOOL": value}


@pack_value.register
def _(value: bytes) -> dict[str, Any]:
    return {"B": value}


@pack_value.register
def _(value: list) -> dict[str, Any]:  # type: ignore[type-arg]
    return {"L": [pack_value(each) for each in value]}


@pack_value.register
def _(value: dict) -> dict[str, Any]:  # type: ignore[type-arg]
    return {"M": pack(value)}


def unpack(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as it was before it was sent."""
    return {name: _unpack_value(value) for name, value in sent.items()}


def _unpack_value(sent: Mapping[str, Any]) -> Any:
    ((kind, value),) = sent.items()
    return _UNPACK[kind](value)
