"""Files: listed, yanked, deleted."""
# The name of a test is its sentence:
# ruff: noqa: D102

from datetime import timedelta
from functools import partial

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Yank
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.contract import CROWD, race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    DEMO,
    LATER,
    WHEEL,
    WHEN,
    sample_change,
    sample_file,
    sample_project,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    OTHER,
    WRITES,
    Act,
    add,
    assert_one_winner,
    commit,
    conflict_of,
    create,
    delete_project,
    everything,
    file_of,
    look,
    project_of,
    set_yank,
)


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
        with conflict_of(units, "file", WHEEL):
            add(units, sample_file(sha256="77" * 32))

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
        with conflict_of(units, "project", DEMO):
            add(units)

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
