"""Groups: one's own, a new one, and who is in each."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import AlreadyExists, NotFound, Rejected
from warehouse14.domain.names import account_name
from warehouse14.web.html import elsewhere, go, show, words
from warehouse14.web.minting import TokenForm, lines, offered
from warehouse14.web.resources.browser import GroupPage, GroupPages

_RANKS = ("member", "admin")


@view_config(context=GroupPages, request_method="GET", permission=Permission.BROWSE)
def groups(context: GroupPages, request: Request) -> Response:  # noqa: ARG001
    """Show the groups that the caller is in; administrators see all."""
    return elsewhere(request, "/groups/") or _list(request)


@view_config(context=GroupPages, name="new", request_method="POST", permission=Permission.BROWSE)
def new_group(context: GroupPages, request: Request) -> Response:  # noqa: ARG001
    """Take a new name."""
    name = request.POST.get("name", "").strip()
    try:
        group = request.registry.warehouse.groups.create(request.identity, name)
    except (Rejected, AlreadyExists) as error:
        status = 400 if isinstance(error, Rejected) else 409
        return _list(request, status=status, name=name, problem=words(error))
    return go(request, f"/groups/{group.name}/", f"The group {group.name} is yours. Say who is in it.")


@view_config(context=GroupPage, request_method="GET", permission=Permission.READ)
def group(context: GroupPage, request: Request) -> Response:
    """Show who is in a group; its admins change it here."""
    return elsewhere(request, path_of(context)) or page_of(context, request)


@view_config(context=GroupPage, name="members", request_method="POST", permission=Permission.MANAGE)
def add(context: GroupPage, request: Request) -> Response:
    """Add somebody, or change their rank."""
    raw, rank = request.POST.get("account", "").strip(), request.POST.get("rank", "")
    if rank not in _RANKS:
        return page_of(context, request, status=400, problem="Choose member or admin.", account=raw)
    try:
        account = account_name(raw)
        is_new = request.registry.warehouse.groups.add(
            request.identity, context.group.name, account, admin=rank == "admin"
        )
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error), account=raw)
    what = "is now" if is_new else "was already"
    return go(request, path_of(context), f"{account} {what} {_article(rank)} of {context.group.name}.")


@view_config(context=GroupPage, name="remove", request_method="POST", permission=Permission.MANAGE)
def remove(context: GroupPage, request: Request) -> Response:
    """Remove somebody."""
    try:
        account = account_name(request.POST.get("account", ""))
        request.registry.warehouse.groups.remove(request.identity, context.group.name, account)
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error))
    # Whoever has left may not see the group any more.
    goal = "/groups/" if account == request.identity.account else path_of(context)
    return go(request, goal, f"{account} is no longer in {context.group.name}.")


@view_config(context=GroupPage, name="delete", request_method="POST", permission=Permission.MANAGE)
def delete(context: GroupPage, request: Request) -> Response:
    """Delete the group, if its name was typed."""
    name = context.group.name
    if request.POST.get("confirm", "").strip() != name:
        return page_of(context, request, status=400, delete_problem=f"Type {name} to delete it.")
    try:
        request.registry.warehouse.groups.delete(request.identity, name)
    except Rejected as error:
        return page_of(context, request, status=400, delete_problem=words(error))
    return go(request, "/groups/", f"The group {name} is deleted. Its name stays taken.")


def _list(request: Request, *, status: int = 200, **values: str) -> Response:
    found = request.registry.warehouse.groups.listed(request.identity)
    return show(request, "groups", status=status, groups=found, **{"problem": "", "name": "", **values})


def page_of(
    context: GroupPage,
    request: Request,
    *,
    status: int = 200,
    form: TokenForm | None = None,
    **values: str,
) -> Response:
    """Return the page of a group, for its admins with its service tokens."""
    warehouse, members = request.registry.warehouse, context.group.members
    accounts = warehouse.accounts.known(members)
    manages = bool(request.has_permission(Permission.MANAGE, context))
    service = service_of(context)
    return show(
        request,
        "group",
        status=status,
        group=context.group,
        members=sorted(members.items(), key=lambda member: (not member[1], member[0])),
        disabled={account.name for account in accounts.values() if account.disabled},
        manages=manages,
        tokens=lines(request, warehouse.tokens.listed(request.identity, service=service)) if manages else [],
        **offered(form),
        **{
            "problem": "",
            "delete_problem": "",
            "token_problem": "",
            "look_problem": "",
            "account": "",
            "reason": "",
            **values,
        },
    )


def path_of(context: GroupPage) -> str:
    """Return the path of that page."""
    return f"/groups/{context.group.name}/"


def service_of(context: GroupPage) -> str:
    """Return what the service account of the group is called."""
    return f"group:{context.group.name}"


def _article(rank: str) -> str:
    return "an admin" if rank == "admin" else "a member"
