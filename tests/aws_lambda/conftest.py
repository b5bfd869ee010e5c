"""Sites, and functions that serve them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.backends import Pair
from support.functions import Function, variables_of
from support.sites import Site

#: What a function is likely to keep everything in. DynamoDB Local comes from npm.
_PAIRS = [
    pytest.param(Pair("postgresql", "localstack"), id="postgresql"),
    pytest.param(
        Pair("dynamodb", "localstack"), id="dynamodb", marks=[pytest.mark.npm, pytest.mark.thorough]
    ),
]


@pytest.fixture(scope="package", params=_PAIRS)
def remote_site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site whose files are in S3, with the accounts ada, ben and cleo."""
    with request.param.opened(request.getfixturevalue) as backends:
        yield Site.in_folder(tmp_path_factory.mktemp("function") / "site", backends).prepare()


@pytest.fixture(scope="module")
def near_site(prepared_site: Site) -> Iterator[Site]:
    """A site in the one folder that a function may write in, which is quick."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="warehouse14-near-") as folder:
        yield prepared_site.copy_to(Path(folder) / "site")


@pytest.fixture(scope="module")
def function(near_site: Site) -> Iterator[Function]:
    """The function ``http`` on that site."""
    with Function(variables_of(near_site)) as function:
        yield function
