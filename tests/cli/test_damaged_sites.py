"""What is said of a database that is damaged, or is none: one line that is true, and what to do."""

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.sites import COMMAND

_COMMANDS = (["init", "--no-admin"], ["account", "list"], ["check"])


def _every_command_says(site: Any, *words: str, but: tuple[str, ...] = ()) -> None:
    """Every command ends with status 2 and one line with ``words``."""
    for command in _COMMANDS:
        if command[0] in but:
            continue
        outcome = site(*command)
        assert (outcome.status, outcome.out) == (2, ""), command
        assert outcome.err.count("\n") == 1
        assert "Try again" not in outcome.err
        for word in words:
            assert word in outcome.err, outcome.err


def _run(site: Any, *statements: str) -> None:
    """Change the database as somebody else would."""
    with closing(sqlite3.connect(site.database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def _alone(site: Any) -> Path:
    """Return the path of the database, which nobody has open, after taking it away."""
    for path in site.database.parent.glob("warehouse14.sqlite*"):
        path.unlink()
    database: Path = site.database
    return database


@pytest.mark.parametrize("statement", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_tables_without_the_row_that_says_their_schema_are_not_called_absent(
    site: Any, statement: str
) -> None:
    _run(site, statement)
    _every_command_says(site, "alembic_version does not say", "backup", "'0004'")


def test_a_lost_row_of_the_schema_can_be_put_back_as_the_complaint_says(site: Any) -> None:
    _run(site, "DELETE FROM alembic_version")
    assert "put its row '0004' back" in site("init").err
    _run(site, "INSERT INTO alembic_version VALUES ('0004')")
    assert site("init").status == 0
    assert [row["name"] for row in site.done("account", "list", "--json").rows] == ["ada"]


def test_a_lost_row_is_not_to_be_put_back_where_tables_are_lost_as_well(site: Any) -> None:
    _run(site, "DELETE FROM alembic_version", "DROP TABLE journal")
    _every_command_says(site, "alembic_version does not say", "backup")
    assert "0003" not in site("init").err


def test_more_than_one_schema_is_said(site: Any) -> None:
    _run(site, "INSERT INTO alembic_version VALUES ('0001')")
    _every_command_says(site, "0001, 0004", "backup")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP TABLE journal", "the table journal"),
        ("DROP TABLE tokens", "the table tokens"),
        ("ALTER TABLE accounts RENAME COLUMN disabled TO enabled", "the column accounts.disabled"),
        ("DELETE FROM serials", "the row of the table serials"),
        ("DELETE FROM holds", "rows of the table holds"),
    ],
)
def test_what_is_missing_is_named(site: Any, statement: str, what: str) -> None:
    _run(site, statement)
    _every_command_says(site, f"the database lacks {what}", "backup")


def test_a_damaged_site_is_not_served(site: Any) -> None:
    _run(site, "DROP TABLE journal")
    process = site.start("serve", "--listen", "127.0.0.1:0")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert "the database lacks the table journal" in err


@pytest.mark.parametrize("content", [b"hello\n", b"hello world, this is not a database at all" * 200])
def test_a_file_that_is_no_database_is_called_so(site: Any, content: bytes) -> None:
    _alone(site).write_bytes(content)
    _every_command_says(site, "warehouse14.sqlite is not an SQLite database")
    assert site.database.read_bytes() == content


def _shortened(database: Path) -> None:
    os.truncate(database, 8192)


def _wiped(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(20 * 4096))


@pytest.mark.parametrize("damage", [_shortened, _wiped])
def test_a_database_with_damaged_pages_is_called_so(site: Any, damage: Callable[[Path], None]) -> None:
    damage(site.database)
    _every_command_says(site, "warehouse14.sqlite is damaged", "backup")


def test_a_folder_in_the_place_of_the_database_is_called_so(site: Any) -> None:
    _alone(site).mkdir()
    _every_command_says(site, "warehouse14.sqlite is not a file")


def test_an_empty_file_is_a_database_that_init_fills(site: Any) -> None:
    _alone(site).touch()
    _every_command_says(
        site, "'warehouse14 init' makes them", "'restore' and 'rebuild' those of a lost one", but=("init",)
    )
    assert site("init", "--no-admin").status == 0
    assert site("account", "list", "--json").out == ""


def test_a_database_of_another_program_keeps_its_tables(site: Any) -> None:
    _alone(site)
    _run(site, "CREATE TABLE others (value)", "INSERT INTO others VALUES (1)")
    _every_command_says(site, "'warehouse14 init' makes them", but=("init",))
    assert site("init", "--no-admin").status == 0
    _run(site, "SELECT value FROM others")


#: As root, who writes where nobody may, without that right.
_AS_OTHERS = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("where", ["warehouse14.sqlite", "."])
def test_a_database_that_cannot_be_written_is_said_in_one_line(site: Any, where: str) -> None:
    locked = site.database.parent / where
    before = locked.stat().st_mode
    locked.chmod(0o555 if locked.is_dir() else 0o444)
    try:
        for command in _COMMANDS:
            done = subprocess.run(
                [*_AS_OTHERS, COMMAND, "--ini", site.ini, *command],
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
            assert f"{locked} cannot be written" in done.stderr
    finally:
        locked.chmod(before)


@pytest.mark.parametrize("what", ["folder", "nothing readable"])
def test_a_secret_that_is_no_file_to_read_is_said_in_one_line(site: Any, what: str) -> None:
    secret = site.folder / "var" / "secret"
    secret.unlink()
    secret.mkdir(0o700) if what == "folder" else secret.symlink_to("nowhere")
    outcome = site("account", "list")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert str(secret) in outcome.err
