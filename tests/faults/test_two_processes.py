"""Two server processes on one site: what happens anywhere is seen by the very next request."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
import requests
from bs4 import BeautifulSoup

from support.servers import Server
from support.sites import PASSWORD, Site, token_id
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

Pair = tuple[Server, Server]

both_ways = pytest.mark.parametrize("first", [0, 1], ids=["on the first", "on the second"])


@pytest.fixture(scope="module")
def shared_site(paired_site: Site) -> Site:
    """Two processes share every pair of engines."""
    return paired_site


@pytest.fixture(scope="module")
def pair(shared_site: Site) -> Iterator[Pair]:
    with Server(shared_site) as one, Server(shared_site) as other:
        yield one, other


class Project:
    """A project with one file, whose page, file and list both processes have answered."""

    def __init__(self, pair: Pair, site: Site, name: str, *, token: str | None = None) -> None:
        self.name = name
        self.site = site
        self.wheel = build_wheel(name, "1.0")
        self.owners = [Visitor(server, token or site.tokens["ada"]) for server in pair]
        self.members = [Visitor(server, site.tokens["ben"]) for server in pair]
        answer = self.owners[0].upload(self.wheel)
        assert answer.status_code == 200, answer.text
        self.look(self.owners)

    def look(self, visitors: list[Visitor]) -> None:
        """Make both processes answer, and so keep, all that can be kept; twice, from the cache too."""
        for visitor in visitors * 2:
            visitor.projects()
            visitor.page(self.name)
            visitor.get(self.path)

    @property
    def path(self) -> str:
        return f"/packages/{self.name}/{self.wheel.filename}"

    def command(self, *words: str) -> None:
        self.site.command(*words)


def statuses(visitors: list[Visitor], path: str) -> list[int]:
    return [visitor.get(path).status_code for visitor in visitors]


def yanks(visitors: list[Visitor], project: str) -> list[object]:
    return [visitor.page(project).json()["files"][0].get("yanked", False) for visitor in visitors]


@both_ways
def test_an_upload_on_one_is_listed_by_the_other(pair: Pair, shared_site: Site, first: int) -> None:
    project = Project(pair, shared_site, f"uploaded-{first}")
    here, there = project.owners[first], project.owners[1 - first]
    second = build_wheel(project.name, "2.0")
    assert here.upload(second).status_code == 200
    assert there.files(project.name) == [project.wheel.filename, second.filename]
    assert there.get(f"/packages/{project.name}/{second.filename}").content == second.content
    third = build_wheel(project.name, "3.0")
    assert there.upload(third).status_code == 200
    assert here.files(project.name) == [project.wheel.filename, second.filename, third.filename]


@both_ways
def test_a_first_upload_on_one_makes_a_project_on_the_other(
    pair: Pair, shared_site: Site, first: int
) -> None:
    name = f"made-{first}"
    here, there = (Visitor(pair[number], shared_site.tokens["ada"]) for number in (first, 1 - first))
    assert name not in there.projects()
    assert there.page(name).status_code == 404
    assert here.upload(build_wheel(name, "1.0")).status_code == 200
    assert name in there.projects()
    assert there.page(name).status_code == 200


def test_an_upload_is_listed_by_the_other_each_of_twenty_times(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "alternating")
    for number in range(20):
        here, there = project.owners[number % 2], project.owners[1 - number % 2]
        built = build_wheel(project.name, f"2.{number}")
        assert here.upload(built).status_code == 200
        assert built.filename in there.files(project.name)


def test_other_bytes_are_refused_by_the_other_at_once(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "once")
    other: BuiltFile = build_wheel(project.name, "1.0", body=b"other = 1\n")
    answer = project.owners[1].upload(other)
    assert answer.status_code == 409
    assert "File already exists" in answer.text


def test_a_yank_and_its_end_are_seen_by_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "yanked")
    project.command("file", "yank", project.name, project.wheel.filename, "--reason", "it bites")
    assert yanks(project.owners, project.name) == ["it bites", "it bites"]
    project.command("file", "unyank", project.name, project.wheel.filename)
    assert yanks(project.owners, project.name) == [False, False]


def test_a_deleted_file_is_gone_from_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "without-file")
    project.command("file", "delete", project.name, project.wheel.filename, "--yes")
    assert statuses(project.owners, project.path) == [404, 404]
    assert [owner.files(project.name) for owner in project.owners] == [[], []]
    answers = [owner.upload(build_wheel(project.name, "1.0", body=b"1")) for owner in project.owners]
    assert [answer.status_code for answer in answers] == [400, 400]


def test_a_deleted_project_is_gone_from_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "gone")
    project.command("project", "delete", project.name, "--yes")
    assert statuses(project.owners, f"/simple/{project.name}/") == [404, 404]
    assert statuses(project.owners, project.path) == [404, 404]
    assert [project.name in owner.projects() for owner in project.owners] == [False, False]
    assert [owner.upload(project.wheel).status_code for owner in project.owners] == [403, 403]


def test_a_grant_and_its_end_are_seen_by_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "shared")
    members = project.members
    project.look(members)
    page = f"/simple/{project.name}/"
    assert statuses(members, page) == [404, 404]
    project.command("project", "grant", project.name, "account:ben", "member")
    assert statuses(members, page) == [200, 200]
    assert statuses(members, project.path) == [200, 200]
    assert [project.name in member.projects() for member in members] == [True, True]
    project.look(members)
    project.command("project", "revoke", project.name, "account:ben")
    assert statuses(members, page) == [404, 404]
    assert statuses(members, project.path) == [404, 404]
    assert [project.name in member.projects() for member in members] == [False, False]


def test_a_raised_role_counts_for_the_next_upload_on_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "raised")
    cleos = [Visitor(server, shared_site.tokens["cleo"]) for server in pair]
    project.command("project", "grant", project.name, "account:cleo", "member")
    assert [cleo.upload(build_wheel(project.name, "2.0")).status_code for cleo in cleos] == [403, 403]
    project.command("project", "grant", project.name, "account:cleo", "admin")
    uploaded = [cleo.upload(build_wheel(project.name, f"{n}.0")) for n, cleo in enumerate(cleos, start=3)]
    assert [answer.status_code for answer in uploaded] == [200, 200]
    project.command("project", "grant", project.name, "account:cleo", "member")
    assert [cleo.upload(build_wheel(project.name, "5.0")).status_code for cleo in cleos] == [403, 403]


def test_a_project_made_public_and_private_is_so_for_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "opened")
    strangers = project.members
    project.look(strangers)
    project.command("project", "set", project.name, "--public")
    assert statuses(strangers, f"/simple/{project.name}/") == [200, 200]
    assert [project.name in stranger.projects() for stranger in strangers] == [True, True]
    project.look(strangers)
    project.command("project", "set", project.name, "--private")
    assert statuses(strangers, f"/simple/{project.name}/") == [404, 404]
    assert statuses(strangers, project.path) == [404, 404]
    assert [project.name in stranger.projects() for stranger in strangers] == [False, False]


def test_a_token_works_on_both_once_minted_and_on_none_once_revoked(pair: Pair, shared_site: Site) -> None:
    token = shared_site.command("token", "mint", "ada", "--name", "short", "--scope", "upload").strip()
    visitors = [Visitor(server, token) for server in pair]
    project = Project(pair, shared_site, "minted", token=token)
    assert statuses(visitors, project.path) == [200, 200]
    shared_site.command("token", "revoke", token_id(token))
    assert statuses(visitors, project.path) == [401, 401]
    assert statuses(visitors, "/simple/") == [401, 401]
    assert [visitor.upload(project.wheel).status_code for visitor in visitors] == [401, 401]


def test_an_account_is_nobody_on_both_while_it_is_disabled(pair: Pair, shared_site: Site) -> None:
    shared_site.command("account", "add", "dora", "--password-stdin", typed="a long password of dora")
    token = shared_site.mint("dora")
    visitors = [Visitor(server, token) for server in pair]
    project = Project(pair, shared_site, "of-dora", token=token)
    shared_site.command("account", "disable", "dora")
    assert statuses(visitors, project.path) == [401, 401]
    assert statuses(visitors, "/simple/") == [401, 401]
    shared_site.command("account", "enable", "dora")
    assert statuses(visitors, project.path) == [200, 200]
    assert statuses(visitors, f"/simple/{project.name}/") == [200, 200]


def test_a_page_that_did_not_change_keeps_its_etag_on_both(pair: Pair, shared_site: Site) -> None:
    project = Project(pair, shared_site, "steady")
    etags = {owner.page(project.name).headers["ETag"] for owner in project.owners}
    assert len(etags) == 1
    Project(pair, shared_site, "another-than-steady")
    assert {owner.page(project.name).headers["ETag"] for owner in project.owners} == etags
    project.owners[1].upload(build_wheel(project.name, "2.0"))
    changed = {owner.page(project.name).headers["ETag"] for owner in project.owners}
    assert len(changed) == 1
    assert changed != etags


# -- in browsers ----------------------------------------------------------------------------


class Browser:
    """Somebody with one browser, which takes its cookies to both servers: they have one host."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, server: Server, path: str) -> requests.Response:
        return self._session.get(server.url + path, allow_redirects=False, timeout=60)

    def copy(self) -> "Browser":
        """Return another with the same cookies."""
        other = Browser()
        other._session.cookies.update(self._session.cookies)
        return other

    def send(self, server: Server, page: str, to: str = "", **fields: str) -> requests.Response:
        """Send a form of ``page``, to that page itself if ``to`` names no other address."""
        form = BeautifulSoup(self.get(server, page).text, "html.parser").select_one("input[name=csrf_token]")
        assert form is not None, f"{page} has no form"
        data = {"csrf_token": str(form["value"]), **fields}
        return self._session.post(server.url + (to or page), data=data, allow_redirects=False, timeout=60)

    def sign_in(self, server: Server, name: str, password: str = PASSWORD) -> int:
        return self.send(server, "/login", name=name, password=password).status_code

    def is_signed_in(self, server: Server) -> bool:
        return self.get(server, "/account/").status_code == 200


def signed_in(server: Server, name: str) -> Browser:
    browser = Browser()
    assert browser.sign_in(server, name) == 303
    return browser


def new_account(site: Site, name: str, *, administrator: bool = False) -> str:
    with site.library() as warehouse:
        warehouse.accounts.add(warehouse.operator(), name, password=PASSWORD, administrator=administrator)
    return name


@both_ways
def test_a_session_begins_and_ends_for_both(pair: Pair, shared_site: Site, first: int) -> None:
    here, there = pair[first], pair[1 - first]
    browser = signed_in(here, "ada")
    assert [browser.is_signed_in(server) for server in (there, here)] == [True, True]
    # Whoever signs out gives the cookie back.
    with_the_cookie = browser.copy()
    assert browser.send(there, "/account/", "/logout").status_code == 303
    assert [with_the_cookie.is_signed_in(server) for server in (here, there)] == [False, False]


@both_ways
def test_a_new_password_ends_the_sessions_at_the_other(pair: Pair, shared_site: Site, first: int) -> None:
    here, there = pair[first], pair[1 - first]
    name = new_account(shared_site, f"fay-{first}")
    one, other = signed_in(here, name), signed_in(there, name)
    assert one.is_signed_in(here)
    new = {"password": "another long password", "again": "another long password"}
    assert other.send(there, "/account/@@password", old_password=PASSWORD, **new).status_code == 303
    assert not one.is_signed_in(here)
    assert other.is_signed_in(here)
    assert Browser().sign_in(here, name) == 403
    assert Browser().sign_in(here, name, "another long password") == 303


@both_ways
def test_failed_sign_ins_on_one_slow_the_next_on_the_other(pair: Pair, shared_site: Site, first: int) -> None:
    here, there = pair[first], pair[1 - first]
    name = new_account(shared_site, f"gus-{first}")
    browser = Browser()
    assert [browser.sign_in(here, name, "wrong") for _ in range(5)] == [403] * 5
    # Each wait is twice the last one: on a slow machine the first may be over, but not all four.
    assert any(browser.sign_in(there, name, "wrong") == 429 for _ in range(4))


# -- made in the pages of one -----------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A form of a project's pages, and what both servers must show once it was sent.

    ``FILE`` stands for the name of the project's one file. The form is sent to its own page, or ``to``
    another one.
    """

    page: str
    fields: Mapping[str, str]
    shown: Callable[[Project], list[object]]
    after: object
    to: str = ""

    def send(self, browser: Browser, server: Server, project: Project) -> None:
        filename = project.wheel.filename
        fields = {name: value.replace("FILE", filename) for name, value in self.fields.items()}
        page, to = (
            f"/projects/{project.name}/{path.replace('FILE', filename)}"
            for path in (self.page, self.to or self.page)
        )
        assert browser.send(server, page, to, **fields).status_code == 303


def yanked(project: Project) -> list[object]:
    return yanks(project.owners, project.name)


def listed(project: Project) -> list[object]:
    files = [owner.files(project.name) for owner in project.owners]
    return list(zip(statuses(project.owners, project.path), files, strict=True))


def read_by_a_member(project: Project) -> list[object]:
    page, file = (statuses(project.members, path) for path in (f"/simple/{project.name}/", project.path))
    names = [project.name in member.projects() for member in project.members]
    return list(zip(page, file, names, strict=True))


SEEN, UNSEEN = (200, 200, True), (404, 404, False)
CHANGES = {
    "yanked": [
        Change("1.0/FILE/@@yank", {"reason": "it bites"}, yanked, "it bites"),
        Change("1.0/FILE/@@unyank", {}, yanked, False),
    ],
    "deleted": [Change("1.0/FILE/@@delete", {"confirm": "FILE"}, listed, (404, []))],
    "granted": [
        Change("@@people", {"name": "ben", "role": "member"}, read_by_a_member, SEEN),
        Change("@@people", {"principal": "account:ben"}, read_by_a_member, UNSEEN, to="@@revoke"),
    ],
    "opened": [
        Change("@@settings", {"access": "public"}, read_by_a_member, SEEN),
        Change("@@settings", {"access": "private"}, read_by_a_member, UNSEEN),
    ],
}


@both_ways
@pytest.mark.parametrize("kind", CHANGES)
def test_what_is_changed_in_the_pages_of_one_is_shown_by_both(
    pair: Pair, shared_site: Site, kind: str, first: int
) -> None:
    browser = signed_in(pair[first], "ada")
    project = Project(pair, shared_site, f"{kind}-in-a-page-{first}")
    for change in CHANGES[kind]:
        project.look([*project.owners, *project.members])
        change.send(browser, pair[first], project)
        assert change.shown(project) == [change.after] * 2


@both_ways
def test_a_token_of_a_page_works_on_both_until_it_is_revoked_there(
    pair: Pair, shared_site: Site, first: int
) -> None:
    here = pair[first]
    browser = signed_in(here, "ada")
    made = browser.send(here, "/account/", "/account/@@token", name="short", scope="upload", days="7")
    (token,) = set(re.findall("wh14_[A-Za-z0-9_-]{20,}", made.text))
    project = Project(pair, shared_site, f"minted-in-a-page-{first}", token=token)
    assert statuses(project.owners, project.path) == [200, 200]
    assert browser.send(here, "/account/", f"/account/tokens/{token_id(token)}/@@revoke").status_code == 303
    assert statuses(project.owners, project.path) == [401, 401]


@both_ways
def test_an_account_that_is_disabled_in_a_page_is_nobody_on_both(
    pair: Pair, shared_site: Site, first: int
) -> None:
    here = pair[first]
    root = signed_in(here, new_account(shared_site, f"root-{first}", administrator=True))
    name = new_account(shared_site, f"hal-{first}")
    browser = signed_in(pair[1 - first], name)
    project = Project(pair, shared_site, f"of-{name}", token=shared_site.mint(name))
    for deed, status, is_in in (("disable", 401, False), ("enable", 200, False)):
        assert root.send(here, "/admin/", f"/admin/accounts/{name}/@@{deed}").status_code == 303
        assert statuses(project.owners, project.path) == [status] * 2
        assert [browser.is_signed_in(server) for server in pair] == [is_in] * 2
