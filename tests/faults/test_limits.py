"""What is too large, too slow or misconfigured, against a real server."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from support.clients import Clients
from support.servers import Kind, Server, free_port, wait_until
from support.sites import APP, SERVER, Site
from support.visitors import Visitor, answer_on, body_of
from support.wheels import StoredWheel
from warehouse14.testing.builders import build_wheel

LIMIT = 1_000_000
SIZES = {"by one": LIMIT + 1, "a bit": LIMIT + 1024 * 1024, "by far": 60_000_000}
#: What the form around a file may take beside it.
ALLOWANCE = 1024 * 1024
MIB = 1024 * 1024


#: granian closes on a sender whom it refuses early, who then may or may not see why.
LISTENING = [Kind.WAITRESS, pytest.param(Kind.GUNICORN, marks=pytest.mark.thorough)]


@pytest.fixture(scope="module", params=LISTENING)
def small(
    prepared_site: Site, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A server that listens to whom it refuses, and takes no file of more than a million bytes."""
    site = prepared_site.copy_to(tmp_path_factory.mktemp("small") / "site")
    site.configure(APP, warehouse14__max_file_bytes=LIMIT)
    with Server(site, kind=request.param) as started:
        yield started


def invites_before_it_asks(server: Server) -> bool:
    """Whether "100 Continue" is sent before the application is asked: gunicorn invites what it refuses."""
    return server.kind is Kind.GUNICORN


def ada_at(server: Server) -> Visitor:
    return Visitor(server, server.site.tokens["ada"])


def assert_nothing_left(server: Server, project: str) -> None:
    assert ada_at(server).files(project) == []
    wait_until(lambda: server.site.waiting() == [], what="the end of what was sent")
    assert project not in {key.partition("/")[0] for key in server.site.blobs()}
    assert server.is_well()


@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)], ids=["at once", "after asking"])
def test_a_body_announced_as_too_long_is_413_at_its_headers(small: Server, more: tuple[str, ...]) -> None:
    ada = ada_at(small)
    with ada.connected() as connection:
        connection.sendall(ada.request_head(10_000_000_000, *more))
        answer = answer_on(connection)
    if more and invites_before_it_asks(small):
        answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    status, _, rest = answer.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 413 ")
    assert b"limit" in status
    assert str(LIMIT).encode() in status
    assert str(LIMIT).encode() in rest.partition(b"\r\n\r\n")[2]
    assert b"100 Continue" not in answer


def test_a_body_that_fits_is_asked_for_after_expect_100_continue(small: Server) -> None:
    ada = ada_at(small)
    body = body_of(build_wheel("expected", "1.0"))
    with ada.connected() as connection:
        connection.sendall(ada.request_head(len(body), "Expect: 100-continue"))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert answer_on(connection).startswith(b"HTTP/1.1 200 ")


def chunked(pieces: int, size: int) -> Iterator[bytes]:
    for _ in range(pieces):
        yield b"%x\r\n%b\r\n" % (size, b"x" * size)
    yield b"0\r\n\r\n"


def test_a_body_in_chunks_is_413_where_it_passes_the_limit(small: Server) -> None:
    ada = ada_at(small)
    sent = 0
    with ada.connected() as connection:
        connection.sendall(ada.request_head(None))
        connection.settimeout(0.05)
        answer = b""
        for chunk in chunked(3000, 65536):
            try:
                connection.sendall(chunk)
                sent += len(chunk)
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
            if answer:
                break
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert str(LIMIT).encode() in answer
    assert sent < 10 * (LIMIT + ALLOWANCE)


def test_a_body_that_announces_nothing_and_fits_is_taken(small: Server) -> None:
    body = body_of(build_wheel("in-chunks", "1.0"))
    head = ada_at(small).request_head(None)
    with ada_at(small).connected() as connection:
        connection.sendall(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert answer_on(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "size", [LIMIT + 1, LIMIT + ALLOWANCE, 60_000_000], ids=["by one", "a bit", "by far"]
)
def test_the_sender_of_a_file_that_is_too_large_sees_the_limit(small: Server, size: int) -> None:
    wheel = build_wheel("large", "1.0")
    built = type(wheel)(
        wheel.filename, os.urandom(1000) * (size // 1000) + b"x" * (size % 1000), wheel.filetype
    )
    answer = ada_at(small).upload(built)
    assert answer.status_code == 413
    assert str(LIMIT) in answer.reason
    assert "warehouse14.max_file_bytes" in answer.text
    assert_nothing_left(small, "large")


@pytest.mark.parametrize("small", [Kind.WAITRESS], indirect=True)
def test_a_sender_who_reads_only_when_all_is_sent_gets_the_refusal_too(small: Server) -> None:
    ada = ada_at(small)
    size = 20_000_000
    with ada.connected() as connection:
        connection.sendall(ada.request_head(size))
        for _ in range(size // 100_000):
            connection.sendall(bytes(100_000))
        assert answer_on(connection).startswith(b"HTTP/1.1 413 ")


def test_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(small: Server) -> None:
    wheel = StoredWheel("brim", LIMIT)
    assert ada_at(small).upload_in_pieces(wheel).status_code == 200
    wheel = StoredWheel("over-brim", LIMIT + 1)
    assert ada_at(small).upload_in_pieces(wheel).status_code == 413


def test_twine_shows_the_limit_and_no_broken_pipe(small: Server, clients: Clients) -> None:
    token = small.site.tokens["ada"]
    folder = clients.folder
    wheel = build_wheel("twined", "1.0", body=os.urandom(30_000_000))
    path = folder / wheel.filename
    path.write_bytes(wheel.content)
    said = clients.twine(small.url, token, path).badly()
    assert "413" in said
    assert f"larger than {LIMIT} bytes" in said
    assert "Broken pipe" not in said


def test_a_header_that_is_too_long_is_refused_and_nothing_breaks(small: Server) -> None:
    with ada_at(small).connected() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 600_000 + b"\r\n\r\n")
        assert answer_on(connection).startswith(b"HTTP/1.")
    assert small.is_well()


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda body: body[: len(body) // 2],
    "without its last boundary": lambda body: body[:-10],
    "empty": lambda body: b"",
    "not a form": lambda body: b"x" * 1000,
    "with a wrong digest": lambda body: body.replace(b"PK\x03\x04", b"PK\x03\x05", 1),
    "with a NUL in a name": lambda body: body.replace(b"wheel_in", b"wheel\0in"),
    "with a path as its name": lambda body: body.replace(b'filename="', b'filename="../../'),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_form_is_a_400_and_leaves_nothing(small: Server, kind: str) -> None:
    wheel = build_wheel("malformed", "1.0")
    ada = ada_at(small)
    body = MALFORMED[kind](body_of(wheel).replace(b"malformed-1.0", b"wheel_in-1.0", 1))
    with ada.connected() as connection:
        connection.sendall(ada.request_head(len(body)) + body)
        answer = answer_on(connection)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert_nothing_left(small, "malformed")


# -- memory -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def roomy(server: Server) -> Server:
    """The module's server, after the requests that make it load what it needs."""
    ada = ada_at(server)
    for number in range(3):
        wheel = build_wheel("warm", f"1.{number}", body=os.urandom(3 * MIB))
        assert ada.upload(wheel).status_code == 200
        assert ada.get(f"/packages/warm/{wheel.filename}").status_code == 200
    return server


def grown(server: Server, work: Callable[[], None]) -> int:
    """Return by how many bytes ``work`` raised the server's resident memory at most."""
    before = server.resident_bytes()
    server.forget_peak()
    work()
    return server.peak_bytes() - before


def test_an_upload_raises_memory_by_less_than_32_mb_and_its_download_by_less_than_64(
    roomy: Server,
) -> None:
    ada = ada_at(roomy)
    wheel = StoredWheel("heavy", 300 * MIB)

    def upload() -> None:
        answer = ada.upload_in_pieces(wheel)
        assert answer.status_code == 200, answer.text

    def download() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.auth = ("__token__", roomy.site.tokens["ada"])
            path = f"{roomy.url}/packages/{wheel.project}/{wheel.filename}"
            with session.get(path, stream=True, timeout=60) as answer:
                length = sum(len(piece) for piece in answer.iter_content(MIB))
        assert length == wheel.size

    assert grown(roomy, upload) < 32_000_000
    assert grown(roomy, download) < 64_000_000
    roomy.site.command("file", "delete", wheel.project, wheel.filename, "--yes")
    roomy.site.command("collect", "--older-than", "0")
    assert not [key for key in roomy.site.blobs() if key.startswith(f"{wheel.project}/")]


def test_four_slow_readers_raise_memory_by_less_than_64_mb(roomy: Server) -> None:
    ada = ada_at(roomy)
    wheel = StoredWheel("read-slowly", 100 * MIB)
    assert ada.upload_in_pieces(wheel).status_code == 200
    request = (
        f"GET /packages/{wheel.project}/{wheel.filename} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {roomy.site.tokens['ada']}\r\n\r\n"
    ).encode()

    def read_slowly() -> None:
        with ExitStack() as stack:
            readers = [stack.enter_context(ada.connected()) for _ in range(4)]
            for reader in readers:
                reader.sendall(request)
            for _ in range(20):
                time.sleep(0.05)
                for reader in readers:
                    assert reader.recv(65536)

    assert grown(roomy, read_slowly) < 64_000_000


def test_forty_slow_senders_do_not_keep_anybody_waiting(roomy: Server) -> None:
    ada = ada_at(roomy)
    wheel = build_wheel("sent-slowly", "1.0", body=os.urandom(500_000))
    body = body_of(wheel)
    head = ada.request_head(len(body))
    with ExitStack() as stack:
        senders: list[socket.socket] = [stack.enter_context(ada.connected()) for _ in range(40)]
        for sender in senders:
            sender.sendall(head + body[:1000])
        for step in range(5):
            for sender in senders:
                sender.sendall(body[1000 + step * 1000 : 2000 + step * 1000])
            began = time.monotonic()
            assert roomy.is_well(timeout=2)
            assert ada.files("warm")
            assert time.monotonic() - began < 2
        senders[0].sendall(body[6000:])
        assert answer_on(senders[0]).startswith(b"HTTP/1.1 200 ")
    wait_until(lambda: roomy.site.waiting() == [], what="the end of what was sent")


# -- configuration --------------------------------------------------------------------


def refusal(site: Site, *words: str) -> tuple[int, str]:
    """Return the exit status of a command, and the one line that it must have printed."""
    done = site.run(*words)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


SERVE = ("serve", "--listen", "127.0.0.1:0")


def test_an_unknown_key_is_one_line_and_status_2(site: Site) -> None:
    site.configure(APP, warehouse14__max_file_byts=1)
    for command in (SERVE, ("init",)):
        status, line = refusal(site, *command)
        assert status == 2
        assert "warehouse14.max_file_byts" in line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("warehouse14__max_file_bytes", "many"),
        ("warehouse14__create_on_upload", "perhaps"),
        ("warehouse14__metadata", "nosuch"),
        ("warehouse14__files", "no.such:module"),
        ("warehouse14__metadata__url", "nonsense"),
        ("warehouse14__url", "example"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_key_and_status_2(site: Site, key: str, value: str) -> None:
    site.configure(APP, **{key: value})
    status, line = refusal(site, *SERVE)
    assert status == 2
    assert key.replace("__", ".") in line


@pytest.mark.parametrize("key", ["files__root", "metadata__url", "tmp"])
def test_an_unreachable_path_is_one_line_that_names_it_and_status_2(site: Site, key: str) -> None:
    scheme = "sqlite:///" if key.endswith("url") else ""
    site.configure(APP, **{f"warehouse14__{key}": f"{scheme}/proc/nowhere/thing"})
    for command in (SERVE, ("init",)):
        status, line = refusal(site, *command)
        assert status == 2, command
        assert "/proc/nowhere" in line


def test_a_server_setting_that_waitress_does_not_know_is_one_line_and_status_2(site: Site) -> None:
    site.configure(SERVER, thraeds=8)
    status, line = refusal(site, *SERVE)
    assert status == 2
    assert "thraeds" in line


def test_a_broken_ini_is_one_line_and_status_2(site: Site) -> None:
    site.ini.write_text("[app:main\nnonsense\n", encoding="utf-8")
    assert refusal(site, *SERVE)[0] == 2


def test_an_ini_that_is_not_there_is_one_line_and_status_2(site: Site) -> None:
    site.ini.unlink()
    status, line = refusal(site, *SERVE)
    assert status == 2
    assert str(site.ini) in line


def test_a_site_that_was_never_prepared_is_one_line_that_names_init_and_status_2(site: Site) -> None:
    bare = Site.in_folder(site.folder / "bare")
    status, line = refusal(bare, *SERVE)
    assert status == 2
    assert "warehouse14 init" in line


@pytest.mark.parametrize(
    "command",
    [SERVE, *(pytest.param((name,), marks=pytest.mark.thorough) for name in ("init", "check"))],
    ids=" ".join,
)
def test_a_database_that_does_not_answer_is_one_line_and_status_1(
    site: Site, command: tuple[str, ...]
) -> None:
    """It may only come up later than we do, and who watches over a service starts it again after status 1."""
    place = f"127.0.0.1:{free_port()}"
    site.configure(APP, warehouse14__metadata__url=f"postgresql+psycopg://ada:SECRET@{place}/index")
    status, line = refusal(site, *command)
    assert status == 1
    assert line.startswith("warehouse14: PostgreSQL at 127.0.0.1, database index: ")
    assert "SECRET" not in line


def test_a_port_in_use_is_one_line_and_status_1(server: Server, site: Site) -> None:
    status, line = refusal(site, "serve", "--listen", f"127.0.0.1:{server.port}")
    assert status == 1
    assert "in use" in line
