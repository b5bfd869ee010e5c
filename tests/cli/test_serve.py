"""``warehouse14 serve``: the ini's server, elsewhere if wanted, gone at SIGTERM."""

import re
import signal
import socket
import subprocess
import time
import urllib.request
from typing import Any

import pytest


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
        ("[logger_root]", "[logger_other]", "logging"),
        ("[app:main]", "[app:other]", "[app:main]"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_status_2(site: Any, text: str, other: str, words: str) -> None:
    site.set(text, other)
    outcome = site("serve")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("warehouse14: ")
    assert words in outcome.err


def test_a_port_that_is_taken_is_one_line_that_names_it(site: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        outcome = site("serve", "--listen", place)
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert f"cannot listen on {place}: " in outcome.err
