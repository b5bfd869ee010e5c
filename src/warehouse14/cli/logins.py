"""``warehouse14 account logins``, ``join`` and ``part``: who an account is at identity providers."""

from argparse import Namespace

from warehouse14.bootstrap import SignIns
from warehouse14.cli.arguments import Commands, Parser, Run, add_command, add_json, text
from warehouse14.cli.output import confirm, show
from warehouse14.cli.site import actor, on_site, opened_site
from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import ProviderName, account_name, provider_name
from warehouse14.domain.warehouse import Warehouse

_KEYS = ("provider", "issuer", "subject", "created_at")


def add_commands(accounts: Commands) -> None:
    """Add the commands of this module to those on accounts."""
    parser = _add_named(
        accounts, "join", _join, "Let somebody at an identity provider sign in to an account."
    )
    parser.add_argument(
        "--provider", type=text, required=True, help="what the site calls the provider, such as corp"
    )
    parser.add_argument(
        "--issuer", type=text, help="the provider, as its tokens name it; the provider itself is asked for it"
    )
    _add_subject(parser)
    parser = _add_named(accounts, "part", _part, "Let them sign in to it no more.")
    parser.add_argument("--issuer", type=text, required=True, help="the provider, as its tokens name it")
    _add_subject(parser)
    add_json(_add_named(accounts, "logins", _list, "List who may sign in to an account."), *_KEYS)


def _add_named(accounts: Commands, name: str, run: Run, summary: str) -> Parser:
    parser = add_command(accounts, name, run, summary)
    parser.add_argument("account", metavar="NAME", type=text, help="the account's name")
    return parser


def _add_subject(parser: Parser) -> None:
    parser.add_argument("--subject", type=text, required=True, help="who that is there")


def _join(arguments: Namespace) -> int:
    name, provider = account_name(arguments.account), provider_name(arguments.provider)
    with opened_site(arguments) as (warehouse, _, sign_ins):
        issuer = _issuer(sign_ins, provider, arguments.issuer)
        is_new = warehouse.arrivals.join_known(
            actor(), name, provider=provider, issuer=issuer, subject=arguments.subject
        )
    done = "now signs in" if is_new else "signs in already"
    confirm(f"{arguments.subject} of {issuer} {done} to the account {name}")
    return 0


def _issuer(sign_ins: SignIns, name: ProviderName, given: str | None) -> str:
    """Return what a provider of the site calls itself. Raises ``Rejected`` unless that is ``given``, if
    anything is: tokens are compared to the letter, and nobody of another issuer ever gets in."""
    if name not in sign_ins.providers:
        known = ", ".join(sign_ins.providers) or "none"
        raise Rejected(f"provider: this site has no {name}. Its settings name {known}.", field="provider")
    provider = sign_ins.providers[name]
    issuer = provider.issuer()
    if given not in {None, issuer}:
        raise Rejected(
            f"issuer: {provider.title} calls itself {issuer!r}, and not {given!r:.300}. Leave --issuer out.",
            field="issuer",
        )
    return issuer


@on_site
def _part(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    warehouse.arrivals.part(actor(), arguments.issuer, arguments.subject, account=name)
    confirm(f"{arguments.subject} of {arguments.issuer} signs in to the account {name} no more")
    return 0


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    logins = warehouse.arrivals.joined(actor(), arguments.account)
    rows = ({key: getattr(login, key) for key in _KEYS} for login in logins)
    show(rows, _KEYS, as_json=arguments.json)
    return 0
