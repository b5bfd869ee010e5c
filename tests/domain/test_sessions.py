from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from domain.conftest import Clock
from warehouse14.domain import credentials
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import (
    Forbidden,
    NotFound,
    Rejected,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
)
from warehouse14.domain.model import Role
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race

HERE, THERE = "192.0.2.1", "198.51.100.7"
RIGHT, WRONG = "correct horse", "battery staple"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def fast_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of a password check is no subject here: without it these tests take seconds."""
    monkeypatch.setattr("warehouse14.domain.credentials._SCRYPT_N", 2)


@pytest.fixture
def people(warehouse: Warehouse) -> Warehouse:
    """Ada and Bob, with passwords."""
    for name in ("ada", "bob"):
        warehouse.accounts.add(warehouse.operator(), name, password=RIGHT)
    return warehouse


def sign_in(warehouse: Warehouse, name: str = "ada", password: str = RIGHT, **options: str) -> SignedIn:
    return warehouse.sessions.sign_in(name, password, **{"origin": HERE, "agent": "Lynx", **options})


def fail(warehouse: Warehouse, name: str = "ada", times: int = 1, **options: str) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            sign_in(warehouse, name, WRONG, **options)


def known(warehouse: Warehouse, signed_in: SignedIn) -> bool:
    return warehouse.sessions.identify(signed_in.secret) is not None


# -- sessions ---------------------------------------------------------------------------


def test_who_is_signed_out_meanwhile_gives_nobody_a_role(people: Warehouse) -> None:
    asking = sign_in(people).identity(HERE)
    people.projects.create(asking, "demo")
    people.sessions.end_others(asking)
    people.projects.grant(asking, "demo", "account:bob", Role.ADMIN)
    people.sessions.end_all(people.operator(), "ada")
    with pytest.raises(Forbidden, match="nothing in this way any more"):
        people.projects.grant(asking, "demo", "account:bob", Role.MEMBER)


def test_the_right_password_starts_a_session_that_its_secret_finds(people: Warehouse) -> None:
    new = sign_in(people, "Ada")
    found = people.sessions.identify(new.secret)
    assert found is not None
    assert (found.account.name, found.session) == ("ada", new.session)
    assert (new.session.origin, new.session.agent) == (HERE, "Lynx")
    assert found.secret == ""
    assert people.sessions.identify("nonsense") is None


def test_the_store_holds_nothing_that_a_cookie_could_be_made_of(people: Warehouse) -> None:
    new = sign_in(people)
    with people.units.read() as unit:
        kept = repr(unit.sessions.of(new.account.name))
    assert new.secret not in kept
    assert new.secret not in repr(new)
    assert people.sessions.identify(new.session.id) is None


def test_signing_in_and_out_stands_in_the_journal(people: Warehouse) -> None:
    with people.units.read() as unit:
        before = unit.journal.serial()
    new = sign_in(people)
    people.sessions.end(new.identity(HERE), new.session.id)
    with people.units.read() as unit:
        entries = [(change.action, change.actor, change.origin) for change in unit.journal.since(before, 9)]
    assert entries == [("session.start", "ada", HERE), ("session.end", "ada", HERE)]


@pytest.mark.parametrize(
    ("name", "password"), [("ada", WRONG), ("nobody", RIGHT), ("", RIGHT), ("a\0b", RIGHT), ("ada", "")]
)
def test_what_does_not_belong_together_is_refused_in_one_text(
    people: Warehouse, name: str, password: str
) -> None:
    with pytest.raises(Unauthenticated, match="do not belong together"):
        sign_in(people, name, password)


def test_a_disabled_account_does_not_sign_in_and_its_sessions_end(people: Warehouse) -> None:
    session = sign_in(people)
    people.accounts.set_disabled(people.operator(), "ada", disabled=True)
    assert not known(people, session)
    with pytest.raises(Unauthenticated):
        sign_in(people)
    people.accounts.set_disabled(people.operator(), "ada", disabled=False)
    assert not known(people, session)
    assert known(people, sign_in(people))


def test_an_unused_session_ends_and_a_used_one_lives_on(people: Warehouse, clock: Clock) -> None:
    used, unused = sign_in(people), sign_in(people)
    for _ in range(3):
        clock.pass_by(HOUR)
        assert known(people, used)
        people.close()
    assert not known(people, unused)


def test_on_a_site_that_changes_nothing_who_is_signed_in_stays_so_for_the_longest_time(
    people: Warehouse, clock: Clock
) -> None:
    """Nobody could sign in again, nor is it noted that somebody was seen."""
    over = sign_in(people, "bob")
    clock.pass_by(timedelta(hours=2))
    alive = sign_in(people)
    # Whatever is to be done soon after they signed in is done.
    people.close()
    clock.pass_by(timedelta(minutes=90))
    still = Warehouse(people.units, people.store, replace(people.policy, read_only=True), now=clock)
    for _ in range(10):
        assert known(still, alive)
        assert not known(still, over), "it was over before"
        clock.pass_by(HOUR)
    clock.pass_by(timedelta(minutes=31))
    assert not known(still, alive)


def test_a_session_ends_after_its_longest_time_however_much_it_is_used(
    people: Warehouse, clock: Clock
) -> None:
    session = sign_in(people)
    for _ in range(12):
        assert known(people, session)
        people.close()
        clock.pass_by(HOUR)
    assert known(people, session)
    clock.pass_by(timedelta(seconds=1))
    assert not known(people, session)


def test_being_used_is_noted_without_an_entry_in_the_journal(people: Warehouse, clock: Clock) -> None:
    session = sign_in(people)
    with people.units.read() as unit:
        before = unit.journal.serial()
    clock.pass_by(MINUTE)
    assert known(people, session)
    people.close()
    with people.units.read() as unit:
        assert unit.journal.serial() == before
        assert unit.sessions.of(session.account.name)[0].seen_at == clock.now


def test_old_sessions_are_tidied_away_when_somebody_signs_in(people: Warehouse, clock: Clock) -> None:
    old = sign_in(people, "bob")
    clock.pass_by(3 * HOUR)
    sign_in(people)
    people.close()
    with people.units.read() as unit:
        assert unit.sessions.get(old.session.id) is None


def test_signing_out_ends_this_session_and_no_other(people: Warehouse) -> None:
    first, second = sign_in(people), sign_in(people)
    people.sessions.end(first.identity(HERE), first.session.id)
    assert (known(people, first), known(people, second)) == (False, True)
    with pytest.raises(NotFound):
        people.sessions.end(second.identity(HERE), first.session.id)


def test_nobody_sees_or_ends_the_session_of_another(people: Warehouse) -> None:
    ada, bob = sign_in(people), sign_in(people, "bob")
    with pytest.raises(NotFound):
        people.sessions.end(bob.identity(HERE), ada.session.id)
    assert [session.id for session in people.sessions.listed(bob.identity(HERE))] == [bob.session.id]
    with pytest.raises(Forbidden):
        people.sessions.listed(bob.identity(HERE), "ada")
    people.sessions.end_others(bob.identity(HERE))
    assert known(people, ada)


def test_an_administrator_lists_the_sessions_of_another_that_are_not_over(
    people: Warehouse, clock: Clock
) -> None:
    people.accounts.add(people.operator(), "root", administrator=True)
    root = people.account("root")
    sign_in(people)
    clock.pass_by(3 * HOUR)
    there = sign_in(people)
    assert [session.id for session in people.sessions.listed(root, "Ada")] == [there.session.id]
    with pytest.raises(NotFound):
        people.sessions.listed(root, "absent")
    token = people.tokens.identify(people.tokens.mint(people.operator(), name="x", account="ada").text)
    with pytest.raises(NotFound):
        people.sessions.listed(token, "ada")


def test_all_other_sessions_can_be_ended_at_once(people: Warehouse) -> None:
    first, second, third = (sign_in(people) for _ in range(3))
    people.sessions.end_others(second.identity(HERE))
    assert [known(people, one) for one in (first, second, third)] == [False, True, False]


# -- passwords --------------------------------------------------------------------------


def test_a_changed_password_ends_all_sessions_but_the_one_it_was_changed_in(people: Warehouse) -> None:
    here, elsewhere = sign_in(people), sign_in(people, origin=THERE)
    people.sessions.change_password(here.identity(HERE), RIGHT, "another horse")
    assert (known(people, here), known(people, elsewhere)) == (True, False)
    with pytest.raises(Unauthenticated):
        sign_in(people)
    assert known(people, sign_in(people, password="another horse"))


def test_a_password_set_by_the_operator_ends_all_sessions(people: Warehouse) -> None:
    session = sign_in(people)
    people.accounts.set_password(people.operator(), "ada", "another horse")
    assert not known(people, session)
    assert not sign_in(people, password="another horse").account.password_once


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (WRONG, "another horse", "not your password"),
        (RIGHT, "short", "8 to 1000"),
        (RIGHT, RIGHT, "another than"),
    ],
)
def test_a_new_password_needs_the_old_one_and_differs(
    people: Warehouse, old: str, new: str, says: str
) -> None:
    session = sign_in(people)
    with pytest.raises(Rejected, match=says):
        people.sessions.change_password(session.identity(HERE), old, new)
    assert known(people, sign_in(people))


def test_the_old_password_cannot_be_guessed_through_an_open_session(people: Warehouse) -> None:
    identity = sign_in(people).identity(HERE)
    for _ in range(5):
        with pytest.raises(Rejected):
            people.sessions.change_password(identity, WRONG, "another horse")
    with pytest.raises(TooManyAttempts):
        people.sessions.change_password(identity, RIGHT, "another horse")
    assert known(people, sign_in(people))


def test_the_first_administrators_password_is_to_be_replaced(warehouse: Warehouse) -> None:
    password = warehouse.accounts.add_first_administrator()
    assert password is not None
    session = sign_in(warehouse, "admin", password)
    assert session.account.password_once
    warehouse.sessions.change_password(session.identity(HERE), password, RIGHT)
    found = warehouse.sessions.identify(session.secret)
    assert found is not None
    assert not found.account.password_once


def test_a_password_that_an_administrator_resets_is_to_be_replaced(
    people: Warehouse, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    session = sign_in(people)
    password = people.accounts.reset_password(root, "ada")
    assert not known(people, session)
    assert sign_in(people, password=password).account.password_once
    for wrong, error in ((root.account, Rejected), ("nobody", NotFound)):
        with pytest.raises(error):
            people.accounts.reset_password(root, str(wrong))
    with pytest.raises(Forbidden):
        people.accounts.reset_password(people.account("bob"), "ada")


# -- guessing ---------------------------------------------------------------------------


def refused_for(warehouse: Warehouse, name: str = "ada", **options: str) -> int:
    """Return for how many seconds the right password is not even looked at."""
    with pytest.raises(TooManyAttempts) as caught:
        sign_in(warehouse, name, **options)
    return caught.value.retry_after


def test_five_mistakes_cost_nothing_and_each_further_one_twice_as_much(
    people: Warehouse, clock: Clock
) -> None:
    fail(people, times=5)
    waits = []
    for _ in range(7):
        waits.append(refused_for(people))
        clock.pass_by(timedelta(seconds=waits[-1]))
        fail(people)
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_an_attempt_that_was_not_looked_at_does_not_lengthen_the_wait(
    people: Warehouse, clock: Clock
) -> None:
    fail(people, times=5)
    assert [refused_for(people) for _ in range(20)] == [1] * 20
    clock.pass_by(timedelta(seconds=1))
    assert known(people, sign_in(people))


def test_success_takes_the_mistakes_back(people: Warehouse) -> None:
    for _ in range(3):
        fail(people, times=4)
        sign_in(people)


def test_mistakes_are_forgotten_after_a_while(people: Warehouse, clock: Clock) -> None:
    fail(people, times=5)
    clock.pass_by(15 * MINUTE + timedelta(seconds=1))
    fail(people, times=5)
    assert refused_for(people) == 1


def test_a_stranger_elsewhere_locks_nobody_out(people: Warehouse, clock: Clock) -> None:
    for number in range(40):
        fail(people, origin=f"198.51.100.{number}")
    assert known(people, sign_in(people))


def test_many_strangers_have_one_attempt_each_while_the_account_is_under_attack(
    people: Warehouse, clock: Clock
) -> None:
    for number in range(40):
        fail(people, origin=f"198.51.100.{number}")
    assert refused_for(people, origin="198.51.100.3") == 30


def test_a_colleague_behind_the_same_address_does_not_slow_a_browser_that_is_known(
    people: Warehouse,
) -> None:
    fail(people, times=5)
    assert refused_for(people) == 1
    assert known(people, sign_in(people, device="adas-own"))


def test_a_right_password_passes_in_a_known_browser_however_often_it_was_wrong(people: Warehouse) -> None:
    fail(people, times=5, device="adas-own")
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            sign_in(people, device="adas-own", password="wrong")
    assert known(people, sign_in(people, device="adas-own"))
    fail(people, times=5, device="adas-own")


def test_an_address_that_tries_many_accounts_is_slowed(people: Warehouse) -> None:
    for number in range(20):
        fail(people, f"name{number}")
    assert refused_for(people) == 1
    assert known(people, sign_in(people, origin=THERE))


def test_an_account_of_ones_own_does_not_take_back_what_an_address_did(people: Warehouse) -> None:
    for number in range(19):
        fail(people, f"name{number}")
        sign_in(people, "bob")
    fail(people, "one-more")
    assert refused_for(people) == 1


def test_a_whole_ipv6_network_is_one_address(people: Warehouse) -> None:
    for number in range(5):
        fail(people, origin=f"2001:db8:1:2::{number}")
    assert refused_for(people, origin="2001:db8:1:2:ffff::1") == 1
    assert known(people, sign_in(people, origin="2001:db8:1:3::1"))


def test_names_that_are_nobodys_are_slowed_like_those_that_are(people: Warehouse) -> None:
    fail(people, "nobody", times=5)
    assert refused_for(people, "nobody") == 1
    fail(people, "a\0b", times=14)
    fail(people, "a\0b", origin=THERE)


def test_many_at_once_do_not_get_past_the_limit(people: Warehouse) -> None:
    outcomes = race([lambda: sign_in(people, password=WRONG)] * 12)
    kinds = [type(outcome) for outcome in outcomes]
    assert set(kinds) <= {Unauthenticated, TooManyAttempts, Unavailable}
    assert kinds.count(Unauthenticated) <= 5
    fail(people, times=5 - kinds.count(Unauthenticated))
    assert refused_for(people) == 1


def test_an_attempt_that_a_busy_server_did_not_judge_is_no_mistake(people: Warehouse) -> None:
    meet_a_busy_server(people, times=10)
    fail(people, times=5)
    assert refused_for(people) == 1


def test_an_attempt_that_a_busy_server_did_not_judge_does_not_begin_the_wait_anew(
    people: Warehouse, clock: Clock
) -> None:
    fail(people, times=5)
    clock.pass_by(timedelta(seconds=1))
    fail(people)
    clock.pass_by(timedelta(seconds=2))
    meet_a_busy_server(people, times=2)
    assert known(people, sign_in(people))


def meet_a_busy_server(people: Warehouse, times: int) -> None:
    """Sign in while as many as may wait for their passwords are waiting."""
    with ExitStack() as busy:
        for _ in range(4):
            busy.enter_context(credentials._queue)
        for _ in range(times):
            with pytest.raises(Unavailable):
                sign_in(people)


def test_of_an_attacked_account_the_owner_waits_for_nobody_elses_failures(
    people: Warehouse, clock: Clock
) -> None:
    """One mistake must not put the owner behind strangers who go on failing from ever new addresses."""
    for number in range(40):
        fail(people, origin=f"203.0.113.{number}")
    fail(people, origin=HERE)
    for number in range(40, 60):
        clock.pass_by(timedelta(seconds=2))
        fail(people, origin=f"203.0.113.{number}")
    sign_in(people)


def test_a_password_that_was_replaced_while_the_old_one_was_checked_stays(people: Warehouse) -> None:
    """Who stole a password and a session cannot undo what is done against it."""
    stolen = sign_in(people)
    before = people.accounts.get(people.operator(), "ada")
    people.accounts.set_password(people.operator(), "ada", "a better horse")
    with pytest.raises(Rejected, match="replaced meanwhile"):
        people.accounts.set_password(stolen.identity(HERE), "ada", "the thief's", instead_of=before)
    sign_in(people, password="a better horse")


@pytest.mark.parametrize("_", range(5))
def test_of_two_administrators_who_disable_each_other_at_once_one_stays(
    warehouse: Warehouse, person: Callable[..., Identity], _: int
) -> None:
    ada, bob = (person(name, administrator=True) for name in ("ada", "bob"))
    done = race(
        [
            partial(warehouse.accounts.set_disabled, ada, "bob", disabled=True),
            partial(warehouse.accounts.set_disabled, bob, "ada", disabled=True),
        ]
    )
    assert sorted(type(error) for error in done if error is not None) == [Forbidden]
    assert [account.disabled for account in warehouse.accounts.listed(warehouse.operator())].count(True) == 1


def test_nobody_disables_their_own_account(warehouse: Warehouse, person: Callable[..., Identity]) -> None:
    with pytest.raises(Rejected, match="stays enabled"):
        warehouse.accounts.set_disabled(person("ada", administrator=True), "ada", disabled=True)
