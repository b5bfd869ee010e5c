"""Publishing by the legacy upload API, as twine, uv, flit, hatch, poetry and pdm speak it."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Rejected
from warehouse14.domain.services.uploadform import UploadForm, check_digests, too_large
from warehouse14.domain.services.uploads import Published, UploadService
from warehouse14.web.addresses import absolute_with_query
from warehouse14.web.errors import Refusal
from warehouse14.web.forms import ALLOWANCE, Content, UploadStream, digests
from warehouse14.web.resources import Resource, Root
from warehouse14.web.resources.clients import Legacy, Projects

_GONE = frozenset({"submit", "submit_pkg_info", "doc_upload"})
_REQUIRED = ("name", "version", "filetype")


@view_config(context=Root, request_method="POST", permission=Permission.BROWSE, require_csrf=False)
@view_config(context=Legacy, request_method="POST", permission=Permission.BROWSE, require_csrf=False)
@view_config(context=Projects, request_method="POST", permission=Permission.BROWSE, require_csrf=False)
def upload(context: Resource, request: Request) -> Response:
    """Take a file. The credentials that come with the request stand for a CSRF token."""
    elsewhere = _elsewhere(context, request)
    if elsewhere is not None:
        return elsewhere
    limit = request.registry.warehouse.uploads.max_file_bytes
    if request.content_length is not None and request.content_length > limit + ALLOWANCE:
        raise too_large(limit)
    published = _receive(request)
    body = "".join(f"{warning}\n" for warning in published.warnings)
    return Response(body, content_type="text/plain", cache_control="no-store")


def _elsewhere(context: Resource, request: Request) -> Response | None:
    """Return the redirect that adds the last slash, unless it is there (RFC 9110, section 15.4.9)."""
    path = f"/{context.__name__}/" if context.__name__ else "/"
    if request.environ["PATH_INFO"] in {path, ""}:
        return None
    location = absolute_with_query(request, path)
    return Response(f"Upload to {location}\n", status=308, location=location, content_type="text/plain")


def _receive(request: Request) -> Published:
    content_type = request.environ.get("CONTENT_TYPE", "")
    uploads: UploadService = request.registry.warehouse.uploads
    stream = UploadStream(request.environ["wsgi.input"], content_type, uploads.max_file_bytes)
    events = stream.events()
    content = next(events, None)
    _check_protocol(request, stream.fields)
    if not isinstance(content, Content):
        raise Rejected("content: the form has no file. Send it last.", field="content")
    form = _read(stream.fields, content)
    check_digests(digests(stream.fields), required=True)
    with uploads.receive(request.identity, form) as upload:
        for chunk in events:
            assert isinstance(chunk, bytes)
            upload.write(chunk)
        return upload.finish(digests(stream.fields))


def _check_protocol(request: Request, fields: Mapping[str, str]) -> None:
    """Refuse what is not an upload by the one protocol there is."""
    action = fields.get(":action") or _action_of_query(request)
    if action in _GONE:
        raise Refusal(410, f":action {action} is gone. Upload the file itself, with file_upload.")
    if not action:
        raise Rejected(
            ":action: missing. Send it as file_upload, and send the content after it.", field=":action"
        )
    if action != "file_upload":
        raise Rejected(f":action: {action[:40]!r} must be file_upload.", field=":action")
    version = fields.get("protocol_version") or "1"
    if version != "1":
        raise Rejected(f"protocol_version: {version[:40]!r} must be 1.", field="protocol_version")


def _action_of_query(request: Request) -> str:
    try:
        query = parse_qs(request.environ.get("QUERY_STRING", ""), max_num_fields=100)
    except ValueError as error:
        raise Rejected("The address has more than 100 fields after its '?'.", field=":action") from error
    return next(iter(query.get(":action", [])), "")


def _read(fields: Mapping[str, str], content: Content) -> UploadForm:
    for name in _REQUIRED:
        if not fields.get(name):
            raise Rejected(f"{name}: missing. Send it, and send the content after it.", field=name)
    if fields["filetype"] == "sdist" and fields.get("pyversion", "") not in {"", "source"}:
        raise Rejected("pyversion: must be source for a sdist.", field="pyversion")
    if content.filename is None:
        raise Rejected("content: send it as a file, with a file name.", field="content")
    if content.content_type.lower().startswith("image/"):
        raise Rejected("content: an image is not a distribution.", field="content")
    return UploadForm(
        name=fields["name"],
        filetype=fields["filetype"],
        filename=content.filename,
        version=fields["version"],
    )
