"""Searching among the projects."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from warehouse14.domain.model import FoundProject, Latest, Order
from warehouse14.domain.names import AUTHENTICATED, Principal, project_name
from warehouse14.domain.ports import MOST_COUNTED, Units
from warehouse14.testing.samples import DEMO, LATER, WHEN, sample_change, sample_project
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import ADA_MAY, BOB_MAY, commit, create, delete_project, look

#: Names and summaries; of the one without a summary there is no release.
STOCK = {
    "alpha": "Reads and writes PARQUET",
    "beta_tools": "Cuts, 100% of them; it's \\ quick_",
    "gamma": "Straße nach Ångström",
    "delta": "",
}


class SearchContract(UnitsFixtures):
    """``projects.search``."""

    @pytest.fixture
    def stocked(self, units: Units) -> Units:
        """Return ``units`` with STOCK, each released a day after the one before."""
        for day, (display_name, summary) in enumerate(STOCK.items()):
            latest = Latest("1.0", summary, WHEN + timedelta(days=day)) if summary else None
            project = sample_project(project_name(display_name), display_name=display_name, latest=latest)
            create(units, project)
        return units

    def names(
        self,
        units: Units,
        *words: str,
        principals: frozenset[Principal] | None = None,
        order: Order = Order.NAME,
    ) -> list[str]:
        """Return the names of what a search finds, after a look at their number."""
        found, total = look(
            units, lambda unit: unit.projects.search(principals, words, order=order, start=0, count=100)
        )
        assert total == len(found)
        return [project.name for project in found]

    def test_without_words_all_are_found_by_name(self, stocked: Units) -> None:
        assert self.names(stocked) == ["alpha", "beta-tools", "delta", "gamma"]

    @pytest.mark.parametrize(
        ("prefix", "words", "names"),
        [
            ("beta-", [], ["beta-tools"]),
            ("a", [], ["alpha"]),
            ("lpha", [], []),
            ("beta_", [], []),
            ("%", [], []),
            ("a", ["beta"], []),
        ],
    )
    def test_a_prefix_narrows_what_is_found(
        self, stocked: Units, prefix: str, words: list[str], names: list[str]
    ) -> None:
        found, total = look(
            stocked,
            lambda unit: unit.projects.search(None, words, order=Order.NAME, start=0, count=9, prefix=prefix),
        )
        assert ([project.name for project in found], total) == (names, len(names))

    def test_the_newest_release_comes_first_and_a_project_without_one_last(self, stocked: Units) -> None:
        assert self.names(stocked, order=Order.NEWEST) == ["gamma", "beta-tools", "alpha", "delta"]

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["parquet"], ["alpha"]),
            (["WRITES", "alpha"], ["alpha"]),
            (["writes", "beta"], []),
            (["a-t"], ["beta-tools"]),
            (["a_t"], ["beta-tools"]),
            (["STRASSE"], ["gamma"]),
            (["ångström"], ["gamma"]),
            (["100%"], ["beta-tools"]),
            (["%"], ["beta-tools"]),
            (["_"], ["beta-tools"]),
            (["beta.Tools"], ["beta-tools"]),
            (["TA--to"], ["beta-tools"]),
            (["beta-_"], []),
            (["\\"], ["beta-tools"]),
            (["it's"], ["beta-tools"]),
            (["a%s"], []),
        ],
    )
    def test_every_word_occurs_in_name_or_summary_in_any_case(
        self, stocked: Units, words: Sequence[str], names: list[str]
    ) -> None:
        assert self.names(stocked, *words) == names

    def test_a_found_project_comes_with_its_latest_release(self, stocked: Units) -> None:
        found, _ = look(
            stocked, lambda unit: unit.projects.search(None, [], order=Order.NAME, start=0, count=3)
        )
        assert found[0] == FoundProject(
            project_name("alpha"), "alpha", False, Latest("1.0", STOCK["alpha"], WHEN)
        )
        assert found[2] == FoundProject(project_name("delta"), "delta", False, None)

    def test_a_page_of_the_found_comes_with_the_number_of_all(self, stocked: Units) -> None:
        pages = [
            look(
                stocked,
                lambda unit, start=start: unit.projects.search(  # type: ignore[misc]
                    None, [], order=Order.NAME, start=start, count=3
                ),
            )
            for start in (0, 3, 6)
        ]
        assert [[project.name for project in page] for page, _ in pages] == [
            ["alpha", "beta-tools", "delta"],
            ["gamma"],
            [],
        ]
        assert {total for _, total in pages} == {4}

    def test_the_number_of_all_is_counted_only_so_far(self, units: Units) -> None:
        for number in range(MOST_COUNTED + 5):
            create(units, sample_project(project_name(f"n{number}")))
        for start, total in ((0, MOST_COUNTED + 3), (1, MOST_COUNTED + 4), (10, MOST_COUNTED + 5)):
            _, counted = look(
                units,
                lambda unit, start=start: unit.projects.search(  # type: ignore[misc]
                    None, ["n"], order=Order.NAME, start=start, count=3
                ),
            )
            assert counted == total

    def test_only_what_is_public_or_granted_is_found(self, units: Units) -> None:
        for name, public in (("private", False), ("public", True)):
            create(units, sample_project(project_name(name), public=public))
        for principals, names in (
            ({ADA_MAY}, ["private", "public"]),
            ({BOB_MAY}, []),
            ({AUTHENTICATED}, ["public"]),
            ({AUTHENTICATED, BOB_MAY}, ["public"]),
            (set(), []),
        ):
            assert self.names(units, principals=frozenset(principals)) == names
            assert self.names(units, "p", principals=frozenset(principals)) == names

    def test_a_deleted_project_is_not_found(self, stocked: Units) -> None:
        create(stocked)
        assert "demo" in self.names(stocked)
        delete_project(stocked)
        assert "demo" not in self.names(stocked)

    def test_a_new_summary_is_searched_at_once(self, units: Units) -> None:
        before = sample_project(latest=Latest("1.0", "old words", WHEN))
        serial = create(units, before)
        latest = replace(before.latest or Latest("", "", WHEN), summary="New Ones", at=LATER)
        commit(
            units,
            lambda unit: unit.projects.set_latest(DEMO, "DE-MO", latest, expected=serial),
            sample_change(project=DEMO),
        )
        assert self.names(units, "old") == []
        assert self.names(units, "new", "ones", "de-mo") == ["demo"]
