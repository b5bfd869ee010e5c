"""``warehouse14 import``: publish what lies in a folder, or take over a site of another program."""

import os
from argparse import ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from warehouse14.cli import oldsites
from warehouse14.cli.arguments import Commands, UsageError, add_command, folder, text
from warehouse14.cli.outcomes import Outcome
from warehouse14.cli.output import confirm, note, one_line
from warehouse14.cli.progress import aside, progress
from warehouse14.cli.site import ORIGIN, on_site
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Unavailable, WarehouseError
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Warehouse

_EXTENSIONS = (".whl", ".tar.gz", ".zip")
_CHUNK = 1024 * 1024
#: What is known to come of a file, in the order in which it is counted up.
_OUTCOMES = (Outcome.PUBLISHED, Outcome.THERE, Outcome.REFUSED)


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(
        commands,
        "import",
        _import,
        "Publish every wheel and sdist in a folder and the folders below it, or take over a site of another "
        "program.",
    )
    parser.usage = (
        "warehouse14 import DIR --account NAME\n"
        "       warehouse14 import --from elasticpypi BUCKET --account NAME [OPTION...]\n"
        "       warehouse14 import --from warehouse14 TABLE BUCKET --account NAME [OPTION...]"
    )
    parser.add_argument(
        "places",
        metavar="PLACE",
        type=text,
        nargs="+",
        help="the folder; with --from the bucket, or the table and the bucket",
    )
    parser.add_argument(
        "--account",
        metavar="NAME",
        type=text,
        required=True,
        help="the account that publishes, with the rights that it has at this site; it owns the projects "
        "that this creates. With --from: the account that files count as uploaded by",
    )
    oldsites.add_options(parser)


def _import(arguments: Namespace) -> int:
    oldsites.check(arguments)
    return oldsites.take_over(arguments) if arguments.source else _import_folder(arguments)


@on_site
def _import_folder(warehouse: Warehouse, arguments: Namespace) -> int:
    identity = replace(warehouse.account(arguments.account), origin=ORIGIN)
    root = _folder(arguments.places)
    paths = _distributions(root)
    outcomes = Counter(
        _publish(warehouse, identity, root, path)
        for path in progress(paths, unit="files", count=lambda: len(paths))
    )
    confirm(", ".join(f"{outcomes[outcome]} {outcome}" for outcome in _OUTCOMES))
    return 1 if outcomes[Outcome.REFUSED] else 0


def _folder(places: Sequence[str]) -> str:
    """Return the one folder among ``places``. Raises ``UsageError``."""
    if len(places) > 1:
        raise UsageError("say one folder, or with --from which program's site it is")
    try:
        return folder(places[0])
    except ArgumentTypeError as error:
        raise UsageError(str(error)) from None


def _distributions(root: str) -> list[str]:
    """Return the files below ``root`` that may be wheels or sdists, relative to it, in order."""
    return sorted(
        os.path.relpath(os.path.join(parent, name), root)
        for parent, _, names in os.walk(root, onerror=_raise)
        for name in names
        if name.lower().endswith(_EXTENSIONS) and _can_be_read(os.path.join(parent, name))
    )


def _can_be_read(path: str) -> bool:
    """Whether to try: a pipe would never end, a link to nothing is refused by name."""
    return os.path.isfile(path) or not os.path.exists(path)


def _publish(warehouse: Warehouse, identity: Identity, root: str, path: str) -> Outcome:
    """Publish one file. Raises ``Unavailable``; every other refusal is printed, and the next file comes."""
    try:
        # Wheels of old build tools are spelled otherwise than the standard says today.
        form = form_of(os.path.basename(path), strict=False)
        published = warehouse.uploads.publish(identity, form, _chunks(os.path.join(root, path)))
    except Unavailable:
        raise
    except WarehouseError as error:
        return _refused(path, str(error))
    except OSError as error:
        return _refused(path, error.strerror or str(error))
    return Outcome.PUBLISHED if published.is_new else Outcome.THERE


def _refused(path: str, reason: str) -> Outcome:
    aside(note, one_line(f"{path}: {reason}"))
    return Outcome.REFUSED


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _raise(error: OSError) -> None:
    raise error
