"""Finding the site: ``--ini FILE[#SECTION]``, the environment, and what is said if it is not there."""

from typing import Any

import pytest

from warehouse14.cli import main

_SECTION_TWO = """
[app:two]
use = egg:warehouse14
warehouse14.metadata = sql
warehouse14.metadata.url = sqlite:///%(here)s/two/warehouse14.sqlite
warehouse14.files = filesystem
warehouse14.files.root = %(here)s/two/files
"""


def _is_one_line(outcome: Any, *words: str) -> None:
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("warehouse14: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err


def test_a_file_that_is_not_there_is_one_line_and_status_2(site: Any) -> None:
    _is_one_line(site("account", "list", ini="/no/such.ini"), "/no/such.ini", "No such file")


def test_a_broken_file_is_one_line_and_status_2(site: Any) -> None:
    for text in (
        b"warehouse14.metadata = sql\n",
        b"[app:main\n",
        b"[app:main]\na = %(b)s\n",
        b"[app:main]\na = \xff\n",
        b"[app:main]\nget a = b\n",
    ):
        site.ini.write_bytes(text)
        _is_one_line(site("account", "list"), "development.ini")


def test_a_file_without_the_section_is_one_line_that_names_the_others(site: Any) -> None:
    _is_one_line(site("account", "list", ini=f"{site.ini}#two"), "[app:two]", "[app:main]")


def test_an_unknown_setting_is_one_line_and_status_2(site: Any) -> None:
    site.set("[server:main]", "warehouse14.colour = green\n[server:main]")
    _is_one_line(site("account", "list"), "unknown setting: warehouse14.colour")
    _is_one_line(site("init"), "unknown setting: warehouse14.colour")


def test_a_wrong_value_is_one_line_and_status_2(site: Any) -> None:
    site.set("warehouse14.files = filesystem", "warehouse14.files = tape")
    _is_one_line(site("check"), "warehouse14.files", "tape")


def test_every_command_but_init_names_init_where_the_site_is_not_prepared(empty: Any) -> None:
    for command in (
        ["account", "list"],
        ["project", "list"],
        ["check"],
        ["collect"],
        ["token", "revoke", "x"],
    ):
        _is_one_line(empty(*command), "'warehouse14 init'")


def test_a_missing_schema_is_one_line_that_names_init(site: Any) -> None:
    for path in (site.folder / "var").glob("warehouse14.sqlite*"):
        path.unlink()
    _is_one_line(site("account", "list"), "'warehouse14 init'")
    (site.folder / "var" / "warehouse14.sqlite").touch()
    _is_one_line(site("account", "list"), "'warehouse14 init'")


def test_a_secret_that_is_open_to_others_is_one_line_and_status_2(site: Any) -> None:
    (site.folder / "var" / "secret").chmod(0o644)
    _is_one_line(site("account", "list"), "chmod 600")


@pytest.mark.parametrize("command", [["account", "list"], ["serve", "--listen", "127.0.0.1:0"]])
def test_a_file_where_request_bodies_should_wait_is_one_line_and_status_2(
    site: Any, command: list[str]
) -> None:
    waiting = site.folder / "var" / "tmp"
    waiting.rmdir()
    waiting.touch(0o700)
    _is_one_line(site(*command), f"{waiting} is not a folder")


def test_a_section_chooses_another_site_of_the_same_file(site: Any) -> None:
    site.ini.write_text(site.ini.read_text() + _SECTION_TWO)
    two = f"{site.ini}#two"
    assert site("init", "--no-admin", ini=two).status == 0
    assert site("account", "add", "eve", ini=two).status == 0
    assert [row["name"] for row in site("account", "list", "--json", ini=two).rows] == ["eve"]
    assert [row["name"] for row in site("account", "list", "--json", ini=f"{site.ini}#main").rows] == ["ada"]


def test_a_file_name_may_hold_a_number_sign(site: Any) -> None:
    other = site.ini.rename(site.folder / "a#b.ini")
    assert site("account", "list", ini=str(other)).status == 0
    assert site("account", "list", ini=f"{other}#main").status == 0


def test_the_file_can_come_from_the_environment(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE14_INI", str(site.ini))
    assert main(["account", "list"]) == 0


def test_without_a_file_the_complaint_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "list"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("warehouse14: say which site: --ini FILE")


def test_settings_can_come_from_the_environment(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE14_MAX_FILE_BYTES", "many")
    _is_one_line(site("account", "list"), "warehouse14.max_file_bytes")


_NO_NUMBERS = ["-1", "99999999999", "9" * 5000, "1e30", "1.5", "nan", "inf", "many", "1_0", "\u0663", ""]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["account"],
        ["account", "add"],
        ["account", "password", "ada"],
        ["account", "list", "--js"],
        ["token", "mint", "ada", "--name", "x", "--scope", "all"],
        ["token", "list"],
        ["project", "create", "one"],
        ["project", "grant", "one", "account:ada", "owner"],
        ["project", "set", "one"],
        ["project", "set", "one", "--public", "--private"],
        ["project", "delete", "one"],
        ["file", "delete", "one", "one-1.tar.gz"],
        ["file", "yank", "one", "one-\udcff.tar.gz"],
        ["import", "/no/such/folder", "--account", "ada"],
        ["import", "/"],
        *(["collect", "--older-than", number] for number in _NO_NUMBERS),
        *(["token", "mint", "ada", "--name", "x", "--days", number] for number in [*_NO_NUMBERS, "36501"]),
        ["serve", "--listen", "6543"],
        ["serve", "--listen", "127.0.0.1:"],
        ["serve", "--listen", "127.0.0.1:65536"],
        ["serve", "--listen", "::1:6543"],
        ["serve", "--listen", "a b:6543"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(site: Any, arguments: list[str]) -> None:
    _is_one_line(site(*arguments))


def test_a_long_argument_is_not_repeated_in_full(site: Any) -> None:
    assert len(site("collect", "--older-than", "9" * 5000).err) < 200


def test_what_is_deleted_without_yes_is_told_to_add_it(site: Any) -> None:
    assert "add --yes" in site("project", "delete", "one").err
    assert "add --yes" in site("file", "delete", "one", "one-1.tar.gz").err


_COMMANDS = [
    [],
    ["init"],
    ["serve"],
    ["import"],
    ["check"],
    ["collect"],
    *(["account", name] for name in ("add", "password", "disable", "enable", "list")),
    *(["token", name] for name in ("mint", "list", "revoke")),
    *(["project", name] for name in ("create", "grant", "revoke", "set", "list", "roles", "delete")),
    *(["file", name] for name in ("list", "yank", "unyank", "delete")),
]


@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
def test_every_command_explains_itself(site: Any, command: list[str]) -> None:
    outcome = site(*command, "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: {' '.join(['warehouse14', *command])}")


def test_the_installed_command_answers_in_one_line(site: Any) -> None:
    process = site.start("account", "disable", "nobody")
    out, err = process.communicate()
    assert (process.returncode, out, err) == (1, "", "warehouse14: There is no account 'nobody'.\n")
