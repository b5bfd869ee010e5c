"""``warehouse14 group``: groups of accounts, which projects give roles to."""

from argparse import Namespace

from warehouse14.cli.arguments import (
    Commands,
    Parser,
    Run,
    add_command,
    add_group,
    add_json,
    text,
)
from warehouse14.cli.output import Row, confirm, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.errors import NotFound
from warehouse14.domain.model import Group
from warehouse14.domain.names import AccountName, GroupName, account_name, group_name
from warehouse14.domain.warehouse import Warehouse

_KEYS = ("name", "members", "admins", "created_at")
_MEMBER_KEYS = ("account", "admin")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "group", "Manage groups of accounts.")

    parser = _add_named(group, "create", _create, "Take a new group name.")
    parser.add_argument("--admin", metavar="ACCOUNT", type=text, required=True, help="its first admin")

    parser = _add_named(group, "add", _add, "Add an account to a group, or change its rank.")
    _add_account(parser)
    parser.add_argument("--admin", action="store_true", help="let it say who is in the group")
    parser = _add_named(group, "remove", _remove, "Remove an account from a group, or take its rank there.")
    _add_account(parser)
    parser.add_argument("--admin", action="store_true", help="take the rank alone: it stays a member")

    add_json(add_command(group, "list", _list, "List all groups."), *_KEYS)
    add_json(_add_named(group, "show", _show, "List who is in a group."), *_MEMBER_KEYS)

    parser = _add_named(group, "delete", _delete, "Delete a group; its name stays taken.")
    parser.add_argument("--yes", action="store_true", help="not needed: a group that counts is not deleted")


def _add_named(group: Commands, name: str, run: Run, summary: str) -> Parser:
    parser = add_command(group, name, run, summary)
    parser.add_argument("group", metavar="NAME", type=text, help="the group's name")
    return parser


def _add_account(parser: Parser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", type=text, help="the account's name")


@on_site
def _create(warehouse: Warehouse, arguments: Namespace) -> int:
    group = warehouse.groups.create(actor(), arguments.group, admin=arguments.admin)
    confirm(f"created the group {group.name}")
    return 0


@on_site
def _add(warehouse: Warehouse, arguments: Namespace) -> int:
    name, account = group_name(arguments.group), account_name(arguments.account)
    is_new = warehouse.groups.add(actor(), name, account, admin=arguments.admin)
    rank = f"{'an admin' if arguments.admin else 'a member'} of the group {name}"
    confirm(f"{account} is now {rank}" if is_new else f"{account} is {rank} already")
    return 0


@on_site
def _remove(warehouse: Warehouse, arguments: Namespace) -> int:
    name, account = group_name(arguments.group), account_name(arguments.account)
    if arguments.admin:
        return _take_rank(warehouse, name, account)
    warehouse.groups.remove(actor(), name, account)
    confirm(f"{account} is no longer in the group {name}")
    return 0


def _take_rank(warehouse: Warehouse, name: GroupName, account: AccountName) -> int:
    if account not in warehouse.groups.get(actor(), name).members:
        raise NotFound("member", account)
    is_new = warehouse.groups.add(actor(), name, account, admin=False)
    rank = f"a member of the group {name}"
    confirm(f"{account} is now {rank}" if is_new else f"{account} is {rank} already")
    return 0


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    show(map(_row, warehouse.groups.listed(actor())), _KEYS, as_json=arguments.json)
    return 0


@on_site
def _show(warehouse: Warehouse, arguments: Namespace) -> int:
    members = warehouse.groups.get(actor(), arguments.group).members
    rows: list[Row] = [{"account": account, "admin": admin} for account, admin in sorted(members.items())]
    show(rows, _MEMBER_KEYS, as_json=arguments.json)
    return 0


@on_site
def _delete(warehouse: Warehouse, arguments: Namespace) -> int:
    name = group_name(arguments.group)
    warehouse.groups.delete(actor(), name)
    confirm(f"deleted the group {name}")
    return 0


def _row(group: Group) -> Row:
    return {
        "name": group.name,
        "members": len(group.members),
        "admins": sum(group.members.values()),
        "created_at": group.created_at,
    }
