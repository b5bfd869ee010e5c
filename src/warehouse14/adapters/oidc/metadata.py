"""What a provider says of itself: its endpoints and its keys, fetched when they are needed, and kept."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from warehouse14.adapters.oidc.fetching import fetch_json, unavailable
from warehouse14.adapters.oidc.kept import Kept
from warehouse14.adapters.oidc.options import Options, is_safe
from warehouse14.adapters.oidc.turns import Turns

#: How long endpoints and keys are good for, in seconds.
_LIFETIME = 3600.0
#: How often keys are fetched at most, for messages that anybody can send, in seconds.
_INTERVAL = 30.0
_MOST_KEYS = 100
_ADDRESS_LENGTH = 1000

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

    def __init__(self, options: Options, turns: Turns) -> None:
        self._options = options
        self._endpoints = Kept(options.title, turns, lambda: _endpoints(options))
        self._keys = Kept(options.title, turns, self._fetch_keys)

    @property
    def known(self) -> Endpoints | None:
        """The endpoints, if they were ever fetched."""
        return self._endpoints.known

    def endpoints(self) -> Endpoints:
        """Return the endpoints, not older than an hour. Raises ``Unavailable``."""
        return self._endpoints.since(time.monotonic() - _LIFETIME)

    def keys(self) -> Sequence[Key]:
        """Return the keys, not older than an hour. Raises ``Unavailable``."""
        return self._keys.since(time.monotonic() - _LIFETIME)

    def newer_keys(self, *, at_once: bool) -> Sequence[Key]:
        """Return the keys anew, since those at hand do not fit: they may have been exchanged.

        Args:
            at_once: whether it is known that the provider sent what does not fit. If not, anybody may
                have, and keys are fetched at most every half minute.

        Raises ``Unavailable``.
        """
        return self._keys.since(time.monotonic() - (0 if at_once else _INTERVAL))

    def _fetch_keys(self) -> Sequence[Key]:
        url = self.endpoints().keys
        return _keys(self._options.title, url, fetch_json(self._options.title, url))


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
        return value if _is_address(value) else None

    issuer = required("issuer")
    # Or one provider could pass for another (Discovery, section 4.3).
    if issuer.rstrip("/") != options.issuer.rstrip("/"):
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


def _is_address(value: Any) -> TypeGuard[str]:
    """Whether an address can be asked, kept and shown."""
    is_plain = isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
    return is_plain and len(value) <= _ADDRESS_LENGTH and is_safe(value)


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
