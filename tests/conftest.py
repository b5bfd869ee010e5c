"""Fixtures for the tests with real processes: sites, servers, clients and a browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from pytest_iam import Server as Provider

from support.backends import PAIRS
from support.buckets import BucketServer, LocalStack, Swift
from support.chromium import chromium
from support.clients import Clients
from support.databases import DatabaseServer, MariaDBServer, PostgreSQLServer
from support.providers import Corp
from support.servers import Server
from support.sites import Site
from support.table_faults import TableFaults
from support.tables import DynamoDBLocal

# The contract suites show what they compared when they fail.
pytest.register_assert_rewrite("warehouse14.testing")

NewSite = Callable[..., Site]


@pytest.fixture(scope="session")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with the accounts ada, ben and cleo that nobody serves or changes: for copies."""
    return Site.in_folder(tmp_path_factory.mktemp("prepared") / "site").prepare()


@pytest.fixture
def site(prepared_site: Site, tmp_path: Path) -> Site:
    """A site of the test's own, with the accounts ada, ben and cleo."""
    return prepared_site.copy_to(tmp_path / "site")


@pytest.fixture(scope="module")
def shared_site(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that the tests of one module share, each with projects of its own."""
    return prepared_site.copy_to(tmp_path_factory.mktemp("shared") / "site")


@pytest.fixture(scope="module", params=PAIRS)
def paired_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the same accounts on each pair of engines; on the usual one its processes are started."""
    with request.param.opened(request.getfixturevalue) as backends:
        folder, is_usual = tmp_path_factory.mktemp("paired") / "site", not backends.settings
        yield Site.in_folder(folder, backends, forked=not is_usual).prepare()


@pytest.fixture(scope="module")
def server(shared_site: Site) -> Iterator[Server]:
    """A server on the module's site."""
    with Server(shared_site) as started:
        yield started


@pytest.fixture
def clients(tmp_path: Path) -> Clients:
    """pip, uv and twine with nothing in their homes and caches."""
    return Clients(tmp_path / "clients")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives Chromium: there can be one in a process."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, in which each test opens tabs of its own."""
    with chromium(playwright) as started:
        yield started


@pytest.fixture(scope="session")
def corp(iam_server: Provider) -> Corp:
    """An identity provider with people and groups."""
    return Corp(iam_server)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """PostgreSQL, on which each test has databases of its own."""
    with PostgreSQLServer() as started:
        yield started


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """MariaDB, on which each test has databases of its own."""
    with MariaDBServer() as started:
        yield started


@pytest.fixture(scope="session")
def localstack() -> Iterator[BucketServer]:
    """A store that does as S3 does, on which each test has buckets of its own."""
    with LocalStack() as started:
        yield started


@pytest.fixture(scope="session")
def swift() -> Iterator[BucketServer]:
    """A store of another kind, on which each test has buckets of its own."""
    with Swift() as started:
        yield started


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[DynamoDBLocal]:
    """DynamoDB Local, on which each test has tables of its own."""
    with DynamoDBLocal() as started:
        yield started


@pytest.fixture
def table(dynamodb: DynamoDBLocal, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a table of the test's own, which is not made yet, and is taken away.

    While the test runs, nothing is known to boto3 of AWS but the credentials for that server.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in dynamodb.credentials().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    name = dynamodb.fresh()
    yield name
    dynamodb.remove(name)


@pytest.fixture
def table_faults(dynamodb: DynamoDBLocal) -> Iterator[TableFaults]:
    """What the clients for DynamoDB that the test makes are to meet."""
    with TableFaults(dynamodb) as faults:
        yield faults
