"""``warehouse14 project``: who owns a project, and who reads it."""

from argparse import Namespace

from warehouse14.cli.arguments import (
    Commands,
    Parser,
    Run,
    add_command,
    add_confirmation,
    add_group,
    add_json,
    text,
)
from warehouse14.cli.output import Row, confirm, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.model import ProjectSummary, Role
from warehouse14.domain.names import account_name, invited_address, principal, project_name
from warehouse14.domain.warehouse import Warehouse

_KEYS = ("name", "display_name", "public", "serial")
_ROLE_KEYS = ("principal", "role")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "project", "Manage projects and the roles on them.")

    parser = _add_named(group, "create", _create, "Take a new project name.")
    parser.add_argument("--admin", metavar="ACCOUNT", type=text, required=True, help="whose it is")
    parser.add_argument("--public", action="store_true", help="let every signed-in account read it")

    parser = _add_named(group, "grant", _grant, "Give somebody a role on a project, or change it.")
    _add_principal(parser)
    parser.add_argument(
        "role",
        choices=[Role.ADMIN.value, Role.MEMBER.value],
        help="a member reads; an admin also publishes and manages",
    )
    parser = _add_named(group, "revoke", _revoke, "Take somebody's role on a project away.")
    _add_principal(parser)

    parser = _add_named(group, "set", _set, "Open a project to every signed-in account, or close it.")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--public", action="store_true", help="every signed-in account reads it")
    choice.add_argument("--private", action="store_true", help="only those with a role read it")

    add_json(add_command(group, "list", _list, "List all projects."), *_KEYS)
    add_json(_add_named(group, "roles", _roles, "List who has a role on a project."), *_ROLE_KEYS)

    parser = _add_named(group, "delete", _delete, "Delete a project and its files; the names stay taken.")
    add_confirmation(parser, "deleting a project")


def _add_named(group: Commands, name: str, run: Run, summary: str) -> Parser:
    parser = add_command(group, name, run, summary)
    parser.add_argument("project", metavar="NAME", type=text, help="the project's name")
    return parser


def _add_principal(parser: Parser) -> None:
    parser.add_argument(
        "principal",
        metavar="PRINCIPAL",
        type=text,
        help="who: account:NAME, group:NAME, or group:PROVIDER/NAME; account:ADDRESS invites that address",
    )


@on_site
def _create(warehouse: Warehouse, arguments: Namespace) -> int:
    admin = account_name(arguments.admin, field="admin")
    project = warehouse.projects.create(actor(), arguments.project, admin=admin, public=arguments.public)
    confirm(f"created the {_kind(public=project.public)} project {project.name}")
    return 0


@on_site
def _grant(warehouse: Warehouse, arguments: Namespace) -> int:
    name, who = project_name(arguments.project), principal(arguments.principal)
    granted = warehouse.projects.grant(actor(), name, who, Role(arguments.role))
    role = f"{arguments.role} of {name}"
    address = invited_address(granted.who)
    if address is not None:
        already = "" if granted.is_new else " already"
        confirm(f"{address} is invited{already}: {role} from the first sign-in with that address on")
        return 0
    confirm(f"{who} is now {role}" if granted.is_new else f"{who} is {role} already")
    return 0


@on_site
def _revoke(warehouse: Warehouse, arguments: Namespace) -> int:
    name = project_name(arguments.project)
    who = warehouse.projects.revoke(actor(), name, arguments.principal)
    confirm(f"{who} has no role on {name} any more")
    return 0


@on_site
def _set(warehouse: Warehouse, arguments: Namespace) -> int:
    name = project_name(arguments.project)
    is_new = warehouse.projects.set_public(actor(), name, public=arguments.public)
    kind = _kind(public=arguments.public)
    confirm(f"{name} is now {kind}" if is_new else f"{name} is {kind} already")
    return 0


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    show(map(_row, warehouse.projects.listed(actor())), _KEYS, as_json=arguments.json)
    return 0


@on_site
def _roles(warehouse: Warehouse, arguments: Namespace) -> int:
    grants = warehouse.projects.get(actor(), arguments.project).people
    rows: list[Row] = [{"principal": who, "role": role.value} for who, role in sorted(grants.items())]
    show(rows, _ROLE_KEYS, as_json=arguments.json)
    return 0


@on_site
def _delete(warehouse: Warehouse, arguments: Namespace) -> int:
    name = project_name(arguments.project)
    warehouse.projects.delete(actor(), name)
    confirm(f"deleted the project {name}")
    return 0


def _row(project: ProjectSummary) -> Row:
    return {
        "name": project.name,
        "display_name": project.display_name,
        "public": project.public,
        "serial": project.serial,
    }


def _kind(*, public: bool) -> str:
    return "public" if public else "private"
