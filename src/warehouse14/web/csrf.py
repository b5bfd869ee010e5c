"""CSRF tokens that belong to one cookie, so that nothing has to be kept for them."""

import hashlib
import hmac
from typing import Any

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import Request
from zope.interface import implementer

from warehouse14.web.cookies import secret, visitor


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
        return hmac.compare_digest(csrf_token(kept).encode(), supplied_token.encode("utf-8", "surrogatepass"))


def csrf_token(value: str) -> str:
    """Return the token that belongs to a session cookie of this ``value``."""
    return hmac.new(value.encode(), b"csrf", hashlib.sha256).hexdigest()
