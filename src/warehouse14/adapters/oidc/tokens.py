"""Signed tokens of a provider: which are genuine, and meant for this site, now."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from warehouse14.adapters.oidc.metadata import Key
from warehouse14.domain.arrivals import Ending
from warehouse14.domain.errors import SignInFailed
from warehouse14.domain.names import is_plain

#: By how much the clocks of the two may differ, in seconds.
LEEWAY = 120
#: For how long after it was made a message that a session has ended is taken.
_LOGOUT_LIFETIME = timedelta(minutes=10)
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPES = frozenset({None, "jwt", "logout+jwt", "application/logout+jwt"})

#: Signatures that only the provider can make: none by a shared secret, and never "none".
_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
_MOST_TEXT = 255
#: What looking at a token may end with: values may be of any kind, and nested deeply.
_UNREADABLE = (JoseError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Verifier:
    """Checks what one provider has signed for one client.

    Args:
        issuer: the provider.
        client_id: what it knows this site by.
        keys: its keys as they are known.
        newer: fetches them anew; called once, for a signature that none of ``keys`` made.
    """

    def __init__(
        self, issuer: str, client_id: str, keys: Sequence[Key], newer: Callable[[], Sequence[Key]]
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._keys = keys
        self._newer = newer

    def identity(self, text: str, *, nonce: str, access_token: str | None) -> Mapping[str, Any]:
        """Return the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

        Raises ``SignInFailed``, with what is wrong in its detail.
        """
        token = self._genuine(text)
        self._require_ours(token.claims)
        claims = CodeIDToken(
            token.claims,
            token.header,
            {"iss": {"essential": True, "value": self._issuer}},
            {"nonce": nonce, "client_id": self._client_id, "access_token": access_token},
        )
        try:
            claims.validate(leeway=LEEWAY)
        except _UNREADABLE as error:
            raise _failed(f"ID token: {error}") from error
        if _named(claims, "sub") is None:
            raise _failed("ID token: sub is missing")
        return {**claims, "sid": _named(claims, "sid")}

    def ending(self, text: str) -> Ending:
        """Return what a logout token says (OpenID Connect Back-Channel Logout 1.0, section 2.6).

        Raises ``SignInFailed``, with what is wrong in its detail.
        """
        token = self._genuine(text)
        claims = token.claims
        self._require_ours(claims)
        made = claims.get("iat")
        until = _moment(made) + _LOGOUT_LIFETIME
        subject, sid, jti = (_named(claims, key) for key in ("sub", "sid", "jti"))
        events = claims.get("events")
        kind = str(token.header["typ"]).lower() if "typ" in token.header else None
        now, leeway = datetime.now(UTC), timedelta(seconds=LEEWAY)
        rules = {
            "iss": claims.get("iss") == self._issuer,
            "typ": kind in _LOGOUT_TYPES,
            "iat": _moment(made) - leeway <= now <= until + leeway,
            "exp": "exp" not in claims or now <= _moment(claims["exp"]) + leeway,
            "events": isinstance(events, dict) and isinstance(events.get(_LOGOUT_EVENT), dict),
            "nonce": "nonce" not in claims,
            "sub or sid": subject is not None or sid is not None,
        }
        broken = [name for name, holds in rules.items() if not holds]
        if broken or jti is None:
            raise _failed(f"logout token: {', '.join(broken) or 'jti'} is wrong or missing")
        return Ending(self._issuer, subject, sid, jti, until + leeway)

    def _require_ours(self, claims: Mapping[str, Any]) -> None:
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if self._client_id not in named:
            raise _failed("the token is for another client: aud")

    def _genuine(self, text: str) -> jwt.Token:
        """Return the token, if the provider has signed it."""
        try:
            header = extract_compact(text.encode("ascii")).headers()
        except _UNREADABLE as error:
            raise _failed(f"it is no signed token: {error}") from error
        if header.get("alg") not in _ALGORITHMS:
            raise _failed(f"its signature is of the kind {header.get('alg')!r}: alg")
        for anew in (False, True):
            for key in _fitting(header, self._newer() if anew else self._keys):
                try:
                    return jwt.decode(text, key, algorithms=[header["alg"]])
                except _UNREADABLE:
                    # Another key, one of a kind that does not go with this signature, or no claims.
                    continue
        raise _failed("no key of the provider has signed the token")


def _fitting(header: Mapping[str, Any], keys: Sequence[Key]) -> list[Key]:
    kid = header.get("kid")
    return [key for key in keys if kid is None or key.kid is None or key.kid == kid]


def _moment(value: Any) -> datetime:
    if not isinstance(value, int | float) or not 0 <= value < 2**35:
        raise _failed("a time in the token is none: iat or exp")
    return datetime.fromtimestamp(value, UTC)


def _named(claims: Mapping[str, Any], key: str) -> str | None:
    """Return the name that a claim gives to something, or None if there is none. It must be one that
    can be kept and shown."""
    value = claims.get(key)
    if value is None:
        return None
    if isinstance(value, str) and is_plain(value, _MOST_TEXT):
        return value
    raise _failed(f"{key} is no text of 1 to {_MOST_TEXT} printable characters")


def _failed(detail: str) -> SignInFailed:
    return SignInFailed("What the identity provider says cannot be relied upon.", detail=detail[:500])
