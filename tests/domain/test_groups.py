from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.domain.conftest import settings_of
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity, Reason, SiteRules, operator, reasons
from warehouse14.domain.errors import AlreadyExists, Forbidden, NotFound, Rejected, WarehouseError
from warehouse14.domain.model import Action, Change, Role, Scope, Vouched
from warehouse14.domain.names import AUTHENTICATED, AccountName, Principal, ProjectName, ProviderName
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race

CREW = Principal("group:crew")
FOO = ProjectName("foo")
FOREIGN = Principal("group:corp/Platform Team")


@pytest.fixture
def crew(warehouse: Warehouse, ada: Identity, bob: Identity) -> Warehouse:
    """The group crew, with Ada as its admin and Bob as a member."""
    warehouse.groups.create(ada, "crew")
    warehouse.groups.add(ada, "crew", "bob")
    return warehouse


def members(warehouse: Warehouse) -> dict[str, bool]:
    return dict(warehouse.groups.get(operator(), "crew").members)


def last_entry(warehouse: Warehouse) -> Change:
    with warehouse.units.read() as unit:
        return unit.journal.since(unit.journal.serial() - 1, 1)[0]


def vouch(warehouse: Warehouse, name: str, *groups: Principal, kept_out: bool = False) -> None:
    """Let the provider corp say that an account is in these groups."""
    out = frozenset({ProviderName("corp")}) if kept_out else frozenset()
    said = Vouched(warehouse.now(), None, frozenset(groups), out)
    with warehouse.units.write() as unit:
        unit.accounts.set_vouched(AccountName(name), said)
        unit.journal.append(Change("test", warehouse.now(), name, "", account=AccountName(name)))


# -- groups and who is in them ------------------------------------------------------------


def test_whoever_creates_a_group_is_its_admin(warehouse: Warehouse, ada: Identity) -> None:
    group = warehouse.groups.create(ada, "Crew")
    assert (group.name, group.members) == ("crew", {"ada": True})
    assert warehouse.groups.get(ada, "CREW") == group


@pytest.mark.parametrize("lost", ["account", "rank"])
def test_who_waits_for_others_to_change_a_group_decides_by_what_is_left_then(
    crew: Warehouse, person: Callable[..., Identity], lost: str
) -> None:
    root = person("root", administrator=True)
    before = replace(root, looking=frozenset({CREW}))
    accounts = crew.accounts
    lose = {
        "account": partial(accounts.set_disabled, operator(), "root", disabled=True),
        "rank": partial(accounts.set_administrator, operator(), "root", administrator=False),
    }[lost]
    lose()
    for change in (
        partial(crew.groups.add, before, "crew", "root", admin=True),
        partial(crew.groups.remove, before, "crew", "bob"),
        partial(crew.groups.delete, before, "crew"),
    ):
        with pytest.raises(Forbidden if lost == "account" else NotFound):
            change()
    assert members(crew) == {"ada": True, "bob": False}


@pytest.mark.parametrize("name", ["", "a/b", "corp/x", "-a", "a@b", "é", "x" * 101, "a b"])
def test_what_is_no_name_of_a_group_is_refused(warehouse: Warehouse, ada: Identity, name: str) -> None:
    with pytest.raises(Rejected):
        warehouse.groups.create(ada, name)


def test_the_operator_names_the_first_admin_and_nobody_else_does(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    with pytest.raises(Rejected, match="name the account"):
        warehouse.groups.create(operator(), "crew")
    with pytest.raises(NotFound):
        warehouse.groups.create(operator(), "crew", admin="nobody")
    for identity in (root, ada):
        with pytest.raises(Forbidden):
            warehouse.groups.create(identity, "crew", admin="bob")
    assert warehouse.groups.create(operator(), "crew", admin="Ada").members == {"ada": True}


def test_the_name_of_a_group_is_taken_for_ever_and_its_roles_stay_dead(
    crew: Warehouse, ada: Identity, bob: Identity
) -> None:
    crew.projects.create(ada, "foo")
    crew.projects.grant(ada, "foo", CREW, Role.MEMBER)
    with pytest.raises(AlreadyExists):
        crew.groups.create(bob, "crew")
    crew.groups.delete(ada, "crew")
    with pytest.raises(AlreadyExists):
        crew.groups.create(bob, "crew")
    with pytest.raises(NotFound):
        crew.groups.get(ada, "crew")
    with pytest.raises(NotFound):
        crew.projects.get(crew.account("bob"), "foo")
    with pytest.raises(NotFound):
        crew.projects.grant(ada, "foo", CREW, Role.ADMIN)
    assert crew.groups.listed(operator()) == []


def test_only_its_admins_and_the_operator_change_a_group(
    crew: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    eve, root = person("eve"), person("root", administrator=True)
    acts: list[Callable[[Identity], object]] = [
        lambda identity: crew.groups.add(identity, "crew", "eve"),
        lambda identity: crew.groups.remove(identity, "crew", "bob"),
        lambda identity: crew.groups.delete(identity, "crew"),
    ]
    for act in acts:
        for identity, error in ((bob, Forbidden), (root, Forbidden), (eve, NotFound)):
            with pytest.raises(error):
                act(identity)
    assert members(crew) == {"ada": True, "bob": False}
    crew.groups.add(operator(), "crew", "bob", admin=True)
    crew.groups.remove(bob, "crew", "ada")
    assert members(crew) == {"bob": True}


def test_members_administrators_and_the_operator_see_a_group(
    crew: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    eve, root = person("eve"), person("root", administrator=True)
    for identity in (ada, bob, root, operator()):
        assert crew.groups.get(identity, "crew")
        assert [group.name for group in crew.groups.listed(identity)] == ["crew"]
    for name in ("crew", "absent"):
        with pytest.raises(NotFound):
            crew.groups.get(eve, name)
    assert crew.groups.listed(eve) == []


def test_a_token_sees_and_manages_no_groups(crew: Warehouse, ada: Identity) -> None:
    token = crew.tokens.identify(crew.tokens.mint(ada, name="x", scopes=[Scope.UPLOAD]).text)
    with pytest.raises(Forbidden):
        crew.groups.create(token, "other")
    assert crew.groups.listed(token) == []
    with pytest.raises(NotFound):
        crew.groups.add(token, "crew", "bob", admin=True)


def test_the_last_admin_of_a_group_stays(crew: Warehouse, ada: Identity) -> None:
    for identity in (ada, operator()):
        with pytest.raises(Rejected, match="needs an admin"):
            crew.groups.remove(identity, "crew", "ada")
        with pytest.raises(Rejected, match="needs an admin"):
            crew.groups.add(identity, "crew", "ada", admin=False)
    crew.groups.add(ada, "crew", "bob", admin=True)
    crew.groups.add(ada, "crew", "ada", admin=False)
    assert members(crew) == {"ada": False, "bob": True}


def test_the_last_member_may_leave_and_whoever_comes_next_is_an_admin(crew: Warehouse, ada: Identity) -> None:
    crew.groups.remove(ada, "crew", "bob")
    crew.groups.remove(ada, "crew", "ada")
    assert members(crew) == {}
    with pytest.raises(Rejected, match="needs an admin"):
        crew.groups.add(operator(), "crew", "bob")
    crew.groups.add(operator(), "crew", "bob", admin=True)


def test_who_is_not_there_is_neither_added_nor_removed(crew: Warehouse, ada: Identity) -> None:
    with pytest.raises(NotFound, match="account 'nobody'"):
        crew.groups.add(ada, "crew", "nobody")
    with pytest.raises(NotFound, match="member 'nobody'"):
        crew.groups.remove(ada, "crew", "nobody")


def test_what_is_done_to_a_group_stands_in_the_journal_and_what_changes_nothing_does_not(
    crew: Warehouse, ada: Identity
) -> None:
    def entry() -> tuple[str, str | None, str | None]:
        change = last_entry(crew)
        return change.action, change.group, change.account

    assert entry() == (Action.GROUP_ADD, "crew", "bob")
    before = last_entry(crew).serial
    assert not crew.groups.add(ada, "crew", "bob")
    assert last_entry(crew).serial == before
    assert crew.groups.add(ada, "crew", "bob", admin=True)
    assert last_entry(crew).detail == {"role": "admin"}
    crew.groups.remove(ada, "crew", "bob")
    assert entry() == (Action.GROUP_REMOVE, "crew", "bob")
    crew.groups.delete(ada, "crew")
    assert entry() == (Action.GROUP_DELETE, "crew", None)
    crew.groups.create(ada, "next")
    assert entry() == (Action.GROUP_CREATE, "next", "ada")


# -- what a group gives --------------------------------------------------------------------


def test_a_role_of_a_group_is_a_role_of_everybody_in_it(crew: Warehouse, ada: Identity) -> None:
    crew.projects.create(ada, "foo")
    crew.projects.grant(ada, "foo", "group:Crew", Role.ADMIN)
    bob = crew.account("bob")
    assert CREW in bob.principals
    assert crew.projects.set_public(bob, "foo", public=True)
    assert [project.name for project in crew.projects.listed(bob)] == ["foo"]


def test_a_group_that_is_not_there_gets_no_role(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    with pytest.raises(NotFound, match="group 'absent'"):
        warehouse.projects.grant(ada, "foo", "group:absent", Role.MEMBER)
    with pytest.raises(NotFound, match="role of 'the group absent'"):
        warehouse.projects.revoke(ada, "foo", "group:absent")


def test_a_group_of_a_provider_is_taken_as_it_is(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", FOREIGN, Role.MEMBER)
    with pytest.raises(NotFound):
        warehouse.projects.get(warehouse.account("bob"), "foo")
    vouch(warehouse, "bob", FOREIGN)
    assert warehouse.projects.get(warehouse.account("bob"), "foo")


def test_a_token_may_be_for_a_project_that_its_owner_reads_through_a_group(
    crew: Warehouse, ada: Identity, bob: Identity
) -> None:
    crew.projects.create(ada, "foo")
    with pytest.raises(NotFound):
        crew.tokens.mint(bob, name="x", project="foo")
    crew.projects.grant(ada, "foo", CREW, Role.MEMBER)
    assert crew.tokens.mint(bob, name="x", project="foo")


def test_a_session_has_the_groups_of_its_account(crew: Warehouse, ada: Identity) -> None:
    crew.accounts.set_password(operator(), "bob", "correct horse")
    signed_in = crew.sessions.sign_in("bob", "correct horse", origin="192.0.2.1")
    found = crew.sessions.identify(signed_in.secret)
    assert found is not None
    for session in (signed_in, found):
        assert CREW in session.identity("").principals
    crew.groups.remove(ada, "crew", "bob")
    found = crew.sessions.identify(signed_in.secret)
    assert found is not None
    assert CREW not in found.identity("").principals


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Two warehouses over one SQLite file."""
    opened = [assemble(settings_of("sql", tmp_path), {}).warehouse for _ in range(2)]
    opened[0].prepare()
    yield opened[0], opened[1]
    for warehouse in opened:
        warehouse.close()


def test_what_is_done_to_a_group_counts_from_the_next_request_on_in_every_process(
    two_processes: tuple[Warehouse, Warehouse],
) -> None:
    here, there = two_processes
    for name in ("ada", "bob"):
        here.accounts.add(operator(), name)
    ada = here.account("ada")
    token = here.tokens.mint(here.account("bob"), name="x").text
    here.groups.create(ada, "crew")
    here.groups.create(ada, "other")

    def seen() -> list[set[str]]:
        found = [each.tokens.identify(token).principals for each in two_processes]
        return [{who for who in principals if who.startswith("group:")} for principals in found]

    assert seen() == [set(), set()]
    for name in ("crew", "other"):
        there.groups.add(ada, name, "bob")
    assert seen() == [{"group:crew", "group:other"}] * 2
    here.groups.remove(ada, "other", "bob")
    assert seen() == [{"group:crew"}] * 2
    there.groups.delete(ada, "crew")
    assert seen() == [set(), set()]


# -- a project keeps an admin ----------------------------------------------------------------


def test_a_group_may_be_the_last_admin_of_a_project_and_then_stays(
    crew: Warehouse, ada: Identity, bob: Identity
) -> None:
    crew.projects.create(ada, "foo")
    crew.projects.grant(ada, "foo", CREW, Role.ADMIN)
    crew.projects.revoke(crew.account("bob"), "foo", "account:ada")
    for act in (
        lambda: crew.projects.revoke(operator(), "foo", CREW),
        lambda: crew.projects.grant(operator(), "foo", CREW, Role.MEMBER),
    ):
        with pytest.raises(Rejected, match="The last admin of foo is the group crew"):
            act()
    with pytest.raises(Rejected, match=r"^The group crew cannot be deleted: .* last admin of foo\."):
        crew.groups.delete(ada, "crew")
    crew.groups.remove(ada, "crew", "bob")
    with pytest.raises(Rejected, match=r"lose its last member, ada: .* last admin of foo\."):
        crew.groups.remove(ada, "crew", "ada")
    crew.projects.grant(operator(), "foo", "account:bob", Role.ADMIN)
    crew.groups.remove(ada, "crew", "ada")
    crew.groups.delete(operator(), "crew")


def test_the_role_of_a_deleted_group_is_no_admin_that_is_left(crew: Warehouse, ada: Identity) -> None:
    crew.projects.create(ada, "foo")
    crew.projects.grant(ada, "foo", CREW, Role.ADMIN)
    crew.groups.delete(ada, "crew")
    with pytest.raises(Rejected, match="The last admin of foo is ada"):
        crew.projects.revoke(ada, "foo", "account:ada")


def test_a_group_of_a_provider_may_be_the_last_admin(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", FOREIGN, Role.ADMIN)
    warehouse.projects.revoke(ada, "foo", "account:ada")
    with pytest.raises(Rejected, match="The last admin of foo is the group corp/Platform Team"):
        warehouse.projects.revoke(operator(), "foo", FOREIGN)


def test_a_message_names_twenty_projects_and_counts_the_others(crew: Warehouse, ada: Identity) -> None:
    for number in range(23):
        crew.projects.create(ada, f"p{number:02}")
        crew.projects.grant(ada, f"p{number:02}", CREW, Role.ADMIN)
        crew.projects.revoke(ada, f"p{number:02}", "account:ada") if number else None
    with pytest.raises(Rejected, match=r"of p01, p02, .*, p20 and 2 more\."):
        crew.groups.delete(ada, "crew")


def errors(done: list[BaseException | None]) -> int:
    assert all(error is None or isinstance(error, WarehouseError) for error in done), done
    return sum(error is not None for error in done)


@pytest.mark.parametrize("_", range(5))
def test_of_two_admins_who_revoke_each_other_at_once_one_stays(
    warehouse: Warehouse, ada: Identity, bob: Identity, _: int
) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.projects.grant(ada, "foo", "account:bob", Role.ADMIN)
    done = race(
        [
            partial(warehouse.projects.revoke, ada, "foo", "account:bob"),
            partial(warehouse.projects.revoke, bob, "foo", "account:ada"),
        ]
    )
    assert errors(done) == 1
    assert len(warehouse.projects.get(operator(), "foo").admins) == 1


@pytest.mark.parametrize("_", range(5))
def test_a_group_is_not_deleted_while_the_other_admin_is_revoked(
    crew: Warehouse, ada: Identity, _: int
) -> None:
    crew.projects.create(ada, "foo")
    crew.projects.grant(ada, "foo", CREW, Role.ADMIN)
    done = race(
        [
            partial(crew.groups.delete, ada, "crew"),
            partial(crew.projects.revoke, operator(), "foo", "account:ada"),
        ]
    )
    assert errors(done) == 1
    assert crew.projects.abandoned(operator(), [FOO]) == set()


@pytest.mark.parametrize("_", range(5))
def test_of_two_admins_of_a_group_who_remove_each_other_at_once_one_stays(
    crew: Warehouse, ada: Identity, bob: Identity, _: int
) -> None:
    crew.groups.add(ada, "crew", "bob", admin=True)
    done = race(
        [partial(crew.groups.remove, ada, "crew", "bob"), partial(crew.groups.remove, bob, "crew", "ada")]
    )
    assert errors(done) == 1
    assert list(members(crew).values()) == [True]


# -- why, and whether anybody is left ----------------------------------------------------------


def test_the_reasons_of_an_access_are_told_the_strongest_first(crew: Warehouse, ada: Identity) -> None:
    project = crew.projects.create(ada, "foo", public=True)
    for who, role in (("account:bob", Role.MEMBER), (CREW, Role.ADMIN), (FOREIGN, Role.MEMBER)):
        crew.projects.grant(ada, "foo", who, role)
    vouch(crew, "bob", FOREIGN)
    project = crew.projects.get(ada, "foo")
    assert reasons(crew.account("bob"), project) == [
        Reason(CREW, Role.ADMIN),
        Reason(Principal("account:bob"), Role.MEMBER),
        Reason(FOREIGN, Role.MEMBER),
        Reason(AUTHENTICATED, Role.MEMBER),
    ]
    crew.projects.set_public(ada, "foo", public=False)
    crew.groups.remove(ada, "crew", "bob")
    left = reasons(crew.account("bob"), crew.projects.get(ada, "foo"))
    assert [reason.through for reason in left] == ["account:bob", FOREIGN]


def test_a_project_is_abandoned_when_nobody_who_may_act_administers_it(
    crew: Warehouse, ada: Identity
) -> None:
    crew.projects.create(ada, "foo")

    def is_abandoned() -> bool:
        return crew.projects.abandoned(operator(), [FOO]) == {FOO}

    assert not is_abandoned()
    crew.accounts.set_disabled(operator(), "ada", disabled=True)
    assert is_abandoned()
    crew.projects.grant(operator(), "foo", CREW, Role.ADMIN)
    assert not is_abandoned()
    vouch(crew, "bob", kept_out=True)
    assert is_abandoned()
    crew.projects.grant(operator(), "foo", FOREIGN, Role.ADMIN)
    assert is_abandoned()
    vouch(crew, "bob", FOREIGN, kept_out=True)
    assert is_abandoned()
    vouch(crew, "bob", FOREIGN)
    crew.groups.delete(operator(), "crew")
    assert not is_abandoned()
    rules = replace(crew.policy.rules, providers=frozenset({ProviderName("sso")}))
    renamed = Warehouse(crew.units, crew.store, replace(crew.policy, rules=rules), now=crew.now)
    assert renamed.projects.abandoned(operator(), [FOO]) == {FOO}
    with pytest.raises(Forbidden):
        crew.projects.abandoned(ada, [FOO])


def test_what_a_disabled_account_or_a_provider_takes_away_is_not_refused(
    warehouse: Warehouse, ada: Identity
) -> None:
    warehouse.projects.create(ada, "foo")
    warehouse.accounts.set_disabled(operator(), "ada", disabled=True)
    assert warehouse.accounts.get(operator(), "ada").disabled


def test_a_group_that_the_settings_name_is_created_by_administrators(
    warehouse: Warehouse, ada: Identity
) -> None:
    policy = replace(warehouse.policy, rules=SiteRules(creators=frozenset({CREW})))
    site = Warehouse(warehouse.units, warehouse.store, policy)
    with pytest.raises(Forbidden, match="stands in the settings of this site"):
        site.groups.create(ada, "Crew")
    site.accounts.add(operator(), "root", administrator=True)
    assert site.groups.create(site.account("root"), "crew").members == {"root": True}


def test_a_service_creates_no_group(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "foo")
    minted = warehouse.tokens.mint(ada, name="ci", service="project:foo", scopes=set(Scope))
    with pytest.raises(Forbidden):
        warehouse.groups.create(replace(warehouse.tokens.identify(minted.text), token=None), "team")


def test_an_empty_group_is_no_last_admin(crew: Warehouse, ada: Identity) -> None:
    crew.projects.create(ada, "foo")
    for name in ("bob", "ada"):
        crew.groups.remove(ada if name == "bob" else operator(), "crew", name)
    crew.projects.grant(ada, "foo", CREW, Role.ADMIN)
    with pytest.raises(Rejected, match="last admin of foo is ada"):
        crew.projects.revoke(ada, "foo", "account:ada")
