"""What holds where another changes what a change rests on, before that is committed."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from domain.conftest import settings_of
from support.backends import Pair
from support.overtaking import overtaken
from support.sites import PASSWORD
from tests.domain.test_arrivals import CORP, NOOR
from warehouse14.adapters.memory import MemoryUnits
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Conflict, Forbidden, Unavailable, WarehouseError
from warehouse14.domain.model import Action, Role, Scope
from warehouse14.domain.names import GroupName, ProjectName, ProviderName, group_principal
from warehouse14.domain.ports import UnitOfWork
from warehouse14.domain.services.invitations import take_up
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.working import attempt
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel

DEMO = ProjectName("demo")
HERE = "192.0.2.1"
SERVERS = [
    pytest.param("postgresql", marks=pytest.mark.thorough),
    pytest.param("mariadb", marks=[pytest.mark.thorough, pytest.mark.debian]),
    pytest.param("dynamodb", marks=[pytest.mark.thorough, pytest.mark.debian, pytest.mark.npm]),
]


class Site:
    """A site on an engine that lets several change it at once.

    Attributes:
        seconds: how long the faster of two is waited for.
    """

    def __init__(self, warehouse: Warehouse, seconds: float) -> None:
        self.warehouse = warehouse
        self.seconds = seconds
        self.people = {name: self._person(name) for name in ("ada", "bob")}
        self.ada, self.bob = self.people.values()

    def _person(self, name: str) -> Identity:
        self.warehouse.accounts.add(self.warehouse.operator(), name, administrator=True)
        return self.warehouse.account(name)

    def sign_in(self, name: str) -> SignedIn:
        """Sign an account in, with a new password."""
        self.warehouse.accounts.set_password(self.warehouse.operator(), name, PASSWORD)
        return self.warehouse.sessions.sign_in(name, PASSWORD, origin=HERE, agent="Lynx")

    def publish(self, *versions: str) -> None:
        for version in versions:
            built = build_wheel("demo", version)
            self.warehouse.uploads.publish(self.ada, form_of(built.filename), [built.content])

    def delete(self, version: str) -> None:
        self.warehouse.files.delete_release(self.ada, "demo", version)

    def demote(self, name: str) -> None:
        self.warehouse.accounts.set_administrator(self.warehouse.operator(), name, administrator=False)

    def overtaken(self, slower: Callable[[], object], faster: Callable[[], object]) -> None:
        """Let one come before another that has decided already; what it is told is no matter."""

        def hurry() -> None:
            with suppress(WarehouseError):
                faster()

        with overtaken(self.warehouse.units, hurry, self.seconds), suppress(WarehouseError):
            slower()

    @property
    def latest(self) -> str | None:
        with self.warehouse.units.read() as unit:
            project = unit.projects.get(DEMO)
        assert project is not None
        return project.latest and project.latest.version

    @property
    def actions(self) -> list[Action]:
        """What was done last, after the next to last."""
        with self.warehouse.units.read() as unit:
            return [change.action for change in unit.journal.since(unit.journal.serial() - 2, 2)]


def gift(site: Site, change: str) -> tuple[Callable[[Identity], object], Action]:
    """Return what gives others something of a project that is Ada's through a group, and what is noted."""
    tokens, projects = site.warehouse.tokens, site.warehouse.projects
    site.warehouse.groups.create(site.bob, "crew")
    site.warehouse.groups.add(site.bob, "crew", "ada")
    projects.create(site.bob, "demo")
    projects.grant(site.bob, "demo", "group:crew", Role.ADMIN)
    if change == "grant":
        give = partial(projects.grant, name="demo", who="account:eve@example.org", role=Role.ADMIN)
        return give, Action.PROJECT_INVITE
    mint = partial(tokens.mint, name="ci", service="project:demo")
    if change == "mint":
        return mint, Action.TOKEN_MINT
    return partial(tokens.rotate, token=mint(site.bob).id), Action.TOKEN_ROTATE


def program_and_its_end(site: Site, scope: Scope, ends: str) -> tuple[Identity, Callable[[], object]]:
    """Return who comes by a new token of Ada's, and what revokes or rotates that token."""
    tokens = site.warehouse.tokens
    minted = tokens.mint(site.ada, name="ci", scopes={scope})
    end: dict[str, Callable[[], object]] = {
        "revoke": partial(tokens.revoke, site.ada, minted.id),
        "rotate": partial(tokens.rotate, site.ada, minted.id, overlap_hours=0),
    }
    return tokens.identify(minted.text), end[ends]


@pytest.fixture(params=["memory", *SERVERS])
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    shared = settings_of("memory", tmp_path)
    if request.param == "memory":
        yield Site(assemble(shared, {}).warehouse, 0.1)
        return
    with Pair(request.param, "filesystem").opened(request.getfixturevalue) as backends:
        for name, value in backends.variables.items():
            monkeypatch.setenv(name, value)
        warehouse = assemble(shared | backends.settings, {}).warehouse
        warehouse.prepare()
        yield Site(warehouse, 1.5)
        warehouse.close()


def test_two_who_delete_the_newest_releases_at_once_leave_the_latest_that_is_there(site: Site) -> None:
    site.publish("1.0", "2.0", "3.0")
    site.overtaken(partial(site.delete, "2.0"), partial(site.delete, "3.0"))
    assert site.latest == "1.0"


@pytest.mark.parametrize("deletes_first", [True, False])
def test_a_release_that_comes_while_the_only_one_goes_is_the_latest(site: Site, deletes_first: bool) -> None:
    site.publish("2.0")
    changes = [partial(site.publish, "1.0"), partial(site.delete, "2.0")]
    site.overtaken(*(reversed(changes) if deletes_first else changes))
    assert site.latest == "1.0"


@pytest.mark.parametrize("renews", [False, True])
def test_nobody_makes_a_token_of_a_project_after_its_revocation(site: Site, renews: bool) -> None:
    tokens, projects = site.warehouse.tokens, site.warehouse.projects
    projects.create(site.bob, "demo")
    projects.grant(site.bob, "demo", "account:ada", Role.ADMIN)
    mint = partial(tokens.mint, name="ci", service="project:demo")
    old = mint(site.bob)
    make = partial(tokens.rotate, site.ada, old.id) if renews else partial(mint, site.ada)
    site.overtaken(make, partial(projects.revoke, site.bob, "demo", "account:ada"))
    assert site.actions == [Action.TOKEN_ROTATE if renews else Action.TOKEN_MINT, Action.PROJECT_REVOKE]


@pytest.mark.parametrize("change", ["mint", "rotate", "grant"])
def test_nobody_gives_what_lasts_after_leaving_the_group_that_gave_the_right(site: Site, change: str) -> None:
    give, given = gift(site, change)
    site.overtaken(
        lambda: site.warehouse.groups.remove(site.bob, "crew", "ada"),
        partial(give, site.warehouse.account("ada")),
    )
    assert site.actions[-1] == Action.GROUP_REMOVE
    assert given not in site.actions


@pytest.mark.parametrize("change", ["mint", "rotate", "grant"])
def test_nobody_gives_what_lasts_after_being_disabled(site: Site, change: str) -> None:
    give, given = gift(site, change)
    disable = partial(site.warehouse.accounts.set_disabled, site.bob, "ada", disabled=True)
    site.overtaken(partial(give, site.warehouse.account("ada")), disable)
    assert site.actions == [given, Action.ACCOUNT_DISABLE]


@pytest.mark.parametrize("ends", ["revoke", "rotate"])
def test_nobody_makes_a_project_by_an_upload_after_the_token_has_ended(site: Site, ends: str) -> None:
    program, end = program_and_its_end(site, Scope.UPLOAD, ends)
    built = build_wheel("demo", "1.0")
    publish = partial(site.warehouse.uploads.publish, program, form_of(built.filename), [built.content])
    site.overtaken(publish, end)
    assert site.actions == [Action.FILE_UPLOAD, Action(f"token.{ends}")]


def test_nobody_creates_a_project_after_leaving_the_group_that_may(site: Site) -> None:
    site.warehouse.groups.create(site.bob, "crew")
    site.warehouse.groups.add(site.bob, "crew", "ada")
    crew = group_principal(GroupName("crew"))
    policy = replace(
        site.warehouse.policy, rules=replace(site.warehouse.policy.rules, creators=frozenset({crew}))
    )
    warehouse = Warehouse(site.warehouse.units, site.warehouse.store, policy)
    site.demote("ada")
    leave = partial(warehouse.groups.remove, site.bob, "crew", "ada")
    site.overtaken(partial(warehouse.projects.create, warehouse.account("ada"), "new"), leave)
    assert site.actions == [Action.PROJECT_CREATE, Action.GROUP_REMOVE]
    with pytest.raises(Forbidden):
        warehouse.projects.create(warehouse.account("ada"), "newer")


@pytest.mark.parametrize("made", [Action.PROJECT_PUBLIC, Action.PROJECT_DELETE])
def test_nobody_opens_or_deletes_a_project_by_a_token_after_it_has_ended(site: Site, made: Action) -> None:
    projects = site.warehouse.projects
    projects.create(site.ada, "demo")
    program, end = program_and_its_end(site, Scope.MANAGE, "revoke")
    change = {
        Action.PROJECT_PUBLIC: partial(projects.set_public, program, "demo", public=True),
        Action.PROJECT_DELETE: partial(projects.delete, program, "demo"),
    }[made]
    site.overtaken(change, end)
    assert site.actions == [made, Action.TOKEN_REVOKE]


def test_nobody_takes_up_an_invitation_in_a_browser_that_was_signed_out(site: Site) -> None:
    for name in ("demo", "other"):
        site.warehouse.projects.create(site.bob, name)
        site.warehouse.projects.grant(site.bob, name, "account:noor@example.org", Role.ADMIN)
    browser = site.sign_in("ada").identity(HERE)
    accept = partial(take_up, site.warehouse.units, site.warehouse.now, browser, "noor@example.org")
    site.overtaken(accept, partial(site.warehouse.sessions.end_all, site.warehouse.operator(), "ada"))
    assert site.actions == [Action.PROJECT_ACCEPT, Action.SESSION_END]


@pytest.mark.parametrize("ends", ["revoke", "rotate"])
def test_nobody_gives_a_role_by_a_token_after_it_has_ended(site: Site, ends: str) -> None:
    projects = site.warehouse.projects
    projects.create(site.ada, "demo")
    program, end = program_and_its_end(site, Scope.MANAGE, ends)
    grant = partial(projects.grant, program, "demo", "account:bob", Role.ADMIN)
    site.overtaken(grant, end)
    assert site.actions == [Action.PROJECT_GRANT, Action(f"token.{ends}")]
    with pytest.raises(Forbidden, match="nothing in this way any more"):
        projects.revoke(program, "demo", "account:bob")


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ("grant", Action.PROJECT_GRANT),
        ("mint", Action.TOKEN_MINT),
        ("rotate", Action.TOKEN_ROTATE),
        ("join", Action.ACCOUNT_JOIN),
        ("promote", Action.ACCOUNT_PROMOTE),
        ("add", Action.ACCOUNT_ADD),
        ("password", Action.ACCOUNT_PASSWORD),
        ("own password", Action.ACCOUNT_PASSWORD),
        ("part", Action.ACCOUNT_PART),
        ("create", Action.PROJECT_CREATE),
        ("group", Action.GROUP_CREATE),
    ],
)
def test_nobody_gives_what_lasts_in_a_browser_that_was_signed_out(
    site: Site, change: str, made: Action
) -> None:
    tokens, projects, accounts = site.warehouse.tokens, site.warehouse.projects, site.warehouse.accounts
    projects.create(site.ada, "demo")
    accounts.add(site.ada, "cleo")
    old = tokens.mint(site.ada, name="old")
    site.warehouse.arrivals.join_known(
        site.bob, "ada", provider=CORP.provider, issuer="https://other.example", subject="ada"
    )
    browser = site.sign_in("ada").identity(HERE)
    do: dict[str, Callable[[], object]] = {
        "grant": partial(projects.grant, browser, "demo", "account:bob", Role.ADMIN),
        "mint": partial(tokens.mint, browser, name="new"),
        "rotate": partial(tokens.rotate, browser, old.id),
        "join": partial(site.warehouse.arrivals.join, browser, CORP, replace(NOOR, email=None)),
        "promote": partial(accounts.set_administrator, browser, "cleo", administrator=True),
        "add": partial(accounts.add, browser, "eve", administrator=True),
        "password": partial(accounts.reset_password, browser, "bob"),
        "own password": partial(accounts.set_password, browser, "ada", PASSWORD),
        "part": partial(site.warehouse.arrivals.part, browser, "https://other.example", "ada"),
        "create": partial(projects.create, browser, "new"),
        "group": partial(site.warehouse.groups.create, browser, "new"),
    }
    site.overtaken(do[change], partial(site.warehouse.sessions.end_all, site.warehouse.operator(), "ada"))
    assert site.actions == [made, Action.SESSION_END]
    with pytest.raises(Forbidden):
        do[change]()


def test_nobody_gives_a_role_by_a_token_of_a_group_that_was_deleted(site: Site) -> None:
    groups, tokens, projects = site.warehouse.groups, site.warehouse.tokens, site.warehouse.projects
    projects.create(site.ada, "demo")
    groups.create(site.ada, "crew")
    projects.grant(site.ada, "demo", "group:crew", Role.ADMIN)
    minted = tokens.mint(site.ada, name="ci", service="group:crew", scopes={Scope.MANAGE})
    crew = tokens.identify(minted.text)
    groups.delete(site.ada, "crew")
    with pytest.raises(Forbidden):
        projects.grant(crew, "demo", "account:bob", Role.ADMIN)


def test_nobody_gives_a_role_by_a_look_after_losing_the_rank(site: Site) -> None:
    site.warehouse.projects.create(site.bob, "demo")
    looking = replace(site.ada, looking=frozenset({DEMO}))
    grant = partial(site.warehouse.projects.grant, looking, "demo", "account:ada", Role.ADMIN)
    site.overtaken(grant, partial(site.demote, "ada"))
    assert site.actions == [Action.PROJECT_GRANT, Action.ACCOUNT_DEMOTE]


@pytest.mark.parametrize(("change", "loses"), [("add", "account"), ("remove", "rank"), ("delete", "rank")])
def test_nobody_changes_a_group_after_being_disabled_or_losing_the_rank(
    site: Site, change: str, loses: str
) -> None:
    groups, accounts = site.warehouse.groups, site.warehouse.accounts
    groups.create(site.bob, "crew")
    groups.add(site.bob, "crew", "ada", admin=loses == "account")
    looking = replace(site.ada, looking=frozenset({group_principal(GroupName("crew"))}))
    do: dict[str, Callable[[], object]] = {
        "add": partial(groups.add, looking, "crew", "ada", admin=loses == "rank"),
        "remove": partial(groups.remove, looking, "crew", "ada"),
        "delete": partial(groups.delete, looking, "crew"),
    }
    disable = partial(accounts.set_disabled, site.bob, "ada", disabled=True)
    site.overtaken(do[change], disable if loses == "account" else partial(site.demote, "ada"))
    lost = Action.ACCOUNT_DISABLE if loses == "account" else Action.ACCOUNT_DEMOTE
    assert site.actions == [Action(f"group.{change}"), lost]


@pytest.mark.parametrize(
    ("change", "made"),
    [
        ("add", Action.ACCOUNT_ADD),
        ("promote", Action.ACCOUNT_ADD),
        ("password", Action.ACCOUNT_PASSWORD),
        ("join", Action.ACCOUNT_JOIN),
    ],
)
def test_nobody_makes_a_way_to_sign_in_after_losing_the_rank(site: Site, change: str, made: Action) -> None:
    accounts, arrivals = site.warehouse.accounts, site.warehouse.arrivals
    who = {"provider": ProviderName("corp"), "issuer": "https://corp.example", "subject": "7"}
    make = {
        "add": partial(accounts.add, site.ada, "eve", password="a better horse"),
        "promote": partial(accounts.add, site.ada, "eve", administrator=True),
        "password": partial(accounts.set_password, site.ada, "bob", "a better horse"),
        "join": partial(arrivals.join_known, site.ada, "bob", **who),
    }[change]
    site.overtaken(make, partial(site.demote, "ada"))
    assert site.actions == [made, Action.ACCOUNT_DEMOTE]


def test_nobody_makes_a_way_to_sign_in_after_being_kept_out(site: Site) -> None:
    arrivals = site.warehouse.arrivals
    arrivals.join_known(site.bob, "ada", provider=CORP.provider, issuer=NOOR.issuer, subject=NOOR.subject)
    add = partial(site.warehouse.accounts.add, site.ada, "eve", password="a better horse")
    site.overtaken(add, partial(arrivals.sign_in, CORP, replace(NOOR, refusal="Not you.")))
    assert site.actions == [Action.ACCOUNT_ADD, Action.ACCOUNT_KEEP_OUT]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("grant", Action.PROJECT_GRANT),
        ("revoke", Action.PROJECT_REVOKE),
        ("publicity", Action.PROJECT_PRIVATE),
        ("token", Action.TOKEN_MINT),
        ("invitation", Action.PROJECT_ACCEPT),
    ],
)
def test_who_publishes_all_the_time_does_not_keep_others_from_changing_the_project(
    site: Site, change: str, changed: Action
) -> None:
    site.publish("1.0")
    tokens, projects = site.warehouse.tokens, site.warehouse.projects
    projects.grant(site.ada, "demo", "account:bob", Role.MEMBER)
    projects.set_public(site.ada, "demo", public=True)
    bob = site.sign_in("bob").identity(HERE)
    site.warehouse.arrivals.join(bob, CORP, replace(NOOR, email=None))
    projects.grant(site.ada, "demo", f"account:{NOOR.email}", Role.MEMBER)
    do: dict[str, Callable[[], object]] = {
        "grant": partial(projects.grant, site.ada, "demo", "account:bob", Role.ADMIN),
        "revoke": partial(projects.revoke, site.ada, "demo", "account:bob"),
        "publicity": partial(projects.set_public, site.ada, "demo", public=False),
        "token": partial(tokens.mint, site.ada, name="ci", service="project:demo"),
        "invitation": partial(site.warehouse.arrivals.join, bob, CORP, NOOR),
    }
    site.overtaken(do[change], partial(site.publish, "2.0"))
    assert site.actions == [changed, Action.FILE_UPLOAD]


def test_who_publishes_all_the_time_does_not_keep_others_from_deleting_the_project(site: Site) -> None:
    site.publish("1.0")
    projects = site.warehouse.projects
    projects.set_public(site.ada, "demo", public=True)
    site.overtaken(partial(projects.delete, site.ada, "demo"), partial(site.publish, "2.0"))
    assert site.actions == [Action.PROJECT_PUBLIC, Action.PROJECT_DELETE]


def test_a_change_that_loses_again_and_again_ends_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times: list[float] = []

    def lose(_: UnitOfWork) -> None:
        times.append(time.monotonic())
        time.sleep(0.06)
        raise Conflict("project", DEMO)

    monkeypatch.setattr("warehouse14.domain.services.working._PATIENCE", 0.1)
    with pytest.raises(Unavailable, match="Too many others"):
        attempt(MemoryUnits(), lose)
    assert len(times) <= 2
