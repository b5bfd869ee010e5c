"""Projects, who may do what with them, and who sees them."""
# The name of a test is its sentence:
# ruff: noqa: D102

from collections.abc import Callable
from dataclasses import replace

import pytest

from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Latest, Role
from warehouse14.domain.names import (
    AUTHENTICATED,
    AccountName,
    FileName,
    GroupName,
    Principal,
    ProjectName,
    account_principal,
    group_principal,
    invitation_principal,
    service_name,
)
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.contract import CROWD
from warehouse14.testing.samples import (
    ADA,
    BOB,
    CREW,
    DEMO,
    LATER,
    LATEST,
    WHEEL,
    WHEN,
    sample_change,
    sample_file,
    sample_group,
    sample_project,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    ADA_MAY,
    BOB_MAY,
    OTHER,
    Act,
    add,
    add_account,
    add_group,
    assert_one_winner,
    commit,
    conflict_of,
    create,
    delete_project,
    file_of,
    look,
    project_of,
    serial_of,
)

#: The changes of a project that hang on its serial.
GUARDED: dict[str, Callable[[UnitOfWork, int], None]] = {
    "set_public": lambda unit, expected: unit.projects.set_public(DEMO, True, expected=expected),
    "set_latest": lambda unit, expected: unit.projects.set_latest(DEMO, "De.Mo", LATEST, expected=expected),
    "grant": lambda unit, expected: unit.projects.grant(DEMO, BOB_MAY, Role.MEMBER, expected=expected),
    "revoke": lambda unit, expected: unit.projects.revoke(DEMO, ADA_MAY, expected=expected),
    "delete": lambda unit, expected: unit.projects.delete(DEMO, LATER, expected=expected),
}


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
        with conflict_of(units, "project", DEMO):
            create(units, sample_project(created_by=BOB))

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

    @pytest.mark.parametrize("latest", [LATEST, None])
    def test_another_latest_release_changes_that_and_the_spelling(
        self, units: Units, latest: Latest | None
    ) -> None:
        create(units, sample_project(latest=None if latest else LATEST))
        before = project_of(units)
        commit(units, lambda unit: unit.projects.set_latest(DEMO, "De.Mo", latest, expected=before.serial))
        after = replace(before, display_name="De.Mo", latest=latest, serial=before.serial + 1)
        assert project_of(units) == after

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
        with conflict_of(units, "project", DEMO):
            commit(units, lambda unit: GUARDED[method](unit, stale))

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

    def test_visible_projects_can_be_asked_for_by_a_range_of_names(self, units: Units) -> None:
        names = [ProjectName(name) for name in ("a", "b", "b-1", "b1", "c", "d", "z9")]
        for name in names:
            create(units, sample_project(name, public=name != "c", grants={BOB_MAY: Role.MEMBER}))
        delete_project(units, ProjectName("d"))

        def found(principals: set[Principal] | None, first: str, before: str | None) -> list[str]:
            asked = None if principals is None else frozenset(principals)
            given = look(units, lambda unit: unit.projects.visible(asked, first=first, before=before))
            return [summary.name for summary in given]

        for principals in (None, {AUTHENTICATED, BOB_MAY}, {BOB_MAY}):
            assert found(principals, "b", "c") == ["b", "b-1", "b1"]
            assert found(principals, "b-", "z9") == ["b-1", "b1", "c"]
            assert found(principals, "", "b") == ["a"]
            assert found(principals, "b1", None) == ["b1", "c", "z9"]
            assert found(principals, "", None) == ["a", "b", "b-1", "b1", "c", "z9"]
            assert found(principals, "d", "z") == []
        assert found({AUTHENTICATED}, "b1", None) == ["b1", "z9"]
        assert found(set(), "", "z") == []

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

    def _hanging_on(self, units: Units, who: Principal) -> list[str]:
        return list(look(units, lambda unit: unit.projects.hanging_on(who)))

    def test_the_projects_that_hang_on_somebody_have_no_other_admin(self, units: Units) -> None:
        both = {ADA_MAY: Role.ADMIN, BOB_MAY: Role.ADMIN}
        create(units, sample_project(ProjectName("z-hers")))
        create(
            units, sample_project(ProjectName("a-hers"), grants={ADA_MAY: Role.ADMIN, BOB_MAY: Role.MEMBER})
        )
        create(units, sample_project(ProjectName("both"), grants=both))
        create(units, sample_project(ProjectName("his"), grants={ADA_MAY: Role.MEMBER, BOB_MAY: Role.ADMIN}))
        create(units, sample_project(ProjectName("gone")))
        delete_project(units, ProjectName("gone"))
        assert self._hanging_on(units, ADA_MAY) == ["a-hers", "z-hers"]
        assert self._hanging_on(units, BOB_MAY) == ["his"]
        assert self._hanging_on(units, Principal("group:corp/crew")) == []

    @pytest.mark.parametrize(
        "other",
        [
            account_principal(service_name("project", DEMO)),
            invitation_principal(AccountName("new@example.org")),
        ],
    )
    def test_a_service_account_and_who_is_only_invited_are_nobody_to_hang_on(
        self, units: Units, other: Principal
    ) -> None:
        create(units, sample_project(grants={ADA_MAY: Role.ADMIN, other: Role.ADMIN}))
        assert self._hanging_on(units, ADA_MAY) == [DEMO]

    def test_the_roles_of_deleted_groups_count_for_nothing_when_it_is_asked_who_hangs_on_whom(
        self, units: Units
    ) -> None:
        add_account(units)
        for group in (CREW, GroupName("live")):
            add_group(units, sample_group(group))
        theirs, live = group_principal(CREW), group_principal(GroupName("live"))
        foreign = Principal(f"group:corp/{CREW}")
        for name, other in (("theirs", theirs), ("live", live), ("foreign", foreign)):
            create(units, sample_project(ProjectName(name), grants={ADA_MAY: Role.ADMIN, other: Role.ADMIN}))
        assert self._hanging_on(units, ADA_MAY) == []
        commit(units, lambda unit: unit.groups.delete(CREW, LATER), sample_change(group=CREW))
        assert self._hanging_on(units, ADA_MAY) == ["theirs"]

    def test_the_roles_of_empty_groups_count_for_nothing_either(self, units: Units) -> None:
        add_account(units)
        add_group(units, sample_group(CREW, members={}))
        theirs = group_principal(CREW)
        create(units, sample_project(grants={ADA_MAY: Role.ADMIN, theirs: Role.ADMIN}))
        assert self._hanging_on(units, ADA_MAY) == [DEMO]
        commit(units, lambda unit: unit.groups.set_member(CREW, ADA, True), sample_change(group=CREW))
        assert self._hanging_on(units, ADA_MAY) == []

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
