"""What tests let clients of DynamoDB meet is what a client of AWS meets, and the rest is the real server."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError

from support.cables import Cable
from support.servers import wait_until
from support.table_answers import THROTTLED
from support.table_faults import ANY, TableFaults
from support.tables import DynamoDBLocal, make_table

pytestmark = [pytest.mark.npm, pytest.mark.debian]


def item(number: int, value: str = "new") -> dict[str, Any]:
    return {"key": {"S": f"item-{number}"}, "value": {"S": value}}


def key(number: int) -> dict[str, Any]:
    return {"key": item(number)["key"]}


@pytest.fixture
def made(dynamodb: DynamoDBLocal, table: str) -> str:
    """A table with three items."""
    client = dynamodb.client()
    make_table(client, table)
    for number in range(3):
        client.put_item(TableName=table, Item=item(number, "old"))
    return table


@pytest.fixture
def client(made: str, dynamodb: DynamoDBLocal, table_faults: TableFaults) -> Any:
    """A client that tries once."""
    return dynamodb.client()


@pytest.fixture
def patient(made: str, dynamodb: DynamoDBLocal, table_faults: TableFaults) -> Any:
    """A client that tries three times."""
    return dynamodb.client(attempts=3)


@pytest.fixture
def values(dynamodb: DynamoDBLocal, made: str) -> Callable[[], dict[str, str]]:
    """Returns what the items are worth."""
    return lambda: {found["key"]["S"]: found["value"]["S"] for found in dynamodb.items(made)}


def transaction(table: str, *numbers: int) -> dict[str, Any]:
    puts = [{"Put": {"TableName": table, "Item": item(number)}} for number in numbers]
    return {"TransactItems": puts, "ClientRequestToken": uuid.uuid4().hex}


@pytest.mark.parametrize("error", THROTTLED)
def test_a_throttled_call_is_the_error_of_that_name_and_does_nothing(
    client: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults, error: str
) -> None:
    table_faults.throttle("PutItem", error=error)
    with pytest.raises(ClientError) as caught:
        client.put_item(TableName=made, Item=item(0))
    assert caught.value.response["Error"]["Code"] == error
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert values()["item-0"] == "old"
    client.put_item(TableName=made, Item=item(0))
    assert values()["item-0"] == "new"


@pytest.mark.parametrize("error", THROTTLED)
def test_boto3_tries_again_what_is_throttled(
    patient: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults, error: str
) -> None:
    table_faults.throttle("PutItem", times=2, error=error)
    patient.put_item(TableName=made, Item=item(0))
    assert table_faults.asked == ["PutItem"] * 3
    assert values()["item-0"] == "new"


def test_a_fault_waits_for_its_operation_and_its_turn(
    client: Any, made: str, table_faults: TableFaults
) -> None:
    table_faults.throttle("PutItem", after=1)
    client.put_item(TableName=made, Item=item(0))
    client.delete_item(TableName=made, Key=key(1))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.put_item(TableName=made, Item=item(0))


def test_a_fault_of_any_operation_counts_all_of_them(
    client: Any, made: str, table_faults: TableFaults
) -> None:
    table_faults.throttle(ANY, after=2)
    client.put_item(TableName=made, Item=item(0))
    client.describe_table(TableName=made)
    with pytest.raises(client.exceptions.ThrottlingException):
        client.delete_item(TableName=made, Key=key(1))


def test_a_conflict_cancels_a_transaction_with_a_reason_for_each_of_its_items(
    patient: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults
) -> None:
    table_faults.conflict()
    with pytest.raises(patient.exceptions.TransactionCanceledException) as caught:
        patient.transact_write_items(**transaction(made, 0, 1))
    # boto3 leaves these to whoever wrote the transaction.
    assert table_faults.asked == ["TransactWriteItems"]
    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "TransactionConflict"]
    assert "[None, TransactionConflict]" in str(caught.value)
    assert set(values().values()) == {"old"}


def test_a_conflict_is_shaped_as_what_the_server_itself_says_of_a_condition(
    client: Any, made: str, table_faults: TableFaults
) -> None:
    table_faults.conflict()
    asked = transaction(made, 0, 1)
    with pytest.raises(client.exceptions.TransactionCanceledException) as ours:
        client.transact_write_items(**asked)
    asked["TransactItems"][1]["Put"]["ConditionExpression"] = "attribute_not_exists(#k)"
    asked["TransactItems"][1]["Put"]["ExpressionAttributeNames"] = {"#k": "key"}
    with pytest.raises(client.exceptions.TransactionCanceledException) as theirs:
        client.transact_write_items(**asked)
    assert ours.value.response.keys() == theirs.value.response.keys()
    shapes = [
        [reason.keys() for reason in caught.value.response["CancellationReasons"]]
        for caught in (ours, theirs)
    ]
    assert shapes[0] == shapes[1]
    assert str(ours.value).replace("TransactionConflict", "ConditionalCheckFailed") == str(theirs.value)


def test_a_single_write_that_meets_a_transaction_conflicts_by_another_name(
    client: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults
) -> None:
    table_faults.conflict("PutItem")
    with pytest.raises(client.exceptions.TransactionConflictException):
        client.put_item(TableName=made, Item=item(0))
    assert values()["item-0"] == "old"


def test_an_answer_that_is_lost_is_one_of_a_request_that_was_carried_out(
    client: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults
) -> None:
    table_faults.lose_answer("PutItem")
    with pytest.raises(ConnectionClosedError):
        client.put_item(TableName=made, Item=item(0))
    assert values()["item-0"] == "new"


def test_a_condition_fails_when_boto3_asks_again_after_a_lost_answer(
    patient: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults
) -> None:
    table_faults.lose_answer("PutItem")
    with pytest.raises(patient.exceptions.ConditionalCheckFailedException):
        patient.put_item(
            TableName=made,
            Item=item(3),
            ConditionExpression="attribute_not_exists(#k)",
            ExpressionAttributeNames={"#k": "key"},
        )
    assert values()["item-3"] == "new"


def test_a_transaction_with_a_token_is_carried_out_once_whatever_answers_are_lost(
    patient: Any, made: str, table_faults: TableFaults, dynamodb: DynamoDBLocal
) -> None:
    table_faults.lose_answer("TransactWriteItems", times=2)
    add = {
        "TableName": made,
        "Key": {"key": {"S": "counter"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    patient.transact_write_items(TransactItems=[{"Update": add}])
    assert table_faults.asked == ["TransactWriteItems"] * 3
    assert {"key": {"S": "counter"}, "n": {"N": "1"}} in dynamodb.items(made)


def test_keys_are_left_undone_until_they_are_asked_for_again(
    client: Any, made: str, table_faults: TableFaults
) -> None:
    table_faults.leave_undone("BatchGetItem", times=2)
    wanted = {"Keys": [key(0), key(1), key(2)], "ConsistentRead": True}
    found = []
    left = {made: wanted}
    while left:
        answer = client.batch_get_item(RequestItems=left)
        found += answer["Responses"][made]
        left = answer["UnprocessedKeys"]
        assert all(part["ConsistentRead"] for part in left.values())
    assert sorted(each["key"]["S"] for each in found) == ["item-0", "item-1", "item-2"]
    assert len(table_faults.asked) == 3


def test_writes_are_left_undone_until_they_are_asked_for_again(
    client: Any, made: str, values: Callable[[], dict[str, str]], table_faults: TableFaults
) -> None:
    table_faults.leave_undone("BatchWriteItem", done=2)
    writes = [{"PutRequest": {"Item": item(0)}}, *({"DeleteRequest": {"Key": key(n)}} for n in (1, 2))]
    left = client.batch_write_item(RequestItems={made: writes})["UnprocessedItems"]
    assert left == {made: writes[2:]}
    assert values() == {"item-0": "new", "item-2": "old"}
    assert client.batch_write_item(RequestItems=left)["UnprocessedItems"] == {}
    assert values() == {"item-0": "new"}


def read_all(client: Any, table: str, *, consistent: bool) -> dict[str, str]:
    """Return what each kind of read finds the first item to be worth."""
    asked: dict[str, Any] = {"TableName": table, "ConsistentRead": consistent}
    names = {"ExpressionAttributeNames": {"#k": "key"}, "ExpressionAttributeValues": {":k": key(0)["key"]}}
    batch = {"Keys": [key(0)], "ConsistentRead": consistent}
    found = {
        "GetItem": client.get_item(**asked, Key=key(0))["Item"],
        "Query": client.query(**asked, KeyConditionExpression="#k = :k", **names)["Items"][0],
        "Scan": client.scan(**asked, FilterExpression="#k = :k", **names)["Items"][0],
        "BatchGetItem": client.batch_get_item(RequestItems={table: batch})["Responses"][table][0],
    }
    return {name: each["value"]["S"] for name, each in found.items()}


READS = ("GetItem", "Query", "Scan", "BatchGetItem")


def test_a_read_that_may_be_old_is_old_while_the_table_is_held_back(
    made: str, dynamodb: DynamoDBLocal
) -> None:
    with TableFaults(dynamodb, may_be_weak=READS) as faults:
        client = dynamodb.client()
        faults.hold_back(made)
        client.put_item(TableName=made, Item=item(0))
        assert read_all(client, made, consistent=False) == dict.fromkeys(READS, "old")
        assert read_all(client, made, consistent=True) == dict.fromkeys(READS, "new")
        faults.mend()
        assert read_all(client, made, consistent=False) == dict.fromkeys(READS, "new")


def test_one_kind_of_read_misses_what_is_written_until_it_is_mended(
    made: str, dynamodb: DynamoDBLocal
) -> None:
    with TableFaults(dynamodb) as faults:
        client = dynamodb.client()
        faults.miss("BatchGetItem", made)
        client.put_item(TableName=made, Item=item(0))
        found = read_all(client, made, consistent=True)
        assert found == dict.fromkeys(READS, "new") | {"BatchGetItem": "old"}
        faults.mend()
        assert read_all(client, made, consistent=True) == dict.fromkeys(READS, "new")


@pytest.mark.parametrize("read", READS)
def test_a_read_that_may_be_old_fails_the_test_unless_it_is_named(
    made: str, dynamodb: DynamoDBLocal, read: str
) -> None:
    others = [name for name in READS if name != read]
    with (
        pytest.raises(AssertionError, match=rf"not strongly consistent: \['{read}'\]"),
        TableFaults(dynamodb, may_be_weak=others),
    ):
        read_all(dynamodb.client(), made, consistent=False)


def test_a_read_of_an_index_is_old_too_and_named_with_it(dynamodb: DynamoDBLocal, table: str) -> None:
    index = {
        "IndexName": "by-value",
        "KeySchema": [{"AttributeName": "value", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    make_table(dynamodb.client(), table, index)
    with TableFaults(dynamodb, may_be_weak=["Query by-value"]) as faults:
        client = dynamodb.client()
        client.put_item(TableName=table, Item=item(0, "old"))
        faults.hold_back(table)
        client.put_item(TableName=table, Item=item(1, "old"))
        found = client.query(
            TableName=table,
            IndexName="by-value",
            KeyConditionExpression="#v = :v",
            ExpressionAttributeNames={"#v": "value"},
            ExpressionAttributeValues={":v": {"S": "old"}},
        )
        assert found["Items"] == [item(0, "old")]


def test_a_fault_that_nobody_met_fails_the_test(dynamodb: DynamoDBLocal) -> None:
    with (
        pytest.raises(AssertionError, match="'PutItem': 1"),
        TableFaults(dynamodb) as faults,
    ):
        faults.throttle("PutItem")


def test_a_client_from_before_meets_what_is_planned_when_it_is_watched(
    dynamodb: DynamoDBLocal, made: str
) -> None:
    client = dynamodb.client()
    with TableFaults(dynamodb) as faults:
        faults.watch(client)
        faults.throttle("PutItem")
        with pytest.raises(client.exceptions.ThrottlingException):
            client.put_item(TableName=made, Item=item(0))


def test_nothing_is_left_of_it_afterwards(dynamodb: DynamoDBLocal, made: str) -> None:
    before = set(dynamodb.tables())
    with TableFaults(dynamodb) as faults:
        faults.hold_back(made)
    dynamodb.client().put_item(TableName=made, Item=item(0))
    assert faults.asked == []
    assert set(dynamodb.tables()) == before


def test_a_cable_before_it_cuts_an_answer_after_the_work_was_done(
    dynamodb: DynamoDBLocal, made: str, values: Callable[[], dict[str, str]]
) -> None:
    with Cable(dynamodb.port) as cable, ThreadPoolExecutor() as pool:
        client = dynamodb.client(port=cable.port)
        client.put_item(TableName=made, Item=item(0, "through"))
        cable.mutes_at = b"unheard"
        asked = pool.submit(client.put_item, TableName=made, Item=item(0, "unheard"))
        wait_until(lambda: values()["item-0"] == "unheard", what="the work")
        cable.cut()
        with pytest.raises(HTTPClientError):
            asked.result(timeout=20)
        cable.mend()
        client.put_item(TableName=made, Item=item(0, "mended"))
        assert values()["item-0"] == "mended"


def test_a_cable_before_it_refuses_and_takes_connections_again(dynamodb: DynamoDBLocal, made: str) -> None:
    with Cable(dynamodb.port) as cable:
        client = dynamodb.client(port=cable.port)
        cable.refuse()
        with pytest.raises(EndpointConnectionError):
            client.put_item(TableName=made, Item=item(1))
        cable.mend()
        client.put_item(TableName=made, Item=item(1))


def test_a_query_lacks_what_is_left_out_once(client: Any, made: str, table_faults: TableFaults) -> None:
    def found() -> list[Any]:
        values = {":key": key(0)["key"]}
        said = client.query(
            TableName=made,
            ConsistentRead=True,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues=values,
        )
        items: list[Any] = said["Items"]
        return items

    table_faults.leave_out(item(0, "old"))
    assert found() == []
    assert found() == [item(0, "old")]
