"""The service tokens of a project: those that belong to it, and not to a person."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.web.html import go, words
from warehouse14.web.minting import given_form, show_new
from warehouse14.web.resources.browser import ProjectPage
from warehouse14.web.views.people import page_of, path_of, service_of


@view_config(context=ProjectPage, name="token", request_method="POST", permission=Permission.MANAGE)
def mint(context: ProjectPage, request: Request) -> Response:
    """Make a token of the project, and show it: this once, in the answer itself."""
    form, service = given_form(request), service_of(context)
    tokens = request.registry.warehouse.tokens
    try:
        secret = tokens.mint(request.identity, service=service, **form.options())
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, token_problem=words(error), form=form)
    return show_new(request, secret, tokens.listed(request.identity, service=service), path_of(context))


@view_config(context=ProjectPage, name="token-rotate", request_method="POST", permission=Permission.MANAGE)
def rotate(context: ProjectPage, request: Request) -> Response:
    """Put a new token in the place of one, and show it."""
    tokens = request.registry.warehouse.tokens
    try:
        secret = tokens.rotate(request.identity, _token(context, request))
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, token_problem=words(error))
    listed = tokens.listed(request.identity, service=service_of(context))
    return show_new(request, secret, listed, path_of(context))


@view_config(context=ProjectPage, name="token-revoke", request_method="POST", permission=Permission.MANAGE)
def revoke(context: ProjectPage, request: Request) -> Response:
    """End a token of the project."""
    try:
        request.registry.warehouse.tokens.revoke(request.identity, _token(context, request))
    except NotFound as error:
        return page_of(context, request, status=400, token_problem=words(error))
    return go(request, path_of(context), "The token is revoked. It counts for nothing from now on.")


def _token(context: ProjectPage, request: Request) -> str:
    """Return the id of a token of this project. Raises ``NotFound`` for any other."""
    wanted: str = request.POST.get("token", "")
    tokens = request.registry.warehouse.tokens.listed(request.identity, service=service_of(context))
    if wanted not in {token.id for token in tokens}:
        raise NotFound("token", wanted)
    return wanted
