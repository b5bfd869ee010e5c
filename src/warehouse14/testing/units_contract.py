"""What every metadata adapter must do. Third-party adapters subclass :class:`UnitsContract`.

::

    pytest.register_assert_rewrite("warehouse14.testing")  # in conftest.py: failures then show values

    class TestMyUnits(UnitsContract):
        lacks = {"hides_own_writes": "a transaction sees its own statements"}

        @pytest.fixture
        def units(self, database):
            units = MyUnits(database)
            units.prepare()
            yield units
            units.close()
"""
# The name of a test is its sentence:
# ruff: noqa: D102

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest

from warehouse14.domain.errors import Conflict, Misconfigured, Unavailable
from warehouse14.domain.model import Account, Change, File, Project, Role, Scope, Token, Yank
from warehouse14.domain.names import (
    AUTHENTICATED,
    AccountName,
    FileName,
    Principal,
    ProjectName,
    account_principal,
)
from warehouse14.domain.ports import Prepared, UnitOfWork, Units
from warehouse14.testing.contract import CROWD, Contract, in_thread, race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    DEMO,
    LATER,
    WHEEL,
    WHEN,
    sample_account,
    sample_change,
    sample_file,
    sample_project,
    sample_token,
)

Result = TypeVar("Result")
Act = Callable[[UnitOfWork], object]

MANY = 1_100
OTHER = ProjectName("other")
ADA_MAY = account_principal(ADA)
BOB_MAY = account_principal(BOB)

TEXTS = {
    "unicode": "Grüße, Жанна, 日本",
    "emoji": "\N{SNAKE}\N{PACKAGE} four bytes each",
    "quotes": """it's "quoted" and `ticked`; -- DROP TABLE""",
    "lines": "one\ntwo\r\n\tthree",
    "escapes": r"\n \\ %s %(x)s {x} :name ?",
    "spaces": "  around  ",
    "long": "x" * 5_000,
}

INSTANTS = {
    "microseconds": WHEN,
    "no microseconds": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "one microsecond": datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC),
    "midnight": datetime(2026, 1, 2, tzinfo=UTC),
    "before the epoch": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "after 2038": datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
}


class Stop(Exception):
    """Raised by a test in the middle of a unit."""


# -- steps that the tests are made of ------------------------------------------------


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
            tuple(unit.journal.since(0, 10_000)),
        )

    return look(units, all_of)


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


def assert_utc(*instants: datetime | None) -> None:
    """Check that each is aware and in UTC."""
    for instant in instants:
        assert instant is not None
        assert instant.utcoffset() == timedelta(0)


#: The four changes of a project that hang on its serial.
GUARDED: dict[str, Callable[[UnitOfWork, int], None]] = {
    "set_public": lambda unit, expected: unit.projects.set_public(DEMO, True, expected=expected),
    "grant": lambda unit, expected: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=expected),
    "revoke": lambda unit, expected: unit.projects.revoke(DEMO, ADA_MAY, expected=expected),
    "delete": lambda unit, expected: unit.projects.delete(DEMO, LATER, expected=expected),
}

#: Every method that reads.
READS: dict[str, Act] = {
    "projects.get": lambda unit: unit.projects.get(DEMO),
    "projects.visible": lambda unit: unit.projects.visible(frozenset({AUTHENTICATED, ADA_MAY})),
    "projects.visible, all": lambda unit: unit.projects.visible(None),
    "files.get": lambda unit: unit.files.get(DEMO, WHEEL),
    "files.of": lambda unit: unit.files.of(DEMO),
    "files.all": lambda unit: list(unit.files.all()),
    "accounts.get": lambda unit: unit.accounts.get(ADA),
    "accounts.all": lambda unit: unit.accounts.all(),
    "tokens.get": lambda unit: unit.tokens.get("t0"),
    "tokens.of": lambda unit: unit.tokens.of(ADA),
    "journal.serial": lambda unit: unit.journal.serial(),
    "journal.since": lambda unit: unit.journal.since(0, 10),
}

#: Every method that writes, apart from ``journal.append``.
WRITES: dict[str, Act] = {
    "projects.create": lambda unit: unit.projects.create(sample_project()),
    "projects.set_public": lambda unit: unit.projects.set_public(DEMO, True, expected=1),
    "projects.grant": lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.ADMIN, expected=1),
    "projects.revoke": lambda unit: unit.projects.revoke(DEMO, BOB_MAY, expected=1),
    "projects.delete": lambda unit: unit.projects.delete(DEMO, LATER, expected=1),
    "files.add": lambda unit: unit.files.add(sample_file()),
    "files.set_yank": lambda unit: unit.files.set_yank(DEMO, WHEEL, None),
    "files.delete": lambda unit: unit.files.delete(DEMO, WHEEL, LATER),
    "accounts.add": lambda unit: unit.accounts.add(sample_account()),
    "accounts.set_password": lambda unit: unit.accounts.set_password(ADA, "x"),
    "accounts.set_disabled": lambda unit: unit.accounts.set_disabled(ADA, True),
    "tokens.add": lambda unit: unit.tokens.add(sample_token()),
    "tokens.revoke": lambda unit: unit.tokens.revoke("t0", LATER),
    "tokens.touch": lambda unit: unit.tokens.touch("t0", LATER, unless_since=WHEN),
}


# -- the suite, one noun after the other ---------------------------------------------


class UnitsFixtures(Contract):
    """The fixtures that an adapter provides."""

    @pytest.fixture
    def units(self) -> Units:
        """Return the adapter, open, prepared and empty. Override it; close it after a ``yield``."""
        return self.absent("units", "units")

    @pytest.fixture
    def broken_units(self) -> Units:
        """Return an adapter that was opened and whose engine was then made to fail for good."""
        return self.absent("broken_units", "outage")

    @pytest.fixture
    def reopened(self) -> Callable[[], Units]:
        """Return a function that opens one more instance over the engine of ``units``.

        Each stands for another process; the fixture closes them.
        """
        return self.absent("reopened", "sharing")


class ProjectsContract(UnitsFixtures):
    """Projects and grants."""

    def test_a_project_is_read_as_it_was_written(self, units: Units) -> None:
        grants = {ADA_MAY: Role.ADMIN, BOB_MAY: Role.MEMBER, AUTHENTICATED: Role.MEMBER}
        written = sample_project(grants=grants, public=True, display_name="De.Mo")
        create(units, written)
        assert project_of(units) == replace(written, serial=1)

    def test_a_project_without_grants_is_read_as_it_was_written(self, units: Units) -> None:
        create(units, sample_project(grants={}))
        assert project_of(units).grants == {}
        assert project_of(units).admins == frozenset()

    def test_an_unknown_project_is_none(self, units: Units) -> None:
        create(units)
        assert look(units, lambda unit: unit.projects.get(OTHER)) is None

    def test_a_taken_project_name_is_a_conflict_and_stays_as_it_was(self, units: Units) -> None:
        create(units)
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            create(units, sample_project(created_by=BOB))
        assert (caught.value.kind, caught.value.name) == ("project", DEMO)
        assert everything(units) == before

    def test_the_name_of_a_deleted_project_stays_taken(self, units: Units) -> None:
        create(units)
        delete_project(units)
        with pytest.raises(Conflict) as caught:
            create(units, sample_project(created_by=BOB))
        assert caught.value.kind == "project"
        assert project_of(units).deleted_at == LATER

    @pytest.mark.parametrize("public", [True, False])
    def test_opening_and_closing_a_project_changes_only_that(self, units: Units, public: bool) -> None:
        create(units, sample_project(public=not public))
        before = project_of(units)
        commit(units, lambda unit: unit.projects.set_public(DEMO, public, expected=before.serial))
        assert project_of(units) == replace(before, public=public, serial=before.serial + 1)

    def test_a_grant_gives_a_role_and_changes_it(self, units: Units) -> None:
        serial = create(units)
        commit(units, lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=serial))
        assert project_of(units).grants == {ADA_MAY: Role.ADMIN, BOB_MAY: Role.MEMBER}
        serial = serial_of(units)
        commit(units, lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.ADMIN, expected=serial))
        assert project_of(units).grants == {ADA_MAY: Role.ADMIN, BOB_MAY: Role.ADMIN}

    def test_a_revoked_grant_is_gone_and_the_others_stay(self, units: Units) -> None:
        serial = create(units, sample_project(grants={ADA_MAY: Role.ADMIN, BOB_MAY: Role.MEMBER}))
        create(units, sample_project(OTHER, grants={BOB_MAY: Role.ADMIN}))
        commit(units, lambda unit: unit.projects.revoke(DEMO, BOB_MAY, expected=serial))
        assert project_of(units).grants == {ADA_MAY: Role.ADMIN}
        assert project_of(units, OTHER).grants == {BOB_MAY: Role.ADMIN}

    @pytest.mark.parametrize("method", GUARDED)
    def test_a_stale_serial_is_a_conflict_and_leaves_nothing(self, units: Units, method: str) -> None:
        stale = create(units)
        commit(units, lambda unit: unit.projects.set_public(DEMO, True, expected=stale))
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            commit(units, lambda unit: GUARDED[method](unit, stale))
        assert (caught.value.kind, caught.value.name) == ("project", DEMO)
        assert everything(units) == before

    @pytest.mark.parametrize("method", GUARDED)
    def test_a_change_to_a_project_that_is_not_there_is_a_conflict(self, units: Units, method: str) -> None:
        with pytest.raises(Conflict) as caught:
            commit(units, lambda unit: GUARDED[method](unit, 0))
        assert caught.value.kind == "project"

    def test_a_file_that_was_added_meanwhile_makes_the_serial_stale(self, units: Units) -> None:
        stale = create(units)
        add(units)
        with pytest.raises(Conflict):
            commit(units, lambda unit: unit.projects.delete(DEMO, LATER, expected=stale))
        assert project_of(units).deleted_at is None
        assert file_of(units).deleted_at is None

    def test_deleting_a_project_marks_it_and_leaves_its_files_as_they_were(self, units: Units) -> None:
        create(units)
        create(units, sample_project(OTHER))
        add(units)
        add(units, sample_file("demo-1.0.tar.gz"))
        add(units, sample_file(project=OTHER))
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, WHEN))
        before = project_of(units)
        delete_project(units)
        assert project_of(units) == replace(before, deleted_at=LATER, serial=before.serial + 1)
        assert file_of(units, FileName("demo-1.0.tar.gz")).deleted_at is None
        assert file_of(units).deleted_at == WHEN
        assert [file.project for file in look(units, lambda unit: list(unit.files.all()))] == [OTHER]
        assert file_of(units, project=OTHER).deleted_at is None
        assert project_of(units, OTHER).deleted_at is None

    def _names(self, units: Units, *principals: Principal) -> list[str]:
        found = look(units, lambda unit: unit.projects.visible(frozenset(principals)))
        return [summary.name for summary in found]

    def test_visible_projects_are_public_or_granted_and_sorted(self, units: Units) -> None:
        open_, his = ProjectName("b-open"), ProjectName("b1-his")
        shared, hers, gone = ProjectName("a-shared"), ProjectName("c-hers"), ProjectName("gone")
        everybody = {ADA_MAY: Role.ADMIN, BOB_MAY: Role.MEMBER}
        create(units, sample_project(hers))
        create(units, sample_project(open_, public=True))
        create(units, sample_project(his, grants={BOB_MAY: Role.MEMBER}))
        create(units, sample_project(shared, public=True, grants=everybody))
        create(units, sample_project(gone, public=True, grants=everybody))
        delete_project(units, gone)
        assert self._names(units, AUTHENTICATED, ADA_MAY) == [shared, open_, hers]
        assert self._names(units, AUTHENTICATED, BOB_MAY) == [shared, open_, his]
        assert self._names(units, AUTHENTICATED) == [shared, open_]
        assert self._names(units, BOB_MAY) == [shared, his]
        assert self._names(units, ADA_MAY, BOB_MAY) == [shared, open_, his, hers]
        assert self._names(units) == []
        every = look(units, lambda unit: unit.projects.visible(None))
        assert [summary.name for summary in every] == [shared, open_, his, hers]

    def test_a_project_granted_to_everybody_who_signs_in_is_visible(self, units: Units) -> None:
        create(units, sample_project(grants={AUTHENTICATED: Role.MEMBER}))
        assert self._names(units, AUTHENTICATED, BOB_MAY) == [DEMO]
        assert self._names(units, BOB_MAY) == []

    def test_a_summary_says_what_the_project_says(self, units: Units) -> None:
        create(units, sample_project(public=True, display_name="De.Mo"))
        add(units)
        (summary,) = look(units, lambda unit: unit.projects.visible(None))
        assert (summary.name, summary.display_name, summary.public) == (DEMO, "De.Mo", True)
        assert summary.serial == serial_of(units) == 2

    def test_what_is_visible_follows_the_grants(self, units: Units) -> None:
        serial = create(units)
        assert self._names(units, BOB_MAY) == []
        commit(units, lambda unit: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=serial))
        assert self._names(units, BOB_MAY) == [DEMO]
        serial = serial_of(units)
        commit(units, lambda unit: unit.projects.revoke(DEMO, BOB_MAY, expected=serial))
        assert self._names(units, BOB_MAY) == []

    def test_of_many_who_create_a_project_the_first_wins(self, units: Units) -> None:
        def creation(runner: int) -> Act:
            return lambda unit: unit.projects.create(sample_project(created_by=f"runner-{runner}"))

        acts = [creation(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(project=DEMO), "project")
        assert project_of(units) == sample_project(created_by=f"runner-{winner}", serial=1)

    @pytest.mark.parametrize("method", GUARDED)
    def test_of_many_who_change_a_project_on_one_serial_the_first_wins(
        self, units: Units, method: str
    ) -> None:
        serial = create(units)
        acts: list[Act] = [lambda unit: GUARDED[method](unit, serial)] * CROWD
        assert_one_winner(units, acts, sample_change(project=DEMO), "project")
        assert serial_of(units) == serial + 1

    def test_of_many_grants_on_one_serial_only_the_winner_is_there(self, units: Units) -> None:
        serial = create(units, sample_project(grants={}))
        names = [account_principal(AccountName(f"runner{runner}")) for runner in range(CROWD)]

        def granting(who: Principal) -> Act:
            return lambda unit: unit.projects.grant(DEMO, who, Role.ADMIN, expected=serial)

        acts = [granting(who) for who in names]
        winner = assert_one_winner(units, acts, sample_change(project=DEMO), "project")
        assert project_of(units).grants == {names[winner]: Role.ADMIN}


class FilesContract(UnitsFixtures):
    """Files."""

    def test_a_file_is_read_as_it_was_written(self, units: Units) -> None:
        create(units)
        yank = Yank(reason="broken", at=LATER, by=BOB)
        wheel = sample_file()
        sparse = sample_file("demo-0.9.tar.gz", requires_python=None, summary="", metadata_sha256=None)
        yanked = sample_file("demo-0.8.tar.gz", yank=yank, size=0)
        for file in (wheel, sparse, yanked):
            add(units, file)
        assert file_of(units) == wheel
        assert file_of(units, sparse.filename) == sparse
        assert file_of(units, yanked.filename) == yanked
        assert list(look(units, lambda unit: unit.files.of(DEMO))) == [yanked, sparse, wheel]

    def test_an_unknown_file_is_none(self, units: Units) -> None:
        create(units)
        create(units, sample_project(OTHER))
        add(units)
        assert look(units, lambda unit: unit.files.get(DEMO, FileName("demo-2.0.tar.gz"))) is None
        assert look(units, lambda unit: unit.files.get(OTHER, WHEEL)) is None
        assert look(units, lambda unit: unit.files.get(ProjectName("nowhere"), WHEEL)) is None
        assert list(look(units, lambda unit: unit.files.of(OTHER))) == []
        assert list(look(units, lambda unit: unit.files.of(ProjectName("nowhere")))) == []

    def test_files_are_sorted_by_name_with_the_deleted_ones(self, units: Units) -> None:
        create(units)
        names = [FileName(name) for name in ("demo-1.0.zip", "Demo-1.tar.gz", "demo-1.0-1.zip", "démo-1.zip")]
        for name in names:
            add(units, sample_file(name))
        commit(units, lambda unit: unit.files.delete(DEMO, names[0], LATER))
        found = look(units, lambda unit: unit.files.of(DEMO))
        assert [file.filename for file in found] == sorted(names)
        assert [file.filename for file in found if file.deleted_at] == [names[0]]

    def test_two_projects_may_have_files_of_one_name(self, units: Units) -> None:
        create(units)
        create(units, sample_project(OTHER))
        add(units)
        add(units, sample_file(project=OTHER, sha256="77" * 32))
        assert file_of(units).sha256 != file_of(units, project=OTHER).sha256

    def test_a_taken_file_name_is_a_conflict_of_the_kind_file(self, units: Units) -> None:
        create(units)
        add(units)
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            add(units, sample_file(sha256="77" * 32))
        assert (caught.value.kind, caught.value.name) == ("file", WHEEL)
        assert everything(units) == before

    def test_the_name_of_a_deleted_file_stays_taken(self, units: Units) -> None:
        create(units)
        add(units)
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, LATER))
        with pytest.raises(Conflict) as caught:
            add(units)
        assert caught.value.kind == "file"

    def test_a_file_of_no_project_is_a_conflict_of_the_kind_project(self, units: Units) -> None:
        with pytest.raises(Conflict) as caught:
            add(units)
        assert (caught.value.kind, caught.value.name) == ("project", DEMO)
        assert list(look(units, lambda unit: unit.files.of(DEMO))) == []
        assert look(units, lambda unit: unit.journal.serial()) == 0

    def test_a_file_of_a_deleted_project_is_a_conflict_of_the_kind_project(self, units: Units) -> None:
        create(units)
        delete_project(units)
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            add(units)
        assert (caught.value.kind, caught.value.name) == ("project", DEMO)
        assert everything(units) == before

    def test_a_yank_is_set_replaced_and_taken_back(self, units: Units) -> None:
        create(units)
        add(units)
        for yank in (Yank("broken", WHEN, ADA), Yank("really broken", LATER, BOB), None):
            set_yank(units, yank)
            assert file_of(units) == sample_file(yank=yank)

    def test_a_yank_without_a_reason_is_still_a_yank(self, units: Units) -> None:
        create(units)
        add(units)
        set_yank(units, Yank("", LATER, BOB))
        assert file_of(units).yank == Yank("", LATER, BOB)

    def test_a_deleted_file_keeps_all_but_its_place(self, units: Units) -> None:
        create(units)
        add(units)
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, LATER))
        assert file_of(units) == sample_file(deleted_at=LATER)
        assert look(units, lambda unit: list(unit.files.all())) == []

    @pytest.mark.parametrize("method", ["files.set_yank", "files.delete"])
    def test_a_change_to_a_file_that_is_not_there_is_a_conflict(self, units: Units, method: str) -> None:
        create(units)
        with pytest.raises(Conflict) as caught:
            commit(units, WRITES[method])
        assert (caught.value.kind, caught.value.name) == ("file", WHEEL)

    @pytest.mark.parametrize("method", ["files.set_yank", "files.delete"])
    def test_a_change_to_a_deleted_file_is_a_conflict(self, units: Units, method: str) -> None:
        create(units)
        add(units)
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, WHEN))
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            commit(units, WRITES[method])
        assert caught.value.kind == "file"
        assert everything(units) == before

    def test_all_files_are_those_that_are_there(self, units: Units) -> None:
        create(units)
        create(units, sample_project(OTHER))
        gone = sample_file("demo-0.1.tar.gz")
        kept = [sample_file(), sample_file("demo-1.0.tar.gz", yank=Yank("", LATER, ADA))]
        for file in (*kept, gone, sample_file(project=OTHER)):
            add(units, file)
        commit(units, lambda unit: unit.files.delete(DEMO, gone.filename, LATER))
        delete_project(units, OTHER)
        found = look(units, lambda unit: list(unit.files.all()))
        assert sorted(found, key=lambda file: file.filename) == kept

    def test_several_files_change_in_one_unit(self, units: Units) -> None:
        create(units)
        names = [FileName(f"demo-1.0-{build}.whl") for build in range(5)]
        for name in names:
            add(units, sample_file(name))

        def delete_all(unit: UnitOfWork) -> None:
            for name in names:
                unit.files.delete(DEMO, name, LATER)

        before = look(units, lambda unit: unit.journal.serial())
        commit(units, delete_all)
        assert {file.deleted_at for file in look(units, lambda unit: unit.files.of(DEMO))} == {LATER}
        assert look(units, lambda unit: unit.journal.serial()) == before + 1

    def test_of_many_who_add_a_file_the_first_wins(self, units: Units) -> None:
        create(units)

        def adding(runner: int) -> Act:
            return lambda unit: unit.files.add(sample_file(sha256=f"{runner:064x}"))

        acts = [adding(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(project=DEMO), "file")
        (file,) = look(units, lambda unit: unit.files.of(DEMO))
        assert file == sample_file(sha256=f"{winner:064x}")

    def test_of_many_who_delete_a_file_the_first_wins(self, units: Units) -> None:
        create(units)
        add(units)

        def deleting(runner: int) -> Act:
            return lambda unit: unit.files.delete(DEMO, WHEEL, LATER + timedelta(days=runner))

        acts = [deleting(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(project=DEMO), "file")
        assert file_of(units).deleted_at == LATER + timedelta(days=winner)

    def test_no_file_slips_into_a_project_that_is_being_deleted(self, units: Units) -> None:
        create(units)

        def delete_at_last() -> None:
            while project_of(units).deleted_at is None:
                try:
                    delete_project(units)
                except Conflict:
                    continue

        adding = [partial(add, units, sample_file(f"demo-{runner}.tar.gz")) for runner in range(CROWD - 1)]
        outcomes = race([delete_at_last, *adding])
        assert all(outcome is None or isinstance(outcome, Conflict) for outcome in outcomes), outcomes
        files = look(units, lambda unit: unit.files.of(DEMO))
        assert len(files) == outcomes.count(None) - 1
        with pytest.raises(Conflict):
            add(units, sample_file("demo-2.0.tar.gz"))


def _disable(unit: UnitOfWork, *, disabled: bool) -> None:
    unit.accounts.set_disabled(ADA, disabled)


class AccountsContract(UnitsFixtures):
    """Accounts."""

    def test_an_account_is_read_as_it_was_written(self, units: Units) -> None:
        ada, bob = (
            sample_account(),
            sample_account(BOB, administrator=True, password_hash=None, disabled=True),
        )
        for account in (bob, ada):
            add_account(units, account)
        assert look(units, lambda unit: unit.accounts.get(ADA)) == ada
        assert look(units, lambda unit: unit.accounts.get(BOB)) == bob
        assert look(units, lambda unit: unit.accounts.get(AccountName("eve"))) is None
        assert list(look(units, lambda unit: unit.accounts.all())) == [ada, bob]

    def test_a_taken_account_name_is_a_conflict_and_stays_as_it_was(self, units: Units) -> None:
        add_account(units)
        before = everything(units)
        with pytest.raises(Conflict) as caught:
            add_account(units, sample_account(administrator=True))
        assert (caught.value.kind, caught.value.name) == ("account", ADA)
        assert everything(units) == before

    def test_a_password_is_replaced(self, units: Units) -> None:
        add_account(units, sample_account(password_hash=None))
        commit(units, lambda unit: unit.accounts.set_password(ADA, "scrypt$new"), sample_change(account=ADA))
        replaced = sample_account(password_hash="scrypt$new")  # noqa: S106
        assert look(units, lambda unit: unit.accounts.get(ADA)) == replaced

    def test_an_account_is_disabled_and_enabled(self, units: Units) -> None:
        add_account(units)
        for disabled in (True, False):
            commit(units, partial(_disable, disabled=disabled), sample_change(account=ADA))
            assert look(units, lambda unit: unit.accounts.get(ADA)) == sample_account(disabled=disabled)

    @pytest.mark.parametrize("method", ["accounts.set_password", "accounts.set_disabled"])
    def test_a_change_to_an_account_that_is_not_there_is_a_conflict(self, units: Units, method: str) -> None:
        with pytest.raises(Conflict) as caught:
            commit(units, WRITES[method], sample_change())
        assert (caught.value.kind, caught.value.name) == ("account", ADA)
        assert look(units, lambda unit: unit.journal.serial()) == 0

    def test_of_many_who_add_an_account_the_first_wins(self, units: Units) -> None:
        def adding(runner: int) -> Act:
            return lambda unit: unit.accounts.add(sample_account(password_hash=f"runner {runner}"))

        acts = [adding(runner) for runner in range(CROWD)]
        winner = assert_one_winner(units, acts, sample_change(account=ADA), "account")
        (account,) = look(units, lambda unit: unit.accounts.all())
        assert account == sample_account(password_hash=f"runner {winner}")


class TokensContract(UnitsFixtures):
    """Tokens."""

    @pytest.fixture
    def with_ada(self, units: Units) -> Units:
        """Return ``units`` with Ada's account and her token ``t0``."""
        add_account(units)
        add_token(units)
        return units

    def test_a_token_is_read_as_it_was_written(self, with_ada: Units) -> None:
        other = sample_token(
            "t1",
            scope=Scope.READ,
            project=DEMO,
            created_at=LATER,
            expires_at=LATER + timedelta(days=1),
            last_used_at=LATER + timedelta(hours=1),
            revoked_at=LATER + timedelta(hours=2),
        )
        add_token(with_ada, other)
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == sample_token()
        assert look(with_ada, lambda unit: unit.tokens.get("t1")) == other
        assert look(with_ada, lambda unit: unit.tokens.get("t2")) is None

    def test_the_tokens_of_an_account_are_sorted_by_age(self, with_ada: Units) -> None:
        add_account(with_ada, sample_account(BOB))
        older = sample_token("t9", created_at=WHEN - timedelta(microseconds=1))
        newer = sample_token("a1", created_at=WHEN + timedelta(microseconds=1))
        for token in (newer, older, sample_token("b1", BOB)):
            add_token(with_ada, token)
        assert list(look(with_ada, lambda unit: unit.tokens.of(ADA))) == [older, sample_token(), newer]
        assert list(look(with_ada, lambda unit: unit.tokens.of(AccountName("eve")))) == []

    def test_a_taken_token_id_is_a_conflict_and_stays_as_it_was(self, with_ada: Units) -> None:
        before = everything(with_ada)
        with pytest.raises(Conflict) as caught:
            add_token(with_ada, sample_token(name="thief"))
        assert (caught.value.kind, caught.value.name) == ("token", "t0")
        assert everything(with_ada) == before

    def test_a_token_of_no_account_is_a_conflict_of_the_kind_account(self, with_ada: Units) -> None:
        before = everything(with_ada)
        with pytest.raises(Conflict) as caught:
            add_token(with_ada, sample_token("t1", BOB))
        assert (caught.value.kind, caught.value.name) == ("account", BOB)
        assert everything(with_ada) == before

    def test_a_revoked_token_is_still_known(self, with_ada: Units) -> None:
        commit(with_ada, lambda unit: unit.tokens.revoke("t0", LATER), sample_change(token="t0"))  # noqa: S106
        revoked = sample_token(revoked_at=LATER)
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == revoked
        assert list(look(with_ada, lambda unit: unit.tokens.of(ADA))) == [revoked]

    def test_a_token_is_revoked_once(self, with_ada: Units) -> None:
        commit(with_ada, lambda unit: unit.tokens.revoke("t0", WHEN), sample_change())
        before = everything(with_ada)
        with pytest.raises(Conflict) as caught:
            commit(with_ada, lambda unit: unit.tokens.revoke("t0", LATER), sample_change())
        assert (caught.value.kind, caught.value.name) == ("token", "t0")
        assert everything(with_ada) == before

    def test_a_token_that_is_not_there_cannot_be_revoked(self, with_ada: Units) -> None:
        with pytest.raises(Conflict) as caught:
            commit(with_ada, lambda unit: unit.tokens.revoke("t1", LATER), sample_change())
        assert (caught.value.kind, caught.value.name) == ("token", "t1")

    def _touch(self, units: Units, at: datetime, unless_since: datetime) -> datetime | None:
        with units.write() as unit:
            unit.tokens.touch("t0", at, unless_since=unless_since)
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        assert token == sample_token(last_used_at=token.last_used_at)
        return token.last_used_at

    def test_a_use_is_noted_unless_one_was_lately(self, with_ada: Units) -> None:
        second, minute = timedelta(seconds=1), timedelta(minutes=1)
        assert self._touch(with_ada, LATER, unless_since=LATER - minute) == LATER
        assert self._touch(with_ada, LATER + second, unless_since=LATER - minute) == LATER
        assert self._touch(with_ada, LATER + minute, unless_since=LATER + second) == LATER + minute

    def test_a_use_is_no_journal_entry_and_moves_no_serial(self, with_ada: Units) -> None:
        before = look(with_ada, lambda unit: unit.journal.since(0, 100))
        self._touch(with_ada, LATER, unless_since=WHEN)
        assert look(with_ada, lambda unit: unit.journal.since(0, 100)) == before
        assert look(with_ada, lambda unit: unit.journal.serial()) == len(before)

    def test_a_use_of_an_unknown_token_is_nothing(self, with_ada: Units) -> None:
        before = everything(with_ada)
        with with_ada.write() as unit:
            unit.tokens.touch("t1", LATER, unless_since=WHEN)
        assert everything(with_ada) == before

    def test_of_many_who_revoke_a_token_the_first_wins(self, with_ada: Units) -> None:
        def revoking(runner: int) -> Act:
            return lambda unit: unit.tokens.revoke("t0", LATER + timedelta(days=runner))

        acts = [revoking(runner) for runner in range(CROWD)]
        winner = assert_one_winner(with_ada, acts, sample_change(), "token")
        revoked = sample_token(revoked_at=LATER + timedelta(days=winner))
        assert look(with_ada, lambda unit: unit.tokens.get("t0")) == revoked


class JournalContract(UnitsFixtures):
    """The journal, its serials, and the pulse."""

    def test_an_empty_journal_is_at_zero(self, units: Units) -> None:
        assert look(units, lambda unit: unit.journal.serial()) == 0
        assert list(look(units, lambda unit: unit.journal.since(0, 10))) == []

    def test_an_entry_is_read_as_it_was_written_with_its_serial(self, units: Units) -> None:
        create(units)
        detail = {"filename": WHEEL, "reason": "it's \N{SNAKE}", "empty": ""}
        full = Change("yank", LATER, BOB, "2001:db8::1", DEMO, ADA, "t0", detail)
        sparse = Change("sign-in", WHEN, "operator", "")
        commit(units, lambda unit: unit.projects.set_public(DEMO, True, expected=1), full)
        commit(units, lambda unit: unit.accounts.add(sample_account()), sparse)
        found = list(look(units, lambda unit: unit.journal.since(1, 10)))
        assert found == [full.numbered(2), sparse.numbered(3)]

    def test_an_entry_gives_its_serial_to_the_project_that_it_names(self, units: Units) -> None:
        create(units)
        create(units, sample_project(OTHER))
        assert (serial_of(units), serial_of(units, OTHER)) == (1, 2)
        add(units)
        assert (serial_of(units), serial_of(units, OTHER)) == (3, 2)

    def test_an_entry_that_names_no_project_moves_no_project(self, units: Units) -> None:
        create(units)
        add_account(units)
        assert serial_of(units) == 1
        assert look(units, lambda unit: unit.journal.serial()) == 2

    def test_an_entry_may_stand_alone(self, units: Units) -> None:
        append(units, sample_change())
        assert list(look(units, lambda unit: unit.journal.since(0, 10))) == [sample_change(serial=1)]

    def test_the_journal_is_read_in_pages(self, units: Units) -> None:
        for step in range(7):
            append(units, sample_change(f"step {step}"))
        with units.read() as unit:
            pages = [unit.journal.since(start, 3) for start in (0, 3, 6, 7)]
        assert [[entry.serial for entry in page] for page in pages] == [[1, 2, 3], [4, 5, 6], [7], []]

    def test_serials_rise_and_nobody_sees_an_entry_after_a_later_one(self, units: Units) -> None:
        writers, each = 4, 25
        done = threading.Event()
        left = [writers]
        guard = threading.Lock()

        def write(writer: int) -> None:
            try:
                for step in range(each):
                    append(units, sample_change(f"{writer}/{step}"))
            finally:
                with guard:
                    left[0] -= 1
                    if not left[0]:
                        done.set()

        seen: list[Change] = []

        def poll() -> None:
            while True:
                last_round = done.is_set()
                seen.extend(
                    look(units, lambda unit: unit.journal.since(seen[-1].serial if seen else 0, 1_000))
                )
                if last_round:
                    return

        outcomes = race([poll, *(partial(write, writer) for writer in range(writers))])
        assert outcomes == [None] * (writers + 1)
        assert seen == list(look(units, lambda unit: unit.journal.since(0, 1_000)))
        assert len(seen) == writers * each
        serials = [entry.serial for entry in seen]
        assert all(one < next_ for one, next_ in pairwise(serials))
        for writer in range(writers):
            own = [entry.action for entry in seen if entry.action.startswith(f"{writer}/")]
            assert own == [f"{writer}/{step}" for step in range(each)]

    def test_the_pulse_is_steady_while_nothing_is_committed(self, units: Units) -> None:
        create(units)
        first = units.pulse()
        for read in READS.values():
            look(units, read)
        in_thread(lambda: look(units, READS["journal.since"]))
        assert units.pulse() == first
        assert hash(units.pulse()) == hash(first)

    def test_the_pulse_moves_with_a_commit_of_the_same_thread(self, units: Units) -> None:
        first = units.pulse()
        create(units)
        assert units.pulse() != first

    def test_the_pulse_moves_with_a_commit_of_another_thread(self, units: Units) -> None:
        first = units.pulse()
        in_thread(lambda: create(units))
        second = units.pulse()
        assert second != first
        in_thread(lambda: add(units))
        assert units.pulse() not in {first, second}


class UnitContract(UnitsFixtures):
    """What a unit of work is: all at one moment, or nothing."""

    def test_the_adapter_implements_the_ports(self, units: Units) -> None:
        assert isinstance(units, Units)
        assert isinstance(units, Prepared)

    def test_a_prepared_adapter_is_as_it_must_be_and_can_be_prepared_again(self, units: Units) -> None:
        assert isinstance(units, Prepared)
        create(units)
        before = everything(units)
        units.verify()
        units.prepare()
        units.verify()
        assert everything(units) == before

    def test_an_exception_in_a_unit_leaves_nothing_and_comes_out(self, units: Units) -> None:
        create(units)
        before = everything(units)

        def write_and_stop() -> None:
            with units.write() as unit:
                unit.files.add(sample_file())
                unit.accounts.add(sample_account())
                unit.journal.append(sample_change(project=DEMO))
                raise Stop

        with pytest.raises(Stop):
            write_and_stop()
        assert everything(units) == before

    def test_a_conflict_takes_the_other_writes_of_its_unit_with_it(self, units: Units) -> None:
        create(units)
        add(units)
        before = everything(units)

        def fresh_and_taken(unit: UnitOfWork) -> None:
            unit.files.add(sample_file("demo-2.0.tar.gz"))
            unit.accounts.add(sample_account())
            unit.files.add(sample_file())

        with pytest.raises(Conflict):
            commit(units, fresh_and_taken)
        assert everything(units) == before

    def test_a_unit_can_follow_one_that_failed(self, units: Units) -> None:
        with pytest.raises(Conflict):
            add(units)
        with pytest.raises(Stop), units.read():
            raise Stop
        with pytest.raises(Stop), units.write():
            raise Stop
        assert create(units) == 1

    def test_a_unit_that_writes_nothing_commits_nothing(self, units: Units) -> None:
        create(units)
        before = everything(units)
        with units.write() as unit:
            assert unit.projects.get(DEMO) is not None
        with units.write():
            pass
        assert everything(units) == before

    def test_a_unit_that_writes_can_read_what_was_committed_before(self, units: Units) -> None:
        create(units)
        add(units)
        with units.write() as unit:
            project, file = unit.projects.get(DEMO), unit.files.get(DEMO, WHEEL)
            assert (project, file) == (sample_project(serial=2), sample_file())
            unit.files.set_yank(DEMO, WHEEL, Yank("", LATER, ADA))
            unit.journal.append(sample_change(project=DEMO))
        assert file_of(units).yank == Yank("", LATER, ADA)

    def test_a_unit_never_sees_its_own_writes(self, units: Units) -> None:
        self.needs("hides_own_writes")
        create(units)
        with units.write() as unit:
            unit.files.add(sample_file())
            assert unit.files.get(DEMO, WHEEL) is None
            unit.accounts.add(sample_account())
            assert list(unit.accounts.all()) == []
            unit.projects.set_public(DEMO, True, expected=1)
            assert unit.projects.get(DEMO) == sample_project(serial=1)
            unit.journal.append(sample_change(project=DEMO))
            assert unit.journal.serial() == 1
        assert project_of(units) == sample_project(public=True, serial=2)

    def test_nobody_sees_a_unit_before_its_end(self, units: Units) -> None:
        create(units)
        before = everything(units)
        with units.write() as unit:
            unit.files.add(sample_file())
            unit.accounts.add(sample_account())
            unit.journal.append(sample_change(project=DEMO))
            assert in_thread(lambda: everything(units)) == before
        assert everything(units) != before

    def test_a_unit_that_reads_sees_one_moment(self, units: Units) -> None:
        self.needs("one_moment")
        create(units)
        with units.read() as unit:
            assert unit.journal.serial() == 1
            in_thread(lambda: add(units))
            assert unit.journal.serial() == 1
            assert unit.projects.get(DEMO) == sample_project(serial=1)
            assert list(unit.files.of(DEMO)) == []
            assert list(unit.files.all()) == []
        assert look(units, lambda unit: unit.journal.serial()) == 2

    def test_what_was_read_does_not_change_any_more(self, units: Units) -> None:
        grants = {ADA_MAY: Role.ADMIN}
        detail = {"key": "value"}
        commit(
            units,
            lambda unit: unit.projects.create(sample_project(grants=grants)),
            sample_change(project=DEMO, detail=detail),
        )
        grants.clear()
        detail.clear()
        assert project_of(units).grants == {ADA_MAY: Role.ADMIN}
        assert look(units, lambda unit: unit.journal.since(0, 1))[0].detail == {"key": "value"}

    def test_readers_never_see_half_a_unit(self, units: Units) -> None:
        self.needs("one_moment")
        create(units)
        names = [FileName(f"demo-{number}.tar.gz") for number in range(20)]

        def write() -> None:
            for name in names:
                add(units, sample_file(name))

        def read() -> None:
            while True:
                with units.read() as unit:
                    project, files, serial = (
                        unit.projects.get(DEMO),
                        unit.files.of(DEMO),
                        unit.journal.serial(),
                    )
                assert project is not None
                assert project.serial == serial == len(files) + 1
                if len(files) == len(names):
                    return

        assert race([write, read, read]) == [None] * 3


class ValuesContract(UnitsFixtures):
    """Text, times and numbers come back as they were."""

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    def test_text_comes_back_as_it_was(self, units: Units, text: str) -> None:
        short = text[:200]
        project = sample_project(display_name=short, created_by=short)
        file = sample_file(
            summary=text, requires_python=short, uploaded_by=short, yank=Yank(text, LATER, short)
        )
        account = sample_account(password_hash=short)
        token = sample_token(name=short)
        change = sample_change(short, actor=short, origin=short, project=DEMO, detail={short: text})
        create(units, project)
        commit(units, lambda unit: unit.files.add(file), change)
        add_account(units, account)
        add_token(units, token)
        assert project_of(units) == replace(project, serial=2)
        assert file_of(units) == file
        assert look(units, lambda unit: unit.accounts.get(ADA)) == account
        assert look(units, lambda unit: unit.tokens.get("t0")) == token
        assert list(look(units, lambda unit: unit.journal.since(1, 1))) == [change.numbered(2)]

    @pytest.mark.parametrize("name", ["Demo-1.0.whl", "dêmo 1+local%2F#?.whl", "\N{SNAKE}" * 60, "d" * 240])
    def test_file_names_come_back_as_they_were(self, units: Units, name: str) -> None:
        create(units)
        file = sample_file(name)
        add(units, file)
        assert file_of(units, file.filename) == file

    def test_names_that_differ_only_in_case_or_accents_are_two(self, units: Units) -> None:
        create(units)
        names = ["demo-1.whl", "Demo-1.whl", "démo-1.whl", "de\N{COMBINING ACUTE ACCENT}mo-1.whl"]
        for name in names:
            add(units, sample_file(name))
        assert len(look(units, lambda unit: unit.files.of(DEMO))) == len(names)

    @pytest.mark.parametrize("at", INSTANTS.values(), ids=INSTANTS.keys())
    def test_times_come_back_to_the_microsecond_and_in_utc(self, units: Units, at: datetime) -> None:
        create(units, sample_project(created_at=at))
        add(units, sample_file(uploaded_at=at))
        set_yank(units, Yank("", at, ADA))
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, at))
        delete_project(units, at=at)
        add_account(units, sample_account(created_at=at))
        token = sample_token(created_at=at, expires_at=at, last_used_at=at)
        add_token(units, token)
        commit(units, lambda unit: unit.tokens.revoke("t0", at), sample_change(at=at))

        project, file = project_of(units), file_of(units)
        found_account = look(units, lambda unit: unit.accounts.get(ADA))
        found_token = look(units, lambda unit: unit.tokens.get("t0"))
        (entry,) = look(units, lambda unit: unit.journal.since(7, 1))
        assert file.yank is not None
        assert found_account is not None
        assert found_token is not None
        instants = {
            "project.created_at": project.created_at,
            "project.deleted_at": project.deleted_at,
            "file.uploaded_at": file.uploaded_at,
            "file.deleted_at": file.deleted_at,
            "yank.at": file.yank.at,
            "account.created_at": found_account.created_at,
            "token.created_at": found_token.created_at,
            "token.expires_at": found_token.expires_at,
            "token.last_used_at": found_token.last_used_at,
            "token.revoked_at": found_token.revoked_at,
            "change.at": entry.at,
        }
        assert instants == dict.fromkeys(instants, at)
        assert_utc(*instants.values())

    def test_a_noted_use_comes_back_to_the_microsecond_and_in_utc(self, units: Units) -> None:
        add_account(units)
        add_token(units)
        with units.write() as unit:
            unit.tokens.touch("t0", LATER, unless_since=WHEN)
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        assert token == sample_token(last_used_at=LATER)
        assert_utc(token.last_used_at)

    def test_roles_scopes_and_kinds_come_back_as_what_they_are(self, units: Units) -> None:
        create(units)
        add(units)
        add_account(units)
        add_token(units)
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        assert isinstance(token.scope, Scope)
        assert all(isinstance(role, Role) for role in project_of(units).grants.values())
        assert file_of(units).filetype is sample_file().filetype

    def test_more_than_a_thousand_of_each_are_all_there(self, units: Units) -> None:
        create(units)
        add_account(units)
        numbers = [f"{number:04}" for number in range(MANY)]
        for number in numbers:
            project = sample_project(ProjectName(f"p{number}"), public=True)

            def one_of_each(unit: UnitOfWork, project: Project = project, number: str = number) -> None:
                unit.projects.create(project)
                unit.accounts.add(sample_account(AccountName(f"a{number}")))
                unit.tokens.add(sample_token(f"k{number}", created_at=WHEN))

            commit(units, one_of_each, sample_change(project=project.name))
        for number in numbers:
            add(units, sample_file(f"demo-{number}.tar.gz"))

        with units.read() as unit:
            visible = unit.projects.visible(frozenset({AUTHENTICATED}))
            assert [summary.name for summary in visible] == [f"p{number}" for number in numbers]
            assert len(unit.projects.visible(None)) == MANY + 1
            names = [f"demo-{number}.tar.gz" for number in numbers]
            assert [file.filename for file in unit.files.of(DEMO)] == names
            assert sorted(file.filename for file in unit.files.all()) == names
            assert [account.name for account in unit.accounts.all()][:-1] == [f"a{n}" for n in numbers]
            assert sorted(token.id for token in unit.tokens.of(ADA)) == [f"k{number}" for number in numbers]
            assert unit.journal.serial() == 2 * MANY + 2
            assert len(unit.journal.since(0, 10_000)) == 2 * MANY + 2
            assert unit.projects.get(DEMO) == sample_project(serial=2 * MANY + 2)


class SharingContract(UnitsFixtures):
    """Several instances over one engine, as several processes would have them."""

    def test_another_instance_sees_what_was_committed(
        self, units: Units, reopened: Callable[[], Units]
    ) -> None:
        create(units)
        other = reopened()
        assert everything(other) == everything(units)
        add(other)
        assert everything(other) == everything(units)
        assert file_of(units) == sample_file()

    def test_what_was_committed_outlives_its_instance(
        self, units: Units, reopened: Callable[[], Units]
    ) -> None:
        create(units)
        add(units)
        before = everything(units)
        assert isinstance(units, Prepared)
        units.close()
        assert everything(reopened()) == before

    def test_the_pulse_moves_with_a_commit_of_another_instance(
        self, units: Units, reopened: Callable[[], Units]
    ) -> None:
        other = reopened()
        mine, theirs = units.pulse(), other.pulse()
        create(other)
        assert units.pulse() != mine
        mine, theirs = units.pulse(), other.pulse()
        add(units)
        assert other.pulse() != theirs
        mine = units.pulse()
        assert units.pulse() == mine

    def test_of_many_instances_that_change_a_project_the_first_wins(
        self, units: Units, reopened: Callable[[], Units]
    ) -> None:
        serial = create(units)
        stores = [units, reopened(), reopened(), reopened()]

        def act(unit: UnitOfWork) -> None:
            unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=serial)

        outcomes = race([partial(commit, stores[runner % 4], act) for runner in range(CROWD)])
        assert outcomes.count(None) == 1, outcomes
        assert all(outcome is None or isinstance(outcome, Conflict) for outcome in outcomes), outcomes
        assert [serial_of(store) for store in stores] == [serial + 1] * 4

    def test_of_many_instances_that_add_files_each_gets_its_own_serial(
        self, units: Units, reopened: Callable[[], Units]
    ) -> None:
        create(units)
        stores = [units, reopened(), reopened(), reopened()]
        adding = [
            partial(add, stores[runner % 4], sample_file(f"demo-{runner}.tar.gz")) for runner in range(CROWD)
        ]
        assert race(adding) == [None] * CROWD
        entries = look(units, lambda unit: unit.journal.since(0, 100))
        assert [entry.serial for entry in entries] == list(range(1, CROWD + 2))
        assert len(look(units, lambda unit: unit.files.of(DEMO))) == CROWD


class OutageContract(UnitsFixtures):
    """An engine that does not answer is ``Unavailable``, with the engine's own error as the cause."""

    @pytest.mark.parametrize("method", READS)
    def test_a_read_without_an_engine_is_unavailable(self, broken_units: Units, method: str) -> None:
        with pytest.raises(Unavailable) as caught, broken_units.read() as unit:
            READS[method](unit)
        assert caught.value.__cause__ is not None

    @pytest.mark.parametrize("method", WRITES)
    def test_a_write_without_an_engine_is_unavailable(self, broken_units: Units, method: str) -> None:
        with pytest.raises(Unavailable) as caught:
            commit(broken_units, WRITES[method])
        assert caught.value.__cause__ is not None

    def test_a_journal_entry_without_an_engine_is_unavailable(self, broken_units: Units) -> None:
        with pytest.raises(Unavailable) as caught, broken_units.write() as unit:
            unit.journal.append(sample_change())
        assert caught.value.__cause__ is not None

    def test_the_pulse_without_an_engine_is_unavailable(self, broken_units: Units) -> None:
        with pytest.raises(Unavailable) as caught:
            broken_units.pulse()
        assert caught.value.__cause__ is not None

    def test_preparing_and_verifying_without_an_engine_says_so(self, broken_units: Units) -> None:
        assert isinstance(broken_units, Prepared)
        for method in (broken_units.verify, broken_units.prepare):
            with pytest.raises((Unavailable, Misconfigured)) as caught:
                method()
            assert "\n" not in str(caught.value)

    def test_closing_without_an_engine_is_quiet(self, broken_units: Units) -> None:
        assert isinstance(broken_units, Prepared)
        broken_units.close()


class UnitsContract(
    ProjectsContract,
    FilesContract,
    AccountsContract,
    TokensContract,
    JournalContract,
    UnitContract,
    ValuesContract,
    SharingContract,
    OutageContract,
):
    """The whole contract of ``Units``: subclass it as ``Test...`` and provide the fixtures.

    * ``units``: the adapter, open, prepared and empty; closed after the test.
    * ``broken_units``: an adapter that was opened and prepared and whose engine was then made to fail.
    * ``reopened``: a function that opens one more instance over the engine of ``units``; the
      fixture closes what it opened.

    An adapter that lacks something says so, with its reason, in the class attribute ``lacks``, and
    the tests show as skips:

    * ``hides_own_writes``: a unit may see its own writes before its end;
    * ``one_moment``: two reads in one unit may see two moments;
    * ``outage``: there is no engine that could fail (``broken_units`` need not be provided);
    * ``sharing``: there is no second instance over the same engine (nor ``reopened``).
    """
