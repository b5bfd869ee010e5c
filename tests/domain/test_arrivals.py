"""What becomes of people whom identity providers vouch for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.domain.conftest import Clock
from warehouse14.domain.access import Identity, SiteRules, operator
from warehouse14.domain.arrivals import Arrival, Ending
from warehouse14.domain.errors import Forbidden, NotFound, Rejected, SignInFailed, Unauthenticated
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Session
from warehouse14.domain.names import AccountName, Principal, ProviderName
from warehouse14.domain.sentences import sentence
from warehouse14.domain.services.arrivals import From
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.contract import race

CORP = From(ProviderName("corp"), "Corp", "192.0.2.1", "Lynx")
OTHER = From(ProviderName("other"), "Other", "192.0.2.1")

NOOR = Arrival(
    issuer="https://login.example.org",
    subject="248289761001",
    name="Noor@Example.org",
    email="noor@example.org",
    groups=frozenset({"platform"}),
    refusal=None,
    sid="s1",
    id_token="e30.e30.c2ln",
)
AT_OTHER = replace(NOOR, issuer="https://other.example.org", subject="7", groups=frozenset({"guests"}))


def ending(clock: Clock, **parts: str | None) -> Ending:
    values = {"issuer": NOOR.issuer, "subject": NOOR.subject, "sid": None, "jti": "j1", **parts}
    return Ending(until=clock() + timedelta(minutes=10), **values)  # type: ignore[arg-type]


def actions(warehouse: Warehouse) -> list[str]:
    with warehouse.units.read() as unit:
        return [change.action for change in unit.journal.since(0, 1000)]


def groups(warehouse: Warehouse, name: str = "noor@example.org") -> set[Principal]:
    return {who for who in warehouse.account(name).principals if who.startswith("group:")}


@pytest.fixture
def noor(warehouse: Warehouse) -> Identity:
    """Somebody who has signed in."""
    return warehouse.arrivals.sign_in(CORP, NOOR).identity("192.0.2.1")


def test_the_first_sign_in_makes_the_account_and_later_ones_find_it_by_issuer_and_subject(
    warehouse: Warehouse,
) -> None:
    first = warehouse.arrivals.sign_in(CORP, NOOR)
    later = warehouse.arrivals.sign_in(CORP, replace(NOOR, name="renamed@example.org"))
    assert (first.account.name, later.account.name) == ("noor@example.org", "noor@example.org")
    assert not first.account.administrator
    assert warehouse.sessions.identify(later.secret) is not None
    assert actions(warehouse) == ["account.add", "session.start", "session.start"]


@pytest.mark.parametrize(
    ("issuer", "subject"), [("https://other.example.org", NOOR.subject), (NOOR.issuer, "2")]
)
def test_another_person_by_the_same_name_is_refused_and_gets_nothing(
    warehouse: Warehouse, noor: Identity, issuer: str, subject: str
) -> None:
    before = actions(warehouse)
    with pytest.raises(SignInFailed, match=r"^The name noor@example\.org belongs to another account"):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, issuer=issuer, subject=subject))
    assert actions(warehouse) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "does not say what your account is to be called"),
        ("Noor Ahmed", "cannot be the name of an account"),
        ("ноор", "cannot be the name of an account"),
        ("project:demo", "cannot be the name of an account"),
        ("", "cannot be the name of an account"),
        ("x" * 300, "cannot be the name of an account"),
    ],
)
def test_a_name_that_is_none_makes_no_account(warehouse: Warehouse, name: str | None, said: str) -> None:
    with pytest.raises(SignInFailed, match=said):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, name=name))
    assert actions(warehouse) == []


def test_many_first_sign_ins_at_once_make_one_account(warehouse: Warehouse) -> None:
    outcomes = race([lambda: warehouse.arrivals.sign_in(CORP, NOOR) and None] * 6)
    assert outcomes == [None] * 6
    assert actions(warehouse).count("account.add") == 1


def test_the_groups_are_those_of_the_last_sign_in_at_each_provider(
    warehouse: Warehouse, noor: Identity
) -> None:
    assert warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    assert groups(warehouse) == {"group:corp/platform", "group:other/guests"}
    warehouse.arrivals.sign_in(CORP, replace(NOOR, groups=frozenset({"staff", "ops"})))
    assert groups(warehouse) == {"group:corp/staff", "group:corp/ops", "group:other/guests"}
    warehouse.arrivals.sign_in(OTHER, replace(AT_OTHER, groups=frozenset()))
    assert groups(warehouse) == {"group:corp/staff", "group:corp/ops"}


def test_a_provider_with_a_longer_name_is_another(warehouse: Warehouse, noor: Identity) -> None:
    longer = From(ProviderName("corp2"), "Corp 2", "192.0.2.1")
    warehouse.arrivals.join(noor, longer, AT_OTHER)
    warehouse.arrivals.sign_in(CORP, replace(NOOR, groups=frozenset()))
    assert groups(warehouse) == {"group:corp2/guests"}


def test_whom_the_rules_keep_out_is_signed_out_and_nothing_of_theirs_counts_until_they_pass_again(
    warehouse: Warehouse, noor: Identity
) -> None:
    session = warehouse.arrivals.sign_in(CORP, NOOR)
    token = warehouse.tokens.mint(noor, name="laptop").text
    refused = replace(NOOR, refusal="This site is not for you.")
    for _ in range(2):
        with pytest.raises(SignInFailed, match=r"^This site is not for you\.$"):
            warehouse.arrivals.sign_in(CORP, refused)
    assert actions(warehouse)[-1] == "account.keep-out"
    assert actions(warehouse).count("account.keep-out") == 1
    assert warehouse.sessions.identify(session.secret) is None
    with pytest.raises(Unauthenticated):
        warehouse.tokens.identify(token)
    with pytest.raises(Rejected):
        warehouse.account("noor@example.org")
    warehouse.arrivals.sign_in(CORP, NOOR)
    assert warehouse.tokens.identify(token).account == "noor@example.org"


def test_an_administrator_whom_the_rules_keep_out_meanwhile_adds_and_joins_nobody(
    warehouse: Warehouse, noor: Identity, ada: Identity
) -> None:
    warehouse.accounts.set_administrator(operator(), "noor@example.org", administrator=True)
    before = warehouse.account("noor@example.org")
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, refusal="This site is not for you."))
    with pytest.raises(Forbidden, match="no longer an administrator"):
        warehouse.accounts.add(before, "eve")
    with pytest.raises(Forbidden, match="no longer an administrator"):
        warehouse.arrivals.join_known(
            before, "ada", provider=OTHER.provider, issuer=AT_OTHER.issuer, subject=AT_OTHER.subject
        )


def test_who_is_kept_out_by_one_provider_does_not_get_in_through_another(
    warehouse: Warehouse, noor: Identity
) -> None:
    warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, refusal="No."))
    with pytest.raises(SignInFailed, match="The rules for corp keep you out, whichever way you come"):
        warehouse.arrivals.sign_in(OTHER, AT_OTHER)
    warehouse.accounts.set_disabled(warehouse.operator(), "noor@example.org", disabled=True)
    with pytest.raises(SignInFailed, match="Your account is disabled"):
        warehouse.arrivals.sign_in(OTHER, AT_OTHER)
    warehouse.accounts.set_disabled(warehouse.operator(), "noor@example.org", disabled=False)
    warehouse.arrivals.part(warehouse.operator(), NOOR.issuer, NOOR.subject, account="noor@example.org")
    with pytest.raises(SignInFailed, match="The rules for corp keep you out"):
        warehouse.arrivals.sign_in(OTHER, AT_OTHER)
    assert warehouse.accounts.set_disabled(operator(), "noor@example.org", disabled=False)
    assert not warehouse.accounts.set_disabled(operator(), "noor@example.org", disabled=False)
    assert warehouse.arrivals.sign_in(OTHER, AT_OTHER).account.name == "noor@example.org"


@pytest.mark.usefixtures("noor")
def test_to_close_a_way_in_lets_no_token_in_and_to_let_somebody_in_is_on_record(warehouse: Warehouse) -> None:
    warehouse.accounts.set_password(operator(), "noor@example.org", "correct horse")
    token = warehouse.tokens.mint(warehouse.account("noor@example.org"), name="laptop").text
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, refusal="No."))
    warehouse.arrivals.part(operator(), NOOR.issuer, NOOR.subject, account="noor@example.org")
    with pytest.raises(Unauthenticated):
        warehouse.tokens.identify(token)
    warehouse.accounts.set_disabled(operator(), "noor@example.org", disabled=False)
    assert warehouse.tokens.identify(token).account == "noor@example.org"
    with warehouse.units.read() as unit:
        (last,) = unit.journal.found(Sought(action="account."), before=None, after=None, count=1)
    assert sentence(last).endswith("enabled the account noor@example.org, which the rules for corp kept out")


def test_whoever_the_rules_keep_out_when_they_join_again_is_kept_out(
    warehouse: Warehouse, noor: Identity
) -> None:
    with pytest.raises(SignInFailed):
        warehouse.arrivals.join(noor, CORP, replace(NOOR, refusal="No."))
    assert actions(warehouse)[-1] == "account.keep-out"
    with pytest.raises(Rejected):
        warehouse.account("noor@example.org")


def test_the_journal_says_which_groups_joining_and_parting_gave_and_took(
    warehouse: Warehouse, noor: Identity
) -> None:
    warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    warehouse.arrivals.part(noor, AT_OTHER.issuer, AT_OTHER.subject)
    with warehouse.units.read() as unit:
        parted, joined = unit.journal.found(Sought(action="account."), before=None, after=None, count=2)
    me = "noor@example.org"
    assert sentence(joined) == f"{me} joined 7 at other to the account {me}, which is now in other/guests"
    assert sentence(parted) == (
        f"{me} parted 7 at other from the account {me}, which is no longer in other/guests"
    )


def test_a_sign_in_through_a_provider_forgets_sessions_that_are_over(
    warehouse: Warehouse, clock: Clock, noor: Identity
) -> None:
    clock.pass_by(timedelta(days=30))
    warehouse.arrivals.sign_in(CORP, NOOR)
    deadline = time.monotonic() + 10
    while len(_sessions(warehouse)) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(_sessions(warehouse)) == 1


def _sessions(warehouse: Warehouse) -> Sequence[Session]:
    with warehouse.units.read() as unit:
        return unit.sessions.of(AccountName("noor@example.org"))


def test_a_password_does_not_open_what_a_provider_keeps_closed(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.accounts.set_password(warehouse.operator(), "ada", "correct horse")
    signed_in = warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.1")
    warehouse.arrivals.join(signed_in.identity("192.0.2.1"), CORP, NOOR)
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, refusal="No."))
    with pytest.raises(Unauthenticated):
        warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.1")


def test_somebody_new_whom_the_rules_keep_out_leaves_no_trace(warehouse: Warehouse) -> None:
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, refusal="No."))
    assert actions(warehouse) == []


def test_only_a_session_joins_and_never_for_somebody_else(
    warehouse: Warehouse, noor: Identity, bob: Identity
) -> None:
    with pytest.raises(NotFound):
        warehouse.arrivals.join(bob, OTHER, AT_OTHER)
    with pytest.raises(Forbidden):
        warehouse.arrivals.join_known(
            noor, "bob", provider=OTHER.provider, issuer=AT_OTHER.issuer, subject=AT_OTHER.subject
        )
    with pytest.raises(Forbidden):
        warehouse.arrivals.joined(noor, "bob")
    with pytest.raises(Forbidden):
        warehouse.arrivals.part(noor, NOOR.issuer, NOOR.subject, account="bob")
    with pytest.raises(SignInFailed, match=r"^No\."):
        warehouse.arrivals.join(noor, OTHER, replace(AT_OTHER, refusal="No."))
    assert len(warehouse.arrivals.joined(noor)) == 1


@pytest.mark.parametrize("subject", ["", "7 ", " 7", "7\n", "7" * 256])
def test_who_could_be_taken_for_another_is_joined_to_nobody(
    warehouse: Warehouse, noor: Identity, subject: str
) -> None:
    """Some databases pass over spaces at the end of a text."""
    with pytest.raises(Rejected, match="printable characters"):
        warehouse.arrivals.join_known(
            warehouse.operator(), "noor", provider=OTHER.provider, issuer=AT_OTHER.issuer, subject=subject
        )


def test_an_administrator_joins_somebody_whose_name_was_taken(warehouse: Warehouse, ada: Identity) -> None:
    taken = replace(NOOR, name="ada")
    with pytest.raises(SignInFailed):
        warehouse.arrivals.sign_in(CORP, taken)
    joined = warehouse.arrivals.join_known(
        warehouse.operator(), "ada", provider=CORP.provider, issuer=NOOR.issuer, subject=NOOR.subject
    )
    again = warehouse.arrivals.join_known(
        warehouse.operator(), "ada", provider=CORP.provider, issuer=NOOR.issuer, subject=NOOR.subject
    )
    assert (joined, again) == (True, False)
    assert warehouse.arrivals.sign_in(CORP, taken).account.name == "ada"


def test_parting_ends_the_sessions_that_began_there_and_takes_the_groups_away(
    warehouse: Warehouse, noor: Identity
) -> None:
    by_corp = warehouse.arrivals.sign_in(CORP, NOOR)
    warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    by_other = warehouse.arrivals.sign_in(OTHER, AT_OTHER)
    warehouse.arrivals.part(by_other.identity("192.0.2.1"), NOOR.issuer, NOOR.subject)
    assert warehouse.sessions.identify(by_corp.secret) is None
    assert warehouse.sessions.identify(by_other.secret) is not None
    assert groups(warehouse) == {"group:other/guests"}
    with pytest.raises(Rejected, match="only way in"):
        warehouse.arrivals.part(by_other.identity("192.0.2.1"), AT_OTHER.issuer, AT_OTHER.subject)


@pytest.mark.parametrize(
    ("subject", "sid", "left"),
    [
        (NOOR.subject, None, []),
        (None, "s1", ["s2"]),
        (NOOR.subject, "s2", ["s1"]),
        (None, "s3", ["s1", "s2"]),
    ],
)
def test_a_provider_ends_one_of_its_sessions_or_all_of_a_person(
    warehouse: Warehouse, clock: Clock, subject: str | None, sid: str | None, left: list[str]
) -> None:
    started = {name: warehouse.arrivals.sign_in(CORP, replace(NOOR, sid=name)) for name in ("s1", "s2")}
    token = warehouse.tokens.mint(started["s1"].identity("192.0.2.1"), name="laptop").text
    before = len(actions(warehouse))
    warehouse.arrivals.end(CORP, ending(clock, subject=subject, sid=sid))
    assert [name for name, one in started.items() if warehouse.sessions.identify(one.secret)] == left
    assert actions(warehouse)[before:] == (["session.end"] if len(left) < 2 else [])
    # It ends sessions, and nothing else.
    assert warehouse.tokens.identify(token).account == "noor@example.org"


def test_a_message_from_a_provider_counts_once(warehouse: Warehouse, clock: Clock) -> None:
    warehouse.arrivals.sign_in(CORP, NOOR)
    warehouse.arrivals.end(CORP, ending(clock))
    again = warehouse.arrivals.sign_in(CORP, NOOR)
    with pytest.raises(SignInFailed, match="taken before"):
        warehouse.arrivals.end(CORP, ending(clock))
    assert warehouse.sessions.identify(again.secret) is not None
    warehouse.arrivals.end(CORP, ending(clock, jti="j2"))
    assert warehouse.sessions.identify(again.secret) is None


def test_the_same_message_is_taken_once_of_many_at_once(warehouse: Warehouse, clock: Clock) -> None:
    warehouse.arrivals.sign_in(CORP, NOOR)
    outcomes = race([lambda: warehouse.arrivals.end(CORP, ending(clock)) and None] * 6)
    assert [outcome for outcome in outcomes if not isinstance(outcome, SignInFailed)] == [None]


def test_the_session_remembers_where_it_began_and_the_journal_who_did_what(
    warehouse: Warehouse, clock: Clock
) -> None:
    found = warehouse.arrivals.sign_in(CORP, NOOR)
    begun = found.session.begun
    assert begun is not None
    assert (begun.provider, begun.issuer, begun.subject, begun.sid) == (
        "corp",
        NOOR.issuer,
        NOOR.subject,
        "s1",
    )
    assert NOOR.id_token not in repr(found)
    warehouse.arrivals.end(CORP, ending(clock))
    with warehouse.units.read() as unit:
        added, started, ended = unit.journal.since(0, 10)
    assert (added.actor, added.detail["subject"], added.origin) == (
        "noor@example.org",
        NOOR.subject,
        "192.0.2.1",
    )
    assert (started.actor, ended.actor, ended.account) == (
        "noor@example.org",
        "provider corp",
        "noor@example.org",
    )
    assert ended.at == clock()


def test_what_is_kept_is_as_of_the_last_sign_in(warehouse: Warehouse, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    warehouse.arrivals.sign_in(CORP, replace(NOOR, email=None))
    account = warehouse.accounts.get(warehouse.operator(), "noor@example.org")
    assert account.vouched is not None
    assert (account.vouched.at, account.vouched.email) == (clock(), None)


def test_many_who_part_at_once_leave_a_way_in(
    warehouse: Warehouse, noor: Identity, person: Callable[..., Identity]
) -> None:
    warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    outcomes = race(
        [
            lambda: warehouse.arrivals.part(noor, NOOR.issuer, NOOR.subject),
            lambda: warehouse.arrivals.part(noor, AT_OTHER.issuer, AT_OTHER.subject),
        ]
    )
    assert outcomes.count(None) == 1
    assert len(warehouse.arrivals.joined(noor)) == 1


def with_rules(warehouse: Warehouse, clock: Clock, **rules: Any) -> Warehouse:
    policy = replace(warehouse.policy, rules=SiteRules(**rules), reverify=timedelta(hours=24))
    return Warehouse(warehouse.units, warehouse.store, policy, now=clock)


def test_a_name_of_the_settings_is_given_to_its_verified_address_alone(
    warehouse: Warehouse, clock: Clock
) -> None:
    named = {AccountName("root"), AccountName("noor@example.org")}
    site = with_rules(warehouse, clock, administrators=frozenset(named))
    with pytest.raises(SignInFailed, match="stands in the settings of this site"):
        site.arrivals.sign_in(CORP, replace(NOOR, name="Root", subject="2"))
    assert site.arrivals.sign_in(CORP, NOOR).identity("192.0.2.1").administrator
    creators = with_rules(warehouse, clock, creators=frozenset({Principal("account:maker")}))
    with pytest.raises(SignInFailed, match="stands in the settings of this site"):
        creators.arrivals.sign_in(CORP, replace(NOOR, name="maker", subject="3"))


def test_groups_of_a_provider_that_the_site_no_longer_has_count_for_nothing(
    warehouse: Warehouse, clock: Clock, noor: Identity
) -> None:
    warehouse.arrivals.join(noor, OTHER, AT_OTHER)
    site = with_rules(warehouse, clock, providers=frozenset({OTHER.provider}))
    assert groups(site) == {"group:other/guests"}


def test_groups_at_one_provider_do_not_outlast_the_bound_by_signing_in_through_another(
    warehouse: Warehouse, clock: Clock, noor: Identity
) -> None:
    site = with_rules(warehouse, clock)
    site.arrivals.join(noor, OTHER, AT_OTHER)
    clock.pass_by(timedelta(hours=24))
    site.arrivals.sign_in(OTHER, AT_OTHER)
    assert groups(site) == {"group:corp/platform", "group:other/guests"}
    clock.pass_by(timedelta(seconds=1))
    site.arrivals.sign_in(OTHER, AT_OTHER)
    assert groups(site) == {"group:other/guests"}
    site.arrivals.sign_in(CORP, NOOR)
    assert groups(site) == {"group:corp/platform", "group:other/guests"}


def test_groups_at_a_provider_do_not_outlast_the_bound_by_signing_in_with_a_password(
    warehouse: Warehouse, clock: Clock, noor: Identity
) -> None:
    warehouse.accounts.set_password(operator(), "noor@example.org", "a password of this site")
    site = with_rules(warehouse, clock)
    for hours, expected in ((24, {"group:corp/platform"}), (1, set())):
        clock.pass_by(timedelta(hours=hours))
        signed_in = site.sessions.sign_in("noor@example.org", "a password of this site", origin="192.0.2.1")
        assert {who for who in signed_in.identity("192.0.2.1").principals if "/" in who} == expected
        assert groups(site) == expected
    with site.units.read() as unit:
        (last,) = unit.journal.found(Sought(action="session.start"), before=None, after=None, count=1)
    assert last.detail == {"lost": "corp/platform"}
    site.arrivals.sign_in(CORP, NOOR)
    assert groups(site) == {"group:corp/platform"}


@pytest.mark.usefixtures("noor")
def test_a_password_is_no_way_in_where_the_site_has_none(warehouse: Warehouse, clock: Clock) -> None:
    warehouse.accounts.set_password(operator(), "noor@example.org", "a password of this site")
    site, owner = with_rules(warehouse, clock, passwords=False), warehouse.account("noor@example.org")
    with pytest.raises(Rejected, match="only way in"):
        site.arrivals.part(owner, NOOR.issuer, NOOR.subject)
    with_rules(warehouse, clock).arrivals.part(owner, NOOR.issuer, NOOR.subject)
    assert site.arrivals.joined(operator(), "noor@example.org") == []


def test_groups_at_a_provider_end_by_themselves_for_tokens_and_sessions_too(
    warehouse: Warehouse, clock: Clock, noor: Identity
) -> None:
    site = with_rules(warehouse, clock)
    token = site.tokens.mint(noor, name="laptop").text
    site.arrivals.join(noor, OTHER, AT_OTHER)
    clock.pass_by(timedelta(hours=23, minutes=59))
    secret = site.arrivals.sign_in(OTHER, AT_OTHER).secret

    def seen() -> tuple[set[Principal], set[Principal]]:
        signed_in = site.sessions.identify(secret)
        assert signed_in is not None
        found = (site.tokens.identify(token), signed_in.identity("192.0.2.1"))
        one, two = ({who for who in each.principals if "/" in who} for each in found)
        return one, two

    assert seen() == ({"group:corp/platform", "group:other/guests"},) * 2
    clock.pass_by(timedelta(minutes=2))
    assert seen() == ({"group:other/guests"},) * 2


def test_the_journal_says_through_whom_somebody_signed_in_and_which_groups_that_gave_and_took(
    warehouse: Warehouse,
) -> None:
    for member_of in (
        {"platform"},
        {"platform"},
        {"ops", "staff"},
        {f"g{number:03}" for number in range(60)},
    ):
        warehouse.arrivals.sign_in(CORP, replace(NOOR, groups=frozenset(member_of)))
    with warehouse.units.read() as unit:
        said = [sentence(change) for change in unit.journal.since(1, 9)]
        *_, last = unit.journal.since(1, 9)
    me = "noor@example.org signed in through corp"
    assert said[:3] == [
        f"{me} and is now in corp/platform",
        me,
        f"{me} and is now in corp/ops, corp/staff and is no longer in corp/platform",
    ]
    assert last.detail["gained"].splitlines()[-1] == "and 10 more"


def test_a_password_that_an_administrator_gave_keeps_nobody_who_comes_through_a_provider(
    warehouse: Warehouse, noor: Identity
) -> None:
    warehouse.accounts.add(warehouse.operator(), "root", administrator=True)
    warehouse.accounts.reset_password(warehouse.account("root"), "noor@example.org")
    again = warehouse.arrivals.sign_in(CORP, NOOR)
    assert again.account.password_once
    assert not again.replaces_password
