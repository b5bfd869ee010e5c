"""All commands, as one parser."""

from warehouse14.cli import (
    accounts,
    files,
    groups,
    imports,
    incoming,
    init,
    journal,
    moving,
    projects,
    serve,
    sessions,
    tokens,
    upkeep,
    upload,
)
from warehouse14.cli.arguments import Parser

_EPILOG = "Exit status: 0 done; 1 refused, failed, or damage found; 2 wrong usage or configuration."


def build_parser() -> Parser:
    """Return the parser; its result has ``run``, which takes it."""
    parser = Parser(
        prog="warehouse14",
        description="Set up, serve and look after a private Python package index.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--ini",
        metavar="FILE[#SECTION]",
        help="the site's settings, the section [app:main] unless SECTION names another "
        "(default: what the environment variable WAREHOUSE14_INI says)",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (
        *(init, serve, accounts, groups, sessions, tokens),
        *(projects, files, upload, imports, incoming, journal, upkeep, moving),
    ):
        module.add_commands(commands)
    return parser
