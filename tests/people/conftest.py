"""A real identity provider, and sites that people sign in to through it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from support.node_provider import NodeProvider
from support.providers import IdentityProvider, NewServer
from support.servers import Server, free_port
from support.sites import APP, Site


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProvider]:
    """Another identity provider, of another make."""
    with NodeProvider(tmp_path_factory.mktemp("node")) as started:
        yield started


@pytest.fixture(scope="module")
def new_server(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """Starts sites on which people sign in through providers, by name; settings come as keywords."""
    with ExitStack() as started:

        def start(ways: str, providers: Mapping[str, IdentityProvider], **settings: object) -> Server:
            site = prepared_site.copy_to(tmp_path_factory.mktemp("people") / "site")
            port = free_port()
            site.configure(APP, warehouse14__sign_in=ways)
            for name, provider in providers.items():
                # Canaille never says that an address is verified.
                own = {"title": name.title(), "trust_email": True, **settings}
                own |= provider.register(f"http://127.0.0.1:{port}", name)
                site.configure(
                    APP, **{f"warehouse14__sign_in__{name}__{key}": value for key, value in own.items()}
                )
            return started.enter_context(Server(site, port=port))

        yield start
