import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.domain.conftest import Clock
from warehouse14.domain.access import Identity, Permission, allows, allows_site, operator
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Scope
from warehouse14.domain.warehouse import Warehouse


def sign_in(warehouse: Warehouse, text: str) -> Identity:
    return warehouse.tokens.identify(text)


def test_a_token_stands_for_its_account(warehouse: Warehouse, ada: Identity) -> None:
    token = warehouse.tokens.mint(ada, name="laptop")
    assert sign_in(warehouse, token.text).account == "ada"
    assert sign_in(warehouse, token.text).principals == ada.principals


def test_what_is_no_token_is_nobody(warehouse: Warehouse, ada: Identity) -> None:
    token = warehouse.tokens.mint(ada, name="laptop")
    for text in ("", "wh14_", token.text[:-1], token.id):
        with pytest.raises(Unauthenticated):
            sign_in(warehouse, text)


def test_a_revoked_token_is_nobody_at_once(warehouse: Warehouse, ada: Identity) -> None:
    token = warehouse.tokens.mint(ada, name="laptop")
    sign_in(warehouse, token.text)
    assert warehouse.tokens.revoke(ada, token.id)
    with pytest.raises(Unauthenticated):
        sign_in(warehouse, token.text)
    assert not warehouse.tokens.revoke(ada, token.id)


def test_the_token_of_a_disabled_account_is_nobody_until_it_is_enabled(
    warehouse: Warehouse, ada: Identity
) -> None:
    token = warehouse.tokens.mint(ada, name="laptop")
    sign_in(warehouse, token.text)
    warehouse.accounts.set_disabled(operator(), "ada", disabled=True)
    with pytest.raises(Unauthenticated):
        sign_in(warehouse, token.text)
    warehouse.accounts.set_disabled(operator(), "ada", disabled=False)
    assert sign_in(warehouse, token.text).account == "ada"


def test_a_token_expires(warehouse: Warehouse, ada: Identity, clock: Clock) -> None:
    short, endless = (warehouse.tokens.mint(ada, name="x", days=days) for days in (2, 0))
    clock.pass_by(timedelta(days=2) - timedelta(seconds=1))
    assert sign_in(warehouse, short.text)
    clock.pass_by(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        sign_in(warehouse, short.text)
    clock.pass_by(timedelta(days=10_000))
    assert sign_in(warehouse, endless.text)


def test_a_scope_holds_its_account_back(warehouse: Warehouse, ada: Identity) -> None:
    project = warehouse.projects.create(ada, "foo")
    allowed = {
        scope: {
            permission
            for permission in Permission
            if allows(
                sign_in(warehouse, warehouse.tokens.mint(ada, name="x", scopes={scope}).text),
                permission,
                project,
            )
        }
        for scope in Scope
    }
    assert allowed == {
        Scope.READ: {Permission.READ},
        Scope.UPLOAD: {Permission.READ, Permission.UPLOAD},
        Scope.YANK: {Permission.READ, Permission.YANK},
        Scope.MANAGE: {Permission.READ, Permission.DELETE, Permission.MANAGE},
    }


def test_a_token_for_one_project_sees_only_that_and_creates_nothing(
    warehouse: Warehouse, ada: Identity
) -> None:
    for name in ("bar", "foo", "zap"):
        warehouse.projects.create(ada, name, public=name == "zap")
    token = warehouse.tokens.mint(ada, name="x", scopes={Scope.UPLOAD}, project="Foo")
    limited = sign_in(warehouse, token.text)
    assert [project.name for project in warehouse.projects.listed(limited)] == ["foo"]
    assert warehouse.projects.get(limited, "foo")
    for other in ("bar", "zap"):
        with pytest.raises(NotFound):
            warehouse.projects.get(limited, other)
    assert not allows_site(limited, Permission.CREATE)


def test_a_token_for_a_project_that_its_account_may_not_read_is_not_made(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "foo")
    for name in ("foo", "absent"):
        with pytest.raises(NotFound):
            warehouse.tokens.mint(bob, name="x", project=name)


def test_nobody_manages_the_tokens_of_another(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    token = warehouse.tokens.mint(ada, name="x")
    with pytest.raises(Forbidden):
        warehouse.tokens.mint(root, name="x", account="ada")
    with pytest.raises(NotFound):
        warehouse.tokens.rotate(root, token.id)
    bob = person("bob")
    with pytest.raises(Forbidden):
        warehouse.tokens.listed(bob, "ada")
    with pytest.raises(NotFound):
        warehouse.tokens.revoke(bob, token.id)


def test_an_administrator_lists_and_ends_the_tokens_of_another_and_no_token_of_theirs_does(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    token = warehouse.tokens.mint(ada, name="x")
    held = sign_in(warehouse, warehouse.tokens.mint(root, name="y", scopes=set(Scope)).text)
    with pytest.raises(Forbidden):
        warehouse.tokens.listed(held, "ada")
    with pytest.raises(NotFound):
        warehouse.tokens.revoke(held, token.id)
    assert [found.id for found in warehouse.tokens.listed(root, "ada")] == [token.id]
    assert warehouse.tokens.revoke(root, token.id)
    with pytest.raises(Unauthenticated):
        sign_in(warehouse, token.text)
    with pytest.raises(NotFound):
        warehouse.tokens.listed(root, "absent")


def test_a_token_manages_no_tokens(warehouse: Warehouse, ada: Identity) -> None:
    token = warehouse.tokens.mint(ada, name="x", scopes={Scope.UPLOAD})
    signed_in = sign_in(warehouse, token.text)
    with pytest.raises(Forbidden):
        warehouse.tokens.mint(signed_in, name="y")
    with pytest.raises(NotFound):
        warehouse.tokens.revoke(signed_in, token.id)


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "a\nb"}, {"name": "x", "days": -1}])
def test_a_malformed_wish_is_refused(warehouse: Warehouse, ada: Identity, wrong: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        warehouse.tokens.mint(ada, **wrong)


def test_the_last_use_is_noted_once_in_ten_minutes_and_is_no_change(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    token = warehouse.tokens.mint(ada, name="x")
    with warehouse.units.read() as unit:
        serial = unit.journal.serial()

    def noted() -> object:
        for _ in range(200):
            (found,) = warehouse.tokens.listed(ada)
            if found.last_used_at == clock.now:
                break
            time.sleep(0.01)
        return found.last_used_at

    first = clock.now
    sign_in(warehouse, token.text)
    assert noted() == first
    clock.pass_by(timedelta(minutes=9))
    sign_in(warehouse, token.text)
    time.sleep(0.05)
    assert warehouse.tokens.listed(ada)[0].last_used_at == first
    clock.pass_by(timedelta(minutes=1, seconds=1))
    sign_in(warehouse, token.text)
    assert noted() == clock.now
    with warehouse.units.read() as unit:
        assert unit.journal.serial() == serial


def test_the_secret_is_kept_nowhere(warehouse: Warehouse, ada: Identity) -> None:
    token = warehouse.tokens.mint(ada, name="x")
    assert token.text not in repr(warehouse.tokens.listed(ada))
    assert token.sha256 not in repr(warehouse.tokens.listed(ada))
