"""``warehouse14 session``: browsers that are signed in."""

from argparse import Namespace

from warehouse14.cli.arguments import Commands, add_command, add_group, text
from warehouse14.cli.output import confirm
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.names import account_name
from warehouse14.domain.warehouse import Warehouse


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "session", "Manage browsers that are signed in.")
    parser = add_command(group, "end", _end, "Sign an account out in all browsers.")
    parser.add_argument("account", metavar="ACCOUNT", type=text, help="the account's name")


@on_site
def _end(warehouse: Warehouse, arguments: Namespace) -> int:
    name = account_name(arguments.account)
    count = warehouse.sessions.end_all(actor(), name)
    ended = f"ended {count} session{'' if count == 1 else 's'} of {name}"
    confirm(ended if count else f"{name} has no session to end")
    return 0
