"""What the index shows to clients: projects, files and pages, kept as long as they are true."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from warehouse14.domain.access import Identity
from warehouse14.domain.followed import FollowedCache, project_tag
from warehouse14.domain.model import File, Project, ProjectSummary
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.domain.services.projects import visible_projects
from warehouse14.domain.simple import ProjectList, ProjectPage, project_list, project_page

Found = TypeVar("Found", Project, File)

#: About what a project or a file takes in memory, and that there is none, in bytes.
_FOUND_SIZE = 2000
_NOTHING_SIZE = 500
#: More entries than this since a list was read, and all of it is read again.
_MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class ChangedParts:
    """Parts of a list that follow each other: which they were, and the projects that they now have."""

    numbers: range
    projects: Sequence[ProjectSummary]


class Index:
    """The read side. It knows no permissions: who asks has been allowed to.

    A server calls ``cache.follow()`` once in a request, before anything is
    looked up. A page comes with a serial that it is no older than.
    """

    def __init__(self, units: Units, cache: FollowedCache) -> None:
        self._units = units
        self.cache = cache

    def project(self, name: ProjectName) -> Project | None:
        """Return the project, unless it is absent or deleted."""
        return self._known(("project", name), name, lambda unit: unit.projects.get(name))

    def file(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, unless it is absent or deleted."""
        return self._known(
            ("file", project, filename), project, lambda unit: unit.files.get(project, filename)
        )

    def _known(
        self, key: Hashable, project: ProjectName, look: Callable[[UnitOfWork], Found | None]
    ) -> Found | None:
        """Return what ``look`` finds, unless it is deleted. That there is nothing is kept, too: else the
        time of an answer would tell a stranger what there is."""
        kept: tuple[Found | None] | None = self.cache.get(key)
        if kept is not None:
            return kept[0]
        with self._units.read() as unit:
            serial = self.cache.serial(unit)
            found = look(unit)
        if found is not None and found.deleted_at is not None:
            found = None
        size = _NOTHING_SIZE if found is None else _FOUND_SIZE
        self.cache.put(key, (found,), size=size, tags=[project_tag(project)], serial=serial)
        return found

    def project_page(self, project: Project) -> tuple[ProjectPage, int]:
        """Return a project's page, and the serial at which it was read."""
        with self._units.read() as unit:
            serial = self.cache.serial(unit)
            # The files first: some stores find their project on the way.
            files = unit.files.of(project.name)
            return project_page(unit.projects.get(project.name) or project, files), serial

    def project_list(self, identity: Identity) -> tuple[ProjectList, int]:
        """Return the list of the projects that ``identity`` may read, and its serial."""
        with self._units.read() as unit:
            serial = self.cache.serial(unit)
            return project_list(visible_projects(unit, identity)), serial

    def changed_parts(
        self, identity: Identity, firsts: Sequence[ProjectName], since: int
    ) -> tuple[Sequence[ChangedParts], int] | None:
        """Return what has changed of a list of the projects that ``identity`` may read.

        Args:
            identity: who reads it.
            firsts: where its parts begin: the name of each one's first project. The first part has also what
                comes before that name.
            since: the serial at which the list was read.

        Returns: the parts that have changed, in their order, and the serial at which they were read; or None
            where all is to be read: so much has changed that it is cheaper, or a part has lost its first
            project since the journal was read, as can be in a store whose units are not of one moment.
        """
        with self._units.read() as unit:
            serial = self.cache.serial(unit)
            changes = unit.journal.since(since, _MOST_CHANGES + 1)
            names = {change.project for change in changes if change.project is not None}
            numbers = _part_numbers(firsts, names)
            if len(changes) > _MOST_CHANGES or 2 * len(numbers) > len(firsts):
                return None
            begins, ends = ["", *firsts[1:]], [*firsts[1:], None]
            changed = []
            for run in _runs(numbers):
                found = visible_projects(unit, identity, first=begins[run[0]], before=ends[run[-1]])
                if run[0] and [project.name for project in found[:1]] != [firsts[run[0]]]:
                    return None
                changed.append(ChangedParts(run, found))
            return changed, serial


def _part_numbers(firsts: Sequence[ProjectName], names: Iterable[ProjectName]) -> set[int]:
    """Return the numbers of the parts in which ``names`` are, and of the part before one whose first project
    is among them: without that project the two may be one."""
    numbers = set()
    for name in names:
        number = max(bisect_right(firsts, name) - 1, 0)
        numbers.add(number)
        if number and name == firsts[number]:
            numbers.add(number - 1)
    return numbers


def _runs(numbers: Iterable[int]) -> Iterator[range]:
    """Return the runs of numbers that follow each other."""
    for _, pairs in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in pairs]
        yield range(run[0], run[-1] + 1)
