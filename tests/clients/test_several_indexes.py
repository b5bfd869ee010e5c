"""Two indexes in one process, each below a path of its own: the ini that docs/running.md shows."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin

import pytest

from support.clients import Clients
from support.projects import BuiltProject, build, quick_wheel
from support.servers import Server, free_port
from support.sites import REPOSITORY, SERVER, Site, token_id
from support.visitors import SIMPLE_JSON, Visitor

pytestmark = pytest.mark.thorough

_INI = re.compile(r"^```ini\n(\[composite:main\]\n.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"--publish-url (\S+)/legacy/ ")
_PASSWORD = re.compile(r"^ +password +\S+$", re.MULTILINE)

PREFIX = "/python/index"
#: Whom each index knows. Both have an ada, and they are two people.
ACCOUNTS = {"one": ("ada", "ben"), "two": ("ada", "eve")}


@dataclass(frozen=True)
class Index:
    """One of the indexes: its section of the ini, where it is served, and what ``init`` said."""

    site: Site
    server: Server
    welcome: str

    def visitor(self, account: str) -> Visitor:
        """Return somebody with a token of this index."""
        return Visitor(self.server, self.site.tokens[account])

    def visitor_with_token_of(self, other: "Index") -> Visitor:
        """Return somebody who brings the token of the other index's ada."""
        return Visitor(self.server, other.site.tokens["ada"])

    def address(self, account: str) -> str:
        """Return where clients go, with credentials in it."""
        return self.server.as_account(self.site.tokens[account])


Indexes = dict[str, Index]


def _site_of_the_documentation(folder: Path) -> Site:
    found = _INI.search((REPOSITORY / "docs/running.md").read_text(encoding="utf-8"))
    assert found is not None, "docs/running.md shows no composite"
    site = Site(folder)
    site.ini.write_text(found[1], encoding="utf-8")
    return site


def _section(site: Site, name: str) -> Site:
    """Return the same site, whose commands go to one section of the ini."""
    section = Site(site.folder)
    section.ini = Path(f"{site.ini}#{name}")
    return section


def _prepared(section: Site, name: str, server: Server) -> Index:
    welcome = section.command("init", "--listen", f"127.0.0.1:{server.port}")
    for account in ACCOUNTS[name]:
        section.command("account", "add", account)
        minted = section.command("token", "mint", account, "--name", "a test", "--scope", "upload")
        section.tokens[account] = minted.strip()
    return Index(section, server, welcome)


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    """Both indexes, prepared, and served by one process."""
    site = _site_of_the_documentation(tmp_path_factory.mktemp("site"))
    port = free_port()
    servers = {name: Server(site, port=port, prefix=f"/{name}") for name in ACCOUNTS}
    prepared = {name: _prepared(_section(site, name), name, server) for name, server in servers.items()}
    with servers["one"]:
        yield prepared


@pytest.fixture(scope="module")
def prefixed(indexes: Indexes) -> Iterator[Indexes]:
    """The same indexes, served by another process, whose ini names a prefix."""
    site = Site(indexes["one"].site.folder)
    site.ini = site.folder / "prefixed.ini"
    shutil.copy(site.folder / "development.ini", site.ini)
    site.configure(SERVER, url_prefix=PREFIX)
    port = free_port()
    servers = {name: Server(site, port=port, prefix=f"{PREFIX}/{name}") for name in indexes}
    with servers["one"]:
        yield {name: replace(index, server=servers[name]) for name, index in indexes.items()}


@pytest.fixture(params=["indexes", "prefixed"], ids=["by themselves", "below a prefix"])
def wherever(request: pytest.FixtureRequest) -> Indexes:
    """The indexes, below their own paths alone and then below a prefix of the server."""
    found: Indexes = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def project(indexes: Indexes, tmp_path_factory: pytest.TempPathFactory) -> BuiltProject:
    """A project that twine published to the first index, by its ada."""
    built = build(tmp_path_factory.mktemp("sources"), "Only.One", code="where = 'one'")
    one = indexes["one"]
    clients = Clients(tmp_path_factory.mktemp("publisher"))
    clients.twine(one.server.url, one.site.tokens["ada"], *built.files).well()
    return built


@pytest.fixture(scope="module")
def wheel_of_two(indexes: Indexes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the project only-two that twine published to the second index, by its eve."""
    two = indexes["two"]
    two.site.command("project", "create", "only-two", "--admin", "eve")
    wheel = quick_wheel(tmp_path_factory.mktemp("wheel"), "only-two")
    clients = Clients(tmp_path_factory.mktemp("publisher"))
    clients.twine(two.server.url, two.site.tokens["eve"], wheel).well()
    return wheel


def test_both_are_well_and_say_their_own_addresses(wherever: Indexes) -> None:
    for index in wherever.values():
        assert index.server.is_well()
        door = Visitor(index.server).get("/").text
        assert f"install from <code>{index.server.url}/simple/</code>" in door
        assert f"publish to <code>{index.server.url}/legacy/</code>" in door


def test_what_init_prints_is_where_each_is_served(indexes: Indexes) -> None:
    for index in indexes.values():
        assert _PRINTED.findall(index.welcome) == [index.server.url]
        assert f"--ini {index.site.ini} token mint" in index.welcome.replace("'", "")


def test_each_has_a_first_administrator_of_its_own(indexes: Indexes) -> None:
    passwords = [_PASSWORD.findall(index.welcome) for index in indexes.values()]
    assert [len(found) for found in passwords] == [1, 1]
    assert passwords[0] != passwords[1]


def test_what_is_published_to_one_is_not_in_the_other(
    indexes: Indexes, project: BuiltProject, wheel_of_two: Path
) -> None:
    one, two = indexes["one"].visitor("ada"), indexes["two"].visitor("eve")
    assert "only-one" in one.projects()
    assert sorted(one.files("only-one")) == sorted(path.name for path in project.files)
    assert "only-one" not in two.projects()
    assert two.page("only-one").status_code == 404
    assert two.get(f"/packages/only-one/{project.wheel.name}").status_code == 404
    assert two.files("only-two") == [wheel_of_two.name]
    assert one.page("only-two").status_code == 404


def test_a_token_of_one_is_none_at_the_other(
    indexes: Indexes, project: BuiltProject, clients: Clients, tmp_path: Path
) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        stranger = indexes[name].visitor_with_token_of(indexes[other])
        for path in ("/simple/", "/simple/only-one/", f"/packages/only-one/{project.wheel.name}"):
            assert stranger.get(path).status_code == 401, (name, path)
        wheel = quick_wheel(tmp_path, f"taken-to-{name}")
        said = clients.twine(indexes[name].server.url, indexes[other].site.tokens["ada"], wheel).badly()
        assert "401" in said
        assert f"taken-to-{name}" not in indexes[name].visitor("ada").projects()


def test_what_is_published_below_a_prefix_is_in_the_same_index(
    indexes: Indexes, prefixed: Indexes, clients: Clients, tmp_path: Path
) -> None:
    one = prefixed["one"]
    wheel = quick_wheel(tmp_path, "through-the-prefix")
    clients.twine(one.server.url, one.site.tokens["ben"], wheel).well()
    assert indexes["one"].visitor("ben").files("through-the-prefix") == [wheel.name]
    assert "through-the-prefix" not in prefixed["two"].visitor("ada").projects()


def test_the_setting_of_one_section_is_not_the_others(
    indexes: Indexes, clients: Clients, tmp_path: Path
) -> None:
    """Only the first creates a project with its first upload."""
    two = indexes["two"]
    said = clients.twine(two.server.url, two.site.tokens["eve"], quick_wheel(tmp_path, "new-in-two")).badly()
    assert "403" in said


def test_one_name_may_be_in_both_with_other_bytes(indexes: Indexes, clients: Clients, tmp_path: Path) -> None:
    contents = {}
    indexes["two"].site.command("project", "create", "in-both", "--admin", "eve")
    for name, account in (("one", "ben"), ("two", "eve")):
        built = build(tmp_path / name, "in-both", code=f"where = {name!r}")
        index = indexes[name]
        clients.twine(index.server.url, index.site.tokens[account], built.wheel).well()
        contents[name] = index.visitor(account).get(f"/packages/in-both/{built.wheel.name}").content
        assert contents[name] == built.wheel.read_bytes()
    assert contents["one"] != contents["two"]


@pytest.mark.parametrize("accept", ["text/html", SIMPLE_JSON])
def test_the_links_of_a_page_stay_below_its_path(
    wherever: Indexes, project: BuiltProject, accept: str
) -> None:
    one = wherever["one"]
    page = one.visitor("ada").get("/simple/only-one/", headers={"Accept": accept})
    if accept == SIMPLE_JSON:
        links = [file["url"] for file in page.json()["files"]]
    else:
        links = re.findall(r'href="([^"#]+)', page.text)
    found = {urljoin(page.url, link) for link in links}
    assert found == {f"{one.server.url}/packages/only-one/{path.name}" for path in project.files}


def test_a_redirect_stays_below_the_path(wherever: Indexes, project: BuiltProject) -> None:
    for name, path, target in (
        ("one", "/simple/Only.One", "/simple/only-one/"),
        ("one", "/simple", "/simple/"),
        ("two", "/simple", "/simple/"),
    ):
        index = wherever[name]
        answer = index.visitor("ada").get(path, allow_redirects=False)
        assert answer.headers["Location"] == index.server.url + target


def test_pip_downloads_from_one_and_finds_nothing_in_the_other(
    wherever: Indexes, project: BuiltProject, clients: Clients, tmp_path: Path
) -> None:
    words = ["download", "--no-deps", "--dest", tmp_path / "got"]
    one, two = (f"{wherever[name].address('ada')}/simple/" for name in ("one", "two"))
    clients.run("pip", *words, "--index-url", one, "Only.One").well()
    assert (tmp_path / "got" / project.wheel.name).read_bytes() == project.wheel.read_bytes()
    said = clients.run("pip", *words, "--index-url", two, "Only.One").badly()
    assert "No matching distribution found for Only.One" in said


def test_pip_takes_from_both_at_once_with_a_token_for_each(
    indexes: Indexes, project: BuiltProject, wheel_of_two: Path, clients: Clients, tmp_path: Path
) -> None:
    clients.run(
        "pip", "download", "--no-deps", "--dest", tmp_path / "got",
        "--index-url", f"{indexes['one'].address('ada')}/simple/",
        "--extra-index-url", f"{indexes['two'].address('eve')}/simple/", "Only.One", "only-two",
    ).well()  # fmt: skip
    got = sorted(path.name for path in (tmp_path / "got").iterdir())
    assert got == sorted([project.wheel.name, wheel_of_two.name])


def _rows(folder: Path, table: str) -> set[str]:
    with closing(sqlite3.connect(folder / "warehouse14.sqlite")) as database:
        return {name for (name,) in database.execute(f"SELECT name FROM {table}")}  # noqa: S608


def test_the_databases_and_the_files_stay_apart(
    indexes: Indexes, project: BuiltProject, wheel_of_two: Path
) -> None:
    var = indexes["one"].site.folder / "var"
    assert sorted(path.name for path in var.iterdir()) == sorted(indexes)
    for name, other, accounts, wheel in (
        ("one", "two", {"admin", "ada", "ben"}, project.wheel),
        ("two", "one", {"admin", "ada", "eve"}, wheel_of_two),
    ):
        assert _rows(var / name, "accounts") == accounts
        assert f"only-{name}" in _rows(var / name, "projects")
        assert f"only-{other}" not in _rows(var / name, "projects")
        assert list((var / name / "files").rglob(wheel.name))
        assert not list((var / other / "files").rglob(wheel.name))
    secrets = {(var / name / "secret").read_text(encoding="ascii") for name in indexes}
    assert len(secrets) == 2


def test_a_command_reaches_the_section_that_it_names(indexes: Indexes, project: BuiltProject) -> None:
    one, two = indexes["one"].site, indexes["two"].site
    assert "ben" in one.command("account", "list")
    assert "eve" not in one.command("account", "list")
    assert "eve" in two.command("account", "list")
    assert "ben" not in two.command("account", "list")
    assert project.wheel.name in one.command("file", "list", "only-one")
    assert two.run("file", "list", "only-one").returncode == 1
    for site in (one, two):
        site.command("check", "--digests")


def test_a_command_that_names_no_section_is_told_which_there_are(indexes: Indexes) -> None:
    whole = indexes["one"].server.site.run("account", "list")
    assert (whole.returncode, whole.stdout) == (2, "")
    assert "[app:one], [app:two], which --ini FILE#SECTION chooses" in whole.stderr


def test_a_token_that_is_revoked_in_one_opens_nothing_at_the_next_request(indexes: Indexes) -> None:
    one, two = indexes["one"], indexes["two"]
    mint = ("token", "mint", "ada", "--name", "a guest")
    minted = [index.site.command(*mint).strip() for index in (one, two)]
    guests = [Visitor(index.server, token) for index, token in zip((one, two), minted, strict=True)]
    assert [guest.get("/simple/").status_code for guest in guests] == [200, 200]
    one.site.command("token", "revoke", token_id(minted[0]))
    assert [guest.get("/simple/").status_code for guest in guests] == [401, 200]


def test_a_section_is_served_alone_without_its_path(indexes: Indexes, project: BuiltProject) -> None:
    for name, index in indexes.items():
        with Server(index.site) as alone:
            visitor = Visitor(alone, index.site.tokens["ada"])
            assert ("only-one" in visitor.projects()) == (name == "one")
            assert visitor.get(f"/{name}/simple/").status_code == 404


def test_a_path_of_neither_is_not_found_and_the_answer_names_the_paths(indexes: Indexes) -> None:
    one = indexes["one"]
    above = Visitor(Server(one.site, port=one.server.port))
    for path in ("/", "/three/simple/", "/simple/", "/onesimple/", "/One/simple/"):
        answer = above.get(path)
        assert answer.status_code == 404, path
        assert "/one" in answer.text
        assert "/two" in answer.text
