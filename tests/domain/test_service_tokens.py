"""Tokens that belong to a project and to no person."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from domain.conftest import Clock
from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.errors import Conflict, Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Change, Role, Scope
from warehouse14.domain.names import AUTHENTICATED, AccountName, account_name, principal
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel
from warehouse14.testing.contract import race

Publish = Callable[..., Published]
SERVICE = "project:demo"


@pytest.fixture
def demo(warehouse: Warehouse, ada: Identity, bob: Identity) -> Warehouse:
    """A private project of Ada's, of which Bob is a member, and two of others."""
    warehouse.projects.create(ada, "demo")
    warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)
    warehouse.projects.create(ada, "hidden")
    warehouse.projects.create(ada, "open", public=True)
    return warehouse


def service(warehouse: Warehouse, by: Identity, **options: object) -> Identity:
    minted = warehouse.tokens.mint(by, name="ci", service=SERVICE, **options)  # type: ignore[arg-type]
    return warehouse.tokens.identify(minted.text)


def last_change(warehouse: Warehouse) -> Change:
    with warehouse.units.read() as unit:
        return unit.journal.since(unit.journal.serial() - 1, 1)[0]


def test_a_service_is_an_admin_of_its_project_and_reads_what_is_public(
    demo: Warehouse, ada: Identity, publish: Publish
) -> None:
    held = service(demo, ada, scopes=set(Scope))
    assert held.account == SERVICE
    assert held.principals == {AUTHENTICATED, "account:project:demo"}
    assert publish(held, build_wheel("demo", "1.0")).file.uploaded_by == SERVICE
    assert [project.name for project in demo.projects.listed(held)] == ["demo", "open"]
    assert demo.catalogue.search(held, "demo").total == 1
    with pytest.raises(NotFound):
        demo.projects.get(held, "hidden")
    with pytest.raises(Forbidden):
        publish(held, build_wheel("open", "1.0"))


def test_the_scopes_of_a_service_token_hold_it_back(demo: Warehouse, ada: Identity) -> None:
    project = demo.projects.get(ada, "demo")
    assert project.admins == {"account:ada"}
    held = service(demo, ada)
    found = demo.projects.get(held, "demo")
    assert {permission for permission in Permission if allows(held, permission, found)} == {Permission.READ}


def test_a_service_takes_no_new_name(demo: Warehouse, ada: Identity, publish: Publish) -> None:
    held = service(demo, ada, scopes={Scope.UPLOAD})
    with pytest.raises(Forbidden):
        publish(held, build_wheel("fresh", "1.0"))
    with pytest.raises(Forbidden):
        demo.projects.create(held, "fresh")
    with pytest.raises(Rejected, match="owns no project"):
        demo.projects.create(demo.operator(), "fresh", admin=AccountName(SERVICE))


def test_a_service_token_may_be_for_its_own_project_alone_from_the_first_on(
    demo: Warehouse, ada: Identity
) -> None:
    for _ in range(2):
        held = service(demo, ada, project="demo")
        assert [project.name for project in demo.projects.listed(held)] == ["demo"]
    with pytest.raises(Rejected, match="project:demo may not read the project hidden"):
        service(demo, ada, project="hidden")


def test_only_admins_in_person_and_the_operator_manage_service_tokens(
    demo: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    minted = demo.tokens.mint(demo.operator(), name="ci", service="project:Demo")
    (token,) = demo.tokens.listed(ada, service=SERVICE)
    held = demo.tokens.identify(demo.tokens.mint(ada, name="x", scopes=set(Scope)).text)
    itself = service(demo, ada, scopes=set(Scope))
    strangers = [bob, person("eve"), person("root", administrator=True), held, itself]
    for other in strangers:
        for deed in (
            lambda who: demo.tokens.mint(who, name="x", service=SERVICE),
            lambda who: demo.tokens.listed(who, service=SERVICE),
            lambda who: demo.tokens.rotate(who, token.id),
            lambda who: demo.tokens.revoke(who, token.id),
        ):
            with pytest.raises((Forbidden, NotFound)):
                deed(other)
    with pytest.raises(Forbidden):
        demo.tokens.mint(itself, name="x")
    new = demo.tokens.rotate(ada, token.id)
    assert demo.tokens.identify(new.text).account == SERVICE
    assert demo.tokens.revoke(demo.operator(), token.id)
    with pytest.raises(Unauthenticated):
        demo.tokens.identify(minted.text)


def test_a_stranger_does_not_learn_of_a_project_by_its_service(
    demo: Warehouse, person: Callable[..., Identity]
) -> None:
    eve = person("eve")
    said = []
    for name in ("hidden", "absent"):
        with pytest.raises(NotFound) as caught:
            demo.tokens.mint(eve, name="x", service=f"project:{name}")
        said.append(str(caught.value).replace(name, ""))
    assert said[0] == said[1]


def test_account_role_and_first_token_are_one_change(demo: Warehouse, ada: Identity) -> None:
    with demo.units.read() as unit:
        before = unit.journal.serial()
    service(demo, ada)
    change = last_change(demo)
    assert (change.serial, change.action, change.account, change.project) == (
        before + 1,
        "token.mint",
        SERVICE,
        "demo",
    )
    other = demo.tokens.mint(ada, name="ci", service=SERVICE).id
    assert last_change(demo).project == "demo"
    for deed in (demo.tokens.rotate, demo.tokens.revoke):
        deed(ada, other)
        assert last_change(demo).project == "demo"


def test_a_service_is_nobody_among_people(demo: Warehouse, ada: Identity) -> None:
    service(demo, ada)
    assert [account.name for account in demo.accounts.listed(demo.operator())] == ["ada", "bob"]
    assert demo.upkeep.sizes().accounts == 2
    project = demo.projects.get(ada, "demo")
    assert set(project.people) == {"account:ada", "account:bob"}
    assert project.admins == {"account:ada"}
    with pytest.raises(Rejected, match="last admin"):
        demo.projects.revoke(ada, "demo", "account:ada")


@pytest.mark.parametrize(
    "deed",
    [
        lambda demo: account_name(SERVICE),
        lambda demo: principal(f"account:{SERVICE}"),
        lambda demo: demo.account(SERVICE),
        lambda demo: demo.accounts.add(demo.operator(), SERVICE),
        lambda demo: demo.accounts.set_password(demo.operator(), SERVICE, "long enough"),
        lambda demo: demo.accounts.reset_password(demo.operator(), SERVICE),
        lambda demo: demo.accounts.set_disabled(demo.operator(), SERVICE, disabled=True),
        lambda demo: demo.projects.grant(demo.operator(), "open", f"account:{SERVICE}", Role.ADMIN),
        lambda demo: demo.projects.revoke(demo.operator(), "demo", f"account:{SERVICE}"),
        lambda demo: demo.tokens.mint(demo.operator(), name="x", account=SERVICE),
    ],
)
def test_nobody_names_a_service_as_a_person(
    demo: Warehouse, ada: Identity, deed: Callable[[Warehouse], object]
) -> None:
    service(demo, ada)
    with pytest.raises(Rejected):
        deed(demo)


def test_nobody_signs_in_as_a_service(demo: Warehouse, ada: Identity) -> None:
    service(demo, ada)
    with pytest.raises(Unauthenticated):
        demo.sessions.sign_in(SERVICE, "", origin="192.0.2.1")


def test_the_tokens_of_a_deleted_project_are_nobodys(demo: Warehouse, ada: Identity) -> None:
    minted = demo.tokens.mint(ada, name="ci", service=SERVICE)
    assert demo.tokens.identify(minted.text)
    demo.projects.delete(ada, "demo")
    with pytest.raises(Unauthenticated):
        demo.tokens.identify(minted.text)
    with pytest.raises(NotFound):
        demo.tokens.mint(demo.operator(), name="ci", service=SERVICE)
    with pytest.raises(NotFound):
        demo.tokens.rotate(demo.operator(), minted.id)
    assert demo.tokens.revoke(demo.operator(), minted.id)


def test_service_tokens_outlive_the_role_of_who_made_them(
    demo: Warehouse, ada: Identity, bob: Identity, publish: Publish
) -> None:
    minted = demo.tokens.mint(ada, name="ci", service=SERVICE, scopes={Scope.UPLOAD})
    demo.projects.grant(ada, "demo", "account:bob", Role.ADMIN)
    demo.projects.revoke(bob, "demo", "account:ada")
    assert publish(demo.tokens.identify(minted.text), build_sdist("demo", "1.0")).is_new
    with pytest.raises(NotFound):
        demo.tokens.revoke(ada, minted.id)
    assert demo.tokens.revoke(bob, minted.id)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            "site:devs",
            "'site:devs' can have no service account on this site. Write project:NAME or group:NAME.",
        ),
        ("demo", "can have no service account"),
        ("", "can have no service account"),
        ("project:", "not a project name"),
        ("project:a:b", "not a project name"),
        ("project:" + "x" * 193, "more than 192 characters"),
    ],
)
def test_what_has_no_service_account_is_refused(demo: Warehouse, wrong: str, says: str) -> None:
    with pytest.raises(Rejected, match=says) as caught:
        demo.tokens.mint(demo.operator(), name="x", service=wrong)
    assert caught.value.field == "service"


def test_an_account_and_a_service_together_are_refused(demo: Warehouse) -> None:
    with pytest.raises(Rejected, match="not both"):
        demo.tokens.mint(demo.operator(), name="x", account="ada", service=SERVICE)


def test_a_race_for_the_first_token_of_a_service_gives_each_one(demo: Warehouse, ada: Identity) -> None:
    outcomes = race([partial(service, demo, ada) for _ in range(4)])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert len(demo.tokens.listed(ada, service=SERVICE)) == 4


def test_a_service_token_expires_as_any_other(demo: Warehouse, ada: Identity, clock: Clock) -> None:
    minted = demo.tokens.mint(ada, name="ci", service=SERVICE, days=1)
    clock.pass_by(timedelta(days=1))
    with pytest.raises(Unauthenticated):
        demo.tokens.identify(minted.text)


def test_the_token_of_a_group_does_what_the_group_may_until_there_is_no_such_group(
    demo: Warehouse, ada: Identity, bob: Identity
) -> None:
    demo.groups.create(ada, "crew")
    demo.groups.add(ada, "crew", "bob")
    with pytest.raises(Forbidden):
        demo.tokens.mint(bob, name="ci", service="group:crew")
    made = demo.tokens.mint(ada, name="ci", service="group:Crew", scopes=[Scope.UPLOAD])
    with pytest.raises(NotFound):
        demo.projects.get(demo.tokens.identify(made.text), "demo")
    demo.projects.grant(ada, "demo", "group:crew", Role.ADMIN)
    project = demo.projects.get(demo.tokens.identify(made.text), "demo")
    assert allows(demo.tokens.identify(made.text), Permission.UPLOAD, project)
    assert not allows(demo.tokens.identify(made.text), Permission.MANAGE, project)
    with pytest.raises(NotFound):
        demo.projects.get(demo.tokens.identify(made.text), "hidden")
    demo.groups.delete(ada, "crew")
    with pytest.raises(Unauthenticated):
        demo.tokens.identify(made.text)
    with pytest.raises(NotFound):
        demo.tokens.mint(ada, name="ci", service="group:crew")


def test_the_token_of_a_group_is_no_member_of_it(demo: Warehouse, ada: Identity) -> None:
    demo.groups.create(ada, "crew")
    made = demo.tokens.mint(ada, name="ci", service="group:crew")
    assert set(demo.groups.get(ada, "crew").members) == {"ada"}
    assert [token.id for token in demo.tokens.listed(ada, service="group:crew")] == [made.id]
    assert "group:crew" not in {account.name for account in demo.accounts.listed(demo.operator())}
