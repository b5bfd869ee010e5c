"""The people of a project: who has a role, and why."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.model import Role
from warehouse14.domain.names import account_principal, principal_account
from warehouse14.web.html import go, show, words
from warehouse14.web.minting import DAYS, SCOPES, TokenForm, TokenLine, empty_form, lines
from warehouse14.web.resources.browser import ProjectPage


@view_config(context=ProjectPage, name="people", request_method="GET", permission=Permission.READ)
def people(context: ProjectPage, request: Request) -> Response:
    """Show who has a role; its admins change it here."""
    return page_of(context, request)


@view_config(context=ProjectPage, name="people", request_method="POST", permission=Permission.MANAGE)
def grant(context: ProjectPage, request: Request) -> Response:
    """Give somebody a role, or another one."""
    name, role = request.POST.get("name", "").strip(), request.POST.get("role", "")
    if role not in set(Role) or not name:
        problem = "Write the name of an account, and choose member or admin."
        return page_of(context, request, status=400, problem=problem, name=name)
    try:
        is_new = request.registry.warehouse.projects.grant(
            request.identity, context.project.name, f"account:{name}", Role(role)
        )
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error), name=name, role=role)
    what = "is now" if is_new else "was already"
    return go(request, path_of(context), f"{name.lower()} {what} {_article(role)}.")


@view_config(context=ProjectPage, name="revoke", request_method="POST", permission=Permission.MANAGE)
def revoke(context: ProjectPage, request: Request) -> Response:
    """Take somebody's role away."""
    who = request.POST.get("principal", "")
    try:
        request.registry.warehouse.projects.revoke(request.identity, context.project.name, who)
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error))
    # Whoever gave up their own role may not see the project any more.
    is_own = who == account_principal(request.identity.account)
    goal = "/projects/" if is_own and not context.project.public else path_of(context)
    return go(request, goal, f"{who.partition(':')[2]} has no role on {context.project.display_name} now.")


def page_of(
    context: ProjectPage,
    request: Request,
    *,
    status: int = 200,
    form: TokenForm | None = None,
    **values: str,
) -> Response:
    """Return the page of a project's people, and for its admins of its service tokens."""
    project = context.project
    grants = [
        (who, principal_account(who), role)
        for who, role in sorted(project.people.items(), key=lambda grant: (grant[1], grant[0]))
    ]
    manages = bool(request.has_permission(Permission.MANAGE, context))
    accounts = request.registry.warehouse.accounts.known(account for _, account, _ in grants)
    return show(
        request,
        "people",
        status=status,
        project=project,
        grants=grants,
        disabled={account.name for account in accounts.values() if account.disabled},
        manages=manages,
        tokens=_service_tokens(context, request) if manages else [],
        form=form or empty_form(),
        days=DAYS,
        scopes=SCOPES,
        **{"problem": "", "token_problem": "", "name": "", "role": Role.MEMBER.value, **values},
    )


def path_of(context: ProjectPage) -> str:
    """Return the path of that page."""
    return f"/projects/{context.project.name}/@@people"


def service_of(context: ProjectPage) -> str:
    """Return what the service account of the project is called."""
    return f"project:{context.project.name}"


def _service_tokens(context: ProjectPage, request: Request) -> list[TokenLine]:
    tokens = request.registry.warehouse.tokens
    try:
        return lines(request, tokens.listed(request.identity, service=service_of(context)))
    except (Forbidden, NotFound, Rejected):
        # Its name is too long for one, or its admin is no longer one.
        return []


def _article(role: str) -> str:
    return "an admin" if role == Role.ADMIN else "a member"
