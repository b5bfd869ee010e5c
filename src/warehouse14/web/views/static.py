"""The site's own files, at addresses that change with their bytes."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from warehouse14.web.assets import Asset
from warehouse14.web.negotiation import takes_gzip
from warehouse14.web.resources.browser import StaticFile


@view_config(context=StaticFile, request_method="GET", permission=NO_PERMISSION_REQUIRED)
def static(context: StaticFile, request: Request) -> Response:
    """Send one of the site's own files, to be kept for ever."""
    asset: Asset | None = request.registry.assets.get(context.__name__)
    if asset is None or asset.digest != context.__parent__.__name__:
        raise HTTPNotFound
    response = Response(asset.body, content_type=asset.media_type)
    compressed = asset.compressed
    if compressed is not None:
        response.headers["Vary"] = "Accept-Encoding"
        if takes_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
            response.body = compressed
            response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
