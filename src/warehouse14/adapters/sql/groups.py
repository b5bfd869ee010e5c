"""Groups in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, insert, select, update

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import accounts, group_members, groups
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Group
from warehouse14.domain.names import AccountName, GroupName

_GET = select(groups).where(groups.c.name == bindparam("of_name"))
_MEMBERS = (
    select(group_members.c.group, group_members.c.account, group_members.c.admin)
    .join(groups, groups.c.name == group_members.c.group)
    .order_by(group_members.c.group, group_members.c.account)
)
_MEMBERS_OF = _MEMBERS.where(group_members.c.group == bindparam("of_name"))
_EVER = select(groups).order_by(groups.c.name)
_ALL = _EVER.where(groups.c.deleted_at.is_(None))
_ALL_MEMBERS = _MEMBERS.where(groups.c.deleted_at.is_(None))
_OF = (
    select(group_members.c.group)
    .join(groups, groups.c.name == group_members.c.group)
    .where(group_members.c.account == bindparam("of_account"), groups.c.deleted_at.is_(None))
    .order_by(group_members.c.group)
)
_THERE = update(groups).where(groups.c.name == bindparam("of_name"), groups.c.deleted_at.is_(None))
#: Changes nothing, but holds the row until the commit, if the group is there.
_LOCK = _THERE.values(created_by=groups.c.created_by)
_DELETE = _THERE.values(deleted_at=bindparam("at"))
_ACCOUNT = select(accounts.c.name).where(accounts.c.name == bindparam("of_name"))
_OF_MEMBER = (
    group_members.c.group == bindparam("of_name"),
    group_members.c.account == bindparam("of_account"),
)
_SET_RANK = update(group_members).where(*_OF_MEMBER).values(admin=bindparam("new_admin"))
_REMOVE = delete(group_members).where(*_OF_MEMBER)


class SqlGroups:
    """Implements ``Groups``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, name: GroupName) -> Group | None:
        """See the port."""
        row = self._run.rows(_GET, of_name=name).one_or_none()
        if row is None:
            return None
        found = self._run.rows(_MEMBERS_OF, of_name=name)
        return _group(row, {AccountName(member.account): member.admin for member in found})

    def all(self) -> Sequence[Group]:
        """See the port."""
        return self._found(_ALL, _ALL_MEMBERS)

    def ever(self) -> Sequence[Group]:
        """See the port."""
        return self._found(_EVER, _MEMBERS)

    def _found(self, rows: Select[Any], of_rows: Select[Any]) -> Sequence[Group]:
        members: dict[str, dict[AccountName, bool]] = {}
        for member in self._run.rows(of_rows):
            members.setdefault(member.group, {})[AccountName(member.account)] = member.admin
        return [_group(row, members.get(row.name, {})) for row in self._run.rows(rows)]

    def of(self, account: AccountName) -> Sequence[GroupName]:
        """See the port."""
        return [GroupName(name) for name in self._run.rows(_OF, of_account=account).scalars()]

    def create(self, group: Group) -> None:
        """See the port."""
        self._run.insert(insert(groups), group_values(group), kind="group", name=group.name)
        for account, admin in group.members.items():
            self._add(group.name, account, admin)

    def set_member(self, name: GroupName, account: AccountName, admin: bool) -> None:
        """See the port."""
        self._run.change(_LOCK, {"of_name": name}, kind="group", name=name)
        changed = self._run.rows(_SET_RANK, of_name=name, of_account=account, new_admin=admin)
        if changed.rowcount == 0:
            self._add(name, account, admin)

    def remove_member(self, name: GroupName, account: AccountName) -> None:
        """See the port."""
        self._run.change(_LOCK, {"of_name": name}, kind="group", name=name)
        values = {"of_name": name, "of_account": account}
        self._run.change(_REMOVE, values, kind="member", name=account)

    def delete(self, name: GroupName, at: datetime) -> None:
        """See the port."""
        self._run.change(_DELETE, {"of_name": name, "at": at}, kind="group", name=name)

    def _add(self, name: GroupName, account: AccountName, admin: bool) -> None:
        if self._run.rows(_ACCOUNT, of_name=account).one_or_none() is None:
            raise Conflict("account", account)
        values = {"group": name, "account": account, "admin": admin}
        self._run.insert(insert(group_members), values, kind="group", name=name)


def group_values(group: Group) -> dict[str, Any]:
    """Return the row of a group."""
    return {
        "name": group.name,
        "created_at": group.created_at,
        "created_by": group.created_by,
        "deleted_at": group.deleted_at,
    }


def _group(row: Row[Any], members: dict[AccountName, bool]) -> Group:
    return Group(
        name=GroupName(row.name),
        created_at=row.created_at,
        created_by=row.created_by,
        members=members,
        deleted_at=row.deleted_at,
    )
