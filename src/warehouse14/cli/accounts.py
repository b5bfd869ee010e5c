"""``warehouse14 account``: who may sign in."""

import sys
from argparse import BooleanOptionalAction, Namespace

from warehouse14.cli import logins
from warehouse14.cli.arguments import Commands, Parser, Run, add_command, add_group, add_json, text
from warehouse14.cli.output import Row, confirm, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Account
from warehouse14.domain.names import account_name
from warehouse14.domain.warehouse import Warehouse

_KEYS = ("name", "administrator", "disabled", "has_password", "created_at")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "account", "Manage who may sign in.")

    parser = _add_named(group, "add", _add, "Add an account.")
    parser.add_argument("--administrator", action="store_true", help="let it manage accounts and settings")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read its password from the first line of stdin; without this option it has none, "
        "and signs in with tokens alone",
    )
    parser = _add_named(group, "password", _password, "Replace an account's password.")
    parser.add_argument(
        "--password-stdin", action="store_true", required=True, help="read it from the first line of stdin"
    )
    parser = _add_named(group, "disable", _set_disabled, "Let an account and its tokens in no more.")
    parser.set_defaults(disabled=True)
    parser = _add_named(group, "enable", _set_disabled, "Let a disabled account and its tokens in again.")
    parser.set_defaults(disabled=False)
    parser = _add_named(group, "set", _set, "Make an account an administrator, or an ordinary one again.")
    parser.add_argument(
        "--administrator",
        action=BooleanOptionalAction,
        required=True,
        help="whether it manages accounts and settings",
    )
    logins.add_commands(group)
    add_json(add_command(group, "list", _list, "List all accounts."), *_KEYS)


def _add_named(group: Commands, name: str, run: Run, summary: str) -> Parser:
    parser = add_command(group, name, run, summary)
    parser.add_argument("account", metavar="NAME", type=text, help="the account's name")
    return parser


@on_site
def _add(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    password = _password_of_stdin() if arguments.password_stdin else None
    warehouse.accounts.add(actor(), name, password=password, administrator=arguments.administrator)
    confirm(f"added the account {name}")
    return 0


@on_site
def _password(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    warehouse.accounts.set_password(actor(), name, _password_of_stdin())
    confirm(f"set the password of {name}")
    return 0


@on_site
def _set_disabled(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    is_new = warehouse.accounts.set_disabled(actor(), name, disabled=arguments.disabled)
    state = "disabled" if arguments.disabled else "enabled"
    confirm(f"{state} the account {name}" if is_new else f"the account {name} is {state} already")
    return 0


@on_site
def _set(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    is_new = warehouse.accounts.set_administrator(actor(), name, administrator=arguments.administrator)
    kind = "an administrator" if arguments.administrator else "an ordinary account"
    confirm(f"{name} is now {kind}" if is_new else f"{name} is {kind} already")
    return 0


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    show(map(_row, warehouse.accounts.listed(actor())), _KEYS, as_json=arguments.json)
    return 0


def _row(account: Account) -> Row:
    return {
        "name": account.name,
        "administrator": account.administrator,
        "disabled": account.disabled,
        "has_password": account.password_hash is not None,
        "created_at": account.created_at,
    }


def _password_of_stdin() -> str:
    try:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        password.encode()  # in some locales Python lets other bytes pass, escaped
    except UnicodeError:
        raise Rejected("password: it is not text in UTF-8.", field="password") from None
    return password
