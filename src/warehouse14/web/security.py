"""Who makes a request, and what the ACLs allow them.

Index, file, upload and API addresses know API tokens alone: never a password,
never a cookie. A token comes as the password of ``__token__``, as a user
name with an empty password, or as a Bearer credential (RFC 7617, RFC 6750).
All other addresses are pages for a browser, and know its session alone.
"""

import base64
import binascii
from abc import ABC, abstractmethod
from typing import Any

from pyramid.authorization import ACLHelper, Everyone
from pyramid.request import Request
from pyramid.security import Denied
from pyramid.traversal import split_path_info

from warehouse14.domain.access import Identity, Permission, token_allows
from warehouse14.domain.credentials import parse_token
from warehouse14.domain.errors import SignInNeeded, TooManyAttempts, Unauthenticated
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.web.addresses import absolute
from warehouse14.web.cookies import secret
from warehouse14.web.resources.base import ADMINISTRATORS, looking_into

#: Why nobody is known, and who is.
Refused = Unauthenticated | TooManyAttempts
Known = tuple[Identity | None, Refused]

#: The permission of a view that names none; no ACL gives it.
CLOSED = "closed"

#: What DENY_ALL is said of.
_EVERYONE = frozenset({Everyone})
_TOKEN_USER = "__token__"
_BEARERS = frozenset({"bearer", "token"})
_UNKNOWN = "_warehouse14_identity"
_SIGNED_IN = "_warehouse14_signed_in"

#: Below this are the addresses for programs that change things.
API = "api"
#: Below these are the addresses for clients: nobody is told anything but 401, whether it exists or not.
PRIVATE_PLACES = frozenset({"simple", "packages", "legacy", "pypi", API})
CLIENT_PLACES = PRIVATE_PLACES | {"health", "metrics"}
#: What is there for everybody.
OPEN_PLACES = frozenset({"health", "login", "static"})
#: Where a password is replaced, also one that opens nothing else.
PASSWORD_PAGE = "/account/@@password"

NO_CREDENTIALS = "Sign in with an API token: user name __token__, and the token as the password."
_NOBODY = Unauthenticated(NO_CREDENTIALS)
_NOT_UNDERSTOOD = "The Authorization header is not understood. " + NO_CREDENTIALS
_EMPTY = "The token is empty. " + NO_CREDENTIALS
_NOT_ITS_USER = "That is a token, but not its user name: use __token__."
_NO_PASSWORDS = (
    "A password opens the browser only. Make an API token ('warehouse14 token mint'), "
    "and use __token__ as the user name and the token as the password."
)


class HeldBack(Denied):  # type: ignore[misc]
    """What a token does not let through, whatever its owner may do."""

    @property
    def permission(self) -> Permission:
        """What was asked for."""
        return Permission(self.msg)


class _Policy(ABC):
    """What both policies share: the ACLs decide, and nobody is allowed nothing."""

    def __init__(self) -> None:
        self._acl = ACLHelper()

    @abstractmethod
    def identity(self, request: Request) -> Identity | None:
        """Return who makes the request, or None."""

    def authenticated_userid(self, request: Request) -> str | None:
        """Return the account's name, or None."""
        identity = self.identity(request)
        return None if identity is None else identity.account

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        """Return whether the token, if one was used, and the ACLs allow it."""
        identity = self.identity(request)
        if identity is None:
            return False
        project = getattr(context, "project", None)
        name = None if project is None else project.name
        if permission == CLOSED:
            return False
        if not token_allows(identity, Permission(permission), name):
            return HeldBack(permission)
        principals = identity.principals | _EVERYONE
        if identity.administrator:
            principals |= {ADMINISTRATORS, *map(looking_into, identity.looking)}
        return self._acl.permits(context, principals, permission)

    def remember(self, request: Request, userid: str, **kw: Any) -> list[Any]:  # noqa: ARG002
        """Return no headers: tokens come with every request, and cookies are set by the sign-in."""
        return []

    def forget(self, request: Request, **kw: Any) -> list[Any]:  # noqa: ARG002
        """Return no headers."""
        return []


class TokenPolicy(_Policy):
    """The policy of the addresses for clients."""

    def identity(self, request: Request) -> Identity | None:
        """Return who makes the request, or None; asked once in a request."""
        return _known(request)[0]


class SessionPolicy(_Policy):
    """The policy of the pages for a browser."""

    def identity(self, request: Request) -> Identity | None:
        """Return who is signed in, or None. One whose password is to be replaced may only do that, and
        one who brings credentials of a client as well is nobody."""
        found = None if "HTTP_AUTHORIZATION" in request.environ else signed_in(request)
        if found is None or (found.replaces_password and not _replaces_password(request)):
            return None
        return found.identity(request.environ.get("REMOTE_ADDR", ""))


class SitePolicy:
    """Pyramid's security policy: that of clients or that of browsers, by the address alone."""

    def __init__(self) -> None:
        self._tokens = TokenPolicy()
        self._sessions = SessionPolicy()

    def of(self, request: Request) -> _Policy:
        """Return the policy of the request's address."""
        return self._tokens if is_for_clients(request) else self._sessions

    def identity(self, request: Request) -> Identity | None:
        """See the policy."""
        return self.of(request).identity(request)

    def authenticated_userid(self, request: Request) -> str | None:
        """See the policy."""
        return self.of(request).authenticated_userid(request)

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        """See the policy."""
        return self.of(request).permits(request, context, permission)

    def remember(self, request: Request, userid: str, **kw: Any) -> list[Any]:
        """See the policy."""
        return self.of(request).remember(request, userid, **kw)

    def forget(self, request: Request, **kw: Any) -> list[Any]:
        """See the policy."""
        return self.of(request).forget(request, **kw)


def is_for_clients(request: Request) -> bool:
    """Whether the address is for clients, with tokens, and not for browsers, with sessions."""
    # Split as the traversal splits it: "/./simple/x" is "/simple/x".
    parts = split_path_info(request.environ.get("PATH_INFO", ""))
    return parts[0] in CLIENT_PLACES if parts else request.method not in {"GET", "HEAD"}


def is_for_programs(request: Request) -> bool:
    """Whether the address is one of the API."""
    parts: tuple[str, ...] = split_path_info(request.environ.get("PATH_INFO", ""))
    return parts[:1] == (API,)


def signed_in(request: Request) -> SignedIn | None:
    """Return the session that a browser's cookie stands for; asked once in a request."""
    if _SIGNED_IN not in request.environ:
        value = secret(request)
        sessions = request.registry.warehouse.sessions
        request.environ[_SIGNED_IN] = None if value is None else sessions.identify(value, follow=False)
    found: SignedIn | None = request.environ[_SIGNED_IN]
    return found


def _replaces_password(request: Request) -> bool:
    return bool(request.environ.get("PATH_INFO") == PASSWORD_PAGE)


def recognised(request: Request) -> tuple[str | None, str | None]:
    """Return the account that makes a request, and the public id of its token, as far as anybody has asked
    for them."""
    known: Known | None = request.environ.get(_UNKNOWN)
    identity = None if known is None else known[0]
    if identity is not None:
        return identity.account, None if identity.token is None else identity.token.id
    found: SignedIn | None = request.environ.get(_SIGNED_IN)
    return None if found is None else found.account.name, None


def refused_credentials(request: Request) -> str | None:
    """Return the code of why the credentials of a client count for nothing, if somebody has asked."""
    known: Known | None = request.environ.get(_UNKNOWN)
    if known is None or known[0] is not None or "HTTP_AUTHORIZATION" not in request.environ:
        return None
    return known[1].code


def refusal(request: Request) -> Refused:
    """Return why nobody is known to make this request."""
    return _known(request)[1]


def _known(request: Request) -> Known:
    """Return who makes a request with a token, or why nobody; asked once in a request."""
    known: Known | None = request.environ.get(_UNKNOWN)
    if known is None:
        known = _identify(request)
        request.environ[_UNKNOWN] = known
    return known


def _identify(request: Request) -> Known:
    environ = request.environ
    header = environ.get("HTTP_AUTHORIZATION", "").strip()
    if not header:
        return None, Unauthenticated(NO_CREDENTIALS)
    token, problem = _token(header)
    if token is None:
        return None, Unauthenticated(problem)
    # The server's word for the address, never a header's.
    origin, agent = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", "")
    try:
        tokens = request.registry.warehouse.tokens
        return tokens.identify(token, origin=origin, agent=agent, follow=False), _NOBODY
    except SignInNeeded:
        return None, SignInNeeded(absolute(request, "/login"))
    except (Unauthenticated, TooManyAttempts) as error:
        return None, error


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
        token = password.strip()
        return (token, "") if token else (None, _EMPTY)
    if not password:
        return user.strip(), ""
    return None, _NO_PASSWORDS if parse_token(password) is None else _NOT_ITS_USER
