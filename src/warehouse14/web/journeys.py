"""Sign-ins that are on their way to an identity provider and back, each in a cookie of the browser.

The site vouches for each by a proof, so that nobody brings back what was not
begun here.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.names import ProviderName
from warehouse14.web.cookies import cookie_name, put_cookie, sent_cookies

#: How long a sign-in elsewhere may take.
_SECONDS = 900
#: How many a browser has on their way at once; with all of them a request's header stays below the 8 kB
#: that proxies take.
_MOST = 5
#: How long an address may be to be gone back to, as it is written in a cookie.
_GOAL_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Journey:
    """A sign-in that is on its way to an identity provider and back.

    Attributes:
        provider: the one that it leads to.
        state: what the answer repeats.
        kept: what the provider's answer is checked with.
        goal: the page that was asked for.
        joins: the session whose account who comes back is to be joined to; None to sign in.
    """

    provider: ProviderName
    state: str = field(repr=False)
    kept: Mapping[str, str] = field(repr=False)
    goal: str
    joins: str | None


def keep_journey(request: Request, response: Response, journey: Journey) -> None:
    """Keep what a sign-in through an identity provider needs when it comes back. The oldest of many is
    given up."""
    goal = journey.goal if len(json.dumps(journey.goal)) <= _GOAL_LENGTH else ""
    values = [_now(request), journey.provider, journey.state, dict(journey.kept), goal, journey.joins]
    text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    for kind in _newest_first(request)[_MOST - 1 :]:
        put_cookie(request, response, kind, "", max_age=0)
    value = f"{text}.{_proof(request, text)}"
    put_cookie(request, response, _kind(journey.state), value, max_age=_SECONDS)


def take_journey(request: Request, state: str) -> Journey | None:
    """Return the journey that was begun with ``state`` in this browser, and take it back: it ends once."""
    kind = _kind(state)
    raw = sent_cookies(request).get(cookie_name(request, kind))
    if raw is None:
        return None
    request.add_response_callback(
        lambda request, response: put_cookie(request, response, kind, "", max_age=0)
    )
    begun, journey = _read(request, raw)
    return journey if _now(request) - begun <= _SECONDS else None


def _newest_first(request: Request) -> list[str]:
    """Return the names of the journeys that this browser keeps."""
    pattern = re.escape(cookie_name(request, "JOURNEY")).replace("JOURNEY", "(journey-[0-9a-f]{16})")
    kept = {
        found[1]: _read(request, value)[0]
        for name, value in sent_cookies(request).items()
        if (found := re.fullmatch(pattern, name))
    }
    return sorted(kept, key=lambda kind: kept[kind], reverse=True)


def _read(request: Request, raw: str) -> tuple[float, Journey | None]:
    """Return when a journey was begun, and what it is; what this site has not written is none."""
    text, _, proof = raw.partition(".")
    if not hmac.compare_digest(proof.encode(), _proof(request, text).encode()):
        return 0, None
    begun, provider, state, kept, goal, joins = json.loads(base64.urlsafe_b64decode(text))
    return begun, Journey(ProviderName(provider), state, kept, goal, joins)


def _proof(request: Request, text: str) -> str:
    return hmac.new(request.registry.journey_key, f"journey\0{text}".encode(), hashlib.sha256).hexdigest()


def _kind(state: str) -> str:
    """Return the name of a journey's cookie: several may be on their way at once."""
    return f"journey-{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _now(request: Request) -> float:
    return float(request.registry.warehouse.now().timestamp())
