from collections.abc import Callable
from functools import partial

import pytest

from warehouse14.domain.access import Identity, operator
from warehouse14.domain.errors import AlreadyExists, Forbidden, NotFound, Rejected
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race


def test_the_first_administrator_is_made_once(warehouse: Warehouse) -> None:
    password = warehouse.accounts.add_first_administrator()
    assert password is not None
    account = warehouse.accounts.check_password("admin", password)
    assert account is not None
    assert account.administrator
    assert warehouse.accounts.add_first_administrator() is None


def test_a_site_with_accounts_gets_no_administrator(warehouse: Warehouse, ada: Identity) -> None:
    assert warehouse.accounts.add_first_administrator() is None


def test_a_taken_account_name_is_refused(warehouse: Warehouse, ada: Identity) -> None:
    with pytest.raises(AlreadyExists):
        warehouse.accounts.add(operator(), "Ada")


def test_an_account_does_not_manage_accounts(warehouse: Warehouse, ada: Identity, bob: Identity) -> None:
    for act in (
        lambda: warehouse.accounts.add(ada, "eve"),
        lambda: warehouse.accounts.listed(ada),
        lambda: warehouse.accounts.get(ada, "bob"),
        lambda: warehouse.accounts.set_password(ada, "bob", "correct horse"),
        lambda: warehouse.accounts.set_disabled(ada, "bob", disabled=True),
        lambda: warehouse.accounts.set_administrator(ada, "ada", administrator=True),
    ):
        with pytest.raises(Forbidden):
            act()


def test_an_administrator_manages_accounts(warehouse: Warehouse, person: Callable[..., Identity]) -> None:
    root = person("root", administrator=True)
    warehouse.accounts.add(root, "eve")
    assert [account.name for account in warehouse.accounts.listed(root)] == ["eve", "root"]
    assert warehouse.accounts.set_disabled(root, "eve", disabled=True)
    assert not warehouse.accounts.set_disabled(root, "eve", disabled=True)
    with pytest.raises(Rejected, match="eve is disabled"):
        warehouse.account("eve")


def test_an_administrator_gives_the_rank_and_takes_it_away(
    warehouse: Warehouse, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    person("eve")
    for administrator in (True, False):
        assert warehouse.accounts.set_administrator(root, "Eve", administrator=administrator)
        assert not warehouse.accounts.set_administrator(root, "eve", administrator=administrator)
        assert warehouse.account("eve").administrator is administrator


def test_nobody_takes_their_own_rank_away_but_the_operator_anybodys(
    warehouse: Warehouse, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    assert not warehouse.accounts.set_administrator(root, "root", administrator=True)
    with pytest.raises(Rejected, match="stays an administrator"):
        warehouse.accounts.set_administrator(root, "root", administrator=False)
    assert warehouse.accounts.set_administrator(operator(), "root", administrator=False)
    assert not warehouse.account("root").administrator


@pytest.mark.parametrize("_", range(5))
def test_of_two_administrators_who_take_the_rank_from_each_other_at_once_one_stays(
    warehouse: Warehouse, person: Callable[..., Identity], _: int
) -> None:
    ada, bob = (person(name, administrator=True) for name in ("ada", "bob"))
    done = race(
        [
            partial(warehouse.accounts.set_administrator, ada, "bob", administrator=False),
            partial(warehouse.accounts.set_administrator, bob, "ada", administrator=False),
        ]
    )
    assert sorted(type(error) for error in done if error is not None) == [Forbidden]
    assert [account.administrator for account in warehouse.accounts.listed(operator())].count(True) == 1


def test_neither_a_service_nor_nobody_is_an_administrator(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.groups.create(operator(), "crew", admin="ada")
    warehouse.tokens.mint(operator(), name="x", service="group:crew")
    with pytest.raises(Rejected, match="not an account name"):
        warehouse.accounts.set_administrator(operator(), "group:crew", administrator=True)
    with pytest.raises(NotFound):
        warehouse.accounts.set_administrator(operator(), "nobody", administrator=True)


def test_a_password_is_checked_and_changed(warehouse: Warehouse, ada: Identity) -> None:
    assert warehouse.accounts.check_password("ada", "correct horse") is None
    warehouse.accounts.set_password(ada, "ada", "correct horse")
    account = warehouse.accounts.check_password("ADA", "correct horse")
    assert account is not None
    assert account.name == "ada"
    assert warehouse.accounts.check_password("ada", "wrong horse!") is None
    assert warehouse.accounts.check_password("nobody", "correct horse") is None
    assert warehouse.accounts.check_password("not a name", "correct horse") is None


def test_a_disabled_account_does_not_sign_in(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.accounts.set_password(ada, "ada", "correct horse")
    warehouse.accounts.set_disabled(operator(), "ada", disabled=True)
    assert warehouse.accounts.check_password("ada", "correct horse") is None
    warehouse.accounts.set_disabled(operator(), "ada", disabled=False)
    assert warehouse.accounts.check_password("ada", "correct horse") is not None


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_that_is_too_short_or_too_long_is_refused(
    warehouse: Warehouse, ada: Identity, password: str
) -> None:
    with pytest.raises(Rejected):
        warehouse.accounts.set_password(ada, "ada", password)


def test_no_hash_is_in_any_representation(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.accounts.set_password(ada, "ada", "correct horse")
    assert "scrypt" not in repr(warehouse.accounts.get(ada, "ada"))
