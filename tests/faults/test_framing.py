"""Heads and frames of requests that others might read in another way, or that never end."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from support.servers import Server, free_port
from support.sites import Site
from support.visitors import Visitor, answer_on, body_of
from warehouse14.testing.builders import build_wheel

KIB = 1024
HEALTH = "GET /health HTTP/1.1"

#: Requests, and what is said of them.
HEADS = {
    "without Host": (f"{HEALTH}\r\nConnection: close", b"Host"),
    "with two Hosts": (f"{HEALTH}\r\nHost: a\r\nHost: b", b"Host"),
    "with an empty Host": (f"{HEALTH}\r\nHost:", b"Host"),
    "with a length and chunks": (
        "POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"not both",
    ),
    "with a length and chunks in HTTP/1.0": (
        "POST /legacy/ HTTP/1.0\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1",
    ),
    "in chunks of chunks": (
        "POST /legacy/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked",
        b"once",
    ),
    "in chunks, and again": (
        "POST /legacy/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked",
        b"once",
    ),
    "in chunks, and again on a line that goes on": (
        "POST /legacy/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n , chunked",
        b"one line",
    ),
    "with a header on two lines": (
        f"{HEALTH}\r\nHost: x\r\nAccept: text/html,\r\n\tapplication/json",
        b"one line",
    ),
    "with chunks in HTTP/1.2": (
        "POST /legacy/ HTTP/1.2\r\nHost: x\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1",
    ),
}

#: Bodies in chunks, and what is said of them.
FRAMES = {
    "a chunk size without an end": (b"0" * 4 * KIB * KIB, b"chunk size or a trailer of more than 8192"),
    "a trailer without an end": (b"0\r\n" + b"x: y\r\n" * KIB * KIB, b"chunk size or a trailer"),
    "an extension without an end": (b"1;" + b"x" * 4 * KIB * KIB, b"chunk size or a trailer"),
    "a size that ends in a bare LF": (b"1\n\r\nx\r\n0\r\n\r\n", b"Invalid chunk size"),
    "an extension that ends in a bare LF": (b"1;x\n\r\nx\r\n0\r\n\r\n", b"Invalid chunk extension"),
    "a trailer with a bare LF": (b"0\r\nx: y\n\nGET / HTTP/1.1\r\nHost: b\r\n\r\n", b"bare line feed"),
    "a trailer with a NUL": (b"0\r\nx: \0y\r\n\r\n", b"bare line feed"),
    "chunks of one byte": (b"1\r\nx\r\n" * KIB * KIB, b"too small chunks"),
    "nothing but blank lines": (b"\r\n" * 2 * KIB * KIB, b"too small chunks"),
}


@pytest.mark.parametrize("kind", HEADS)
def test_a_head_that_could_be_read_in_two_ways_is_400_and_ends_the_connection(
    server: Server, kind: str
) -> None:
    head, told = HEADS[kind]
    with Visitor(server).connected() as connection:
        connection.sendall(head.encode() + b"\r\n\r\n0\r\n\r\n")
        answer = answer_on(connection)
    assert answer.partition(b" ")[2].startswith(b"400 ")
    assert told in answer.partition(b"\r\n\r\n")[2]
    assert answer.count(b"HTTP/1.") - answer.count(b"belongs to HTTP/1.") == 1


@pytest.mark.parametrize(
    "coding", ["gzip", "gzip, chunked", "identity", "chunked, gzip", "x-unknown", "gzip\r\nContent-Length: 3"]
)
def test_a_transfer_coding_that_is_not_understood_is_501_and_ends_the_connection(
    server: Server, coding: str
) -> None:
    head = f"POST /legacy/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n"
    # Whatever the coding, nothing of what follows is taken for a request.
    behind = f"0\r\n\r\n{HEALTH}\r\nHost: x\r\n\r\n"
    with Visitor(server).connected() as connection:
        connection.sendall((head + behind + behind).encode())
        answer = answer_on(connection)
    assert answer.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert b"Transfer-Encoding requested is not supported." in answer.partition(b"\r\n\r\n")[2]
    assert answer.count(b"HTTP/1.") == 1
    assert server.is_well()


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_that_does_not_end_is_400_long_before_its_sender_is_done(server: Server, kind: str) -> None:
    body, told = FRAMES[kind]
    ada = Visitor(server, server.site.tokens["ada"])
    began = time.monotonic()
    with ada.connected() as connection:
        connection.sendall(ada.request_head(None))
        sent = 0
        for at in range(0, len(body), 64 * KIB):
            try:
                connection.sendall(body[at : at + 64 * KIB])
            except ConnectionError:
                break
            sent += 64 * KIB
        answer = answer_on(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert told in answer
    # With all of it looked through again and again, this took minutes.
    assert time.monotonic() - began < 15
    assert server.is_well()


def test_lines_sent_each_as_a_chunk_are_taken(server: Server) -> None:
    """So http.client sends a file that it was given as an iterator."""
    ada = Visitor(server, server.site.tokens["ada"])
    body = body_of(build_wheel("in-lines", "1.0"))
    with ada.connected() as connection:
        chunks = (body[at : at + 50] for at in range(0, len(body), 50))
        frame = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        connection.sendall(ada.request_head(None) + frame + b"0\r\nX-Checksum: y\r\n\r\n")
        assert answer_on(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("options", ["close", "TE, close", "Close,TE", "keep-alive, close"])
def test_close_among_other_options_of_the_connection_closes_it(server: Server, options: str) -> None:
    with Visitor(server).connected() as connection:
        connection.sendall(f"{HEALTH}\r\nHost: x\r\nConnection: {options}\r\n\r\n".encode())
        answer = answer_on(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close" in answer


#: ``warehouse14`` in a process that may open few files.
FRUGAL = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 120))
from warehouse14.cli import main
raise SystemExit(main())
"""
#: More connections than it has descriptors for.
CROWD = 60
#: What is kept of a body in memory at most.
KEPT = 512 * KIB


@pytest.fixture(scope="module")
def frugal(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may open 120 files and was started with 64."""
    site = prepared_site.copy_to(tmp_path_factory.mktemp("frugal") / "site")
    port = free_port()
    words = [sys.executable, "-c", FRUGAL, "--ini", site.ini, "serve", "--listen", f"127.0.0.1:{port}"]
    with Server(site, port=port, program=words) as started:
        yield started


def test_unfinished_bodies_do_not_use_up_the_descriptors(frugal: Server) -> None:
    with ExitStack() as stack:
        for _ in range(CROWD):
            ada = Visitor(frugal, frugal.site.tokens["ada"])
            connection = stack.enter_context(ada.connected())
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                connection.sendall(ada.request_head(3 * KEPT) + bytes(2 * KEPT))
        time.sleep(1)
    assert frugal.is_well(timeout=10)
    assert "reached the connection limit" in frugal.log()
    assert "Too many open files" not in frugal.log()
