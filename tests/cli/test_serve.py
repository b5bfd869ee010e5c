"""``warehouse14 serve``: the ini's server, elsewhere if wanted, gone at SIGTERM."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from support.servers import Server, free_port
from support.sites import COMMAND, Site


@pytest.fixture
def unbuffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test read what a server prints while it runs."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")


@pytest.mark.usefixtures("unbuffered")
def test_it_serves_on_the_given_address_until_sigterm(site: Any) -> None:
    process = site.start("serve", "--listen", "127.0.0.1:0", stderr=subprocess.STDOUT)
    try:
        lines = iter(process.stdout.readline, "")
        address = next(filter(None, map(re.compile(r"http://127\.0\.0\.1:(\d+)").search, lines)), None)
        assert address
        with urllib.request.urlopen(f"{address[0]}/health", timeout=5) as answer:  # noqa: S310
            assert answer.status == 200
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - asked < 2
    finally:
        process.kill()
        process.communicate()
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", int(address[1]))) != 0


def test_a_site_that_is_not_prepared_is_not_served(empty: Any) -> None:
    process = empty.start("serve", "--listen", "127.0.0.1:0")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert "'warehouse14 init'" in err


@pytest.mark.parametrize(
    ("text", "other", "words"),
    [
        ("[server:main]", "[server:other]", "[server:main]"),
        (
            "[server:main]\nuse = egg:warehouse14",
            "[server:main]\nuse = egg:no-such-package",
            "no-such-package",
        ),
        ("[server:main]\nuse = egg:warehouse14", "[server:main]\nuse = egg:warehouse14#other", "#other"),
        ("[server:main]\nuse = egg:warehouse14", "[server:main]", "names no server"),
        ("[app:main]", "[app:other]", "[app:main]"),
        (
            "[app:main]\nuse = egg:warehouse14",
            "[app:main]\nuse = call:os:system",
            "cannot be loaded: system()",
        ),
        ("[app:main]\nuse = egg:warehouse14", "[app:main]\nuse = egg:no-such-package", "no-such-package"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_status_2(site: Any, text: str, other: str, words: str) -> None:
    site.set(text, other)
    outcome = site("serve")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("warehouse14: ")
    assert words in outcome.err


@pytest.mark.parametrize(
    ("text", "other", "words"),
    [
        ("[logger_root]", "[logger_other]", "'logger_root'"),
        ("level = INFO", "level = LOUD", "Unknown level: 'LOUD'"),
        ("level = NOTSET", "level = LOUD", "Unknown level: 'LOUD'"),
        ("class = StreamHandler", "class = no.such.Handler", "No module named 'no'"),
        ("args = (sys.stderr,)", "args = (1, 2, 3)", "4 were given"),
    ],
)
def test_logging_that_cannot_be_set_up_is_one_line_and_status_2(
    site: Any, text: str, other: str, words: str
) -> None:
    site.set(text, other)
    # In a process of its own: what was set up before the fault is not taken back.
    process = site.start("serve", "--listen", "127.0.0.1:0")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"warehouse14: {site.ini}: the logging cannot be set up: ")
    assert words in err


def test_pserve_serves_a_prepared_copy_of_the_ini_until_sigterm(tmp_path: Path) -> None:
    site = Site.in_folder(tmp_path / "site")
    port = free_port()
    ours = "listen = 127.0.0.1:6543\n"
    text = site.ini.read_text()
    assert text.count(ours) == 1
    # Whoever else uses that port is no fault of this one: the rest of the copy is as it is.
    site.ini.write_text(text.replace(ours, f"listen = 127.0.0.1:{port}\n"))
    site.command("init")
    with Server(site, port=port, program=[COMMAND.with_name("pserve"), site.ini]) as server:
        asked = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - asked < 2
        with pytest.raises(ProcessLookupError):
            os.killpg(server.process.pid, 0)
    with socket.create_server(("127.0.0.1", port)):
        pass  # nobody listens there


def test_a_port_that_is_taken_is_one_line_that_names_it(site: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        outcome = site("serve", "--listen", place)
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert f"cannot listen on {place}: " in outcome.err


@pytest.mark.parametrize(
    ("text", "other", "words"),
    [
        ("[server:main]\n", "[server:main]\ncolour = green\n", "Unknown adjustment 'colour'"),
        ("max_request_body_size = ", "max_request_body_size = x", "max_request_body_size"),
        ("listen = 127.0.0.1:6543", "listen =", "listen is empty"),
        ("listen = 127.0.0.1:6543", "listen = 127.0.0.1:http:1", "Invalid host/port"),
        ("listen = 127.0.0.1:6543", "listen = 192.0.2.1:6543", "cannot listen on 192.0.2.1:6543: "),
        ("listen = 127.0.0.1:6543", "unix_socket = /no/such/socket", "cannot listen on /no/such/socket: "),
    ],
)
@pytest.mark.parametrize("command", [pytest.param("pserve", marks=pytest.mark.thorough), "warehouse14"])
def test_a_server_section_that_cannot_be_served_is_one_line_and_status_2(
    site: Any, command: str, text: str, other: str, words: str
) -> None:
    site.set(text, other)
    done = _served(site, command)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = _complaints(done)
    assert line.startswith("warehouse14: ")
    assert words in line


@pytest.mark.parametrize("command", ["pserve", "warehouse14"])
def test_a_port_that_is_taken_is_one_line_and_status_1(site: Any, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        site.set("listen = 127.0.0.1:6543", f"listen = {place}")
        done = _served(site, command)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = _complaints(done)
    assert line.startswith(f"warehouse14: cannot listen on {place}: ")


def _served(site: Any, command: str) -> "subprocess.CompletedProcess[str]":
    """Serve with the installed command, to its end."""
    words = {"pserve": ["pserve", site.ini], "warehouse14": ["warehouse14", "--ini", site.ini, "serve"]}
    program, *arguments = words[command]
    return subprocess.run(
        [COMMAND.with_name(program), *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def _complaints(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Return what was written to the standard error, but for what pserve says at every start."""
    return [line for line in done.stderr.splitlines() if not line.startswith("Starting server in PID ")]
