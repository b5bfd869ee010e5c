"""The road of a file through a function: twine, pip, uv and a browser, at each kind of front end."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from aws_lambda.publishing import noise, publish
from support.clients import Clients
from support.front_ends import KINDS, FrontEnd
from support.functions import Function, variables_of
from support.projects import build
from support.sites import PASSWORD, Site
from support.visitors import Visitor

#: Each way into the function: one that has events of format 2.0, and one of format 1.0, by make test.
_WAYS = [
    pytest.param(kind, marks=[] if kind in {"function-url", "rest-api"} else [pytest.mark.thorough])
    for kind in KINDS
]


@pytest.fixture(scope="module")
def remote_function(remote_site: Site) -> Iterator[Function]:
    """The function on that site, in two processes."""
    with Function(variables_of(remote_site), processes=2) as function:
        yield function


@pytest.fixture(params=_WAYS)
def front(request: pytest.FixtureRequest, remote_function: Function) -> Iterator[FrontEnd]:
    with FrontEnd(request.param, remote_function) as front:
        yield front


def test_what_twine_publishes_pip_and_uv_install(
    front: FrontEnd, remote_site: Site, clients: Clients, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = f"through-{request.node.callspec.params['front']}"
    built = build(tmp_path, name, code="WORD = 'ßŒ'")
    token = remote_site.tokens["ada"]
    clients.twine(front.url, token, *built.files).well()
    for installer in ("pip", "uv"):
        environment = clients.empty_environment(installer)
        environment.install(installer, front.as_account(token), name).well()
        assert environment.installed() == {name: "1.0"}
    assert Visitor(front, remote_site.tokens["cleo"]).page(name).status_code == 404


def test_a_file_comes_up_to_the_limit_of_the_platform_and_beyond_it_the_platform_answers(
    front: FrontEnd, remote_site: Site, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["front"]
    most, beyond = (700_000, 800_000) if kind.startswith("load-balancer") else (4_500_000, 4_800_000)
    ada = Visitor(front, remote_site.tokens["ada"])
    large = noise(f"large-{kind}", most)
    answer = ada.upload(large)
    assert answer.status_code == 200, answer.text
    assert ada.get(f"/packages/large-{kind}/{large.filename}").content == large.content
    assert ada.upload(noise(f"larger-{kind}", beyond)).status_code == 413


def test_a_file_that_is_larger_than_any_answer_comes_from_the_store(
    front: FrontEnd, remote_site: Site, request: pytest.FixtureRequest
) -> None:
    name = f"huge-{request.node.callspec.params['front']}"
    huge = noise(name, 8 * 1024 * 1024)
    publish(remote_site, huge)
    path = f"/packages/{name}/{huge.filename}"
    ada = Visitor(front, remote_site.tokens["ada"])
    answer = ada.get(path)
    assert (answer.content, [each.status_code for each in answer.history]) == (huge.content, [302])
    assert Visitor(front).get(path).status_code == 401


def test_somebody_signs_in_and_out_in_a_browser(front: FrontEnd) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(f"{front.url}/account/", timeout=30)
        assert page.url.startswith(f"{front.url}/login?next=")
        form = {"name": "ada", "password": PASSWORD, "csrf_token": csrf(page), "next": "/account/"}
        home = browser.post(f"{front.url}/login", data=form, timeout=30)
        assert (home.status_code, home.url) == (200, f"{front.url}/account/")
        assert "ada" in home.text
        browser.post(f"{front.url}/logout", data={"csrf_token": csrf(home)}, timeout=30)
        assert browser.get(f"{front.url}/account/", timeout=30).url.startswith(f"{front.url}/login")


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "shown"), [("http-api", "4.5 MB"), ("load-balancer", "700 kB")])
def test_a_page_that_says_how_to_publish_says_from_which_size_on_there_is_another_way(
    remote_site: Site, remote_function: Function, kind: str, shown: str
) -> None:
    remote_site.command("project", "create", f"empty-{kind}", "--admin", "ada")
    with FrontEnd(kind, remote_function) as front, requests.Session() as browser:
        browser.trust_env = False
        form = {"name": "ada", "password": PASSWORD, "next": f"/projects/empty-{kind}/"}
        form["csrf_token"] = csrf(browser.get(f"{front.url}/login", timeout=30))
        page = browser.post(f"{front.url}/login", data=form, timeout=30)
        assert f"Files over {shown} fit into no request of twine and uv here." in page.text
        assert f"warehouse14 upload --url {front.url} dist/*" in page.text


def csrf(page: requests.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]
