"""The site: the list of its accounts, its sizes, its settings."""

from urllib.parse import quote

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.credentials import random_password
from warehouse14.domain.errors import AlreadyExists, Rejected
from warehouse14.web.html import elsewhere, go, show, words
from warehouse14.web.resources.browser import AdminPage


@view_config(context=AdminPage, request_method="GET", permission=Permission.ADMINISTER)
def administration(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Show the accounts."""
    return elsewhere(request, "/admin/") or _page(request)


@view_config(context=AdminPage, name="settings", request_method="GET", permission=Permission.ADMINISTER)
def settings(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Show the sizes, and the settings in force; what is secret is left out."""
    warehouse = request.registry.warehouse
    return show(
        request,
        "site",
        sizes=warehouse.upkeep.sizes(),
        settings=sorted(request.registry.shown_settings.items()),
    )


@view_config(context=AdminPage, name="accounts", request_method="POST", permission=Permission.ADMINISTER)
def add(context: AdminPage, request: Request) -> Response:  # noqa: ARG001
    """Add an account, and show its first password: this once, in the answer itself.

    On a site without passwords of its own it gets none: its owner is joined to it.
    """
    name, administrator = request.POST.get("name", "").strip(), "administrator" in request.POST
    password = random_password() if request.registry.sign_ins.local else None
    try:
        account = request.registry.warehouse.accounts.add(
            request.identity, name, password=password, once=password is not None, administrator=administrator
        )
    except (Rejected, AlreadyExists) as error:
        status = 400 if isinstance(error, Rejected) else 409
        return _page(request, status=status, problem=words(error), name=name)
    if password is None:
        return go(request, f"/admin/accounts/{quote(account.name)}/", f"{account.name} is added.")
    return show(request, "new_password", account=account.name, password=password, is_new=True)


def _page(request: Request, *, status: int = 200, problem: str = "", name: str = "") -> Response:
    accounts = request.registry.warehouse.accounts.listed(request.identity)
    return show(request, "administration", status=status, accounts=accounts, problem=problem, name=name)
