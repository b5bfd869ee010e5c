"""What the tests on DynamoDB Local build on: where it listens, when it ends, and whose tables are whose."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from support.buckets import LocalStack
from support.servers import is_listening, wait_until
from support.sites import environment
from support.tables import DynamoDBLocal, make_table

pytestmark = [pytest.mark.npm, pytest.mark.debian]

_STARTED_AND_LEFT = """
import time
from support.tables import DynamoDBLocal
with DynamoDBLocal() as started:
    print(started.port, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_it_listens_on_one_address_of_the_loopback_alone(dynamodb: DynamoDBLocal, address: str) -> None:
    assert is_listening(dynamodb.port)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, dynamodb.port), timeout=5)


@pytest.fixture
def killed_port(tmp_path: Path) -> int:
    """Where the server of a process listened that has been killed."""
    # Nobody takes its folder away.
    variables = environment(TMPDIR=str(tmp_path))
    words = [sys.executable, "-c", _STARTED_AND_LEFT]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=variables, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert is_listening(port)
        finally:
            process.kill()
    return port


def test_it_ends_with_the_process_that_has_started_it(killed_port: int) -> None:
    wait_until(lambda: not is_listening(killed_port), what="the end of the server")


def test_a_jar_that_is_missing_is_said_with_what_makes_it(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"run 'make \.tools/dynamodb-local/\.made'"),
        DynamoDBLocal(tmp_path),
    ):
        pass


def test_java_that_is_missing_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(AssertionError, match="run tests/install-debian"), DynamoDBLocal():
        pass


def test_a_server_that_does_not_start_says_what_it_wrote(tmp_path: Path) -> None:
    jar = tmp_path / "broken/DynamoDBLocal.jar"
    jar.parent.mkdir()
    jar.write_text("no archive", encoding="ascii")
    with pytest.raises(AssertionError, match="Invalid or corrupt jarfile"), DynamoDBLocal(tmp_path):
        pass


def test_tables_are_listed_however_many_there_are_and_removed(dynamodb: DynamoDBLocal) -> None:
    # A page of their list has a hundred.
    names = {f"many-{number}" for number in range(101)}
    for name in names:
        make_table(dynamodb.client(), name)
    assert set(dynamodb.tables("many-")) == names
    dynamodb.remove(*names, "never-made")
    assert dynamodb.tables("many-") == []


def test_a_protected_table_is_removed_too(dynamodb: DynamoDBLocal, table: str) -> None:
    make_table(dynamodb.client(), table)
    dynamodb.client().update_table(TableName=table, DeletionProtectionEnabled=True)
    dynamodb.remove(table)
    assert table not in dynamodb.tables()


def test_each_test_has_a_name_of_its_own(dynamodb: DynamoDBLocal, table: str) -> None:
    assert table not in dynamodb.tables()
    assert len({table, dynamodb.fresh(), dynamodb.fresh()}) == 3


@pytest.mark.parametrize("key", [LocalStack.key, "AnotherKey2"])
def test_whatever_credentials_boto3_finds_the_tables_are_the_same(
    dynamodb: DynamoDBLocal, table: str, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    make_table(dynamodb.client(), table)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    found = boto3.session.Session().client(
        "dynamodb", endpoint_url=dynamodb.endpoint, region_name="eu-central-1"
    )
    assert table in found.list_tables()["TableNames"]


def test_boto3_knows_of_nothing_but_that_server(table: str) -> None:
    session = boto3.session.Session()
    assert session.available_profiles == []
    assert session.region_name is None
    assert session.get_credentials().access_key == DynamoDBLocal.key
