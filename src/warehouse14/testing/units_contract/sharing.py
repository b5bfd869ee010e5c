"""Several instances over one engine."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Callable
from functools import partial

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Role
from warehouse14.domain.ports import Prepared, UnitOfWork, Units
from warehouse14.testing.contract import CROWD, race
from warehouse14.testing.samples import DEMO, sample_file
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    BOB_MAY,
    add,
    commit,
    create,
    everything,
    file_of,
    look,
    serial_of,
)


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
