"""What holds a token back: scopes, projects, addresses, and all that its owner may not do."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.conftest import Clock
from warehouse14.domain.access import Identity, Permission, allows, allows_new, allows_site
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Action, Role, Scope, Vouched
from warehouse14.domain.names import ProjectName, ProviderName
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.services.working import entry
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel

Publish = Callable[..., Published]
HERE = "192.0.2.7"


@pytest.fixture
def token(warehouse: Warehouse, ada: Identity) -> Callable[..., Identity]:
    """Mints a token of Ada's and returns the identity that it stands for."""

    def make(owner: Identity = ada, **options: object) -> Identity:
        minted = warehouse.tokens.mint(owner, name="x", **options)  # type: ignore[arg-type]
        return warehouse.tokens.identify(minted.text)

    return make


# -- scopes -----------------------------------------------------------------------------


def test_scopes_add_up(warehouse: Warehouse, ada: Identity, token: Callable[..., Identity]) -> None:
    project = warehouse.projects.create(ada, "foo")
    both = token(scopes={Scope.UPLOAD, Scope.YANK})
    allowed = {permission for permission in Permission if allows(both, permission, project)}
    assert allowed == {Permission.READ, Permission.UPLOAD, Permission.YANK}


def test_a_token_needs_a_scope(warehouse: Warehouse, ada: Identity) -> None:
    with pytest.raises(Rejected, match="choose some of read, upload, yank, manage"):
        warehouse.tokens.mint(ada, name="x", scopes=())


def test_each_scope_does_what_it_says_and_nothing_else(
    warehouse: Warehouse, ada: Identity, bob: Identity, token: Callable[..., Identity], publish: Publish
) -> None:
    publish(ada)
    built = build_wheel("demo", "1.0")
    deeds: dict[Scope, Callable[[Identity], object]] = {
        Scope.UPLOAD: lambda who: publish(who, build_sdist("demo", "2.0")),
        Scope.YANK: lambda who: warehouse.files.yank(who, "demo", built.filename),
        Scope.MANAGE: lambda who: (
            warehouse.projects.set_public(who, "demo", public=True),
            warehouse.projects.grant(who, "demo", "account:bob", Role.MEMBER),
            warehouse.projects.revoke(who, "demo", "account:bob"),
            warehouse.files.delete(who, "demo", built.filename),
        ),
    }
    for scope in Scope:
        held = token(scopes={scope})
        assert warehouse.projects.get(held, "demo").name == "demo"
        for other, deed in deeds.items():
            if other is not scope:
                with pytest.raises(Forbidden):
                    deed(held)
    for scope, deed in deeds.items():
        deed(token(scopes={scope}))


# -- projects ---------------------------------------------------------------------------


def test_a_prefix_narrows_lists_and_rights(
    warehouse: Warehouse, ada: Identity, token: Callable[..., Identity]
) -> None:
    for name in ("acme", "acme-core", "acmetools", "other"):
        warehouse.projects.create(ada, name, public=name == "other")
    held = token(project="Acme_*", scopes=set(Scope))
    assert str(held.token.reach) == "acme-*"  # type: ignore[union-attr]
    assert [project.name for project in warehouse.projects.listed(held)] == ["acme-core"]
    assert [project.name for project in warehouse.catalogue.search(held, "").projects] == ["acme-core"]
    assert warehouse.catalogue.search(held, "other").total == 0
    page, _ = warehouse.index.project_list(held)
    assert [project.name for project in page.projects] == ["acme-core"]
    firsts = [ProjectName("acme-core"), ProjectName("zoo")]
    changed, _ = warehouse.index.changed_parts(held, firsts, 0) or ([], 0)
    assert [project.name for parts in changed for project in parts.projects] == ["acme-core"]
    for other in ("acme", "acmetools", "other"):
        with pytest.raises(NotFound):
            warehouse.projects.get(held, other)
        with pytest.raises(NotFound):
            warehouse.projects.set_public(held, other, public=False)


def test_a_prefix_token_takes_new_names_under_its_prefix_alone(
    warehouse: Warehouse, token: Callable[..., Identity], publish: Publish
) -> None:
    held = token(project="acme-*", scopes={Scope.UPLOAD})
    assert publish(held, build_wheel("Acme.Core", "1.0")).is_new
    assert warehouse.projects.create(held, "acme_new").name == "acme-new"
    with pytest.raises(Forbidden):
        publish(held, build_wheel("other", "1.0"))
    with pytest.raises(Forbidden):
        warehouse.projects.create(held, "acme")
    with pytest.raises(Forbidden):
        warehouse.projects.create(token(project="acme-*"), "acme-other")
    assert not allows_site(held, Permission.CREATE)


def test_a_token_for_one_project_takes_no_name(
    warehouse: Warehouse, ada: Identity, token: Callable[..., Identity]
) -> None:
    warehouse.projects.create(ada, "foo")
    held = token(project="foo", scopes={Scope.UPLOAD})
    assert not allows_new(held, ProjectName("foo"))
    with pytest.raises(Forbidden):
        warehouse.projects.create(held, "foo-bar")


@pytest.mark.parametrize("project", ["*", "-*", "a b*", "a**", "*a", "x" * 201 + "*"])
def test_a_prefix_that_begins_no_name_is_refused(warehouse: Warehouse, ada: Identity, project: str) -> None:
    with pytest.raises(Rejected):
        warehouse.tokens.mint(ada, name="x", project=project)


def test_a_prefix_says_nothing_of_what_is_there(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    warehouse.projects.create(ada, "secret-thing")
    minted = warehouse.tokens.mint(bob, name="x", project="secret-*", scopes={Scope.UPLOAD})
    held = warehouse.tokens.identify(minted.text)
    assert warehouse.projects.listed(held) == []
    with pytest.raises(NotFound):
        warehouse.projects.get(held, "secret-thing")


# -- addresses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "inside", "outside"),
    [
        (["192.0.2.0/24"], ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9"], ["192.0.3.0", "2001:db8::1"]),
        (["192.0.2.7"], ["192.0.2.7"], ["192.0.2.8", "", "localhost", "192.0.2.7.example"]),
        (["2001:db8::/32", "10.0.0.0/8"], ["2001:db8:1::1", "10.1.2.3"], ["2001:db9::1", "11.0.0.1"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.1"], ["192.0.3.1", "::1"]),
        (["fe80::/10"], ["fe80::1%eth0"], ["2001:db8::1"]),
    ],
)
def test_a_token_counts_only_from_its_addresses(
    warehouse: Warehouse, ada: Identity, given: list[str], inside: list[str], outside: list[str]
) -> None:
    text = warehouse.tokens.mint(ada, name="x", addresses=given).text
    for origin in inside:
        assert warehouse.tokens.identify(text, origin=origin).account == "ada"
    for origin in outside:
        with pytest.raises(Unauthenticated, match="unknown, revoked or expired"):
            warehouse.tokens.identify(text, origin=origin)


@pytest.mark.parametrize(
    "wrong", ["", "x", "192.0.2.7/24", "192.0.2.0/33", "192.0.2", "fe80::1%eth0", "2001:db8::1/32"]
)
def test_what_is_no_address_range_is_refused(warehouse: Warehouse, ada: Identity, wrong: str) -> None:
    with pytest.raises(Rejected) as caught:
        warehouse.tokens.mint(ada, name="x", addresses=[wrong])
    assert caught.value.field == "address"


def test_a_token_has_twenty_ranges_at_most(warehouse: Warehouse, ada: Identity) -> None:
    many = [f"10.{number}.0.0/16" for number in range(21)]
    warehouse.tokens.mint(ada, name="x", addresses=[*many[:20], many[0]])
    with pytest.raises(Rejected, match="at most 20"):
        warehouse.tokens.mint(ada, name="x", addresses=many)


# -- its owner --------------------------------------------------------------------------


def test_a_token_loses_what_its_owner_loses(
    warehouse: Warehouse, ada: Identity, bob: Identity, publish: Publish, token: Callable[..., Identity]
) -> None:
    publish(ada)
    warehouse.projects.grant(ada, "demo", "account:bob", Role.ADMIN)
    held = token(bob, scopes=set(Scope))
    assert publish(held, build_sdist("demo", "1.0")).is_new
    warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)
    with pytest.raises(Forbidden):
        publish(held, build_sdist("demo", "2.0"))
    with pytest.raises(Forbidden):
        warehouse.projects.set_public(held, "demo", public=True)
    warehouse.projects.revoke(ada, "demo", "account:bob")
    with pytest.raises(NotFound):
        warehouse.projects.get(held, "demo")
    assert warehouse.projects.listed(held) == []


def test_a_token_sees_a_project_that_becomes_private_no_more(
    warehouse: Warehouse, ada: Identity, bob: Identity, token: Callable[..., Identity]
) -> None:
    warehouse.projects.create(ada, "foo", public=True)
    held = token(bob, project="foo")
    assert warehouse.projects.get(held, "foo")
    warehouse.projects.set_public(ada, "foo", public=False)
    with pytest.raises(NotFound):
        warehouse.projects.get(held, "foo")


def test_a_token_of_an_administrator_administers_nothing(
    person: Callable[..., Identity], token: Callable[..., Identity]
) -> None:
    held = token(person("root", administrator=True), scopes=set(Scope))
    assert not allows_site(held, Permission.ADMINISTER)


def test_the_token_of_somebody_whom_a_provider_keeps_out_is_nobody(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    text = warehouse.tokens.mint(ada, name="x").text
    assert warehouse.tokens.identify(text)
    assert ada.account is not None
    with warehouse.units.write() as unit:
        kept_out = frozenset({ProviderName("corp")})
        unit.accounts.set_vouched(ada.account, Vouched(clock.now, None, frozenset(), kept_out))
        unit.journal.append(entry(Action.ACCOUNT_KEEP_OUT, warehouse.operator(), clock, account=ada.account))
    with pytest.raises(Unauthenticated):
        warehouse.tokens.identify(text)


# -- the end of it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (timedelta(days=15), None),
        (timedelta(days=14), "in 14 days"),
        (timedelta(days=6, hours=1), "in 6 days"),
        (timedelta(days=1), "in a day"),
        (timedelta(hours=23), "in less than a day"),
    ],
)
def test_an_upload_says_that_its_token_ends_soon(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    clock: Clock,
    left: timedelta,
    says: str | None,
) -> None:
    text = warehouse.tokens.mint(ada, name="x", scopes={Scope.UPLOAD}, days=30).text
    clock.pass_by(timedelta(days=30) - left)
    warnings = publish(warehouse.tokens.identify(text)).warnings
    assert warnings == ((f"The token of this upload ends {says}. Rotate it before that.",) if says else ())


def test_a_token_without_an_end_warns_of_nothing(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    text = warehouse.tokens.mint(ada, name="x", scopes={Scope.UPLOAD}, days=0).text
    assert publish(warehouse.tokens.identify(text)).warnings == ()
