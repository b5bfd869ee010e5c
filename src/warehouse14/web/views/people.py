"""The people of a project: who has a role, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Identity, Permission, reasons
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.model import Project, Role
from warehouse14.domain.names import (
    AUTHENTICATED,
    Principal,
    account_principal,
    invited_address,
    principal,
    principal_account,
    principal_group,
    principal_words,
)
from warehouse14.domain.services.projects import Granted
from warehouse14.domain.warehouse import Warehouse
from warehouse14.web.html import go, show, words
from warehouse14.web.minting import TokenForm, TokenLine, lines, offered
from warehouse14.web.resources.browser import ProjectPage

_ACCOUNT, _GROUP = "account", "group"


@dataclass(frozen=True, slots=True)
class Line:
    """A role: who has it, of which kind they are, how they are called, and what is to be known of them."""

    who: Principal
    kind: str
    name: str
    role: Role
    state: str = ""

    @property
    def words(self) -> str:
        """How a sentence names them."""
        return principal_words(self.who)


@view_config(context=ProjectPage, name="people", request_method="GET", permission=Permission.READ)
def people(context: ProjectPage, request: Request) -> Response:
    """Show who has a role; its admins change it here."""
    return page_of(context, request)


@view_config(context=ProjectPage, name="people", request_method="POST", permission=Permission.MANAGE)
def grant(context: ProjectPage, request: Request) -> Response:
    """Give an account or a group a role, or another one."""
    name, role = request.POST.get("name", "").strip(), request.POST.get("role", "")
    kind = request.POST.get("kind", _ACCOUNT)
    given = {"name": name, "kind": kind}
    if role not in set(Role) or kind not in {_ACCOUNT, _GROUP} or not name:
        problem = "Write the name of an account or of a group, and choose member or admin."
        return page_of(context, request, status=400, problem=problem, **given)
    try:
        who = principal(f"{kind}:{name}", field="name")
        granted = request.registry.warehouse.projects.grant(
            request.identity, context.project.name, who, Role(role)
        )
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error), role=role, **given)
    return go(request, path_of(context), _notice(granted, role))


def _notice(granted: Granted, role: str) -> str:
    """Return what a role that was given means."""
    if invited_address(granted.who) is not None:
        what = "is invited, and" if granted.is_new else "was already invited, and"
        return (
            f"{_subject(granted.who)} {what} becomes {_article(role)} at the first sign-in with that address."
        )
    return f"{_subject(granted.who)} {'is now' if granted.is_new else 'was already'} {_article(role)}."


@view_config(context=ProjectPage, name="revoke", request_method="POST", permission=Permission.MANAGE)
def revoke(context: ProjectPage, request: Request) -> Response:
    """Take somebody's role away."""
    projects, project = request.registry.warehouse.projects, context.project
    try:
        who = projects.revoke(request.identity, project.name, request.POST.get("principal", ""))
    except (Rejected, NotFound) as error:
        return page_of(context, request, status=400, problem=words(error))
    notice = f"{_subject(who)} has no role on {project.display_name} now."
    try:
        projects.get(request.identity, project.name)
    except NotFound:
        # Whoever gave up their own role may not see the project any more.
        return go(request, "/projects/", notice)
    return go(request, path_of(context), notice)


def page_of(
    context: ProjectPage,
    request: Request,
    *,
    status: int = 200,
    form: TokenForm | None = None,
    **values: str,
) -> Response:
    """Return the page of a project's people, and for its admins of its service tokens."""
    project, warehouse, identity = context.project, request.registry.warehouse, request.identity
    manages = bool(request.has_permission(Permission.MANAGE, context))
    return show(
        request,
        "people",
        status=status,
        project=project,
        lines=_lines(warehouse, told_roles(identity, project, manages=manages)),
        why=_why(identity, project),
        manages=manages,
        abandoned=identity.administrator and bool(warehouse.projects.abandoned(identity, [project.name])),
        tokens=_service_tokens(context, request) if manages else [],
        **offered(form),
        **{
            "problem": "",
            "token_problem": "",
            "name": "",
            "kind": _ACCOUNT,
            "role": Role.MEMBER.value,
            **values,
        },
    )


def told_roles(identity: Identity, project: Project, *, manages: bool) -> Mapping[Principal, Role]:
    """Return the roles that somebody is told of: whom a project has invited is known to its admins, and
    which groups there are to those with a role."""
    if manages:
        return project.people
    has_role = any(reason.through != AUTHENTICATED for reason in reasons(identity, project))
    return {
        who: role
        for who, role in project.people.items()
        if principal_account(who) is not None
        or (has_role and invited_address(who) is None)
        or who in identity.principals
    }


def _lines(warehouse: Warehouse, told: Mapping[Principal, Role]) -> Sequence[Line]:
    grants = sorted(told.items(), key=lambda grant: (grant[1], grant[0]))
    accounts = {who: name for who, _ in grants if (name := principal_account(who)) is not None}
    groups = {who: group for who, _ in grants if (group := principal_group(who)) is not None}
    known, living = warehouse.accounts.known(accounts.values()), warehouse.groups.known(groups.values())

    def line(who: Principal, role: Role) -> Line:
        if who in accounts:
            account = known.get(accounts[who])
            return Line(
                who, _ACCOUNT, accounts[who], role, "disabled" if account and account.disabled else ""
            )
        if (address := invited_address(who)) is not None:
            return Line(who, _ACCOUNT, address, role, "invited")
        gone = who in groups and groups[who] not in living
        return Line(who, _GROUP, who.partition(":")[2] or who, role, "deleted" if gone else "")

    return [line(who, role) for who, role in grants]


def _why(identity: Identity, project: Project) -> list[str]:
    """Return why the one who looks has access, a sentence for each reason."""
    assert identity.account is not None
    own = account_principal(identity.account)
    return [
        "You read it because it is public."
        if reason.through == AUTHENTICATED
        else f"You are {_article(reason.role)}"
        + ("." if reason.through == own else f" through {principal_words(reason.through)}.")
        for reason in reasons(identity, project)
    ]


def path_of(context: ProjectPage) -> str:
    """Return the path of that page."""
    return f"/projects/{context.project.name}/@@people"


def _subject(who: Principal) -> str:
    """Return how a sentence begins that is about ``who``; accounts are spelled as they are."""
    told = principal_words(who)
    return told[:1].upper() + told[1:] if who.startswith(f"{_GROUP}:") else told


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
