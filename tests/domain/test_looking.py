"""Site administrators look into projects and groups: on record, for an hour, and in that session alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domain.conftest import Clock
from warehouse14.domain.access import Identity, Permission, account_identity, allows, manages_group
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Role
from warehouse14.domain.names import ProjectName
from warehouse14.domain.sentences import sentence
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.domain.warehouse import Warehouse

PASSWORD = "correct horse"
WHY = "ada left the company"


@pytest.fixture
def root(warehouse: Warehouse, person: Callable[..., Identity], ada: Identity) -> SignedIn:
    """An administrator in a session, on a site where demo and other are ada's."""
    person("root", administrator=True)
    for name in ("demo", "other"):
        warehouse.projects.create(ada, name)
    return sign_in(warehouse, "root")


def sign_in(warehouse: Warehouse, name: str) -> SignedIn:
    warehouse.accounts.set_password(warehouse.operator(), name, PASSWORD)
    return warehouse.sessions.sign_in(name, PASSWORD, origin="192.0.2.9")


@pytest.fixture
def crew(warehouse: Warehouse, root: SignedIn, ada: Identity, bob: Identity) -> SignedIn:
    """The same administrator, where Ada is the admin of the groups crew and team, and Bob is in both."""
    for name in ("crew", "team"):
        warehouse.groups.create(ada, name)
        warehouse.groups.add(ada, name, "bob")
    return root


def now(warehouse: Warehouse, session: SignedIn) -> Identity:
    """Return who acts in a session at this moment."""
    found = warehouse.sessions.identify(session.secret)
    assert found is not None
    return found.identity("192.0.2.9")


def test_whoever_looks_sees_and_mends_one_project_as_its_admins_do(
    warehouse: Warehouse, root: SignedIn
) -> None:
    with pytest.raises(NotFound):
        warehouse.projects.get(now(warehouse, root), "demo")
    warehouse.looking.look(now(warehouse, root), "Demo", reason=WHY)
    identity = now(warehouse, root)
    warehouse.projects.grant(identity, "demo", "account:root", Role.ADMIN)
    warehouse.projects.revoke(identity, "demo", "account:ada")
    warehouse.projects.set_public(identity, "demo", public=True)
    with pytest.raises(NotFound):
        warehouse.projects.get(identity, "other")


def test_a_look_ends_after_an_hour(warehouse: Warehouse, root: SignedIn, clock: Clock) -> None:
    until = warehouse.looking.look(now(warehouse, root), "demo", reason=WHY)
    assert until == clock() + timedelta(hours=1)
    clock.pass_by(timedelta(minutes=40))
    warehouse.looking.look(now(warehouse, root), "other", reason=WHY)
    assert now(warehouse, root).looking == {"demo", "other"}
    clock.pass_by(timedelta(minutes=20))
    assert now(warehouse, root).looking == {"other"}
    with pytest.raises(NotFound):
        warehouse.projects.get(now(warehouse, root), "demo")


def test_a_look_is_one_entry_that_names_the_project_the_person_and_the_reason(
    warehouse: Warehouse, root: SignedIn, clock: Clock
) -> None:
    with warehouse.units.read() as unit:
        before = unit.journal.serial()
    warehouse.looking.look(now(warehouse, root), "demo", reason=f" {WHY} ")
    with warehouse.units.read() as unit:
        (change,) = unit.journal.since(before, 10)
    assert (change.action, change.project, change.actor, change.origin) == (
        "project.look",
        "demo",
        "root",
        "192.0.2.9",
    )
    assert (change.detail, change.at) == ({"reason": WHY}, clock())


def test_another_session_and_a_token_of_the_same_administrator_look_nowhere(
    warehouse: Warehouse, root: SignedIn
) -> None:
    other = warehouse.sessions.sign_in("root", PASSWORD, origin="192.0.2.9")
    token = warehouse.tokens.mint(now(warehouse, root), name="laptop").text
    warehouse.looking.look(now(warehouse, root), "demo", reason=WHY)
    assert now(warehouse, other).looking == frozenset()
    with pytest.raises(NotFound):
        warehouse.projects.get(warehouse.tokens.identify(token), "demo")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "one\ntwo", "\x1b[2J"])
def test_a_look_needs_a_reason_in_one_line(warehouse: Warehouse, root: SignedIn, reason: str) -> None:
    with pytest.raises(Rejected, match=r"^reason: "):
        warehouse.looking.look(now(warehouse, root), "demo", reason=reason)
    assert now(warehouse, root).looking == frozenset()


def test_nobody_else_looks(warehouse: Warehouse, root: SignedIn, bob: Identity) -> None:
    bobs = sign_in(warehouse, "bob")
    with pytest.raises(Forbidden):
        warehouse.looking.look(now(warehouse, bobs), "demo", reason=WHY)
    with pytest.raises(Forbidden):
        warehouse.catalogue.search_all(bob, "")
    with pytest.raises(Unauthenticated):
        warehouse.looking.look(warehouse.account("root"), "demo", reason=WHY)
    with pytest.raises(NotFound):
        warehouse.looking.look(now(warehouse, root), "absent", reason=WHY)
    assert [found.name for found in warehouse.catalogue.search_all(now(warehouse, root), "").projects] == [
        "demo",
        "other",
    ]


def test_who_is_an_administrator_no_longer_looks_no_longer(
    warehouse: Warehouse, root: SignedIn, ada: Identity
) -> None:
    warehouse.looking.look(now(warehouse, root), "demo", reason=WHY)
    project = warehouse.projects.get(ada, "demo")
    found = now(warehouse, root)
    assert allows(found, Permission.MANAGE, project)
    demoted = account_identity(found.account or root.account.name, looking=frozenset({ProjectName("demo")}))
    assert not allows(demoted, Permission.READ, project)


def test_a_session_that_has_ended_looks_nowhere(warehouse: Warehouse, root: SignedIn) -> None:
    identity = now(warehouse, root)
    warehouse.sessions.end(identity, root.session.id)
    with pytest.raises(Unauthenticated):
        warehouse.looking.look(identity, "demo", reason=WHY)


# -- groups ---------------------------------------------------------------------------------


def test_whoever_looks_mends_one_group_as_its_admins_do(warehouse: Warehouse, crew: SignedIn) -> None:
    with pytest.raises(Forbidden):
        warehouse.groups.add(now(warehouse, crew), "crew", "root")
    warehouse.looking.look_at_group(now(warehouse, crew), "Crew", reason=WHY)
    identity = now(warehouse, crew)
    assert identity.looking == {"group:crew"}
    warehouse.groups.add(identity, "crew", "bob", admin=True)
    warehouse.groups.remove(identity, "crew", "ada")
    token = warehouse.tokens.mint(warehouse.operator(), name="ci", service="group:crew")
    # It would do more than the one who looks, and for longer.
    with pytest.raises(Forbidden, match="outlive the look"):
        warehouse.tokens.mint(identity, name="ci", service="group:crew")
    with pytest.raises(Forbidden, match="outlive the look"):
        warehouse.tokens.rotate(identity, token.id)
    assert warehouse.tokens.revoke(identity, token.id)
    assert list(warehouse.journal.of_group(identity, "crew").all())
    warehouse.groups.delete(identity, "crew")
    for deed in (
        lambda: warehouse.groups.add(identity, "team", "root"),
        lambda: warehouse.tokens.mint(identity, name="ci", service="group:team"),
        lambda: warehouse.journal.of_group(identity, "team"),
    ):
        with pytest.raises(Forbidden):
            deed()


def test_looks_into_groups_and_projects_stand_beside_each_other_and_end_each_by_itself(
    warehouse: Warehouse, crew: SignedIn, clock: Clock
) -> None:
    warehouse.looking.look_at_group(now(warehouse, crew), "crew", reason=WHY)
    clock.pass_by(timedelta(minutes=30))
    warehouse.looking.look(now(warehouse, crew), "demo", reason=WHY)
    assert now(warehouse, crew).looking == {"group:crew", "demo"}
    clock.pass_by(timedelta(minutes=30))
    assert now(warehouse, crew).looking == {"demo"}
    with pytest.raises(Forbidden):
        warehouse.groups.delete(now(warehouse, crew), "crew")


def test_a_project_is_not_opened_by_a_look_into_a_group_of_its_name(
    warehouse: Warehouse, root: SignedIn, ada: Identity
) -> None:
    warehouse.groups.create(ada, "demo")
    warehouse.looking.look_at_group(now(warehouse, root), "demo", reason=WHY)
    with pytest.raises(NotFound):
        warehouse.projects.get(now(warehouse, root), "demo")


def test_the_admins_of_a_group_find_in_its_journal_who_looked_and_why(
    warehouse: Warehouse, crew: SignedIn, ada: Identity, clock: Clock
) -> None:
    until = warehouse.looking.look_at_group(now(warehouse, crew), "crew", reason=f" {WHY} ")
    assert until == clock() + timedelta(hours=1)
    change = next(warehouse.journal.of_group(ada, "crew").all())
    assert sentence(change) == f"root looked into the group crew as an administrator of the site: {WHY}"
    assert (change.origin, change.at, change.project) == ("192.0.2.9", clock(), None)


def test_no_other_session_and_nobody_else_looks_at_a_group(
    warehouse: Warehouse, crew: SignedIn, bob: Identity
) -> None:
    other = warehouse.sessions.sign_in("root", PASSWORD, origin="192.0.2.9")
    warehouse.looking.look_at_group(now(warehouse, crew), "crew", reason=WHY)
    assert now(warehouse, other).looking == frozenset()
    with pytest.raises(Forbidden):
        warehouse.looking.look_at_group(bob, "crew", reason=WHY)
    with pytest.raises(Unauthenticated):
        warehouse.looking.look_at_group(warehouse.account("root"), "crew", reason=WHY)
    with pytest.raises(NotFound):
        warehouse.looking.look_at_group(now(warehouse, crew), "absent", reason=WHY)
    with pytest.raises(Rejected, match="the group's admins read it"):
        warehouse.looking.look_at_group(now(warehouse, crew), "crew", reason="")


def test_who_is_an_administrator_no_longer_mends_no_group(
    warehouse: Warehouse, crew: SignedIn, ada: Identity
) -> None:
    group = warehouse.groups.get(ada, "crew")
    looking = frozenset({group.principal})
    name = crew.account.name
    assert manages_group(account_identity(name, administrator=True, looking=looking), group)
    assert not manages_group(account_identity(name, looking=looking), group)
