"""Who the people of an old site are at this one."""

from collections.abc import Iterator
from typing import TypeAlias

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Account, Role
from warehouse14.domain.moving.outcomes import AccountTaken, Outcome, Wishes
from warehouse14.domain.names import AccountName, account_name, new_account_name
from warehouse14.domain.ports import OldProject, Units, Untaken
from warehouse14.domain.services.accounts import AccountService

#: The roles of accounts of this site, or of addresses that are to be invited.
Roles: TypeAlias = dict[AccountName, Role]


class OldPeople:
    """Finds the accounts here that people of an old site are, by the names that they had there."""

    def __init__(self, units: Units, accounts: AccountService, actor: Identity, wishes: Wishes) -> None:
        self._units = units
        self._accounts = accounts
        self._actor = actor
        self._wishes = wishes
        self._added: set[AccountName] = set()

    def roles(self, old: OldProject, found: Roles) -> Iterator[Outcome]:
        """Put the roles of a project's people into ``found``, and yield what else came of it.

        Whoever has no account here is invited, if the name is an e-mail address.
        """
        for raw, role in sorted(old.roles.items()):
            where = f"{old.name}: {role} {raw}"
            try:
                who = account_name(raw)
                if found.get(who, role) is not role:
                    found[who] = Role.MEMBER
                    yield Untaken(where, f"{who} is there twice with other roles, and becomes a member")
                    continue
                yield from self._add(who)
            except Rejected as error:
                yield Untaken(where, str(error))
            else:
                found[who] = role

    def may_own(self, name: AccountName) -> bool:
        """Whether there is an account of this name that may act."""
        account = self._account(name)
        return name in self._added or (account is not None and account.may_act)

    def _add(self, name: AccountName) -> Iterator[Outcome]:
        """Add an account if that is wished for. Raises ``Rejected`` for one that would be needed."""
        if name in self._added or "@" in name or self._account(name) is not None:
            return
        new_account_name(name)
        if not self._wishes.add_accounts:
            raise Rejected(
                f"there is no account {name}. Add it, or let --add-accounts do so, and run this again.",
                field="account",
            )
        if not self._wishes.is_trial:
            self._accounts.add(self._actor, name)
        self._added.add(name)
        yield AccountTaken(name)

    def _account(self, name: AccountName) -> Account | None:
        with self._units.read() as unit:
            return unit.accounts.get(name)
