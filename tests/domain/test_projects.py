from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from domain.conftest import Clock
from support.roles import grant_as_before
from warehouse14.domain.access import Identity, operator
from warehouse14.domain.errors import AlreadyExists, Forbidden, NotFound, Rejected
from warehouse14.domain.model import Action, Latest, Role
from warehouse14.domain.names import ProjectName
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel

Publish = Callable[..., Published]


def last_action(warehouse: Warehouse) -> str:
    with warehouse.units.read() as unit:
        return unit.journal.since(unit.journal.serial() - 1, 1)[0].action


def serial(warehouse: Warehouse) -> int:
    with warehouse.units.read() as unit:
        return unit.journal.serial()


def test_the_creator_becomes_the_admin_and_the_project_is_private(
    warehouse: Warehouse, ada: Identity
) -> None:
    project = warehouse.projects.create(ada, "Foo.Bar")
    assert (project.name, project.display_name, project.public) == ("foo-bar", "Foo.Bar", False)
    assert warehouse.projects.get(ada, "foo_bar").admins == {"account:ada"}


def test_a_taken_name_is_refused_in_every_spelling(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "foo-bar")
    with pytest.raises(AlreadyExists):
        warehouse.projects.create(bob, "Foo_Bar")
    assert warehouse.projects.get(ada, "foo-bar").admins == {"account:ada"}


def test_the_name_of_a_deleted_project_stays_taken(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.delete(ada, "foo")
    with pytest.raises(AlreadyExists):
        warehouse.projects.create(ada, "foo")
    with pytest.raises(NotFound):
        warehouse.projects.get(ada, "foo")
    assert warehouse.projects.listed(ada) == []


@pytest.mark.parametrize("name", ["namespaces", "Namespace"])
def test_a_reserved_name_is_refused(warehouse: Warehouse, ada: Identity, name: str) -> None:
    with pytest.raises(Rejected, match="reserved"):
        warehouse.projects.create(ada, name)


def test_the_operator_names_the_admin(warehouse: Warehouse, ada: Identity) -> None:
    with pytest.raises(Rejected):
        warehouse.projects.create(operator(), "foo")
    with pytest.raises(NotFound):
        warehouse.projects.create(operator(), "foo", admin="nobody")
    assert warehouse.projects.create(operator(), "foo", admin=ada.account).admins == {"account:ada"}


def test_nobody_creates_a_project_for_somebody_else(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    with pytest.raises(Forbidden):
        warehouse.projects.create(bob, "foo", admin=ada.account)


def test_a_private_project_is_not_there_for_a_stranger(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "foo")
    for act in (
        lambda: warehouse.projects.get(bob, "foo"),
        lambda: warehouse.projects.files(bob, "foo"),
        lambda: warehouse.projects.grant(bob, "foo", "account:bob", Role.ADMIN),
        lambda: warehouse.projects.revoke(bob, "foo", "account:ada"),
        lambda: warehouse.projects.set_public(bob, "foo", public=True),
        lambda: warehouse.projects.delete(bob, "foo"),
    ):
        with pytest.raises(NotFound):
            act()
    assert warehouse.projects.listed(bob) == []


def test_a_public_project_is_read_by_everybody_and_managed_by_its_admins(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "foo", public=True)
    assert warehouse.projects.get(bob, "foo").public
    assert [project.name for project in warehouse.projects.listed(bob)] == ["foo"]
    with pytest.raises(Forbidden):
        warehouse.projects.set_public(bob, "foo", public=False)


def test_a_member_reads_and_does_nothing_else(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    assert warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER).is_new
    assert warehouse.projects.get(bob, "foo")
    with pytest.raises(Forbidden):
        warehouse.projects.grant(bob, "foo", "account:bob", Role.ADMIN)
    with pytest.raises(Forbidden):
        warehouse.projects.delete(bob, "foo")


def test_a_site_administrator_has_no_role_on_a_project(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    warehouse.projects.create(ada, "foo")
    with pytest.raises(NotFound):
        warehouse.projects.get(root, "foo")
    assert warehouse.projects.listed(root) == []


@pytest.mark.parametrize("lost", ["account", "group", "rank"])
def test_who_waits_for_others_to_change_a_project_decides_by_what_is_left_then(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity], publish: Publish, lost: str
) -> None:
    publish(ada, build_wheel("demo", "1.0"))
    root = person("root", administrator=True)
    warehouse.groups.create(ada, "crew")
    warehouse.groups.add(ada, "crew", "root")
    if lost == "rank":
        before = replace(root, looking=frozenset({ProjectName("demo")}))
        warehouse.accounts.set_administrator(operator(), "root", administrator=False)
    else:
        warehouse.projects.grant(ada, "demo", "group:crew", Role.ADMIN)
        before = warehouse.account("root")
        if lost == "account":
            warehouse.accounts.set_disabled(operator(), "root", disabled=True)
        else:
            warehouse.groups.remove(ada, "crew", "root")
    for change in (
        partial(warehouse.files.yank_release, before, "demo", "1.0"),
        partial(warehouse.files.delete_release, before, "demo", "1.0"),
        partial(warehouse.projects.set_public, before, "demo", public=True),
        partial(warehouse.projects.delete, before, "demo"),
    ):
        with pytest.raises(Forbidden if lost == "account" else NotFound):
            change()
    assert not warehouse.projects.get(ada, "demo").public
    assert [file.yank for file in warehouse.projects.files(ada, "demo")] == [None]


def test_a_grant_changes_the_role_that_is_there(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER)
    warehouse.projects.grant(ada, "foo", "account:bob", Role.ADMIN)
    grants = warehouse.projects.get(ada, "foo").grants
    assert grants == {"account:ada": Role.ADMIN, "account:bob": Role.ADMIN}


def test_the_same_grant_again_is_no_change(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER)
    before = serial(warehouse)
    assert not warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER).is_new
    assert not warehouse.projects.set_public(ada, "foo", public=False)
    assert serial(warehouse) == before


def test_a_grant_to_an_unknown_account_is_refused(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    with pytest.raises(NotFound):
        warehouse.projects.grant(ada, "foo", "account:nobody", Role.MEMBER)


def test_the_last_admin_stays(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER)
    with pytest.raises(Rejected, match=r"^The last admin of foo is ada\."):
        warehouse.projects.revoke(ada, "foo", "account:ada")
    with pytest.raises(Rejected, match="last admin"):
        warehouse.projects.grant(ada, "foo", "account:ada", Role.MEMBER)
    with pytest.raises(Rejected, match="last admin"):
        warehouse.projects.revoke(operator(), "foo", "account:ada")


def test_one_of_two_admins_may_leave(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", "account:bob", Role.ADMIN)
    warehouse.projects.revoke(ada, "foo", "account:ada")
    assert warehouse.projects.get(bob, "foo").grants == {"account:bob": Role.ADMIN}
    with pytest.raises(NotFound):
        warehouse.projects.get(ada, "foo")


def test_revoking_a_role_that_is_not_there_is_said(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "foo")
    with pytest.raises(NotFound, match="There is no role of 'bob'"):
        warehouse.projects.revoke(ada, "foo", "account:bob")


@pytest.mark.parametrize("old", ["group:corp/Team ", "group:corp/\U0001fa77\u0378"])
def test_a_role_of_a_group_that_could_not_be_named_today_can_be_taken_away(
    warehouse: Warehouse, ada: Identity, old: str
) -> None:
    project = warehouse.projects.create(ada, "foo")
    grant_as_before(warehouse.units, project.name, old)
    with pytest.raises(Rejected):
        warehouse.projects.revoke(ada, "foo", f"{old} ")
    assert warehouse.projects.revoke(ada, "foo", old) == old
    assert warehouse.projects.get(ada, "foo").grants == {"account:ada": Role.ADMIN}
    with pytest.raises(Rejected):
        warehouse.projects.revoke(ada, "foo", old)


def test_every_change_is_in_the_journal(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    assert last_action(warehouse) == Action.PROJECT_CREATE
    warehouse.projects.grant(ada, "foo", "account:bob", Role.MEMBER)
    assert last_action(warehouse) == Action.PROJECT_GRANT
    warehouse.projects.revoke(ada, "foo", "account:bob")
    assert last_action(warehouse) == Action.PROJECT_REVOKE
    warehouse.projects.set_public(ada, "foo", public=True)
    assert last_action(warehouse) == Action.PROJECT_PUBLIC
    warehouse.projects.set_public(ada, "foo", public=False)
    assert last_action(warehouse) == Action.PROJECT_PRIVATE
    warehouse.projects.delete(ada, "foo")
    assert last_action(warehouse) == Action.PROJECT_DELETE


def test_a_deleted_project_takes_its_files_with_it(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada)
    warehouse.projects.delete(ada, "demo")
    with pytest.raises(NotFound):
        warehouse.files.get(ada, "demo", "demo-1.0-py3-none-any.whl")
    with pytest.raises(Forbidden):
        publish(ada)
    assert warehouse.upkeep.count() == 0


@pytest.mark.parametrize(
    ("uploads", "latest"),
    [
        (["1.9.0", "1.10.0"], "1.10.0"),
        (["1.10.0", "1.9.0"], "1.10.0"),
        (["1.0", "2.0rc1"], "1.0"),
        (["2.0rc1", "1.0"], "1.0"),
        (["1.0a1", "1.0.dev5", "1.0b2"], "1.0b2"),
        (["1.0", "1.0.post1"], "1.0.post1"),
        (["2.0", "1!1.0"], "1!1.0"),
    ],
)
def test_the_latest_release_is_that_of_pep_440_in_whatever_order_files_come(
    warehouse: Warehouse, ada: Identity, publish: Publish, uploads: list[str], latest: str
) -> None:
    for version in uploads:
        publish(ada, build_wheel("demo", version, summary=f"Summary of {version}"))
    found = warehouse.projects.get(ada, "demo").latest
    assert found is not None
    assert (found.version, found.summary) == (latest, f"Summary of {latest}")


def test_the_latest_release_is_shown_as_its_first_file_says(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock
) -> None:
    publish(ada, build_wheel("demo", "1.0", summary="first"))
    first = clock.now
    clock.pass_by(timedelta(hours=1))
    publish(ada, build_sdist("demo", "1.0", summary="second"))
    assert warehouse.projects.get(ada, "demo").latest == Latest("1.0", "first", first)


def test_yanks_and_deletes_make_another_release_the_latest(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    def latest() -> str | None:
        found = warehouse.projects.get(ada, "demo").latest
        return found and found.version

    for version in ("1.0", "1.1", "2.0"):
        publish(ada, build_wheel("demo", version))
    warehouse.files.yank_release(ada, "demo", "2.0")
    assert latest() == "1.1"
    warehouse.files.delete(ada, "demo", "demo-1.1-py3-none-any.whl")
    assert latest() == "1.0"
    warehouse.files.yank(ada, "demo", "demo-1.0-py3-none-any.whl")
    assert latest() is None
    publish(ada, build_wheel("demo", "0.9"))
    assert latest() == "0.9"
    warehouse.files.unyank_release(ada, "demo", "2.0")
    assert latest() == "2.0"
    warehouse.files.delete_release(ada, "demo", "2.0")
    assert latest() == "0.9"


def test_a_release_that_is_yanked_in_part_is_still_the_latest(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    for built in (build_wheel("demo", "1.0"), build_wheel("demo", "2.0"), build_sdist("demo", "2.0")):
        publish(ada, built)
    warehouse.files.yank(ada, "demo", "demo-2.0.tar.gz")
    found = warehouse.projects.get(ada, "demo").latest
    assert found is not None
    assert found.version == "2.0"
