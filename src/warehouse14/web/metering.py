"""What is counted of a request, by whatever counts: a bounded set of words, whatever a client sends."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from pyramid.exceptions import URLDecodeError
from pyramid.request import Request
from pyramid.response import Response
from pyramid.traversal import split_path_info

from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.warehouse import Warehouse
from warehouse14.settings import Site
from warehouse14.web.access import sent_bytes
from warehouse14.web.resources import PLACES
from warehouse14.web.resources.browser import FilePage, ProviderPlace, SignIn
from warehouse14.web.resources.clients import ApiUpload, ApiUploads, CoreMetadata, Download
from warehouse14.web.security import refused_credentials

OTHER = "other"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HOME = "home"
#: Where files are published, by POST.
_UPLOADING = frozenset({_HOME, "legacy", "simple"})
_UPLOADS: Mapping[int, str] = {
    200: "accepted",
    400: "rejected",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    413: "too-large",
    429: "too-many-attempts",
    500: "error",
    503: "unavailable",
}
_DOWNLOADS: Mapping[int, str] = {200: "whole", 206: "part", 302: "elsewhere"}
_SIGN_INS: Mapping[int, str] = {303: "accepted", 403: "refused", 429: "too-many-attempts"}
_WAYS: tuple[tuple[type, str, str], ...] = (
    (SignIn, "POST", "password"),
    (ProviderPlace, "GET", "provider"),
)
_ADAPTERS = "warehouse14.adapters."


class Meter(Protocol):
    """Counts requests, and shows what was counted."""

    content_type: str

    def count(self, request: Request, response: Response | None, seconds: float) -> None:
        """Count a request; without a response it failed."""

    def page(self) -> bytes:
        """Return what was counted by now."""


class Measured(NamedTuple):
    """What a request was, for those who count: None for what it was not."""

    kind: str
    method: str
    status: str
    sent_bytes: int
    upload: str | None
    download: str | None
    sign_in: tuple[str, str] | None
    refused_credentials: str | None
    failed_adapter: str | None


def open_meter(warehouse: Warehouse, site: Site) -> Meter | None:
    """Return what counts the requests of a site that shows its metrics to somebody, or None.

    Raises ``Misconfigured``.
    """
    if site.metrics is None:
        return None
    try:
        from warehouse14.web.prometheus import PrometheusMeter
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "warehouse14.metrics needs prometheus-client; install that, or Warehouse14 with its extra metrics"
        ) from error
    return PrometheusMeter(warehouse)


def measured(request: Request, response: Response | None) -> Measured:
    """Return what a request was."""
    status = 500 if response is None else response.status_int
    kind, method = _kind(request), request.environ["REQUEST_METHOD"]
    return Measured(
        kind=kind,
        method=method if method in _METHODS else OTHER,
        status=f"{status // 100}xx",
        sent_bytes=sent_bytes(request, response),
        upload=_upload(request, response, kind, method),
        download=_download(request, response),
        sign_in=_sign_in(request, method, status),
        refused_credentials=refused_credentials(request),
        failed_adapter=_failed_adapter(request),
    )


def _kind(request: Request) -> str:
    """Return the first part of an address if it is one of ours: never a name."""
    try:
        # Split as the traversal splits it: "/./simple/x" is "/simple/x".
        parts = split_path_info(request.environ.get("PATH_INFO", ""))
    except URLDecodeError:
        return OTHER
    if not parts:
        return _HOME
    return parts[0] if parts[0] in PLACES else OTHER


def _upload(request: Request, response: Response | None, kind: str, method: str) -> str | None:
    """Return what came of an upload, of one straight to the store when that is answered."""
    status = 500 if response is None else response.status_int
    if method == "POST" and kind in _UPLOADING:
        return _UPLOADS.get(status, OTHER)
    is_direct = isinstance(getattr(request, "context", None), (ApiUploads, ApiUpload))
    # What has a place to ask at is on its way; what is nowhere is asked for by the form, or begun anew.
    if not is_direct or request.view_name == "part" or status == 404:
        return None
    return _UPLOADS.get(status, OTHER) if response is None or response.location is None else None


def _download(request: Request, response: Response | None) -> str | None:
    context = getattr(request, "context", None)
    is_file = isinstance(context, (Download, FilePage)) and not isinstance(context, CoreMetadata)
    if response is None or not is_file or request.view_name or request.environ["REQUEST_METHOD"] != "GET":
        return None
    if "X-Accel-Redirect" in response.headers:
        return "elsewhere"
    return _DOWNLOADS.get(response.status_int)


def _sign_in(request: Request, method: str, status: int) -> tuple[str, str] | None:
    """Return in what way somebody tried to sign in, and what came of it."""
    context = getattr(request, "context", None)
    for place, by, way in _WAYS:
        if isinstance(context, place) and method == by and not request.view_name:
            return way, _SIGN_INS.get(status, OTHER)
    return None


def _failed_adapter(request: Request) -> str | None:
    """Return the adapter that kept the request from being done, by the code that said so."""
    error = getattr(request, "exception", None)
    if not isinstance(error, Unavailable):
        return None
    found, trace = OTHER, error.__traceback__
    while trace is not None:
        module: str = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith(_ADAPTERS):
            found = module.removeprefix(_ADAPTERS).partition(".")[0]
        trace = trace.tb_next
    return found
