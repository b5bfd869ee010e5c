"""``warehouse14 check`` and ``collect``: are all bytes there, and which belong to nobody?"""

from argparse import Namespace
from datetime import timedelta

from warehouse14.cli.arguments import Commands, add_command, add_json, whole_number
from warehouse14.cli.output import confirm, escaped, json_line, note, say
from warehouse14.cli.progress import aside, progress
from warehouse14.cli.site import on_site
from warehouse14.domain.services.upkeep import DEFAULT_GRACE, Report
from warehouse14.domain.warehouse import Warehouse

#: About thirty years.
_MOST_SECONDS = 1_000_000_000
_LEFT = (
    "were left, of files that the database has never listed: of uploads that were cut off, which"
    " 'collect --never-listed' removes, or of all that came after the backup that it was restored from."
)
_MISSED = (
    "are damage: the file store took so long to remove them that files were published meanwhile which need"
    " them; 'check' names those."
)
_REMEDY = "Whoever publishes the same file again puts back what is damaged of it."


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(commands, "check", _check, "Compare every listed file with its stored bytes.")
    parser.add_argument("--digests", action="store_true", help="read every byte, not the sizes alone")
    add_json(parser, "finding", "damage", "key")

    parser = add_command(commands, "collect", _collect, "Remove stored bytes that belong to no listed file.")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and leave it")
    parser.add_argument(
        "--never-listed",
        action="store_true",
        help="remove whole files, too, that the database has never listed",
    )
    parser.add_argument(
        "--older-than",
        metavar="SECONDS",
        type=whole_number("seconds", most=_MOST_SECONDS),
        default=int(DEFAULT_GRACE.total_seconds()),
        help="leave what is younger, such as an upload in progress (default: %(default)s)",
    )
    add_json(parser, "key", "removed")


@on_site
def _check(warehouse: Warehouse, arguments: Namespace) -> int:
    tell = _tell_json if arguments.json else _tell
    checked = damaged = notes = 0
    items = warehouse.upkeep.check(digests=arguments.digests)
    for report in progress(items, unit="files", count=warehouse.upkeep.count):
        is_note = report is not None and not report.finding.is_damage
        notes += is_note
        checked += not is_note
        if report is not None:
            tell(report)
            damaged += not is_note
    if not arguments.json:
        say(f"{checked} files checked, {damaged} damaged, {notes} unreferenced blobs")
    if damaged:
        note(_REMEDY)
    return 1 if damaged else 0


def _tell(report: Report) -> None:
    kind = "damage" if report.finding.is_damage else "note"
    aside(say, f"{kind}: {report.finding}: {escaped(report.key)}")


def _tell_json(report: Report) -> None:
    row = {"finding": report.finding.value, "damage": report.finding.is_damage, "key": report.key}
    aside(say, json_line(row))


@on_site
def _collect(warehouse: Warehouse, arguments: Namespace) -> int:
    items = warehouse.upkeep.collect(
        older_than=timedelta(seconds=arguments.older_than),
        never_listed=arguments.never_listed,
        dry_run=arguments.dry_run,
    )
    removed = left = missed = 0
    try:
        for loose in progress(items, unit="blobs"):
            if arguments.json:
                goes = not (loose.is_left or arguments.dry_run)
                aside(say, json_line({"key": loose.key, "removed": goes}))
            else:
                aside(say, f"{'left: ' if loose.is_left else ''}{escaped(loose.key)}")
            left += loose.is_left
            removed += not loose.is_left
            missed += loose.is_missed
        if not arguments.json:
            confirm(f"{removed} blobs {'would be removed' if arguments.dry_run else 'removed'}")
        if left:
            note(f"{left} blobs {_LEFT}")
    finally:
        # Also where the rest failed.
        if missed:
            note(f"{missed} blobs {_MISSED} {_REMEDY}")
    return 1 if missed else 0
