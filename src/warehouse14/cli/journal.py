"""``warehouse14 journal``: what happened."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from warehouse14.cli.arguments import Commands, add_command, text
from warehouse14.cli.output import escaped, show_lines
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.journal import FAMILIES, sought_of
from warehouse14.domain.journallines import csv_lines, iso, json_lines
from warehouse14.domain.model import Change
from warehouse14.domain.names import group_name, project_name
from warehouse14.domain.sentences import sentence
from warehouse14.domain.warehouse import Warehouse


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(commands, "journal", _journal, "Show what happened, the newest first.")
    parser.add_argument("--project", metavar="NAME", type=text, help="to this project, also if it is deleted")
    parser.add_argument("--group", metavar="NAME", type=text, help="to this group, also if it is deleted")
    parser.add_argument("--actor", metavar="NAME", type=text, default="", help="by this account, or operator")
    parser.add_argument("--token", metavar="ID", type=text, default="", help="with this token, or to it")
    parser.add_argument(
        "--action",
        metavar="ACTION",
        type=text,
        default="",
        help=f"an action such as file.upload, or all of a kind: {' '.join(FAMILIES)}",
    )
    parser.add_argument("--since", metavar="DATE", type=text, default="", help="on this day (UTC) or later")
    parser.add_argument("--until", metavar="DATE", type=text, default="", help="on this day (UTC) or earlier")
    parser.add_argument(
        "--format",
        choices=list(_FORMATS),
        default="text",
        help="text for people, csv for spreadsheets, jsonl (JSON Lines) for programs (default: text)",
    )


@on_site
def _journal(warehouse: Warehouse, arguments: Namespace) -> int:
    sought = sought_of(
        who=arguments.actor,
        what=arguments.action,
        since=arguments.since,
        until=arguments.until,
        token=arguments.token,
    )
    if arguments.project is not None:
        sought = replace(sought, project=project_name(arguments.project))
    if arguments.group is not None:
        sought = replace(sought, group=group_name(arguments.group))
    show_lines(_FORMATS[arguments.format](warehouse.journal.of_site(actor(), sought).all()))
    return 0


def _text_lines(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        token = f", token {change.by_token}" if change.by_token else ""
        origin = f" ({change.origin}{token})" if change.origin or token else ""
        yield escaped(f"{iso(change.at)[:19]}Z  {sentence(change)}{origin}")


_FORMATS: Mapping[str, Callable[[Iterable[Change]], Iterator[str]]] = {
    "text": _text_lines,
    "csv": csv_lines,
    "jsonl": json_lines,
}
