from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from domain.conftest import Clock
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import NotFound, Rejected, Unauthenticated
from warehouse14.domain.model import Scope, Token
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def token_of(warehouse: Warehouse, owner: Identity, token: str) -> Token:
    return next(found for found in warehouse.tokens.listed(owner) if found.id == token)


def counts(warehouse: Warehouse, text: str) -> bool:
    try:
        warehouse.tokens.identify(text, origin="192.0.2.7")
    except Unauthenticated:
        return False
    return True


def test_a_rotated_token_has_all_limits_of_the_old_one_and_its_whole_length(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    old = warehouse.tokens.mint(
        ada,
        name="ci",
        scopes={Scope.UPLOAD, Scope.YANK},
        project="acme-*",
        addresses=["192.0.2.0/24"],
        days=30,
    )
    clock.pass_by(20 * DAY)
    new = warehouse.tokens.rotate(ada, old.id)
    before, after = (token_of(warehouse, ada, one.id) for one in (old, new))
    assert (after.name, after.scopes, after.reach, after.addresses) == (
        before.name,
        before.scopes,
        before.reach,
        before.addresses,
    )
    assert (after.created_at, after.expires_at, after.last_used_at) == (clock.now, clock.now + 30 * DAY, None)
    assert new.text != old.text


def test_the_old_token_counts_through_the_overlap_and_no_longer(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    old = warehouse.tokens.mint(ada, name="ci")
    new = warehouse.tokens.rotate(ada, old.id, overlap_hours=2)
    clock.pass_by(2 * HOUR - timedelta(seconds=1))
    assert counts(warehouse, old.text)
    clock.pass_by(timedelta(seconds=1))
    assert (counts(warehouse, old.text), counts(warehouse, new.text)) == (False, True)


def test_without_an_overlap_the_old_token_ends_at_once(warehouse: Warehouse, ada: Identity) -> None:
    old = warehouse.tokens.mint(ada, name="ci", days=0)
    assert counts(warehouse, old.text)
    new = warehouse.tokens.rotate(ada, old.id, overlap_hours=0)
    assert (counts(warehouse, old.text), counts(warehouse, new.text)) == (False, True)
    assert token_of(warehouse, ada, new.id).expires_at is None


def test_rotating_lets_no_token_live_longer(warehouse: Warehouse, ada: Identity, clock: Clock) -> None:
    old = warehouse.tokens.mint(ada, name="ci", days=1)
    end = token_of(warehouse, ada, old.id).expires_at
    clock.pass_by(DAY - HOUR)
    warehouse.tokens.rotate(ada, old.id, overlap_hours=100)
    assert token_of(warehouse, ada, old.id).expires_at == end


def test_a_token_that_is_rotated_twice_keeps_its_length(warehouse: Warehouse, ada: Identity) -> None:
    old = warehouse.tokens.mint(ada, name="ci", days=30)
    ends = {token_of(warehouse, ada, warehouse.tokens.rotate(ada, old.id).id).expires_at for _ in range(2)}
    assert len(ends) == 1


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_is_over_is_not_rotated(
    warehouse: Warehouse, ada: Identity, clock: Clock, how: str
) -> None:
    old = warehouse.tokens.mint(ada, name="ci", days=1)
    if how == "revoked":
        warehouse.tokens.revoke(ada, old.id)
    else:
        clock.pass_by(DAY)
    with pytest.raises(Rejected, match="was revoked or has expired"):
        warehouse.tokens.rotate(ada, old.id)
    assert len(warehouse.tokens.listed(ada)) == 1


@pytest.mark.parametrize("hours", [-1, 721])
def test_an_overlap_has_bounds(warehouse: Warehouse, ada: Identity, hours: int) -> None:
    old = warehouse.tokens.mint(ada, name="ci")
    with pytest.raises(Rejected, match="use 0 to 720 hours"):
        warehouse.tokens.rotate(ada, old.id, overlap_hours=hours)


def test_nobody_rotates_the_token_of_another_nor_one_with_itself(
    warehouse: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    old = warehouse.tokens.mint(ada, name="ci", scopes=set(Scope))
    itself = warehouse.tokens.identify(old.text)
    for other in (bob, person("root", administrator=True), itself):
        with pytest.raises(NotFound):
            warehouse.tokens.rotate(other, old.id)
    with pytest.raises(NotFound):
        warehouse.tokens.rotate(ada, "0000000000")


def test_a_disabled_owner_gets_no_new_token(warehouse: Warehouse, ada: Identity) -> None:
    old = warehouse.tokens.mint(ada, name="ci")
    warehouse.accounts.set_disabled(warehouse.operator(), "ada", disabled=True)
    with pytest.raises(Rejected, match="disabled"):
        warehouse.tokens.rotate(warehouse.operator(), old.id)


def test_a_rotation_is_one_entry_that_names_both(warehouse: Warehouse, ada: Identity) -> None:
    old = warehouse.tokens.mint(ada, name="ci")
    with warehouse.units.read() as unit:
        before = unit.journal.serial()
    new = warehouse.tokens.rotate(ada, old.id)
    with warehouse.units.read() as unit:
        (change,) = unit.journal.since(before, 9)
    assert (change.action, change.account, change.token, dict(change.detail)) == (
        "token.rotate",
        "ada",
        new.id,
        {"old": old.id},
    )


def test_of_a_rotation_and_a_revocation_at_once_the_old_token_is_revoked_in_the_end(
    warehouse: Warehouse, ada: Identity
) -> None:
    old = warehouse.tokens.mint(ada, name="ci")
    race([partial(warehouse.tokens.rotate, ada, old.id), partial(warehouse.tokens.revoke, ada, old.id)])
    assert token_of(warehouse, ada, old.id).revoked_at is not None
    assert not counts(warehouse, old.text)
