"""A real identity provider, and sites that people sign in to through it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_iam import Server as Provider

from support.providers import Corp
from support.servers import Server, free_port
from support.sites import APP, Site

NewSite = Callable[..., Server]


@pytest.fixture(scope="session")
def corp(iam_server: Provider) -> Corp:
    """An identity provider with people and groups."""
    return Corp(iam_server)


@pytest.fixture
def site_with_corp(prepared_site: Site, corp: Corp, tmp_path: Path) -> Iterator[NewSite]:
    """Starts sites on which people sign in through the provider; settings come as keywords."""
    started: list[Server] = []

    def start(sign_in: str = "local oidc:corp", **settings: object) -> Server:
        site = prepared_site.copy_to(tmp_path / f"site-{len(started)}")
        port = free_port()
        # Canaille never says that an address is verified.
        own = {"title": "Corp", "trust_email": True, **corp.register(f"http://127.0.0.1:{port}"), **settings}
        site.configure(APP, **{f"warehouse14__sign_in__corp__{key}": value for key, value in own.items()})
        site.configure(APP, warehouse14__sign_in=sign_in)
        started.append(Server(site, port=port).start())
        return started[-1]

    yield start
    for server in started:
        server.__exit__(None, None, None)
