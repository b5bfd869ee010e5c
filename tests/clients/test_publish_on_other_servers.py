"""The whole road of test_publish_and_install once more, on gunicorn and on granian."""

from collections.abc import Iterator

import pytest

from clients.test_publish_and_install import *  # noqa: F403 - the tests themselves
from support.servers import OTHERS, Kind, Server
from support.sites import Site

pytestmark = pytest.mark.thorough

# The prefix is a setting of the server, which test_other_servers tries.
del test_everything_works_below_a_prefix  # noqa: F821 - it came with the others


@pytest.fixture(scope="module", params=OTHERS)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def shared_site(kind: Kind, prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return prepared_site.copy_to(tmp_path_factory.mktemp(kind) / "site")


@pytest.fixture(scope="module")
def server(kind: Kind, shared_site: Site) -> Iterator[Server]:
    with Server(shared_site, kind=kind) as started:
        yield started
