"""A second provider, independent of the first: oidc-provider, on Node."""

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup
from joserfc import jws
from joserfc.jwk import KeySet, RSAKey

from support.providers import Browser
from support.servers import free_port, wait_until
from support.sites import REPOSITORY, TESTS

_NODE = REPOSITORY / ".tools/node/bin/node"
_MODULES = REPOSITORY / ".tools/npm/node_modules"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Certificate:
    """What a provider shows that is asked over TLS, and who has signed it."""

    certificate: Path
    key: Path
    authority: Path


class NodeProvider:
    """The provider's process; a context manager that ends it.

    Whatever is typed there as a login is somebody, of the groups ``staff`` and ``login-<what is typed>``.
    """

    def __init__(self, folder: Path, *, host: str = "localhost", tls: Certificate | None = None) -> None:
        self._folder = folder
        self._tls = tls
        self._port = free_port()
        self.issuer = f"{'http' if tls is None else 'https'}://{host}:{self._port}"
        self.key = RSAKey.generate_key(2048, {"use": "sig", "kid": uuid.uuid4().hex})
        #: What the sites are known by, by their addresses.
        self.clients: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def register(self, site: str, name: str) -> dict[str, str]:
        """Make a client for a site that calls the provider ``name``, and return the site's settings."""
        wanted = {
            "client_name": site,
            "redirect_uris": [f"{site}/oauth/{name}"],
            "post_logout_redirect_uris": [f"{site}/"],
            "backchannel_logout_uri": f"{site}/oauth/{name}/logout",
            "backchannel_logout_session_required": True,
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": "openid email groups",
        }
        answer = requests.post(f"{self.issuer}/reg", json=wanted, timeout=60, verify=self._trusted)
        assert answer.status_code == 201, answer.text
        self.clients[site] = made = answer.json()
        return {
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
            "client_id": made["client_id"],
            "client_secret": made["client_secret"],
            "scope": "openid email groups",
            "groups_claim": "groups",
        }

    def logout_claims(self, site: str, subject: str) -> dict[str, Any]:
        """Return what a good logout token for a site says, of all sessions of a person."""
        return {
            "iss": self.issuer,
            "aud": self.clients[site]["client_id"],
            "sub": subject,
            "iat": int(time.time()),
            "exp": int(time.time()) + 120,
            "jti": uuid.uuid4().hex,
            "events": {LOGOUT_EVENT: {}},
        }

    def signed(self, claims: Mapping[str, Any], key: RSAKey | None = None, **header: str) -> str:
        """Return a token with its own signature, unless ``key`` is another."""
        named = {"alg": "RS256", "typ": "logout+jwt", "kid": self.key.kid or "", **header}
        return jws.serialize_compact(named, json.dumps(claims), key or self.key, algorithms=["RS256"])

    def log(self) -> str:
        """Return what it has written."""
        return (self._folder / "provider.log").read_text(encoding="utf-8")

    @property
    def _trusted(self) -> str | bool:
        return True if self._tls is None else str(self._tls.authority)

    def _is_well(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the provider ended while it started:\n{self.log()}"
        try:
            address = f"{self.issuer}/.well-known/openid-configuration"
            return requests.get(address, timeout=5, verify=self._trusted).ok
        except requests.ConnectionError:
            return False

    def __enter__(self) -> Self:
        for needed in (_NODE, _MODULES):
            assert needed.exists(), f"{needed} is missing: run 'make .tools/npm/.made'"
        settings: dict[str, Any] = {"issuer": self.issuer, "jwks": KeySet([self.key]).as_dict(private=True)}
        if self._tls is not None:
            settings["tls"] = {"certificate": str(self._tls.certificate), "key": str(self._tls.key)}
        self._folder.mkdir(parents=True, exist_ok=True)
        described = self._folder / "provider.json"
        described.write_text(json.dumps(settings), encoding="utf-8")
        # It sends word to sites behind the same certificate.
        trust = {} if self._tls is None else {"NODE_EXTRA_CA_CERTS": str(self._tls.authority)}
        with (self._folder / "provider.log").open("wb") as log:
            self._process = subprocess.Popen(
                [_NODE, TESTS / "support/oidc_provider.mjs", str(self._port), described],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"NODE_ENV": "production", **trust},
                start_new_session=True,
            )
        try:
            wait_until(self._is_well, seconds=60, what="the start of the provider")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        assert self._process is not None
        # The wheel's "node" is a program that runs the real one.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)


def send(browser: Browser, page: requests.Response, **typed: str) -> requests.Response:
    """Send the form on a page of the provider's, with what is typed into it."""
    form = BeautifulSoup(page.text, "html.parser").select_one("form")
    assert form is not None, f"{page.url} has no form:\n{page.text}"
    hidden = {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
    return browser.session.post(urljoin(page.url, str(form["action"])), data={**hidden, **typed}, timeout=60)


def pass_the_door(
    browser: Browser, provider: NodeProvider, login: str, path: str = "/oauth/corp/@@start"
) -> requests.Response:
    """Sign in through the provider, and agree to all that it asks; return where that leads to."""
    page = browser.get(path)
    while page.url.startswith(f"{provider.issuer}/ask/"):
        page = send(browser, page, login=login, answer="yes")
    return page
