"""The rows at one moment, and each change of them with its condition."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import (
    Account,
    Change,
    Failures,
    File,
    Group,
    Login,
    Looked,
    Project,
    Role,
    Session,
    Token,
)
from warehouse14.domain.names import AccountName, FileName, GroupName, Principal, ProjectName


@dataclass(slots=True)
class Tables:
    """All rows. Committed ones are read by many and changed by nobody: changes go to a copy.

    ``run`` is the number of the newest run that puts rows; ``commits`` counts the units that led here.
    """

    projects: dict[ProjectName, Project] = field(default_factory=dict)
    files: dict[ProjectName, dict[FileName, File]] = field(default_factory=dict)
    accounts: dict[AccountName, Account] = field(default_factory=dict)
    groups: dict[GroupName, Group] = field(default_factory=dict)
    logins: dict[tuple[str, str], Login] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    attempts: dict[str, Failures] = field(default_factory=dict)
    journal: list[Change] = field(default_factory=list)
    run: int = 0
    commits: int = 0

    def copy(self) -> "Tables":
        """Return a copy for the next commit."""
        return Tables(
            projects=dict(self.projects),
            files=dict(self.files),
            accounts=dict(self.accounts),
            groups=dict(self.groups),
            logins=dict(self.logins),
            tokens=dict(self.tokens),
            sessions=dict(self.sessions),
            attempts=dict(self.attempts),
            journal=list(self.journal),
            run=self.run,
            commits=self.commits + 1,
        )

    def listed_project(self, name: ProjectName) -> Project:
        """Return a project that is there and not deleted, or raise ``Conflict``."""
        project = self.projects.get(name)
        if project is None or project.deleted_at is not None:
            raise Conflict("project", name)
        return project

    def create_project(self, project: Project) -> None:
        """Add a project under a name that was never taken."""
        if project.name in self.projects:
            raise Conflict("project", project.name)
        self.projects[project.name] = replace(project, grants=dict(project.grants))

    def change_project(self, name: ProjectName, expected: int, **parts: Any) -> None:
        """Replace parts of a project that nobody changed meanwhile."""
        project = self.listed_project(name)
        if project.serial != expected:
            raise Conflict("project", name)
        self.projects[name] = replace(project, **parts)

    def grant(self, name: ProjectName, who: Principal, role: Role, expected: int) -> None:
        """Give or change a role."""
        self.change_project(name, expected, grants={**self.listed_project(name).grants, who: role})

    def revoke(self, name: ProjectName, who: Principal, expected: int) -> None:
        """Take a role away."""
        grants = self.listed_project(name).grants
        kept = {principal: role for principal, role in grants.items() if principal != who}
        self.change_project(name, expected, grants=kept)

    def add_file(self, file: File) -> None:
        """List a file under a name that was never taken in its project."""
        self.listed_project(file.project)
        if file.filename in self.files.get(file.project, {}):
            raise Conflict("file", file.filename)
        self._put_file(file)

    def change_file(self, project: ProjectName, filename: FileName, **parts: Any) -> None:
        """Replace parts of a file that is not deleted."""
        file = self.files.get(project, {}).get(filename)
        if file is None or file.deleted_at is not None:
            raise Conflict("file", filename)
        self._put_file(replace(file, **parts))

    def _put_file(self, file: File) -> None:
        self.files[file.project] = {**self.files.get(file.project, {}), file.filename: file}

    def add_account(self, account: Account) -> None:
        """Add an account under a free name."""
        if account.name in self.accounts:
            raise Conflict("account", account.name)
        self.accounts[account.name] = account

    def change_account(self, name: AccountName, **parts: Any) -> None:
        """Replace parts of an account."""
        if name not in self.accounts:
            raise Conflict("account", name)
        self.accounts[name] = replace(self.accounts[name], **parts)

    def create_group(self, group: Group) -> None:
        """Add a group, of accounts that are there, under a name that was never taken."""
        if group.name in self.groups:
            raise Conflict("group", group.name)
        for account in group.members:
            self._require_account(account)
        self.groups[group.name] = replace(group, members=dict(group.members))

    def set_member(self, name: GroupName, account: AccountName, admin: bool) -> None:
        """Add an account that is there to a group, or change its rank."""
        group = self._live_group(name)
        self._require_account(account)
        self.groups[name] = replace(group, members={**group.members, account: admin})

    def remove_member(self, name: GroupName, account: AccountName) -> None:
        """Remove an account from a group that it is in."""
        group = self._live_group(name)
        if account not in group.members:
            raise Conflict("member", account)
        kept = {member: admin for member, admin in group.members.items() if member != account}
        self.groups[name] = replace(group, members=kept)

    def delete_group(self, name: GroupName, at: datetime) -> None:
        """Mark a group deleted."""
        self.groups[name] = replace(self._live_group(name), deleted_at=at)

    def _live_group(self, name: GroupName) -> Group:
        group = self.groups.get(name)
        if group is None or group.deleted_at is not None:
            raise Conflict("group", name)
        return group

    def _require_account(self, name: AccountName) -> None:
        if name not in self.accounts:
            raise Conflict("account", name)

    def add_login(self, login: Login) -> None:
        """Add a login of an account that is there."""
        if login.account not in self.accounts:
            raise Conflict("account", login.account)
        key = (login.issuer, login.subject)
        if key in self.logins:
            raise Conflict("login", login.subject)
        self.logins[key] = login

    def remove_login(self, key: tuple[str, str]) -> None:
        """Remove a login that is there."""
        if self.logins.pop(key, None) is None:
            raise Conflict("login", key[1])

    def add_token(self, token: Token) -> None:
        """Add a token of an account that is there."""
        if token.account not in self.accounts:
            raise Conflict("account", token.account)
        if token.id in self.tokens:
            raise Conflict("token", token.id)
        self.tokens[token.id] = token

    def revoke_token(self, token: str, at: datetime) -> None:
        """End a token that was not ended before."""
        row = self.tokens.get(token)
        if row is None or row.revoked_at is not None:
            raise Conflict("token", token)
        self.tokens[token] = replace(row, revoked_at=at)

    def expire_token(self, token: str, at: datetime) -> None:
        """Let a token end earlier that was not ended before."""
        row = self.tokens.get(token)
        if row is None or row.revoked_at is not None or (row.expires_at or at) < at:
            raise Conflict("token", token)
        self.tokens[token] = replace(row, expires_at=at)

    def touch_token(self, token: str, unless_since: datetime, use: Mapping[str, Any]) -> None:
        """Note the use of a token, unless a later one is noted or there is no such token."""
        row = self.tokens.get(token)
        if row is not None and (row.last_used_at is None or row.last_used_at < unless_since):
            self.tokens[token] = replace(row, **use)

    def add_session(self, session: Session) -> None:
        """Add a session of an account that is there."""
        if session.account not in self.accounts:
            raise Conflict("account", session.account)
        if session.id in self.sessions:
            raise Conflict("session", session.id)
        self.sessions[session.id] = session

    def touch_session(self, session: str, at: datetime) -> None:
        """Note that a session was seen, if it is there."""
        if session in self.sessions:
            self.sessions[session] = replace(self.sessions[session], seen_at=at)

    def set_looks(self, session: str, looks: dict[Looked, datetime]) -> None:
        """Replace what a session that is there looks into."""
        if session not in self.sessions:
            raise Conflict("session", session)
        self.sessions[session] = replace(self.sessions[session], looks=looks)

    def end_session(self, session: str) -> None:
        """End a session that is there."""
        if self.sessions.pop(session, None) is None:
            raise Conflict("session", session)

    def end_sessions(self, account: AccountName, but: str | None) -> None:
        """End all sessions of an account but one."""
        self._keep_sessions(lambda row: row.account != account or row.id == but)

    def drop_sessions(self, ids: Collection[str]) -> None:
        """End these sessions, as far as they are there."""
        self._keep_sessions(lambda row: row.id not in ids)

    def forget_sessions(self, created_before: datetime, seen_before: datetime) -> None:
        """Remove the sessions that are over."""
        self._keep_sessions(lambda row: row.created_at >= created_before and row.seen_at >= seen_before)

    def _keep_sessions(self, keeps: Callable[[Session], bool]) -> None:
        self.sessions = {name: row for name, row in self.sessions.items() if keeps(row)}

    def count_attempt(self, key: str, at: datetime, since: datetime, expected: int) -> None:
        """Count one more failure than the ``expected``; those before ``since`` are none."""
        found = self.attempts.get(key)
        before = found.count if found is not None and found.last_at >= since else 0
        if before != expected:
            raise Conflict("attempts", key)
        self.attempts[key] = Failures(before + 1, at)

    def take_back_attempt(self, key: str, at: datetime, before: datetime) -> None:
        """Count one less, down to none."""
        found = self.attempts.get(key)
        if found is not None and found.count > 0:
            self.attempts[key] = Failures(found.count - 1, before if found.last_at == at else found.last_at)

    def clear_attempts(self, key: str) -> None:
        """Forget the failures under a key."""
        self.attempts.pop(key, None)

    def forget_attempts(self, before: datetime) -> None:
        """Remove the failures of long ago."""
        self.attempts = {key: row for key, row in self.attempts.items() if row.last_at >= before}

    def append(self, change: Change) -> None:
        """Write the next journal entry and give its serial to the project that it names."""
        serial = len(self.journal) + 1
        self.journal.append(replace(change, serial=serial, detail=dict(change.detail)))
        if change.project in self.projects:
            self.projects[change.project] = replace(self.projects[change.project], serial=serial)
