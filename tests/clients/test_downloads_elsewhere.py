"""Downloads that come from the store: rights are judged here, bytes are sent there."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from support.backends import Pair
from support.clients import Clients
from support.projects import quick_wheel
from support.servers import Server
from support.sites import APP, Site
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

BUILT = build_wheel("elsewhere", "1.0", extra_members={"elsewhere/noise": os.urandom(100_000)})
PATH = f"/packages/elsewhere/{BUILT.filename}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    with Pair("postgresql", "localstack").opened(request.getfixturevalue) as backends:
        yield Site.in_folder(tmp_path_factory.mktemp("elsewhere") / "site", backends).prepare()


@pytest.fixture(scope="module")
def redirecting(site: Site) -> Iterator[Server]:
    with Server(site) as server:
        assert Visitor(server, site.tokens["ada"]).upload(BUILT).status_code == 200
        yield server


@pytest.fixture(scope="module")
def proxying(site: Site, redirecting: Server) -> Iterator[Server]:
    """Another server on the same site, that sends everything itself."""
    with ExitStack() as stack:
        site.configure(APP, warehouse14__files__downloads="proxy")
        yield stack.enter_context(Server(site))


def ask(server: Server, token: str | None, method: str = "GET", **headers: str) -> requests.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    return requests.request(method, f"{server.url}{PATH}", headers=given, allow_redirects=False, timeout=30)


def test_a_reader_is_sent_to_the_store_which_asks_for_nothing_more(redirecting: Server) -> None:
    answer = ask(redirecting, redirecting.site.tokens["ada"])
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    address = answer.headers["Location"]
    assert address.startswith(redirecting_endpoint(redirecting))
    sent = requests.get(address, timeout=30)
    assert sent.content == BUILT.content
    assert sent.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{BUILT.filename}"
    part = requests.get(address, headers={"Range": "bytes=-5"}, timeout=30)
    assert (part.status_code, part.content) == (206, BUILT.content[-5:])


def redirecting_endpoint(server: Server) -> str:
    line = next(line for line in server.site.ini.read_text().splitlines() if "files.endpoint_url" in line)
    return line.partition("=")[2].strip()


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_twine_published_is_installed_from_the_store(
    redirecting: Server, clients: Clients, tmp_path: Path, installer: str
) -> None:
    token = redirecting.site.tokens["ada"]
    wheel = quick_wheel(tmp_path, f"from-the-store-{installer}")
    clients.twine(redirecting.url, token, wheel).well()
    environment = clients.empty_environment("empty")
    environment.install(installer, redirecting.as_account(token), f"from-the-store-{installer}").well()
    assert environment.installed() == {f"from-the-store-{installer}": "1.0"}


def test_others_are_sent_nowhere(redirecting: Server) -> None:
    assert ask(redirecting, None).status_code == 401
    stranger = ask(redirecting, redirecting.site.tokens["cleo"])
    assert stranger.status_code == 404
    assert "Location" not in stranger.headers


def test_an_address_is_in_no_log(redirecting: Server) -> None:
    ask(redirecting, redirecting.site.tokens["ada"])
    assert "X-Amz-Signature" not in redirecting.log()


def test_what_the_client_has_is_not_sent_again(redirecting: Server) -> None:
    token = redirecting.site.tokens["ada"]
    head = ask(redirecting, token, "HEAD")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(BUILT.content)))
    assert head.headers["Accept-Ranges"] == "bytes"
    assert ask(redirecting, token, If_None_Match=head.headers["ETag"]).status_code == 304


def test_core_metadata_come_from_here(redirecting: Server) -> None:
    token = redirecting.site.tokens["ada"]
    answer = requests.get(
        f"{redirecting.url}{PATH}.metadata",
        headers={"Authorization": f"Bearer {token}"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 200
    assert answer.text.startswith("Metadata-Version: ")


def test_a_site_that_sends_everything_itself_needs_no_store_in_reach_of_its_clients(proxying: Server) -> None:
    token = proxying.site.tokens["ada"]
    whole = ask(proxying, token)
    assert (whole.status_code, whole.content) == (200, BUILT.content)
    part = ask(proxying, token, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, BUILT.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(BUILT.content)}"
    assert ask(proxying, None).status_code == 401
