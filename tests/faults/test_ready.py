"""A server says whether its stores answer, to whoever sends it requests only while they do."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from support.backends import Pair
from support.buckets import BucketServer
from support.cables import Cable
from support.servers import Server, wait_until
from support.sites import Site

pytestmark = pytest.mark.thorough

#: When an answer is no longer good, and how long a store may take, in seconds.
MOMENT = 1.2
PATIENCE = 3.0
#: More than a server has threads.
MANY = 12


@pytest.fixture(scope="module")
def cables() -> list[Cable]:
    return []


@pytest.fixture(scope="module")
def distant(
    cables: list[Cable], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose stores are both behind connections."""
    pair = Pair("postgresql", "localstack")
    with pair.opened(request.getfixturevalue, cables=cables) as backends:
        site = Site.in_folder(tmp_path_factory.mktemp("distant") / "site", backends)
        site.configure("app:main", warehouse14__files__attempts=1, warehouse14__metadata__connect_seconds=2)
        site.command("init", "--no-admin")
        with Server(site) as started:
            yield started


def ready(server: Server) -> requests.Response:
    time.sleep(MOMENT)
    return requests.get(f"{server.url}/health/ready", timeout=30)


def asked_within(server: Server) -> tuple[float, int]:
    """Return how long an answer took, and its status."""
    began = time.monotonic()
    status = requests.get(f"{server.url}/health/ready", timeout=30).status_code
    return time.monotonic() - began, status


def wells(answer: requests.Response) -> tuple[bool, bool]:
    stores = answer.json()["stores"]
    return stores["metadata"]["ok"], stores["files"]["ok"]


def test_a_server_whose_stores_answer_is_ready_and_says_how_long_that_took(distant: Server) -> None:
    answer = ready(distant)
    assert (answer.status_code, wells(answer)) == (200, (True, True))
    assert answer.headers["Cache-Control"] == "no-store"
    assert all(0 <= store["milliseconds"] < 5000 for store in answer.json()["stores"].values())


@pytest.mark.parametrize(("which", "expected"), [(0, (False, True)), (1, (True, False))])
def test_a_server_without_a_store_is_not_ready_but_alive_and_ready_again_with_it(
    distant: Server, cables: list[Cable], which: int, expected: tuple[bool, bool]
) -> None:
    cables[which].refuse()
    answer = ready(distant)
    assert (answer.status_code, wells(answer)) == (503, expected)
    assert answer.headers["Retry-After"]
    # Whoever asks from outside is not told where the stores are.
    assert "127.0.0.1" not in answer.text
    assert "not ready" in distant.log()
    assert distant.is_well()
    cables[which].mend()
    wait_until(lambda: ready(distant).status_code == 200, seconds=20, what="a ready server")


@pytest.mark.parametrize(("which", "expected"), [(0, (False, True)), (1, (True, False))])
def test_a_store_that_is_silent_is_not_waited_for_and_holds_no_more_than_one_who_asks(
    distant: Server, cables: list[Cable], which: int, expected: tuple[bool, bool]
) -> None:
    assert ready(distant).status_code == 200
    cables[which].silent = True
    time.sleep(MOMENT)
    with ThreadPoolExecutor(MANY) as pool:
        began = time.monotonic()
        asked = [pool.submit(asked_within, distant) for _ in range(MANY)]
        # There are fewer threads than that: one who asks has one, and the others are answered at once.
        time.sleep(0.2)
        assert distant.is_well(timeout=1)
        took = sorted(each.result()[0] for each in asked)
    assert time.monotonic() - began < PATIENCE + 1
    assert sum(seconds > 1 for seconds in took) <= 1
    answer = ready(distant)
    assert (answer.status_code, wells(answer)) == (503, expected)
    # Known to be silent by now.
    assert asked_within(distant)[0] < 1
    cables[which].silent = False
    cables[which].cut()
    wait_until(lambda: ready(distant).status_code == 200, seconds=20, what="a ready server")
    assert "ready again" in distant.log()


def test_however_often_it_is_asked_the_stores_are_asked_once_a_second(
    distant: Server, cables: list[Cable]
) -> None:
    assert ready(distant).status_code == 200
    before = cables[0].asked
    for _ in range(20):
        assert requests.get(f"{distant.url}/health/ready", timeout=30).status_code == 200
    assert cables[0].asked - before <= 4


@pytest.mark.parametrize(
    ("lost", "expected"), [("warehouse14.sqlite", (False, True)), ("files/blobs", (True, False))]
)
def test_a_server_whose_disk_is_gone_is_not_ready_but_alive_and_ready_again_with_it(
    site: Site, lost: str, expected: tuple[bool, bool]
) -> None:
    place = site.folder / "var" / lost
    away = place.with_name("away")
    with Server(site) as started:
        place.rename(away)
        answer = ready(started)
        assert (answer.status_code, wells(answer)) == (503, expected)
        assert str(site.folder) not in answer.text
        assert started.is_well()
        away.rename(place)
        assert (ready(started).status_code, wells(ready(started))) == (200, (True, True))


def test_a_server_whose_bucket_is_gone_is_not_ready_but_alive_and_ready_again_with_it(
    localstack: BucketServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with Pair("sqlite", "localstack").opened(request.getfixturevalue) as backends:
        bucket = backends.settings["warehouse14.files.bucket"]
        site = Site.in_folder(tmp_path / "site", backends)
        site.command("init", "--no-admin")
        with Server(site) as started:
            assert (ready(started).status_code, wells(ready(started))) == (200, (True, True))
            localstack.client().delete_bucket(Bucket=bucket)
            answer = ready(started)
            assert (answer.status_code, wells(answer)) == (503, (True, False))
            assert bucket not in answer.text
            assert "there is no such bucket" in started.log()
            assert started.is_well()
            localstack.client().create_bucket(Bucket=bucket)
            assert (ready(started).status_code, wells(ready(started))) == (200, (True, True))
