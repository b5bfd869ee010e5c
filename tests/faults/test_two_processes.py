"""Two server processes on one SQLite file: what happens anywhere is seen by the very next request."""

from collections.abc import Iterator

import pytest

from support.servers import Server
from support.sites import Site, token_id
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

Pair = tuple[Server, Server]


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


@pytest.mark.parametrize("first", [0, 1], ids=["on the first", "on the second"])
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


@pytest.mark.parametrize("first", [0, 1], ids=["on the first", "on the second"])
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
