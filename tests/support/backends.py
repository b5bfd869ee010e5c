"""The engines that a site may keep everything in, and what tests need to be on each pair."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from support.buckets import BucketServer
from support.cables import Cable
from support.databases import DatabaseServer
from support.places import bare_place
from support.sites import Backends
from support.tables import REGION, DynamoDBLocal

#: Returns a server by the name of its fixture.
Servers = Callable[[str], object]


@dataclass
class _Making:
    """What a choice is made with: the servers, what ends with the tests, and how a port is reached."""

    servers: Servers
    stack: ExitStack
    cables: list[Cable] | None

    def reach(self, port: int) -> int:
        """Return the port to use: behind a cable if there are to be some."""
        if self.cables is None:
            return port
        self.cables.append(self.stack.enter_context(Cable(port)))
        return self.cables[-1].port


def _on_this_machine(making: _Making) -> Backends:
    return Backends()


def _on_server(name: str) -> "Choice":
    def choose(making: _Making) -> Backends:
        server = making.servers(name)
        assert isinstance(server, DatabaseServer)
        place = making.stack.enter_context(bare_place(server))
        url = place.through(making.reach(server.port))
        return Backends({"warehouse14.metadata": "sql", "warehouse14.metadata.url": url})

    return choose


def _in_bucket(name: str) -> "Choice":
    def choose(making: _Making) -> Backends:
        server = making.servers(name)
        assert isinstance(server, BucketServer)
        return Backends(
            {
                "warehouse14.files": "s3",
                "warehouse14.files.bucket": server.fresh(),
                "warehouse14.files.prefix": "packages/",
                "warehouse14.files.region": "us-east-1",
                "warehouse14.files.endpoint_url": f"http://127.0.0.1:{making.reach(server.port)}",
                "warehouse14.files.path_style": "true",
            },
            server.credentials(),
        )

    return choose


def _in_table(making: _Making) -> Backends:
    server = making.servers("dynamodb")
    assert isinstance(server, DynamoDBLocal)
    table = server.fresh()
    making.stack.callback(server.remove, table)
    return Backends(
        {
            "warehouse14.metadata": "dynamodb",
            "warehouse14.metadata.table": table,
            "warehouse14.metadata.region": REGION,
            "warehouse14.metadata.endpoint_url": f"http://127.0.0.1:{making.reach(server.port)}",
        },
        server.credentials(),
    )


Choice = Callable[[_Making], Backends]
_CHOICES: Mapping[str, Choice] = {
    "sqlite": _on_this_machine,
    "postgresql": _on_server("postgresql"),
    "mariadb": _on_server("mariadb"),
    "dynamodb": _in_table,
    "filesystem": _on_this_machine,
    "localstack": _in_bucket("localstack"),
    "swift": _in_bucket("swift"),
}
#: What more than PyPI, or more time, each needs.
_MARKS = {"mariadb": pytest.mark.debian, "swift": pytest.mark.registry, "dynamodb": pytest.mark.npm}


@dataclass(frozen=True)
class Pair:
    """Where a site keeps what it knows, and where its files."""

    metadata: str
    files: str

    def __str__(self) -> str:
        return f"{self.metadata}-{self.files}"

    @contextmanager
    def opened(self, servers: Servers, *, cables: list[Cable] | None = None) -> Iterator[Backends]:
        """Return both, empty; ``cables`` gets those through which they are reached."""
        with ExitStack() as stack:
            making = _Making(servers, stack, cables)
            one, two = (_CHOICES[name](making) for name in (self.metadata, self.files))
            yield Backends({**one.settings, **two.settings}, {**one.variables, **two.variables})


def _as_parameter(pair: Pair, *marks: pytest.MarkDecorator) -> object:
    more = [_MARKS[name] for name in (pair.metadata, pair.files) if name in _MARKS]
    return pytest.param(pair, id=str(pair), marks=[*marks, *more])


#: Each database with files and with S3, but for the pair of development.ini; both stores in turn.
FURTHER_PAIRS = [
    _as_parameter(pair, pytest.mark.thorough)
    for pair in (
        Pair("sqlite", "localstack"),
        Pair("postgresql", "filesystem"),
        Pair("postgresql", "localstack"),
        Pair("mariadb", "filesystem"),
        Pair("mariadb", "swift"),
        Pair("dynamodb", "filesystem"),
        Pair("dynamodb", "localstack"),
    )
]
PAIRS = [_as_parameter(Pair("sqlite", "filesystem")), *FURTHER_PAIRS]

#: What tests of the core and of single pages run on: the contract suites hold that both do the same.
ENGINES = ["memory", pytest.param("sql", marks=pytest.mark.thorough)]
