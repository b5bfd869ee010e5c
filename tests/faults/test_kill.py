"""kill -9 between the first byte of an upload and the answer, and SIGTERM to a server and to make."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import requests

from support import killing
from support.servers import Server, free_port, is_listening, wait_until
from support.sites import APP, COMMAND, REPOSITORY, Site
from support.visitors import Visitor, answer_on, body_of, form_around
from warehouse14.testing.builders import BuiltFile, build_wheel

#: What waits for a process to end after SIGTERM, in seconds.
_SOON = 2.0
#: What comes after one step and before another is the same moment, nearly.
_STEPS = [
    pytest.param(step, marks=[pytest.mark.thorough] if step.startswith("after ") else [])
    for step in killing.STEPS[:-1]
] + [killing.STEPS[-1]]


@pytest.fixture(scope="module")
def armed(shared_site: Site) -> Path:
    """The file that arms a step, read by the servers that use ``trapped.ini``."""
    return shared_site.folder / "armed"


@pytest.fixture(scope="module")
def trapped(shared_site: Site, armed: Path) -> Site:
    """The same site with an ini whose stores have traps."""
    site = Site(shared_site.folder)
    site.tokens = shared_site.tokens
    site.ini = shared_site.folder / "trapped.ini"
    site.ini.write_bytes(shared_site.ini.read_bytes())
    site.configure(
        APP,
        warehouse14__files="support.killing:file_store",
        warehouse14__files__armed=armed,
        warehouse14__metadata="support.killing:units",
        warehouse14__metadata__armed=armed,
    )
    return site


def assert_unharmed(site: Site, survivor: Server, project: str, before: list[str]) -> None:
    """Nothing is half listed, and nothing is damaged."""
    visitor = Visitor(survivor, site.tokens["ada"])
    assert visitor.files(project) == before
    assert (project in visitor.projects()) == bool(before)
    for name in before:
        assert visitor.get(f"/packages/{project}/{name}").status_code == 200
    assert site.damage() == []
    assert site.waiting() == []


@pytest.mark.parametrize("step", _STEPS)
def test_a_server_killed_at_a_step_leaves_nothing_half_done_and_a_retry_succeeds(
    server: Server, shared_site: Site, trapped: Site, armed: Path, step: str
) -> None:
    ada = shared_site.tokens["ada"]
    project = step.replace(" ", "-")
    wheel = build_wheel(project, "1.0", body=os.urandom(600_000))
    with Server(trapped) as victim:
        armed.write_text(step, encoding="utf-8")
        with pytest.raises(requests.ConnectionError):
            Visitor(victim, ada).upload(wheel)
        assert victim.process.wait(timeout=10) == -signal.SIGKILL
    assert not armed.exists(), "the step was never reached"
    assert_unharmed(shared_site, server, project, [wheel.filename] if step == "after the commit" else [])
    for _ in range(2):
        answer = Visitor(server, ada).upload(wheel)
        assert answer.status_code == 200, answer.text
    assert_unharmed(shared_site, server, project, [wheel.filename])
    download = Visitor(server, ada).get(f"/packages/{project}/{wheel.filename}")
    assert download.content == wheel.content


def _offsets(head: bytes, body: bytes, before: bytes) -> dict[str, int]:
    whole = len(head) + len(body)
    return {
        "half of the head": len(head) // 2,
        "the head": len(head),
        "the form before the content": len(head) + len(before),
        "half of the content": (whole + len(before)) // 2,
        "all but a byte": whole - 1,
    }


def test_a_server_killed_while_it_receives_leaves_nothing_and_a_retry_succeeds(
    server: Server, shared_site: Site
) -> None:
    ada = shared_site.tokens["ada"]
    wheel = build_wheel("slow", "1.0", body=os.urandom(3_000_000))
    body = body_of(wheel)
    head = Visitor(server, ada).request_head(len(body))
    for sent, offset in _offsets(head, body, form_around(wheel)[0]).items():
        with Server(shared_site) as victim, Visitor(victim, ada).connected() as connection:
            connection.sendall((head + body)[:offset])
            time.sleep(0.05)
            victim.kill()
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b"", sent
        assert Visitor(server, ada).files("slow") == [], sent
        assert shared_site.waiting() == [], sent
    assert_unharmed(shared_site, server, "slow", [])
    assert Visitor(server, ada).upload(wheel).status_code == 200
    assert_unharmed(shared_site, server, "slow", [wheel.filename])
    assert shared_site.run("check", "--digests").returncode == 0


def test_a_sender_who_goes_away_in_the_middle_leaves_nothing(server: Server, shared_site: Site) -> None:
    ada = Visitor(server, shared_site.tokens["ada"])
    wheel = build_wheel("left", "1.0", body=os.urandom(3_000_000))
    body = body_of(wheel)
    for offset in (1, len(body) // 2, len(body) - 1):
        with ada.connected() as connection:
            connection.sendall(ada.request_head(len(body)) + body[:offset])
    wait_until(lambda: shared_site.waiting() == [], what="the end of the request bodies")
    assert_unharmed(shared_site, server, "left", [])
    assert ada.upload(wheel).status_code == 200


def test_a_second_start_after_a_kill_keeps_all_data(site: Site) -> None:
    wheel = build_wheel("kept", "1.0")
    with Server(site) as server:
        assert Visitor(server, site.tokens["ada"]).upload(wheel).status_code == 200
        server.kill()
    assert "password" not in site.command("init").lower()
    with Server(site) as server:
        visitor = Visitor(server, site.tokens["ada"])
        assert visitor.files("kept") == [wheel.filename]
        assert visitor.get(f"/packages/kept/{wheel.filename}").content == wheel.content


def test_sigterm_ends_an_idle_server_at_once_with_status_0(site: Site) -> None:
    with Server(site) as server, Visitor(server).connected():
        began = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - began < _SOON
        assert not is_listening(server.port)


def test_sigterm_lets_a_request_in_progress_finish(site: Site) -> None:
    wheel = build_wheel("finished", "1.0", body=os.urandom(2_000_000))
    body = body_of(wheel)
    with Server(site) as server:
        ada = Visitor(server, site.tokens["ada"])
        with ada.connected() as connection:
            connection.sendall(ada.request_head(len(body)) + body[:-1])
            time.sleep(0.2)
            began = time.monotonic()
            connection.sendall(body[-1:])
            time.sleep(0.01)
            server.process.terminate()
            answer = answer_on(connection)
            server.process.wait(timeout=10)
            assert time.monotonic() - began < _SOON
    with Server(site) as server:
        listed = Visitor(server, site.tokens["ada"]).files("finished")
        assert listed == ([wheel.filename] if answer.startswith(b"HTTP/1.1 200") else [])
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert site.run("check", "--digests").returncode == 0


def test_sigterm_in_the_middle_of_a_body_ends_the_server_and_leaves_nothing(site: Site) -> None:
    wheel = build_wheel("unfinished", "1.0", body=os.urandom(2_000_000))
    body = body_of(wheel)
    with Server(site) as server:
        ada = Visitor(server, site.tokens["ada"])
        with ada.connected() as connection:
            connection.sendall(ada.request_head(len(body)) + body[: len(body) // 2])
            time.sleep(0.1)
            began = time.monotonic()
            assert server.terminate() == 0
            assert time.monotonic() - began < _SOON
            assert not is_listening(server.port)
    assert site.waiting() == []
    assert site.blobs() == set()


@contextmanager
def _unread(server: Server, wheel: BuiltFile) -> Iterator[None]:
    """Ask for a large file, and read no more than the beginning of the answer."""
    token = server.site.tokens["ada"]
    with Visitor(server, token).connected() as connection:
        connection.sendall(
            f"GET /packages/unread/{wheel.filename} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        yield


@pytest.mark.thorough
def test_sigterm_ends_a_server_whose_reader_does_not_read(site: Site) -> None:
    wheel = build_wheel("unread", "1.0", body=os.urandom(30_000_000))
    with Server(site) as server:
        assert Visitor(server, site.tokens["ada"]).upload(wheel).status_code == 200
        with _unread(server, wheel):
            began = time.monotonic()
            server.terminate()
            assert time.monotonic() - began < _SOON
            assert not is_listening(server.port)


@pytest.mark.thorough
def test_sigterm_ends_a_server_with_a_slow_reader_and_a_database_that_is_locked(site: Site) -> None:
    """A write in the background waits for the database, and a request in progress uses its time up."""
    wheel = build_wheel("unread", "1.0", body=os.urandom(30_000_000))
    database = sqlite3.connect(site.folder / "var/warehouse14.sqlite", isolation_level=None)
    with Server(site) as server, closing(database):
        assert Visitor(server, site.tokens["ada"]).upload(wheel).status_code == 200
        database.execute("BEGIN IMMEDIATE")
        # When a token was used for the first time is written down soon after.
        assert Visitor(server, site.tokens["ben"]).projects() == []
        with _unread(server, wheel):
            began = time.monotonic()
            assert server.terminate() == 0
            assert time.monotonic() - began < _SOON


def _descendants(pid: int) -> set[int]:
    """Return the processes below ``pid`` (Linux)."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text(encoding="ascii").split()):
            found |= {child} | _descendants(child)
    return found


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _makefile(site: Site) -> Path:
    """Return a makefile whose recipe is that of ``make serve``, for this site and this environment."""
    lines = (REPOSITORY / "Makefile").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("serve:"))
    recipe = []
    for line in lines[start + 1 :]:
        if not line.startswith("\t"):
            break
        recipe.append(line)
    text = "\n".join([f"BIN := {COMMAND.parent}", "serve:", *recipe, ""])
    path = site.folder / "Makefile"
    path.write_text(text, encoding="utf-8")
    return path


def test_sigterm_to_make_serve_leaves_no_process_and_no_socket_within_two_seconds(site: Site) -> None:
    _makefile(site)
    port = free_port()
    words = ["make", "serve", f"PORT={port}", f"INI={site.ini}"]
    with Server(site, port=port, program=words) as server:
        family = {server.process.pid} | _descendants(server.process.pid)
        assert len(family) >= 2, "make runs the server as a child"
        os.kill(server.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _SOON
        while any(map(_is_alive, family)) and time.monotonic() < deadline:
            server.process.poll()
            time.sleep(0.02)
        assert not any(map(_is_alive, family))
        assert not is_listening(port)
    with Server(site, port=port, program=words):
        assert is_listening(port), "the address is free at once for the next"
