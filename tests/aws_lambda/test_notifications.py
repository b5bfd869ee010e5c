"""What events of buckets say, in each shape: of which object, and what last."""

import logging
from typing import Any

import pytest

from support.notifications import (
    from_eventbridge,
    in_queue_of_topic,
    message,
    notification,
    of_topic,
    record,
    recorded,
    removal,
)
from warehouse14.aws_lambda.notifications import Notice, notices

NAME = "incoming/demo-1.0-py3-none-any.whl"
SAID = [Notice("example-packages", NAME, is_removal=False, sequencer="0055AED6DCD90281E5")]


def said(*records: Any) -> list[tuple[str, bool]]:
    return [(notice.name, notice.is_removal) for notice in notices(notification(*records))]


def test_the_recorded_events_say_the_same() -> None:
    event = recorded("s3_notification")
    assert notices(event) == SAID
    assert notices(notification(message(event))) == SAID
    assert notices(recorded("eventbridge_s3")) == SAID
    assert notices(notification(message(recorded("eventbridge_s3")))) == SAID
    assert notices(of_topic(event)) == notices(notification(in_queue_of_topic(event))) == SAID
    assert notices(of_topic(recorded("eventbridge_s3"))) == SAID


def test_the_test_of_a_subscription_says_nothing() -> None:
    assert notices(recorded("s3_test")) == []
    assert notices(notification(message(recorded("s3_test")))) == []
    assert notices(of_topic(recorded("s3_test"))) == notices(notification()) == []


@pytest.mark.parametrize(
    "name",
    ["incoming/a b+c.whl", "incoming/grüße%2F.whl", "incoming/two\nlines", "incoming/\0", "incoming/../x"],
)
def test_keys_are_decoded(name: str) -> None:
    assert said(record("b", name)) == [(name, False)]
    assert [notice.name for notice in notices(from_eventbridge("b", name))] == [name]


def test_keys_are_decoded_as_s3_writes_them() -> None:
    written = record("b", "x")
    written["s3"]["object"]["key"] = "incoming/a+b%2Bc%2fd.whl"
    assert said(written) == [("incoming/a b+c/d.whl", False)]


@pytest.mark.parametrize(
    ("earlier", "later"), [("0A", "0B"), ("0055AED6", "0055AED600000001"), ("09F", "0A"), ("0a", "0B")]
)
def test_the_record_with_the_largest_sequencer_counts(earlier: str, later: str) -> None:
    put, removed = record("b", "x", sequencer=earlier), removal("b", "x", sequencer=later)
    assert said(put, removed) == said(removed, put) == [("x", True)]
    put, removed = record("b", "x", sequencer=later), removal("b", "x", sequencer=earlier)
    assert said(put, removed) == said(removed, put) == [("x", False)]


def test_a_shorter_sequencer_is_filled_up_with_zeros() -> None:
    longer, shorter = removal("b", "x", sequencer="0055AED7000"), record("b", "x", sequencer="0055AED8")
    assert said(longer, shorter) == said(shorter, longer) == [("x", False)]
    same = record("b", "x", sequencer="0055AED7")
    assert said(same, longer) == [("x", True)]
    assert said(longer, same) == [("x", False)]


def test_each_key_counts_by_itself_also_over_messages_and_buckets() -> None:
    event = notification(
        message(notification(record("b", "x", sequencer="01"), record("b", "y", sequencer="09"))),
        message(from_eventbridge("b", "x", kind="Object Deleted", sequencer="02")),
        record("c", "x", sequencer="00"),
    )
    found = [(notice.bucket, notice.name, notice.is_removal) for notice in notices(event)]
    assert found == [("b", "x", True), ("b", "y", False), ("c", "x", False)]


def test_what_neither_puts_nor_removes_says_nothing() -> None:
    assert said(record("b", "x", kind="ObjectTagging:Put"), record("b", "y", kind="ObjectAcl:Put")) == []
    assert notices(from_eventbridge("b", "x", kind="Object Tags Added")) == []


BAD = [
    None,
    {},
    7,
    [],
    {"eventName": "ObjectCreated:Put"},
    {"eventName": 3, "s3": {}},
    {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "%ff"}}},
    {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": 1}, "object": {"key": "x"}}},
    {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "\ud800"}}},
    {"eventSource": "aws:sqs", "body": "no JSON"},
    {"eventSource": "aws:sqs", "body": "[" * 100_000},
    {"eventSource": "aws:sqs"},
    {"eventSource": "aws:sqs", "body": '{"Type": "Notification", "Message": "no JSON"}'},
    {"EventSource": "aws:sns", "Sns": {}},
    {"detail-type": "Object Created", "detail": {}},
]


@pytest.mark.parametrize("bad", BAD)
def test_an_event_none_of_whose_records_can_be_read_is_an_error(bad: Any) -> None:
    for event in (notification(bad), notification(bad, bad), notification(message(notification(bad)))):
        with pytest.raises(ValueError, match="no record of this event can be read"):
            notices(event)


@pytest.mark.parametrize("bad", BAD)
def test_a_record_that_cannot_be_read_is_logged_and_keeps_no_other_back(
    bad: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert said(record("b", "x"), bad, record("b", "y")) == [("x", False), ("y", False)]
    assert "a record of an event cannot be read" in caplog.text


@pytest.mark.parametrize(
    "event", [None, [], {}, {"Records": None}, {"upload": "x"}, {"version": "0", "source": "aws.events"}]
)
def test_an_event_of_something_else_is_an_error(event: Any) -> None:
    with pytest.raises(ValueError, match="this event is not of a bucket"):
        notices(event)
