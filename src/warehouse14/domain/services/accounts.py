"""Accounts: who may sign in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from warehouse14.domain.access import Identity, Permission, SiteRules, operator
from warehouse14.domain.credentials import hash_password, password_matches, random_password
from warehouse14.domain.errors import AlreadyExists, Forbidden, NotFound, Rejected
from warehouse14.domain.model import Account, Action
from warehouse14.domain.names import AccountName, account_name, new_account_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.holding import hold_account, require_signed_in
from warehouse14.domain.services.invitations import take_up
from warehouse14.domain.services.working import attempt, entry, require_site

FIRST_ADMINISTRATOR = AccountName("admin")
#: What a unit holds that takes the rank of an administrator away, or that gives what it counts on.
ADMINISTRATORS = ":administrators"

_PASSWORD_LEAST = 8
_PASSWORD_MOST = 1000


class AccountService:
    """The use cases on accounts."""

    def __init__(self, units: Units, now: Now, rules: SiteRules) -> None:
        self._units = units
        self._rules = rules
        self._now = now

    @property
    def by_settings(self) -> frozenset[AccountName]:
        """The accounts that the site's settings make administrators."""
        return self._rules.administrators

    def add(
        self,
        identity: Identity,
        name: str,
        *,
        password: str | None = None,
        once: bool = False,
        administrator: bool = False,
    ) -> Account:
        """Add an account and return it; ``once``: its password only opens the page that replaces it.

        Raises:
            Rejected: the name or the password is malformed.
            AlreadyExists: the name is taken.
            Forbidden: the identity is no administrator.
        """
        require_site(identity, Permission.ADMINISTER)
        account = Account(
            name=new_account_name(name),
            administrator=administrator,
            created_at=self._now(),
            password_hash=None if password is None else _hashed(password),
            password_once=once,
        )
        attempt(self._units, lambda unit: self._add(unit, identity, account))
        # Whoever may add an account of this name vouches for its address.
        take_up(self._units, self._now, identity, account.name, account=account.name)
        return account

    def _add(self, unit: UnitOfWork, identity: Identity, account: Account) -> None:
        hold_as_administrator(unit, identity, self._rules)
        if unit.accounts.get(account.name) is not None:
            raise AlreadyExists("account", account.name, f"The account name {account.name} is taken.")
        unit.accounts.add(account)
        unit.journal.append(entry(Action.ACCOUNT_ADD, identity, self._now, account=account.name))

    def add_first_administrator(self) -> str | None:
        """On a site without accounts, add the administrator ``admin`` and return its password."""
        identity = operator()
        with self._units.read() as unit:
            if unit.accounts.all():
                return None
        password = random_password()
        try:
            self.add(identity, FIRST_ADMINISTRATOR, password=password, once=True, administrator=True)
        except AlreadyExists:
            return None
        return password

    def get(self, identity: Identity, name: str) -> Account:
        """Return an account. Raises ``NotFound`` and, for another's, ``Forbidden``."""
        wanted = account_name(name)
        if identity.account != wanted:
            require_site(identity, Permission.ADMINISTER)
        with self._units.read() as unit:
            return self._rules.ranked(existing_account(unit, wanted))

    def listed(self, identity: Identity) -> Sequence[Account]:
        """Return all accounts but those of services, by name. Raises ``Forbidden``."""
        require_site(identity, Permission.ADMINISTER)
        with self._units.read() as unit:
            people = (account for account in unit.accounts.all() if not account.is_service)
            return [self._rules.ranked(account) for account in people]

    def known(self, names: Iterable[AccountName]) -> Mapping[AccountName, Account]:
        """Return those of ``names`` that are accounts, for a caller who decides what of them is shown."""
        with self._units.read() as unit:
            found = [unit.accounts.get(name) for name in names]
        return {account.name: account for account in found if account is not None}

    def set_password(
        self, identity: Identity, name: str, password: str, *, instead_of: Account | None = None
    ) -> None:
        """Replace a password, and end the account's sessions, all but the one that this is done in.

        One that another account set is to be replaced at the first sign-in.

        Args:
            identity: who acts.
            name: the account's name.
            password: the new one.
            instead_of: the account when its old password was checked, if it was: one that was
                given another password since, or may not act any more, is left alone.

        Raises:
            Rejected: the password is malformed, or the old one is no longer the account's.
            NotFound: there is no such account.
            Forbidden: it is another's, and ``identity`` is no administrator, or was signed out.
        """
        wanted = account_name(name)
        is_own = identity.account == wanted and identity.token is None
        if not is_own:
            require_site(identity, Permission.ADMINISTER)
        hashed = _hashed(password)
        once = not is_own and not identity.is_operator

        def work(unit: UnitOfWork) -> None:
            if is_own:
                hold_account(unit, wanted)
            else:
                hold_as_administrator(unit, identity, self._rules, wanted)
            found = existing_account(unit, wanted)
            if instead_of is not None and not (
                found.may_act and found.password_hash == instead_of.password_hash
            ):
                raise Rejected(
                    "old_password: it was replaced meanwhile. Nothing was changed.", field="old_password"
                )
            require_signed_in(unit, identity)
            unit.accounts.set_password(wanted, hashed, once=once)
            unit.sessions.end_of(wanted, but=identity.session if is_own else None)
            unit.journal.append(entry(Action.ACCOUNT_PASSWORD, identity, self._now, account=wanted))

        attempt(self._units, work)

    def reset_password(self, identity: Identity, name: str) -> str:
        """Give an account a new random password, to be replaced at the first sign-in, and return it.

        Raises ``NotFound``, ``Forbidden``, and ``Rejected`` for one's own account.
        """
        if identity.account == account_name(name):
            raise Rejected("account: change your own password on your account's page.", field="account")
        password = random_password()
        self.set_password(identity, name, password)
        return password

    def set_disabled(self, identity: Identity, name: str, *, disabled: bool) -> bool:
        """Disable or enable an account; return whether that is new. Its tokens follow it, its sessions
        end. One that is enabled, but kept out by the rules of a provider, is let in until its owner fails
        them again.

        Nobody disables their own account, and of two administrators who disable each other at
        once one stays: so there is always one, but for what the operator does.

        Raises ``NotFound``, ``Forbidden``, and ``Rejected`` for one's own account.
        """
        require_site(identity, Permission.ADMINISTER)
        wanted = account_name(name)
        if disabled and identity.account == wanted:
            raise Rejected("account: you are signed in with that account: it stays enabled.", field="account")

        def work(unit: UnitOfWork) -> bool:
            hold_as_administrator(unit, identity, self._rules, wanted)
            found = existing_account(unit, wanted)
            detail: dict[str, str] = {}
            if found.disabled is not disabled:
                unit.accounts.set_disabled(wanted, disabled)
            elif not disabled and found.vouched and found.vouched.kept_out:
                unit.accounts.set_vouched(wanted, replace(found.vouched, kept_out=frozenset()))
                detail = {"kept_out_by": ", ".join(sorted(found.vouched.kept_out))}
            else:
                return False
            if disabled:
                unit.sessions.end_of(wanted, but=None)
            action = Action.ACCOUNT_DISABLE if disabled else Action.ACCOUNT_ENABLE
            unit.journal.append(entry(action, identity, self._now, account=wanted, detail=detail))
            return True

        return attempt(self._units, work)

    def set_administrator(self, identity: Identity, name: str, *, administrator: bool) -> bool:
        """Make an account an administrator of the site, or an ordinary one again; return whether that is
        new.

        Nobody takes their own rank away, and of two administrators who take it from each other at once one
        stays. What the site's settings say is changed there.

        Raises ``NotFound``, ``Forbidden``, and ``Rejected`` for the rank of one's own account and one that
        the settings give.
        """
        require_site(identity, Permission.ADMINISTER)
        wanted = account_name(name)
        if not administrator and identity.account == wanted:
            raise Rejected(
                "account: you are signed in with that account: it stays an administrator.", field="account"
            )

        def work(unit: UnitOfWork) -> bool:
            hold_as_administrator(unit, identity, self._rules, wanted)
            found = existing_account(unit, wanted)
            if not administrator and wanted in self.by_settings:
                raise Rejected(
                    f"account: the settings of this site make {wanted} an administrator.", field="account"
                )
            if found.administrator is administrator:
                return False
            unit.accounts.set_administrator(wanted, administrator)
            action = Action.ACCOUNT_PROMOTE if administrator else Action.ACCOUNT_DEMOTE
            unit.journal.append(entry(action, identity, self._now, account=wanted))
            return True

        return attempt(self._units, work)

    def check_password(self, name: str, password: str) -> Account | None:
        """Return the account whose password this is, or None; both answers take as long."""
        try:
            wanted = account_name(name)
        except Rejected:
            password_matches(password, None)
            return None
        with self._units.read() as unit:
            account = unit.accounts.get(wanted)
        matches = password_matches(password, account.password_hash if account else None)
        return account if account and matches and account.may_act else None


def hold_as_administrator(
    unit: UnitOfWork, identity: Identity, rules: SiteRules, *others: AccountName
) -> None:
    """Let nobody take the rank of an administrator away, nor end what they came by, until this unit ends; nor
    change the ``others``, which the unit changes. Raises ``Forbidden`` if the account that acts may not act
    any more, lost its rank meanwhile, or was signed out."""
    unit.hold(ADMINISTRATORS)
    held = others if identity.account is None else (identity.account, *others)
    for name in dict.fromkeys(held):
        hold_account(unit, name)
    _require_still_administrator(unit, identity, rules)


def _require_still_administrator(unit: UnitOfWork, identity: Identity, rules: SiteRules) -> None:
    if identity.is_operator:
        return
    found = unit.accounts.get(identity.account) if identity.account else None
    is_one = found is not None and found.may_act and rules.ranked(found).administrator
    if not is_one:
        raise Forbidden("You are no longer an administrator of this site.")
    require_signed_in(unit, identity)


def enabled_account(unit: UnitOfWork, name: AccountName) -> Account:
    """Return an account that may act. Raises ``NotFound``, and ``Rejected`` for one that is disabled."""
    account = existing_account(unit, name)
    if not account.may_act:
        raise Rejected(f"The account {name} is disabled.", field="account")
    return account


def existing_account(unit: UnitOfWork, name: AccountName) -> Account:
    """Return an account, a disabled one too. Raises ``NotFound``."""
    account = unit.accounts.get(name)
    if account is None:
        raise NotFound("account", name)
    return account


def _hashed(password: str) -> str:
    if not _PASSWORD_LEAST <= len(password) <= _PASSWORD_MOST:
        raise Rejected(f"password: use {_PASSWORD_LEAST} to {_PASSWORD_MOST} characters.", field="password")
    return hash_password(password)
