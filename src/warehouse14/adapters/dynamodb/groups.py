"""Groups in a table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.accounts import require_account
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Group
from warehouse14.domain.names import AccountName, GroupName


class DynamoGroups:
    """Implements ``Groups``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, name: GroupName) -> Group | None:
        """See the port."""
        return group_of(self._moment, name)

    def all(self) -> Sequence[Group]:
        """See the port."""
        return [group for group in self.ever() if group.deleted_at is None]

    def ever(self) -> Sequence[Group]:
        """See the port."""
        return people_rows.groups(self._moment.table.query(keys.GROUPS))

    def of(self, account: AccountName) -> Sequence[GroupName]:
        """See the port."""
        noted = self._moment.kept.get((keys.FIRST_GROUP, account))
        if noted is None:
            noted = self._moment.table.query(
                keys.of_account(account), first=keys.FIRST_GROUP, last=keys.LAST_GROUP
            )
        names = [GroupName(item["group"]) for item in noted]
        there = self._moment.table.get_many(map(keys.group, names))
        return [name for name in names if there.get(keys.group(name), {"deleted": ""}).get("deleted") is None]

    def create(self, group: Group) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            if found.get(key) is not None:
                raise Conflict("group", group.name)
            found.put(people_rows.group_item(group))
            for account, admin in group.members.items():
                require_account(found, account)
                found.put(*people_rows.member_items(group.name, account, admin))

        key = keys.group(group.name)
        self._moment.change([key, *map(keys.account, group.members)], apply)

    def set_member(self, name: GroupName, account: AccountName, admin: bool) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            _live_group(found, name)
            require_account(found, account)
            found.put(*people_rows.member_items(name, account, admin))

        self._moment.change([keys.group(name), keys.account(account)], apply)

    def remove_member(self, name: GroupName, account: AccountName) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            _live_group(found, name)
            if found.get(place) is None:
                raise Conflict("member", account)
            found.delete(place, keys.membership(account, name))

        place = keys.member(name, account)
        self._moment.change([keys.group(name), place], apply)

    def delete(self, name: GroupName, at: datetime) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            found.change(_live_group(found, name), deleted=rows.written(at))

        self._moment.change([keys.group(name)], apply)


def group_of(moment: Moment, name: GroupName) -> Group | None:
    """Return a group with its members, or None."""
    partition, place = keys.group(name)
    row = moment.table.get((partition, place))
    if row is None:
        return None
    members = moment.table.query(partition, first=f"{place}#", last=f"{place}#{keys.END}")
    (group,) = people_rows.groups([row, *members])
    return group


def _live_group(found: Rows, name: GroupName) -> dict[str, Any]:
    row = found.get(keys.group(name))
    if row is None or row.get("deleted") is not None:
        raise Conflict("group", name)
    return row
