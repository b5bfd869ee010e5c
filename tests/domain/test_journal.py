import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.conftest import Clock
from warehouse14.domain.access import Identity, account_identity, operator
from warehouse14.domain.credentials import mint_token
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.journal import FAMILIES, Sought, sought_of
from warehouse14.domain.journallines import COLUMNS, csv_lines, json_lines
from warehouse14.domain.model import Action, Change, Role, Scope
from warehouse14.domain.names import GroupName, ProjectName
from warehouse14.domain.sentences import SENTENCES, sentence
from warehouse14.domain.services.journal import Selection
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel
from warehouse14.testing.samples import ADA, BOB, CREW, DEMO, WHEN, sample_change

Person = Callable[[str], Identity]
HOSTILE = "=1+1\r\n\t\0<b>\N{RIGHT-TO-LEFT OVERRIDE}\x1b[31m\udc80"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """All entries are read in many units, however few there are."""
    monkeypatch.setattr("warehouse14.domain.services.journal._BATCH", 10)


def append(warehouse: Warehouse, *changes: Change) -> None:
    for change in changes:
        with warehouse.units.write() as unit:
            unit.journal.append(change)


def told(selection: Selection) -> list[str]:
    """Return what all entries say, the oldest first."""
    return [sentence(change) for change in selection.all()][::-1]


# -- who reads what ---------------------------------------------------------------------


def test_the_admins_of_a_project_and_the_operator_read_its_journal_and_no_other(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "demo")
    warehouse.projects.create(bob, "other")
    warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)
    expected = ["ada created the project demo", "ada gave bob the role member on demo"]
    assert told(warehouse.journal.of_project(ada, "Demo")) == expected
    assert told(warehouse.journal.of_project(operator(), "demo")) == expected
    # Another project that is sought by hand is still not theirs.
    assert told(warehouse.journal.of_project(ada, "demo", Sought(project=ProjectName("other")))) == expected


def test_a_member_reads_no_journal_and_a_stranger_learns_of_no_project(
    warehouse: Warehouse, ada: Identity, bob: Identity, person: Person
) -> None:
    warehouse.projects.create(ada, "demo")
    warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)
    with pytest.raises(Forbidden):
        warehouse.journal.of_project(bob, "demo")
    stranger = person("eve")
    for name in ("demo", "absent"):
        with pytest.raises(NotFound):
            warehouse.journal.of_project(stranger, name)


def test_the_admins_of_a_group_and_the_operator_read_its_journal_and_others_do_not(
    warehouse: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    warehouse.groups.create(ada, "crew")
    warehouse.groups.add(ada, "crew", "bob")
    warehouse.groups.create(bob, "team")
    warehouse.projects.create(bob, "demo")
    warehouse.projects.grant(bob, "demo", "group:crew", Role.MEMBER)
    token = warehouse.tokens.mint(ada, name="ci", service="group:crew")
    new = warehouse.tokens.rotate(ada, token.id)
    warehouse.tokens.revoke(ada, token.id)
    expected = [
        "ada created the group crew",
        "ada made bob a member of the group crew",
        "bob gave the group crew the role member on demo",
        f"ada made the token {token.id} of group:crew",
        f"ada put the token {new.id} of group:crew in the place of {token.id}",
        f"ada revoked the token {token.id} of group:crew",
    ]
    assert told(warehouse.journal.of_group(ada, "Crew")) == expected
    assert told(warehouse.journal.of_group(operator(), "crew")) == expected
    # Another group that is sought by hand is still not theirs.
    assert told(warehouse.journal.of_group(ada, "crew", Sought(group=GroupName("team")))) == expected
    itself = warehouse.tokens.identify(new.text)
    held = warehouse.tokens.identify(warehouse.tokens.mint(ada, name="laptop", scopes=set(Scope)).text)
    for who, error in (
        (bob, Forbidden),
        (person("root", administrator=True), Forbidden),
        (person("eve"), NotFound),
        (itself, NotFound),
        (held, NotFound),
    ):
        with pytest.raises(error):
            warehouse.journal.of_group(who, "crew")
    with pytest.raises(NotFound):
        warehouse.journal.of_group(ada, "absent")


def test_a_site_administrator_reads_that_of_the_site_and_others_do_not(
    warehouse: Warehouse, ada: Identity, person: Callable[..., Identity]
) -> None:
    root = person("root", administrator=True)
    warehouse.projects.create(ada, "demo")
    expected = [
        "operator added the account ada",
        "operator added the account root",
        "ada created the project demo",
    ]
    assert told(warehouse.journal.of_site(root)) == told(warehouse.journal.of_site(operator())) == expected
    with pytest.raises(Forbidden):
        warehouse.journal.of_site(ada)
    with pytest.raises(NotFound):
        warehouse.journal.of_project(root, "demo")


def test_an_account_reads_what_it_did_and_what_was_done_to_it(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "demo")
    warehouse.projects.grant(ada, "demo", "account:bob", Role.ADMIN)
    warehouse.projects.set_public(ada, "demo", public=True)
    warehouse.projects.revoke(bob, "demo", "account:ada")
    assert told(warehouse.journal.of_account(bob)) == [
        "operator added the account bob",
        "ada gave bob the role admin on demo",
        "bob took the role on demo from ada",
    ]
    assert told(warehouse.journal.of_account(ada))[-1] == "bob took the role on demo from ada"
    with pytest.raises(NotFound):
        warehouse.journal.of_account(operator())


def test_no_account_is_called_as_the_journal_calls_the_operator(warehouse: Warehouse) -> None:
    """It would read in its own journal what the operator did."""
    with pytest.raises(Rejected, match="runs commands"):
        warehouse.accounts.add(operator(), "Operator")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.UPLOAD])
@pytest.mark.parametrize("project", [None, DEMO])
def test_a_token_that_does_not_manage_reads_no_journal(
    warehouse: Warehouse, person: Callable[..., Identity], scope: Scope, project: ProjectName | None
) -> None:
    person("root", administrator=True)
    warehouse.projects.create(warehouse.account("root"), "demo")
    minted = warehouse.tokens.mint(warehouse.account("root"), name="laptop", scopes={scope}, project=project)
    root = warehouse.tokens.identify(minted.text)
    for read in (
        lambda: warehouse.journal.of_project(root, "demo"),
        lambda: warehouse.journal.of_site(root),
        lambda: warehouse.journal.of_account(root),
    ):
        with pytest.raises(Forbidden):
            read()


def test_whoever_loses_the_right_while_they_read_reads_no_further(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    warehouse.projects.create(ada, "demo")
    warehouse.projects.grant(ada, "demo", "account:bob", Role.ADMIN)
    append(warehouse, *(sample_change(project=DEMO) for _ in range(30)))
    selection = warehouse.journal.of_project(bob, "demo")
    entries = selection.all()
    next(entries)
    warehouse.projects.revoke(ada, "demo", "account:bob")
    with pytest.raises(NotFound):
        list(entries)
    with pytest.raises(NotFound):
        selection.page()


#: What takes the right to read from Bob, and what he reads: the site's journal, that of a project of his
#: group's, his group's, and his own.
LOSSES: dict[str, tuple[Callable[[Warehouse], object], Callable[[Warehouse, Identity], Selection]]] = {
    "his rank": (
        lambda at: at.accounts.set_administrator(operator(), "bob", administrator=False),
        lambda at, bob: at.journal.of_site(bob),
    ),
    "his place in a group that is an admin": (
        lambda at: at.groups.remove(operator(), CREW, "bob"),
        lambda at, bob: at.journal.of_project(bob, DEMO),
    ),
    "his rank in a group": (
        lambda at: at.groups.add(operator(), CREW, "bob", admin=False),
        lambda at, bob: at.journal.of_group(bob, CREW),
    ),
    "his account": (
        lambda at: at.accounts.set_disabled(operator(), "bob", disabled=True),
        lambda at, bob: at.journal.of_account(bob),
    ),
}


@pytest.mark.parametrize("lost", LOSSES)
def test_whoever_is_who_they_were_no_more_reads_no_further(
    warehouse: Warehouse, person: Person, lost: str
) -> None:
    """The groups and the rank that an identity came with are those of its beginning."""
    for name in ("ada", "bob"):
        person(name)
    warehouse.accounts.set_administrator(operator(), "bob", administrator=True)
    warehouse.groups.create(operator(), CREW, admin="ada")
    warehouse.groups.add(operator(), CREW, "bob", admin=True)
    warehouse.projects.create(operator(), "demo", admin="ada")
    warehouse.projects.grant(operator(), "demo", f"group:{CREW}", Role.ADMIN)
    append(warehouse, *(sample_change(project=DEMO, group=CREW, account=BOB) for _ in range(30)))
    take_away, read = LOSSES[lost]
    selection = read(warehouse, warehouse.account("bob"))
    entries = selection.all()
    next(entries)
    take_away(warehouse)
    with pytest.raises((Forbidden, NotFound)):
        list(entries)
    with pytest.raises((Forbidden, NotFound)):
        selection.page()


def test_whoever_keeps_what_they_have_reads_to_the_end(warehouse: Warehouse, bob: Identity) -> None:
    warehouse.projects.create(bob, "demo")
    append(warehouse, *(sample_change(project=DEMO) for _ in range(30)))
    entries = warehouse.journal.of_project(bob, "demo").all()
    next(entries)
    warehouse.groups.create(bob, "others")
    assert len(list(entries)) == 30


# -- pages ------------------------------------------------------------------------------


def test_pages_follow_each_other_in_both_directions(warehouse: Warehouse) -> None:
    append(warehouse, *(sample_change(f"step {number}") for number in range(7)))
    selection = warehouse.journal.of_site(operator())

    def page(**sides: int) -> tuple[list[int], bool, bool]:
        found = selection.page(count=3, **sides)
        return [change.serial for change in found.entries], found.has_newer, found.has_older

    assert page() == ([7, 6, 5], False, True)
    assert page(before=5) == ([4, 3, 2], True, True)
    assert page(before=2) == ([1], True, False)
    assert page(after=1) == ([4, 3, 2], True, True)
    # Fewer than a page are newer: that is the first page.
    assert page(after=5) == ([7, 6, 5], False, True)
    assert page(after=99) == ([7, 6, 5], False, True)
    assert page(before=1) == ([], False, False)


def test_all_entries_are_read_however_many_there_are_and_those_that_come_meanwhile_are_not(
    warehouse: Warehouse,
) -> None:
    append(warehouse, *(sample_change(actor=f"p{number % 2}") for number in range(90)))
    entries = warehouse.journal.of_site(operator(), Sought(actor="p1")).all()
    first = next(entries)
    append(warehouse, sample_change(actor="p1"))
    assert [first.serial, *(change.serial for change in entries)] == list(range(90, 0, -2))


# -- what is sought ---------------------------------------------------------------------


def test_what_is_sought_is_read_from_text() -> None:
    assert sought_of() == Sought()
    assert sought_of(who=" Ada ", what="file.", since="2026-11-01", until="2026-11-30") == Sought(
        actor="ada",
        action="file.",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        until=datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert sought_of(token=" wh14_0123abcdEF… ", project="De.Mo", group=" Crew") == Sought(
        token="0123abcdEF", project=ProjectName("de-mo"), group=CREW
    )
    assert {f"{action.partition('.')[0]}." for action in Action} == set(FAMILIES)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("who", "x" * 201),
        ("who", "a\0b"),
        ("what", "file"),
        ("what", "."),
        ("what", "file.*"),
        ("what", "\N{SNOWMAN}"),
        ("since", "today"),
        ("since", "20261101"),
        ("since", "2026-11-31"),
        ("since", "2026-W01-1"),
        ("since", "\N{ARABIC-INDIC DIGIT TWO}026-11-01"),
        ("since", "0000-01-01"),
        ("until", "9999-12-31"),
        ("until", "2026-11-01\n2"),
        ("token", "wh14_"),
        ("token", "0123abcdE"),
        ("token", "0123abcdEFG"),
        ("token", "0123abcdE\N{SNOWMAN}"),
        ("token", "0123-bcdEF"),
        ("project", "-"),
        ("group", "a b"),
    ],
)
def test_what_cannot_be_sought_is_said_in_one_line_of_ascii(field: str, text: str) -> None:
    with pytest.raises(Rejected) as caught:
        sought_of(**{field: text})
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()


def test_a_whole_token_that_is_sought_is_refused_and_not_repeated() -> None:
    token = mint_token()
    for text in (token.text, token.text.removeprefix("wh14_"), token.text[:30]):
        with pytest.raises(Rejected) as caught:
            sought_of(token=text)
        assert token.text[15:20] not in str(caught.value)


def test_the_last_day_counts(warehouse: Warehouse, clock: Clock) -> None:
    warehouse.accounts.add(operator(), "ada")
    clock.pass_by(timedelta(hours=11, minutes=59))
    warehouse.accounts.add(operator(), "bob")
    clock.pass_by(timedelta(minutes=1))
    warehouse.accounts.add(operator(), "eve")
    day = sought_of(since="2026-11-01", until="2026-11-01")
    assert [change.account for change in warehouse.journal.of_site(operator(), day).all()] == ["bob", "ada"]


# -- sentences ----------------------------------------------------------------------------


def test_every_action_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Action)
    for action in Action:
        said = sentence(sample_change(action))
        assert said.isprintable()
        assert action.value not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            sample_change(
                Action.PROJECT_GRANT, project=DEMO, detail={"principal": "account:ben", "role": "admin"}
            ),
            "ada gave ben the role admin on demo",
        ),
        (
            sample_change(
                Action.PROJECT_GRANT, project=DEMO, detail={"principal": "group:crew", "role": "admin"}
            ),
            "ada gave the group crew the role admin on demo",
        ),
        (
            sample_change(
                Action.PROJECT_INVITE,
                project=DEMO,
                detail={"principal": "invitation:ben@example.org", "role": "member"},
            ),
            "ada invited ben@example.org to demo as member",
        ),
        (
            sample_change(
                Action.PROJECT_ACCEPT,
                project=DEMO,
                detail={"principal": "invitation:ben@example.org", "role": "member"},
            ),
            "ada, who was invited as ben@example.org, now has the role member on demo",
        ),
        (
            sample_change(Action.FILE_UPLOAD, project=DEMO, detail={"files": "demo-1.0.whl"}),
            "ada uploaded demo-1.0.whl to demo",
        ),
        (
            sample_change(Action.FILE_UPLOAD, project=DEMO, detail={"files": "a.whl", "project": "created"}),
            "ada uploaded a.whl to demo, and created it",
        ),
        (
            sample_change(Action.FILE_DELETE, project=DEMO, detail={"files": "a\nb\nc"}),
            "ada deleted a, b, c of demo",
        ),
        (
            sample_change(Action.FILE_DELETE, project=DEMO, detail={"files": "a\nb\nc\nd"}),
            "ada deleted a, b and 2 more of demo",
        ),
        (
            sample_change(Action.PROJECT_CREATE, project=DEMO, account=BOB),
            "ada created the project demo for bob",
        ),
        (
            sample_change(Action.PROJECT_CREATE, project=DEMO, account=ADA),
            "ada created the project demo",
        ),
        (
            sample_change(Action.TOKEN_MINT, account=ADA, token="t0"),
            "ada made the token t0 of ada",
        ),
        (
            sample_change(Action.ACCOUNT_PROMOTE, account=BOB),
            "ada made bob an administrator of the site",
        ),
        (
            sample_change(Action.ACCOUNT_DEMOTE, account=BOB),
            "ada took the rank of administrator from bob",
        ),
        (sample_change(Action.SESSION_END, account=ADA), "ada ended a session of ada"),
        (
            sample_change(Action.SESSION_END, account=BOB, actor="operator", detail={"sessions": "3"}),
            "operator ended 3 sessions of bob",
        ),
        (sample_change("moon.land"), "ada did moon.land"),
        (sample_change(Action.PROJECT_GRANT), "ada gave - the role - on -"),
    ],
)
def test_a_sentence_says_who_did_what(change: Change, said: str) -> None:
    assert sentence(change) == said


@pytest.mark.parametrize("action", [*Action, HOSTILE])
def test_hostile_words_are_escaped_and_cut(action: str) -> None:
    hostile = HOSTILE + "{actor} %s" + "x" * 100_000
    keys = ("principal", "role", "provider", "subject", "sessions", "project", "account", "actor", "token")
    change = Change(
        action,
        WHEN,
        hostile,
        hostile,
        ProjectName(hostile),
        account=ADA,
        detail={**dict.fromkeys(keys, hostile), "files": "\n".join([hostile] * 1_000)},
    )
    said = sentence(change)
    assert said.isprintable()
    assert len(said) < 2_000


# -- lines for other programs -------------------------------------------------------------


def full(**parts: object) -> Change:
    change = sample_change("file.yank", project=DEMO, account=BOB, detail={"files": 'a"\nb, c'})
    return replace(change, group=CREW, token="t0", by_token="t1", serial=7, **parts)


def test_json_lines_are_exact() -> None:
    change = full(actor=HOSTILE, detail={"files": HOSTILE, "=x": ""})
    (line,) = json_lines([change])
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {
        "serial": 7,
        "at": "2026-03-04T05:06:07.890123Z",
        "actor": HOSTILE,
        "origin": "192.0.2.1",
        "action": "file.yank",
        "project": "demo",
        "account": "bob",
        "group": "crew",
        "token": "t0",
        "by_token": "t1",
        "detail": {"files": HOSTILE, "=x": ""},
    }


def test_csv_has_the_same_columns_and_what_is_not_known_is_empty() -> None:
    lines = list(csv_lines([full(), sample_change("x")]))
    columns, first, second = csv.reader(io.StringIO("\r\n".join(lines), newline=""))
    assert columns == list(COLUMNS)
    assert dict(zip(columns, first, strict=True)) == {
        **json.loads(next(json_lines([full()]))),
        "serial": "7",
        "detail": json.dumps({"files": 'a"\nb, c'}),
    }
    assert second[5:] == ["", "", "", "", "", "{}"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(sign: str) -> None:
    evil = f"{sign}cmd|' /C calc'!A0,\"x\""
    columns = COLUMNS[2:-1]
    parts: dict[str, Any] = dict.fromkeys(columns, evil)
    change = replace(sample_change(detail={evil: evil}), **parts)
    _, line = csv_lines([change])
    (cells,) = csv.reader(io.StringIO(line, newline=""))
    assert cells[2:-1] == [f"'{evil}"] * len(columns)
    assert cells[-1].startswith("{")
    assert json.loads(cells[-1]) == {evil: evil}


def test_no_secret_stands_in_an_entry(
    warehouse: Warehouse, ada: Identity, publish: Callable[..., Published]
) -> None:
    warehouse.accounts.set_password(operator(), "ada", "correct horse")
    token = warehouse.tokens.mint(ada, name="laptop")
    signed_in = warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.1", agent="Lynx")
    publish(ada, build_wheel("demo", "1.0"))
    text = "\n".join(json_lines(warehouse.journal.of_site(operator()).all()))
    secrets = {"correct horse", token.text, token.sha256, signed_in.secret, signed_in.session.id}
    assert not [secret for secret in secrets if secret in text]
    assert token.id in text


def test_what_a_token_did_names_it(warehouse: Warehouse, ada: Identity) -> None:
    made = warehouse.tokens.mint(ada, name="laptop", scopes=[Scope.UPLOAD])
    held = warehouse.tokens.identify(made.text, origin="192.0.2.9")
    warehouse.projects.create(held, "demo")
    entries = warehouse.journal.of_site(operator(), Sought(token=made.id)).all()
    assert [(change.action, change.token, change.by_token) for change in entries] == [
        (Action.PROJECT_CREATE, None, made.id),
        (Action.TOKEN_MINT, made.id, None),
    ]
    assert account_identity(ADA).token is None
