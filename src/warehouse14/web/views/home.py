"""The home page: what is new, or the first steps, and which tokens end soon."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.model import Order
from warehouse14.web.html import show
from warehouse14.web.minting import ending
from warehouse14.web.resources import Root

_NEWEST = 12
#: So many tokens that end soon are named.
_MOST_ENDING = 3


@view_config(context=Root, request_method="GET", permission=Permission.BROWSE)
def home(context: Root, request: Request) -> Response:  # noqa: ARG001
    """Show the newest releases among the projects that the caller may read, and which tokens end soon: their
    own, and those of what they are an admin of."""
    warehouse, identity = request.registry.warehouse, request.identity
    found = warehouse.catalogue.search(identity, "", order=Order.NEWEST, count=_NEWEST)
    released = [project for project in found.projects if project.latest is not None]
    soon = ending(request, warehouse.tokens.listed(identity))
    return show(
        request,
        "home",
        projects=released,
        total=found.total,
        ending=soon,
        services=ending(request, warehouse.tokens.ending(identity)),
        most=_MOST_ENDING,
    )
