"""Projects and grants in SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from warehouse14.adapters.sql.ordering import newest_first
from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import grants, group_members, groups, projects
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import (
    FoundProject,
    Latest,
    Order,
    Project,
    ProjectSummary,
    Role,
    searched_forms,
    searched_text,
)
from warehouse14.domain.names import (
    AUTHENTICATED,
    AccountName,
    GroupName,
    Principal,
    ProjectName,
    account_principal,
    group_principal,
    invitation_principal,
)
from warehouse14.domain.ports import MOST_COUNTED

_GET = select(projects).where(projects.c.name == bindparam("of_name"))
_GRANTS = (
    select(grants.c.principal, grants.c.role)
    .where(grants.c.project == bindparam("of_name"))
    .order_by(grants.c.principal)
)
_THERE = select(projects.c.name).where(
    projects.c.name == bindparam("of_name"), projects.c.deleted_at.is_(None)
)
_HOLD = _THERE.with_for_update()

#: How many projects are read at once.
_BATCH = 500
_CHANGED = (
    select(projects)
    .where(projects.c.serial > bindparam("after"), projects.c.name > bindparam("of_name"))
    .order_by(projects.c.name)
    .limit(_BATCH)
)
_GRANTS_OF_MANY = (
    select(grants)
    .where(grants.c.project.in_(bindparam("names", expanding=True)))
    .order_by(grants.c.project, grants.c.principal)
)

_ALL = (
    select(projects.c.name, projects.c.display_name, projects.c.public, projects.c.serial)
    .where(projects.c.deleted_at.is_(None))
    .order_by(projects.c.name)
)
_TO_THEM = grants.c.principal.in_(bindparam("principals", expanding=True))
_GRANTED = projects.c.name.in_(select(grants.c.project).where(_TO_THEM))
#: From this many grants on, a search asks for each project that it looks at whether it is granted, instead of
#: reading all grants first. PostgreSQL would read them first all the same where this were an EXISTS.
MANY_GRANTS = 10_000
_GRANTED_TO_MANY = (
    select(literal(1))
    .where(
        grants.c.project == projects.c.name,
        _TO_THEM,
    )
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)
_COUNTED_GRANTS = select(func.count()).select_from(
    select(grants.c.project).where(_TO_THEM).limit(bindparam("most")).subquery()
)


class _Visible(NamedTuple):
    """The statements for all projects, for those that are public or granted, and for the granted ones."""

    every: Select[Any]
    public: Select[Any]
    granted: Select[Any]


def _visible(every: Select[Any], granted: ColumnElement[bool]) -> _Visible:
    return _Visible(every, every.where(or_(projects.c.public, granted)), every.where(granted))


_WHOLE = _visible(_ALL, _GRANTED)
#: A range of few names among many: what is granted is looked up by project.
_RANGE = _visible(
    _ALL.where(projects.c.name >= bindparam("first"), projects.c.name < bindparam("before")), _GRANTED_TO_MANY
)
#: Comes after every name of a project.
_END = "~"

_ORDERS: dict[Order, tuple[Any, ...]] = {
    Order.NAME: (projects.c.name,),
    Order.NEWEST: (newest_first(projects.c.latest_at), projects.c.name.desc()),
}

_UNCHANGED = update(projects).where(
    projects.c.name == bindparam("of_name"),
    projects.c.serial == bindparam("expected"),
    projects.c.deleted_at.is_(None),
)
_SET_PUBLIC = _UNCHANGED.values(public=bindparam("new_public"))
_SET_LATEST = _UNCHANGED.values(
    {
        name: bindparam(f"new_{name}")
        for name in ("display_name", "latest_version", "latest_summary", "latest_at", "searched")
    }
)
_DELETE = _UNCHANGED.values(deleted_at=bindparam("at"))
_LOCK = _UNCHANGED.values(serial=bindparam("expected"))

_OTHERS = grants.alias("others")
#: A group that is deleted or has nobody in it.
_GONE = exists().where(
    or_(groups.c.deleted_at.is_not(None), ~exists().where(group_members.c.group == groups.c.name)),
    _OTHERS.c.principal == literal(group_principal(GroupName(""))) + groups.c.name,
)
#: How the principals begin of those who administer nothing by themselves: service accounts of projects, and
#: invitations.
_SERVICE = account_principal(AccountName("project:"))
_INVITATION = invitation_principal(AccountName(""))
_HANGING = (
    select(grants.c.project)
    .join(projects, projects.c.name == grants.c.project)
    .where(
        grants.c.principal == bindparam("who"),
        grants.c.role == Role.ADMIN.value,
        projects.c.deleted_at.is_(None),
        ~exists().where(
            _OTHERS.c.project == grants.c.project,
            _OTHERS.c.principal != grants.c.principal,
            _OTHERS.c.role == Role.ADMIN.value,
            ~_OTHERS.c.principal.startswith(_SERVICE),
            ~_OTHERS.c.principal.startswith(_INVITATION),
            ~_GONE,
        ),
    )
    .order_by(grants.c.project)
)

_OF_GRANT = (grants.c.project == bindparam("of_name"), grants.c.principal == bindparam("who"))
_CHANGE_ROLE = update(grants).where(*_OF_GRANT).values(role=bindparam("new_role"))
_REVOKE = delete(grants).where(*_OF_GRANT)


class SqlProjects:
    """Implements ``Projects``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, name: ProjectName) -> Project | None:
        """See the port."""
        row = self._run.rows(_GET, of_name=name).one_or_none()
        if row is None:
            return None
        given = self._run.rows(_GRANTS, of_name=name)
        return _project(row, {Principal(grant.principal): Role(grant.role) for grant in given})

    def visible(
        self, principals: frozenset[Principal] | None, *, first: str = "", before: str | None = None
    ) -> Sequence[ProjectSummary]:
        """See the port."""
        whole = not first and before is None
        statements = _WHOLE if whole else _RANGE
        given: dict[str, Any] = {} if whole else {"first": first, "before": before or _END}
        if principals is None:
            rows = self._run.rows(statements.every, **given)
        else:
            statement = statements.public if AUTHENTICATED in principals else statements.granted
            rows = self._run.rows(statement, principals=sorted(principals), **given)
        # By position: reading rows by name takes most of the time of a long list.
        found: Sequence[Any] = rows.all()
        return [ProjectSummary(name, display, public, serial) for name, display, public, serial in found]

    def changed_since(self, serial: int) -> Iterator[Project]:
        """See the port."""
        found = self._run.rows(_CHANGED, after=serial, of_name="").all()
        while found:
            given: dict[str, dict[Principal, Role]] = {}
            for row in self._run.rows(_GRANTS_OF_MANY, names=[row.name for row in found]):
                given.setdefault(row.project, {})[Principal(row.principal)] = Role(row.role)
            yield from (_project(row, given.get(row.name, {})) for row in found)
            found = self._run.rows(_CHANGED, after=serial, of_name=found[-1].name).all()

    def create(self, project: Project) -> None:
        """See the port."""
        self._run.insert(insert(projects), project_values(project), kind="project", name=project.name)
        for who, role in project.grants.items():
            self._add_grant(project.name, who, role)

    def set_public(self, name: ProjectName, public: bool, *, expected: int) -> None:
        """See the port."""
        self._settle(_SET_PUBLIC, name, expected, new_public=public)

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
        conditions = [projects.c.deleted_at.is_(None), *map(_finds, words)]
        if principals is not None:
            granted = _GRANTED_TO_MANY if self._are_many(principals) else _GRANTED
            conditions.append(or_(projects.c.public, granted) if AUTHENTICATED in principals else granted)
        given = {} if principals is None else {"principals": sorted(principals)}
        if prefix:
            conditions.append(projects.c.name.startswith(prefix, autoescape=True))
        page = select(projects).where(*conditions).order_by(*_ORDERS[order]).offset(start).limit(count)
        found = [_found(row) for row in self._run.rows(page, **given)]
        if 0 < len(found) < count or (not found and start == 0):
            return found, start + len(found)
        counted = select(projects.c.name).where(*conditions).limit(start + count + MOST_COUNTED).subquery()
        return found, self._run.rows(select(func.count()).select_from(counted), **given).scalar_one()

    def set_latest(
        self, name: ProjectName, display_name: str, latest: Latest | None, *, expected: int
    ) -> None:
        """See the port."""
        values = _latest_values(name, display_name, latest)
        self._settle(_SET_LATEST, name, expected, **{f"new_{key}": value for key, value in values.items()})

    def grant(self, name: ProjectName, who: Principal, role: Role, *, expected: int) -> None:
        """See the port."""
        self._settle(_LOCK, name, expected)
        changed = self._run.rows(_CHANGE_ROLE, of_name=name, who=who, new_role=role.value)
        if changed.rowcount == 0:
            self._add_grant(name, who, role)

    def revoke(self, name: ProjectName, who: Principal, *, expected: int) -> None:
        """See the port."""
        self._settle(_LOCK, name, expected)
        self._run.rows(_REVOKE, of_name=name, who=who)

    def hanging_on(self, who: Principal) -> Sequence[ProjectName]:
        """See the port."""
        return [ProjectName(name) for name in self._run.rows(_HANGING, who=who).scalars()]

    def delete(self, name: ProjectName, at: datetime, *, expected: int) -> None:
        """See the port."""
        self._settle(_DELETE, name, expected, at=at)

    def _are_many(self, principals: frozenset[Principal]) -> bool:
        """Whether so much is granted to ``principals`` that a page of it is found after few rows."""
        counted: int = self._run.rows(
            _COUNTED_GRANTS, principals=sorted(principals), most=MANY_GRANTS
        ).scalar_one()
        return counted >= MANY_GRANTS

    def _settle(self, statement: Any, name: ProjectName, expected: int, **values: Any) -> None:
        values |= {"of_name": name, "expected": expected}
        self._run.change(statement, values, kind="project", name=name)

    def _add_grant(self, name: ProjectName, who: Principal, role: Role) -> None:
        values = {"project": name, "principal": who, "role": role.value}
        self._run.insert(insert(grants), values, kind="project", name=name)


def hold_project(run: Runner, name: ProjectName) -> None:
    """Lock a project's row. Raises ``Conflict`` unless it is there and not deleted."""
    if run.rows(_HOLD, of_name=name).one_or_none() is None:
        raise Conflict("project", name)


def _project(row: Row[Any], given: dict[Principal, Role]) -> Project:
    return Project(
        name=ProjectName(row.name),
        display_name=row.display_name,
        public=row.public,
        created_at=row.created_at,
        created_by=row.created_by,
        grants=given,
        serial=row.serial,
        deleted_at=row.deleted_at,
        latest=_latest(row),
    )


def project_values(project: Project) -> dict[str, Any]:
    """Return the row of a project."""
    return {
        "name": project.name,
        "public": project.public,
        "created_at": project.created_at,
        "created_by": project.created_by,
        "serial": project.serial,
        "deleted_at": project.deleted_at,
        **_latest_values(project.name, project.display_name, project.latest),
    }


def _found(row: Row[Any]) -> FoundProject:
    return FoundProject(ProjectName(row.name), row.display_name, row.public, _latest(row))


def _latest(row: Row[Any]) -> Latest | None:
    if row.latest_version is None:
        return None
    return Latest(row.latest_version, row.latest_summary, row.latest_at)


def _latest_values(name: ProjectName, display_name: str, latest: Latest | None) -> dict[str, Any]:
    return {
        "display_name": display_name,
        "latest_version": latest and latest.version,
        "latest_summary": latest and latest.summary,
        "latest_at": latest and latest.at,
        "searched": searched_text(name, display_name, latest),
    }


def _finds(word: str) -> ColumnElement[bool]:
    """Return the condition under which a search finds a project by ``word``."""
    return or_(*(projects.c.searched.contains(form, autoescape=True) for form in searched_forms(word)))
