"""What the functions make of their time where files cannot be taken in at once, or are many."""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest

from domain.conftest import Clock
from support.incoming import IncomingFiles
from support.notifications import notification, record
from warehouse14.adapters.memory import MemoryUnits
from warehouse14.aws_lambda.keeping import UnfinishedError, UpkeepHandler
from warehouse14.aws_lambda.receiving import S3EventsHandler, WaitingError
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.names import AccountName
from warehouse14.domain.services.incoming import UNHANDLED
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.logs import FIELDS
from warehouse14.testing.builders import BuiltFile, build_wheel

NAMES = [build_wheel(f"project-{number}", "1.0") for number in range(3)]
LONG, SHORT = 900_000, 59_000


class Site:
    """A site in memory where others have put three files."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.files = IncomingFiles(self.clock)
        given = {"create_on_upload": True, "incoming_account": AccountName("robot")}
        policy = Policy(max_file_bytes=100_000, page_cache_bytes=0, **given)
        self.warehouse = Warehouse(MemoryUnits(), self.files, policy, now=self.clock)
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


def test_no_file_is_begun_by_upkeep_after_half_of_its_time_and_the_next_one_goes_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.clock.pass_by(UNHANDLED)
    # It looks at the whole, for what is collected, for the check, and before and behind each file.
    left = chain([LONG] * 5, repeat(LONG // 2 - 1))
    with caplog.at_level(logging.INFO), pytest.raises(UnfinishedError):
        UpkeepHandler(site.warehouse)({}, with_time(left))
    assert len(site.there()) == 1
    summary = summary_of(caplog)
    assert (summary["published"], summary["complete"]) == (2, False)
    assert UpkeepHandler(site.warehouse)({}, with_time(repeat(LONG)))["published"] == 1


def test_a_check_that_takes_long_goes_on_after_the_files(site: Site) -> None:
    for wheel in NAMES:
        site.publish(wheel)
    site.clock.pass_by(UNHANDLED)
    # A quarter of the time has passed when the first file is checked.
    left = chain([LONG] * 3, repeat(LONG * 3 // 4 - 1))
    summary = UpkeepHandler(site.warehouse)({}, with_time(left))
    assert (summary["there"], summary["checked"], summary["complete"]) == (3, 3, True)
    assert site.there() == []


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
