"""``warehouse14 import --from warehouse14``: a table of projects and roles, and a bucket of files."""

import signal

import pytest

from moving.conftest import contents
from moving.oldsites import OldBucket, OldTable, listed, roles
from support.buckets import BucketServer
from support.sites import APP, Site
from support.table_faults import TableFaults
from support.tables import DynamoDBLocal
from warehouse14.adapters.oldsites.speaking import Speaker
from warehouse14.settings import Section
from warehouse14.testing.builders import build_sdist, build_wheel

pytestmark = [pytest.mark.npm, pytest.mark.debian]


@pytest.fixture
def old(localstack: BucketServer, dynamodb: DynamoDBLocal, table: str) -> OldTable:
    return OldTable(dynamodb, table, OldBucket(localstack))


def test_projects_roles_and_files_come_over_and_a_second_run_takes_what_is_new(
    old: OldTable, site: Site
) -> None:
    wheel, sdist = build_wheel("De.mo", "1.0"), build_sdist("De.mo", "1.0")
    people = {"ben": "admin", "cleo": "member", "new@example.org": "member"}
    old.project("De.mo", wheel, sdist, people=people, public=True)
    old.project("empty", people={"cleo": "admin"})
    for name in people:
        old.account(name)
    rows = old.count()
    first = old.take_into(site)
    assert (first.status, first.err) == (0, "")
    assert first.summary == "2 files taken, 0 there already, 0 not taken; 2 projects made; 2 roles given"
    assert first.lines == [
        "note: 3 tokens are not read: people make new ones here.",
        "note: de-mo was public there and is private here; --public opens it.",
    ]
    assert roles(site, "de-mo") == {
        "account:ben": "admin",
        "account:cleo": "member",
        "invitation:new@example.org": "member",
    }
    assert roles(site, "empty") == {"account:cleo": "admin"}
    times, found = old.bucket.times(), listed(site)
    assert {name: file.uploaded_at for name, file in found.items()} == {
        name: times[f"de-mo/{name}"].replace(microsecond=0) for name in (wheel.filename, sdist.filename)
    }
    assert {file.uploaded_by for file in found.values()} == {"ada"}
    before = contents(site)
    assert old.take_into(site).summary == "0 files taken, 2 there already, 0 not taken"
    assert contents(site) == before
    old.project("De.mo", wheel, sdist, build_wheel("De.mo", "2.0"), people={"late@example.org": "member"})
    third = old.take_into(site, "--public")
    assert third.status == 0
    assert third.summary == "1 files taken, 2 there already, 0 not taken; 1 roles given; 1 projects opened"
    assert old.count() == rows + 1
    assert site.damage() == []


def test_what_cannot_be_taken_is_named_and_the_rest_is_taken(old: OldTable, site: Site) -> None:
    good, wrong, lost = (build_wheel("demo", version) for version in ("1.0", "2.0", "3.0"))
    old.project("demo", good, wrong, lost, people={"ben": "admin", "nobody": "member", "cleo": "owner"})
    old.bucket.put(f"demo/{wrong.filename}", build_wheel("demo", "2.0", body=b"x = 1\n").content)
    old.bucket.remove(f"demo/{lost.filename}")
    old.bucket.put("demo/orphan-1.0.tar.gz", b"nothing")
    old.project("old.spelling", build_wheel("old.spelling", "1.0"), key="old.spelling")
    for key in ("Two.Names", "two-names"):
        old.project("two-names", key=key)
    old.row("project#strange", "project#strange", name="strange", versions="none")
    old.row("project#namespaces", "project#namespaces", name="namespaces", versions={})
    old.row("something", "else")
    for name in ("strange", "namespaces"):
        old.row(f"project#{name}", "account#ben", name="ben", role="admin")
    trial = old.take_into(site, "--dry-run")
    report = old.take_into(site)
    assert (report.status, report.err) == (1, "")
    assert report.summary == "2 files taken, 0 there already, 9 not taken; 4 projects made"
    assert [line for line in trial.lines if line.startswith("not taken")] == report.untaken
    assert "not the digest" in report.about(f"demo/{wrong.filename}")
    assert "no such object" in report.about(f"demo/{lost.filename}")
    assert "lists such a file" in report.about("demo/orphan-1.0.tar.gz")
    assert "no account nobody" in report.about("demo: member nobody")
    assert "'owner' is no role" in report.about("project#demo account#cleo")
    assert "another spelling of two-names" in report.about("project#Two.Names")
    assert "has no versions" in report.about("strange")
    assert "reserved" in report.about("namespaces")
    assert "not as the old Warehouse14" in report.about("something else")
    assert sorted(listed(site)) == [good.filename, "old_spelling-1.0-py3-none-any.whl"]
    assert roles(site, "demo") == {"account:ben": "admin"}


@pytest.mark.thorough
@pytest.mark.parametrize("step", ["before the project", "before the role", "before the opening"])
def test_a_run_that_is_killed_among_projects_and_roles_is_begun_again(
    old: OldTable, site: Site, step: str
) -> None:
    wheel = build_wheel("demo", "1.0")
    old.project("demo", wheel, people={"ben": "admin", "cleo": "member"}, public=True)
    old.project("empty", people={"cleo": "admin", "new@example.org": "member"})
    armed = site.folder / "armed"
    site.configure(APP, warehouse14__metadata="support.killing:units", warehouse14__metadata__armed=armed)
    armed.write_text(step)
    assert old.take_into(site, "--public").status == -signal.SIGKILL
    assert list(listed(site)) == []
    report = old.take_into(site, "--public")
    assert (report.status, report.err, report.lines) == (0, "", [])
    assert list(listed(site)) == [wheel.filename]
    assert roles(site, "demo") == {"account:ben": "admin", "account:cleo": "member"}
    assert roles(site, "empty") == {"account:cleo": "admin", "invitation:new@example.org": "member"}
    with site.library() as warehouse:
        assert warehouse.projects.get(warehouse.operator(), "demo").public
    before = contents(site)
    assert old.take_into(site, "--public").summary == "0 files taken, 1 there already, 0 not taken"
    assert contents(site) == before
    assert site.damage() == []


def test_a_table_of_more_than_one_page_is_read_whole(old: OldTable, site: Site) -> None:
    version = {"version": "1.0", "metadata": {"description": "x" * 100_000}, "files": []}
    for number in range(25):
        name = f"project-{number}"
        old.row(f"project#{name}", f"project#{name}", name=name, versions={"1.0": version})
        old.row(f"project#{name}", "account#ben", name="ben", role="admin")
    report = old.take_into(site)
    assert report.summary == "0 files taken, 0 there already, 0 not taken; 25 projects made"
    assert roles(site, "project-24") == {"account:ben": "admin"}


def test_the_keys_of_tokens_are_not_read_and_a_table_that_lets_little_through_is_asked_again(
    old: OldTable, dynamodb: DynamoDBLocal
) -> None:
    old.account("ben")
    with TableFaults(dynamodb) as faults:
        values = {"table": old.name, "region": "us-east-1", "table_endpoint_url": dynamodb.endpoint}
        table = Speaker(Section("", values)).table()
        faults.throttle("Scan", times=3, error="ProvisionedThroughputExceededException")
        rows = list(table.rows())
    assert sorted(row["sk"].partition("#")[0] for row in rows) == ["account", "token"]
    assert {key for row in rows for key in row} == {"pk", "sk", "name"}


def test_a_table_that_is_none_of_warehouse14_is_one_line(old: OldTable, site: Site) -> None:
    old.server.remove(old.name)
    absent = old.take_into(site)
    assert (absent.status, absent.summary) == (2, "")
    assert absent.err == f"warehouse14: The table {old.name}: there is none of that name in this region\n"
    old.make("package_name", "version")
    other = old.take_into(site)
    assert (other.status, other.summary) == (2, "")
    assert (
        other.err
        == f"warehouse14: The table {old.name}: its key is package_name, version, and not pk and sk\n"
    )
