"""The scheduled function: collects, checks, and fails where somebody has to look."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_lambda.publishing import publish
from support.functions import Function, variables_of
from support.sites import APP, Site
from warehouse14.testing.builders import build_wheel

#: What EventBridge sends by a schedule.
EVENT = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
_TWO_DAYS = 2 * 24 * 3600


@pytest.fixture
def fresh_site(near_site: Site) -> Iterator[Site]:
    """A site with two files, and bytes that nobody refers to."""
    site = near_site.copy_to(near_site.folder.with_name("fresh"))
    for name in ("first", "second"):
        publish(site, build_wheel(name, "1.0"))
    yield site
    site.folder.rename(site.folder.with_name(f"used-{time.monotonic_ns()}"))


def upkeep(site: Site, **variables: str) -> Function:
    return Function(variables_of(site) | variables, handler="upkeep")


def blob(site: Site, name: str) -> Path:
    [found] = (site.folder / "var/files").rglob(f"{name}-1.0-*.whl")
    return found


def test_it_collects_what_is_old_and_says_what_it_has_done(fresh_site: Site) -> None:
    lost = blob(fresh_site, "first").parent / "of-an-upload-that-was-cut-off.whl"
    lost.write_bytes(b"x")
    os.utime(lost, (time.time() - _TWO_DAYS,) * 2)
    with upkeep(fresh_site, AWS_LAMBDA_LOG_FORMAT="JSON") as function:
        invocation = function.invoke(EVENT)
        counts = {"removed": 1, "left": 0, "checked": 2, "damaged": 0, "unreferenced": 0}
        summary = counts | {"complete": True}
        assert (invocation.error, invocation.answer) == (None, summary)
        assert not lost.exists()
        [line] = [json.loads(line) for line in function.log().splitlines()]
        assert (line["level"], line["message"], line["request"]) == ("INFO", "upkeep", invocation.id)
        assert {key: line[key] for key in summary} == summary


def test_a_listed_file_that_is_damaged_is_a_failure_and_a_line_in_the_log(fresh_site: Site) -> None:
    damaged = blob(fresh_site, "second")
    damaged.unlink()
    with upkeep(fresh_site) as function:
        error = function.invoke(EVENT).error
        assert error["errorType"] == "DamagedError"
        assert error["errorMessage"] == "damaged files: 1; the log of this run has their keys"
        assert "damage: missing: second/" in function.log()
        assert damaged.name in function.log()
        assert "checked=2 damaged=1" in function.log()


def test_a_function_whose_time_is_not_enough_says_so_before_it_ends(fresh_site: Site) -> None:
    with upkeep(fresh_site) as function:
        error = function.invoke(EVENT, seconds=9).error
        assert error["errorType"] == "UnfinishedError"
        assert "complete=False" in function.log()
        assert function.invoke(EVENT).error is None


def test_on_a_site_that_changes_nothing_it_looks_and_collects_nothing(fresh_site: Site) -> None:
    fresh_site.configure(APP, warehouse14__read_only="true")
    with upkeep(fresh_site) as function:
        answer = function.invoke(EVENT).answer
        assert (answer["removed"], answer["checked"]) == (0, 2)


def test_where_the_database_is_lost_nothing_is_collected_and_it_is_a_failure(fresh_site: Site) -> None:
    lost = blob(fresh_site, "first")
    fresh_site.configure(APP, warehouse14__metadata__url=f"sqlite:///{fresh_site.folder}/var/another.sqlite")
    fresh_site.command("init", "--no-admin")
    with upkeep(fresh_site) as function:
        assert function.invoke(EVENT).error["errorType"] == "Conflict"
        assert lost.exists()
