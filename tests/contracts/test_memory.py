import errno
from collections.abc import Callable

import pytest

from warehouse14.adapters import memory
from warehouse14.adapters.memory import MemoryFiles, MemoryUnits
from warehouse14.domain.errors import Conflict, Unavailable
from warehouse14.domain.ports import Blob, FileStore, Staged, UnitOfWork, Units
from warehouse14.settings import Section
from warehouse14.testing.file_store_contract import FileStoreContract
from warehouse14.testing.file_store_contract.steps import METHODS, stage
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
from warehouse14.testing.units_contract import UnitsContract
from warehouse14.testing.units_contract.steps import (
    OTHER,
    READS,
    WRITES,
    add_account,
    commit,
    create,
    everything,
)

ALONE = {"sharing": "it lives in one object of one process"}
OUTAGE = OSError(errno.EIO, "the engine is gone")

JOURNAL = {"journal.append": lambda unit: unit.journal.append(sample_change())}

#: Every use of a stage.
STAGED: dict[str, Callable[[Staged], object]] = {
    "write": lambda staged: staged.write(b"more"),
    "reader": lambda staged: staged.reader(),
    "beside": lambda staged: staged.beside("a/small", b"small"),
    "commit": lambda staged: staged.commit("a/key"),
}


class TestMemoryUnits(UnitsContract):
    lacks = ALONE

    @pytest.fixture
    def units(self) -> Units:
        return memory.units(Section("warehouse14.metadata.", {}))

    @pytest.fixture
    def broken_units(self) -> Units:
        units = MemoryUnits()
        units.fail_with(OUTAGE)
        return units

    @pytest.mark.parametrize("method", READS | WRITES | JOURNAL)
    def test_an_open_unit_fails_at_once_and_with_the_given_error(self, method: str) -> None:
        units = MemoryUnits()
        caught: list[Unavailable] = []

        def fail(unit: UnitOfWork) -> None:
            units.fail_with(OUTAGE)
            with pytest.raises(Unavailable) as at_once:
                (READS | WRITES | JOURNAL)[method](unit)
            caught.append(at_once.value)

        with pytest.raises(Unavailable) as at_the_end, units.write() as unit:
            fail(unit)
        assert [error.__cause__ for error in (*caught, at_the_end.value)] == [OUTAGE, OUTAGE]

    def test_no_unit_is_opened_or_ended_and_no_pulse_is_taken_in_an_outage(self) -> None:
        units = MemoryUnits()
        with pytest.raises(Unavailable), units.read():
            units.fail_with(OUTAGE)
        for kind in (units.read, units.write):
            with pytest.raises(Unavailable) as caught:
                kind().__enter__()
            assert caught.value.__cause__ is OUTAGE
        with pytest.raises(Unavailable):
            units.pulse()

    @pytest.mark.parametrize("over", [True, False])
    def test_a_unit_that_was_open_in_an_outage_changes_nothing(self, over: bool) -> None:
        units = MemoryUnits()
        create(units)
        before = everything(units), units.pulse()

        def add_and_fail(unit: UnitOfWork) -> None:
            unit.accounts.add(sample_account())
            unit.journal.append(sample_change(account=sample_account().name))
            units.fail_with(OUTAGE)
            if over:
                units.fail_with(None)

        with pytest.raises(Unavailable), units.write() as unit:
            add_and_fail(unit)
        units.fail_with(None)
        assert (everything(units), units.pulse()) == before
        add_account(units)
        assert units.pulse() == 2

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
            unit.tokens.touch("t0", LATER, unless_since=WHEN, origin="", agent="")
        assert units.pulse() == 3
        with pytest.raises(Conflict):
            commit(units, lambda unit: unit.tokens.add(sample_token()), sample_change())
        with units.write():
            pass
        assert units.pulse() == 3


class TestMemoryFiles(FileStoreContract):
    lacks = ALONE | {"bounded_memory": "memory is where its blobs are"}

    @pytest.fixture
    def store(self) -> FileStore:
        return memory.file_store(Section("warehouse14.files.", {}))

    @pytest.fixture
    def broken_store(self) -> FileStore:
        store = MemoryFiles()
        store.fail_with(OUTAGE)
        return store

    @pytest.mark.parametrize("method", METHODS)
    def test_an_outage_has_the_given_error_and_an_end(self, method: str) -> None:
        store = MemoryFiles()
        stage(store, "demo/kept", b"kept")
        store.fail_with(OUTAGE)
        with pytest.raises(Unavailable) as caught:
            METHODS[method](store)
        assert caught.value.__cause__ is OUTAGE
        store.fail_with(None)
        assert [blob.key for blob in store.keys()] == ["demo/kept"]
        if method != "open":
            METHODS[method](store)

    @pytest.mark.parametrize("use", STAGED)
    def test_a_stage_fails_in_an_outage_and_leaves_nothing(self, use: str) -> None:
        store = MemoryFiles()
        with store.stage() as staged:
            staged.write(b"data")
            staged.beside("a/beside", b"small")
            store.fail_with(OUTAGE)
            with pytest.raises(Unavailable) as caught:
                STAGED[use](staged)
        assert caught.value.__cause__ is OUTAGE
        with pytest.raises(Unavailable):
            store.stage().__enter__()
        store.fail_with(None)
        assert list(store.keys()) == []

    def test_the_clock_can_be_chosen(self) -> None:
        store = MemoryFiles(now=lambda: WHEN)
        store.put("a", b"")
        assert store.stat("a") == Blob("a", 0, WHEN)
