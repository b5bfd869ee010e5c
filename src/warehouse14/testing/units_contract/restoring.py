"""Reading all that is known, and taking what another store knows."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Sequence
from dataclasses import replace
from threading import Thread

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Role, Token, Yank
from warehouse14.domain.names import AccountName, GroupName, ProjectName, account_principal
from warehouse14.domain.ports import Restores, Units
from warehouse14.testing.contract import race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    LATER,
    LATEST,
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
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import append, commit, create

ACCOUNTS: list[Account] = [
    sample_account(vouched=sample_vouched(), signed_in_at=LATER),
    sample_account(BOB, disabled=True, administrator=True, password_once=True),
]
GROUPS: list[Group] = [
    sample_group(members={ADA: True, BOB: False}),
    sample_group(GroupName("gone"), deleted_at=LATER),
]
LOGINS: list[Login] = [sample_login(), sample_login("2", BOB)]
TOKENS: list[Token] = [
    sample_token(addresses=("192.0.2.0/24",), last_used_at=LATER, last_used_from="192.0.2.7", days=7),
    sample_token("t1", BOB, revoked_at=LATER, expires_at=LATER),
]
FILES: list[File] = [
    sample_file(yank=Yank("broken", LATER, "bob")),
    sample_file("demo-1.0.tar.gz", deleted_at=LATER, metadata_sha256=None, requires_python=None),
]
PROJECT: Project = sample_project(
    public=True,
    grants={account_principal(ADA): Role.ADMIN, account_principal(BOB): Role.MEMBER},
    serial=2,
    latest=LATEST,
)
CHANGES: list[Change] = [
    sample_change(serial=1, account=ADA, detail={"a": "b"}),
    sample_change(serial=2, project=DEMO, token="t0", by_token="t1", group=CREW),  # noqa: S106
]


class RestoringContract(UnitsFixtures):
    """Reading all that is known, and taking what another store knows."""

    def test_what_changed_after_an_entry_is_found_deleted_or_not_by_name(self, units: Units) -> None:
        names = [ProjectName(name) for name in ("c", "a", "b")]
        for name in names:
            create(units, sample_project(name))
        with units.write() as unit:
            unit.projects.delete(names[0], LATER, expected=1)
            unit.journal.append(sample_change(project=names[0]))
        with units.read() as unit:
            found = [(project.name, project.serial) for project in unit.projects.changed_since(2)]
            everything = list(unit.projects.changed_since(0))
            assert list(unit.projects.changed_since(4)) == []
        assert found == [("b", 3), ("c", 4)]
        assert [project.name for project in everything] == ["a", "b", "c"]
        with units.read() as unit:
            assert everything == [unit.projects.get(name) for name in sorted(names)]

    def test_many_projects_that_changed_come_with_their_own_grants(self, units: Units) -> None:
        taken = self._restores(units)
        many = [
            sample_project(
                ProjectName(f"p{number:04}"),
                grants={account_principal(AccountName(f"a{number % 7}")): Role.MEMBER},
                serial=1,
            )
            for number in range(1_050)
        ]
        with taken.restoring() as restoration:
            for project in many:
                restoration.project(project, [])
        with units.read() as unit:
            assert list(unit.projects.changed_since(0)) == many

    def test_groups_are_there_for_ever(self, units: Units) -> None:
        commit(units, lambda unit: unit.accounts.add(sample_account()))
        commit(units, lambda unit: unit.groups.create(sample_group()))
        commit(units, lambda unit: unit.groups.delete(CREW, LATER))
        with units.read() as unit:
            assert unit.groups.ever() == [sample_group(deleted_at=LATER)]
            assert unit.groups.all() == []

    def test_what_was_taken_comes_back_as_it_was(self, units: Units) -> None:
        self._fill(units)
        self._expect(units, ACCOUNTS, GROUPS, LOGINS, TOKENS, FILES)

    def test_what_is_taken_again_takes_the_place_of_what_was_there(self, units: Units) -> None:
        self._fill(units)
        accounts = [replace(ACCOUNTS[0], disabled=True, vouched=None), ACCOUNTS[1]]
        groups = [replace(GROUPS[0], members={BOB: True}), GROUPS[1]]
        logins = [replace(LOGINS[0], account=BOB)]
        tokens = [replace(TOKENS[0], revoked_at=LATER)]
        files = [replace(FILES[0], yank=None)]
        with self._restores(units).restoring() as restoration:
            restoration.people(accounts, groups, logins, tokens)
            restoration.project(PROJECT, files)
        self._expect(units, accounts, groups, logins, tokens, files)

    def test_sessions_end_as_those_that_ended_elsewhere_are_not_known(self, units: Units) -> None:
        self._fill(units)
        commit(units, lambda unit: unit.sessions.add(sample_session()))
        with self._restores(units).restoring() as restoration:
            restoration.people(ACCOUNTS, GROUPS, LOGINS, TOKENS)
        with units.read() as unit:
            assert unit.sessions.of(ADA) == []

    def test_the_journal_goes_on_where_the_other_ended(self, units: Units) -> None:
        self._fill(units)
        commit(units, lambda unit: unit.projects.set_public(DEMO, False, expected=2))
        with units.read() as unit:
            assert [change.serial for change in unit.journal.since(0, 9)] == [1, 2, 3]
            project = unit.projects.get(DEMO)
        assert project is not None
        assert project.serial == 3

    def test_what_is_taken_is_noticed(self, units: Units) -> None:
        before = units.pulse()
        self._fill(units)
        assert units.pulse() != before

    def test_it_says_where_the_journal_is_and_keeps_it_there(self, units: Units) -> None:
        self._fill(units)
        other = Thread(target=append, args=(units, sample_change()))
        with self._restores(units).restoring() as restoration:
            before = restoration.serial()
            other.start()
            other.join(0.2)
            after = restoration.serial()
        other.join()
        assert (before, after) == (2, 2)
        with units.read() as unit:
            assert unit.journal.serial() == 3

    def test_each_run_has_a_higher_number_than_those_before(self, units: Units) -> None:
        taken = self._restores(units)
        found = []
        for _ in range(3):
            with taken.restoring() as restoration:
                found += [restoration.run(), restoration.begin(), restoration.run()]
        first = found[1]
        assert found == [0, first, first, first, first + 1, first + 1, first + 1, first + 2, first + 2]
        assert first > 0

    def test_a_run_is_no_entry_of_the_journal_and_outlives_those_that_come(self, units: Units) -> None:
        taken = self._restores(units)
        with taken.restoring() as restoration:
            run = restoration.begin()
        self._fill(units)
        commit(units, lambda unit: unit.projects.set_public(DEMO, False, expected=2))
        with taken.restoring() as restoration:
            assert (restoration.run(), restoration.serial()) == (run, 3)
        with units.read() as unit:
            assert unit.journal.serial() == 3

    def test_of_several_that_begin_at_once_each_has_a_number_of_its_own(self, units: Units) -> None:
        taken = self._restores(units)
        found: list[int] = []

        def begin() -> None:
            with taken.restoring() as restoration:
                found.append(restoration.begin())

        assert race([begin] * 4) == [None] * 4
        assert len(set(found)) == 4

    def test_nobody_begins_a_run_before_one_that_looked_has_ended(self, units: Units) -> None:
        taken = self._restores(units)

        def begin() -> None:
            with taken.restoring() as restoration:
                restoration.begin()

        other = Thread(target=begin)
        with taken.restoring() as restoration:
            before = restoration.run()
            other.start()
            other.join(0.2)
            after = restoration.run()
        other.join()
        assert (before, after) == (0, 0)
        with taken.restoring() as restoration:
            assert restoration.run() > 0

    def test_a_project_that_is_newer_here_stays_as_it_is(self, units: Units) -> None:
        taken = self._restores(units)
        self._fill(units)

        def put_older() -> None:
            with taken.restoring() as restoration:
                restoration.people(ACCOUNTS, GROUPS, LOGINS, [])
                restoration.project(replace(PROJECT, serial=1, public=False), [])

        with pytest.raises(Conflict):
            put_older()
        self._expect(units, ACCOUNTS, GROUPS, LOGINS, TOKENS, FILES)

    def test_what_is_not_finished_is_not_there(self, units: Units) -> None:
        def fail() -> None:
            with self._restores(units).restoring() as restoration:
                restoration.people(ACCOUNTS, GROUPS, LOGINS, TOKENS)
                restoration.journal(CHANGES)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with units.read() as unit:
            assert unit.accounts.all() == []
            assert unit.journal.serial() == 0

    def _restores(self, units: Units) -> Restores:
        self.needs("restoring")
        assert isinstance(units, Restores)
        return units

    def _fill(self, units: Units) -> None:
        with self._restores(units).restoring() as restoration:
            restoration.people(ACCOUNTS, GROUPS, LOGINS, TOKENS)
            restoration.project(PROJECT, FILES)
            restoration.journal(CHANGES)

    def _expect(
        self,
        units: Units,
        accounts: Sequence[Account],
        groups: Sequence[Group],
        logins: Sequence[Login],
        tokens: Sequence[Token],
        files: Sequence[File],
    ) -> None:
        with units.read() as unit:
            assert unit.accounts.all() == accounts
            assert unit.groups.ever() == sorted(groups, key=lambda group: group.name)
            assert [login for name in (ADA, BOB) for login in unit.logins.of(name)] == logins
            assert [token for name in (ADA, BOB) for token in unit.tokens.of(name)] == tokens
            assert unit.projects.get(DEMO) == PROJECT
            assert unit.files.of(DEMO) == files
            assert unit.journal.since(0, 9) == CHANGES
            assert unit.journal.serial() == 2
            assert unit.projects.visible(None)[0].serial == 2
