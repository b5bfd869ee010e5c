"""Projects and their files in memory."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from warehouse14.adapters.memory.moment import Intent, Moment
from warehouse14.domain.model import (
    File,
    FoundProject,
    Latest,
    Order,
    Project,
    ProjectSummary,
    Role,
    Yank,
    finds,
    searched_text,
)
from warehouse14.domain.names import AUTHENTICATED, FileName, Principal, ProjectName, principal_group
from warehouse14.domain.ports import MOST_COUNTED

#: Before every release: where a project without one stands.
_NEVER = datetime.min.replace(tzinfo=UTC)


class MemoryProjects:
    """The projects as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: ProjectName) -> Project | None:
        """Return the project, a deleted one too, or None."""
        return self._moment.tables.projects.get(name)

    def visible(
        self, principals: frozenset[Principal] | None, *, first: str = "", before: str | None = None
    ) -> Sequence[ProjectSummary]:
        """Return the projects that ``principals`` may see, by name, or those of a range of names."""
        return [
            ProjectSummary(project.name, project.display_name, project.public, project.serial)
            for project in self._visible(principals)
            if project.name >= first and (before is None or project.name < before)
        ]

    def _visible(self, principals: frozenset[Principal] | None) -> list[Project]:
        return [
            project
            for project in sorted(self._moment.tables.projects.values(), key=attrgetter("name"))
            if project.deleted_at is None and (principals is None or _may_see(principals, project))
        ]

    def changed_since(self, serial: int) -> Iterator[Project]:
        """Return the projects whose last change came after ``serial``, by name."""
        every = sorted(self._moment.tables.projects.values(), key=attrgetter("name"))
        yield from (project for project in every if project.serial > serial)

    def create(self, project: Project) -> None:
        """Take a name."""
        self._change(project.name, lambda tables: tables.create_project(project))

    def set_public(self, name: ProjectName, public: bool, *, expected: int) -> None:
        """Open or close a project."""
        self._change(name, lambda tables: tables.change_project(name, expected, public=public))

    def search(
        self,
        principals: frozenset[Principal] | None,
        words: Sequence[str],
        *,
        order: Order,
        start: int,
        count: int,
        prefix: str = "",
    ) -> tuple[Sequence[FoundProject], int]:
        """Find projects that ``principals`` may see by words in name or summary."""
        found = [
            project
            for project in self._visible(principals)
            if project.name.startswith(prefix) and finds(words, _searched(project))
        ]
        if order is Order.NEWEST:
            found.sort(key=_newness, reverse=True)
        page = [
            FoundProject(project.name, project.display_name, project.public, project.latest)
            for project in found[start : start + count]
        ]
        return page, min(len(found), start + count + MOST_COUNTED)

    def set_latest(
        self, name: ProjectName, display_name: str, latest: Latest | None, *, expected: int
    ) -> None:
        """Replace the spelling and the latest release."""
        parts = {"display_name": display_name, "latest": latest}
        self._change(name, lambda tables: tables.change_project(name, expected, **parts))

    def grant(self, name: ProjectName, who: Principal, role: Role, *, expected: int) -> None:
        """Give or change a role."""
        self._change(name, lambda tables: tables.grant(name, who, role, expected), part=who)

    def revoke(self, name: ProjectName, who: Principal, *, expected: int) -> None:
        """Take a role away."""
        self._change(name, lambda tables: tables.revoke(name, who, expected), part=who)

    def hanging_on(self, who: Principal) -> Sequence[ProjectName]:
        """Return the projects that have their only role admin from ``who``, by name."""
        return [
            project.name
            for project in self._visible(None)
            if {admin for admin in project.admins if admin == who or not self._is_gone(admin)} == {who}
        ]

    def _is_gone(self, who: Principal) -> bool:
        name = principal_group(who)
        group = None if name is None else self._moment.tables.groups.get(name)
        return group is not None and (group.deleted_at is not None or not group.members)

    def delete(self, name: ProjectName, at: datetime, *, expected: int) -> None:
        """Mark a project deleted."""
        self._change(name, lambda tables: tables.change_project(name, expected, deleted_at=at))

    def _change(self, name: ProjectName, intent: Intent, *, part: str = "") -> None:
        self._moment.change(("project", name, part), intent, project=name)


class MemoryFileRows:
    """The files as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, project: ProjectName, filename: FileName) -> File | None:
        """Return the file, a deleted one too, or None."""
        return self._moment.tables.files.get(project, {}).get(filename)

    def of(self, project: ProjectName) -> Sequence[File]:
        """Return all files of a project, by file name."""
        return sorted(self._moment.tables.files.get(project, {}).values(), key=attrgetter("filename"))

    def all(self) -> Iterator[File]:
        """Return every file that is there, as long as the unit lasts."""
        for project in self._moment.tables.projects.values():
            if project.deleted_at is None:
                yield from (file for file in self.of(project.name) if file.deleted_at is None)

    def add(self, file: File) -> None:
        """List a file."""
        self._change(file.project, file.filename, lambda tables: tables.add_file(file))

    def set_yank(self, project: ProjectName, filename: FileName, yank: Yank | None) -> None:
        """Yank or un-yank."""
        self._change(project, filename, lambda tables: tables.change_file(project, filename, yank=yank))

    def delete(self, project: ProjectName, filename: FileName, at: datetime) -> None:
        """Mark a file deleted."""
        self._change(project, filename, lambda tables: tables.change_file(project, filename, deleted_at=at))

    def _change(self, project: ProjectName, filename: FileName, intent: Intent) -> None:
        self._moment.change(("file", project, filename), intent, project=project)


def _may_see(principals: frozenset[Principal], project: Project) -> bool:
    """Whether a project is public to one of ``principals``, or granted."""
    return (project.public and AUTHENTICATED in principals) or not principals.isdisjoint(project.grants)


def _searched(project: Project) -> str:
    return searched_text(project.name, project.display_name, project.latest)


def _newness(project: Project) -> tuple[datetime, str]:
    return (project.latest.at if project.latest else _NEVER), project.name
