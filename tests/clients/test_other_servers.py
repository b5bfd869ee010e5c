"""gunicorn and granian in the place of waitress: what a site needs of its server."""

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.clients import Clients
from support.forms import BOUNDARY
from support.projects import quick_wheel
from support.servers import OTHERS, Kind, Server, free_port
from support.sites import APP, SERVER, Site, environment
from support.visitors import Visitor, answer_on, body_of
from support.wheels import StoredWheel
from warehouse14.testing.builders import build_wheel

PREFIX = "/python/index"
BUILT = build_wheel("served", "1.0", extra_members={"served/noise": os.urandom(300_000)})
PATH = f"/packages/served/{BUILT.filename}"


@pytest.fixture(scope="module", params=OTHERS)
def server(
    request: pytest.FixtureRequest, prepared_site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Two processes of a kind, below a prefix and behind a proxy, as the ini says for waitress."""
    site = prepared_site.copy_to(tmp_path_factory.mktemp("other") / "site")
    site.configure(
        SERVER,
        url_prefix=PREFIX,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers="x-forwarded-for x-forwarded-proto",
        clear_untrusted_proxy_headers="true",
    )
    with Server(site, kind=request.param, prefix=PREFIX) as started:
        assert Visitor(started, site.tokens["ada"]).upload(BUILT).status_code == 200
        yield started


@pytest.fixture
def ada(server: Server) -> Visitor:
    return Visitor(server, server.site.tokens["ada"])


def test_what_twine_and_uv_publish_is_installed_by_pip_and_uv(
    server: Server, clients: Clients, tmp_path: Path
) -> None:
    token = server.site.tokens["ada"]
    clients.twine(server.url, token, quick_wheel(tmp_path, "by-twine")).well()
    clients.uv_publish(server.url, token, quick_wheel(tmp_path, "by-uv")).well()
    for installer in ("pip", "uv"):
        empty = clients.empty_environment(installer)
        empty.install(installer, server.as_account(token), "by-twine", "by-uv").well()
        assert empty.installed() == {"by-twine": "1.0", "by-uv": "1.0"}


def test_the_reason_of_a_refusal_is_in_the_body_whatever_the_status_line_says(
    server: Server, ada: Visitor
) -> None:
    answer = ada.upload(BUILT, sha256_digest="0" * 64)
    assert answer.status_code == 400
    assert "sha256" in answer.text
    assert ("sha256" in answer.reason) == server.kind.passes_the_reason_on


@pytest.mark.parametrize("header", [{"X-Forwarded-For": '"x, 192.0.2.1'}, {"X-Forwarded-Proto": "wss"}])
def test_what_a_proxy_cannot_have_meant_is_400_and_nothing_is_published(
    server: Server, ada: Visitor, header: dict[str, str]
) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **header}
    answer = requests.post(
        f"{server.url}/legacy/",
        data=body_of(build_wheel("malformed", "1.0")),
        headers=headers,
        auth=("__token__", server.site.tokens["ada"]),
        timeout=30,
    )
    assert answer.status_code == 400
    assert ada.get("/simple/malformed/").status_code == 404


def test_a_body_in_chunks_is_taken_although_nobody_says_its_length(server: Server) -> None:
    wheel = StoredWheel("in-chunks", 3_000_000)
    answer = requests.post(
        f"{server.url}/legacy/",
        data=iter(wheel),
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        auth=("__token__", server.site.tokens["ada"]),
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    path = f"/packages/in-chunks/{wheel.filename}"
    assert Visitor(server, server.site.tokens["ada"]).get(path).content == b"".join(wheel.content())


def test_a_form_of_a_page_in_chunks_is_411(server: Server) -> None:
    answer = requests.post(
        f"{server.url}/login",
        data=iter([b"name=ada"]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=30,
    )
    assert answer.status_code == 411


@pytest.mark.parametrize(
    ("asked", "status", "wanted"),
    [
        (None, 200, slice(0, None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=1000-", 206, slice(1000, None)),
        ("bytes=0-1,4-5", 200, slice(0, None)),
    ],
)
def test_a_file_comes_whole_and_in_parts(ada: Visitor, asked: str | None, status: int, wanted: slice) -> None:
    answer = ada.get(PATH, headers={"Range": asked} if asked else {})
    assert (answer.status_code, answer.content) == (status, BUILT.content[wanted])
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_answers_without_a_body_are_whole(server: Server, ada: Visitor) -> None:
    beyond = ada.get(PATH, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(BUILT.content)}")
    credentials = {"Authorization": f"Bearer {server.site.tokens['ada']}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("HEAD", PREFIX + PATH, headers=credentials)
    head = connection.getresponse()
    assert (head.status, head.read(), head.headers["Content-Length"]) == (200, b"", str(len(BUILT.content)))
    connection.request("GET", PREFIX + PATH, headers=credentials | {"If-None-Match": head.headers["ETag"]})
    known = connection.getresponse()
    assert (known.status, known.read()) == (304, b"")
    connection.close()


def test_others_get_nothing(server: Server) -> None:
    assert Visitor(server).get(PATH).status_code == 401
    assert Visitor(server, server.site.tokens["cleo"]).get(PATH).status_code == 404


def test_a_change_is_seen_by_the_next_request_whichever_process_answers_it(
    server: Server, ada: Visitor
) -> None:
    for number in range(5):
        assert ada.upload(build_wheel("seen", f"1.{number}")).status_code == 200
        for _ in range(4):
            assert len(ada.files("seen")) == number + 1


def test_the_proxy_in_front_is_believed_as_the_ini_says_and_nobody_else(server: Server, ada: Visitor) -> None:
    said = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
    }
    answer = ada.get("/simple", headers=said, allow_redirects=False)
    assert answer.headers["Location"] == f"{server.url.replace('http:', 'https:')}/simple/"
    server.site.command("token", "revoke", token_of(server, "127.0.0.1/32")[0])
    elsewhere = token_of(server, "192.0.2.0/24")[1]
    assert Visitor(server, elsewhere).get(PATH).status_code == 401
    trusted = Visitor(server, elsewhere).get(PATH, headers={"X-Forwarded-For": "192.0.2.7"})
    assert trusted.status_code == 200


def token_of(server: Server, addresses: str) -> tuple[str, str]:
    words = ("token", "mint", "ada", "--name", "near", "--scope", "read", "--address", addresses)
    text = server.site.command(*words).strip()
    return text.removeprefix("wh14_")[:10], text


#: Requests that could be read in two ways, and what becomes of them: refused, or read in one way, and the
#: connection ends, so that nothing behind them is taken for another request.
HEADS = {
    "with a length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "in chunks of chunks": "Transfer-Encoding: chunked, chunked",
    "with a header on two lines": "Transfer-Encoding: chunked\r\nX: a\r\n b",
    "in a coding that is not understood": "Transfer-Encoding: gzip",
    "with two lengths": "Content-Length: 3\r\nContent-Length: 5",
}


@pytest.mark.parametrize("kind", HEADS)
def test_of_a_head_that_could_be_read_in_two_ways_one_answer_comes_and_nothing_is_smuggled(
    server: Server, kind: str
) -> None:
    head = f"POST {PREFIX}/legacy/ HTTP/1.1\r\nHost: x\r\n{HEADS[kind]}\r\n\r\n"
    behind = f"GET {PREFIX}/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall((head + "0\r\n\r\n" + behind).encode())
        answer = answer_on(connection)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 ", b"HTTP/1.1 501 "))
    assert answer.count(b"HTTP/1.1 ") <= (2 if answer.startswith(b"HTTP/1.1 401 ") else 1)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", OTHERS)
def test_it_ends_well_when_it_is_asked_to(prepared_site: Site, tmp_path: Path, kind: Kind) -> None:
    site = prepared_site.copy_to(tmp_path / "site")
    with Server(site, kind=kind) as server:
        assert Visitor(server, site.tokens["ada"]).upload(BUILT).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        assert "Traceback" not in server.log()
    assert site.damage() == []


@pytest.mark.thorough
@pytest.mark.parametrize("kind", OTHERS)
def test_a_site_that_is_wrong_is_a_line_and_an_end(prepared_site: Site, tmp_path: Path, kind: Kind) -> None:
    site = prepared_site.copy_to(tmp_path / "site")
    site.configure(APP, warehouse14__max_file_byts=1)
    for ini, told in ((site.ini, "warehouse14.max_file_byts"), (tmp_path / "none.ini", "none.ini")):
        done = subprocess.run(
            kind.words(ini, free_port()),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=site.folder,
            env=environment(WAREHOUSE14_INI=str(ini)),
        )
        assert done.returncode != 0
        assert any(line.startswith("warehouse14: ") and told in line for line in done.stderr.splitlines())
