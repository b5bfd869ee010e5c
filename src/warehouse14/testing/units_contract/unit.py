"""The unit of work: all at one moment, or nothing."""
# The name of a test is its sentence:
# ruff: noqa: D102

import time
from functools import partial

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Role, Yank
from warehouse14.domain.names import FileName
from warehouse14.domain.ports import Prepared, UnitOfWork, Units
from warehouse14.testing.contract import CROWD, in_thread, race
from warehouse14.testing.samples import (
    ADA,
    DEMO,
    LATER,
    WHEEL,
    sample_account,
    sample_change,
    sample_file,
    sample_project,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    ADA_MAY,
    add,
    commit,
    create,
    everything,
    file_of,
    look,
    project_of,
)


class Stop(Exception):
    """Raised by a test in the middle of a unit."""


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

    def test_a_project_is_held_by_one_unit_at_a_time_which_sees_what_the_others_did(
        self, units: Units
    ) -> None:
        """There need not be such a project to hold it."""
        seen = []

        def hold_and_add(number: int) -> None:
            with units.write() as unit:
                unit.hold(DEMO)
                if unit.projects.get(DEMO) is None:
                    unit.projects.create(sample_project())
                    seen.append(-1)
                else:
                    seen.append(len(unit.files.of(DEMO)))
                    unit.files.add(sample_file(f"demo-{number}.0.tar.gz"))
                time.sleep(0.001)
                unit.journal.append(sample_change(project=DEMO))

        done = race([partial(hold_and_add, number) for number in range(CROWD)])
        assert done == [None] * CROWD
        assert seen == list(range(-1, CROWD - 1))

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
