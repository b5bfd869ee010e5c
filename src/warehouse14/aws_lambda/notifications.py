"""What events say of objects that were put into buckets or removed from them.

They come from the bucket itself, in messages of a queue, or from EventBridge (Amazon S3, "Event message
structure" and "EventBridge event message structure"), each at least once, and in any order.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

_log = logging.getLogger(__name__)

_TEST = "s3:TestEvent"
_CREATED, _REMOVED = "ObjectCreated:", "ObjectRemoved:"
#: What EventBridge calls the same, and whether that is a removal.
_DETAILS = {"Object Created": False, "Object Deleted": True}


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to an object.

    Attributes:
        bucket: where it lies.
        name: its key in the bucket.
        is_removal: whether it was removed there, and not put.
        sequencer: orders what happened to one key.
    """

    bucket: str
    name: str
    is_removal: bool
    sequencer: str


def notices(event: Any) -> list[Notice]:
    """Return what an event says of each object last, in the order of the event.

    A record that cannot be read is logged, and left out. Raises ``ValueError`` for an event that is of no
    bucket.
    """
    return _latest(_said(event))


def _said(event: Any) -> Iterator[Notice]:
    """Return all that an event says. Raises ``ValueError`` if it is of no bucket."""
    about = event if isinstance(event, Mapping) else {}
    is_single = about.get("source") == "aws.s3"
    records = [about] if is_single or about.get("Event") == _TEST else about.get("Records")
    if not isinstance(records, list):
        raise ValueError(_OTHER)  # noqa: TRY004 - it is as it came, and from somewhere else
    for record in records:
        yield from _read(record)


_OTHER = "this event is not of a bucket: it is no notification of S3, alone, in a queue or from EventBridge"


def _read(record: Any) -> Iterator[Notice]:
    """Return what a record says; one that cannot be read says nothing, and keeps no other back."""
    try:
        if record.get("eventSource") == "aws:sqs":
            yield from _said(json.loads(record["body"]))
        elif "detail" in record:
            yield from _of_eventbridge(record)
        elif record.get("Event") != _TEST:
            yield from _of_bucket(record)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        _log.error("a record of an event cannot be read: %s: %s", type(error).__name__, error)


def _of_eventbridge(event: Any) -> Iterator[Notice]:
    is_removal = _DETAILS.get(event["detail-type"])
    if is_removal is not None:
        # Here alone keys are as they are.
        yield _notice(event["detail"], event["detail"]["object"]["key"], is_removal)


def _of_bucket(record: Any) -> Iterator[Notice]:
    kind = record["eventName"].removeprefix("s3:")
    if kind.startswith((_CREATED, _REMOVED)):
        about = record["s3"]
        name = unquote_plus(about["object"]["key"], errors="strict")
        yield _notice(about, name, kind.startswith(_REMOVED))


def _notice(about: Any, name: str, is_removal: bool) -> Notice:
    sequencer = about["object"].get("sequencer", "")
    # Shorter ones are to be filled up with zeros on the right: none of those says anything.
    return Notice(_text(about["bucket"]["name"]), _text(name), is_removal, sequencer.upper().rstrip("0"))


def _text(value: Any) -> str:
    """Return text that can be sent. Raises ``ValueError``."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} stands where text has to")
    value.encode()
    return value


def _latest(said: Iterable[Notice]) -> list[Notice]:
    found: dict[tuple[str, str], Notice] = {}
    for notice in said:
        key = (notice.bucket, notice.name)
        if key not in found or notice.sequencer >= found[key].sequencer:
            found[key] = notice
    return list(found.values())
