"""``warehouse14 token``: what pip, uv and twine sign in with."""

from argparse import Namespace

from warehouse14.cli.arguments import Commands, add_command, add_group, add_json, text, whole_number
from warehouse14.cli.output import Row, confirm, hand_over, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.credentials import parse_token
from warehouse14.domain.errors import WarehouseError
from warehouse14.domain.model import Scope, Token
from warehouse14.domain.services.tokens import DEFAULT_DAYS, MOST_DAYS
from warehouse14.domain.warehouse import Warehouse

_KEYS = ("id", "name", "scope", "project", "created_at", "expires_at", "last_used_at", "revoked_at")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "token", "Manage the tokens that installers and publishers sign in with.")

    parser = add_command(group, "mint", _mint, "Make a token and print it, this once and alone.")
    parser.add_argument("account", metavar="ACCOUNT", type=text, help="whose token it is")
    parser.add_argument("--name", metavar="NAME", type=text, required=True, help="what its owner calls it")
    parser.add_argument(
        "--scope",
        choices=[scope.value for scope in Scope],
        default=Scope.READ.value,
        help="what it may do; upload includes read (default: %(default)s)",
    )
    parser.add_argument("--project", metavar="NAME", type=text, help="its one project (default: all)")
    parser.add_argument(
        "--days",
        metavar="N",
        type=whole_number("days", most=MOST_DAYS),
        default=DEFAULT_DAYS,
        help="how long it lasts, 0 for no end (default: %(default)s)",
    )

    parser = add_command(group, "list", _list, "List an account's tokens, ended ones too.")
    parser.add_argument("account", metavar="ACCOUNT", type=text, help="whose tokens")
    add_json(parser, *_KEYS)

    parser = add_command(group, "revoke", _revoke, "End a token.")
    parser.add_argument("token", metavar="ID", type=text, help="its id, as 'token list' shows it")


@on_site
def _mint(warehouse: Warehouse, arguments: Namespace) -> int:
    secret = warehouse.tokens.mint(
        actor(),
        name=arguments.name,
        account=arguments.account,
        scope=Scope(arguments.scope),
        project=arguments.project,
        days=arguments.days,
    )
    hand_over(secret.text, lambda: _taken_back(warehouse, secret.id))
    return 0


def _taken_back(warehouse: Warehouse, token: str) -> str:
    """End the token, and return what is to be said of it."""
    try:
        warehouse.tokens.revoke(actor(), token)
    except WarehouseError as error:
        return f"nobody has seen the token and it could not be revoked: run 'token revoke {token}' ({error})"
    return "nobody has seen the token, so it is revoked"


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    found = warehouse.tokens.listed(actor(), arguments.account)
    show(map(_row, found), _KEYS, as_json=arguments.json)
    return 0


@on_site
def _revoke(warehouse: Warehouse, arguments: Namespace) -> int:
    # Whoever has found a token pastes it whole.
    whole = parse_token(arguments.token)
    found = arguments.token if whole is None else whole.id
    is_new = warehouse.tokens.revoke(actor(), found)
    token = f"the token {found}"
    confirm(f"revoked {token}" if is_new else f"{token} is revoked already")
    return 0


def _row(token: Token) -> Row:
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope.value,
        "project": token.project,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }
