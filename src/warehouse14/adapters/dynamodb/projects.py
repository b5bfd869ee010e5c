"""Projects and grants in a table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.adapters.dynamodb.people_rows import groups
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import (
    FoundProject,
    Latest,
    Order,
    Project,
    ProjectSummary,
    Role,
    finds,
    searched_text,
)
from warehouse14.domain.names import (
    AUTHENTICATED,
    AccountName,
    Principal,
    ProjectName,
    account_principal,
    group_principal,
    principal_group,
)
from warehouse14.domain.ports import MOST_COUNTED

#: More grants than this, and all lists are read in the place of the projects that they name.
_MANY_GRANTS = 1000
#: More commits than can be on their way from the serial to all of their items.
_LAGGING = 20


class DynamoProjects:
    """Implements ``Projects``. ``bare`` has the serials at which projects are known to be without grants."""

    def __init__(self, moment: Moment, bare: dict[ProjectName, int]) -> None:
        self._moment = moment
        self._bare = bare

    def get(self, name: ProjectName) -> Project | None:
        """See the port."""
        kept = self._moment.kept.get(keys.project(name))
        if kept is None:
            kept = self._asked(name)
        if len(kept) == 1 and self._bare.get(name) != kept[0]["serial"]:
            kept = self._asked_whole(name, kept[0])
        return rows.project(kept[0], rows.grants(kept[1:])) if kept else None

    def _asked_whole(self, name: ProjectName, row: Item) -> list[Item]:
        """Return what :meth:`_asked` does where it was no grant. It may be that somebody creates the project
        right now, whose own grant is shown by the end of this; that of another may come later."""
        own = keys.grant(name, account_principal(AccountName(row["by"])))
        self._moment.table.get_at_once([keys.project(name), own])
        kept = self._asked(name)
        if len(kept) == 1:
            self._bare[name] = kept[0]["serial"]
        return kept

    def _asked(self, name: ProjectName) -> list[Item]:
        """Return the item of a project and those of its grants. Who asks for it often asks for a file of it,
        too."""
        found = self._moment.table.query(keys.of_project(name), last=keys.LAST_GRANT)
        self._moment.kept[keys.project(name)] = kept = rows.of_project(found)
        return kept

    def visible(
        self, principals: frozenset[Principal] | None, *, first: str = "", before: str | None = None
    ) -> Sequence[ProjectSummary]:
        """See the port."""
        return [rows.summary(item) for item in self._visible(principals, first, before)]

    def _visible(
        self, principals: frozenset[Principal] | None, first: str = "", before: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the lines of the lists, or the projects, that ``principals`` may see, by name."""
        lists = {keys.PUBLIC, keys.PRIVATE} if principals is None else set()
        granted: set[str] = set()
        if principals is not None:
            granted = self._granted(principals, first, before)
            if AUTHENTICATED in principals:
                lists.add(keys.PUBLIC)
            if len(granted) > _MANY_GRANTS:
                lists |= {keys.PUBLIC, keys.PRIVATE}
        found = {item["name"]: item for item in self._lines(lists, first, before)}
        if principals is not None:
            public = AUTHENTICATED in principals
            found = {
                name: item for name, item in found.items() if (item["public"] and public) or name in granted
            }
        missing = granted - found.keys() if keys.PRIVATE not in lists else set()
        for item in self._moment.table.get_many(keys.project(ProjectName(name)) for name in missing).values():
            if item.get("deleted") is None:
                found[item["name"]] = item
        return sorted(found.values(), key=itemgetter("name"))

    def _lines(self, lists: set[str], first: str, before: str | None) -> Iterator[dict[str, Any]]:
        for partition in sorted(lists):
            found = self._moment.table.query(partition, first=first or None, last=before)
            yield from (item for item in found if item["name"] != before)

    def _granted(self, principals: frozenset[Principal], first: str, before: str | None) -> set[str]:
        """Return the names of the projects that were granted to one of ``principals``."""
        table = self._moment.table
        return {
            item["project"]
            for who in sorted(principals)
            for item in table.query(keys.of_principal(who), first=first or None, last=before)
            if item["project"] != before
        }

    def changed_since(self, serial: int) -> Iterator[Project]:
        """See the port."""
        table = self._moment.table
        before = int((table.get(keys.SITE) or {}).get("n", 0))
        # What is restored may be in two lists for a moment.
        names = {
            item["name"]
            for partition in keys.LISTS
            for item in table.query(partition, only="serial > :after", values={"after": serial})
        }
        # What went meanwhile from one list to another may have been met in neither; nor need the lists have
        # had all of the last commits before.
        since = table.query(keys.JOURNAL, first=keys.place(max(before - _LAGGING, 0)))
        names |= {item["project"] for item in since if item.get("project") is not None}
        found = (self._get_anew(ProjectName(name)) for name in sorted(names))
        return (project for project in found if project is not None and project.serial > serial)

    def _get_anew(self, name: ProjectName) -> Project | None:
        """Return a project as it is now: what was read of it before in this unit may be old by then."""
        self._moment.kept.pop(keys.project(name), None)
        return self.get(name)

    def create(self, project: Project) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            if found.get(key) is not None:
                raise Conflict("project", project.name)
            found.put(rows.project_item(project))
            for who, role in project.grants.items():
                found.put(*rows.grant_items(project.name, who, role))

        key = keys.project(project.name)
        self._moment.change([key], apply)

    def set_public(self, name: ProjectName, public: bool, *, expected: int) -> None:
        """See the port."""
        self._change(name, expected, public=public)

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
        """See the port."""
        last = prefix + keys.END if prefix else None
        found = [item for item in self._visible(principals, prefix, last) if finds(words, _sought(item))]
        if order is Order.NEWEST:
            found.sort(key=lambda item: (item.get("latest", ""), item["name"]), reverse=True)
        page = [rows.found_project(item) for item in islice(found, start, start + count)]
        return page, min(len(found), start + count + MOST_COUNTED)

    def set_latest(
        self, name: ProjectName, display_name: str, latest: Latest | None, *, expected: int
    ) -> None:
        """See the port."""
        self._change(
            name,
            expected,
            display=display_name,
            version=latest and latest.version,
            summary=latest and latest.summary,
            latest=rows.written(latest.at) if latest else None,
        )

    def grant(self, name: ProjectName, who: Principal, role: Role, *, expected: int) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            found.listed_project(name, expected)
            found.put(*rows.grant_items(name, who, role))

        self._moment.change([keys.project(name)], apply)

    def revoke(self, name: ProjectName, who: Principal, *, expected: int) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            found.listed_project(name, expected)
            found.delete(keys.grant(name, who), keys.granted(who, name))

        self._moment.change([keys.project(name)], apply)

    def hanging_on(self, who: Principal) -> Sequence[ProjectName]:
        """See the port."""
        admin = self._moment.table.query(keys.of_principal(who))
        names = [ProjectName(item["project"]) for item in admin if item["role"] == Role.ADMIN.value]
        projects = (self.get(name) for name in names)
        return [
            project.name
            for project in projects
            if project is not None and project.deleted_at is None and self._hangs(project, who)
        ]

    def _hangs(self, project: Project, who: Principal) -> bool:
        """Whether nobody but ``who`` is an admin who counts."""
        return {admin for admin in project.admins if admin == who or not self._is_gone(admin)} == {who}

    def _is_gone(self, who: Principal) -> bool:
        name = principal_group(who)
        if name is None:
            return False
        place = keys.group(name)[1]
        known = groups(self._moment.table.query(keys.GROUPS, first=place, last=f"{place}#{keys.END}"))
        return any(
            group_principal(group.name) == who and (group.deleted_at is not None or not group.members)
            for group in known
        )

    def delete(self, name: ProjectName, at: datetime, *, expected: int) -> None:
        """See the port."""
        self._change(name, expected, deleted=rows.written(at))

    def _change(self, name: ProjectName, expected: int, **parts: Any) -> None:
        def apply(found: Rows) -> None:
            found.change(found.listed_project(name, expected), **parts)

        self._moment.change([keys.project(name)], apply)


def _sought(item: dict[str, Any]) -> str:
    """Return what a search looks through, of a line of a list or of a project."""
    if "sought" in item:
        return str(item["sought"])
    known = rows.found_project(item)
    return searched_text(known.name, known.display_name, known.latest)
