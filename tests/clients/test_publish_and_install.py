"""Publish with twine and uv, install with pip and uv: the whole road, with real clients."""

from collections.abc import Callable
from pathlib import Path

import flit_core
import pytest

from support.clients import Clients, Ended, Environment
from support.projects import BuiltProject, build, quick_wheel, sha256_of
from support.servers import Server
from support.sites import APP, PASSWORD, SERVER, Site
from support.visitors import Visitor

MAKE_A_TOKEN = "Make an API token"
GREETING = "import hello_base; print(hello_base.greeting())"
BOTH = {"hello-base": "1.0", "hello-world": "1.0"}


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> BuiltProject:
    """A project that needs the next."""
    code = "word = 'hello'\n\n\ndef greeting():\n    import hello_world\n\n    return hello_world.greeting()"
    return build(tmp_path_factory.mktemp("base"), "hello-base", needs="hello-world>=1.0", code=code)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> BuiltProject:
    """A project that needs the one before, and whose name is not normalized."""
    code = "import hello_base\n\n\ndef greeting():\n    return hello_base.word + ' world'"
    return build(tmp_path_factory.mktemp("world"), "Hello.World", needs="hello-base>=1.0", code=code)


@pytest.fixture(scope="module")
def shared_site(paired_site: Site) -> Site:
    """The whole road is gone on every pair of engines."""
    return paired_site


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    return Clients(tmp_path_factory.mktemp("publisher"))


@pytest.fixture(scope="module")
def published(
    server: Server, shared_site: Site, publisher: Clients, base: BuiltProject, world: BuiltProject
) -> Server:
    """A server with both projects: one published with twine, the other with uv; ben is a member."""
    token = shared_site.tokens["ada"]
    said = publisher.twine(server.url, token, *base.files).well()
    assert base.wheel.name in said
    publisher.uv_publish(server.url, token, *world.files).well()
    for project in ("hello-base", "hello-world"):
        shared_site.command("project", "grant", project, "account:ben", "member")
    return server


@pytest.fixture
def environment(clients: Clients) -> Environment:
    return clients.empty_environment("empty")


Install = Callable[..., Ended]
INSTALLERS: dict[str, Callable[[Environment], Install]] = {
    "pip": lambda environment: environment.pip,
    "uv": lambda environment: environment.uv,
}
both = pytest.mark.parametrize("installer", INSTALLERS)


def index(server: Server, account: str | None) -> str:
    return server.url if account is None else server.as_account(server.site.tokens[account])


# -- install --------------------------------------------------------------------------


reader = pytest.mark.parametrize("account", ["ada", "ben"], ids=["an admin", "a member"])
outsider = pytest.mark.parametrize("account", ["cleo", None], ids=["a stranger", "nobody"])


@both
@reader
@pytest.mark.parametrize("name", [pytest.param("hello-base", marks=pytest.mark.thorough), "hello-world"])
def test_an_admin_and_a_member_install_two_projects_that_need_each_other(
    published: Server, environment: Environment, installer: str, account: str, name: str
) -> None:
    INSTALLERS[installer](environment)(index(published, account), name).well()
    assert environment.installed() == BOTH
    assert environment.says(GREETING) == "hello world"


@pytest.fixture(scope="session")
def pinned(tmp_path_factory: pytest.TempPathFactory, base: BuiltProject, world: BuiltProject) -> Path:
    """A requirements file with both projects, and the hashes of their files."""
    path = tmp_path_factory.mktemp("pinned") / "requirements.txt"
    path.write_text(base.requirement + world.requirement, encoding="utf-8")
    return path


@both
@reader
def test_an_admin_and_a_member_install_what_has_the_required_hashes(
    published: Server, environment: Environment, pinned: Path, installer: str, account: str
) -> None:
    install = INSTALLERS[installer](environment)
    install(index(published, account), "--require-hashes", "-r", pinned).well()
    assert environment.installed() == BOTH
    assert environment.says(GREETING) == "hello world"


@both
@reader
def test_an_admin_and_a_member_do_not_install_what_has_another_hash(
    published: Server, environment: Environment, tmp_path: Path, installer: str, account: str
) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(f"hello-base==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    install = INSTALLERS[installer](environment)
    said = install(index(published, account), "--require-hashes", "--no-deps", "-r", wrong).badly()
    expected = {"pip": "THESE PACKAGES DO NOT MATCH THE HASHES", "uv": "Hash mismatch for `hello-base==1.0`"}
    assert expected[installer] in said
    assert environment.installed() == {}


@both
@outsider
def test_a_stranger_and_nobody_are_refused_with_the_right_hashes_as_well(
    published: Server, environment: Environment, pinned: Path, installer: str, account: str | None
) -> None:
    install = INSTALLERS[installer](environment)
    said = install(index(published, account), "--require-hashes", "-r", pinned).badly()
    # Without somebody to ask, pip does not say that credentials are missing.
    expected = {
        ("pip", "cleo"): "No matching distribution found for hello-base==1.0",
        ("pip", None): "No matching distribution found for hello-base==1.0",
        ("uv", "cleo"): "hello-base was not found in the package registry",
        ("uv", None): "lack of valid authentication credentials (401 Unauthorized)",
    }
    assert expected[installer, account] in said
    assert ("401" in said) == (installer == "uv" and account is None)
    assert environment.installed() == {}


@both
def test_a_stranger_is_told_that_there_is_nothing(
    published: Server, environment: Environment, installer: str
) -> None:
    said = INSTALLERS[installer](environment)(index(published, "cleo"), "hello-world").badly()
    expected = {
        "pip": "No matching distribution found for hello-world",
        "uv": "hello-world was not found in the package registry",
    }
    assert expected[installer] in said
    assert environment.installed() == {}


@both
def test_nobody_is_told_that_the_credentials_are_missing(
    published: Server, environment: Environment, installer: str
) -> None:
    # pip would ask a person for a user name; here nobody is there to answer.
    said = INSTALLERS[installer](environment)(published.url, "hello-world", PIP_NO_INPUT="").badly()
    expected = {"pip": "User for 127.0.0.1", "uv": "401 Unauthorized"}
    assert expected[installer] in said
    assert environment.installed() == {}


@both
def test_somebody_with_a_wrong_token_is_told_so(
    published: Server, environment: Environment, installer: str
) -> None:
    said = INSTALLERS[installer](environment)(published.as_account("wh14_nonsense"), "hello-world").badly()
    expected = {"pip": "401 Error, Credentials not correct", "uv": "401 Unauthorized"}
    assert expected[installer] in said
    assert environment.installed() == {}


@both
def test_a_public_project_is_installed_by_a_stranger_and_not_by_nobody(
    published: Server, environment: Environment, publisher: Clients, tmp_path: Path, installer: str
) -> None:
    site = published.site
    name = f"open-with-{installer}"
    publisher.twine(published.url, site.tokens["ada"], quick_wheel(tmp_path, name)).well()
    install = INSTALLERS[installer](environment)
    install(index(published, "cleo"), name).badly()
    site.command("project", "set", name, "--public")
    install(published.url, name).badly()
    install(index(published, "cleo"), name, *_refreshing(installer)).well()
    assert environment.installed() == {name: "1.0"}


def _refreshing(installer: str) -> list[str]:
    return ["--refresh"] if installer == "uv" else []


@both
def test_a_token_as_user_name_with_an_empty_password_installs(
    published: Server, environment: Environment, installer: str
) -> None:
    token = published.site.tokens["ben"]
    INSTALLERS[installer](environment)(published.as_account("", user=token), "hello-base").well()
    assert environment.installed() == BOTH


@both
def test_credentials_from_netrc_install(published: Server, environment: Environment, installer: str) -> None:
    netrc = environment.clients.home / ".netrc"
    token = published.site.tokens["ben"]
    netrc.write_text(f"machine 127.0.0.1\nlogin __token__\npassword {token}\n", encoding="utf-8")
    netrc.chmod(0o600)
    INSTALLERS[installer](environment)(published.url, "hello-world").well()
    assert environment.says(GREETING) == "hello world"


def test_credentials_from_the_environment_install_with_uv(
    published: Server, environment: Environment
) -> None:
    environment.clients.run(
        "uv", "pip", "install", "--python", environment.python,
        "--default-index", f"ours={published.url}/simple/", "hello-base",
        UV_INDEX_OURS_USERNAME="__token__", UV_INDEX_OURS_PASSWORD=published.site.tokens["ben"],
    ).well()  # fmt: skip
    assert environment.installed() == BOTH


@both
def test_a_password_does_not_install(published: Server, environment: Environment, installer: str) -> None:
    address = published.as_account(PASSWORD.replace(" ", "%20"), user="ada")
    INSTALLERS[installer](environment)(address, "hello-base").badly()
    assert environment.installed() == {}


@both
def test_a_yanked_file_is_passed_over_unless_it_is_pinned(
    published: Server, environment: Environment, publisher: Clients, tmp_path: Path, installer: str
) -> None:
    site = published.site
    name = f"yanked-for-{installer}"
    old, new = (quick_wheel(tmp_path, name, version) for version in ("1.0", "2.0"))
    publisher.uv_publish(published.url, site.tokens["ada"], old, new).well()
    site.command("file", "yank", name, new.name, "--reason", "It deletes your files")
    install = INSTALLERS[installer](environment)
    install(index(published, "ada"), name).well()
    assert environment.installed() == {name: "1.0"}
    said = install(index(published, "ada"), f"{name}==2.0").well()
    assert environment.installed() == {name: "2.0"}
    assert "It deletes your files" in said


def test_pip_lists_the_versions_of_a_project(
    published: Server, clients: Clients, world: BuiltProject
) -> None:
    said = clients.run(
        "pip", "index", "versions", "--index-url", f"{index(published, 'ben')}/simple/", "hello-world"
    ).well()
    assert "Available versions: 1.0" in said


def test_pip_downloads_a_sdist_and_a_wheel_with_the_published_bytes(
    published: Server, clients: Clients, base: BuiltProject, tmp_path: Path
) -> None:
    # pip asks a sdist for its metadata, for which the sdist asks its build backend.
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/flit_core").symlink_to(Path(flit_core.__file__).parent)
    for path, kind in ((base.wheel, "--only-binary"), (base.sdist, "--no-binary")):
        clients.run(
            "pip", "download", "--no-deps", "--no-build-isolation", kind, ":all:", "-d", tmp_path,
            "--index-url", f"{index(published, 'ben')}/simple/", "hello-base",
            PYTHONPATH=str(tmp_path / "backend"),
        ).well()  # fmt: skip
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_token_for_one_project_installs_that_project_alone(
    published: Server, environment: Environment
) -> None:
    site = published.site
    token = site.mint("ada", "upload", "hello-base")
    environment.uv(published.as_account(token), "--no-deps", "hello-base").well()
    for name in ("hello-world", "hello-base"):
        said = environment.uv(published.as_account(token), "--reinstall", name).badly()
        assert "hello-world was not found in the package registry" in said
    assert environment.installed() == {"hello-base": "1.0"}
    assert Visitor(published, token).projects() == ["hello-base"]


# -- publish --------------------------------------------------------------------------

Publish = Callable[..., Ended]
PUBLISHERS: dict[str, Callable[[Clients], Publish]] = {
    "twine": lambda clients: clients.twine,
    "uv": lambda clients: clients.uv_publish,
}
either = pytest.mark.parametrize("tool", PUBLISHERS)
#: How each is told where to publish, and nothing else, and what it says then.
WITHOUT_CREDENTIALS: dict[str, tuple[list[str], str]] = {
    # Empty ones, as it sends none at all only from a person's keyring.
    "twine": (["upload", "--non-interactive", "-u", "", "-p", "", "--repository-url"], "401"),
    "uv": (["publish", "--publish-url"], "Missing credentials"),
}


def refused(published: Server, clients: Clients, tool: str, token: str, file: Path) -> str:
    """Return what the tool says of a file that is refused; twine shows the body to whom asks for it alone."""
    more = [] if published.kind.passes_the_reason_on or tool != "twine" else ["--verbose"]
    return PUBLISHERS[tool](clients)(published.url, token, *more, file).badly()


@either
def test_the_same_files_again_are_fine(
    published: Server, clients: Clients, base: BuiltProject, tool: str
) -> None:
    token = published.site.tokens["ada"]
    before = Visitor(published, token).page("hello-base").content
    for _ in range(2):
        PUBLISHERS[tool](clients)(published.url, token, *base.files).well()
    assert Visitor(published, token).page("hello-base").content == before


@either
def test_other_bytes_under_a_name_are_refused_as_file_already_exists(
    published: Server, clients: Clients, base: BuiltProject, tmp_path: Path, tool: str
) -> None:
    other = quick_wheel(tmp_path, "hello-base")
    assert other.name == base.wheel.name
    assert sha256_of(other) != sha256_of(base.wheel)
    token = published.site.tokens["ada"]
    said = refused(published, clients, tool, token, other)
    assert "File already exists" in said
    assert "409" in said
    download = Visitor(published, token).get(f"/packages/hello-base/{base.wheel.name}")
    assert download.content == base.wheel.read_bytes()


@either
def test_a_member_may_not_publish_and_is_told_so(
    published: Server, clients: Clients, tmp_path: Path, tool: str
) -> None:
    next_one = quick_wheel(tmp_path, "hello-base", "2.0")
    token = published.site.mint("ben", "upload")
    said = refused(published, clients, tool, token, next_one)
    assert "403" in said
    assert "ben may not upload to the project hello-base" in said


@either
@pytest.mark.parametrize("project", ["hello-base", "open-to-read"])
def test_a_stranger_may_not_publish_to_a_project_of_others_and_is_told_so(
    published: Server, clients: Clients, tmp_path: Path, tool: str, project: str
) -> None:
    site = published.site
    ada = Visitor(published, site.tokens["ada"])
    clients.twine(published.url, site.tokens["ada"], quick_wheel(tmp_path, "open-to-read")).well()
    site.command("project", "set", "open-to-read", "--public")
    before = ada.files(project)
    next_one = quick_wheel(tmp_path, project, "2.0")
    said = refused(published, clients, tool, site.tokens["cleo"], next_one)
    assert "403" in said
    assert f"cleo may not upload to the project {project}" in said
    assert ada.files(project) == before


@either
@pytest.mark.parametrize("project", ["hello-base", "begun-by-nobody"])
def test_a_client_without_credentials_publishes_nothing(
    published: Server, clients: Clients, tmp_path: Path, tool: str, project: str
) -> None:
    ada = Visitor(published, published.site.tokens["ada"])
    before = ada.files(project)
    words, told = WITHOUT_CREDENTIALS[tool]
    wheel = quick_wheel(tmp_path, project, "2.0")
    # Before it says so, uv asks for trusted publishing by https, again and again with pauses.
    said = clients.run(tool, *words, f"{published.url}/legacy/", wheel, UV_HTTP_RETRIES="0").badly()
    assert told in said
    assert ada.files(project) == before


@either
def test_a_token_that_only_reads_may_not_publish(
    published: Server, clients: Clients, tmp_path: Path, tool: str
) -> None:
    next_one = quick_wheel(tmp_path, "hello-base", "2.0")
    said = PUBLISHERS[tool](clients)(published.url, published.site.mint("ada", "read"), next_one).badly()
    assert "403" in said


@either
def test_a_token_for_one_project_publishes_to_it_and_begins_no_other(
    published: Server, clients: Clients, tmp_path: Path, tool: str
) -> None:
    site = published.site
    name = f"limited-{tool}"
    publish = PUBLISHERS[tool](clients)
    publish(published.url, site.tokens["ada"], quick_wheel(tmp_path, name)).well()
    token = site.mint("ada", "upload", name)
    publish(published.url, token, quick_wheel(tmp_path, name, "2.0")).well()
    for other in (f"unlimited-{tool}", "hello-base"):
        assert "403" in publish(published.url, token, quick_wheel(tmp_path, other, "9.0")).badly()


def test_a_password_does_not_publish_and_the_answer_says_to_make_a_token(
    published: Server, clients: Clients, base: BuiltProject
) -> None:
    said = clients.twine(published.url, PASSWORD, base.wheel, user="ada").badly()
    assert "401" in said
    verbose = clients.run(
        "twine", "upload", "--verbose", "--non-interactive", "--disable-progress-bar",
        "--repository-url", f"{published.url}/legacy/", "-u", "ada", "-p", PASSWORD, base.wheel,
    ).badly()  # fmt: skip
    assert MAKE_A_TOKEN in verbose
    said = clients.run(
        "uv", "publish", "--publish-url", f"{published.url}/legacy/",
        "--username", "ada", "--password", PASSWORD, base.wheel,
    ).badly()  # fmt: skip
    assert MAKE_A_TOKEN in said


@either
def test_nobody_publishes_nothing(published: Server, clients: Clients, base: BuiltProject, tool: str) -> None:
    said = PUBLISHERS[tool](clients)(published.url, "wh14_nonsense", base.wheel).badly()
    assert "401" in said


@either
def test_the_reason_of_a_refusal_is_shown(
    published: Server, clients: Clients, base: BuiltProject, tmp_path: Path, tool: str
) -> None:
    wrong = tmp_path / base.wheel.name.replace("1.0", "9.0")
    wrong.write_bytes(base.wheel.read_bytes())
    said = PUBLISHERS[tool](clients)(published.url, published.site.tokens["ada"], wrong).badly()
    assert "400" in said
    assert wrong.name in said
    assert "9.0" in said


# -- elsewhere ------------------------------------------------------------------------


def _with_a_prefix_in_the_server(site: Site) -> Site:
    site.configure(SERVER, url_prefix=PREFIX)
    return site


def _with_a_prefix_in_a_pipeline(site: Site) -> Site:
    text = site.ini.read_text(encoding="utf-8").replace(f"[{APP}]", "[app:index]")
    pipeline = "[pipeline:main]\npipeline = prefix index\n\n"
    prefix = f"[filter:prefix]\nuse = egg:PasteDeploy#prefix\nprefix = {PREFIX}\n\n"
    site.ini.write_text(pipeline + prefix + text, encoding="utf-8")
    return site


PREFIX = "/python/index"
PREFIXED = {"the server's": _with_a_prefix_in_the_server, "a pipeline's": _with_a_prefix_in_a_pipeline}


@pytest.mark.parametrize("kind", PREFIXED)
def test_everything_works_below_a_prefix(
    site: Site, clients: Clients, base: BuiltProject, world: BuiltProject, kind: str
) -> None:
    token = site.tokens["ada"]
    with Server(PREFIXED[kind](site), prefix=PREFIX) as server:
        clients.twine(server.url, token, *base.files).well()
        clients.uv_publish(server.url, token, *world.files).well()
        redirect = Visitor(server, token).get("/simple/Hello.World", allow_redirects=False)
        assert redirect.headers["Location"] == f"{server.url}/simple/hello-world/"
        for installer, install in INSTALLERS.items():
            environment = clients.empty_environment(installer)
            install(environment)(server.as_account(token), "Hello.World").well()
            assert environment.says(GREETING) == "hello world"
