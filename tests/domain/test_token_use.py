"""What is noted of a token's use, and what becomes of refusals and of owners who never come by."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.conftest import Clock
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import SignInNeeded, TooManyAttempts, Unauthenticated
from warehouse14.domain.model import Action
from warehouse14.domain.services.working import entry
from warehouse14.domain.warehouse import Warehouse

HERE, THERE = "192.0.2.1", "198.51.100.7"
HOUR = timedelta(hours=1)
WRONG = "wh14_" + "0" * 43


def settle(warehouse: Warehouse) -> None:
    """Wait for the small writes in the background."""
    done = threading.Event()
    warehouse._background(done.set)
    assert done.wait(10)


def refused(warehouse: Warehouse, text: str = WRONG, origin: str = HERE) -> None:
    """Try a wrong token, and wait until that is counted."""
    try:
        with pytest.raises(Unauthenticated):
            warehouse.tokens.identify(text, origin=origin)
    finally:
        settle(warehouse)


# -- the last use -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ('pip/26.3 {"ci":null,"cpu":"x86_64"}', "pip/26.3"),
        ("twine/7.0.0 requests/2.32 CPython/3.13", "twine/7.0.0"),
        ("  uv/0.13\n\x1b[31m", "uv/0.13[31m"),
        ("", ""),
        ("x" * 500, "x" * 200),
    ],
)
def test_the_last_use_says_from_where_and_by_what(
    warehouse: Warehouse, ada: Identity, clock: Clock, agent: str, program: str
) -> None:
    text = warehouse.tokens.mint(ada, name="x").text
    warehouse.tokens.identify(text, origin=HERE, agent=agent)
    settle(warehouse)
    (token,) = warehouse.tokens.listed(ada)
    assert (token.last_used_at, token.last_used_from, token.last_used_by) == (clock.now, HERE, program)


def test_a_refused_use_is_not_noted(warehouse: Warehouse, ada: Identity) -> None:
    text = warehouse.tokens.mint(ada, name="x", addresses=[THERE]).text
    refused(warehouse, text)
    (token,) = warehouse.tokens.listed(ada)
    assert (token.last_used_at, token.last_used_from, token.last_used_by) == (None, "", "")


# -- refusals -----------------------------------------------------------------------------


def test_after_twenty_refusals_an_address_waits_for_longer_each_time(
    warehouse: Warehouse, clock: Clock
) -> None:
    for _ in range(20):
        refused(warehouse)
    for wait in (1, 2, 4):
        with pytest.raises(TooManyAttempts) as caught:
            warehouse.tokens.identify(WRONG, origin=HERE)
        assert caught.value.retry_after == wait
        clock.pass_by(timedelta(seconds=wait))
        refused(warehouse)
    refused(warehouse, origin=THERE)


def test_a_right_token_passes_whatever_was_refused_and_writes_nothing(
    warehouse: Warehouse, ada: Identity
) -> None:
    text = warehouse.tokens.mint(ada, name="x").text
    warehouse.tokens.identify(text, origin=HERE)
    for _ in range(20):
        refused(warehouse)
    before = warehouse.units.pulse()
    assert warehouse.tokens.identify(text, origin=HERE).account == "ada"
    settle(warehouse)
    assert warehouse.units.pulse() == before
    with pytest.raises(TooManyAttempts):
        warehouse.tokens.identify(WRONG, origin=HERE)


def test_a_refusal_that_has_to_wait_is_not_counted(warehouse: Warehouse, clock: Clock) -> None:
    for _ in range(20):
        refused(warehouse)
    for _ in range(10):
        with suppress(TooManyAttempts):
            warehouse.tokens.identify(WRONG, origin=HERE)
    settle(warehouse)
    clock.pass_by(timedelta(seconds=1))
    refused(warehouse)


def test_revoked_and_malformed_tokens_count_as_refused(warehouse: Warehouse, ada: Identity) -> None:
    minted = warehouse.tokens.mint(ada, name="x")
    warehouse.tokens.revoke(ada, minted.id)
    for _ in range(10):
        refused(warehouse, minted.text)
        refused(warehouse, "no token at all")
    with pytest.raises(TooManyAttempts):
        warehouse.tokens.identify(minted.text, origin=HERE)


def test_one_ipv6_network_is_one_address(warehouse: Warehouse) -> None:
    for number in range(20):
        refused(warehouse, origin=f"2001:db8::{number:x}")
    with pytest.raises(TooManyAttempts):
        warehouse.tokens.identify(WRONG, origin="2001:db8::ffff")
    refused(warehouse, origin="2001:db8:0:1::1")


def test_refusals_expire_and_are_tidied_away(warehouse: Warehouse, clock: Clock) -> None:
    for _ in range(20):
        refused(warehouse)
    clock.pass_by(timedelta(minutes=16))
    refused(warehouse, origin=THERE)
    with warehouse.units.read() as unit:
        assert unit.attempts.of([f"token-address:{HERE}"]) == {}
    refused(warehouse)


def test_without_an_address_there_is_nothing_to_count_under(warehouse: Warehouse) -> None:
    for _ in range(25):
        with pytest.raises(Unauthenticated):
            warehouse.tokens.identify(WRONG)


# -- owners who do not come by ------------------------------------------------------------


@pytest.fixture
def strict(warehouse: Warehouse, clock: Clock) -> Iterator[Warehouse]:
    """The same site, where a token counts for a day after its owner's last sign-in."""
    policy = replace(warehouse.policy, reverify=24 * HOUR)
    opened = Warehouse(warehouse.units, warehouse.store, policy, now=clock)
    yield opened
    opened.close()


@pytest.fixture
def person_with_password(strict: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Identity:
    monkeypatch.setattr("warehouse14.domain.credentials._SCRYPT_N", 2)
    strict.accounts.add(strict.operator(), "grace", password="correct horse")
    return strict.account("grace")


def test_a_token_counts_until_its_owner_has_not_signed_in_for_too_long(
    strict: Warehouse, person_with_password: Identity, clock: Clock
) -> None:
    text = strict.tokens.mint(person_with_password, name="x").text
    clock.pass_by(24 * HOUR)
    assert strict.tokens.identify(text)
    clock.pass_by(timedelta(seconds=1))
    with pytest.raises(SignInNeeded, match=r"Sign in at this site's address in the browser"):
        strict.tokens.identify(text)
    strict.sessions.sign_in("grace", "correct horse", origin=HERE)
    assert strict.tokens.identify(text)
    clock.pass_by(25 * HOUR)
    with pytest.raises(SignInNeeded):
        strict.tokens.identify(text)


def test_a_sign_in_is_noted_in_the_account(
    strict: Warehouse, person_with_password: Identity, clock: Clock
) -> None:
    assert strict.accounts.get(strict.operator(), "grace").signed_in_at is None
    clock.pass_by(HOUR)
    with pytest.raises(Unauthenticated):
        strict.sessions.sign_in("grace", "wrong", origin=HERE)
    assert strict.accounts.get(strict.operator(), "grace").signed_in_at is None
    strict.sessions.sign_in("grace", "correct horse", origin=HERE)
    assert strict.accounts.get(strict.operator(), "grace").signed_in_at == clock.now


def test_only_the_right_token_is_told_to_sign_in(strict: Warehouse, ada: Identity, clock: Clock) -> None:
    text = strict.tokens.mint(ada, name="x", addresses=[THERE]).text
    clock.pass_by(25 * HOUR)
    with pytest.raises(Unauthenticated, match="unknown, revoked or expired"):
        strict.tokens.identify(text, origin=HERE)
    with pytest.raises(SignInNeeded):
        strict.tokens.identify(text, origin=THERE)


def test_a_service_need_not_sign_in(strict: Warehouse, ada: Identity, clock: Clock) -> None:
    strict.projects.create(ada, "demo")
    text = strict.tokens.mint(ada, name="x", service="project:demo").text
    clock.pass_by(48 * HOUR)
    assert strict.tokens.identify(text)


def test_without_the_setting_nobody_need_sign_in(warehouse: Warehouse, ada: Identity, clock: Clock) -> None:
    text = warehouse.tokens.mint(ada, name="x", days=0).text
    clock.pass_by(timedelta(days=10_000))
    assert warehouse.tokens.identify(text)


def test_a_sign_in_that_was_noted_before_counts(strict: Warehouse, ada: Identity, clock: Clock) -> None:
    text = strict.tokens.mint(ada, name="x").text
    clock.pass_by(48 * HOUR)
    assert ada.account is not None
    with strict.units.write() as unit:
        unit.accounts.set_signed_in(ada.account, clock.now)
        unit.journal.append(entry(Action.SESSION_START, ada, clock, account=ada.account))
    assert strict.tokens.identify(text)
