"""``warehouse14 file``: the files of a project."""

from argparse import Namespace

from warehouse14.cli.arguments import (
    Commands,
    Parser,
    Run,
    add_command,
    add_confirmation,
    add_group,
    add_json,
    text,
)
from warehouse14.cli.output import Row, confirm, escaped, show
from warehouse14.cli.site import actor, on_site
from warehouse14.domain.model import File
from warehouse14.domain.warehouse import Warehouse

_KEYS = (
    "filename",
    "version",
    "filetype",
    "size",
    "sha256",
    "requires_python",
    "uploaded_at",
    "uploaded_by",
    "yanked",
    "yank_reason",
)
_COLUMNS = ("filename", "size", "uploaded_at", "uploaded_by", "yanked", "yank_reason")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    group = add_group(commands, "file", "Look at the files of a project, yank and delete them.")

    parser = add_command(group, "list", _list, "List the files of a project.")
    parser.add_argument("project", metavar="PROJECT", type=text, help="the project's name")
    add_json(parser, *_KEYS)

    parser = _add_named(group, "yank", _yank, "Let installers pass over a file unless it is pinned.")
    parser.add_argument("--reason", metavar="TEXT", type=text, default="", help="what they then say about it")
    _add_named(group, "unyank", _unyank, "Take the yank of a file back.")

    parser = _add_named(group, "delete", _delete, "Delete a file; its name stays taken.")
    add_confirmation(parser, "deleting a file")


def _add_named(group: Commands, name: str, run: Run, summary: str) -> Parser:
    parser = add_command(group, name, run, summary)
    parser.add_argument("project", metavar="PROJECT", type=text, help="the project's name")
    parser.add_argument("file", metavar="FILE", type=text, help="the file's name")
    return parser


@on_site
def _list(warehouse: Warehouse, arguments: Namespace) -> int:
    found = warehouse.projects.files(actor(), arguments.project)
    show(map(_row, found), _COLUMNS, as_json=arguments.json)
    return 0


@on_site
def _yank(warehouse: Warehouse, arguments: Namespace) -> int:
    is_new = warehouse.files.yank(actor(), arguments.project, arguments.file, reason=arguments.reason)
    file = escaped(arguments.file)
    confirm(f"yanked {file}" if is_new else f"{file} is yanked already")
    return 0


@on_site
def _unyank(warehouse: Warehouse, arguments: Namespace) -> int:
    is_new = warehouse.files.unyank(actor(), arguments.project, arguments.file)
    file = escaped(arguments.file)
    confirm(f"took the yank of {file} back" if is_new else f"{file} is not yanked")
    return 0


@on_site
def _delete(warehouse: Warehouse, arguments: Namespace) -> int:
    warehouse.files.delete(actor(), arguments.project, arguments.file)
    confirm(f"deleted {escaped(arguments.file)}")
    return 0


def _row(file: File) -> Row:
    return {
        "filename": file.filename,
        "version": file.version,
        "filetype": file.filetype.value,
        "size": file.size,
        "sha256": file.sha256,
        "requires_python": file.requires_python,
        "uploaded_at": file.uploaded_at,
        "uploaded_by": file.uploaded_by,
        "yanked": file.yank is not None,
        "yank_reason": None if file.yank is None else file.yank.reason,
    }
