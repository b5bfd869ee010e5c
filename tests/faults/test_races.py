"""Real requests at the same moment: the first of two wins, and the loser leaves nothing."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import requests

from support.servers import Server
from support.sites import Site
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

Outcome = TypeVar("Outcome")
Pair = tuple[Server, Server]
UPLOADERS = 64


@pytest.fixture(scope="module")
def shared_site(paired_site: Site) -> Site:
    """Races are run on every pair of engines."""
    return paired_site


@pytest.fixture(scope="module")
def pair(shared_site: Site) -> Iterator[Pair]:
    with Server(shared_site) as one, Server(shared_site) as other:
        yield one, other


def at_once(works: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Do all of it at the same moment."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], Outcome]) -> Outcome:
        barrier.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def upload_all(pair: Pair, token: str, wheels: Sequence[BuiltFile]) -> list[requests.Response]:
    """Upload all at the same moment, half of them to each server."""
    visitors = [Visitor(pair[number % 2], token) for number in range(len(wheels))]
    return at_once(
        [
            lambda visitor=visitor, wheel=wheel: visitor.upload(wheel)
            for visitor, wheel in zip(visitors, wheels, strict=True)
        ]
    )


def changes(site: Site, action: str, project: str) -> int:
    """Count the journal entries of one action on a project."""
    with site.library() as warehouse, warehouse.units.read() as unit:
        entries = unit.journal.since(0, 10_000)
    return sum(1 for entry in entries if entry.action == action and entry.project == project)


def unlisted(site: Site, project: str) -> set[str]:
    """Return the keys of a project's blobs that no row refers to."""
    with site.library() as warehouse, warehouse.units.read() as unit:
        listed = {key for file in unit.files.of(project) for key in file.keys}
    return {key for key in site.blobs() if key.startswith(f"{project}/")} - listed


@pytest.mark.parametrize(
    "project",
    [
        "contested",
        *(pytest.param(f"contested-{more}", marks=pytest.mark.thorough) for more in ("again", "thrice")),
    ],
)
def test_of_eight_uploads_of_one_name_with_different_bytes_one_wins(
    pair: Pair, shared_site: Site, project: str
) -> None:
    ada = shared_site.tokens["ada"]
    assert Visitor(pair[0], ada).upload(build_wheel(project, "0.1")).status_code == 200
    built = [build_wheel(project, "1.0", body=f"number = {number}\n".encode()) for number in range(8)]
    answers = upload_all(pair, ada, built)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert all("File already exists" in answer.text for answer in answers if answer.status_code == 409)
    winner = built[[answer.status_code for answer in answers].index(200)]
    for server in pair:
        visitor = Visitor(server, ada)
        assert visitor.files(project).count(winner.filename) == 1
        assert visitor.get(f"/packages/{project}/{winner.filename}").content == winner.content
    assert shared_site.run("check", "--digests").returncode == 0
    assert shared_site.waiting() == []
    assert unlisted(shared_site, project) == set()


def test_of_eight_first_uploads_with_different_bytes_one_wins(pair: Pair, shared_site: Site) -> None:
    ada = shared_site.tokens["ada"]
    built = [build_wheel("begun", "1.0", body=f"number = {number}\n".encode()) for number in range(8)]
    answers = upload_all(pair, ada, built)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert Visitor(pair[0], ada).files("begun") == [built[0].filename]
    assert unlisted(shared_site, "begun") == set()


def test_eight_uploads_of_the_same_bytes_are_all_fine_and_count_once(pair: Pair, shared_site: Site) -> None:
    ada = shared_site.tokens["ada"]
    wheel = build_wheel("agreed", "1.0")
    answers = upload_all(pair, ada, [wheel] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert changes(shared_site, "file.upload", "agreed") == 1
    assert Visitor(pair[0], ada).files("agreed") == [wheel.filename]


@pytest.mark.parametrize("project", ["new-land", "newer-land", "newest-land"])
def test_of_two_accounts_that_begin_a_project_one_owns_it(
    pair: Pair, shared_site: Site, project: str
) -> None:
    names = ["ada", "cleo"]
    visitors = [Visitor(pair[n], shared_site.tokens[name]) for n, name in enumerate(names)]
    wheels = [build_wheel(project, f"{n}.0") for n in (1, 2)]
    answers = at_once(
        [
            lambda visitor=visitor, wheel=wheel: visitor.upload(wheel)
            for visitor, wheel in zip(visitors, wheels, strict=True)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    won = [answer.status_code for answer in answers].index(200)
    assert visitors[won].files(project) == [wheels[won].filename]
    assert visitors[1 - won].page(project).status_code == 404
    assert unlisted(shared_site, project) == set()


@pytest.mark.parametrize("project", ["shared-land", "shared-lands", "shared-lands-again"])
def test_of_two_accounts_that_begin_a_project_with_the_same_bytes_the_loser_harms_nothing(
    pair: Pair, shared_site: Site, project: str
) -> None:
    visitors = [Visitor(pair[n], shared_site.tokens[name]) for n, name in enumerate(["ada", "cleo"])]
    wheel = build_wheel(project, "1.0")
    answers = at_once([lambda visitor=visitor: visitor.upload(wheel) for visitor in visitors])
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    won = [answer.status_code for answer in answers].index(200)
    download = visitors[won].get(f"/packages/{project}/{wheel.filename}")
    assert download.content == wheel.content
    assert shared_site.damage() == []
    assert unlisted(shared_site, project) == set()


@pytest.mark.parametrize("project", ["two-heads", "two-heads-again"])
def test_of_two_last_admins_who_leave_at_once_one_stays(pair: Pair, shared_site: Site, project: str) -> None:
    assert Visitor(pair[0], shared_site.tokens["ada"]).upload(build_wheel(project, "1.0")).status_code == 200
    shared_site.command("project", "grant", project, "account:cleo", "admin")
    ended = at_once(
        [
            lambda name=name: shared_site.run("project", "revoke", project, f"account:{name}")
            for name in ("ada", "cleo")
        ]
    )
    assert sorted(done.returncode for done in ended) == [0, 1]
    pages = [Visitor(pair[0], shared_site.tokens[name]).page(project) for name in ("ada", "cleo")]
    assert sorted(page.status_code for page in pages) == [200, 404]


def test_many_uploads_to_one_project_at_once_are_all_listed(pair: Pair, shared_site: Site) -> None:
    ada = shared_site.tokens["ada"]
    wheels = [build_wheel("busy", f"1.{number}") for number in range(UPLOADERS)]
    answers = upload_all(pair, ada, wheels)
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert set(Visitor(pair[1], ada).files("busy")) == {wheel.filename for wheel in wheels}
    assert changes(shared_site, "file.upload", "busy") == len(wheels)
