"""The journal, its serials, and the pulse."""
# The name of a test is its sentence:
# ruff: noqa: D102

import threading
from functools import partial
from itertools import pairwise

from warehouse14.domain.model import Change
from warehouse14.domain.ports import Units
from warehouse14.testing.contract import in_thread, race
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    LATER,
    WHEEL,
    WHEN,
    sample_account,
    sample_change,
    sample_project,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    OTHER,
    READS,
    add,
    add_account,
    append,
    commit,
    create,
    look,
    serial_of,
)


class JournalContract(UnitsFixtures):
    """The journal, its serials, and the pulse."""

    def test_an_empty_journal_is_at_zero(self, units: Units) -> None:
        assert look(units, lambda unit: unit.journal.serial()) == 0
        assert list(look(units, lambda unit: unit.journal.since(0, 10))) == []

    def test_an_entry_is_read_as_it_was_written_with_its_serial(self, units: Units) -> None:
        create(units)
        detail = {"filename": WHEEL, "reason": "it's \N{SNAKE}", "empty": ""}
        full = Change(
            *("yank", LATER, BOB, "2001:db8::1", DEMO, ADA, "t0", detail),
            group=CREW,
            by_token="t1",  # noqa: S106
        )
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
