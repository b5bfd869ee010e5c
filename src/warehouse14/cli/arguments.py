"""Arguments: a parser that complains in one line, and the types that need a check."""

import argparse
import os
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from warehouse14.cli.output import complain, finish, say

#: What a command does with its arguments. Returns the exit status.
Run: TypeAlias = Callable[[argparse.Namespace], int]
#: Where commands are added.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - it has no public name

_ADDRESS = re.compile(r"([A-Za-z0-9._*-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_LAST_PORT = 65_535
#: How much of a wrong number is shown.
_SHOWN = 60


class UsageError(Exception):
    """The command was called in a wrong way. One line that says what to write instead."""


class Parser(argparse.ArgumentParser):
    """Takes options by their full names only, so that scripts keep their meaning."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """End with status 2 and one line."""
        complain(f"{message} (see '{self.prog} --help')")
        raise SystemExit(2)

    def print_help(self, file: Any = None) -> None:  # noqa: ARG002 - it has one place
        """Print the help as any other result."""
        say(self.format_help().removesuffix("\n"))
        finish()


def add_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a group of commands and return where to add them."""
    group = commands.add_parser(name, help=summary, description=summary)
    return group.add_subparsers(metavar="COMMAND", required=True)


def add_command(commands: Commands, name: str, run: Run, summary: str) -> Parser:
    """Add a command and return its parser."""
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(run=run)
    return parser


def add_json(parser: Parser, *keys: str) -> None:
    """Add ``--json``, whose help names the ``keys`` of each line."""
    parser.add_argument(
        "--json", action="store_true", help=f"print JSON Lines: objects with the keys {', '.join(keys)}"
    )


def add_confirmation(parser: Parser, what: str) -> None:
    """Add ``--yes`` to a command that cannot be undone; without it nothing is done."""
    parser.add_argument("--yes", action="store_true", help="yes, this is meant; without it nothing is done")
    run: Run = parser.get_default("run")

    def run_if_confirmed(arguments: argparse.Namespace) -> int:
        if not arguments.yes:
            raise UsageError(f"{what} cannot be undone: add --yes to do it")
        return run(arguments)

    parser.set_defaults(run=run_if_confirmed)


def text(raw: str) -> str:
    """Return ``raw`` if it is text, and not bytes in some other encoding than the terminal's."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{raw!a} is not UTF-8") from None
    return raw


def folder(raw: str) -> str:
    """Return the path of a folder that is there."""
    if not os.path.isdir(raw):
        raise argparse.ArgumentTypeError(f"{raw!a} is not a folder")
    return raw


def whole_number(unit: str, *, most: int) -> Callable[[str], int]:
    """Return what reads a number of ``unit`` from 0 to ``most``."""

    def read(raw: str) -> int:
        if not _NUMBER.fullmatch(raw) or int(raw) > most:
            raise argparse.ArgumentTypeError(f"{raw[:_SHOWN]!a} is not a number of {unit} from 0 to {most}")
        return int(raw)

    return read


def address(raw: str) -> str:
    """Return ``HOST:PORT``; an IPv6 host stands in brackets."""
    match = _ADDRESS.fullmatch(raw)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{raw!a} is not HOST:PORT, such as 127.0.0.1:6543")
    return raw
