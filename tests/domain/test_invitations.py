"""Addresses that nobody has signed in with get roles, which whoever signs in with them takes up."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from domain.conftest import settings_of
from support.sites import PASSWORD
from tests.domain.test_arrivals import AT_OTHER, CORP, NOOR, OTHER
from warehouse14.adapters.memory import MemoryUnits
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import NotFound, Rejected, SignInFailed
from warehouse14.domain.model import Role
from warehouse14.domain.names import Principal
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.domain.services.working import ROLES
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race

ADDRESS = "noor@example.org"
INVITATION = Principal(f"invitation:{ADDRESS}")
OWN = Principal(f"account:{ADDRESS}")


@pytest.fixture
def ada(warehouse: Warehouse) -> Identity:
    """The admin of two projects."""
    warehouse.accounts.add(warehouse.operator(), "ada")
    ada = warehouse.account("ada")
    for name in ("demo", "tools"):
        warehouse.projects.create(ada, name)
    return ada


def grants(warehouse: Warehouse, name: str = "demo") -> dict[Principal, Role]:
    found = dict(warehouse.projects.get(warehouse.operator(), name).grants)
    assert found.pop(Principal("account:ada")) is Role.ADMIN
    return found


def told(warehouse: Warehouse) -> list[tuple[str, str | None, str | None]]:
    with warehouse.units.read() as unit:
        return [(change.action, change.project, change.account) for change in unit.journal.since(0, 1000)]


def test_the_first_sign_in_takes_up_every_invitation_of_its_address(
    warehouse: Warehouse, ada: Identity
) -> None:
    granted = warehouse.projects.grant(ada, "demo", f"account:{ADDRESS.upper()}", Role.MEMBER)
    warehouse.projects.grant(ada, "tools", f"account:{ADDRESS}", Role.ADMIN)
    warehouse.projects.grant(ada, "demo", "account:other@example.org", Role.MEMBER)
    assert (granted.who, granted.is_new) == (INVITATION, True)
    before = len(told(warehouse))
    warehouse.arrivals.sign_in(CORP, replace(NOOR, name="noor"))
    mine = Principal("account:noor")
    assert grants(warehouse) == {mine: Role.MEMBER, Principal("invitation:other@example.org"): Role.MEMBER}
    assert grants(warehouse, "tools") == {mine: Role.ADMIN}
    assert told(warehouse)[before:] == [
        ("account.add", None, "noor"),
        ("session.start", None, "noor"),
        ("project.accept", "demo", "noor"),
        ("project.accept", "tools", "noor"),
    ]
    assert warehouse.projects.files(warehouse.account("noor"), "demo") == ()


def test_an_address_that_nobody_has_verified_takes_up_nothing(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.grant(ada, "demo", f"account:{ADDRESS}", Role.MEMBER)
    warehouse.arrivals.sign_in(CORP, replace(NOOR, name="noor", email=None))
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, subject="2", name="eve", refusal="Not you."))
    assert grants(warehouse) == {INVITATION: Role.MEMBER}
    with pytest.raises(NotFound):
        warehouse.projects.get(warehouse.account("noor"), "demo")


def test_an_invitation_is_no_role_and_no_admin_until_it_is_taken_up(
    warehouse: Warehouse, ada: Identity
) -> None:
    warehouse.projects.grant(ada, "demo", f"account:{ADDRESS}", Role.ADMIN)
    assert warehouse.projects.get(ada, "demo").admins == {"account:ada"}
    with pytest.raises(Rejected, match="last admin of demo is ada"):
        warehouse.projects.revoke(ada, "demo", "account:ada")
    warehouse.arrivals.sign_in(CORP, NOOR)
    warehouse.projects.revoke(ada, "demo", "account:ada")
    assert warehouse.projects.get(warehouse.account(ADDRESS), "demo").admins == {OWN}


def test_whoever_has_a_role_already_keeps_the_stronger_one(warehouse: Warehouse, ada: Identity) -> None:
    for name, role in (("demo", Role.ADMIN), ("tools", Role.MEMBER)):
        warehouse.projects.grant(ada, name, f"account:{ADDRESS}", role)
    warehouse.accounts.add(warehouse.operator(), "noor", password=PASSWORD)
    for name, role in (("demo", Role.MEMBER), ("tools", Role.ADMIN)):
        warehouse.projects.grant(ada, name, "account:noor", role)
    noor = warehouse.sessions.sign_in("noor", PASSWORD, origin="192.0.2.1", agent="Lynx").identity(
        "192.0.2.1"
    )
    assert warehouse.arrivals.join(noor, CORP, NOOR)
    for name in ("demo", "tools"):
        assert grants(warehouse, name) == {Principal("account:noor"): Role.ADMIN}


def test_an_address_that_is_an_account_gets_the_role_at_once(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.arrivals.sign_in(CORP, NOOR)
    for who in (OWN, INVITATION):
        assert warehouse.projects.grant(ada, "demo", who, Role.MEMBER).who == OWN
    assert grants(warehouse) == {OWN: Role.MEMBER}


def test_whoever_is_added_under_an_invited_address_gets_its_roles(
    warehouse: Warehouse, ada: Identity
) -> None:
    warehouse.projects.grant(ada, "demo", f"account:{ADDRESS}", Role.MEMBER)
    before = len(told(warehouse))
    warehouse.accounts.add(warehouse.operator(), ADDRESS)
    assert grants(warehouse) == {OWN: Role.MEMBER}
    assert told(warehouse)[before:] == [("account.add", None, ADDRESS), ("project.accept", "demo", ADDRESS)]


def test_inviting_again_changes_the_role(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.grant(ada, "demo", OWN, Role.MEMBER)
    before = told(warehouse)
    assert not warehouse.projects.grant(ada, "demo", OWN, Role.MEMBER).is_new
    assert told(warehouse) == before
    assert warehouse.projects.grant(ada, "demo", INVITATION, Role.ADMIN).is_new
    assert grants(warehouse) == {INVITATION: Role.ADMIN}
    assert told(warehouse)[len(before) :] == [("project.invite", "demo", None)]


@pytest.mark.parametrize("who", [OWN, INVITATION])
def test_an_invitation_is_taken_back_as_a_role_is(warehouse: Warehouse, ada: Identity, who: str) -> None:
    warehouse.projects.grant(ada, "demo", OWN, Role.MEMBER)
    warehouse.projects.revoke(ada, "demo", who)
    warehouse.arrivals.sign_in(CORP, NOOR)
    assert grants(warehouse) == {}
    with pytest.raises(NotFound):
        warehouse.projects.revoke(ada, "demo", who)


def test_what_is_no_address_is_not_invited(warehouse: Warehouse, ada: Identity) -> None:
    with pytest.raises(NotFound):
        warehouse.projects.grant(ada, "demo", "account:noor", Role.MEMBER)
    with pytest.raises(Rejected):
        warehouse.projects.grant(ada, "demo", "invitation:noor", Role.MEMBER)
    with pytest.raises(NotFound):
        warehouse.projects.create(warehouse.operator(), "new", admin=OWN.removeprefix("account:"))  # type: ignore[arg-type]


def test_an_address_that_can_be_no_name_here_signs_in_all_the_same(warehouse: Warehouse) -> None:
    signed_in = warehouse.arrivals.sign_in(CORP, replace(NOOR, name="noor", email="o'noor@example.org"))
    assert signed_in.account.name == "noor"


def test_a_project_that_is_deleted_takes_nobody_in(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.grant(ada, "demo", OWN, Role.MEMBER)
    warehouse.projects.delete(ada, "demo")
    warehouse.arrivals.sign_in(CORP, NOOR)
    assert "project.accept" not in {action for action, *_ in told(warehouse)}


def test_of_those_who_sign_in_with_one_address_at_once_one_takes_its_invitations_up(
    warehouse: Warehouse, ada: Identity
) -> None:
    for name in ("demo", "tools"):
        warehouse.projects.grant(ada, name, OWN, Role.MEMBER)
    people = [replace(NOOR, name="a"), replace(AT_OTHER, name="b")] * 2
    ways = [CORP, OTHER] * 2
    race([lambda at=at: warehouse.arrivals.sign_in(ways[at], people[at]) and None for at in range(4)])
    assert [action for action, *_ in told(warehouse)].count("project.accept") == 2
    for name in ("demo", "tools"):
        assert len(grants(warehouse, name)) == 1
        assert set(grants(warehouse, name)) <= {"account:a", "account:b"}


def test_who_invites_while_the_address_signs_in_gives_the_role_one_way_or_the_other(
    warehouse: Warehouse, ada: Identity
) -> None:
    race(
        [
            lambda: warehouse.arrivals.sign_in(CORP, NOOR) and None,
            lambda: warehouse.projects.grant(ada, "demo", OWN, Role.MEMBER) and None,
        ]
    )
    assert grants(warehouse) == {OWN: Role.MEMBER}


@pytest.mark.parametrize("through", ["password", "provider"])
def test_who_cannot_be_given_a_role_now_gets_in_and_finds_it_at_the_next_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, through: str
) -> None:
    monkeypatch.setattr(sys.modules[MemoryUnits.__module__], "_PATIENCE", 0.01)
    warehouse = assemble(settings_of("memory", tmp_path), {}).warehouse
    warehouse.accounts.add(warehouse.operator(), "ada")
    warehouse.projects.create(warehouse.account("ada"), "demo")
    warehouse.projects.grant(warehouse.account("ada"), "demo", OWN, Role.MEMBER)

    def sign_in() -> SignedIn:
        if through == "provider":
            return warehouse.arrivals.sign_in(CORP, NOOR)
        return warehouse.sessions.sign_in(ADDRESS, "a better horse", origin="192.0.2.1")

    with warehouse.units.write() as unit:
        unit.hold(ROLES)
        if through == "password":
            warehouse.accounts.add(warehouse.operator(), ADDRESS, password="a better horse")
        assert sign_in().account.name == ADDRESS
    assert f"what {ADDRESS} is invited to waits: Another works on {ROLES}" in caplog.text
    assert grants(warehouse) == {INVITATION: Role.MEMBER}
    sign_in()
    assert grants(warehouse) == {OWN: Role.MEMBER}


def test_a_sign_in_with_a_password_waits_for_no_role_where_nothing_is_left_to_take_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys.modules[MemoryUnits.__module__], "_PATIENCE", 0.01)
    warehouse = assemble(settings_of("memory", tmp_path), {}).warehouse
    warehouse.accounts.add(warehouse.operator(), ADDRESS, password="a better horse")
    with warehouse.units.write() as unit:
        unit.hold(ROLES)
        warehouse.sessions.sign_in(ADDRESS, "a better horse", origin="192.0.2.1")
    assert not caplog.messages
