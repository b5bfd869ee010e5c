"""``warehouse14 token``: what pip, uv and twine sign in with."""

from argparse import ArgumentTypeError, Namespace

from warehouse14.cli.arguments import Commands, Parser, add_command, add_group, add_json, text, whole_number
from warehouse14.cli.output import Row, confirm, hand_over, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.credentials import parse_token
from warehouse14.domain.errors import WarehouseError
from warehouse14.domain.lasting import DEFAULT_DAYS, MOST_DAYS
from warehouse14.domain.model import Scope, Token, in_order
from warehouse14.domain.services.tokens import DEFAULT_OVERLAP_HOURS, MOST_OVERLAP_HOURS
from warehouse14.domain.warehouse import Warehouse

_KEYS = (
    *("id", "name", "scope", "project", "addresses", "created_at", "expires_at"),
    *("last_used_at", "last_used_from", "last_used_by", "revoked_at"),
)


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "token", "Manage the tokens that installers and publishers sign in with.")

    _add_mint(group)

    parser = add_command(group, "list", _list, "List the tokens of an account, ended ones too.")
    _add_owner(parser, "whose tokens")
    add_json(parser, *_KEYS)

    parser = add_command(group, "revoke", _revoke, "End a token.")
    parser.add_argument("token", metavar="ID", type=text, help="its id, as 'token list' shows it")

    parser = add_command(
        group, "rotate", _rotate, "Make a token that takes the place of another, and print it, this once."
    )
    parser.add_argument("token", metavar="ID", type=text, help="the other's id, as 'token list' shows it")
    parser.add_argument(
        "--overlap",
        metavar="HOURS",
        type=whole_number("hours", most=MOST_OVERLAP_HOURS),
        default=DEFAULT_OVERLAP_HOURS,
        help="how long the other still counts (default: %(default)s)",
    )


def _add_mint(group: Commands) -> None:
    parser = add_command(group, "mint", _mint, "Make a token and print it, this once and alone.")
    _add_owner(parser, "whose token it is")
    parser.add_argument(
        "--name",
        metavar="NAME",
        type=text,
        default="command line",
        help="what its owner calls it (default: %(default)s)",
    )
    parser.add_argument(
        "--scope",
        metavar="SCOPES",
        type=_scopes,
        default=Scope.READ.value,
        help=f"what it may do, with commas between: {', '.join(Scope)}; each includes read "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--project",
        metavar="NAME",
        type=text,
        help="its one project, or 'PREFIX*' for those whose names begin so (default: all)",
    )
    parser.add_argument(
        "--address",
        metavar="CIDR",
        type=text,
        action="append",
        default=[],
        help="a range of addresses that it may be used from, or several with commas between; "
        "may be given again (default: everywhere)",
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=whole_number("days", most=MOST_DAYS),
        default=DEFAULT_DAYS,
        help="how long it lasts, 0 for no end (default: %(default)s)",
    )


def _add_owner(parser: Parser, whose: str) -> None:
    owner = parser.add_mutually_exclusive_group(required=True)
    owner.add_argument("account", metavar="ACCOUNT", nargs="?", type=text, help=whose)
    owner.add_argument(
        "--service",
        metavar="project:NAME|group:NAME",
        type=text,
        help=f"{whose}: a project's or a group's, and no person's",
    )


def _scopes(raw: str) -> frozenset[Scope]:
    words = [word.strip() for word in raw.split(",")]
    if not set(words) <= set(Scope):
        raise ArgumentTypeError(f"{raw[:60]!a} is not a list of {', '.join(Scope)}, with commas between")
    return frozenset(map(Scope, words))


@on_site
def _mint(warehouse: Warehouse, arguments: Namespace) -> int:
    secret = warehouse.tokens.mint(
        actor(),
        name=arguments.name,
        account=arguments.account,
        service=arguments.service,
        scopes=arguments.scope,
        project=arguments.project,
        addresses=[part for given in arguments.address for part in given.split(",")],
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
    found = warehouse.tokens.listed(actor(), arguments.account, service=arguments.service)
    show(map(_row, found), _KEYS, as_json=arguments.json)
    return 0


@on_site
def _revoke(warehouse: Warehouse, arguments: Namespace) -> int:
    found = _id(arguments.token)
    is_new = warehouse.tokens.revoke(actor(), found)
    token = f"the token {found}"
    confirm(f"revoked {token}" if is_new else f"{token} is revoked already")
    return 0


@on_site
def _rotate(warehouse: Warehouse, arguments: Namespace) -> int:
    secret = warehouse.tokens.rotate(actor(), _id(arguments.token), overlap_hours=arguments.overlap)
    hand_over(secret.text, lambda: _taken_back(warehouse, secret.id))
    return 0


def _id(given: str) -> str:
    # Whoever has found a token pastes it whole.
    whole = parse_token(given)
    return given if whole is None else whole.id


def _row(token: Token) -> Row:
    return {
        "id": token.id,
        "name": token.name,
        "scope": ",".join(in_order(token.scopes)),
        "project": str(token.reach) or None,
        "addresses": ",".join(token.addresses) or None,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "last_used_from": token.last_used_from or None,
        "last_used_by": token.last_used_by or None,
        "revoked_at": token.revoked_at,
    }
