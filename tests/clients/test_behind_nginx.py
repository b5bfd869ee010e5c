"""Behind a real nginx that ends TLS, under a prefix."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from support.clients import Clients
from support.nginx import Nginx
from support.projects import BuiltProject, build
from support.servers import Server
from support.sites import SERVER, Site

pytestmark = pytest.mark.debian

PREFIX = "/python/index"


@pytest.fixture(scope="module")
def front(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    shared_site.configure(
        SERVER,
        url_prefix=PREFIX,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers="x-forwarded-for x-forwarded-proto x-forwarded-host",
        clear_untrusted_proxy_headers="true",
    )
    folder = tmp_path_factory.mktemp("front") / "nginx"
    with Server(shared_site, prefix=PREFIX) as server, Nginx(server, folder) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def project(front: Nginx, shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> BuiltProject:
    """A project that was published through nginx: its wheel with twine, its sdist with uv."""
    clients = Clients(tmp_path_factory.mktemp("publisher"))
    built = build(tmp_path_factory.mktemp("sources"), "Behind.Nginx", code="where = 'behind'")
    trust = {"REQUESTS_CA_BUNDLE": str(front.authority), "SSL_CERT_FILE": str(front.authority)}
    token = shared_site.tokens["ada"]
    clients.run(
        "twine", "upload", "--non-interactive", "--disable-progress-bar",
        "--repository-url", f"{front.url}/legacy/", "-u", "__token__", "-p", token, built.wheel, **trust,
    ).well()  # fmt: skip
    clients.run(
        "uv", "publish", "--publish-url", f"{front.url}/legacy/", "--token", token, built.sdist, **trust
    ).well()
    return built


@pytest.fixture
def session(front: Nginx, shared_site: Site) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(front.authority)
        session.auth = ("__token__", shared_site.tokens["ada"])
        yield session


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_project_installs_through_nginx(
    front: Nginx, shared_site: Site, project: BuiltProject, clients: Clients, installer: str
) -> None:
    environment = clients.empty_environment("empty")
    install = {"pip": environment.pip, "uv": environment.uv}[installer]
    trust = {"PIP_CERT": str(front.authority), "SSL_CERT_FILE": str(front.authority)}
    install(front.as_account(shared_site.tokens["ada"]), "Behind.Nginx", **trust).well()
    assert environment.says("import behind_nginx; print(behind_nginx.where)") == "behind"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/simple", "/simple/"),
        ("/simple/Behind.Nginx", "/simple/behind-nginx/"),
        ("/simple/behind-nginx", "/simple/behind-nginx/"),
        ("/simple/Behind_Nginx/?format=x", "/simple/behind-nginx/?format=x"),
    ],
)
def test_redirects_keep_https_host_port_and_prefix(
    front: Nginx, project: BuiltProject, session: requests.Session, path: str, target: str
) -> None:
    answer = session.get(front.url + path, allow_redirects=False, timeout=30)
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"] == front.url + target


def test_links_lead_to_the_file_through_nginx(
    front: Nginx, project: BuiltProject, session: requests.Session
) -> None:
    page = session.get(
        f"{front.url}/simple/behind-nginx/",
        headers={"Accept": "application/vnd.pypi.simple.v1+json"},
        timeout=30,
    )
    for file in page.json()["files"]:
        address = requests.compat.urljoin(page.url, file["url"])
        assert address == f"{front.url}/packages/behind-nginx/{file['filename']}"
        path: Path = next(path for path in project.files if path.name == file["filename"])
        assert session.get(address, timeout=30).content == path.read_bytes()


def test_an_address_that_is_a_lie_about_the_proxy_is_not_believed(
    front: Nginx, project: BuiltProject, session: requests.Session
) -> None:
    answer = session.get(
        f"{front.url}/simple",
        allow_redirects=False,
        headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=http"},
        timeout=30,
    )
    assert answer.headers["Location"] == f"{front.url}/simple/"


def test_nobody_is_asked_for_credentials_through_nginx(front: Nginx) -> None:
    answer = requests.get(f"{front.url}/simple/", verify=str(front.authority), timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
