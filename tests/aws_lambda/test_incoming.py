"""Files that are put into the bucket: the events of real objects, and a function that takes them in."""

import os
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest

from support.buckets import BucketServer
from support.cables import Cable
from support.drops import ACCOUNT, Drop, at_night, dropped_at
from support.functions import Function, variables_of
from support.notifications import from_eventbridge, message, notification, record, recorded, removal
from support.sites import Site
from warehouse14.aws_lambda.keeping import UnfinishedError, UpkeepHandler
from warehouse14.domain.model import Role
from warehouse14.domain.services.incomingtexts import ERROR
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

BAD = b"no archive"
_NOTHING = {"published": 0, "there": 0, "refused": 0}


@pytest.fixture(scope="module")
def taking(remote_site: Site, localstack: BucketServer) -> Drop:
    return dropped_at(remote_site, localstack)


@pytest.fixture
def drop(taking: Drop) -> Drop:
    """The same, with nothing in it."""
    taking.clear()
    return taking


def receiver(drop: Drop, **variables: str) -> Function:
    return Function(variables_of(drop.site) | variables, handler="s3_events")


@pytest.fixture(scope="module")
def function(taking: Drop) -> Iterator[Function]:
    with receiver(taking) as function:
        yield function


def built(project: str, body: bytes = b"") -> BuiltFile:
    return build_wheel(project, "1.0", body=body)


def answer(function: Function, event: object) -> object:
    invocation = function.invoke(event)
    assert invocation.error is None, function.log()
    return invocation.answer


# -- the usual way ------------------------------------------------------------------------


def test_what_is_put_there_is_published_and_gone(drop: Drop, function: Function) -> None:
    wheel, sdist = built("dropped"), build_sdist("dropped", "1.0")
    event = drop.event(drop.put_built(wheel), drop.put(f"team a+b/{sdist.filename}", sdist.content))
    assert answer(function, event) == _NOTHING | {"published": 2}
    assert drop.keys() == []
    assert drop.listed("dropped") == {each.filename: each.content for each in (wheel, sdist)}
    assert f"incoming: {wheel.filename}: published outcome=published" in function.log()
    with drop.site.library() as warehouse:
        entries = warehouse.journal.of_project(warehouse.operator(), "dropped").all()
        assert {(entry.actor, entry.origin) for entry in entries} == {(ACCOUNT, "incoming")}


def test_what_was_said_of_the_object_stays_behind(drop: Drop, function: Function) -> None:
    wheel, client = built("tagged"), drop.store.client()
    name = drop.put_built(wheel)
    about = {"Tagging": "owner=somebody", "Metadata": {"owner": "somebody"}, "ContentEncoding": "gzip"}
    client.put_object(Bucket=drop.bucket, Key=name, Body=wheel.content, **about)
    assert answer(function, drop.event(name)) == _NOTHING | {"published": 1}
    (blob,) = (f"packages/blobs/{key}" for key in drop.site.blobs() if key.endswith(wheel.filename))
    assert client.get_object_tagging(Bucket=drop.bucket, Key=blob)["TagSet"] == []
    found = client.head_object(Bucket=drop.bucket, Key=blob)
    assert (found["Metadata"], found.get("ContentEncoding")) == ({}, None)


def test_what_was_put_there_as_a_page_is_published_or_refused_as_anything_else(
    drop: Drop, function: Function
) -> None:
    """As by ``aws s3 sync`` of a folder with an index in it, or of tools that take any file for a page."""
    wheel = built("paged")
    names = [drop.put(wheel.filename, wheel.content, ContentType="text/html")]
    names.append(drop.put("index.html", b"<!DOCTYPE html>", ContentType="text/html"))
    assert answer(function, drop.event(*names)) == _NOTHING | {"published": 1, "refused": 1}
    assert drop.keys() == ["index.html", f"index.html{ERROR}"]
    assert drop.listed("paged") == {wheel.filename: wheel.content}
    assert drop.taken() == []


def test_an_event_that_comes_again_changes_nothing(drop: Drop, function: Function) -> None:
    wheel = built("again")
    event = drop.event(drop.put_built(wheel))
    assert answer(function, event) == _NOTHING | {"published": 1}
    assert answer(function, event) == _NOTHING
    drop.put_built(wheel)
    assert answer(function, event) == _NOTHING | {"there": 1}
    assert drop.keys() == []


def test_events_come_in_messages_and_from_eventbridge_too(drop: Drop, function: Function) -> None:
    one, two, three = (built(f"shape-{number}") for number in range(3))
    messages = notification(
        message(drop.event(drop.put_built(one))),
        message(recorded("s3_test")),
        message(from_eventbridge(drop.bucket, drop.put_built(two))),
    )
    assert answer(function, messages) == _NOTHING | {"published": 2}
    assert answer(function, from_eventbridge(drop.bucket, drop.put_built(three))) == _NOTHING | {
        "published": 1
    }
    assert answer(function, recorded("s3_test")) == _NOTHING


def test_an_old_event_takes_in_what_lies_there_now_and_once(drop: Drop, function: Function) -> None:
    old, new = built("replaced", b"old"), built("replaced", b"new")
    drop.put_built(old)
    name = drop.put_built(new)
    assert answer(function, drop.event(name)) == _NOTHING | {"published": 1}
    assert answer(function, drop.event(name)) == _NOTHING
    assert drop.listed("replaced") == {new.filename: new.content}


def test_a_removal_cancels_what_was_not_taken_in_and_nothing_else(drop: Drop, function: Function) -> None:
    listed, late, put_again = built("listed"), built("late"), built("put-again")
    answer(function, drop.event(drop.put_built(listed)))
    late_name = drop.put_built(late)
    drop.remove(late.filename)
    again = drop.put_built(put_again)
    event = notification(
        removal(drop.bucket, late_name, sequencer="0C"),
        record(drop.bucket, late_name, sequencer="0A"),
        removal(drop.bucket, f"packages/incoming/{listed.filename}"),
        record(drop.bucket, again, sequencer="0C"),
        removal(drop.bucket, again, sequencer="0B"),
    )
    assert answer(function, event) == _NOTHING | {"published": 1}
    assert list(drop.listed("listed")) == [listed.filename]
    assert list(drop.listed("put-again")) == [put_again.filename]


# -- refusals -----------------------------------------------------------------------------


def test_a_refused_file_stays_with_a_text_until_a_good_one_comes(drop: Drop, function: Function) -> None:
    good = built("mended")
    event = drop.event(drop.put(good.filename, BAD))
    assert answer(function, event) == _NOTHING | {"refused": 1}
    assert drop.keys() == [good.filename, good.filename + ERROR]
    said = drop.text(good.filename)
    assert said.startswith(f"{good.filename} was refused:\n\ncontent: ")
    assert f"by the account {ACCOUNT} (warehouse14.incoming_account)" in said
    assert "WARNING" in function.log()
    # The text is itself an object with an event.
    text = f"packages/incoming/{good.filename}{ERROR}"
    assert answer(function, drop.event(text)) == _NOTHING
    assert answer(function, drop.event(drop.put_built(good))) == _NOTHING | {"published": 1}
    assert drop.keys() == []


def test_where_the_account_may_not_publish_the_text_says_so_until_it_is_removed(
    drop: Drop, function: Function
) -> None:
    wheel = built("of-ada")
    with drop.site.library() as warehouse:
        warehouse.projects.create(warehouse.operator(), "of-ada", admin="ada")
    event = drop.event(drop.put_built(wheel))
    assert answer(function, event) == _NOTHING | {"refused": 1}
    assert f"{ACCOUNT} may not upload to the project of-ada. Ask one of its admins" in drop.text(
        wheel.filename
    )
    with drop.site.library() as warehouse:
        warehouse.projects.grant(warehouse.operator(), "of-ada", f"account:{ACCOUNT}", Role.ADMIN)
    assert answer(function, event) == _NOTHING
    removed = notification(removal(drop.bucket, drop.remove(wheel.filename + ERROR)))
    assert answer(function, removed) == _NOTHING | {"published": 1}
    assert (drop.keys(), answer(function, removed)) == ([], _NOTHING)


HOSTILE = [
    "no-archive.txt",
    "two\nlines-1.0.tar.gz",
    "grüße.whl",
    "%2F..%2F.whl",
    "a//b-1.0.tar.gz",
    f"{'x' * 240}-1.0.tar.gz",
    f"{'long/' * 180}x-1.0.tar.gz",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_name_that_is_none_is_refused_in_few_lines(drop: Drop, function: Function, key: str) -> None:
    lines = len(function.log().splitlines())
    assert answer(function, drop.event(drop.put(key, b""))) == _NOTHING | {"refused": 1}
    assert drop.keys() == [key, key + ERROR]
    assert len(drop.text(key).split("\n")) == 7
    assert len(function.log().splitlines()) == lines + 1


def test_beside_the_longest_of_keys_there_is_no_room_for_a_text(drop: Drop, function: Function) -> None:
    key = "x" * (1024 - len("packages/incoming/"))
    assert answer(function, drop.event(drop.put(key, b""))) == _NOTHING | {"refused": 1}
    assert drop.keys() == [key]
    assert "there is no room for a text beside xxx" in function.log()


def test_nothing_is_touched_that_lies_elsewhere(drop: Drop, function: Function) -> None:
    wheel = built("elsewhere")
    answer(function, drop.event(drop.put_built(wheel)))
    client, before = drop.store.client(), drop.site.blobs()
    (blob,) = (key for key in before if key.endswith(wheel.filename))
    outside = f"packages/blobs/{blob}"
    client.put_object(Bucket=drop.bucket, Key="incoming/x.whl", Body=b"")
    client.put_object(Bucket=drop.bucket, Key="packages/incoming/folder/", Body=b"")
    names = [
        outside,
        f"packages/incoming/../blobs/{blob}",
        f"packages/incoming/./../blobs/{blob}",
        "packages/incoming/..",
        "packages/incoming/",
        "packages/incoming/folder/",
        "packages/incoming/nul\0.whl",
        "incoming/x.whl",
        "",
    ]
    event = notification(*(record(drop.bucket, name) for name in names), record("another", outside))
    assert answer(function, event) == _NOTHING
    assert function.log().count("is none of the files that are taken in") >= len(names)
    assert drop.site.blobs() == before
    assert drop.keys() == ["folder/"]


# -- what fails ---------------------------------------------------------------------------


def test_one_bad_record_keeps_no_other_back(drop: Drop, function: Function) -> None:
    wheel = built("kept-back")
    event = notification({"eventName": "ObjectCreated:Put"}, *drop.event(drop.put_built(wheel))["Records"])
    assert answer(function, event) == _NOTHING | {"published": 1}
    assert "a record of an event cannot be read: KeyError: 's3'" in function.log()


def test_an_event_of_something_else_is_an_error(function: Function) -> None:
    assert function.invoke({"version": "2.0"}).error["errorType"] == "ValueError"


@pytest.mark.thorough
def test_what_waits_for_a_store_comes_again(drop: Drop) -> None:
    wheel, other = built("waits"), built("waits-too")
    event = drop.event(drop.put_built(wheel), drop.put_built(other))
    with Cable(drop.store.port) as cable:
        endpoint = f"http://127.0.0.1:{cable.port}"
        variables = {"WAREHOUSE14_FILES_ENDPOINT_URL": endpoint, "WAREHOUSE14_FILES_ATTEMPTS": "1"}
        with receiver(drop, **variables) as function:
            answer(function, recorded("s3_test"))
            cable.refuse()
            error = function.invoke(event).error
            assert error["errorType"] == "WaitingError"
            assert error["errorMessage"].startswith("files that wait: 2; ")
            assert f"incoming: {wheel.filename}: The file store does not give files." in function.log()
            cable.mend()
            assert answer(function, event) == _NOTHING | {"published": 2}
    assert drop.keys() == []


@pytest.mark.thorough
def test_a_connection_that_is_cut_in_the_middle_of_a_file_is_no_refusal(drop: Drop) -> None:
    wheel = built("cut-off", os.urandom(6_000_000))
    event = drop.event(drop.put_built(wheel))
    with Cable(drop.store.port) as cable:
        variables = {"WAREHOUSE14_FILES_ENDPOINT_URL": f"http://127.0.0.1:{cable.port}"}
        with receiver(drop, **variables) as function:
            answer(function, recorded("s3_test"))
            for left in (2_000_000, 8_000_000, 14_000_000):
                cable.bytes_left = left
                done = function.invoke(event)
                cable.bytes_left = None
                if done.error is None:
                    break
                assert done.error["errorType"] == "WaitingError"
                assert drop.keys() == [wheel.filename]
            answer(function, event)
    assert (drop.keys(), drop.listed("cut-off")) == ([], {wheel.filename: wheel.content})


@pytest.mark.thorough
def test_a_site_that_changes_nothing_has_the_event_come_again(drop: Drop) -> None:
    wheel = built("read-only")
    event = drop.event(drop.put_built(wheel))
    with receiver(drop, WAREHOUSE14_READ_ONLY="true") as function:
        assert function.invoke(event).error["errorType"] == "WaitingError"
    assert drop.keys() == [wheel.filename]


@pytest.mark.thorough
def test_without_an_account_it_does_not_start(drop: Drop) -> None:
    with receiver(drop, WAREHOUSE14_INCOMING_ACCOUNT="") as function:
        assert function.ends() == 2
        assert function.log().splitlines() == [
            "warehouse14: s3_events needs files in S3, and warehouse14.incoming_account"
        ]


# -- sweeping -----------------------------------------------------------------------------


@pytest.mark.thorough
def test_what_is_left_all_the_same_upkeep_takes_in(drop: Drop) -> None:
    good, bad = built("left-behind"), built("left-bad")
    drop.put_built(good)
    drop.put(bad.filename, BAD)
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60_000)
    with drop.site.library() as warehouse:
        assert UpkeepHandler(warehouse)({}, context).items() >= _NOTHING.items()
        handler = UpkeepHandler(at_night(warehouse))
        assert handler({}, context).items() >= (_NOTHING | {"published": 1, "refused": 1}).items()
        assert handler({}, context).items() >= _NOTHING.items()
    assert drop.keys() == [bad.filename, bad.filename + ERROR]
    assert list(drop.listed("left-behind")) == [good.filename]


@pytest.mark.thorough
def test_upkeep_begins_no_file_for_which_there_is_no_time(drop: Drop) -> None:
    names = [built(f"in-time-{number}") for number in range(3)]
    for wheel in names:
        drop.put_built(wheel)

    def left() -> int:
        return 60_000 if len(drop.keys()) > 1 else 5_000

    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=left)
    with drop.site.library() as warehouse, pytest.raises(UnfinishedError):
        UpkeepHandler(at_night(warehouse))({}, context)
    assert len(drop.keys()) == 1


@pytest.mark.thorough
def test_the_command_takes_in_everything_a_line_for_each(drop: Drop) -> None:
    one, two = built("by-command"), built("by-command-too")
    for wheel in (one, two):
        drop.put_built(wheel)
    done = drop.site.run("incoming")
    assert (done.returncode, sorted(done.stdout.splitlines()), done.stderr) == (
        0,
        sorted(f"{wheel.filename}: published" for wheel in (one, two)),
        "",
    )
    drop.put_built(one)
    drop.put("bad.txt", BAD)
    done = drop.site.run("incoming")
    assert (done.returncode, done.stdout) == (1, f"{one.filename}: there already\n")
    assert done.stderr.startswith("bad.txt: content: ")
    done = drop.site.run("incoming")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert drop.keys() == ["bad.txt", f"bad.txt{ERROR}"]


def test_the_files_that_wait_are_no_blobs_and_nobody_clears_them_away(drop: Drop) -> None:
    wheel = built("not-a-blob")
    drop.put_built(wheel)
    with drop.site.library() as warehouse:
        assert not any("incoming" in blob.key for blob in warehouse.store.keys())
        gone = list(warehouse.upkeep.collect(older_than=timedelta(0)))
        assert not any("incoming" in loose.key for loose in gone)
    assert drop.keys() == [wheel.filename]
