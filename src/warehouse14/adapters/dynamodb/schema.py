"""The table itself: made, and looked at."""

import logging
from collections.abc import Callable
from typing import Any

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.client import code_of, examining
from warehouse14.adapters.dynamodb.codec import pack, unpack
from warehouse14.adapters.dynamodb.opening import Options
from warehouse14.domain.errors import Misconfigured

_log = logging.getLogger(__name__)

_PARTITION, _PLACE, _ENDS = "pk", "sk", "ttl"
_SCHEMA = [
    {"AttributeName": _PARTITION, "KeyType": "HASH"},
    {"AttributeName": _PLACE, "KeyType": "RANGE"},
]
_ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in (_PARTITION, _PLACE)]
#: The version of what the items say.
_LAYOUT = 1
#: How long a new table takes at most: so often it is asked, with so many seconds between.
_WAITER = {"Delay": 1, "MaxAttempts": 120}
#: What those say that are not AWS and lack what is asked of them.
_LACKING = frozenset({"UnknownOperationException", "UnsupportedOperationException"})


def prepare(client: Any, options: Options) -> None:
    """Make the table with billing by request and recovery to any point of time, unless it is there.

    Raises ``Misconfigured``.
    """
    with examining(options):
        if _make(client, options.table):
            client.get_waiter("table_exists").wait(TableName=options.table, WaiterConfig=_WAITER)
            _look_after(client, options.table)
        _check_shape(client, options)
        for key, number in ((keys.SITE, 0), (keys.LAYOUT, _LAYOUT)):
            _number(client, options.table, key, number)
    verify(client, options)


def verify(client: Any, options: Options) -> None:
    """Raise ``Misconfigured`` unless the table is there, is ours, and has this version."""
    with examining(options):
        _check_shape(client, options)
        place = pack({"pk": keys.LAYOUT[0], "sk": keys.LAYOUT[1]})
        found = client.get_item(TableName=options.table, Key=place, ConsistentRead=True).get("Item")
    layout = None if found is None else unpack(found).get("n")
    if layout is None:
        raise Misconfigured(f"the table {options.table} is not prepared; 'warehouse14 init' does that")
    if layout != _LAYOUT:
        raise Misconfigured(
            f"the table {options.table} is of version {layout}, and this program is for {_LAYOUT}; "
            "use the program of that version"
        )


def _make(client: Any, table: str) -> bool:
    """Return whether the table was made, by now."""
    try:
        client.create_table(
            TableName=table,
            AttributeDefinitions=_ATTRIBUTES,
            KeySchema=_SCHEMA,
            BillingMode="PAY_PER_REQUEST",
        )
    except client.exceptions.ResourceInUseException:
        return False
    return True


def _number(client: Any, table: str, key: keys.Key, number: int) -> None:
    """Write a number where there is none yet."""
    client.update_item(
        TableName=table,
        Key=pack({"pk": key[0], "sk": key[1]}),
        UpdateExpression="SET n = if_not_exists(n, :n)",
        ExpressionAttributeValues=pack({":n": number}),
    )


def _look_after(client: Any, table: str) -> None:
    """Let a new table be recovered, and tidied of what has expired."""
    recovery = {"PointInTimeRecoveryEnabled": True}
    ends = {"Enabled": True, "AttributeName": _ENDS}
    asked: dict[str, Callable[[], object]] = {
        "recovery to a point of time": lambda: client.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification=recovery
        ),
        "removal of what has expired": lambda: client.update_time_to_live(
            TableName=table, TimeToLiveSpecification=ends
        ),
    }
    for what, ask in asked.items():
        try:
            ask()
        except client.exceptions.ClientError as error:
            if code_of(error) not in _LACKING:
                raise
            _log.warning("this service has no %s", what)


def _check_shape(client: Any, options: Options) -> None:
    table = client.describe_table(TableName=options.table)["Table"]
    if sorted(table["KeySchema"], key=str) != sorted(_SCHEMA, key=str) or not all(
        attribute in table["AttributeDefinitions"] for attribute in _ATTRIBUTES
    ):
        raise Misconfigured(
            f"the table {options.table} has other keys than pk and sk: it is not one of Warehouse14; "
            "name another"
        )
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        raise Misconfigured(f"the table {options.table} is {table['TableStatus']}: wait until it is ACTIVE")
