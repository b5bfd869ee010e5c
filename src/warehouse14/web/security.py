"""Who makes a request, and what the ACLs allow them.

Index, file and upload addresses know API tokens alone: never a password,
never a cookie. A token comes as the password of ``__token__``, as a user
name with an empty password, or as a Bearer credential (RFC 7617, RFC 6750).
"""

import base64
import binascii
from typing import Any

from pyramid.authorization import ACLHelper, Everyone
from pyramid.request import Request

from warehouse14.domain.access import Identity, Permission, token_allows
from warehouse14.domain.errors import Unauthenticated

#: The permission of a view that names none; no ACL gives it.
CLOSED = "closed"

#: What DENY_ALL is said of.
_EVERYONE = frozenset({Everyone})
_TOKEN_USER = "__token__"
_BEARERS = frozenset({"bearer", "token"})
_UNKNOWN = "_warehouse14_identity"

NO_CREDENTIALS = "Sign in with an API token: user name __token__, and the token as the password."
_NOT_UNDERSTOOD = "The Authorization header is not understood. " + NO_CREDENTIALS
_NO_PASSWORDS = (
    "A password opens the browser only. Make an API token ('warehouse14 token mint'), "
    "and use __token__ as the user name and the token as the password."
)


class TokenPolicy:
    """Pyramid's security policy."""

    def __init__(self) -> None:
        self._acl = ACLHelper()

    def identity(self, request: Request) -> Identity | None:
        """Return who makes the request, or None; asked once in a request."""
        known: tuple[Identity | None, str] | None = request.environ.get(_UNKNOWN)
        if known is None:
            known = _identify(request)
            request.environ[_UNKNOWN] = known
        return known[0]

    def authenticated_userid(self, request: Request) -> str | None:
        """Return the account's name, or None."""
        identity = self.identity(request)
        return None if identity is None else identity.account

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        """Return whether the token and the ACLs allow it."""
        identity = self.identity(request)
        if identity is None:
            return False
        project = getattr(context, "project", None)
        name = None if project is None else project.name
        if permission == CLOSED or not token_allows(identity, Permission(permission), name):
            return False
        return self._acl.permits(context, identity.principals | _EVERYONE, permission)

    def remember(self, request: Request, userid: str, **kw: Any) -> list[Any]:  # noqa: ARG002
        """Return no headers: a token is sent with every request."""
        return []

    def forget(self, request: Request, **kw: Any) -> list[Any]:  # noqa: ARG002
        """Return no headers."""
        return []


def refusal(request: Request) -> str:
    """Return why nobody is known to make this request."""
    known: tuple[Identity | None, str] = request.environ.get(_UNKNOWN) or _identify(request)
    return known[1]


def _identify(request: Request) -> tuple[Identity | None, str]:
    header = request.environ.get("HTTP_AUTHORIZATION", "").strip()
    if not header:
        return None, NO_CREDENTIALS
    token, problem = _token(header)
    if token is None:
        return None, problem
    try:
        # The server's word for the address, never a header's.
        origin = request.environ.get("REMOTE_ADDR", "")
        return request.registry.warehouse.tokens.identify(token, origin=origin, follow=False), ""
    except Unauthenticated as error:
        return None, str(error)


def _token(header: str) -> tuple[str | None, str]:
    """Return the token in an ``Authorization`` header, or None and why there is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() in _BEARERS:
        return value.strip(), ""
    if scheme.lower() != "basic":
        return None, _NOT_UNDERSTOOD
    try:
        credentials = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None, _NOT_UNDERSTOOD
    user, _, password = credentials.partition(":")
    if user == _TOKEN_USER:
        return password.strip(), ""
    if not password:
        return user.strip(), ""
    return None, _NO_PASSWORDS
