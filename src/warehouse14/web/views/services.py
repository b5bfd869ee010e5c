"""The service tokens of a project or a group: those that belong to it, and not to a person."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.web.html import go, words
from warehouse14.web.minting import given_form, given_overlap, show_new
from warehouse14.web.resources.browser import GroupPage, ProjectPage
from warehouse14.web.views import groups, people


@dataclass(frozen=True, slots=True)
class _Owner:
    """What tokens belong to: its service account, the page that lists them, its path, and what it is
    called."""

    service: str
    page: Callable[..., Response]
    path: str
    called: str


def _owner(context: ProjectPage | GroupPage) -> _Owner:
    if isinstance(context, GroupPage):
        page = partial(groups.page_of, context)
        return _Owner(groups.service_of(context), page, groups.path_of(context), "the group")
    page = partial(people.page_of, context)
    return _Owner(people.service_of(context), page, people.path_of(context), "the people of the project")


@view_config(context=ProjectPage, name="token", request_method="POST", permission=Permission.MANAGE)
@view_config(context=GroupPage, name="token", request_method="POST", permission=Permission.MANAGE)
def mint(context: ProjectPage | GroupPage, request: Request) -> Response:
    """Make a token of the project or the group, and show it: this once, in the answer itself."""
    form, owner = given_form(request), _owner(context)
    tokens = request.registry.warehouse.tokens
    try:
        secret = tokens.mint(request.identity, service=owner.service, **form.options())
    except (Rejected, NotFound) as error:
        return owner.page(request, status=400, token_problem=words(error), form=form)
    except Forbidden as error:
        return owner.page(request, status=403, token_problem=words(error), form=form)
    listed = tokens.listed(request.identity, service=owner.service)
    return show_new(request, secret, listed, owner.path, to=owner.called)


@view_config(context=ProjectPage, name="token-rotate", request_method="POST", permission=Permission.MANAGE)
@view_config(context=GroupPage, name="token-rotate", request_method="POST", permission=Permission.MANAGE)
def rotate(context: ProjectPage | GroupPage, request: Request) -> Response:
    """Put a new token in the place of one, and show it."""
    tokens, owner = request.registry.warehouse.tokens, _owner(context)
    try:
        token, overlap = _token(owner, request), given_overlap(request)
        secret = tokens.rotate(request.identity, token, overlap_hours=overlap)
    except (Rejected, NotFound) as error:
        return owner.page(request, status=400, token_problem=words(error))
    except Forbidden as error:
        return owner.page(request, status=403, token_problem=words(error))
    listed = tokens.listed(request.identity, service=owner.service)
    return show_new(request, secret, listed, owner.path, to=owner.called)


@view_config(context=ProjectPage, name="token-revoke", request_method="POST", permission=Permission.MANAGE)
@view_config(context=GroupPage, name="token-revoke", request_method="POST", permission=Permission.MANAGE)
def revoke(context: ProjectPage | GroupPage, request: Request) -> Response:
    """End a token of the project or the group."""
    owner = _owner(context)
    try:
        request.registry.warehouse.tokens.revoke(request.identity, _token(owner, request))
    except NotFound as error:
        return owner.page(request, status=400, token_problem=words(error))
    return go(request, owner.path, "The token is revoked. It counts for nothing from now on.")


def _token(owner: _Owner, request: Request) -> str:
    """Return the id of a token of this owner. Raises ``NotFound`` for any other."""
    wanted: str = request.POST.get("token", "")
    tokens = request.registry.warehouse.tokens.listed(request.identity, service=owner.service)
    if wanted not in {token.id for token in tokens}:
        raise NotFound("token", wanted)
    return wanted
