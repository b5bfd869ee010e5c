"""What events say of objects that were put into buckets or removed from them.

They come from the bucket itself, from a topic, in messages of a queue, or from EventBridge (Amazon S3, "Event
message structure" and "EventBridge event message structure"; Amazon SNS, "Parsing message formats"), each at
least once, and in any order.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

_log = logging.getLogger(__name__)

_TEST = "s3:TestEvent"
#: What a message of a topic says that it is, in a queue.
_OF_TOPIC = "Notification"
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
    bucket, or none of whose records can be read.
    """
    return _latest(_said(event))


def _said(event: Any) -> list[Notice]:
    """Return all that an event says. Raises as :func:`notices` does."""
    about = event if isinstance(event, Mapping) else {}
    is_single = about.get("source") == "aws.s3" or about.get("Type") == _OF_TOPIC
    records = [about] if is_single or about.get("Event") == _TEST else about.get("Records")
    if not isinstance(records, list):
        raise ValueError(_OTHER)  # noqa: TRY004 - it is as it came, and from somewhere else
    said = [_read(record) for record in records]
    if said and all(each is None for each in said):
        raise ValueError("no record of this event can be read; the log has why")
    return [notice for each in said for notice in each or ()]


_OTHER = (
    "this event is not of a bucket: it is no notification of S3, alone, of a topic, in a queue or from"
    " EventBridge"
)


def _read(record: Any) -> list[Notice] | None:
    """Return what a record says; one that cannot be read says None, and keeps no other back."""
    try:
        return list(_in(record))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        _log.error("a record of an event cannot be read: %s: %s", type(error).__name__, error)
        return None


def _in(record: Any) -> Iterable[Notice]:
    if record.get("eventSource") == "aws:sqs":
        return _said(json.loads(record["body"]))
    if record.get("EventSource") == "aws:sns":
        return _said(json.loads(record["Sns"]["Message"]))
    if record.get("Type") == _OF_TOPIC:
        return _said(json.loads(record["Message"]))
    if "detail" in record:
        return _of_eventbridge(record)
    return () if record.get("Event") == _TEST else _of_bucket(record)


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
