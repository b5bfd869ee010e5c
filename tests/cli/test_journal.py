import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.model import Scope
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_wheel
from warehouse14.testing.samples import sample_change


def opened(site: CommandLine) -> Warehouse:
    return open_warehouse(
        {
            "metadata": "sql",
            "metadata.url": f"sqlite:///{site.database}",
            "files": "filesystem",
            "files.root": str(site.folder / "var" / "files"),
        }
    )


@pytest.fixture
def busy(site: CommandLine, dist: Callable[..., Path]) -> CommandLine:
    """A site on which something happened to a project, and to another one that is deleted."""
    built: BuiltFile = build_wheel("demo", "1.0")
    site.done("project", "create", "demo", "--admin", "ada")
    site.done("import", "--account", "ada", str(dist(built)))
    site.done("project", "create", "gone", "--admin", "ada")
    site.done("project", "delete", "gone", "--yes")
    return site


def told(outcome: str) -> list[str]:
    return [line.partition("  ")[2] for line in outcome.splitlines()]


def test_the_journal_says_what_happened_the_newest_first(busy: CommandLine) -> None:
    outcome = busy.done("journal")
    assert told(outcome.out) == [
        "operator deleted the project gone (command line)",
        "operator created the project gone for ada (command line)",
        "ada uploaded demo-1.0-py3-none-any.whl to demo (command line)",
        "operator created the project demo for ada (command line)",
        "operator added the account ada (command line)",
    ]
    assert outcome.out[10] == "T"
    assert outcome.err == ""


def test_filters_narrow_it_also_to_a_project_that_is_deleted(busy: CommandLine) -> None:
    assert len(told(busy.done("journal", "--project", "Gone").out)) == 2
    assert told(busy.done("journal", "--action", "file.").out) == [
        "ada uploaded demo-1.0-py3-none-any.whl to demo (command line)"
    ]
    assert len(told(busy.done("journal", "--action", "project.create", "--actor", "operator").out)) == 2
    for nothing in (["--actor", "eve"], ["--until", "2001-01-01"], ["--since", "9000-01-01"]):
        assert busy.done("journal", *nothing).out == ""


def test_csv_and_json_lines_are_the_same_entries(busy: CommandLine) -> None:
    rows = list(csv.DictReader(io.StringIO(busy.done("journal", "--format", "csv").out)))
    entries = busy.done("journal", "--format", "jsonl").rows
    assert [int(row["serial"]) for row in rows] == [5, 4, 3, 2, 1] == [entry["serial"] for entry in entries]
    assert [json.loads(row["detail"]) for row in rows] == [entry["detail"] for entry in entries]
    assert entries[2]["detail"] == {"files": "demo-1.0-py3-none-any.whl"}


def test_what_happened_to_a_group_is_found_also_when_it_is_deleted(busy: CommandLine) -> None:
    busy.done("group", "create", "crew", "--admin", "ada")
    busy.done("project", "grant", "demo", "group:crew", "member")
    busy.done("group", "delete", "crew", "--yes")
    assert told(busy.done("journal", "--group", "Crew").out) == [
        "operator deleted the group crew (command line)",
        "operator gave the group crew the role member on demo (command line)",
        "operator created the group crew for ada (command line)",
    ]
    (entry, *_) = busy.done("journal", "--group", "crew", "--format", "jsonl").rows
    assert entry["group"] == "crew"


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--since", "yesterday", "since: 'yesterday' is no day. Write it as 2026-11-30."),
        ("--action", "fly", "what: 'fly' is nothing that the journal tells of"),
        ("--project", "-", "'-' is not a project name"),
        ("--group", "-", "'-' is not the name of a group"),
        ("--token", "wh14_", "token: write the id of a token"),
    ],
)
def test_a_filter_that_is_none_is_said_in_one_line(
    site: CommandLine, option: str, value: str, problem: str
) -> None:
    outcome = site("journal", f"{option}={value}")
    assert (outcome.status, outcome.out) == (1, "")
    assert problem in outcome.err
    assert outcome.err.count("\n") == 1


def test_what_stands_in_an_entry_does_not_speak_to_the_terminal(site: CommandLine) -> None:
    hostile = "\x1b[31m\r\N{RIGHT-TO-LEFT OVERRIDE}"
    with opened(site) as warehouse, warehouse.units.write() as unit:
        unit.journal.append(sample_change(hostile, actor=hostile, origin=hostile, by_token=hostile))
    line = site.done("journal", "--actor", "").out.splitlines()[0]
    assert line.isprintable()
    assert r"\x1b[31m\r\u202e" in line


def test_a_change_by_a_token_names_it(site: CommandLine) -> None:
    with opened(site) as warehouse:
        made = warehouse.tokens.mint(warehouse.operator(), name="x", account="ada", scopes=[Scope.UPLOAD])
        acting = warehouse.tokens.identify(made.text, origin="192.0.2.9")
        warehouse.projects.create(acting, "third")
    said = told(site.done("journal", "--project", "third").out)
    assert said == [f"ada created the project third (192.0.2.9, token {made.id})"]
    for spelled in (made.id, f"wh14_{made.id}"):
        assert told(site.done("journal", "--token", spelled).out) == [
            *said,
            f"operator made the token {made.id} of ada (embedded)",
        ]
        assert told(site.done("journal", "--token", spelled, "--project", "third").out) == said
    assert site.done("journal", "--token", made.id, "--actor", "eve").out == ""


def test_all_sessions_of_an_account_are_ended_and_counted(site: CommandLine) -> None:
    assert site.done("session", "end", "ada").out == "ada has no session to end\n"
    site.done("account", "password", "ada", "--password-stdin", stdin="correct horse\n")
    with opened(site) as warehouse:
        signed_in = [
            warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.1", agent=agent)
            for agent in ("Lynx", "Links")
        ]
        assert site.done("session", "end", "Ada").out == "ended 2 sessions of ada\n"
        assert [warehouse.sessions.identify(each.secret) for each in signed_in] == [None, None]
        warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.1")
    assert site.done("session", "end", "ada").out == "ended 1 session of ada\n"
    assert site.done("session", "end", "ada").out == "ada has no session to end\n"
    assert told(site.done("journal", "--action", "session.end").out) == [
        "operator ended a session of ada (command line)",
        "operator ended 2 sessions of ada (command line)",
    ]


def test_sessions_of_nobody_cannot_be_ended(site: CommandLine) -> None:
    outcome = site("session", "end", "nobody")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("warehouse14: ")
