"""Whether rows belong together, so that a store can take all of them, and a site use them."""

import re
from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from warehouse14.domain.archives.filenames import ALL_EXTENSIONS
from warehouse14.domain.credentials import checked_password_hash, token_id
from warehouse14.domain.lengths import (
    ACTION,
    DIGEST,
    GROUP,
    MOST_DAYS,
    NAME,
    PASSWORD_HASH,
    PRINCIPAL,
    PROVIDER,
    TOKEN,
)
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token
from warehouse14.domain.names import (
    PROVIDER_GROUP_LENGTH,
    VERSION_LENGTH,
    AccountName,
    FileName,
    Principal,
    account_name,
    file_name,
    group_name,
    group_provider,
    is_service_name,
    principal,
    principal_account,
    project_name,
    provider_name,
)
from warehouse14.domain.origins import networks
from warehouse14.domain.services.belonging import service_account

Row = Account | Group | Login | Token | Project | File | Change

#: How many characters stores keep of what a row says, but for names that are checked as such.
_LENGTHS: Mapping[type[Row], Mapping[str, int]] = {
    Account: {"name": NAME, "password_hash": PASSWORD_HASH, "vouched.email": NAME},
    Group: {"name": GROUP, "created_by": NAME},
    Login: {"issuer": PRINCIPAL, "subject": PRINCIPAL, "provider": PROVIDER},
    Token: {
        "id": TOKEN,
        "name": NAME,
        "reach.project": NAME,
        "reach.prefix": NAME,
        "secret_sha256": DIGEST,
        "last_used_from": NAME,
        "last_used_by": NAME,
    },
    Project: {"display_name": NAME, "created_by": NAME, "latest.version": VERSION_LENGTH},
    File: {"version": VERSION_LENGTH, "uploaded_by": NAME, "yank.by": NAME},
    Change: {
        "action": ACTION,
        "actor": NAME,
        "origin": NAME,
        "project": NAME,
        "account": NAME,
        "token": TOKEN,
        "group": GROUP,
        "by_token": TOKEN,
    },
}
#: The largest serial of an entry: those after it have to be numbers that every engine keeps, too.
_MOST_SERIAL = 2**62
#: The last year of a sign-in: the time for which it counts is added to it.
_LAST_YEAR = 9000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


def checked_digest(text: str) -> str:
    """Return ``text``. Raises ``ValueError`` unless it is 256 bits in hex."""
    if not _DIGEST.match(text):
        raise ValueError(f"{text!r:.80} is no digest")
    return text


def _check_lengths(row: Row) -> None:
    for path, most in _LENGTHS[type(row)].items():
        _check_length(path, _value(row, path), most)


def _check_length(what: str, text: str | None, most: int) -> None:
    if text is not None and len(text) > most:
        raise ValueError(f"{what} has more than {most} characters: {text!r:.40}...")


def _value(row: Row, path: str) -> str | None:
    """Return what a row says under names with dots between them, or None if it says nothing there."""
    found: Any = row
    for name in path.split("."):
        found = None if found is None else getattr(found, name)
    return found  # type: ignore[no-any-return]


def _is_account(name: str) -> bool:
    """Whether an account can have this name. Raises ``Rejected`` for what is none in any spelling."""
    return name == (service_account(name) if is_service_name(name) else account_name(name))


def _is_principal(who: Principal) -> bool:
    """Whether somebody can have been granted something under this name. Raises ``Rejected`` as above.

    The names of groups at identity providers are held to no more than a store keeps: what may be granted
    today was not always the same, and which characters can be printed every release of Python knows better.
    """
    account, provider = principal_account(who), group_provider(who)
    if provider is not None:
        return provider == provider_name(provider) and 0 < len(_group_of(who)) <= PROVIDER_GROUP_LENGTH
    return who == principal(who) if account is None else _is_account(account)


def _group_of(who: Principal) -> str:
    """Return what an identity provider calls the group that a principal names."""
    return who.partition("/")[2]


def _as_compared(text: str) -> str:
    """Return what MariaDB compares of a text: it passes over spaces at the end."""
    return text.rstrip(" ")


class Check:
    """Looks at rows in the order in which they are put: what others refer to comes before them.

    Each call raises ``ValueError`` for a row that does not go with those before, or with a journal that ends
    at the entry ``last``.
    """

    def __init__(self, last: int) -> None:
        self._last = last
        #: The serial of the last entry of the journal.
        self.serial = 0
        self._accounts: set[AccountName] = set()
        self._others: set[tuple[str, ...]] = set()
        self._project: Project | None = None
        self._files: set[FileName] = set()

    def __call__(self, row: Row) -> None:
        """Look at the next row."""
        _check_lengths(row)
        match row:
            case Project():
                self._next_project(row)
            case File():
                self._next_file(row)
            case Change():
                self._next_change(row)
            case _:
                self._next_of_people(row)

    def _next_of_people(self, row: Account | Group | Login | Token) -> None:
        match row:
            case Account():
                self._next_account(row)
            case Group():
                self._require(group_name(row.name) == row.name, f"{row.name!r} is no group")
                self._once("group", row.name)
                for name in row.members:
                    self._known(name)
            case Login():
                is_named = bool(row.issuer and row.subject)
                self._require(is_named, f"{row.subject!r:.80} at {row.issuer!r:.80} is nobody")
                self._once("login", _as_compared(row.issuer), _as_compared(row.subject))
                self._known(row.account)
            case Token():
                self._next_token(row)

    def _next_account(self, account: Account) -> None:
        self._require(_is_account(account.name), f"{account.name!r} is no account")
        self._once("account", account.name)
        self._accounts.add(account.name)
        if account.password_hash is not None:
            checked_password_hash(account.password_hash)
        if account.vouched is not None:
            for group in account.vouched.groups:
                _check_length("a group", group, PRINCIPAL)
            for at in account.vouched.seen.values():
                self._require(at.year <= _LAST_YEAR, f"{account.name!r} has signed in in the year {at.year}")

    def _next_token(self, token: Token) -> None:
        self._require(token_id(token.id) == token.id, f"{token.id!r} is no id of a token")
        self._once("token", token.id)
        self._known(token.account)
        self._require(token.days is None or token.days <= MOST_DAYS, f"{token.days} days are too many")
        self._require(bool(token.scopes), f"the token {token.id!r} is for nothing")
        checked_digest(token.secret_sha256)
        networks(token.addresses)

    def _next_project(self, project: Project) -> None:
        self._require(project_name(project.name) == project.name, f"{project.name!r} is no project")
        self._once("project", project.name)
        is_in_journal = 0 < project.serial <= self._last
        self._require(is_in_journal, f"the journal has no entry {project.serial} for {project.name!r}")
        self._project, self._files = project, set()
        for who in project.grants:
            _check_length("a principal", who, PRINCIPAL)
            self._require(_is_principal(who), f"{who!r} is nobody")
        are_apart = len({_as_compared(who) for who in project.grants}) == len(project.grants)
        self._require(
            are_apart, f"two have roles on {project.name!r} whose names differ in spaces at the end"
        )
        if project.latest is not None:
            Version(project.latest.version)

    def _next_file(self, file: File) -> None:
        is_own = self._project is not None and file.project == self._project.name
        self._require(is_own, f"the file {file.filename!r} is not of the project before it")
        self._require(file.filename not in self._files, f"the file {file.filename!r} occurs twice")
        self._files.add(file_name(file.filename))
        self._require(file.filename.endswith(ALL_EXTENSIONS), f"{file.filename!r} is no distribution file")
        Version(file.version)
        for digest in (file.sha256, file.blake2_256, file.metadata_sha256):
            if digest is not None:
                checked_digest(digest)

    def _next_change(self, change: Change) -> None:
        self._require(change.serial > self.serial, f"the entry {change.serial} comes after {self.serial}")
        self._require(change.serial <= _MOST_SERIAL, f"no entry could come after {change.serial}")
        self.serial = change.serial

    def _known(self, name: AccountName) -> None:
        self._require(name in self._accounts, f"there is no account {name!r} before what is said of it")

    def _once(self, kind: str, *names: str) -> None:
        self._require((kind, *names) not in self._others, f"the {kind} {names[-1]!r} occurs twice")
        self._others.add((kind, *names))

    @staticmethod
    def _require(holds: bool, otherwise: str) -> None:
        if not holds:
            raise ValueError(otherwise)
