"""Whether rows belong together, so that a store can take all of them."""

import re
from collections.abc import Mapping
from typing import Any

from packaging.version import Version

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
from warehouse14.domain.names import VERSION_LENGTH, AccountName, FileName, file_name, project_name

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
                self._require(row.serial > self.serial, f"the entry {row.serial} comes after {self.serial}")
                self.serial = row.serial
            case _:
                self._next_of_people(row)

    def _next_of_people(self, row: Account | Group | Login | Token) -> None:
        match row:
            case Account():
                self._once("account", row.name)
                self._accounts.add(row.name)
            case Group():
                self._once("group", row.name)
                for name in row.members:
                    self._known(name)
            case Login():
                self._once("login", row.issuer, row.subject)
                self._known(row.account)
            case Token():
                self._once("token", row.id)
                self._known(row.account)
                self._require(row.days is None or row.days <= MOST_DAYS, f"{row.days} days are too many")
                self._require(bool(row.scopes), f"the token {row.id!r} is for nothing")

    def _next_project(self, project: Project) -> None:
        self._require(project_name(project.name) == project.name, f"{project.name!r} is no project")
        self._once("project", project.name)
        is_in_journal = 0 < project.serial <= self._last
        self._require(is_in_journal, f"the journal has no entry {project.serial} for {project.name!r}")
        self._project, self._files = project, set()
        for principal in project.grants:
            _check_length("a principal", principal, PRINCIPAL)
        if project.latest is not None:
            Version(project.latest.version)

    def _next_file(self, file: File) -> None:
        is_own = self._project is not None and file.project == self._project.name
        self._require(is_own, f"the file {file.filename!r} is not of the project before it")
        self._require(file.filename not in self._files, f"the file {file.filename!r} occurs twice")
        self._files.add(file_name(file.filename))
        Version(file.version)
        for digest in (file.sha256, file.blake2_256, file.metadata_sha256):
            if digest is not None:
                checked_digest(digest)

    def _known(self, name: AccountName) -> None:
        self._require(name in self._accounts, f"there is no account {name!r} before what is said of it")

    def _once(self, kind: str, *names: str) -> None:
        self._require((kind, *names) not in self._others, f"the {kind} {names[-1]!r} occurs twice")
        self._others.add((kind, *names))

    @staticmethod
    def _require(holds: bool, otherwise: str) -> None:
        if not holds:
            raise ValueError(otherwise)
