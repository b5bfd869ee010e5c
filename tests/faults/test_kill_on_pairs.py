"""kill -9, and connections that are cut, at every step of an upload, on further pairs of engines."""

import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from support import killing
from support.backends import FURTHER_PAIRS, Pair
from support.buckets import BucketServer
from support.cables import Cable
from support.databases import DatabaseServer
from support.servers import Server, wait_until
from support.sites import Site
from support.tables import DynamoDBLocal
from support.trapped import with_traps
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

#: In how many pieces the requests for one file leave for a bucket; the last are the file's own bytes.
PIECES = 11
#: More steps than those of files: what is asked of a bucket.
MOVES = tuple(f"before move {number}" for number in range(4, PIECES + 1))


@dataclass(frozen=True)
class Trapped:
    """A site whose stores have traps, the same site without them, and the cables to its engines."""

    pair: Pair
    settings: Mapping[str, str]
    site: Site
    usual: Site
    cables: list[Cable]
    armed: Path

    def steps(self) -> tuple[str, ...]:
        return killing.STEPS if self.pair.files == "filesystem" else killing.STEPS + MOVES


@pytest.fixture(scope="module", params=FURTHER_PAIRS)
def trapped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    cables: list[Cable] = []
    with request.param.opened(request.getfixturevalue, cables=cables) as backends:
        usual = Site.in_folder(tmp_path_factory.mktemp("trapped") / "site", backends, forked=True).prepare()
        site, armed = with_traps(usual, backends)
        yield Trapped(request.param, backends.settings, site, usual, cables, armed)


@pytest.fixture(scope="module")
def survivor(trapped: Trapped) -> Iterator[Server]:
    with Server(trapped.usual) as started:
        yield started


def project_of(wheel: BuiltFile) -> str:
    return wheel.filename.partition("-")[0].replace("_", "-")


def assert_unharmed(site: Site, survivor: Server, wheel: BuiltFile, *, listed: bool) -> None:
    """The file is listed and whole, or not there at all."""
    visitor = Visitor(survivor, site.tokens["ada"])
    assert visitor.files(project_of(wheel)) == ([wheel.filename] if listed else [])
    if listed:
        assert visitor.get(f"/packages/{project_of(wheel)}/{wheel.filename}").content == wheel.content


def test_a_server_killed_at_a_step_leaves_nothing_half_done_and_a_retry_succeeds(
    trapped: Trapped, survivor: Server
) -> None:
    ada = trapped.usual.tokens["ada"]
    for step in trapped.steps():
        wheel = build_wheel(step.replace(" ", "-"), "1.0", body=os.urandom(600_000))
        with Server(trapped.site) as victim:
            trapped.armed.write_text(step, encoding="utf-8")
            with pytest.raises(requests.ConnectionError):
                Visitor(victim, ada).upload(wheel)
            assert victim.process.wait(timeout=10) == -signal.SIGKILL
        assert not trapped.armed.exists(), f"never {step}"
        assert_unharmed(trapped.usual, survivor, wheel, listed=step == "after the commit")
        assert Visitor(survivor, ada).upload(wheel).status_code == 200, step
        assert_unharmed(trapped.usual, survivor, wheel, listed=True)
    assert trapped.usual.damage() == []


def test_no_step_comes_after_the_last_that_is_tried(trapped: Trapped) -> None:
    if trapped.pair.files == "filesystem":
        pytest.skip("a folder has the steps of the list")
    with Server(trapped.site) as victim:
        trapped.armed.write_text(f"before move {PIECES + 1}", encoding="utf-8")
        wheel = build_wheel("last-step", "1.0", body=os.urandom(600_000))
        assert Visitor(victim, trapped.usual.tokens["ada"]).upload(wheel).status_code == 200
        trapped.armed.unlink()


def test_connections_cut_at_a_step_are_503_and_a_retry_succeeds(trapped: Trapped, survivor: Server) -> None:
    ada = trapped.usual.tokens["ada"]
    reached = trapped.armed.with_name("reached")
    with Server(trapped.site) as victim:
        for step in trapped.steps():
            wheel = build_wheel(f"cut-{step.replace(' ', '-')}", "1.0", body=os.urandom(600_000))
            trapped.armed.write_text(f"wait {step}", encoding="utf-8")
            with ThreadPoolExecutor(1) as pool:
                sending = pool.submit(Visitor(victim, ada).upload, wheel)
                wait_until(reached.exists, what=step)
                for cable in trapped.cables:
                    cable.refuse()
                reached.unlink()
                status = sending.result().status_code
            for cable in trapped.cables:
                cable.mend()
            done = Visitor(survivor, ada).files(project_of(wheel)) != []
            assert status in ({200} if done else {503}), step
            assert_unharmed(trapped.usual, survivor, wheel, listed=done)
            assert Visitor(victim, ada).upload(wheel).status_code == 200, step
            assert_unharmed(trapped.usual, survivor, wheel, listed=True)
    assert trapped.usual.damage() == []


def is_stored(store: BucketServer, bucket: str, project: str) -> bool:
    """Whether anything of a project is in a bucket, asked of the store directly."""
    found = store.client().list_objects_v2(Bucket=bucket).get("Contents", ())
    return any(f"/{project}/" in each["Key"] for each in found)


def is_committed(
    server: DatabaseServer | DynamoDBLocal, settings: Mapping[str, str], wheel: BuiltFile
) -> bool:
    """Whether a file is listed in a database, asked of the server directly."""
    if isinstance(server, DynamoDBLocal):
        items = server.items(settings["warehouse14.metadata.table"])
        return any(item["sk"]["S"] == f"file#{wheel.filename}" for item in items)
    with server.connected(settings["warehouse14.metadata.url"].rpartition("/")[2]) as cursor:
        cursor.execute("SELECT count(*) FROM files WHERE filename = %s", (wheel.filename,))
        return cursor.fetchone() == (1,)


def test_a_commit_whose_answer_is_lost_is_503_and_the_same_file_again_is_fine(
    trapped: Trapped, survivor: Server, request: pytest.FixtureRequest
) -> None:
    """What is asked of DynamoDB is asked once more, under the same name, and answered."""
    if trapped.pair.metadata == "sqlite":
        pytest.skip("SQLite is in the process: its answers are not lost")
    database = request.getfixturevalue(trapped.pair.metadata)
    cable = trapped.cables[0]
    ada, token = Visitor(survivor, trapped.usual.tokens["ada"]), trapped.usual.tokens["ada"]
    wheel = build_wheel("unanswered-commit", "1.0")
    reached = trapped.armed.with_name("reached")
    with Server(trapped.site) as victim, ThreadPoolExecutor(1) as pool:
        trapped.armed.write_text("wait before the commit", encoding="utf-8")
        sending = pool.submit(Visitor(victim, token).upload, wheel)
        wait_until(reached.exists, what="the commit")
        # DynamoDB is asked first what the commit rests on.
        cable.mutes_at = b"TransactWriteItems"
        cable.muted = trapped.pair.metadata != "dynamodb"
        reached.unlink()
        wait_until(
            lambda: is_committed(database, trapped.settings, wheel), what="a commit that nobody hears of"
        )
        cable.mend()
        cable.cut()
        assert sending.result().status_code == (200 if trapped.pair.metadata == "dynamodb" else 503)
    assert ada.upload(wheel).status_code == 200
    assert_unharmed(trapped.usual, survivor, wheel, listed=True)
    assert trapped.usual.damage() == []


def test_a_blob_whose_storing_is_not_answered_is_stored_once_more(
    trapped: Trapped, survivor: Server, request: pytest.FixtureRequest
) -> None:
    if trapped.pair.files == "filesystem":
        pytest.skip("a folder is no server: its answers are not lost")
    store: BucketServer = request.getfixturevalue(trapped.pair.files)
    bucket = trapped.settings["warehouse14.files.bucket"]
    cable = trapped.cables[-1]
    wheel = build_wheel("unanswered-blob", "1.0")
    with Server(trapped.usual) as victim, ThreadPoolExecutor(1) as pool:
        cable.mutes_at = b"PUT /"
        sending = pool.submit(Visitor(victim, trapped.usual.tokens["ada"]).upload, wheel)
        wait_until(lambda: is_stored(store, bucket, project_of(wheel)), what="a blob that nobody hears of")
        assert cable.muted
        cable.mend()
        cable.cut()
        assert sending.result().status_code == 200
    assert_unharmed(trapped.usual, survivor, wheel, listed=True)
    assert trapped.usual.damage() == []
