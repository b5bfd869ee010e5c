"""``warehouse14 project`` and ``warehouse14 file``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.roles import grant_as_before
from warehouse14.domain.names import ProjectName
from warehouse14.testing.builders import build_sdist, build_wheel

WHEEL = build_wheel("one", "1.0", requires_python=">=3.9")
SDIST = build_sdist("one", "1.0")


@pytest.fixture
def filled(site: Any, dist: Callable[..., Path]) -> Any:
    """A site with the project one and its two files."""
    site.done("import", str(dist(WHEEL, SDIST)), "--account", "ada")
    return site


def _projects(site: Any) -> list[dict[str, Any]]:
    return site.done("project", "list", "--json").rows


def _files(site: Any) -> dict[str, dict[str, Any]]:
    return {row["filename"]: row for row in site.done("file", "list", "one", "--json").rows}


def test_a_project_is_private_unless_it_is_said_to_be_public(site: Any) -> None:
    site.done("project", "create", "My.Project", "--admin", "ada")
    site.done("project", "create", "open", "--admin", "Ada", "--public")
    mine, other = _projects(site)
    assert list(mine) == ["name", "display_name", "public", "serial"]
    assert (mine["name"], mine["display_name"], mine["public"]) == ("my-project", "My.Project", False)
    assert (other["name"], other["public"]) == ("open", True)
    table = site.done("project", "list").out.splitlines()
    assert table[0].split() == ["NAME", "DISPLAY", "NAME", "PUBLIC", "SERIAL"]
    assert table[1].split()[:3] == ["my-project", "My.Project", "no"]


def test_roles_come_and_go_but_the_last_admin_stays(site: Any) -> None:
    site.done("account", "add", "bob")
    site.done("project", "create", "one", "--admin", "ada")
    grant = ("project", "grant", "one", "account:bob", "member")
    assert site.done(*grant).out == "account:bob is now member of one\n"
    assert site.done(*grant).out == "account:bob is member of one already\n"
    last = site("project", "revoke", "one", "account:ada")
    assert (last.status, "last admin" in last.err) == (1, True)
    site.done("project", "grant", "one", "account:bob", "admin")
    site.done("project", "revoke", "one", "account:ada")
    assert site("project", "revoke", "one", "account:ada").status == 1


def test_a_role_of_a_group_that_could_not_be_named_today_can_be_taken_away(site: Any, warehouse: Any) -> None:
    site.done("project", "create", "one", "--admin", "ada")
    grant_as_before(warehouse.units, ProjectName("one"), "group:corp/Team ")
    said = site.done("project", "revoke", "one", "group:corp/Team ").out
    assert said == "group:corp/Team  has no role on one any more\n"
    assert len(site.done("project", "roles", "one", "--json").rows) == 1


def test_an_address_that_never_signed_in_is_invited(site: Any) -> None:
    site.done("project", "create", "one", "--admin", "ada")
    grant = ("project", "grant", "one", "account:New@example.org", "member")
    invited = "new@example.org is invited{}: member of one from the first sign-in with that address on\n"
    assert site.done(*grant).out == invited.format("")
    assert site.done(*grant).out == invited.format(" already")
    assert {"principal": "invitation:new@example.org", "role": "member"} in site.done(
        "project", "roles", "one", "--json"
    ).rows
    site.done("project", "revoke", "one", "account:new@example.org")
    assert len(site.done("project", "roles", "one", "--json").rows) == 1


def test_the_roles_on_a_project_are_listed_by_principal(site: Any) -> None:
    site.done("account", "add", "bob")
    site.done("project", "create", "one", "--admin", "bob")
    site.done("project", "grant", "one", "account:ada", "member")
    assert site.done("project", "roles", "One", "--json").rows == [
        {"principal": "account:ada", "role": "member"},
        {"principal": "account:bob", "role": "admin"},
    ]
    titles, first, _ = site.done("project", "roles", "one").out.splitlines()
    assert (titles.split(), first.split()) == (["PRINCIPAL", "ROLE"], ["account:ada", "member"])


def test_a_project_opens_and_closes(site: Any) -> None:
    site.done("project", "create", "one", "--admin", "ada")
    site.done("project", "set", "one", "--public")
    assert _projects(site)[0]["public"]
    site.done("project", "set", "one", "--private")
    assert not _projects(site)[0]["public"]
    assert site.done("project", "set", "one", "--private").out == "one is private already\n"


def test_a_deleted_project_is_gone_and_its_name_stays_taken(filled: Any) -> None:
    assert filled("project", "delete", "one").status == 2
    assert _projects(filled)
    filled.done("project", "delete", "one", "--yes")
    assert _projects(filled) == []
    assert filled("project", "create", "one", "--admin", "ada").status == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["project", "create", "two", "--admin", "nobody"],
        ["project", "create", "-", "--admin", "ada"],
        ["project", "create", "namespaces", "--admin", "ada"],
        ["project", "create", "One", "--admin", "ada"],
        ["project", "grant", "one", "account:nobody", "member"],
        ["project", "grant", "one", "ada", "member"],
        ["project", "grant", "one", "group:team", "member"],
        ["project", "grant", "two", "account:ada", "member"],
        ["project", "revoke", "one", "account:nobody"],
        ["project", "set", "two", "--public"],
        ["project", "roles", "two"],
        ["project", "delete", "two", "--yes"],
        ["file", "list", "two"],
        ["file", "yank", "two", WHEEL.filename],
        ["file", "yank", "one", "one-2.0-py3-none-any.whl"],
        ["file", "yank", "one", "../one"],
        ["file", "yank", "one", WHEEL.filename, "--reason", "x" * 1001],
        ["file", "unyank", "one", "nothing"],
        ["file", "delete", "one", "nothing", "--yes"],
    ],
)
def test_what_is_refused_is_one_line_and_status_1(site: Any, arguments: list[str]) -> None:
    site.done("project", "create", "one", "--admin", "ada")
    outcome = site(*arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("warehouse14: ")


def test_files_are_listed_with_what_is_known_of_them(filled: Any) -> None:
    files = _files(filled)
    assert list(files) == [WHEEL.filename, SDIST.filename]
    row = files[WHEEL.filename]
    assert {key: row[key] for key in row if key not in {"uploaded_at", "sha256"}} == {
        "filename": WHEEL.filename,
        "version": "1.0",
        "filetype": "bdist_wheel",
        "size": len(WHEEL.content),
        "requires_python": ">=3.9",
        "uploaded_by": "ada",
        "yanked": False,
        "yank_reason": None,
    }
    titles, first, _ = filled.done("file", "list", "one").out.splitlines()
    assert titles.split() == ["FILENAME", "SIZE", "UPLOADED", "UPLOADED", "BY", "YANKED", "YANK", "REASON"]
    assert first.split()[-3:] == ["ada", "no", "-"]


def test_a_yank_carries_its_reason_and_can_be_taken_back(filled: Any) -> None:
    filled.done("file", "yank", "One", WHEEL.filename, "--reason", "broken ✗")
    row = _files(filled)[WHEEL.filename]
    assert (row["yanked"], row["yank_reason"]) == (True, "broken ✗")
    filled.done("file", "unyank", "one", WHEEL.filename)
    assert not _files(filled)[WHEEL.filename]["yanked"]
    filled.done("file", "yank", "one", WHEEL.filename)
    assert _files(filled)[WHEEL.filename]["yank_reason"] == ""


def test_a_yank_that_changes_nothing_says_so(filled: Any) -> None:
    name = WHEEL.filename
    yank = ("file", "yank", "one", name)
    assert filled.done("file", "unyank", "one", name).out == f"{name} is not yanked\n"
    assert filled.done(*yank).out == f"yanked {name}\n"
    assert filled.done(*yank).out == f"{name} is yanked already\n"
    assert filled.done(*yank, "--reason", "broken").out == f"yanked {name}\n"
    assert filled.done(*yank, "--reason", "broken").out == f"{name} is yanked already\n"
    assert filled.done("file", "unyank", "one", name).out == f"took the yank of {name} back\n"
    assert filled.done("file", "unyank", "one", name).out == f"{name} is not yanked\n"


def test_what_a_terminal_would_obey_is_printed_escaped(filled: Any) -> None:
    reason = "red \u202e"
    filled.done("file", "yank", "one", WHEEL.filename, "--reason", reason)
    assert r"red \u202e" in filled.done("file", "list", "one").out
    assert len(filled.done("file", "list", "one").out.splitlines()) == 3
    assert _files(filled)[WHEEL.filename]["yank_reason"] == reason


def test_a_deleted_file_is_gone_and_its_name_stays_taken(filled: Any, dist: Callable[..., Path]) -> None:
    assert filled("file", "delete", "one", WHEEL.filename).status == 2
    assert WHEEL.filename in _files(filled)
    filled.done("file", "delete", "one", WHEEL.filename, "--yes")
    assert list(_files(filled)) == [SDIST.filename]
    again = filled("import", str(dist()), "--account", "ada")
    assert (again.status, again.out) == (1, "0 published, 1 there already, 1 refused\n")
    assert "was deleted" in again.err
