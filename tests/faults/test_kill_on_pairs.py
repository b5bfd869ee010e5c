"""kill -9, and connections that are cut, at every step of an upload, on further pairs of engines."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from support import killing
from support.backends import FURTHER_PAIRS, Pair
from support.cables import Cable
from support.servers import Server, wait_until
from support.sites import APP, Backends, Site
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

#: More steps than those of files: what is asked of a bucket.
MOVES = tuple(f"before move {number}" for number in range(4, 9))


@dataclass(frozen=True)
class Trapped:
    """A site whose stores have traps, the same site without them, and the cables to its engines."""

    pair: Pair
    site: Site
    usual: Site
    cables: list[Cable]
    armed: Path

    def steps(self) -> tuple[str, ...]:
        return killing.STEPS if self.pair.files == "filesystem" else killing.STEPS + MOVES


def with_traps(site: Site, backends: Backends) -> tuple[Site, Path]:
    """Return the same site by another ini."""
    armed = site.folder / "armed"
    trapped = Site(site.folder, backends.variables)
    trapped.tokens = site.tokens
    trapped.ini = site.folder / "trapped.ini"
    trapped.ini.write_bytes(site.ini.read_bytes())
    trapped.configure(
        APP,
        warehouse14__files="support.killing:file_store",
        warehouse14__files__engine=backends.settings.get("warehouse14.files", "filesystem"),
        warehouse14__files__armed=armed,
        warehouse14__metadata="support.killing:units",
        warehouse14__metadata__armed=armed,
    )
    return trapped, armed


@pytest.fixture(scope="module", params=FURTHER_PAIRS)
def trapped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    cables: list[Cable] = []
    with request.param.opened(request.getfixturevalue, cables=cables) as backends:
        usual = Site.in_folder(tmp_path_factory.mktemp("trapped") / "site", backends).prepare()
        site, armed = with_traps(usual, backends)
        yield Trapped(request.param, site, usual, cables, armed)


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
