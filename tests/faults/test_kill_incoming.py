"""kill -9, and connections that are cut, at every step of taking in a file that was put into the bucket."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.backends import FURTHER_PAIRS, Pair
from support.cables import Cable
from support.drops import ACCOUNT, Drop
from support.servers import wait_until
from support.sites import APP, Site
from support.trapped import with_traps
from warehouse14.domain.model import Action
from warehouse14.domain.services.incoming import Outcome
from warehouse14.domain.services.incomingtexts import ERROR
from warehouse14.testing.builders import BuiltFile, build_wheel

_IN_BUCKETS = [each for each in FURTHER_PAIRS if each.values[0].files != "filesystem"]  # type: ignore[attr-defined]
BAD = b"no archive"
#: In how many pieces the requests leave that make an object the blob of a file, with those beside it.
PIECES = 6
#: Every step of a file that takes the place of a refused one and passes.
STEPS = (
    "before the beginning",
    "after the beginning",
    "before the inspection",
    "before the metadata",
    "after the metadata",
    "before the sidecar",
    "after the sidecar",
    "before the blobs",
    *(f"before move {number}" for number in range(1, PIECES + 1)),
    "after the blobs",
    "before the row",
    "before the journal entry",
    "before the commit",
    "after the commit",
    "before the text goes",
    "after the text goes",
    "before the removal",
    "after the removal",
)


@dataclass(frozen=True)
class Trapped:
    """Where others put files for a site, the same site with traps, and the cables to its engines."""

    drop: Drop
    site: Site
    cables: list[Cable]
    armed: Path

    @property
    def reached(self) -> Path:
        return self.armed.with_name("reached")

    def uploads(self, project: str) -> int:
        """Return how often the journal says that a file of a project was uploaded."""
        with self.drop.site.library() as warehouse:
            found = warehouse.journal.of_project(warehouse.operator(), project).all()
            return sum(entry.action == Action.FILE_UPLOAD for entry in found)

    @contextmanager
    def stopped(self, step: str) -> "Iterator[Future[subprocess.CompletedProcess[str]]]":
        """Run the command up to a step, and on after the block."""
        self.armed.write_text(f"wait {step}", encoding="utf-8")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.site.run, "incoming")
            try:
                wait_until(self.reached.exists, what=step)
                yield running
            finally:
                self.reached.unlink(missing_ok=True)
                running.result()


@pytest.fixture(scope="module", params=_IN_BUCKETS)
def trapped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    pair: Pair = request.param
    cables: list[Cable] = []
    with pair.opened(request.getfixturevalue, cables=cables) as backends:
        usual = Site.in_folder(tmp_path_factory.mktemp("trapped") / "site", backends, forked=True).prepare()
        usual.configure(APP, warehouse14__incoming_account=ACCOUNT)
        site, armed = with_traps(usual, backends)
        yield Trapped(Drop(usual, request.getfixturevalue(pair.files)), site, cables, armed)


@pytest.fixture(autouse=True)
def empty(trapped: Trapped) -> None:
    trapped.drop.clear()
    trapped.armed.unlink(missing_ok=True)


def replacing(drop: Drop, name: str) -> BuiltFile:
    """Put a file there in the place of one that was refused."""
    wheel = build_wheel(name.replace(" ", "-"), "1.0", body=os.urandom(300_000))
    drop.put(wheel.filename, BAD)
    assert drop.taken() == [Outcome.REFUSED]
    assert drop.keys() == [wheel.filename, wheel.filename + ERROR]
    drop.put_built(wheel)
    return wheel


def project_of(wheel: BuiltFile) -> str:
    return wheel.filename.partition("-")[0].replace("_", "-")


def assert_taken_in(trapped: Trapped, wheel: BuiltFile) -> None:
    """It is listed and whole, once, and nothing else is left."""
    assert trapped.drop.keys() == []
    assert trapped.drop.listed(project_of(wheel)) == {wheel.filename: wheel.content}
    assert trapped.uploads(project_of(wheel)) == 1


def test_whoever_is_killed_at_a_step_leaves_nothing_half_done_and_the_next_run_succeeds(
    trapped: Trapped,
) -> None:
    for step in STEPS:
        wheel = replacing(trapped.drop, step)
        trapped.armed.write_text(step, encoding="utf-8")
        assert trapped.site.run("incoming").returncode == -signal.SIGKILL, step
        # Before that, no bytes are listed that could be wrong.
        is_listed = STEPS.index(step) >= STEPS.index("after the commit")
        assert trapped.drop.site.damage(digests=is_listed) == [], step
        assert set(trapped.drop.taken(later=True)) <= {Outcome.PUBLISHED, Outcome.THERE}, step
        assert_taken_in(trapped, wheel)
    assert trapped.drop.site.damage() == []


def test_no_step_comes_after_the_last_that_is_tried(trapped: Trapped) -> None:
    wheel = replacing(trapped.drop, "last step")
    trapped.armed.write_text(f"before move {PIECES + 1}", encoding="utf-8")
    assert trapped.site.run("incoming").returncode == 0
    assert trapped.armed.exists()
    assert_taken_in(trapped, wheel)


@pytest.mark.parametrize("step", ["before the inspection", "before the text", "after the text"])
def test_whoever_is_killed_while_it_refuses_leaves_it_to_the_next(trapped: Trapped, step: str) -> None:
    trapped.drop.put("bad-1.0-py3-none-any.whl", BAD)
    trapped.armed.write_text(step, encoding="utf-8")
    assert trapped.site.run("incoming").returncode == -signal.SIGKILL
    assert trapped.drop.taken(later=True) == ([] if step == "after the text" else [Outcome.REFUSED])
    assert trapped.drop.keys() == ["bad-1.0-py3-none-any.whl", f"bad-1.0-py3-none-any.whl{ERROR}"]


def test_connections_cut_at_a_step_are_no_refusal_and_the_next_run_succeeds(trapped: Trapped) -> None:
    for step in STEPS:
        wheel = replacing(trapped.drop, f"cut {step}")
        with trapped.stopped(step) as running:
            for cable in trapped.cables:
                cable.refuse()
        for cable in trapped.cables:
            cable.mend()
        said = running.result().stderr
        assert running.result().returncode == (0 if step == "after the removal" else 1), (step, said)
        assert set(trapped.drop.taken(later=True)) <= {Outcome.PUBLISHED, Outcome.THERE}, step
        assert_taken_in(trapped, wheel)
    assert trapped.drop.site.damage() == []


@pytest.mark.parametrize("step", ["before the inspection", "before the metadata", "before the blobs"])
def test_one_that_is_replaced_while_it_is_looked_at_is_looked_at_anew(trapped: Trapped, step: str) -> None:
    name = f"replaced {step}"
    old, new = (build_wheel(name.replace(" ", "-"), "1.0", body=body) for body in (b"old", b"new"))
    trapped.drop.put_built(old)
    with trapped.stopped(step):
        trapped.drop.put_built(new)
    assert_taken_in(trapped, new)


def test_one_that_is_replaced_before_its_removal_stays(trapped: Trapped) -> None:
    old, new = (build_wheel("replaced-at-the-end", "1.0", body=body) for body in (b"old", b"new"))
    trapped.drop.put_built(old)
    with trapped.stopped("before the removal"):
        trapped.drop.put_built(new)
    assert trapped.drop.keys() == [new.filename]
    assert trapped.drop.taken() == [Outcome.REFUSED]
    assert "File already exists" in trapped.drop.text(new.filename)
    assert trapped.drop.listed("replaced-at-the-end") == {old.filename: old.content}


def test_the_text_of_one_that_was_replaced_meanwhile_does_not_stay(trapped: Trapped) -> None:
    good = build_wheel("mended-meanwhile", "1.0")
    trapped.drop.put(good.filename, BAD)
    with trapped.stopped("before the text"):
        trapped.drop.put_built(good)
        assert trapped.drop.taken() == [Outcome.PUBLISHED]
        assert trapped.drop.keys() == []
    assert_taken_in(trapped, good)


def test_one_that_is_removed_while_it_is_looked_at_is_cancelled(trapped: Trapped) -> None:
    wheel = build_wheel("removed-meanwhile", "1.0")
    trapped.drop.put_built(wheel)
    with trapped.stopped("before the metadata") as running:
        trapped.drop.remove(wheel.filename)
    assert (running.result().returncode, trapped.drop.keys()) == (0, [])
    with trapped.drop.site.library() as warehouse, warehouse.units.read() as unit:
        assert all(project.name != "removed-meanwhile" for project in unit.projects.visible(None))
