"""Uploads past this program: a client asks, sends its parts to the store, asks to finish, and polls."""

import re

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.journallines import iso
from warehouse14.domain.services.direct import DirectUpload, DirectUploadService
from warehouse14.domain.services.gate import Accepted
from warehouse14.domain.services.uploadform import UploadForm
from warehouse14.web.addresses import absolute
from warehouse14.web.fields import given_fields
from warehouse14.web.resources.clients import ApiUpload, ApiUploads
from warehouse14.web.views.api import answer, change

_NUMBER = re.compile(r"[0-9]{1,18}\Z", re.ASCII)
_FORM = ("name", "version", "filetype", "filename")
#: When to ask again whether a file has passed, in seconds.
_SOON = "1"


@change(context=ApiUploads, permission=Permission.BROWSE)
def begin(context: ApiUploads, request: Request) -> Response:  # noqa: ARG001
    """Begin an upload that goes straight to the store."""
    given = given_fields(request, *_FORM, "size", "sha256", "again")
    for name in _FORM:
        if not given[name]:
            raise Rejected(f"{name}: missing. Send it.", field=name)
    form = UploadForm(given["name"], given["filetype"], given["filename"], given["version"])
    size = _number(given["size"], field="size")
    if given["again"] not in {"", "yes"}:
        raise Rejected("again: write yes, or leave it out.", field="again")
    found = _direct(request).begin(
        request.identity, form, size=size, sha256=given["sha256"], again=bool(given["again"])
    )
    return _told(request, found, sending=201)


@view_config(context=ApiUpload, request_method="GET", permission=Permission.BROWSE)
def status(context: ApiUpload, request: Request) -> Response:
    """Say what came of an upload straight to the store, or which of its parts have come."""
    return _told(request, _direct(request).status(request.identity, context.id))


@change(context=ApiUpload, name="part", permission=Permission.BROWSE)
def part(context: ApiUpload, request: Request) -> Response:
    """Say where to send a part of an upload straight to the store."""
    given = given_fields(request, "number", "sha256")
    found = _direct(request).request(
        request.identity,
        context.id,
        number=_number(given["number"], field="number"),
        sha256=given["sha256"],
    )
    return answer(address=found.address, headers=dict(found.headers))


@change(context=ApiUpload, name="finish", permission=Permission.BROWSE)
def finish(context: ApiUpload, request: Request) -> Response:
    """Have an upload straight to the store checked and published."""
    given_fields(request)
    return _told(request, _direct(request).finish(request.identity, context.id))


def _direct(request: Request) -> DirectUploadService:
    found: DirectUploadService = request.registry.warehouse.direct
    return found


def _number(text: str, *, field: str) -> int:
    if not _NUMBER.match(text):
        raise Rejected(f"{field}: write a whole number.", field=field)
    return int(text)


def _told(request: Request, found: DirectUpload | Accepted, *, sending: int = 200) -> Response:
    if isinstance(found, Accepted):
        return answer(
            state="published", changed=found.is_new, filename=found.filename, warnings=list(found.warnings)
        )
    if found.is_asked:
        response = answer(state="checking")
        response.status_int = 202
        response.headers["Retry-After"] = _SOON
    else:
        response = answer(
            state="sending",
            size=found.size,
            part_bytes=found.part_bytes,
            sent=sorted(found.sent),
            ends_at=iso(found.ends_at),
        )
        response.status_int = sending
    response.location = absolute(request, f"/api/uploads/{found.id}")
    return response
