"""A site that is being moved: what reads goes on, and nothing changes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.clients import Clients
from support.servers import Server
from support.sites import APP, PASSWORD, Site
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

WHEEL = build_wheel("moving", "1.0")
NEXT = build_wheel("moving", "2.0")
LEFT = build_wheel("moving", "0.1")


@pytest.fixture(scope="module")
def still(shared_site: Site) -> Iterator[Server]:
    """A server on a site with one file, and what is left of another, which changes nothing any more."""
    with Server(shared_site) as server:
        for wheel in (LEFT, WHEEL):
            assert Visitor(server, shared_site.tokens["ada"]).upload(wheel).status_code == 200
    shared_site.command("file", "delete", "moving", LEFT.filename, "--yes")
    shared_site.configure(APP, warehouse14__read_only="true")
    with Server(shared_site) as server:
        yield server


def everything(site: Site) -> object:
    """Return the database, as far as rows go, and the keys of all blobs."""
    with site.library() as warehouse, warehouse.units.read() as unit:
        state = (
            unit.journal.since(0, 1000),
            unit.accounts.all(),
            unit.tokens.of(unit.accounts.all()[0].name),
        )
    return state, site.blobs()


def test_members_install_and_look_as_before(still: Server, clients: Clients) -> None:
    environment = clients.empty_environment("empty")
    environment.pip(still.as_account(still.site.tokens["ada"]), "moving").well()
    assert environment.installed() == {"moving": "1.0"}
    assert Visitor(still, still.site.tokens["cleo"]).page("moving").status_code == 404


def test_an_upload_is_503_with_a_time_and_a_reason_that_twine_shows(
    still: Server, clients: Clients, tmp_path: Path
) -> None:
    before = everything(still.site)
    answer = Visitor(still, still.site.tokens["ada"]).upload(NEXT)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 60
    assert "changes nothing for now" in answer.text
    path = tmp_path / NEXT.filename
    path.write_bytes(NEXT.content)
    said = clients.twine(still.url, still.site.tokens["ada"], path).badly()
    assert "503" in said
    assert everything(still.site) == before
    # Nothing is wrong with the site, so nobody is woken.
    log = still.log()
    assert "warehouse14.read_only is set" in log
    assert "ERROR" not in log


def test_nobody_signs_in_meanwhile_and_the_page_says_why(still: Server) -> None:
    before = everything(still.site)
    with requests.Session() as browser:
        page = browser.get(f"{still.url}/login", timeout=30)
        assert "This site is being moved" in page.text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        fields = {"csrf_token": found[1], "account": "ada", "password": PASSWORD}
        answer = browser.post(f"{still.url}/login", data=fields, timeout=30)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert everything(still.site) == before


@pytest.mark.parametrize(
    "words",
    [
        ["token", "mint", "ada"],
        ["file", "delete", "moving", WHEEL.filename, "--yes"],
        ["collect", "--older-than", "0"],
        pytest.param(["account", "add", "dora"], marks=pytest.mark.thorough),
        pytest.param(["project", "create", "other", "--admin", "ada"], marks=pytest.mark.thorough),
        pytest.param(["project", "set", "moving", "--public"], marks=pytest.mark.thorough),
        pytest.param(["file", "yank", "moving", WHEEL.filename], marks=pytest.mark.thorough),
    ],
    ids=" ".join,
)
def test_a_command_that_changes_something_is_refused(still: Server, words: list[str]) -> None:
    before = everything(still.site)
    done = still.site.run(*words)
    assert (done.returncode, "changes nothing for now" in done.stderr) == (1, True)
    assert everything(still.site) == before


def test_commands_that_look_and_init_go_on(still: Server) -> None:
    assert "moving" in still.site.command("project", "list")
    assert "0 damaged" in still.site.command("check", "--digests")
    still.site.command("init", "--no-admin")


def test_the_use_of_a_token_is_not_noted_and_nothing_is_said_of_it_in_the_log(still: Server) -> None:
    Visitor(still, still.site.tokens["ben"]).projects()
    assert "failed" not in still.log()
