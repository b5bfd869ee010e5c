"""Finding entries of the journal."""
# The name of a test is its sentence, and the id of a token is no secret:
# ruff: noqa: D102, S106

from datetime import timedelta

import pytest

from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change
from warehouse14.domain.names import GroupName, ProjectName
from warehouse14.domain.ports import Units
from warehouse14.testing.samples import ADA, BOB, CREW, DEMO, LATER, WHEN, sample_change
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import OTHER, append, look

MANY = 2_500

ENTRIES = [
    sample_change("project.create", project=DEMO),
    sample_change("project.create", project=OTHER, actor=BOB),
    sample_change("file.upload", project=DEMO, by_token="t0"),
    sample_change("file.yank", project=DEMO, actor=BOB, at=LATER),
    sample_change("files", at=LATER),
    sample_change("token.mint", account=ADA, actor="operator", token="t0", at=LATER),
    sample_change("token.revoke", account=BOB, token="t1", at=LATER, by_token="t0", group=CREW),
]

#: What is sought among these, and the serials of what is found.
SOUGHT = {
    "anything": (Sought(), [7, 6, 5, 4, 3, 2, 1]),
    "a project": (Sought(project=DEMO), [4, 3, 1]),
    "another project": (Sought(project=OTHER), [2]),
    "a project that begins alike": (Sought(project=ProjectName("dem")), []),
    "a group": (Sought(group=CREW), [7]),
    "a group that begins alike": (Sought(group=GroupName("cre")), []),
    "an actor": (Sought(actor=BOB), [4, 2]),
    "an actor, in capitals": (Sought(actor="BOB"), []),
    "an account": (Sought(account=ADA), [6]),
    "what concerns an account": (Sought(concerning=ADA), [7, 6, 5, 3, 1]),
    "what concerns another": (Sought(concerning=BOB), [7, 4, 2]),
    "a token": (Sought(token="t0"), [7, 6, 3]),
    "a token that is not there": (Sought(token="t2"), []),
    "a token, in capitals": (Sought(token="T0"), []),
    "a token, and who did it": (Sought(token="t0", actor="operator"), [6]),
    "a token, and a project": (Sought(token="t0", project=DEMO), [3]),
    "a token, and another project": (Sought(token="t0", project=OTHER), []),
    "a token, and a group": (Sought(token="t0", group=CREW), [7]),
    "a token, and a family of actions": (Sought(token="t0", action="token."), [7, 6]),
    "a project, and a group": (Sought(project=DEMO, group=CREW), []),
    "what concerns an account, and a token": (Sought(concerning=BOB, token="t0"), [7]),
    "an action": (Sought(action="file.upload"), [3]),
    "an action, in capitals": (Sought(action="FILE.UPLOAD"), []),
    "a family of actions": (Sought(action="file."), [4, 3]),
    "a family, in capitals": (Sought(action="FILE."), []),
    "a family with a sign that stands for others": (Sought(action="%."), []),
    "a time from": (Sought(since=LATER), [7, 6, 5, 4]),
    "a time until": (Sought(until=LATER), [3, 2, 1]),
    "a time right after": (Sought(since=LATER + timedelta(microseconds=1)), []),
    "a time in between": (Sought(since=WHEN, until=WHEN + timedelta(microseconds=1)), [3, 2, 1]),
    "all at once": (
        Sought(project=DEMO, actor=BOB, concerning=BOB, action="file.", since=LATER),
        [4],
    ),
}


def found(
    units: Units, sought: Sought, *, before: int | None = None, after: int | None = None, count: int = 100
) -> list[Change]:
    """Return what is found."""
    return list(look(units, lambda unit: unit.journal.found(sought, before=before, after=after, count=count)))


class JournalSearchContract(UnitsFixtures):
    """Finding entries of the journal."""

    @pytest.mark.parametrize(("sought", "serials"), SOUGHT.values(), ids=SOUGHT.keys())
    def test_what_is_found_fits_all_that_is_sought(
        self, units: Units, sought: Sought, serials: list[int]
    ) -> None:
        for change in ENTRIES:
            append(units, change)
        assert found(units, sought) == [ENTRIES[serial - 1].numbered(serial) for serial in serials]

    def test_an_empty_journal_has_nothing_to_find(self, units: Units) -> None:
        for sides in ({}, {"before": 5}, {"after": 5}, {"before": 0}, {"after": 0}):
            assert found(units, Sought(), **sides) == []

    def test_what_is_found_is_read_in_pages_in_both_directions(self, units: Units) -> None:
        for change in ENTRIES:
            append(units, change)

        def serials(**sides: int) -> list[int]:
            return [change.serial for change in found(units, Sought(concerning=ADA), **sides)]

        assert serials(count=2) == [7, 6]
        assert serials(count=2, before=6) == [5, 3]
        assert serials(count=2, before=3) == [1]
        assert serials(before=1) == []
        assert serials(before=10**17) == [7, 6, 5, 3, 1]
        assert serials(count=2, after=1) == [5, 3]
        assert serials(count=2, after=5) == [7, 6]
        assert serials(after=7) == serials(after=10**17) == []

    def test_pages_of_many_entries_are_whole_and_of_one_project(self, units: Units) -> None:
        for number in range(MANY):
            project = DEMO if number % 2 else OTHER
            append(units, sample_change(actor=f"p{number % 3}", project=project))
        pages: list[list[Change]] = []
        before: int | None = None
        while page := found(units, Sought(project=DEMO), before=before, count=500):
            pages.append(page)
            before = page[-1].serial
        assert [len(page) for page in pages] == [500, 500, 250]
        entries = [change for page in pages for change in page]
        assert [change.serial for change in entries] == list(range(MANY, 0, -2))
        assert {change.project for change in entries} == {DEMO}
        of_one = found(units, Sought(project=DEMO, actor="p1"), count=MANY)
        assert of_one == [change for change in entries if change.actor == "p1"]
