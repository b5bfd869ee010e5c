"""``warehouse14 incoming``: take in the files that others have put into the store."""

from argparse import Namespace
from collections import Counter

from warehouse14.cli.arguments import Commands, add_command
from warehouse14.cli.output import escaped, note, one_line, say
from warehouse14.cli.progress import aside, progress
from warehouse14.cli.site import on_site
from warehouse14.domain.services.incoming import Outcome, Taken
from warehouse14.domain.warehouse import Warehouse

_DONE = frozenset({Outcome.PUBLISHED, Outcome.THERE})


def add_commands(commands: Commands) -> None:
    """Add the command of this module."""
    add_command(
        commands,
        "incoming",
        _incoming,
        "Take in every wheel and sdist that was put into the bucket below warehouse14.files.incoming.",
    )


@on_site
def _incoming(warehouse: Warehouse, _: Namespace) -> int:
    outcomes: Counter[Outcome] = Counter()
    for taken in progress(warehouse.incoming.take_all(), unit="files"):
        outcomes[taken.outcome] += 1
        _tell(taken)
    return 0 if outcomes.keys() <= _DONE else 1


def _tell(taken: Taken) -> None:
    if taken.outcome in _DONE:
        aside(say, f"{escaped(taken.key)}: {taken.outcome}")
    else:
        aside(note, one_line(f"{taken.key}: {taken.reason}"))
