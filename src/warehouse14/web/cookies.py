"""The cookies of the browser's pages: the session, the browser's mark, and one notice.

Behind TLS their names begin with ``__Host-``, so that no other host and no
plain request can set them (RFC 6265bis). Several indexes on one host have
cookies of their own, by the path that they are served under.
"""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.credentials import session_secret
from warehouse14.domain.names import AccountName, ProviderName
from warehouse14.web.addresses import prefix

#: What a session's cookie, or that of a visitor who is yet to sign in, looks like.
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VISITOR = "_warehouse14_visitor"
_NOTICE_LENGTH = 2000
_COOKIE_LENGTH = 4096
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, in one sentence, for the next page. ``kind`` is ``done`` or ``refused``."""

    text: str
    kind: str = "done"


def sent_cookies(request: Request) -> dict[str, str]:
    """Return the cookies that a browser sends, by name.

    Others may set cookies for this host, with anything in them; WebOb gives up at what is not UTF-8. Those of
    this site are plain text.
    """
    found = {}
    for part in request.environ.get("HTTP_COOKIE", "").split(";"):
        name, _, value = part.partition("=")
        found[name.strip()] = value.strip().strip('"')
    return found


def secret(request: Request) -> str | None:
    """Return what the session cookie holds, or None; it may be a visitor's, of no session."""
    found: str = sent_cookies(request).get(cookie_name(request, "session"), "")
    return found if _SECRET.fullmatch(found) else None


def visitor(request: Request) -> str:
    """Return what the session cookie holds; somebody without one gets one with the answer."""
    kept: str | None = secret(request) or request.environ.get(_VISITOR)
    if kept is None:
        kept = session_secret()
        request.environ[_VISITOR] = kept
        fresh = kept
        request.add_response_callback(lambda request, response: keep_secret(request, response, fresh))
    return kept


def keep_secret(request: Request, response: Response, value: str) -> None:
    """Give the browser a session cookie; it forgets it when it is closed."""
    put_cookie(request, response, "session", value)


def drop_secret(request: Request, response: Response) -> None:
    """Take the session cookie back."""
    put_cookie(request, response, "session", "", max_age=0)


def notify(request: Request, response: Response, notice: Notice) -> None:
    """Show ``notice`` on the next page."""
    value = json.dumps([notice.text[:_NOTICE_LENGTH], notice.kind]).encode()
    put_cookie(request, response, "notice", base64.urlsafe_b64encode(value).decode(), max_age=60)


def take_notice(request: Request) -> Notice | None:
    """Return the notice that is due, and take it back."""
    raw = sent_cookies(request).get(cookie_name(request, "notice"))
    if raw is None:
        return None
    request.add_response_callback(
        lambda request, response: put_cookie(request, response, "notice", "", max_age=0)
    )
    try:
        text, kind = json.loads(base64.urlsafe_b64decode(raw[:_COOKIE_LENGTH]))
    except (ValueError, TypeError, RecursionError):
        return None
    # Whoever can set cookies here can write anything into this one.
    shown = str(text)[:_NOTICE_LENGTH].encode("utf-8", "replace").decode("utf-8")
    return Notice(shown, "refused" if kind == "refused" else "done")


def device(request: Request, account: AccountName) -> str | None:
    """Return the mark of this browser, if it has signed in to ``account`` before."""
    return _mark(request, "browser", account)


def keep_device(request: Request, response: Response, account: AccountName) -> None:
    """Mark this browser as one that has signed in to ``account``."""
    _keep_mark(request, response, "browser", account)


def arrived_before(request: Request, provider: ProviderName) -> str | None:
    """Return the mark of this browser, if somebody has signed in through ``provider`` in it before."""
    return _mark(request, "arrived", provider)


def keep_arrived(request: Request, response: Response, provider: ProviderName) -> None:
    """Mark this browser as one in which somebody has signed in through ``provider``."""
    _keep_mark(request, response, "arrived", provider)


def _mark(request: Request, kind: str, of: str) -> str | None:
    key = request.registry.secret
    mark, _, proof = sent_cookies(request).get(cookie_name(request, kind), "").partition(".")
    if not key or not _SECRET.fullmatch(mark):
        return None
    return mark if hmac.compare_digest(proof.encode(), _proof(key, kind, mark, of).encode()) else None


def _keep_mark(request: Request, response: Response, kind: str, of: str) -> None:
    key = request.registry.secret
    if key and _mark(request, kind, of) is None:
        mark = session_secret()
        put_cookie(request, response, kind, f"{mark}.{_proof(key, kind, mark, of)}", max_age=_YEAR)


def _proof(key: bytes, kind: str, mark: str, of: str) -> str:
    return hmac.new(key, f"{kind}\0{mark}\0{of}".encode(), hashlib.sha256).hexdigest()


def cookie_name(request: Request, kind: str) -> str:
    """Return the name of a cookie of this site."""
    path = re.sub(r"[^A-Za-z0-9]+", "-", prefix(request))
    return f"{'__Host-' if _is_secure(request) else ''}warehouse14-{kind}{path}"


def put_cookie(
    request: Request, response: Response, kind: str, value: str, *, max_age: int | None = None
) -> None:
    """Give the browser a cookie, or take it back with a ``max_age`` of 0."""
    response.set_cookie(
        cookie_name(request, kind),
        value,
        max_age=max_age,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _is_secure(request: Request) -> bool:
    return bool(request.scheme == "https")
