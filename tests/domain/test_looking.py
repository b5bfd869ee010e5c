"""Site administrators look into projects: on record, for an hour, and in that session alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domain.conftest import Clock
from warehouse14.domain.access import Identity, Permission, account_identity, allows
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Role
from warehouse14.domain.names import ProjectName
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
