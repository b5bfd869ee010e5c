"""Identity providers that people sign in through, and the browser that they do it with."""

import itertools
import re
import uuid
from collections.abc import Callable
from typing import Any, Protocol

import requests
from canaille.core.models import Group, User
from pytest_iam import Server as IamServer
from requests.adapters import HTTPAdapter

from support.servers import Server

#: Starts a site on which people sign in: in which ways, through which providers, with which settings.
NewServer = Callable[..., Server]

_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


#: The last but one number of an address that nobody has come from; they begin anew when all are used.
_ADDRESSES = itertools.cycle(range(1, 255))


class IdentityProvider(Protocol):
    """Where people sign in, whoever has made it."""

    def register(self, site: str, name: str) -> dict[str, str]:
        """Make a client for a site that calls the provider ``name``, and return the site's settings."""


class _From(HTTPAdapter):
    """Sends requests from an address of this machine."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._origin, 0))


class Corp:
    """A company's provider: Canaille, on a loopback port of this process."""

    def __init__(self, server: IamServer) -> None:
        self.server = server
        #: Those of all sites that are known to it, the newest last.
        self.secrets: list[str] = []

    @property
    def issuer(self) -> str:
        """The provider's address, as its tokens have it."""
        return self.server.url.rstrip("/")

    def register(self, site: str, name: str) -> dict[str, str]:
        """Make a client for a site that calls the provider ``name``, and return the site's settings."""
        client_id, secret = uuid.uuid4().hex, uuid.uuid4().hex
        self.secrets.append(secret)
        with self.server.app.app_context():
            client = self.server.models.Client(
                client_id=client_id,
                client_secret=secret,
                client_name="An index",
                client_uri=site,
                redirect_uris=[f"{site}/oauth/{name}"],
                post_logout_redirect_uris=[f"{site}/"],
                grant_types=["authorization_code"],
                response_types=["code"],
                token_endpoint_auth_method="client_secret_basic",
                scope=["openid", "email", "profile", "groups"],
            )
            self.server.backend.save(client)
            client.audience = [client]
            self.server.backend.save(client)
        return {
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
            "client_id": client_id,
            "client_secret": secret,
            "scope": "openid email profile groups",
            "groups_claim": "groups",
        }

    def person(self, name: str, **parts: Any) -> User:
        """Add somebody."""
        values = {"user_name": name, "emails": [f"{name}@example.org"], **parts}
        return self.server.random_user(**values)

    def forget_codes(self) -> None:
        """Forget the codes that nobody came back with: with some about, it may take one for another."""
        with self.server.app.app_context():
            for code in self.server.backend.query(self.server.models.AuthorizationCode):
                self.server.backend.delete(code)

    def sign_in(self, person: User) -> None:
        """Sign somebody in at the provider, who agrees to all that sites ask for."""
        self.server.login(person)
        self.server.consent(person)

    def group(self, name: str, *members: User) -> Group:
        """Add a group."""
        return self.server.random_group(display_name=name, members=list(members))

    def set_members(self, group: Group, *members: User) -> None:
        """Say who is in a group from now on."""
        with self.server.app.app_context():
            group.members = list(members)
            self.server.backend.save(group)


class Browser:
    """Somebody's browser, without the pictures: it keeps cookies and follows redirects.

    It comes from an address of its own unless one is given.
    """

    def __init__(self, server: Server, origin: str | None = None) -> None:
        self.server = server
        self.origin = origin or f"127.1.{next(_ADDRESSES)}.1"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", _From(self.origin))

    def get(self, path: str, **more: Any) -> requests.Response:
        """Open a page of the site."""
        return self.session.get(self.server.url + path, timeout=60, **more)

    def post(self, path: str, page: str = "/login", **fields: str) -> requests.Response:
        """Send a form of the site that stands on ``page``."""
        token = _TOKEN.search(self.get(page).text)
        assert token is not None, f"{page} has no form"
        return self.session.post(self.server.url + path, data={"csrf_token": token[1], **fields}, timeout=60)
