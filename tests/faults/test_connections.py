"""What a connection may do, and what it may not do to others, against a real server."""

import http.client
import os
import socket
import ssl
import time
from contextlib import ExitStack

import pytest

from support.servers import Server, wait_until
from support.visitors import Visitor, answer_on
from warehouse14.testing.builders import build_wheel

#: More than there are threads.
CROWD = 12
LARGE = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def ada(server: Server) -> Visitor:
    return Visitor(server, server.site.tokens["ada"])


def test_readers_who_ask_twice_and_never_read_hold_up_nobody_else(server: Server, ada: Visitor) -> None:
    built = build_wheel("large", "1.0", extra_members={"large/noise": os.urandom(LARGE)})
    assert ada.upload(built).status_code == 200
    path = f"/packages/large/{built.filename}"
    asking = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.site.tokens['ada']}\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        stalled = []
        for _ in range(CROWD):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(asking * 2)
            stalled.append(connection)
        for _ in range(5):
            assert server.is_well(timeout=5)
        stalled[0].settimeout(30)
        with stalled[0].makefile("rb") as reading:
            for _ in range(2):
                head = list(iter(reading.readline, b"\r\n"))
                assert head[0].startswith(b"HTTP/1.1 200 ")
                assert reading.read(len(built.content)) == built.content
    wait_until(lambda: server.is_well(), what="the server after they left")


def test_who_speaks_tls_where_there_is_none_is_answered_at_once(server: Server) -> None:
    """uv asks https for a token, four times, when it has no credentials: each waited for ten seconds."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        trusting = ssl.create_default_context()
        with pytest.raises(ssl.SSLError):
            trusting.wrap_socket(plain, server_hostname="localhost")
    assert time.monotonic() - began < 5
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"\x16\x03\x01\x00\xa5\x01")
        assert b"write http:// instead of https://" in plain.recv(4096)


def test_a_body_may_begin_as_tls_does(server: Server, ada: Visitor) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
        time.sleep(0.2)
        plain.sendall(b"\x16\x03\x01\x00\xa5\x01")
        assert plain.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_a_page_that_has_not_changed_keeps_its_connection(server: Server, ada: Visitor) -> None:
    assert ada.upload(build_wheel("unchanged", "1.0")).status_code == 200
    headers = {"Authorization": f"Bearer {server.site.tokens['ada']}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/simple/unchanged/", headers=headers)
    first = connection.getresponse()
    first.read()
    used = connection.sock
    headers["If-None-Match"] = first.headers["ETag"]
    for _ in range(3):
        connection.request("GET", "/simple/unchanged/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Connection"], connection.sock) == (304, None, used)
    connection.close()


@pytest.mark.parametrize("left", [0, 100])
def test_a_file_whose_bytes_were_cut_off_is_503_and_never_a_part_of_it(
    server: Server, ada: Visitor, left: int
) -> None:
    built = build_wheel("cut", f"1.{left}")
    assert ada.upload(built).status_code == 200
    (blob,) = (server.site.folder / "var" / "files" / "blobs").rglob(built.filename)
    os.truncate(blob, left)
    path = f"/packages/cut/{built.filename}"
    for headers in ({}, {"Range": "bytes=50-60"}, {"Range": "bytes=-10"}):
        answer = ada.get(path, headers=headers)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert ada.upload(built).status_code == 200
    assert ada.get(path).content == built.content, "the same bytes again have mended it"


MALFORMED = {
    "an endless length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a broken address": b"GET http://[::1/simple/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_request_is_answered_with_400_and_the_connection_ends(server: Server, kind: str) -> None:
    with Visitor(server).connected() as connection:
        connection.sendall(MALFORMED[kind])
        connection.shutdown(socket.SHUT_WR)
        assert answer_on(connection).startswith(b"HTTP/1.1 400 ")
    assert server.is_well()


def test_a_host_that_is_none_is_in_no_redirect(server: Server, ada: Visitor) -> None:
    for host in ("a/b?c", "<script>", "x y"):
        answer = ada.get("/simple", headers={"Host": host}, allow_redirects=False)
        assert answer.status_code == 400
        assert "Location" not in answer.headers
