"""Events of buckets, from the recorded shapes: straight from S3, in messages of a queue, from EventBridge."""

import copy
import json
from typing import Any
from urllib.parse import quote_plus

from support.sites import TESTS

_FOLDER = TESTS / "support/events"


def recorded(name: str) -> Any:
    """Return an event as it was recorded."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def record(bucket: str, name: str, *, kind: str = "ObjectCreated:Put", sequencer: str = "0A") -> Any:
    """Return one record of S3 about an object of this name."""
    found = copy.deepcopy(recorded("s3_notification")["Records"][0])
    found["eventName"] = kind
    found["s3"]["bucket"]["name"] = bucket
    # As S3 writes it: a slash stays.
    found["s3"]["object"] |= {"key": quote_plus(name, safe="/"), "sequencer": sequencer}
    return found


def removal(bucket: str, name: str, *, sequencer: str = "0B") -> Any:
    """Return one record about an object that was removed."""
    return record(bucket, name, kind="ObjectRemoved:Delete", sequencer=sequencer)


def notification(*records: Any) -> Any:
    """Return an event with these records."""
    return {"Records": list(records)}


def message(event: Any) -> Any:
    """Return a message of a queue that holds an event."""
    found = copy.deepcopy(recorded("sqs")["Records"][0])
    found["body"] = json.dumps(event)
    return found


def of_topic(event: Any) -> Any:
    """Return what a function gets from a topic that an event was published to."""
    found = copy.deepcopy(recorded("sns"))
    found["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return found


def in_queue_of_topic(event: Any) -> Any:
    """Return a message of a queue that is subscribed to such a topic."""
    (record,) = of_topic(event)["Records"]
    told = {key: record["Sns"][key] for key in ("Type", "MessageId", "TopicArn", "Subject", "Message")}
    return message(told)


def from_eventbridge(bucket: str, name: str, *, kind: str = "Object Created", sequencer: str = "0A") -> Any:
    """Return an event of EventBridge about an object of this name."""
    found = recorded("eventbridge_s3")
    found["detail-type"] = kind
    found["detail"]["bucket"]["name"] = bucket
    found["detail"]["object"] |= {"key": name, "sequencer": sequencer}
    return found
