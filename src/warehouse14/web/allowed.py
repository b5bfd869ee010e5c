"""Which methods an address answers."""

from collections.abc import Sequence

from pyramid.request import Request

from warehouse14.web.resources import Resource


def allowed_methods(request: Request, context: Resource) -> Sequence[str]:
    """Return the methods for which there is a view of ``context`` under the name that was asked for, sorted.

    It looks through all views, which is for those alone who asked with another method (RFC 9110,
    section 10.2.1).
    """
    views = (each["introspectable"] for each in request.registry.introspector.get_category("views"))
    methods = {
        view["request_methods"]
        for view in views
        if view["name"] == request.view_name and view["context"] in type(context).__mro__
    }
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))
