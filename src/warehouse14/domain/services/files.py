"""Files and releases that are there: reading, yanking and deleting them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO

from packaging.version import InvalidVersion, Version

from warehouse14.domain.access import Identity, Permission, SiteRules
from warehouse14.domain.errors import NotFound, Rejected
from warehouse14.domain.model import Action, File, Project, Yank, latest_of
from warehouse14.domain.names import file_name, project_name
from warehouse14.domain.ports import FileStore, Now, UnitOfWork, Units
from warehouse14.domain.services.standings import as_of_now
from warehouse14.domain.services.working import attempt, entry, one_line, permitted_project

#: Finds the files that are meant among those of a project.
Choice = Callable[[UnitOfWork, Project], Sequence[File]]

_REASON_LENGTH = 1000


class FileService:
    """The use cases on files and releases. A release is all listed files of one version."""

    def __init__(self, units: Units, store: FileStore, now: Now, rules: SiteRules) -> None:
        self._units = units
        self._rules = rules
        self._store = store
        self._now = now

    def get(self, identity: Identity, project: str, filename: str) -> File:
        """Return a listed file that ``identity`` may read, or raise ``NotFound``."""
        with self._units.read() as unit:
            found = permitted_project(unit, identity, Permission.READ, project_name(project))
            return _one(unit, found, filename)

    def open(self, identity: Identity, project: str, filename: str) -> BinaryIO:
        """Return the bytes of a file that ``identity`` may read, or raise ``NotFound``."""
        return self._store.open(self.get(identity, project, filename).key, 0)

    def yank(self, identity: Identity, project: str, filename: str, *, reason: str = "") -> bool:
        """Yank one file (PEP 592); return whether that is new. A second yank replaces the reason.

        Raises:
            Rejected: the reason is longer than 1,000 characters, or is more than one line.
            NotFound: no such project or file to this identity.
            Forbidden: the identity may not yank it.
        """
        return self._yank(identity, project, _file_named(filename), reason)

    def yank_release(self, identity: Identity, project: str, version: str, *, reason: str = "") -> bool:
        """Yank all files of a version; return whether that is new to any. Raises as :meth:`yank` does."""
        return self._yank(identity, project, _files_of(version), reason)

    def unyank(self, identity: Identity, project: str, filename: str) -> bool:
        """Take the yank of one file back; return whether there was one. Raises as :meth:`yank` does."""
        return self._unyank(identity, project, _file_named(filename))

    def unyank_release(self, identity: Identity, project: str, version: str) -> bool:
        """Take the yanks of all files of a version back; return whether there were any.

        Raises as :meth:`yank` does.
        """
        return self._unyank(identity, project, _files_of(version))

    def delete(self, identity: Identity, project: str, filename: str) -> None:
        """Delete one file. Its name stays taken. Raises ``NotFound`` and ``Forbidden``."""
        self._delete(identity, project, _file_named(filename))

    def delete_release(self, identity: Identity, project: str, version: str) -> None:
        """Delete all files of a version. Raises ``NotFound`` and ``Forbidden``."""
        self._delete(identity, project, _files_of(version))

    def _yank(self, identity: Identity, project: str, choice: Choice, reason: str) -> bool:
        # Installers print it.
        reason = one_line(reason, field="reason", most=_REASON_LENGTH)
        yank = Yank(reason=reason, at=self._now(), by=identity.name)

        def change(unit: UnitOfWork, file: File) -> File:
            if file.yank is not None and file.yank.reason == reason:
                return file
            unit.files.set_yank(file.project, file.filename, yank)
            return replace(file, yank=yank)

        return self._change(identity, Permission.YANK, Action.FILE_YANK, project, choice, change)

    def _unyank(self, identity: Identity, project: str, choice: Choice) -> bool:
        def change(unit: UnitOfWork, file: File) -> File:
            if file.yank is None:
                return file
            unit.files.set_yank(file.project, file.filename, None)
            return replace(file, yank=None)

        return self._change(identity, Permission.YANK, Action.FILE_UNYANK, project, choice, change)

    def _delete(self, identity: Identity, project: str, choice: Choice) -> None:
        at = self._now()

        def change(unit: UnitOfWork, file: File) -> File:
            unit.files.delete(file.project, file.filename, at)
            return replace(file, deleted_at=at)

        self._change(identity, Permission.DELETE, Action.FILE_DELETE, project, choice, change)

    def _change(
        self,
        identity: Identity,
        permission: Permission,
        action: Action,
        project: str,
        choice: Choice,
        change: Callable[[UnitOfWork, File], File],
    ) -> bool:
        """Change the chosen files in one unit, with one journal entry if any of them did change.

        Return whether any did.
        """

        name = project_name(project)

        def work(unit: UnitOfWork) -> bool:
            # As who publishes does: of many at once none loses to the others again and again.
            unit.hold(name)
            changer = as_of_now(unit, identity, self._rules, self._now)
            found = permitted_project(unit, changer, permission, name)
            changed = [
                after for before in choice(unit, found) if (after := change(unit, before)) is not before
            ]
            if not changed:
                return False
            _set_latest(unit, found, changed)
            detail = {"files": "\n".join(file.filename for file in changed)}
            unit.journal.append(entry(action, identity, self._now, project=found.name, detail=detail))
            return True

        return attempt(self._units, work)


def _set_latest(unit: UnitOfWork, project: Project, changed: Sequence[File]) -> None:
    """Write down the project's latest release, also where the changed files do not make it another: that
    rests on the files that were there."""
    files = {file.filename: file for file in unit.files.of(project.name)}
    latest = latest_of((files | {file.filename: file for file in changed}).values())
    unit.projects.set_latest(project.name, project.display_name, latest, expected=project.serial)


def _one(unit: UnitOfWork, project: Project, filename: str) -> File:
    file = unit.files.get(project.name, file_name(filename))
    if file is None or file.deleted_at is not None:
        raise NotFound("file", filename)
    return file


def _file_named(filename: str) -> Choice:
    return lambda unit, project: [_one(unit, project, filename)]


def _files_of(version: str) -> Choice:
    try:
        wanted = Version(version)
    except InvalidVersion as error:
        raise Rejected(f"version: {error}.", field="version") from error

    def choose(unit: UnitOfWork, project: Project) -> Sequence[File]:
        found = [
            file
            for file in unit.files.of(project.name)
            if file.deleted_at is None and Version(file.version) == wanted
        ]
        if not found:
            raise NotFound("release", f"{project.name} {wanted}")
        return found

    return choose
