"""Who sends slowly, and who only waits, against a real server that has less patience than usual."""

import select
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from support.servers import Server, free_port
from support.sites import SERVER, Site
from support.visitors import Visitor, answer_on, body_of
from support.wheels import StoredWheel
from warehouse14.testing.builders import build_wheel

#: How long headers may take here, in seconds.
DEADLINE = 0.3
#: ``warehouse14`` with that deadline, whose refused senders are not listened to for ten seconds.
IMPATIENT = f"""
from warehouse14.cli import main
from warehouse14.web import connections
connections._HEADER_SECONDS, connections._LINGER = {DEADLINE}, 0.0
raise SystemExit(main())
"""
#: How many connections the server takes at a time, with a few of its own.
LIMIT = 20
#: A request, and the beginning of one.
WHOLE = b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"
BEGUN = b"HEAD /health HTTP/1.1\r\n"
#: More than the kernel keeps for a client that does not read.
LARGE = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def impatient(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that looks for late senders each time it wakes, which is once a second if nothing comes."""
    site = prepared_site.copy_to(tmp_path_factory.mktemp("impatient") / "site")
    site.configure(SERVER, cleanup_interval=0, connection_limit=LIMIT)
    port = free_port()
    words = [sys.executable, "-c", IMPATIENT, "--ini", site.ini, "serve", "--listen", f"127.0.0.1:{port}"]
    with Server(site, port=port, program=words) as started:
        yield started


def dripped(server: Server, first: bytes, again: bytes) -> tuple[bytes, float]:
    """Send a request and ``first``, then ``again`` and again; return the last answer, and when it came."""
    began = time.monotonic()
    with Visitor(server).connected() as connection:
        connection.sendall(WHOLE + first)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        for _ in range(100):
            if select.select([connection], [], [], 0.05)[0]:
                return answer_on(connection), time.monotonic() - began
            connection.sendall(again)
    return b"", time.monotonic() - began


DRIPS = {
    "one header after the other": (BEGUN, b"X: y\r\n"),
    "a byte at a time": (b"G", b"E"),
    "blank lines": (b"\r\n", b"\r\n"),
}


@pytest.fixture(scope="module")
def refusals(impatient: Server) -> dict[str, tuple[bytes, float]]:
    """What all of them got, who sent at the same time."""
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda pieces: dripped(impatient, *pieces), DRIPS.values())
        return dict(zip(DRIPS, done, strict=True))


@pytest.mark.parametrize("kind", DRIPS)
def test_headers_that_do_not_end_are_answered_with_408_at_the_deadline_and_the_connection_ends(
    refusals: dict[str, tuple[bytes, float]], kind: str
) -> None:
    answer, seconds = refusals[kind]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Type: text/plain; charset=utf-8" in head
    assert body == b"408 Request Timeout\n\nThe headers of the request took more than 0.3 seconds.\n"
    assert seconds > DEADLINE


def test_silent_senders_make_room_for_others_though_nothing_wakes_the_server(impatient: Server) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(Visitor(impatient).connected()) for _ in range(LIMIT)]
        for connection in crowd:
            connection.sendall(BEGUN)
        assert impatient.is_well(timeout=5)
        assert "reached the connection limit" in impatient.log()
        assert answer_on(crowd[0]).startswith(b"HTTP/1.1 408 ")


def test_who_connects_and_says_nothing_makes_room_at_the_deadline(impatient: Server) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(Visitor(impatient).connected()) for _ in range(LIMIT)]
        assert impatient.is_well(timeout=5)
        assert crowd[0].recv(1) == b""


def test_a_body_may_take_longer_than_headers_and_a_connection_may_wait_between_requests(
    impatient: Server,
) -> None:
    ada = Visitor(impatient, impatient.site.tokens["ada"])
    body = body_of(build_wheel("dripped", "1.0"))
    with ada.connected() as sender, ada.connected() as idler:
        idler.sendall(WHOLE)
        assert idler.recv(1000).startswith(b"HTTP/1.1 200 ")
        sender.sendall(ada.request_head(len(body)))
        for number in range(10):
            sender.sendall(body[number : number + 1])
            time.sleep(1.5 * DEADLINE / 10)
        sender.sendall(body[10:])
        assert answer_on(sender).startswith(b"HTTP/1.1 200 ")
        idler.sendall(WHOLE)
        assert idler.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_the_time_of_headers_does_not_run_while_an_earlier_answer_is_due(impatient: Server) -> None:
    token = impatient.site.tokens["ada"]
    wheel = StoredWheel("unread", LARGE)
    assert Visitor(impatient, token).upload_in_pieces(wheel).status_code == 200
    asking = f"GET /packages/unread/{wheel.filename} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    with Visitor(impatient).connected() as connection:
        connection.sendall(asking.encode() + b"\r\n" + BEGUN)
        for _ in range(10):
            time.sleep(1.5 * DEADLINE / 10)
            assert impatient.is_well()
        connection.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
        answers = answer_on(connection)
    _, _, rest = answers.partition(b"\r\n\r\n")
    assert rest[LARGE:].startswith(b"HTTP/1.1 200 ")
