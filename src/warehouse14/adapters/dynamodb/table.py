"""One table: every request for items, complete and strongly consistent."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.dynamodb.client import answering, code_of, said
from warehouse14.adapters.dynamodb.codec import Item, pack, unpack
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.adapters.dynamodb.waiting import Deadline, tries
from warehouse14.domain.errors import Unavailable

#: How many items one request may ask for, and how many it may write.
_MOST_READ, _MOST_WRITTEN = 100, 25
#: How many items may be asked for as they are at one moment.
MOST_AT_ONCE = 100
#: What the service says of a transaction that it did not carry out, as where it meets another.
CANCELLED = "TransactionCanceledException"
#: Why it refuses operations that may be tried again as they are.
MEET_OTHERS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
#: How long what a service under load left undone is asked for again, in seconds.
_PATIENCE = 10.0


class Table:
    """A table. Every method raises ``Unavailable`` if the service does not answer."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return an item, or None."""
        with answering():
            answer = self._client.get_item(TableName=self._name, Key=_sent(key), ConsistentRead=True)
            found = answer.get("Item")
            return None if found is None else unpack(found)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """Return those of the items that are there. They are not of one moment."""
        found: dict[Key, dict[str, Any]] = {}
        for some in _slices(list(dict.fromkeys(keys)), _MOST_READ):
            wanted = {"Keys": [_sent(key) for key in some], "ConsistentRead": True}
            left: Mapping[str, Any] = {self._name: wanted}
            for _ in tries(_PATIENCE):
                with answering():
                    answer = self._client.batch_get_item(RequestItems=left)
                    for item in map(unpack, answer["Responses"].get(self._name, ())):
                        found[item["pk"], item["sk"]] = item
                    left = answer.get("UnprocessedKeys") or {}
                if not left:
                    break
            else:
                raise Unavailable("The database has too much to do. Try again.")
        return found

    def get_at_once(self, keys: Iterable[Key], patience: float = _PATIENCE) -> dict[Key, dict[str, Any]]:
        """Return those of the items that are there, as they are at one moment; ``MOST_AT_ONCE`` at most.
        Others that have one in their hands are waited for."""
        asked = [{"Get": {"TableName": self._name, "Key": _sent(key)}} for key in keys]
        detail = ""
        for _ in tries(patience):
            with answering():
                try:
                    answer = self._client.transact_get_items(TransactItems=asked)
                except ClientError as error:
                    if not _meets_others(error):
                        raise
                    detail = said(error)
                    continue
                items = [unpack(each["Item"]) for each in answer["Responses"] if each.get("Item")]
                return {(item["pk"], item["sk"]): item for item in items}
        raise Unavailable("The database has too much to do. Try again.", detail=detail)

    def query(
        self,
        partition: str,
        *,
        first: str | None = None,
        last: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        only: str | None = None,
        values: Item | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a partition, in order.

        Args:
            partition: which one.
            first, last: the places to begin and to end with.
            reverse: from the last to the first.
            limit: how many items the first request is to look at, where fewer than a megabyte are wanted.
            only: a filter expression.
            values: what it compares with, by name.
        """
        asked: dict[str, Any] = {
            "TableName": self._name,
            "ConsistentRead": True,
            "ScanIndexForward": not reverse,
            **_condition(partition, first, last, values or {}),
        }
        if only is not None:
            asked["FilterExpression"] = only
        if limit is not None:
            asked["Limit"] = limit
        yield from self._pages("query", asked)

    def scan(self, *, only: str, values: Item) -> Iterator[dict[str, Any]]:
        """Yield the items of the whole table that a filter expression lets through, in no order."""
        sent = {f":{name}": value for name, value in pack(values).items()}
        asked = {
            "TableName": self._name,
            "ConsistentRead": True,
            "FilterExpression": only,
            "ExpressionAttributeValues": sent,
        }
        yield from self._pages("scan", asked)

    def _pages(self, method: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            with answering():
                answer = getattr(self._client, method)(**asked)
                items = [unpack(item) for item in answer["Items"]]
            yield from items
            if not answer.get("LastEvaluatedKey"):
                return
            # Not what was wanted, then: a megabyte at a time.
            asked.pop("Limit", None)
            asked = {**asked, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def write_many(
        self,
        put: Sequence[Item] = (),
        delete: Iterable[Key] = (),
        deadline: Deadline | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """Write items, each by itself and in no order. What the service left undone is asked for again until
        ``deadline``, or for a while each time where there is none. Before each request ``look`` is called,
        which raises where no more may be written."""
        requests = [{"PutRequest": {"Item": pack(item)}} for item in put]
        requests += [{"DeleteRequest": {"Key": _sent(key)}} for key in dict.fromkeys(delete)]
        for some in _slices(requests, _MOST_WRITTEN):
            left: Mapping[str, Any] = {self._name: some}
            for _ in tries(_PATIENCE if deadline is None else deadline.left()):
                look()
                with answering():
                    left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
                if not left:
                    break
            else:
                raise Unavailable("The database has too much to do. Try again.")

    def transact(self, operations: Sequence[Mapping[str, Any]], token: str) -> None:
        """Carry out operations, all or none; once, however often it is asked under the same ``token``.

        Raises what boto3 raises.
        """
        named = [
            {kind: {"TableName": self._name, **request} for kind, request in operation.items()}
            for operation in operations
        ]
        self._client.transact_write_items(TransactItems=named, ClientRequestToken=token)

    def write(self, operation: Mapping[str, Any]) -> None:
        """Carry out one operation by itself. Raises what boto3 raises."""
        ((kind, request),) = operation.items()
        getattr(self._client, f"{kind.lower()}_item")(TableName=self._name, **request)


def put(item: Item, condition: str | None = None, **values: Any) -> dict[str, Any]:
    """Return the operation that puts an item, if ``condition`` holds for the one that is there."""
    return {"Put": {"Item": pack(item), **_if(condition, values)}}


def delete(key: Key, condition: str | None = None, **values: Any) -> dict[str, Any]:
    """Return the operation that deletes an item, if ``condition`` holds for it."""
    return {"Delete": {"Key": _sent(key), **_if(condition, values)}}


def update(key: Key, change: str, condition: str | None = None, **values: Any) -> dict[str, Any]:
    """Return the operation that changes parts of an item, if ``condition`` holds for it."""
    return {"Update": {"Key": _sent(key), "UpdateExpression": change, **_if(condition, values)}}


def check(key: Key, condition: str, **values: Any) -> dict[str, Any]:
    """Return the operation that changes nothing and holds only if ``condition`` does."""
    return {"ConditionCheck": {"Key": _sent(key), **_if(condition, values)}}


def _meets_others(error: ClientError) -> bool:
    """Return whether a transaction was not carried out for what passes by itself."""
    codes = {reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())}
    return code_of(error) == CANCELLED and codes <= {"None"} | MEET_OTHERS


def _if(condition: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {} if condition is None else {"ConditionExpression": condition}
    if values:
        sent["ExpressionAttributeValues"] = {f":{name}": value for name, value in pack(values).items()}
    return sent


def _condition(partition: str, first: str | None, last: str | None, values: Item) -> dict[str, Any]:
    asked = {"partition": partition, **values}
    expression = "pk = :partition"
    if first is not None and last is not None:
        expression += " AND sk BETWEEN :first AND :last"
        asked |= {"first": first, "last": last}
    elif first is not None:
        expression += " AND sk >= :first"
        asked["first"] = first
    elif last is not None:
        expression += " AND sk <= :last"
        asked["last"] = last
    sent = {f":{name}": value for name, value in pack(asked).items()}
    return {"KeyConditionExpression": expression, "ExpressionAttributeValues": sent}


def _sent(key: Key) -> dict[str, Any]:
    return pack({"pk": key[0], "sk": key[1]})


def _slices(things: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    return (things[start : start + most] for start in range(0, len(things), most))
