"""CSRF tokens that belong to one cookie, so that nothing has to be kept for them."""

import hashlib
import hmac
import secrets
from typing import Any

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import Request
from zope.interface import implementer

from warehouse14.web.cookies import secret, visitor

#: The bytes of a SHA-256.
_LENGTH = 32


@implementer(ICSRFStoragePolicy)
class CookieBoundTokens:
    """The token is made from the session cookie, which no script and no other site can read."""

    def new_csrf_token(self, request: Request) -> str:
        """Return the token: a new one comes with a new cookie, at the sign-in."""
        return self.get_csrf_token(request)

    def get_csrf_token(self, request: Request) -> str:
        """Return the token for the forms of a page; a visitor without a cookie gets one."""
        return csrf_token(visitor(request))

    def check_csrf_token(self, request: Request, supplied_token: Any) -> bool:
        """Whether ``supplied_token`` belongs to the cookie that came with the request, in constant time."""
        kept = secret(request)
        if kept is None or not isinstance(supplied_token, str):
            return False
        try:
            sent = bytes.fromhex(supplied_token)
        except ValueError:
            return False
        return hmac.compare_digest(_joined(sent[:_LENGTH], sent[_LENGTH:]), _bound(kept))


def csrf_token(value: str) -> str:
    """Return a token that belongs to a session cookie of this ``value``.

    It is another one each time: pages are compressed, and how long one gets could tell a stranger who
    makes it repeat itself what is in it (BREACH).
    """
    mask = secrets.token_bytes(_LENGTH)
    return (mask + _joined(mask, _bound(value))).hex()


def _bound(value: str) -> bytes:
    return hmac.new(value.encode(), b"csrf", hashlib.sha256).digest()


def _joined(mask: bytes, masked: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, masked, strict=False))
