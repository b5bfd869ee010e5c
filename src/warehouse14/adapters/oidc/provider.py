"""One provider, as the port ``SignIn`` has it: there, back, and the end of it."""

import hmac
import logging
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from warehouse14.adapters.oidc import people
from warehouse14.adapters.oidc.fetching import UNREADABLE, bound, fetch_json, unavailable
from warehouse14.adapters.oidc.metadata import Endpoints, Metadata
from warehouse14.adapters.oidc.options import Options
from warehouse14.adapters.oidc.tokens import Verifier
from warehouse14.adapters.oidc.turns import Turns
from warehouse14.domain.arrivals import Arrival, Departure, Ending
from warehouse14.domain.errors import SignInFailed, Unavailable

_log = logging.getLogger(__name__)

_RANDOM_BYTES = 32
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+", re.ASCII)
_SHOWN = re.compile(r"[^ -~]")
#: What servers on the way take of an address, with room for the rest of it.
_HINT_LENGTH = 3000
_TOKEN = re.compile(r"[ -~]+")


class Provider:
    """Implements ``SignIn`` for an OpenID Connect provider."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._turns = Turns(options.title)
        self._metadata = Metadata(options, self._turns)

    @property
    def title(self) -> str:
        """See the port."""
        return self._options.title

    @property
    def origins(self) -> Sequence[str]:
        """See the port. Until the metadata have been fetched it is where they are."""
        known = self._metadata.known
        if known is None:
            urls = [self._options.metadata_url]
        else:
            urls = [known.authorization, *([known.end_session] if known.end_session else [])]
        origins = (f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, urls))
        return sorted({origin for origin in origins if _ORIGIN.fullmatch(origin)})

    def warm_up(self) -> None:
        """See the port."""
        threading.Thread(target=self._try_metadata, name="warehouse14-oidc", daemon=True).start()

    def _try_metadata(self) -> None:
        try:
            with self._turns.beside():
                self._metadata.endpoints()
        except Unavailable as error:
            _log.warning("%s", error.in_full)

    def issuer(self) -> str:
        """See the port."""
        return self._metadata.endpoints().issuer

    def begin(self, answer_to: str) -> Departure:
        """See the port."""
        endpoints = self._metadata.endpoints()
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        with self._client(endpoints, answer_to) as client:
            address, _ = client.create_authorization_url(
                endpoints.authorization, state=state, code_verifier=verifier, nonce=nonce
            )
        return Departure(address, state, {"nonce": nonce, "verifier": verifier})

    def finish(
        self, answer: Mapping[str, str], *, state: str, kept: Mapping[str, str], answer_to: str
    ) -> Arrival:
        """See the port."""
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise SignInFailed("This sign-in was not begun in this browser.", detail="state is another")
        nonce, verifier = kept.get("nonce"), kept.get("verifier")
        if not nonce or not verifier:
            raise SignInFailed("This sign-in was not begun in this browser.", detail="nothing was kept")
        endpoints = self._metadata.endpoints()
        self._require_sender(endpoints, answer)
        if "error" in answer:
            raise self._denied(answer)
        with self._turns.taken():
            try:
                return self._redeemed(endpoints, answer.get("code", ""), nonce, verifier, answer_to)
            except SignInFailed as error:
                error.asked = True
                raise

    def _redeemed(
        self, endpoints: Endpoints, code: str, nonce: str, verifier: str, answer_to: str
    ) -> Arrival:
        """Return whom a code is for. The provider is asked."""
        token = self._exchange(endpoints, code, verifier, answer_to)
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not _is_token(id_token):
            raise unavailable(self.title, f"{endpoints.token} sends no id_token")
        if access_token is not None and not _is_token(access_token):
            raise unavailable(self.title, f"{endpoints.token} sends an access_token that is none")
        claims = self._verifier(endpoints, at_once=True).identity(
            id_token, nonce=nonce, access_token=access_token
        )
        return self._arrival(self._completed(endpoints, claims, access_token), id_token)

    def farewell(self, id_token: str | None, back_to: str) -> str | None:
        """See the port."""
        endpoints = self._metadata.known or self._metadata.endpoints()
        if endpoints.end_session is None:
            return None
        query = {"client_id": self._options.client_id, "post_logout_redirect_uri": back_to}
        # Some find the client by the one, some by the other.
        hint = {} if id_token is None or len(id_token) > _HINT_LENGTH else {"id_token_hint": id_token}
        joint = "&" if "?" in endpoints.end_session else "?"
        return f"{endpoints.end_session}{joint}{urlencode(hint | query)}"

    def ending(self, message: str) -> Ending:
        """See the port."""
        return self._verifier(self._metadata.endpoints(), at_once=False).ending(message)

    def _client(self, endpoints: Endpoints, answer_to: str) -> OAuth2Session:
        client = OAuth2Session(
            client_id=self._options.client_id,
            client_secret=self._options.client_secret or None,
            token_endpoint_auth_method=endpoints.auth_method,
            scope=self._options.scope,
            redirect_uri=answer_to,
            code_challenge_method="S256",
        )
        bound(client)
        return client

    def _verifier(self, endpoints: Endpoints, *, at_once: bool) -> Verifier:
        return Verifier(
            endpoints.issuer,
            self._options.client_id,
            self._metadata.keys(),
            lambda: self._metadata.newer_keys(at_once=at_once),
        )

    def _require_sender(self, endpoints: Endpoints, answer: Mapping[str, str]) -> None:
        """Raise ``SignInFailed`` for an answer of another provider (RFC 9207)."""
        named = answer.get("iss")
        if named is None and not endpoints.names_itself:
            return
        if named != endpoints.issuer:
            raise SignInFailed(
                f"The answer did not come from {self.title}.", detail=f"iss of the answer is {named!r:.300}"
            )

    def _denied(self, answer: Mapping[str, str]) -> SignInFailed:
        code = _SHOWN.sub("?", answer.get("error", ""))[:100]
        why = _SHOWN.sub("?", answer.get("error_description", ""))[:300]
        return SignInFailed(f"{self.title} did not let you in.", detail=f"error {code}: {why}")

    def _exchange(self, endpoints: Endpoints, code: str, verifier: str, answer_to: str) -> Mapping[str, Any]:
        with self._client(endpoints, answer_to) as client:
            try:
                found = client.fetch_token(
                    endpoints.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=answer_to,
                    allow_redirects=False,
                )
            except OAuthError as error:
                raise SignInFailed(
                    f"{self.title} does not take its own answer back. It may be used up: sign in again.",
                    detail=f"{endpoints.token}: {error}"[:500],
                ) from error
            except UNREADABLE as error:
                raise unavailable(self.title, f"{endpoints.token}: {error}") from None
        if not isinstance(found, dict):
            raise unavailable(self.title, f"{endpoints.token} is no JSON object")
        return found

    def _completed(
        self, endpoints: Endpoints, claims: Mapping[str, Any], access_token: str | None
    ) -> Mapping[str, Any]:
        """Return the claims with those that the provider tells on request alone (Core 1.0, section 5.3)."""
        if people.needed(self._options) <= claims.keys() or not (endpoints.userinfo and access_token):
            return claims
        more = fetch_json(self.title, endpoints.userinfo, {"Authorization": f"Bearer {access_token}"})
        if more.get("sub") != claims["sub"]:
            raise SignInFailed(
                "What the identity provider says cannot be relied upon.",
                detail="the user info is of another subject",
            )
        return people.joint(claims, more)

    def _arrival(self, claims: Mapping[str, Any], id_token: str) -> Arrival:
        options = self._options
        address, groups = people.email(options, claims), people.groups(options, claims)
        return Arrival(
            issuer=claims["iss"],
            subject=claims["sub"],
            name=people.name(options, claims),
            email=address,
            groups=groups,
            refusal=people.refusal(options, address, groups),
            sid=claims.get("sid"),
            id_token=id_token,
        )


def _is_token(value: Any) -> TypeGuard[str]:
    """Whether that can be a token (RFC 6749, appendix A)."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None
