import pytest

from warehouse14.adapters import memory
from warehouse14.adapters.memory import MemoryFiles
from warehouse14.domain.errors import Conflict
from warehouse14.domain.ports import Blob, FileStore, UnitOfWork, Units
from warehouse14.settings import Section
from warehouse14.testing.file_store_contract import FileStoreContract
from warehouse14.testing.samples import (
    DEMO,
    LATER,
    WHEN,
    sample_account,
    sample_change,
    sample_file,
    sample_project,
    sample_token,
)
from warehouse14.testing.units_contract import OTHER, READS, WRITES, UnitsContract, commit, create

NO_ENGINE = {
    "outage": "memory does not stop answering",
    "sharing": "it lives in one object of one process",
}


class TestMemoryUnits(UnitsContract):
    lacks = NO_ENGINE

    @pytest.fixture
    def units(self) -> Units:
        return memory.units(Section("warehouse14.metadata.", {}))

    def test_a_change_without_a_journal_entry_is_a_mistake(self, units: Units) -> None:
        with pytest.raises(RuntimeError, match="without a journal entry"), units.write() as unit:
            unit.accounts.add(sample_account())
        with units.read() as unit:
            assert unit.accounts.all() == []

    def test_a_journal_entry_is_the_last_write(self, units: Units) -> None:
        for write in (lambda unit: unit.accounts.add(sample_account()), WRITES["tokens.touch"]):
            with pytest.raises(RuntimeError, match="last write"):
                commit(units, lambda unit, write=write: (unit.journal.append(sample_change()), write(unit)))

    def test_a_unit_has_one_journal_entry(self, units: Units) -> None:
        with pytest.raises(RuntimeError, match="last write"):
            commit(units, lambda unit: unit.journal.append(sample_change()))

    def test_the_journal_entry_names_the_project_that_changed(self, units: Units) -> None:
        for change in (sample_change(), sample_change(project=OTHER)):
            with pytest.raises(RuntimeError, match="does not name"):
                commit(units, lambda unit: unit.projects.create(sample_project()), change)

    def test_an_item_is_written_once_in_a_unit(self, units: Units) -> None:
        serial = create(units)

        def open_and_delete(unit: UnitOfWork) -> None:
            unit.projects.set_public(DEMO, True, expected=serial)
            unit.projects.delete(DEMO, LATER, expected=serial)

        with pytest.raises(RuntimeError, match="twice"):
            commit(units, open_and_delete)

    @pytest.mark.parametrize("method", WRITES)
    def test_a_unit_that_reads_writes_nothing(self, units: Units, method: str) -> None:
        with pytest.raises(RuntimeError, match="only reads"), units.read() as unit:
            WRITES[method](unit)

    @pytest.mark.parametrize("method", READS | WRITES)
    @pytest.mark.parametrize("kind", ["read", "write"])
    def test_a_unit_is_of_no_use_after_its_end(self, units: Units, method: str, kind: str) -> None:
        with getattr(units, kind)() as unit:
            pass
        with pytest.raises(RuntimeError, match="is over"):
            (READS | WRITES)[method](unit)

    def test_files_cannot_be_listed_on_after_the_end_of_their_unit(self, units: Units) -> None:
        create(units)
        commit(units, lambda unit: unit.files.add(sample_file()))
        with units.read() as unit:
            files = unit.files.all()
        with pytest.raises(RuntimeError, match="is over"):
            next(files)

    def test_every_commit_moves_the_pulse_by_one_and_nothing_else_does(self, units: Units) -> None:
        commit(units, lambda unit: unit.accounts.add(sample_account()), sample_change())
        commit(units, lambda unit: unit.tokens.add(sample_token()), sample_change())
        with units.write() as unit:
            unit.tokens.touch("t0", LATER, unless_since=WHEN)
        assert units.pulse() == 3
        with pytest.raises(Conflict):
            commit(units, lambda unit: unit.tokens.add(sample_token()), sample_change())
        with units.write():
            pass
        assert units.pulse() == 3


class TestMemoryFiles(FileStoreContract):
    lacks = NO_ENGINE | {"bounded_memory": "memory is where its blobs are"}

    @pytest.fixture
    def store(self) -> FileStore:
        return memory.file_store(Section("warehouse14.files.", {}))

    def test_the_clock_can_be_chosen(self) -> None:
        store = MemoryFiles(now=lambda: WHEN)
        store.put("a", b"")
        assert store.stat("a") == Blob("a", 0, WHEN)
