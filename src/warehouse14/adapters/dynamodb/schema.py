"""The table itself: made, and looked at."""

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.client import code_of, examining
from warehouse14.adapters.dynamodb.codec import pack, unpack
from warehouse14.adapters.dynamodb.opening import Options
from warehouse14.adapters.dynamodb.waiting import tries
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
#: What is said of a table that has been there for seconds, and for how many seconds that is waited out.
_NOT_YET, _PATIENCE = "ContinuousBackupsUnavailableException", 60.0
#: What is said of the removal of what has expired where it is on.
_IS_ON = "TimeToLive is already enabled"
_NO_RIGHT = "AccessDeniedException"


def prepare(client: Any, options: Options) -> None:
    """Make the table with billing by request and recovery to any point of time, unless it is there.

    Raises ``Misconfigured``.
    """
    with examining(options):
        is_new = _make(client, options.table)
        if is_new or _is_being_made(client, options.table):
            client.get_waiter("table_exists").wait(TableName=options.table, WaiterConfig=_WAITER)
        _check_shape(client, options)
        if _layout(client, options.table) is None:
            _require_empty(client, options.table)
            # Also where whoever made it was killed, or is another program, which may have seen to this.
            _look_after(client, options.table, is_new=is_new)
        for key, number in ((keys.SITE, 0), (keys.LAYOUT, _LAYOUT)):
            _number(client, options.table, key, number)
    verify(client, options)


def verify(client: Any, options: Options) -> None:
    """Raise ``Misconfigured`` unless the table is there, is ours, and has this version."""
    with examining(options):
        _check_shape(client, options)
        layout = _layout(client, options.table)
    if layout is None:
        raise Misconfigured(f"the table {options.table} is not prepared; 'warehouse14 init' does that")
    if layout != _LAYOUT:
        raise Misconfigured(
            f"the table {options.table} is of version {layout}, and this program is for {_LAYOUT}; "
            "use the program of that version"
        )


def _layout(client: Any, table: str) -> int | None:
    """Return the version of what the items say, or None in a table that is not prepared."""
    place = pack({"pk": keys.LAYOUT[0], "sk": keys.LAYOUT[1]})
    found = client.get_item(TableName=table, Key=place, ConsistentRead=True).get("Item")
    return None if found is None else unpack(found).get("n")


def _require_empty(client: Any, table: str) -> None:
    """Raise ``Misconfigured`` if a table that is not prepared has items of others: many call keys so."""
    found = client.scan(TableName=table, ConsistentRead=True, Limit=3)["Items"]
    # Of any kinds, which we may have no words for. Another may have prepared the table by now.
    if any((item["pk"]["S"], item["sk"]["S"]) not in {keys.SITE, keys.LAYOUT} for item in found):
        raise Misconfigured(f"the table {table} has items that are not of Warehouse14; name another")


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


def _is_being_made(client: Any, table: str) -> bool:
    """Whether another makes the table right now."""
    return bool(client.describe_table(TableName=table)["Table"]["TableStatus"] == "CREATING")


def _number(client: Any, table: str, key: keys.Key, number: int) -> None:
    """Write a number where there is none yet."""
    client.update_item(
        TableName=table,
        Key=pack({"pk": key[0], "sk": key[1]}),
        UpdateExpression="SET n = if_not_exists(n, :n)",
        ExpressionAttributeValues=pack({":n": number}),
    )


def _look_after(client: Any, table: str, *, is_new: bool) -> None:
    """Let a table be recovered, and tidied of what has expired. Who may not do that to one that was there
    is warned."""
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
            _patiently(ask)
        except client.exceptions.ClientError as error:
            if _IS_ON in str(error):
                continue
            if code_of(error) in _LACKING:
                _log.warning("this service has no %s", what)
            elif code_of(error) == _NO_RIGHT and not is_new:
                _log.warning("these credentials may not switch on %s: look whether it is on", what)
            else:
                raise


def _patiently(ask: Callable[[], object]) -> None:
    """Ask for something of a new table until that is ready for it."""
    for _ in tries(_PATIENCE):
        try:
            ask()
        except ClientError as error:
            if code_of(error) != _NOT_YET:
                raise
            last = error
        else:
            return
    raise last


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
