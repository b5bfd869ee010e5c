"""A sdist's contents: one folder, PKG-INFO in it, and nothing that leads out of it (PEP 517, PEP 721)."""

from typing import BinaryIO, Final

from warehouse14.domain.archives.bounds import MAX_METADATA, gathered
from warehouse14.domain.archives.filenames import ZIP, ClaimedName, split_version
from warehouse14.domain.archives.paths import folded, path_fault
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.archives.tarstream import Kind, TarMember, TarStream
from warehouse14.domain.archives.zipdirectory import member_refusal
from warehouse14.domain.archives.zipframing import ZipArchive

_PKG_INFO: Final = "PKG-INFO"


def read_sdist(stream: BinaryIO, filename: str) -> tuple[str, bytes]:
    """Return the name and the exact bytes of the sdist's PKG-INFO.

    The archive is unpacked once, in bounded memory, and never to a disk.

    Raises ``Rejected`` if it is damaged, has not exactly one top folder with a
    PKG-INFO, or has a member that an installer must not unpack.
    """
    tree = _Tree(filename)
    found = _from_zip(stream, tree) if filename.endswith(ZIP) else _from_tar(stream, tree)
    if found is None:
        raise refusal(filename, f"it has no {_PKG_INFO} in its top folder, which every sdist must have.")
    return f"{tree.top}/{_PKG_INFO}", found


def check_top_folder(pkg_info: str, claimed: ClaimedName, filename: str) -> None:
    """Raise ``Rejected`` unless the folder of the member ``pkg_info`` is named after project and version.

    They are compared as in a file name, so the spellings of old tools fit (``PyYAML-3.13``).
    """
    top = pkg_info.partition("/")[0]
    if split_version(top, claimed.project) != claimed.version:
        raise refusal(
            filename,
            f"its top folder {shown(top)} must be named after {claimed.project} and {claimed.version}, "
            "as the file is.",
        )


class _Tree:
    """What is known of the members so far."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.top: str | None = None
        self._folders: set[str] = set()
        self._others: set[str] = set()
        self._symlinks: set[str] = set()

    def add(self, path: str, kind: Kind) -> None:
        """Take in one member, or raise ``Rejected`` if it may not stand beside the others."""
        top, slash, _ = path.partition("/")
        self.top = self.top or top
        if top != self.top or not (slash or kind is Kind.FOLDER):
            raise member_refusal(
                self.filename,
                path,
                f"is outside of the folder {shown(self.top)}; a sdist has one folder at its top",
            )
        if path in self._others or (path in self._folders and kind is not Kind.FOLDER):
            raise member_refusal(self.filename, path, "is there more than once")
        if self._symlinks and self._passes_symlink(folded(path)):
            raise member_refusal(self.filename, path, "would be unpacked through a symbolic link")
        (self._folders if kind is Kind.FOLDER else self._others).add(path)
        if kind is Kind.SYMLINK:
            # Folded, because a file system may know them in another case.
            self._symlinks.add(folded(path))

    def is_pkg_info(self, path: str) -> bool:
        """Whether this is the metadata of the sdist itself, not of something that it carries."""
        return path == f"{self.top}/{_PKG_INFO}"

    def _passes_symlink(self, path: str) -> bool:
        at = path.find("/")
        while at >= 0:
            if path[:at] in self._symlinks:
                return True
            at = path.find("/", at + 1)
        return False


def _from_zip(stream: BinaryIO, tree: _Tree) -> bytes | None:
    archive = ZipArchive(stream, tree.filename)
    found = None
    for member in archive.members:
        tree.add(member.name.removesuffix("/"), Kind.FOLDER if member.is_directory else Kind.FILE)
        pieces = archive.chunks(member)
        if tree.is_pkg_info(member.name):
            found = gathered(pieces, MAX_METADATA, filename=tree.filename, member=member.name)
        else:
            for _ in pieces:
                pass
    return found


def _from_tar(stream: BinaryIO, tree: _Tree) -> bytes | None:
    archive = TarStream(stream, tree.filename)
    found = None
    for member in archive:
        path = _checked_path(member, tree.filename)
        if not path and member.kind is Kind.FOLDER:
            continue
        tree.add(path, member.kind)
        if member.kind is Kind.SYMLINK or member.kind is Kind.HARDLINK:
            _check_link(member, path, tree.filename)
        if tree.is_pkg_info(path) and member.kind is Kind.FILE:
            found = gathered(
                archive.contents(member), MAX_METADATA, filename=tree.filename, member=member.name
            )
    return found


def _checked_path(member: TarMember, filename: str) -> str:
    """Return the member's path without the ``.`` and empty parts that ``tar`` may write."""
    fault = path_fault(member.name)
    if fault is None and member.kind is Kind.FILE and member.name.endswith("/"):
        fault = "is a file with a folder's name"
    if fault:
        raise member_refusal(filename, member.name, fault)
    return "/".join(_parts(member.name))


def _check_link(member: TarMember, path: str, filename: str) -> None:
    """Raise ``Rejected`` if the link leads out of the top folder, however its target is resolved."""
    fault = path_fault(member.target.replace("..", "__"))
    parts = [] if fault else _parts(member.target)
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    if member.kind is Kind.HARDLINK:
        stays = climbs == 0 and parts[:1] == [path.partition("/")[0]]
    else:
        stays = climbs < path.count("/")
    if fault or not stays or ".." in parts[climbs:]:
        raise member_refusal(
            filename,
            member.name,
            f"is a {member.kind.value} to {shown(member.target)}; links stay in the top folder",
        )


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]
