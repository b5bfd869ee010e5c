"""What the functions make of their time where files cannot be taken in at once, or are many."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import pytest

from domain.conftest import Clock
from support.incoming import IncomingFiles
from support.notifications import notification, record
from warehouse14.adapters.memory import MemoryUnits
from warehouse14.aws_lambda.keeping import DamagedError, UnfinishedError, UpkeepHandler
from warehouse14.aws_lambda.receiving import S3EventsHandler, WaitingError
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Blob
from warehouse14.domain.services.incoming import UNHANDLED
from warehouse14.domain.services.incomingtexts import ABANDONED, ERROR
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.logs import FIELDS
from warehouse14.testing.builders import BuiltFile, build_wheel

NAMES = [build_wheel(f"project-{number}", "1.0") for number in range(3)]
LONG, SHORT = 900_000, 59_000


class LapsingUnits(MemoryUnits):
    """Units of an engine that may give what is held to another."""

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._held.clear()


class Site:
    """A site in memory where others have put three files."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.files = IncomingFiles(self.clock)
        given = {"create_on_upload": True, "incoming_account": AccountName("robot")}
        policy = Policy(max_file_bytes=100_000, page_cache_bytes=0, **given)
        self.units = LapsingUnits()
        self.warehouse = Warehouse(self.units, self.files, policy, now=self.clock)
        self.warehouse.accounts.add(self.warehouse.operator(), "robot")
        self.read: Counter[str] = Counter()
        for wheel in NAMES:
            self.files.folder.put(wheel.filename, wheel.content)

    def hold(self, key: str, *, times: int) -> None:
        """Let a file wait for others, so often."""

        def wait(read: str) -> None:
            self.read[read] += 1
            if read == key and self.read[read] <= times:
                raise Unavailable("Another works on it. Try again.")

        self.files.folder.on_read = wait

    def publish(self, built: BuiltFile) -> None:
        robot = self.warehouse.account("robot")
        self.warehouse.uploads.publish(robot, form_of(built.filename), [built.content])

    def there(self) -> list[str]:
        return sorted(self.files.folder.objects)


@pytest.fixture
def site() -> Site:
    return Site()


EVENT = notification(*(record("any", f"incoming/{wheel.filename}") for wheel in NAMES))
HELD = NAMES[1].filename


def with_time(left: Iterable[int]) -> Any:
    """Return the context of an invocation that has so many milliseconds left each time that it asks."""
    asked = iter(left)
    return SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: next(asked))


def test_a_file_that_waits_for_others_is_gone_over_again_after_the_rest(site: Site) -> None:
    site.hold(HELD, times=2)
    summary = S3EventsHandler(site.warehouse.incoming)(EVENT, with_time(repeat(LONG)))
    assert (summary["published"], site.there()) == (3, [])
    assert [site.read[wheel.filename] for wheel in NAMES] == [1, 3, 1]


@pytest.mark.parametrize(("left", "reads"), [([SHORT], 1), ([LONG, SHORT], 2), ([LONG] * 9, 4)])
def test_it_waits_in_the_end_for_as_long_as_there_is_time_and_not_for_ever(
    site: Site, left: list[int], reads: int
) -> None:
    site.hold(HELD, times=99)
    with pytest.raises(WaitingError, match="files that wait: 1"):
        S3EventsHandler(site.warehouse.incoming)(EVENT, with_time(left))
    assert (site.there(), site.read[HELD]) == ([HELD], reads)


def summary_of(caplog: pytest.LogCaptureFixture) -> Any:
    (line,) = (line for line in caplog.records if line.msg == "upkeep")
    return getattr(line, FIELDS)


class Passing:
    """The time of one invocation, of which parts pass.

    Attributes:
        left: in milliseconds.
    """

    def __init__(self) -> None:
        self.left = LONG

    @property
    def context(self) -> Any:
        return SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: self.left)

    def pass_by(self, part: float) -> None:
        """Let so great a part of the whole pass."""
        self.left -= int(LONG * part)


def summary_of_unfinished(site: Site, passing: Passing, caplog: pytest.LogCaptureFixture) -> Any:
    """Let the function run, whose time is not enough."""
    with caplog.at_level(logging.INFO), pytest.raises(UnfinishedError):
        UpkeepHandler(site.warehouse)({}, passing.context)
    return summary_of(caplog)


def test_no_file_is_begun_by_upkeep_after_three_fifths_of_its_time_and_the_next_one_goes_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.clock.pass_by(UNHANDLED)
    passing = Passing()
    site.files.folder.on_read = lambda _: passing.pass_by(0.35)
    summary = summary_of_unfinished(site, passing, caplog)
    assert (summary["published"], summary["complete"], len(site.there())) == (2, False, 1)
    assert UpkeepHandler(site.warehouse)({}, Passing().context)["published"] == 1


def kill_upkeep_at_a_file(site: Site) -> None:
    """Let the function end as it does when its time is over."""
    kept = {}

    def end(_: str) -> None:
        kept.update(site.files.folder.objects)
        raise KeyboardInterrupt

    site.files.folder.on_read = end
    with pytest.raises(KeyboardInterrupt):
        UpkeepHandler(site.warehouse)({}, Passing().context)
    site.files.folder.objects = kept


def test_upkeep_begins_a_file_again_whose_check_it_could_not_end_before_all_others(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It may have been begun so late that there was no time for it, and is not begun a third time."""
    site.clock.pass_by(UNHANDLED)
    kill_upkeep_at_a_file(site)
    site.files.folder.put("late/" + NAMES[0].filename, NAMES[0].content)
    site.clock.pass_by(ABANDONED)
    passing, read = Passing(), []

    def slowly(key: str) -> None:
        read.append(key)
        passing.pass_by(0.35)

    site.files.folder.on_read = slowly
    summary_of_unfinished(site, passing, caplog)
    assert read == [NAMES[0].filename, NAMES[1].filename]


def test_upkeep_begins_one_such_file_in_a_run_so_that_each_has_its_best_chance(site: Site) -> None:
    site.clock.pass_by(UNHANDLED)
    for _ in NAMES[:2]:
        kill_upkeep_at_a_file(site)
    site.clock.pass_by(ABANDONED)
    read: list[str] = []
    site.files.folder.on_read = read.append
    for left in ([NAMES[1].filename], []):
        assert UpkeepHandler(site.warehouse)({}, Passing().context)["complete"]
        assert [key for key in site.there() if not key.endswith(ERROR)] == left
    assert read == [NAMES[number].filename for number in (0, 2, 1)]


def test_upkeep_begins_fresh_files_before_the_texts_beside_refused_ones_are_asked_for(site: Site) -> None:
    """There may be very many, which take longer than it has."""
    for number in range(30):
        site.files.folder.put(f"refused-{number}", b"no archive")
        site.warehouse.incoming.take(f"refused-{number}")
    site.clock.pass_by(UNHANDLED)
    order: list[str] = []
    site.files.folder.on_read = site.files.folder.on_noted = order.append
    assert UpkeepHandler(site.warehouse)({}, Passing().context)["published"] == 3
    first_asked = order.index(f"refused-0{ERROR}")
    assert all(order.index(wheel.filename) < first_asked for wheel in NAMES)


def test_a_refused_file_with_a_text_as_long_as_that_of_a_begun_one_does_not_keep_it_back(site: Site) -> None:
    """Which it is shows only when the text is asked for."""
    refused, begun, fresh = (wheel.filename for wheel in NAMES)
    site.clock.pass_by(UNHANDLED)
    for _ in NAMES[:2]:
        kill_upkeep_at_a_file(site)
    text, when, tag = site.files.folder.objects[refused + ERROR]
    site.files.folder.objects[refused + ERROR] = text, when, tag.removesuffix(" begun")
    site.clock.pass_by(ABANDONED)
    read: list[str] = []
    site.files.folder.on_read = read.append
    assert UpkeepHandler(site.warehouse)({}, Passing().context)["published"] == 2
    assert (read, site.there()) == ([begun, fresh], [refused, refused + ERROR])


def test_where_no_file_waits_it_is_no_failure_that_there_was_no_time_for_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish(NAMES[0])
    site.files.folder.objects.clear()
    passing, stat = Passing(), site.files.stat

    def slowly(key: str) -> Blob | None:
        passing.pass_by(0.3)
        return stat(key)

    monkeypatch.setattr(site.files, "stat", slowly)
    summary = UpkeepHandler(site.warehouse)({}, passing.context)
    assert (summary["checked"], summary["complete"]) == (1, True)


def test_a_check_that_takes_long_goes_on_after_the_files(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for wheel in NAMES:
        site.publish(wheel)
    site.clock.pass_by(UNHANDLED)
    passing, stat, order = Passing(), site.files.stat, []

    def slowly(key: str) -> Blob | None:
        if key.endswith(".whl"):
            order.append("checked")
            passing.pass_by(0.22)
        return stat(key)

    def read(_: str) -> None:
        monkeypatch.undo()
        order.append("read")

    monkeypatch.setattr(site.files, "stat", slowly)
    site.files.folder.on_read = read
    summary = UpkeepHandler(site.warehouse)({}, passing.context)
    assert (summary["there"], summary["checked"], summary["complete"]) == (3, 3, True)
    assert order == ["checked", "checked", "read", "read", "read"]
    assert site.there() == []


@pytest.mark.parametrize("slow", ["projects", "pages"])
def test_a_collection_that_takes_long_gives_way_to_check_and_files_and_goes_on_after_them(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, slow: str
) -> None:
    """Also where it finds nothing to remove in all the projects, or is not done with listing the blobs."""
    for number in range(4):
        site.publish(build_wheel(f"published-{number}", "1.0"))
    site.files.put("a/5e5e/loose", b"nobody refers to it")
    site.files.put("z/5e5e/loose", b"nobody refers to it")
    site.clock.pass_by(timedelta(days=2))
    passing, keys, read = Passing(), site.files.keys, site.warehouse.units.read

    def paged() -> Iterator[Blob]:
        for blob in keys():
            passing.pass_by(0.02)
            yield blob

    def slowly() -> Any:
        passing.pass_by(0.06)
        return read()

    monkeypatch.setattr("warehouse14.domain.services.upkeep._PAGE", 1)
    if slow == "pages":
        monkeypatch.setattr(site.files, "keys", paged)
    else:
        monkeypatch.setattr(site.warehouse.units, "read", slowly)
    loose_at_files = []

    def note(_: str) -> None:
        monkeypatch.undo()
        loose_at_files.append(site.files.stat("z/5e5e/loose") is not None)

    site.files.folder.on_read = note
    summary = UpkeepHandler(site.warehouse)({}, passing.context)
    assert loose_at_files == [True] * 3
    assert (summary["published"], summary["removed"], summary["complete"]) == (3, 2, True)


@pytest.mark.parametrize("passed", [0, 0.99])
def test_a_blob_that_goes_while_another_lists_it_is_one_damaged_file_also_without_time_for_a_check(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, passed: float
) -> None:
    """Some engines give what is held for ten seconds to another, and no store takes a removal back."""
    wheel = build_wheel("demo", "1.0")
    site.publish(build_wheel("demo", "2.0"))
    key = f"demo/{sha256(wheel.content).hexdigest()}/{wheel.filename}"
    site.files.put(key, wheel.content)
    site.clock.pass_by(timedelta(days=2))
    passing, delete, monotonic = Passing(), site.files.delete, time.monotonic

    def slowly(wanted: str) -> None:
        passing.pass_by(passed)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + 20)
        site.units.let_go()
        site.publish(wheel)
        delete(wanted)

    monkeypatch.setattr(site.files, "delete", slowly)
    with pytest.raises(DamagedError, match="damaged files: 1;"):
        UpkeepHandler(site.warehouse)({}, passing.context)
    assert f"damage: missing: {key}" in caplog.text


def test_what_is_loose_or_damaged_is_found_before_a_file_that_ends_the_process(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    def end(_: str) -> None:
        raise KeyboardInterrupt

    site.publish(NAMES[0])
    [damaged] = [blob.key for blob in site.files.keys() if blob.key.endswith(NAMES[0].filename)]
    site.files.delete(damaged)
    site.files.put("project-0/5e5e/loose", b"nobody refers to it")
    site.clock.pass_by(timedelta(days=2))
    site.files.folder.on_read = end
    with pytest.raises(KeyboardInterrupt):
        UpkeepHandler(site.warehouse)({}, with_time(repeat(LONG)))
    assert site.files.stat("project-0/5e5e/loose") is None
    assert f"damage: missing: {damaged}" in caplog.text
