"""Blobs as files: ``root/blobs/<key>``, and ``root/staging`` for those on their way in.

A blob is written without a name, synced, and linked into place. So it is seen
whole or not at all, a killed process leaves nothing behind, and a power cut
after the commit loses nothing. One that is there already is replaced by a
rename: whoever reads it goes on reading the old one.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from warehouse14.domain.blobkeys import is_key, keeps_its_bytes, names_in
from warehouse14.domain.errors import Misconfigured, NotFound, Unavailable
from warehouse14.domain.ports import Blob, Elsewhere, FileStore, Staged
from warehouse14.settings import Section, SettingError

_FILE_MODE = 0o640
_FOLDER_MODE = 0o750
_STAGING_MODE = 0o700
_INTERNAL = re.compile(r"/([A-Za-z0-9_.-]+/)+", re.ASCII)

#: How often a commit makes folders that deletions take away at the same time.
_ATTEMPTS = 100

#: What the system says where no blob can be: nothing there, below another blob, a folder of blobs.
_NO_BLOB = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def file_store(section: Section) -> FileStore:
    """Return the file store below the folder ``root``.

    ``internal_redirect`` is the path below which the server in front sends the files of ``root/blobs``, such
    as ``/_files/``, by the header ``X-Accel-Redirect`` of nginx; by default this program sends them.
    """
    internal = section.text("internal_redirect", "")
    if internal and not _INTERNAL.fullmatch(internal):
        raise SettingError(
            f"warehouse14.files.internal_redirect = {internal!r} is not a path such as /_files/"
        )
    return FilesystemStore(section.path("root"), internal_redirect=internal or None)


class FilesystemStore:
    """Blobs below the folder ``root``. Several processes may use one folder."""

    def __init__(self, root: str, *, internal_redirect: str | None = None) -> None:
        self._root = root
        self._internal = internal_redirect
        self._blobs = os.path.join(root, "blobs")
        self._staging = os.path.join(root, "staging")
        self._nameless: bool | None = None
        self._lasting: set[str] = set()

    @contextmanager
    def stage(self) -> Iterator[Staged]:
        """Return a place to write to."""
        staged = self.new_staged()
        try:
            yield staged
        finally:
            staged.end()

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob."""
        self._path(key)
        with self.stage() as staged:
            staged.write(data)
            staged.commit(key)

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob as a file of the system, positioned at ``start``."""
        path = self._path(key)
        with _answering("give"):
            try:
                blob = open(path, "rb", opener=_open_without_links)  # noqa: SIM115 - the caller closes it
            except _NO_BLOB:
                _check_folder(self._blobs)
                raise NotFound("blob", key) from None
            if start:
                blob.seek(start)
            return blob

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``."""
        path = self._path(key)
        with _answering("give"):
            try:
                return _blob(key, os.lstat(path))
            except _NO_BLOB:
                _check_folder(self._blobs)
                return None

    def delete(self, key: str) -> None:
        """Remove ``key``, and the folders that it leaves empty but for the outermost."""
        path = self._path(key)
        with _answering("remove"):
            try:
                os.unlink(path)
            except _NO_BLOB:
                _check_folder(self._blobs)
                return
        with suppress(OSError):  # the first folder that is not empty, or gone already
            for folder in self._folders(key)[:-1]:
                os.rmdir(folder)

    def keys(self) -> Iterator[Blob]:
        """Return every blob; what comes or goes meanwhile may be among them or not. What has a name that no
        key has was put there by others."""
        with _answering("list"):
            _check_folder(self._blobs)
        prefixes = [""]
        while prefixes:
            prefix = prefixes.pop()
            for name, found in _entries(os.path.join(self._blobs, prefix)):
                if not is_key(name):
                    continue
                blob = _blob(prefix + name, found)
                if blob is not None:
                    yield blob
                elif stat.S_ISDIR(found.st_mode):
                    prefixes.append(f"{prefix}{name}/")

    def leftovers(self, before: datetime) -> Iterator[str]:
        """Return the staged files that a killed process left where files need a name."""
        with _answering("list"):
            _check_folder(self._staging)
        limit = before.timestamp()
        for name, found in _entries(self._staging):
            if is_key(name) and stat.S_ISREG(found.st_mode) and found.st_mtime < limit:
                yield name

    def sweep(self, leftover: str) -> None:
        """Remove one leftover."""
        names = names_in(leftover)
        if len(names) > 1:
            raise ValueError(f"{leftover!r} is no leftover")
        path = os.path.join(self._staging, *names)
        with _answering("remove"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                _check_folder(self._staging)

    def elsewhere(self, key: str, *, filename: str) -> Elsewhere | None:  # noqa: ARG002 - it is in our address
        """Return the path at the server in front."""
        if self._internal is None:
            return None
        return Elsewhere(self._internal + quote("/".join(names_in(key))), internal=True)

    def prepare(self) -> None:
        """Make the folders."""
        try:
            os.makedirs(self._root, _FOLDER_MODE, exist_ok=True)
            for folder, mode in ((self._blobs, _FOLDER_MODE), (self._staging, _STAGING_MODE)):
                with suppress(FileExistsError):
                    os.mkdir(folder, mode)
                _check_folder(folder)
            _sync_folder(self._root)
            _sync_folder(os.path.dirname(self._root))
        except OSError as error:
            raise Misconfigured(f"The folder of the file store cannot be made: {error}") from error

    def verify(self) -> None:
        """Raise ``Misconfigured`` unless the folders are there and can be written."""
        for folder in (self._blobs, self._staging):
            if not (os.path.isdir(folder) and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
                raise Misconfigured(f"{folder} is not a folder to write to: run 'warehouse14 init'.")

    def close(self) -> None:
        """Do nothing: no file stays open between two calls."""

    def publish(self, files: Sequence[tuple["_Source", str]]) -> None:
        """Make each synced file the blob of its key, and sync the folders that they are in."""
        paths = [self._path(key) for _, key in files]
        for (source, key), path in zip(files, paths, strict=True):
            self._link_into_folder(source, key, path)
        for folder in dict.fromkeys(map(os.path.dirname, paths)):
            with suppress(FileNotFoundError):  # a deletion was faster than the sync
                _sync_folder(folder)

    def _link_into_folder(self, source: "_Source", key: str, path: str) -> None:
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):  # no folder yet, or a deletion took it away
                return self._link(source, key, path)
            with suppress(FileNotFoundError):
                self._make_folders(key)
        return self._link(source, key, path)

    def _link(self, source: "_Source", key: str, path: str) -> None:
        """Make ``source`` the blob at ``path``, or make the one that stays there young."""
        try:
            _give_name(source, path)
        except FileExistsError:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise
            if keeps_its_bytes(key):
                os.utime(path)
            else:
                self._replace(source, path)

    def _replace(self, source: "_Source", path: str) -> None:
        """Make ``source`` the blob at ``path`` in the place of the one that is there."""
        name = _fresh_name(self._staging)
        _give_name(source, name)
        try:
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise

    def _make_folders(self, key: str) -> None:
        """Make the folders of ``key`` durably, but never the folder of all blobs."""
        folders = self._folders(key)
        for folder in reversed(folders):
            with suppress(FileExistsError):
                os.mkdir(folder, _FOLDER_MODE)
        # Also those that were there: whoever made them may not have synced them yet. The
        # innermost is synced when the blob is in it.
        for folder in folders[1:]:
            _sync_folder(folder)
        # The outermost is never removed, so that its own entry needs this only once.
        outermost = folders[-1] if folders else self._blobs
        if outermost not in self._lasting:
            _sync_folder(self._blobs)
            self._lasting.add(outermost)

    def _folders(self, key: str) -> list[str]:
        """Return the folders of ``key`` below that of all blobs, the innermost first."""
        parts = key.split("/")[:-1]
        return [os.path.join(self._blobs, *parts[:depth]) for depth in range(len(parts), 0, -1)]

    def _path(self, key: str) -> str:
        return os.path.join(self._blobs, *names_in(key))

    def new_staged(self) -> "_StagedFile":
        """Return a new file in the staging folder; whoever asked must end it."""
        with _answering("take"):
            return self._open_staged()

    def _open_staged(self) -> "_StagedFile":
        if self._nameless is None:
            self._nameless = _can_link_nameless_files(self._staging)
        if self._nameless:
            descriptor = os.open(self._staging, os.O_TMPFILE | os.O_RDWR, _FILE_MODE)
            return _StagedFile(self, _Source(f"/proc/self/fd/{descriptor}", descriptor), named=False)
        name = _fresh_name(self._staging)
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, _FILE_MODE)
        return _StagedFile(self, _Source(name, descriptor), named=True)


class _Source(NamedTuple):
    """An open file that is to get a name: a path to it, and its descriptor."""

    path: str
    descriptor: int


class _StagedFile:
    """A file on its way in. Any use after the commit or the end raises ``RuntimeError``.

    The path of ``source`` is a name in the staging folder only if it is ``named``.
    """

    def __init__(self, store: FilesystemStore, source: _Source, *, named: bool) -> None:
        self._store = store
        self.source = source
        self._named = named
        self._open = True
        self._beside: list[tuple[_StagedFile, str]] = []

    def write(self, data: bytes) -> None:
        self._check_open()
        rest = memoryview(data)
        with _answering("take"):
            while rest:
                rest = rest[os.write(self.source.descriptor, rest) :]

    def reader(self) -> BinaryIO:
        self._check_open()
        with _answering("give"):
            return open(self.source.path, "rb")

    def beside(self, key: str, data: bytes) -> None:
        self._check_open()
        small = self._store.new_staged()
        self._beside.append((small, key))
        small.write(data)

    def commit(self, key: str) -> None:
        self._check_open()
        files = [(small.source, its_key) for small, its_key in self._beside]
        files.append((self.source, key))
        with _answering("take"):
            for source, _ in files:
                os.fsync(source.descriptor)
            self._store.publish(files)
        self.end()

    def end(self) -> None:
        """Close the file and take its name away; if that fails, it is a leftover."""
        if not self._open:
            return
        self._open = False
        for small, _ in self._beside:
            small.end()
        with suppress(OSError):
            os.close(self.source.descriptor)
        if self._named:
            with suppress(OSError):
                os.unlink(self.source.path)

    def _check_open(self) -> None:
        if not self._open:
            raise RuntimeError("what was staged is committed or gone")


@contextmanager
def _answering(verb: str) -> Iterator[None]:
    """Turn an error of the system into ``Unavailable``."""
    try:
        yield
    except OSError as error:
        message = f"The file store does not {verb} files: {error.strerror or error}."
        raise Unavailable(message) from error


def _blob(key: str, found: os.stat_result) -> Blob | None:
    """Return the blob that ``found`` describes; a folder or a link is none."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return Blob(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _entries(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Return what is in ``folder`` and does not vanish while one looks."""
    with _answering("list"):
        try:
            entries = os.scandir(folder)
        except FileNotFoundError:
            return
    with entries:
        while True:
            with _answering("list"):
                entry = next(entries, None)
                if entry is None:
                    return
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
            yield entry.name, found


def _open_without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _check_folder(folder: str) -> None:
    """Raise ``OSError`` unless ``folder`` is there: without it a missing file says nothing."""
    if not stat.S_ISDIR(os.stat(folder).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)


def _give_name(source: _Source, path: str) -> None:
    """Link the file ``source`` to ``path``; raise if that is taken.

    Only with a descriptor of a folder does ``os.link`` follow the links of /proc. The system
    does not look at it where the source is absolute, so that any descriptor does.
    """
    os.link(source.path, path, src_dir_fd=source.descriptor, follow_symlinks=True)


def _fresh_name(folder: str) -> str:
    return os.path.join(folder, secrets.token_hex(16))


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _can_link_nameless_files(folder: str) -> bool:
    """Whether a file without a name can be given one here: not on every file system, nor without /proc."""
    if not hasattr(os, "O_TMPFILE"):
        return False
    name = _fresh_name(folder)
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, _FILE_MODE)
        try:
            _give_name(_Source(f"/proc/self/fd/{descriptor}", descriptor), name)
        finally:
            os.close(descriptor)
        os.unlink(name)
    except OSError:
        return False
    return True
