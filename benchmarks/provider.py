"""An identity provider on a loopback port of this process, that says how long it took itself."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from canaille import create_app
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from pytest_iam import Server as IamServer

from benchmarks.processes import free_port


class Provider:
    """Canaille, with people in memory; a context manager."""

    def __init__(self) -> None:
        # It is on this machine, without TLS.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        port = free_port()
        app = create_app(config=_configuration(port))
        self._server = IamServer(app, port, Backend.instance)
        self._server.httpd.set_app(self._timed(app))
        self._thread = threading.Thread(target=self._server.httpd.serve_forever, daemon=True)
        self._lock = threading.Lock()
        self._seconds = 0.0

    @property
    def origin(self) -> str:
        """Its address, without a slash at the end."""
        return self._server.url.rstrip("/")

    @property
    def seconds(self) -> float:
        """How long it has worked on requests since its start."""
        with self._lock:
            return self._seconds

    def register(self, site: str) -> Mapping[str, str]:
        """Make a client for a site that calls it ``corp``, and return the site's settings."""
        client_id, secret = uuid.uuid4().hex, uuid.uuid4().hex
        with self._server.app.app_context():
            client = self._server.models.Client(
                client_id=client_id,
                client_secret=secret,
                client_name="An index",
                client_uri=site,
                redirect_uris=[f"{site}/oauth/corp"],
                grant_types=["authorization_code"],
                response_types=["code"],
                token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
                scope=["openid", "email", "profile", "groups"],
            )
            self._server.backend.save(client)
            client.audience = [client]
            self._server.backend.save(client)
        return {
            "server_metadata_url": f"{self.origin}/.well-known/openid-configuration",
            "client_id": client_id,
            "client_secret": secret,
            "scope": "openid email profile groups",
            "groups_claim": "groups",
            "trust_email": "true",
        }

    def add_person(self, name: str) -> Callable[[], None]:
        """Add somebody; return what lets them in at the provider without being asked."""
        person = self._server.random_user(user_name=name, emails=[f"{name}@example.org"])
        self._server.random_group(display_name=f"group-{name}", members=[person])
        self._server.consent(person)
        return lambda: self._server.login(person)

    def _timed(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            began = time.perf_counter()
            body = list(app(environ, start_response))
            with self._lock:
                self._seconds += time.perf_counter() - began
            return body

        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.httpd.shutdown()
        self._thread.join()
        self._server.httpd.server_close()


def _configuration(port: int) -> dict[str, Any]:
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    return {
        "TESTING": True,
        "SECRET_KEY": uuid.uuid4().hex,
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            "LOGGING": {"version": 1, "disable_existing_loggers": False},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)]},
    }
