"""The use case of a lost database: what a site lists, made again from its file store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from warehouse14.domain.errors import Conflict, Rejected
from warehouse14.domain.model import Action, Change, File, Project, Role, latest_of
from warehouse14.domain.moving.known import restorable
from warehouse14.domain.moving.runs import batch, begin
from warehouse14.domain.moving.sidecars import Found, Lost, found_in
from warehouse14.domain.names import (
    OPERATOR,
    FileName,
    Principal,
    ProjectName,
    account_name,
    account_principal,
    is_service_name,
)
from warehouse14.domain.ports import FileStore, Restores, UnitOfWork, Units

_ORIGIN = "rebuild"


class RebuildService:
    """The use case."""

    def __init__(self, units: Units, store: FileStore) -> None:
        self._units = units
        self._store = store

    def rebuild(self) -> Iterator[Project | Lost]:
        """List every file of the store anew: its projects, private, with who published as their admins.

        Files, digests and dates are as they were. Deleted files whose blobs were not collected yet come
        back. What the store does not know is lost: yanks, other roles, groups, accounts, tokens and the
        journal, which begins anew with the uploads.

        Yields each blob that nothing can be made of, then each project. Raises ``Conflict`` unless there is
        no project yet, or those of a rebuild that was cut off and would be the same now, and ``Unavailable``.
        """
        target = restorable(self._units)
        with self._units.read() as unit:
            serial = unit.journal.serial()
            cut_off = _cut_off(unit, serial)
        found: dict[tuple[ProjectName, FileName], Found] = {}
        for each in found_in(self._store):
            if isinstance(each, Lost):
                yield each
                continue
            name = each.file.project, each.file.filename
            # An upload that was cut off, and never listed, comes before the one that was.
            newest, *older = sorted(
                filter(None, [each, found.get(name)]), key=attrgetter("file.uploaded_at"), reverse=True
            )
            found[name] = newest
            yield from (Lost(other.file.key, "a newer file has its name") for other in older)
        yield from self._put(target, [found[name] for name in sorted(found)], serial, cut_off)

    def _put(
        self, target: Restores, found: Sequence[Found], serial: int, cut_off: Mapping[ProjectName, int]
    ) -> list[Project]:
        """Put it all, or nothing; a store that does not write a unit at once may show a part until its end.

        What was ``cut_off``, projects with their serials, is to be the same as what is put in its place:
        nothing else would replace it wholly.
        """
        entries = _entries(found, serial)
        last = {entry.project: entry.serial for entry in entries}
        if any(last.get(name) != there for name, there in cut_off.items()):
            raise Conflict(
                "site",
                "target",
                "There is a part of a site in the database that was cut off, and the file store does not have"
                " the same any more. Take an empty database.",
            )
        projects = []
        with batch(target, begin(target, serial), serial) as restoration:
            for name, group in groupby(found, key=attrgetter("file.project")):
                one = list(group)
                project = replace(_project(name, one), serial=last[name])
                restoration.project(project, [each.file for each in one])
                projects.append(project)
            restoration.journal(entries)
        return projects


def _cut_off(unit: UnitOfWork, serial: int) -> Mapping[ProjectName, int]:
    """Return the serials of the projects of a unit that was cut off: they are beyond the journal, which ends
    at the entry ``serial`` and comes last. Raises ``Conflict`` for any other project."""
    found = {}
    for project in unit.projects.changed_since(-1):
        if project.serial <= serial:
            raise Conflict(
                "site",
                "target",
                "There are projects in the database. It is rebuilt into an empty one alone.",
            )
        found[project.name] = project.serial
    return found


def _project(name: ProjectName, found: Sequence[Found]) -> Project:
    files = [each.file for each in found]
    first = min(files, key=attrgetter("uploaded_at"))
    newest = max(found, key=attrgetter("file.uploaded_at"))
    return Project(
        name=name,
        display_name=newest.display_name,
        public=False,
        created_at=first.uploaded_at,
        created_by=first.uploaded_by,
        grants=dict.fromkeys(_publishers(files), Role.ADMIN),
        latest=latest_of(files),
    )


def _publishers(files: Iterable[File]) -> Iterator[Principal]:
    """Return who published, without service accounts, and whoever had no account."""
    for name in sorted({file.uploaded_by for file in files}):
        try:
            if name != OPERATOR and not is_service_name(name):
                yield account_principal(account_name(name))
        except Rejected:
            continue


def _entries(found: Iterable[Found], serial: int) -> list[Change]:
    """Return a journal for what was found, after the entry ``serial``."""
    entries: list[Change] = []
    known: set[ProjectName] = set()
    for each in sorted(found, key=attrgetter("file.uploaded_at", "file.project", "file.filename")):
        file = each.file
        first = {} if file.project in known else {"project": "created"}
        known.add(file.project)
        entries.append(_entry(file, {"files": file.filename, **first}))
    return [entry.numbered(number) for number, entry in enumerate(entries, serial + 1)]


def _entry(file: File, detail: dict[str, str]) -> Change:
    return Change(
        action=Action.FILE_UPLOAD,
        at=file.uploaded_at,
        actor=file.uploaded_by,
        origin=_ORIGIN,
        project=file.project,
        detail=detail,
    )
