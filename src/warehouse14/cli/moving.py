"""``warehouse14 copy``, ``backup``, ``restore`` and ``rebuild``: taking a site elsewhere, and back."""

import errno
import os
import signal
import tempfile
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from warehouse14.bootstrap import assemble, prepare_site
from warehouse14.cli.arguments import Commands, UsageError, add_command, text
from warehouse14.cli.output import complain, confirm, escaped, note, say
from warehouse14.cli.progress import aside, progress
from warehouse14.cli.site import named_site, on_site, site_file, staging_in
from warehouse14.domain.errors import Rejected
from warehouse14.domain.warehouse import Warehouse
from warehouse14.settings import PREFIX, section_of

if TYPE_CHECKING:
    from warehouse14.domain.moving.blobs import Carried
    from warehouse14.domain.services.moving import MoveService

_ENDS = (signal.SIGTERM, signal.SIGHUP)
#: What a folder says that cannot be synced: not every disk does it, and not everybody who writes may.
_NO_SYNC = {errno.EBADF, errno.EINVAL, errno.EACCES}
_METADATA = f"{PREFIX}metadata"
#: What names the place of a store that has no address.
_NAMES = ("table", "region", "endpoint_url")
_OVERRIDES = "WAREHOUSE14_"
_MEGABYTE = 1_000_000
_LOST = (
    "Only a backup knows the rest: yanks, roles of others, public projects, groups, accounts, tokens, names"
    " of deleted files, and the journal. Every project is private, with who published as its admins: make"
    " an administrator with 'warehouse14 init', then add their accounts with 'account add', under the same"
    " names."
)


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = add_command(
        commands,
        "copy",
        _copy,
        "Copy the whole site into the stores of another ini file; again: what is new.",
    )
    parser.add_argument(
        "--to",
        metavar="FILE[#SECTION]",
        type=text,
        required=True,
        help="the settings of the other site; its stores are empty, or hold an older copy",
    )

    parser = add_command(commands, "backup", _backup, "Write the whole site into one archive.")
    parser.add_argument("file", metavar="FILE", type=text, help="the archive, which is not there yet")

    parser = add_command(commands, "restore", _restore, "Put what an archive holds into the site's stores.")
    parser.add_argument("file", metavar="FILE", type=text, help="the archive, which 'backup' wrote")

    add_command(
        commands, "rebuild", _rebuild, "List the files of the file store anew, after the database was lost."
    )


@contextmanager
def _prepared(settings: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[Warehouse]:
    """Return a site whose stores may be new."""
    warehouse, site, _ = assemble(settings, environment)
    with closing(warehouse), staging_in(site):
        prepare_site(site)
        warehouse.prepare()
        yield warehouse


def _moving(warehouse: Warehouse) -> "MoveService":
    # A server has no use for it, and would take longer to start.
    from warehouse14.domain.services.moving import MoveService

    return MoveService(warehouse.units, warehouse.store, warehouse.now)


@on_site
def _copy(warehouse: Warehouse, arguments: Namespace) -> int:
    here, there = site_file(arguments).settings(), named_site(arguments.to).settings()
    # What the environment says in the place of a file is said of the site that is copied.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OVERRIDES)}
    if _place(here, os.environ) == _place(there, environment):
        raise UsageError(f"{arguments.to} has the same {_METADATA} as the site that is copied")
    moving = _moving(warehouse)
    with _prepared(there, environment) as other:
        carried = moving.copy_to(other.units, other.store)
        count = partial(moving.count_for, other.units)
        return _told(progress(carried, unit="files", count=count), "copied")


@on_site
def _backup(warehouse: Warehouse, arguments: Namespace) -> int:
    moving = _moving(warehouse)
    with _new_file(arguments.file) as file:
        status = _told(progress(moving.backup(file), unit="files", count=moving.count), "written")
        size = file.tell()
    confirm(
        f"{arguments.file}: {size / _MEGABYTE:.1f} MB. It holds hashes of passwords and tokens: keep it safe."
    )
    return status


def _restore(arguments: Namespace) -> int:
    # First, so that no site is made for an archive that is not there.
    with (
        open(arguments.file, "rb") as file,
        _prepared(site_file(arguments).settings(), os.environ) as warehouse,
    ):
        try:
            return _told(progress(_moving(warehouse).restore(file), unit="files"), "restored")
        except Rejected as error:
            raise Rejected(f"{arguments.file}: {error}", field="archive") from error


def _rebuild(arguments: Namespace) -> int:
    with _prepared(site_file(arguments).settings(), os.environ) as warehouse:
        return _rebuilt(warehouse)


def _rebuilt(warehouse: Warehouse) -> int:
    """List the files again, and say what became of them."""
    from warehouse14.domain.moving.sidecars import Lost
    from warehouse14.domain.services.rebuilding import RebuildService

    projects = lost = 0
    for each in progress(RebuildService(warehouse.units, warehouse.store).rebuild(), unit="projects"):
        if isinstance(each, Lost):
            lost += 1
            aside(say, f"lost: {escaped(each.key)}: {escaped(each.reason)}")
        else:
            projects += 1
            if not each.grants:
                aside(say, f"note: nobody is left to administer {each.name}")
    say(f"{projects} projects listed again, {lost} files lost")
    if not projects:
        complain("nothing in the file store can be listed: look whether the settings name the right one")
        return 1
    note(_LOST)
    return 1 if lost else 0


def _told(carried: "Iterable[Carried]", done: str) -> int:
    """Follow what is carried, and say what was damaged."""
    new = there = damaged = 0
    for one in carried:
        damaged += bool(one.damage)
        new += one.is_new
        there += not one.is_new and not one.damage
        for report in one.damage:
            aside(say, f"damage: {report.finding}: {escaped(report.key)}")
    say(f"{new} files {done}, {there} there already, {damaged} damaged")
    return 1 if damaged else 0


def _place(settings: Mapping[str, str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what names the place of a site's metadata, however the settings spell it: a file's own path,
    or a server, a port if there is one, and a database, whoever signs in there; or a table.

    Two names of one server are not known to be one; then the look before each batch is what is left.
    """
    section = section_of(settings, environment)
    metadata = section.below("metadata")
    adapter, url = section.text("metadata", ""), metadata.text("url", "")
    scheme, separator, path = url.partition(":///")
    if scheme == "sqlite" and separator:
        return adapter, scheme, os.path.realpath(path)
    parts = urlsplit(url)
    address = parts.scheme, parts.netloc.rpartition("@")[2].lower(), parts.path, parts.query
    return adapter, *address, *(metadata.text(name, "") for name in _NAMES)


@contextmanager
def _new_file(path: str) -> Iterator[BinaryIO]:
    """Return a file that gets its name when it is whole, for its owner alone."""
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already")
    folder, name = os.path.split(os.path.abspath(path))
    with _ended_as_by_hand():
        number, part = tempfile.mkstemp(prefix=f"{name}.", suffix=".part", dir=folder)
        try:
            with open(number, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _name(part, path)
            _sync_folder(folder)
        finally:
            with suppress(FileNotFoundError):
                os.remove(part)


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """Let SIGTERM, and a terminal that is closed, end this process as Ctrl-C does: what is half written is
    removed."""
    before = {number: signal.getsignal(number) for number in _ENDS}
    for number, handler in before.items():
        # Whoever is to go on after the terminal ignores that it is closed.
        if handler is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _name(part: str, path: str) -> None:
    """Give a file its name, over nothing that came meanwhile. Raises ``FileExistsError``."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # Not every disk that backups are taken to knows links.
        os.rename(part, path)


def _sync_folder(folder: str) -> None:
    """Make the names in a folder last, where that can be done."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
