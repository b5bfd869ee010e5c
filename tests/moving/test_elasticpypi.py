"""``warehouse14 import --from elasticpypi``: a bucket of files under their names."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moving.conftest import contents
from moving.oldsites import OldBucket, Report, listed, roles
from support.backends import Pair
from support.buckets import BucketServer
from support.cables import Cable
from support.sites import APP, Site
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel


@pytest.fixture
def old(localstack: BucketServer) -> OldBucket:
    return OldBucket(localstack)


def test_files_come_with_their_dates_and_a_second_run_takes_what_is_new(old: OldBucket, site: Site) -> None:
    one = build_wheel("Zope.Interface", "1.0")
    old.add(one, build_sdist("two", "1.0"))
    first = old.take_into(site)
    assert (first.status, first.lines, first.err) == (0, [], "")
    assert first.summary == "2 files taken, 0 there already, 0 not taken"
    before, times = contents(site), old.times()
    found = listed(site)[one.filename]
    assert (found.uploaded_at, found.uploaded_by) == (times[one.filename].replace(microsecond=0), "ada")
    assert roles(site, "zope-interface") == {"account:ada": "admin"}
    assert old.take_into(site).summary == "0 files taken, 2 there already, 0 not taken"
    assert contents(site) == before
    old.add(build_wheel("two", "2.0"))
    third = old.take_into(site)
    assert (third.status, third.summary) == (0, "1 files taken, 2 there already, 0 not taken")
    assert {key: old.times()[key] for key in times} == times
    assert site.damage() == []


def test_what_the_gate_refuses_is_reported_and_the_rest_is_taken(old: OldBucket, site: Site) -> None:
    good, other = build_wheel("demo", "1.0"), build_wheel("demo", "1.0", body=b"other = 1\n")
    old.add(good)
    time.sleep(1.1)
    old.add(other, folder="copies/")
    old.add(good, folder="again/")
    broken = build_wheel("broken", "1.0")
    old.put(broken.filename, broken.content[:100])
    for key in ("demo-1.0-py3.8.egg", "index.html", "a folder/", "Grüße + 100%.whl"):
        old.put(key, b"" if key.endswith("/") else b"nothing")
    report = old.take_into(site)
    assert (report.status, report.summary) == (1, "1 files taken, 1 there already, 5 not taken")
    assert len(report.lines) == 5
    assert "File already exists" in report.about(f"copies/{other.filename}")
    assert "ZIP" in report.about(broken.filename)
    for key in ("demo-1.0-py3.8.egg", "index.html", "Grüße + 100%.whl"):
        assert report.about(key).startswith("not taken: ")
    assert list(listed(site)) == [good.filename]


@pytest.mark.thorough
def test_a_file_that_a_colleague_owns_here_is_not_taken(old: OldBucket, site: Site) -> None:
    site.command("project", "create", "theirs", "--admin", "cleo")
    site.command("project", "create", "mine", "--admin", "ada")
    site.command("project", "create", "gone", "--admin", "ada")
    site.command("project", "delete", "gone", "--yes")
    old.add(*(build_wheel(name, "1.0") for name in ("theirs", "mine", "gone")))
    report = old.take_into(site)
    assert (report.status, report.summary) == (1, "1 files taken, 0 there already, 2 not taken")
    assert "ada may not upload to the project theirs" in report.about("theirs-1.0-py3-none-any.whl")
    assert "was deleted here" in report.about("gone-1.0-py3-none-any.whl")


def test_projects_come_also_where_uploads_make_none(old: OldBucket, site: Site) -> None:
    site.configure(APP, warehouse14__create_on_upload="false", warehouse14__creators="cleo")
    old.add(build_wheel("demo", "1.0"))
    assert old.take_into(site).status == 0
    assert roles(site, "demo") == {"account:ada": "admin"}


@pytest.mark.thorough
def test_a_run_that_changes_nothing_says_what_the_real_one_does(old: OldBucket, site: Site) -> None:
    demo = build_wheel("demo", "1.0")
    old.add(demo, build_wheel("demo", "2.0"))
    time.sleep(1.1)
    old.add(build_wheel("demo", "1.0", body=b"x = 1\n"), folder="other/")
    old.put("broken-1.0.tar.gz", b"nothing")
    before = contents(site)
    trial = old.take_into(site, "--dry-run")
    assert contents(site) == before
    assert site.waiting() == []
    real = old.take_into(site)
    assert trial.status == real.status == 1
    assert trial.lines == real.lines
    assert trial.summary == f"nothing is changed; it would be: {real.summary}"
    assert real.summary == "2 files taken, 0 there already, 2 not taken"


@pytest.mark.thorough
def test_a_site_that_keeps_its_files_in_a_bucket_takes_them_out_of_another(
    old: OldBucket, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with Pair("postgresql", "localstack").opened(request.getfixturevalue) as backends:
        site = Site.in_folder(tmp_path / "site", backends).prepare()
        built = build_wheel("demo", "1.0")
        old.add(built, build_sdist("demo", "1.0"))
        assert old.take_into(site).summary == "2 files taken, 0 there already, 0 not taken"
        assert listed(site)[built.filename].uploaded_at == old.times()[built.filename].replace(microsecond=0)
        assert old.take_into(site).summary == "0 files taken, 2 there already, 0 not taken"
        assert site.damage() == []


@pytest.mark.thorough
def test_more_objects_than_one_page_of_a_listing_are_looked_at(old: OldBucket, site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: old.put(f"notes/{number:04}.txt", b"x"), range(1001)))
    old.add(build_wheel("zebra", "1.0"))
    report = old.take_into(site)
    assert report.summary == "1 files taken, 0 there already, 1001 not taken"


def test_a_file_whose_connection_breaks_is_taken_from_where_it_stopped(old: OldBucket, site: Site) -> None:
    big = _big("big")
    old.add(big)
    with Cable(old.server.port) as cable:
        # It is cut in the middle once, and good after that.
        cable.bytes_left = 3_000_000
        report = _with_a_mended_cable(cable, lambda: old.take_into(site, port=cable.port))
    assert (report.status, report.summary) == (0, "1 files taken, 0 there already, 0 not taken")
    assert site.damage() == []


@pytest.mark.thorough
def test_a_store_that_stays_away_ends_the_run_and_the_next_one_goes_on(old: OldBucket, site: Site) -> None:
    old.add(build_wheel("small", "1.0"))
    time.sleep(1.1)
    old.add(_big("big"))
    with Cable(old.server.port) as cable:
        cable.bytes_left = 3_000_000
        report = old.take_into(site, port=cable.port)
        assert (report.status, report.err.count("\n")) == (1, 1)
        assert "Run this again" in report.err
        assert list(listed(site)) == ["small-1.0-py3-none-any.whl"]
        assert site.waiting() == []
        cable.mend()
        assert old.take_into(site, port=cable.port).summary == "1 files taken, 1 there already, 0 not taken"


@pytest.mark.thorough
@pytest.mark.parametrize("step", ["before the blobs", "before the row", "after the commit"])
def test_a_run_that_is_killed_is_begun_again(old: OldBucket, site: Site, step: str) -> None:
    old.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"))
    armed = site.folder / "armed"
    site.configure(
        APP,
        warehouse14__files="support.killing:file_store",
        warehouse14__files__armed=armed,
        warehouse14__metadata="support.killing:units",
        warehouse14__metadata__armed=armed,
    )
    armed.write_text(step)
    assert old.take_into(site).status == -signal.SIGKILL
    report = old.take_into(site)
    there = int(step == "after the commit")
    assert (report.status, report.summary) == (
        0,
        f"{2 - there} files taken, {there} there already, 0 not taken",
    )
    assert (site.damage(), site.waiting()) == ([], [])


@pytest.mark.parametrize(
    ("words", "complaint", "status"),
    [
        (["--table-endpoint-url", "http://127.0.0.1:9"], "goes with --from warehouse14", 2),
        (["--add-accounts"], "--add-accounts goes with --from warehouse14", 2),
        (["too", "many"], "say where it is: --from elasticpypi BUCKET", 2),
        (["--profile", "nobody"], "nobody", 2),
    ],
)
def test_a_wrong_call_is_one_line(
    old: OldBucket, site: Site, words: list[str], complaint: str, status: int
) -> None:
    report = old.take_into(site, *words)
    assert (report.status, report.err.count("\n"), report.summary) == (status, 1, "")
    assert complaint in report.err


def test_a_bucket_that_is_not_there_is_one_line(old: OldBucket, site: Site) -> None:
    old.name = "no-such-bucket"
    report = old.take_into(site)
    assert report.err == "warehouse14: The bucket no-such-bucket: there is none of that name\n"
    assert report.status == 2


def test_a_site_that_is_read_only_takes_nothing(old: OldBucket, site: Site) -> None:
    old.add(build_wheel("demo", "1.0"))
    site.configure(APP, warehouse14__read_only="true")
    report = old.take_into(site)
    assert (report.status, report.summary) == (1, "")
    assert "read" in report.err


def _big(name: str) -> BuiltFile:
    return build_wheel(name, "1.0", extra_members={"data.bin": os.urandom(8_000_000)})


def _with_a_mended_cable(cable: Cable, run: Callable[[], Report]) -> Report:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        while cable.bytes_left != 0 and not running.done():
            time.sleep(0.01)
        cable.bytes_left = None
        return running.result()
