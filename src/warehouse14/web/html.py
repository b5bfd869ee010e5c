"""Pages for browsers: the frame around each, its addresses, and the headers that keep it safe."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pyramid.csrf import get_csrf_token
from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.access import Identity, Permission, allows_site
from warehouse14.domain.errors import Rejected, Unavailable
from warehouse14.domain.model import Account, Looked
from warehouse14.domain.sentences import printable, sentence
from warehouse14.domain.services.direct import DirectUploadService
from warehouse14.web import cookies
from warehouse14.web.addresses import absolute, prefix
from warehouse14.web.agents import browser
from warehouse14.web.assets import Asset
from warehouse14.web.cookies import Notice
from warehouse14.web.negotiation import takes_gzip
from warehouse14.web.security import signed_in

#: Further levels take twice the time for a few bytes in a hundred.
_GZIP_LEVEL = 5
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_SAFE = "/+@:!,=~"
#: What stands in a query string as it came.
_SAFE_IN_QUERY = "%=&+/?:@!$'()*,;~"

#: Where an environment says from which size of its file on, in bytes, the form of an upload is cut off.
LARGEST_FORM = "warehouse14.largest_form"

#: A query string, or what is to stand in one.
Query = str | Mapping[str, str | int]


@dataclass(frozen=True)
class Frame:
    """What every template knows beside its own values, as ``page``."""

    request: Request

    @property
    def account(self) -> Account | None:
        """Who is signed in; nobody on the page that says that the store does not answer."""
        try:
            found = signed_in(self.request)
        except Unavailable:
            return None
        return None if found is None else found.account

    @property
    def restricted(self) -> bool:
        """Whether who is signed in has to replace their password first."""
        try:
            found = signed_in(self.request)
        except Unavailable:
            return False
        return found is not None and found.replaces_password

    @property
    def passwords(self) -> bool:
        """Whether people sign in here with passwords of this site."""
        local: bool = self.request.registry.sign_ins.local
        return local

    @property
    def looking(self) -> frozenset[Looked]:
        """What an administrator looks into."""
        identity: Identity | None = self.request.identity
        return frozenset() if identity is None else identity.looking

    @property
    def may_create(self) -> bool:
        """Whether who is signed in may take new project names."""
        identity = self.request.identity
        return identity is not None and allows_site(identity, Permission.CREATE)

    @property
    def creates_on_upload(self) -> bool:
        """Whether the first upload of a new name creates its project here."""
        creates: bool = self.request.registry.warehouse.policy.create_on_upload
        return creates

    @property
    def takes_parts(self) -> bool:
        """Whether files may be sent straight to the store."""
        direct: DirectUploadService = self.request.registry.warehouse.direct
        return direct.is_open

    @property
    def largest_form(self) -> int | None:
        """How large a file may be that comes by the form of an upload, in bytes, where the platform says so
        before this program sees it; about, as what is said of the file counts, too."""
        found: int | None = self.request.environ.get(LARGEST_FORM)
        return found

    @cached_property
    def csrf(self) -> str:
        """The token for the forms of this page."""
        token: str = get_csrf_token(self.request)
        return token

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed at the moment."""
        read_only: bool = self.request.registry.warehouse.policy.read_only
        return read_only

    @property
    def notice(self) -> Notice | None:
        """What happened right before."""
        return cookies.take_notice(self.request)

    @property
    def site(self) -> str:
        """The public address of the site, without its last slash."""
        try:
            return absolute(self.request, "/").rstrip("/")
        except Rejected:
            # On the page that says so.
            return ""

    @property
    def host(self) -> str:
        """The name of the site's host, without a port."""
        return urlsplit(self.site).hostname or ""

    def with_token(self, path: str, token: str = "$TOKEN") -> str:  # noqa: S107
        """Return the public address of a path with name and token; by default that of the shell."""
        scheme, _, rest = f"{self.site}{path}".partition("://")
        return f"{scheme}://__token__:{token}@{rest}"

    def href(self, *parts: str, **query: str | int) -> str:
        """Return the address of a place: ``href("projects", name)`` is ``/projects/<name>/``."""
        path = "".join(f"/{quote(part, safe='+@:!,=~')}" for part in parts)
        last = parts[-1] if parts else ""
        return address(self.request, path if "@@" in last or not parts else f"{path}/", query)

    def at(self, path: str, **query: str | int) -> str:
        """Return the address of a path below the site's root."""
        return address(self.request, path, query)

    def asset(self, name: str) -> str:
        """Return the address of one of the site's own files."""
        found: Asset = self.request.registry.assets[name]
        return address(self.request, found.path)


def address(request: Request, path: str, query: Query = "") -> str:
    """Return the path as the browser knows it: below the prefix of the site, quoted.

    ``query`` is a query string as it came, or what is to stand in one; what is empty is left out.
    """
    text = f"{quote(prefix(request), safe=_SAFE)}{quote(path, safe=_SAFE + '%')}" or "/"
    if isinstance(query, str):
        written = quote(query, safe=_SAFE_IN_QUERY)
    else:
        written = urlencode({key: value for key, value in query.items() if value not in {"", None}})
    return f"{text}?{written}" if written else text


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page, made from ``templates/<template>.jinja2``."""
    environment = request.registry.templates
    text = environment.get_template(f"{template}.jinja2").render(page=Frame(request), **values)
    response = Response(text, status=status, content_type="text/html", charset="UTF-8")
    protect(request, response)
    if takes_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
        response.body = gzip.compress(response.body, _GZIP_LEVEL, mtime=0)
        response.content_encoding = "gzip"
    return response


def protect(request: Request, response: Response) -> None:
    """Add the headers of every page: personal, never sniffed, never framed, nothing from elsewhere."""
    images = " ".join(["'self'", "data:", *request.registry.site.image_hosts])
    # A browser also asks this of where a form's redirect leads: a sign-out, to the provider.
    forms = " ".join(["'self'", *request.registry.sign_ins.origins])
    headers: Mapping[str, str] = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; script-src 'self'; img-src {images}; "
            f"form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        # With no-referrer, Pyramid's check of a form's origin would refuse every form over HTTPS.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Vary": "Cookie, Accept-Encoding",
    }
    response.headers.update(headers)


def redirect(request: Request, path: str, query: Query = "", *, status: int = 303) -> Response:
    """Return a redirect to a path below the site's root (RFC 9110, section 15.4)."""
    public = request.registry.site.url
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public)) if public else ""
    response = Response(status=status, location=origin + address(request, path, query))
    protect(request, response)
    return response


def depart(request: Request, url: str) -> Response:
    """Return a redirect to an address elsewhere, that of an identity provider."""
    response = Response(status=303, location=url)
    protect(request, response)
    # The address says what the person asks for there.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def go(request: Request, path: str, notice: str = "", query: Query = "") -> Response:
    """Return the redirect that follows a form, with a notice for the next page."""
    response = redirect(request, path, query)
    if notice:
        cookies.notify(request, response, Notice(notice))
    return response


def onwards(request: Request, goal: str, notice: str = "", *, default: str = "/") -> Response:
    """Go on to the page that was asked for before, if it is one of this site."""
    path, _, query = (local_path(goal) or default).partition("?")
    return go(request, path, notice, query)


def elsewhere(request: Request, path: str) -> Response | None:
    """Return the redirect to the one address of a page, unless the request is for it."""
    if request.environ["PATH_INFO"] == path:
        return None
    response = redirect(request, path, request.environ.get("QUERY_STRING", ""), status=301)
    response.headers["Cache-Control"] = "no-cache, private"
    return response


def words(error: Exception) -> str:
    """Return what is wrong with a form, in one sentence without the name that a field has in the code."""
    field, separator, text = str(error).partition(": ")
    # What does not begin with the field is a sentence by itself, perhaps one that begins with a name.
    is_named = bool(separator) and field == getattr(error, "field", None)
    return text[:1].upper() + text[1:] if is_named else str(error)


def local_path(raw: str) -> str | None:
    """Return ``raw`` if it is a path on this site that can be gone back to, else None."""
    if not raw.startswith("/") or raw.startswith(("//", "/\\")) or not raw.isprintable() or "\\" in raw:
        return None
    return raw if urlsplit(raw).netloc == "" else None


# -- filters for the templates ---------------------------------------------------------


def size(count: int) -> str:
    """Return a number of bytes in words: 1,234,567 is ``1.23 MB``."""
    if count == 1:
        return "1 byte"
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    # With three digits, but never as 1e+03.
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:.3g} {_UNITS[unit]}"


def day(at: datetime) -> str:
    """Return a date in UTC as people read it, and sort it: ``2026-03-04``."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def moment(at: datetime) -> str:
    """Return a date and time in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(at: datetime) -> str:
    """Return how long ago something was, in words."""
    seconds = max(int((datetime.now(UTC) - at).total_seconds()), 0)
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = seconds // length
        if count:
            return f"{count} {word}{'s' if count > 1 else ''} ago" if count < 60 or word != "day" else day(at)
    return "just now"


FILTERS = {
    "browser": browser,
    "size": size,
    "day": day,
    "moment": moment,
    "ago": ago,
    "sentence": sentence,
    "printable": printable,
}
