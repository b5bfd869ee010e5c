"""Groups of accounts: who is in them, and who says so."""

from collections.abc import Iterable, Mapping, Sequence

from warehouse14.domain.access import Identity, SiteRules, sees_group
from warehouse14.domain.errors import AlreadyExists, Forbidden, NotFound, Rejected
from warehouse14.domain.model import Action, Group
from warehouse14.domain.names import AccountName, GroupName, ProjectName, account_name, group_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import existing_account
from warehouse14.domain.services.standings import hold_for
from warehouse14.domain.services.working import ROLES, attempt, entry, managed_group, seen_group

#: How many projects a message names.
_MOST_NAMED = 20


class GroupService:
    """The use cases on groups.

    A group has an admin as long as it has members. One that is deleted keeps
    its name, so that what was granted to it never comes back to life.
    """

    def __init__(self, units: Units, now: Now, rules: SiteRules) -> None:
        self._units = units
        self._now = now
        self._rules = rules

    def create(self, identity: Identity, name: str, *, admin: str | None = None) -> Group:
        """Take a new name and return its group.

        Args:
            identity: who acts; its account becomes the first admin.
            name: what the group is to be called.
            admin: for the operator, who is no account: the account that becomes the first admin.

        Raises:
            Rejected: the name is malformed, or there would be no admin.
            AlreadyExists: the name is or was taken.
            Forbidden: the identity is a token, or names another account, or the settings name the group
                and it is no administrator.
            NotFound: there is no account ``admin``.
        """
        owner = _first_admin(identity, admin)
        group = Group(group_name(name, field="name"), self._now(), identity.name, {owner: True})
        self._require_unnamed(identity, group)

        def work(unit: UnitOfWork) -> Group:
            self._require_unnamed(hold_for(unit, identity, self._rules, self._now), group)
            existing_account(unit, owner)
            if unit.groups.get(group.name) is not None:
                raise AlreadyExists("group", group.name, f"The group name {group.name} is taken.")
            unit.groups.create(group)
            unit.journal.append(
                entry(Action.GROUP_CREATE, identity, self._now, account=owner, group=group.name)
            )
            return group

        return attempt(self._units, work)

    def _require_unnamed(self, identity: Identity, group: Group) -> None:
        """Raise ``Forbidden`` if the settings name the group, unless an administrator creates it: or whoever
        comes first would be who they mean."""
        if self._rules.names(group.principal) and not identity.administrator:
            raise Forbidden(
                f"The group {group.name} stands in the settings of this site. Its administrators create it."
            )

    def get(self, identity: Identity, name: str) -> Group:
        """Return a group that ``identity`` may see, or raise ``NotFound``."""
        with self._units.read() as unit:
            return seen_group(unit, identity, group_name(name))

    def listed(self, identity: Identity) -> Sequence[Group]:
        """Return the groups that ``identity`` may see, by name: its own; to administrators and the operator
        all."""
        with self._units.read() as unit:
            if identity.administrator or identity.account is None:
                found = unit.groups.all()
            else:
                names = unit.groups.of(identity.account)
                found = [group for name in names if (group := unit.groups.get(name)) is not None]
        return [group for group in found if sees_group(identity, group)]

    def known(self, names: Iterable[GroupName]) -> Mapping[GroupName, Group]:
        """Return those of ``names`` that are groups and not deleted, for a caller who decides what of them is
        shown."""
        with self._units.read() as unit:
            found = [unit.groups.get(name) for name in names]
        return {group.name: group for group in found if group is not None and group.deleted_at is None}

    def add(self, identity: Identity, group: str, account: str, *, admin: bool = False) -> bool:
        """Add an account, or change the rank of one that is in it; return whether that is new.

        Raises:
            Rejected: a name is malformed, or the group would have no admin.
            NotFound: no such group to this identity, or no such account.
            Forbidden: the identity may not change it.
        """
        name, member = group_name(group), account_name(account)

        def work(unit: UnitOfWork) -> bool:
            found = self._managed(unit, identity, name)
            existing_account(unit, member)
            if found.members.get(member) is admin:
                return False
            _keep_an_admin(found, {**found.members, member: admin})
            unit.groups.set_member(name, member, admin)
            detail = {"role": "admin" if admin else "member"}
            unit.journal.append(
                entry(Action.GROUP_ADD, identity, self._now, account=member, group=name, detail=detail)
            )
            return True

        return attempt(self._units, work)

    def remove(self, identity: Identity, group: str, account: str) -> None:
        """Remove an account.

        Raises:
            Rejected: a name is malformed, the group would have no admin, or it is the last member and
                projects would have no admin.
            NotFound: no such group to this identity, or the account is not in it.
            Forbidden: the identity may not change it.
        """
        name, member = group_name(group), account_name(account)

        def work(unit: UnitOfWork) -> None:
            found = self._managed(unit, identity, name)
            if member not in found.members:
                raise NotFound("member", member)
            left = {account: admin for account, admin in found.members.items() if account != member}
            _keep_an_admin(found, left)
            if not left:
                _keep_projects(unit, found, f"cannot lose its last member, {member}")
            unit.groups.remove_member(name, member)
            unit.journal.append(entry(Action.GROUP_REMOVE, identity, self._now, account=member, group=name))

        attempt(self._units, work)

    def delete(self, identity: Identity, group: str) -> None:
        """Delete a group; its name stays taken, and what was granted to it counts for nothing.

        Raises:
            Rejected: the name is malformed, or projects would have no admin.
            NotFound: no such group to this identity.
            Forbidden: the identity may not delete it.
        """
        name = group_name(group)

        def work(unit: UnitOfWork) -> None:
            found = self._managed(unit, identity, name)
            _keep_projects(unit, found, "cannot be deleted")
            unit.groups.delete(name, self._now())
            unit.journal.append(entry(Action.GROUP_DELETE, identity, self._now, group=name))

        attempt(self._units, work)

    def _managed(self, unit: UnitOfWork, identity: Identity, name: GroupName) -> Group:
        """Hold what others wait for on the whole site, and return a group that ``identity`` manages by then:
        what it changes outlasts its own rank. Raises as the use cases do, and ``Forbidden`` for an account
        that may not act any more."""
        return managed_group(unit, hold_for(unit, identity, self._rules, self._now, ROLES), name)


def _first_admin(identity: Identity, admin: str | None) -> AccountName:
    if identity.account is None:
        if admin is None:
            raise Rejected("admin: name the account that is to be the group's admin.", field="admin")
        return account_name(admin, field="admin")
    if identity.token is not None or identity.is_service:
        raise Forbidden("A token manages no groups. Sign in to the browser.")
    if admin is not None and account_name(admin, field="admin") != identity.account:
        raise Forbidden("Whoever creates a group is its first admin. Add others afterwards.")
    return identity.account


def _keep_an_admin(group: Group, members: Mapping[AccountName, bool]) -> None:
    """Raise ``Rejected`` if nobody among those who are to be the ``members`` is an admin."""
    if members and not any(members.values()):
        raise Rejected(
            f"The group {group.name} needs an admin. Make somebody else an admin of it first.",
            field="account",
        )


def _keep_projects(unit: UnitOfWork, group: Group, what: str) -> None:
    """Raise ``Rejected`` if there are projects of which the group is the last admin."""
    projects = unit.projects.hanging_on(group.principal)
    if projects:
        raise Rejected(
            f"The group {group.name} {what}: it is the last admin of {_hanging(projects)}. "
            "Give somebody else the role admin there first.",
            field="group",
        )


def _hanging(names: Sequence[ProjectName]) -> str:
    """Return how a sentence lists projects, the first twenty of them."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
