"""What is printed when nobody can read it, and what then does not count."""

import fcntl
import os
import shlex
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.thorough

_CLOSED = ">&-"
_FULL = ">/dev/full"
_WHY = {_CLOSED: "it is closed", _FULL: "No space left on device"}


def _redirected(site: Any, arguments: list[str], redirection: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed command behind a redirection of the shell."""
    process = site.start(*arguments, shell_words=redirection)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@contextmanager
def _left_pipe() -> Iterator[int]:
    """A pipe that nobody reads from any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def _without_reader(site: Any, *arguments: str) -> tuple[int, str]:
    """Run the installed command into such a pipe; return its status and what it complains of."""
    with _left_pipe() as writer:
        process = site.start(*arguments, stdout=writer)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@contextmanager
def _stuck_pipe() -> Iterator[tuple[int, Callable[[], None]]]:
    """A pipe that is full: whoever writes to it waits. With it, what lets its reader leave."""
    reader, writer = os.pipe()
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    fcntl.fcntl(writer, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(writer, b"x" * size)
        except BlockingIOError:
            continue
    fcntl.fcntl(writer, fcntl.F_SETFL, flags)
    readers = [reader]
    try:
        yield writer, lambda: os.close(readers.pop())
    finally:
        for descriptor in [*readers, writer]:
            os.close(descriptor)


def _tokens(site: Any) -> list[dict[str, Any]]:
    return site.done("token", "list", "ada", "--json").rows


def _wait_for_a_token(site: Any) -> str:
    while not (rows := _tokens(site)):
        time.sleep(0.05)
    token: str = rows[0]["id"]
    return token


def _sleeps(process: "subprocess.Popen[str]") -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


_COMMANDS = [
    ["init"],
    ["account", "list"],
    ["account", "list", "--json"],
    ["account", "add", "bob"],
    ["project", "create", "one", "--admin", "ada"],
    ["check"],
    ["--help"],
    ["token", "mint", "--help"],
]


@pytest.mark.parametrize("redirection", [_CLOSED, _FULL])
@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
def test_output_that_cannot_be_written_is_one_line_and_status_1(
    site: Any, command: list[str], redirection: str
) -> None:
    outcome = _redirected(site, command, redirection)
    assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), outcome.stderr
    assert outcome.stderr.startswith(
        f"warehouse14: the standard output cannot be written: {_WHY[redirection]}"
    )


@pytest.mark.parametrize("redirection", [_CLOSED, _FULL])
def test_what_was_done_all_the_same_is_said_with_the_complaint(site: Any, redirection: str) -> None:
    outcome = _redirected(site, ["account", "add", "bob"], redirection)
    assert outcome.stderr.endswith("; this is done all the same: added the account bob\n")
    assert "bob" in site.done("account", "list").out


@pytest.mark.parametrize("redirection", [_CLOSED, _FULL])
def test_a_token_that_cannot_be_printed_is_not_left_valid(site: Any, redirection: str) -> None:
    outcome = _redirected(site, ["token", "mint", "ada", "--name", "unseen"], redirection)
    assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), outcome.stderr
    assert "nobody has seen" in outcome.stderr
    assert all(row["revoked_at"] for row in _tokens(site))


def test_a_token_that_nobody_reads_is_not_left_valid(site: Any) -> None:
    status, err = _without_reader(site, "token", "mint", "ada", "--name", "unseen")
    assert (status, err.count("\n")) == (1, 1), err
    assert "Broken pipe" in err
    assert "nobody has seen" in err
    assert [bool(row["revoked_at"]) for row in _tokens(site)] == [True]


def test_a_token_whose_printing_is_interrupted_is_not_left_valid(site: Any) -> None:
    with _stuck_pipe() as (writer, _):
        process = site.start("token", "mint", "ada", "--name", "unseen", stdout=writer)
        _wait_for_a_token(site)
        while not _sleeps(process):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.count("\n")) == (130, 1), err
    assert "nobody has seen" in err
    assert [bool(row["revoked_at"]) for row in _tokens(site)] == [True]


def test_a_token_that_can_neither_be_printed_nor_taken_back_is_named(site: Any) -> None:
    site.set("warehouse14.metadata.url", "warehouse14.metadata.busy_seconds = 0\nwarehouse14.metadata.url")
    with _stuck_pipe() as (writer, leave), closing(sqlite3.connect(site.database)) as other:
        process = site.start("token", "mint", "ada", "--name", "unseen", stdout=writer)
        token = _wait_for_a_token(site)
        other.execute("BEGIN IMMEDIATE")
        leave()
        _, err = process.communicate(timeout=60)
        other.rollback()
    assert (process.returncode, err.count("\n")) == (1, 1), err
    assert f"'token revoke {token}'" in err
    site.done("token", "revoke", token)


@pytest.mark.parametrize("redirection", [_CLOSED, _FULL])
def test_a_first_password_that_nobody_has_seen_can_be_replaced_as_the_complaint_says(
    empty: Any, redirection: str
) -> None:
    outcome = _redirected(empty, ["init", "--quiet"], redirection)
    assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), outcome.stderr
    command = outcome.stderr.split("'")[-2]
    assert command.endswith("account password admin --password-stdin")
    replaced = subprocess.run(
        shlex.split(command), input="a long password\n", capture_output=True, text=True, check=False
    )
    assert (replaced.returncode, replaced.stderr) == (0, "")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_who_has_seen_enough_of_a_listing_ends_it_quietly(site: Any, form: list[str]) -> None:
    assert _without_reader(site, "account", "list", *form) == (0, "")


def test_a_check_that_nobody_reads_to_its_end_does_not_call_the_site_clean(site: Any) -> None:
    status, err = _without_reader(site, "check")
    assert (status, err) == (1, "warehouse14: the standard output cannot be written: Broken pipe\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-", ">&- 2>&- <&-"])
def test_a_complaint_that_nobody_can_read_changes_no_status(site: Any, redirection: str) -> None:
    for arguments, status in (
        (["account", "disable", "nobody"], 1),
        (["account", "fly"], 2),
        (["project", "delete", "one"], 2),
    ):
        assert _redirected(site, arguments, redirection).returncode == status


def test_a_password_from_a_closed_standard_input_is_refused_in_one_line(site: Any) -> None:
    outcome = _redirected(site, ["account", "add", "bob", "--password-stdin"], "<&-")
    assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), outcome.stderr
    assert outcome.stderr.startswith("warehouse14: password: ")
