"""Groups in memory."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from warehouse14.adapters.memory.moment import Moment
from warehouse14.domain.model import Group
from warehouse14.domain.names import AccountName, GroupName


class MemoryGroups:
    """The groups as one unit sees them."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: GroupName) -> Group | None:
        """Return the group, a deleted one too, or None."""
        return self._moment.tables.groups.get(name)

    def all(self) -> Sequence[Group]:
        """Return the groups that are not deleted, by name."""
        return [group for group in self.ever() if group.deleted_at is None]

    def ever(self) -> Sequence[Group]:
        """Return all groups, deleted ones too, by name."""
        return sorted(self._moment.tables.groups.values(), key=attrgetter("name"))

    def of(self, account: AccountName) -> Sequence[GroupName]:
        """Return the groups that an account is in, by name."""
        return [group.name for group in self.all() if account in group.members]

    def create(self, group: Group) -> None:
        """Take a name."""
        self._moment.change(("group", group.name), lambda tables: tables.create_group(group))

    def set_member(self, name: GroupName, account: AccountName, admin: bool) -> None:
        """Add an account, or change its rank."""
        self._moment.change(("group", name, account), lambda tables: tables.set_member(name, account, admin))

    def remove_member(self, name: GroupName, account: AccountName) -> None:
        """Remove an account."""
        self._moment.change(("group", name, account), lambda tables: tables.remove_member(name, account))

    def delete(self, name: GroupName, at: datetime) -> None:
        """Mark a group deleted."""
        self._moment.change(("group", name), lambda tables: tables.delete_group(name, at))
