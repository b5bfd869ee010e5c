"""What a provider says of itself: its endpoints and its keys, fetched when they are needed, and kept."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from warehouse14.adapters.oidc.fetching import fetch_json, unavailable
from warehouse14.adapters.oidc.options import DISCOVERY, Options, is_safe

#: How long endpoints and keys are good for, in seconds.
_LIFETIME = 3600.0
#: How often keys are fetched at most, for messages that anybody can send, in seconds.
_INTERVAL = 30.0
_MOST_KEYS = 100

#: A public key of a provider.
Key = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A provider's metadata, as far as they matter here (OpenID Connect Discovery 1.0, section 3).

    ``names_itself``: whether it names itself in each answer (RFC 9207).
    """

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    names_itself: bool
    auth_method: str


class Metadata:
    """One provider's endpoints and keys, for all threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._endpoints: Endpoints | None = None
        self._endpoints_at = 0.0
        self._keys: Sequence[Key] = ()
        self._keys_at = float("-inf")

    @property
    def known(self) -> Endpoints | None:
        """The endpoints, if they were ever fetched."""
        return self._endpoints

    def endpoints(self) -> Endpoints:
        """Return the endpoints, not older than an hour. Raises ``Unavailable``."""
        now = time.monotonic()
        if self._endpoints is None or now - self._endpoints_at > _LIFETIME:
            found = _endpoints(self._options)
            with self._lock:
                self._endpoints, self._endpoints_at = found, now
        return self._endpoints

    def keys(self) -> Sequence[Key]:
        """Return the keys, not older than an hour. Raises ``Unavailable``."""
        return self._keys if time.monotonic() - self._keys_at < _LIFETIME else self._fetch_keys()

    def newer_keys(self, *, at_once: bool) -> Sequence[Key]:
        """Return the keys anew, since those at hand do not fit: they may have been exchanged.

        Args:
            at_once: whether it is known that the provider sent what does not fit. If not, anybody may
                have, and keys are fetched at most every half minute.

        Raises ``Unavailable``.
        """
        recent = time.monotonic() - self._keys_at < _INTERVAL
        return self._keys if recent and not at_once else self._fetch_keys()

    def _fetch_keys(self) -> Sequence[Key]:
        url = self.endpoints().keys
        found = _keys(self._options.title, url, fetch_json(self._options.title, url))
        with self._lock:
            self._keys, self._keys_at = found, time.monotonic()
        return found


def _endpoints(options: Options) -> Endpoints:
    url = options.metadata_url
    found = fetch_json(options.title, url)

    def required(key: str) -> str:
        value = optional(key)
        if value is None:
            raise unavailable(options.title, f"{url} names no {key} with https")
        return value

    def optional(key: str) -> str | None:
        value = found.get(key)
        return value if isinstance(value, str) and is_safe(value) else None

    issuer = required("issuer")
    # Or one provider could pass for another (Discovery, section 4.3).
    if url.endswith(DISCOVERY) and url.removesuffix(DISCOVERY) != issuer.rstrip("/"):
        raise unavailable(options.title, f"{url} is of another issuer: {issuer}")
    return Endpoints(
        issuer=issuer,
        authorization=required("authorization_endpoint"),
        token=required("token_endpoint"),
        keys=required("jwks_uri"),
        userinfo=optional("userinfo_endpoint"),
        end_session=optional("end_session_endpoint"),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        auth_method=_auth_method(options, found.get("token_endpoint_auth_methods_supported")),
    )


def _auth_method(options: Options, offered: Any) -> str:
    if not options.client_secret:
        return "none"
    basic, post = "client_secret_basic", "client_secret_post"
    return post if isinstance(offered, list) and basic not in offered and post in offered else basic


def _keys(title: str, url: str, found: dict[str, Any]) -> Sequence[Key]:
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise unavailable(title, f"{url} lists no keys")
    return [key for raw in listed[:_MOST_KEYS] if (key := _key(raw)) is not None]


def _key(raw: Any) -> Key | None:
    """Return a key that signs; one of another kind, or none at all, is passed over."""
    if not isinstance(raw, dict) or raw.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(raw)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, Key) else None


def origin(url: str) -> str:
    """Return the scheme and host of an address, as a security policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


#: Fetches newer keys.
Newer = Callable[[], Sequence[Key]]
