"""The steps that the tests are made of, and one call of every method."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Account, Change, File, Group, Order, Project, Role, Token, Yank
from warehouse14.domain.names import AUTHENTICATED, FileName, GroupName, ProjectName, account_principal
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.contract import race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    ISSUER,
    LATER,
    LATEST,
    WHEEL,
    WHEN,
    sample_account,
    sample_change,
    sample_file,
    sample_group,
    sample_login,
    sample_project,
    sample_session,
    sample_token,
    sample_vouched,
)

Result = TypeVar("Result")
Act = Callable[[UnitOfWork], object]

OTHER = ProjectName("other")
ADA_MAY = account_principal(ADA)
BOB_MAY = account_principal(BOB)

#: Every method that reads.
READS: dict[str, Act] = {
    "projects.get": lambda unit: unit.projects.get(DEMO),
    "projects.visible": lambda unit: unit.projects.visible(frozenset({AUTHENTICATED, ADA_MAY})),
    "projects.visible, all": lambda unit: unit.projects.visible(None),
    "projects.visible, some": lambda unit: unit.projects.visible(frozenset({AUTHENTICATED}), first="d"),
    "projects.search": lambda unit: unit.projects.search(None, ["x"], order=Order.NAME, start=0, count=9),
    "projects.changed_since": lambda unit: list(unit.projects.changed_since(0)),
    "projects.hanging_on": lambda unit: unit.projects.hanging_on(ADA_MAY),
    "files.get": lambda unit: unit.files.get(DEMO, WHEEL),
    "files.of": lambda unit: unit.files.of(DEMO),
    "files.all": lambda unit: list(unit.files.all()),
    "accounts.get": lambda unit: unit.accounts.get(ADA),
    "accounts.all": lambda unit: unit.accounts.all(),
    "groups.get": lambda unit: unit.groups.get(CREW),
    "groups.all": lambda unit: unit.groups.all(),
    "groups.ever": lambda unit: unit.groups.ever(),
    "groups.of": lambda unit: unit.groups.of(ADA),
    "logins.get": lambda unit: unit.logins.get(ISSUER, "x"),
    "logins.of": lambda unit: unit.logins.of(ADA),
    "tokens.get": lambda unit: unit.tokens.get("t0"),
    "tokens.of": lambda unit: unit.tokens.of(ADA),
    "sessions.get": lambda unit: unit.sessions.get("x"),
    "sessions.of": lambda unit: unit.sessions.of(ADA),
    "attempts.of": lambda unit: unit.attempts.of(["x"]),
    "journal.serial": lambda unit: unit.journal.serial(),
    "journal.since": lambda unit: unit.journal.since(0, 10),
    "journal.found": lambda unit: unit.journal.found(Sought(actor=ADA), before=None, after=None, count=9),
}

#: Every method that writes, apart from ``journal.append``.
WRITES: dict[str, Act] = {
    "projects.create": lambda unit: unit.projects.create(sample_project()),
    "projects.set_public": lambda unit: unit.projects.set_public(DEMO, True, expected=1),
    "projects.set_latest": lambda unit: unit.projects.set_latest(DEMO, "De.Mo", LATEST, expected=1),
    "projects.grant": lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.ADMIN, expected=1),
    "projects.revoke": lambda unit: unit.projects.revoke(DEMO, BOB_MAY, expected=1),
    "projects.delete": lambda unit: unit.projects.delete(DEMO, LATER, expected=1),
    "files.add": lambda unit: unit.files.add(sample_file()),
    "files.set_yank": lambda unit: unit.files.set_yank(DEMO, WHEEL, None),
    "files.delete": lambda unit: unit.files.delete(DEMO, WHEEL, LATER),
    "accounts.add": lambda unit: unit.accounts.add(sample_account()),
    "accounts.set_password": lambda unit: unit.accounts.set_password(ADA, "x", once=False),
    "accounts.set_disabled": lambda unit: unit.accounts.set_disabled(ADA, True),
    "accounts.set_administrator": lambda unit: unit.accounts.set_administrator(ADA, True),
    "accounts.set_vouched": lambda unit: unit.accounts.set_vouched(ADA, sample_vouched()),
    "groups.create": lambda unit: unit.groups.create(sample_group()),
    "groups.set_member": lambda unit: unit.groups.set_member(CREW, BOB, True),
    "groups.remove_member": lambda unit: unit.groups.remove_member(CREW, BOB),
    "groups.delete": lambda unit: unit.groups.delete(CREW, LATER),
    "accounts.set_signed_in": lambda unit: unit.accounts.set_signed_in(ADA, LATER),
    "logins.add": lambda unit: unit.logins.add(sample_login()),
    "logins.remove": lambda unit: unit.logins.remove(ISSUER, "248289761001"),
    "tokens.add": lambda unit: unit.tokens.add(sample_token()),
    "tokens.revoke": lambda unit: unit.tokens.revoke("t0", LATER),
    "tokens.expire": lambda unit: unit.tokens.expire("t0", LATER),
    "tokens.touch": lambda unit: unit.tokens.touch("t0", LATER, unless_since=WHEN, origin="x", agent="y"),
    "sessions.add": lambda unit: unit.sessions.add(sample_session()),
    "sessions.touch": lambda unit: unit.sessions.touch(sample_session().id, LATER),
    "sessions.set_looks": lambda unit: unit.sessions.set_looks(sample_session().id, {DEMO: LATER}),
    "sessions.end": lambda unit: unit.sessions.end(sample_session().id),
    "sessions.end_of": lambda unit: unit.sessions.end_of(ADA, but=None),
    "sessions.end_begun": lambda unit: unit.sessions.end_begun(ISSUER, subject="x", sid=None),
    "sessions.forget": lambda unit: unit.sessions.forget(created_before=LATER, seen_before=LATER),
    "attempts.count": lambda unit: unit.attempts.count("x", LATER, since=WHEN, expected=0),
    "attempts.take_back": lambda unit: unit.attempts.take_back("x", LATER, WHEN),
    "attempts.clear": lambda unit: unit.attempts.clear("x"),
    "attempts.forget": lambda unit: unit.attempts.forget(LATER),
}


def look(units: Units, at: Callable[[UnitOfWork], Result]) -> Result:
    """Return what ``at`` finds in a unit that reads."""
    with units.read() as unit:
        return at(unit)


def commit(units: Units, act: Act, change: Change | None = None) -> None:
    """Do ``act`` and write ``change`` to the journal, as one unit."""
    with units.write() as unit:
        act(unit)
        unit.journal.append(change or sample_change(project=DEMO))


def append(units: Units, change: Change) -> None:
    """Write a journal entry, and nothing else."""
    with units.write() as unit:
        unit.journal.append(change)


def create(units: Units, project: Project | None = None) -> int:
    """Create a project and return its serial."""
    project = project or sample_project()
    commit(units, lambda unit: unit.projects.create(project), sample_change(project=project.name))
    return serial_of(units, project.name)


def add(units: Units, file: File | None = None) -> None:
    """List a file."""
    file = file or sample_file()
    commit(units, lambda unit: unit.files.add(file), sample_change(project=file.project))


def add_account(units: Units, account: Account | None = None) -> None:
    """Add an account."""
    account = account or sample_account()
    commit(units, lambda unit: unit.accounts.add(account), sample_change(account=account.name))


def add_group(units: Units, group: Group | None = None) -> None:
    """Create a group."""
    group = group or sample_group()
    commit(units, lambda unit: unit.groups.create(group), sample_change(group=group.name))


def add_token(units: Units, token: Token | None = None) -> None:
    """Add a token."""
    token = token or sample_token()
    commit(units, lambda unit: unit.tokens.add(token), sample_change(token=token.id))


def set_yank(units: Units, yank: Yank | None) -> None:
    """Yank or un-yank the wheel."""
    commit(units, lambda unit: unit.files.set_yank(DEMO, WHEEL, yank))


def delete_project(units: Units, name: ProjectName = DEMO, at: datetime = LATER) -> None:
    """Mark a project deleted."""
    serial = serial_of(units, name)
    commit(
        units,
        lambda unit: unit.projects.delete(name, at, expected=serial),
        sample_change(project=name),
    )


def project_of(units: Units, name: ProjectName = DEMO) -> Project:
    """Return a project that must be there."""
    project = look(units, lambda unit: unit.projects.get(name))
    assert project is not None
    return project


def serial_of(units: Units, name: ProjectName = DEMO) -> int:
    """Return the serial of a project that must be there."""
    return project_of(units, name).serial


def file_of(units: Units, filename: FileName = WHEEL, project: ProjectName = DEMO) -> File:
    """Return a file that must be there."""
    file = look(units, lambda unit: unit.files.get(project, filename))
    assert file is not None
    return file


def everything(units: Units) -> object:
    """Return all that a store of these tests can hold, to be compared."""

    def all_of(unit: UnitOfWork) -> object:
        return (
            [unit.projects.get(name) for name in (DEMO, OTHER)],
            [tuple(unit.files.of(name)) for name in (DEMO, OTHER)],
            tuple(unit.accounts.all()),
            [tuple(unit.tokens.of(name)) for name in (ADA, BOB)],
            [unit.groups.get(name) for name in (CREW, GroupName("other"))],
            [tuple(unit.logins.of(name)) for name in (ADA, BOB)],
            [tuple(unit.sessions.of(name)) for name in (ADA, BOB)],
            tuple(unit.journal.since(0, 10_000)),
        )

    return look(units, all_of)


@contextmanager
def conflict_of(units: Units, kind: str, name: str) -> Iterator[None]:
    """Check that the block ends with the conflict over ``name`` and changes nothing."""
    before = everything(units)
    with pytest.raises(Conflict) as caught:
        yield
    assert (caught.value.kind, caught.value.name) == (kind, name)
    assert everything(units) == before


def assert_one_winner(units: Units, acts: Sequence[Act], change: Change, kind: str) -> int:
    """Race ``acts``, a unit each: one commits, the others leave nothing. Return who won."""
    before = look(units, lambda unit: unit.journal.serial())
    changes = [replace(change, detail={"runner": str(runner)}) for runner in range(len(acts))]
    outcomes = race([partial(commit, units, act, entry) for act, entry in zip(acts, changes, strict=True)])
    winners = [runner for runner, outcome in enumerate(outcomes) if outcome is None]
    assert len(winners) == 1, outcomes
    for loser in (outcome for outcome in outcomes if outcome is not None):
        assert isinstance(loser, Conflict), repr(loser)
        assert loser.kind == kind
    entries = look(units, lambda unit: unit.journal.since(before, 100))
    assert [entry.detail["runner"] for entry in entries] == [str(winners[0])]
    return winners[0]
