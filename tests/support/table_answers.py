"""Requests and answers of DynamoDB as they go over the wire, made other than they were."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from urllib3 import HTTPResponse

Body = dict[str, Any]
Send = Callable[[AWSPreparedRequest], AWSResponse]

_OWN, _COMMON = "com.amazonaws.dynamodb.v20120810", "com.amazon.coral.availability"
#: What it says where it is asked for more than it gives, by the name of the error.
THROTTLED = {
    "ProvisionedThroughputExceededException": (_OWN, "The level of configured throughput was exceeded."),
    "RequestLimitExceeded": (_OWN, "Throughput exceeds the current throughput limit for your account."),
    "ThrottlingException": (_COMMON, "Rate of requests exceeds the allowed throughput."),
}
_NO_REASON = {"Code": "None"}
_CONFLICT = "Transaction is ongoing for the item"


def body_of(request: AWSPreparedRequest) -> Body:
    """Return what a request says."""
    said: Body = json.loads(request.body)
    return said


def with_body(request: AWSPreparedRequest, body: Body) -> AWSPreparedRequest:
    """Return the same request that says something else. DynamoDB Local does not look at its signature."""
    data = json.dumps(body).encode()
    headers = request.headers.copy()
    headers["Content-Length"] = str(len(data))
    return AWSPreparedRequest(request.method, request.url, headers, data, request.stream_output)


def answer(request: AWSPreparedRequest, body: Body, status: int = 200) -> AWSResponse:
    """Return an answer as the service would send it."""
    data = json.dumps(body).encode()
    raw = HTTPResponse(io.BytesIO(data), preload_content=False)
    headers = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(data))}
    return AWSResponse(request.url, status, headers, raw)


def throttled(request: AWSPreparedRequest, error: str) -> AWSResponse:
    """Return the refusal of a service that is asked too much, one of ``THROTTLED``."""
    space, message = THROTTLED[error]
    return answer(request, {"__type": f"{space}#{error}", "message": message}, 400)


def refused(request: AWSPreparedRequest, error: str) -> AWSResponse:
    """Return another refusal, by the name of its error."""
    return answer(request, {"__type": f"{_OWN}#{error}", "message": "Not now."}, 400)


def conflicting(request: AWSPreparedRequest) -> AWSResponse:
    """Return the refusal of a write whose last item another transaction has in its hands."""
    operations = body_of(request).get("TransactItems")
    if operations is None:
        said = {"__type": f"{_OWN}#TransactionConflictException", "message": _CONFLICT}
        return answer(request, said, 400)
    return cancelled(request, "TransactionConflict", _CONFLICT)


def cancelled(request: AWSPreparedRequest, code: str, reason: str = "Not now.") -> AWSResponse:
    """Return the refusal of a transaction for its last item, by the code of its reason."""
    operations = body_of(request)["TransactItems"]
    reasons = [*[_NO_REASON] * (len(operations) - 1), {"Code": code, "Message": reason}]
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    said = {"__type": f"{_OWN}#TransactionCanceledException", "Message": message}
    return answer(request, {**said, "CancellationReasons": reasons}, 400)


def partly(request: AWSPreparedRequest, send: Send, done: int) -> AWSResponse:
    """Send what a BatchGetItem or BatchWriteItem asks of some items of each table alone, and answer that
    the others were not processed.

    Args:
        request: what was asked.
        send: what asks the service.
        done: how many items of each table are asked for, of the first, or of the last if it is negative.
    """
    asked = body_of(request)
    first, last = slice(done), slice(done, None)
    processed, undone = (first, last) if done > 0 else (last, first)
    some = {name: _part(wanted, processed) for name, wanted in asked["RequestItems"].items()}
    said = body_of_answer(send(with_body(request, {**asked, "RequestItems": some})))
    left = "UnprocessedKeys" if "Responses" in said else "UnprocessedItems"
    for name, wanted in asked["RequestItems"].items():
        rest = _part(wanted, undone)
        if _things(rest):
            said[left][name] = rest
    return answer(request, said)


def being_made(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """Send a DescribeTable, and answer that the table is not ready yet."""
    said = body_of_answer(send(request))
    said["Table"]["TableStatus"] = "CREATING"
    return answer(request, said)


def without(request: AWSPreparedRequest, send: Send, item: Body) -> AWSResponse:
    """Send what a Query asks, and answer without the one item that has what ``item`` has."""
    said = body_of_answer(send(request))
    left = [each for each in said["Items"] if not item.items() <= each.items()]
    assert len(left) == len(said["Items"]) - 1, f"{item} is not what was asked for"
    return answer(request, {**said, "Items": left, "Count": len(left)})


def _part(wanted: Any, which: slice) -> Any:
    """Return some of what is wanted of one table: a list to write, or a description with a list of keys."""
    return wanted[which] if isinstance(wanted, list) else {**wanted, "Keys": wanted["Keys"][which]}


def _things(wanted: Any) -> list[Any]:
    things: list[Any] = wanted if isinstance(wanted, list) else wanted["Keys"]
    return things


def body_of_answer(response: AWSResponse) -> Body:
    """Return what an answer says that is no error."""
    assert response.status_code == 200, response.text
    said: Body = json.loads(response.content)
    return said


def from_tables(request: AWSPreparedRequest, send: Send, others: Mapping[str, str]) -> AWSResponse:
    """Answer a read from other tables, by the names of those that were asked, as if it were from these."""
    asked = body_of(request)
    if "TableName" in asked:
        return send(
            with_body(request, {**asked, "TableName": others.get(asked["TableName"], asked["TableName"])})
        )
    wanted = _renamed(asked["RequestItems"], others)
    said = body_of_answer(send(with_body(request, {**asked, "RequestItems": wanted})))
    back = {other: name for name, other in others.items()}
    parts = {name: _renamed(said[name], back) for name in ("Responses", "UnprocessedKeys")}
    return answer(request, {**said, **parts})


def _renamed(parts: Mapping[str, Any], names: Mapping[str, str]) -> Body:
    return {names.get(name, name): part for name, part in parts.items()}
