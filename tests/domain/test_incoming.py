"""Files that others put into the store: who they count as, what is said of them, what lies there after."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, BinaryIO

import pytest

from domain.conftest import Clock
from support.incoming import MOST_KEY, IncomingFiles
from warehouse14.adapters.memory import MemoryFiles, MemoryUnits
from warehouse14.domain.errors import Misconfigured, ReadOnly, Unavailable
from warehouse14.domain.model import Action, Change, Role
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Blob, UnitOfWork
from warehouse14.domain.services.incoming import UNHANDLED, IncomingService, Outcome, Taken
from warehouse14.domain.services.incomingtexts import ABANDONED, ERROR
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

WHEEL = build_wheel("demo", "1.0")
OTHER = build_wheel("demo", "1.0", body=b"other")
BAD = b"no archive"
NAME = WHEEL.filename
TEXT = NAME + ERROR
MOST = 100_000
MINUTE = timedelta(minutes=1)


class Site:
    """A site in memory that takes what others put there, as the account of a robot."""

    def __init__(self, clock: Clock) -> None:
        self.units, self.files, self.clock = MemoryUnits(), IncomingFiles(clock), clock
        self.folder = self.files.folder
        self.warehouse = self.opened()
        for name in ("robot", "ada"):
            self.warehouse.accounts.add(self.warehouse.operator(), name)

    def opened(self, **more: Any) -> Warehouse:
        """Return one more process over the same stores."""
        given: dict[str, Any] = {"create_on_upload": True, "incoming_account": AccountName("robot"), **more}
        policy = Policy(max_file_bytes=MOST, page_cache_bytes=100_000, **given)
        return Warehouse(self.units, self.files, policy, now=self.clock)

    @property
    def incoming(self) -> IncomingService:
        return self.warehouse.incoming

    def take(self, content: bytes = WHEEL.content, key: str = NAME) -> Taken | None:
        self.folder.put(key, content)
        return self.incoming.take(key)

    def swept(self, *, older_than: timedelta | None = None) -> list[tuple[str, Outcome]]:
        return [(taken.key, taken.outcome) for taken in self.incoming.take_all(older_than=older_than)]

    def there(self) -> list[str]:
        return sorted(self.folder.objects)

    def text(self, key: str = TEXT) -> str:
        return self.folder.objects[key][0].decode()

    def uploads(self) -> list[Change]:
        with self.units.read() as unit:
            found = list(unit.journal.since(0, 1000))
        return [change for change in found if change.action is Action.FILE_UPLOAD]

    def publish(self, built: BuiltFile) -> None:
        robot = self.warehouse.account("robot")
        self.warehouse.uploads.publish(robot, form_of(built.filename), [built.content])


@pytest.fixture
def site(clock: Clock) -> Site:
    return Site(clock)


# -- the usual way ------------------------------------------------------------------------


@pytest.mark.parametrize("built", [WHEEL, build_sdist("demo", "1.0")])
def test_a_file_is_published_and_gone_and_counts_as_of_the_account(site: Site, built: BuiltFile) -> None:
    key = f"team a/{built.filename}"
    assert site.take(built.content, key) == Taken(key, Outcome.PUBLISHED)
    (change,) = site.uploads()
    assert (change.actor, change.project, change.origin) == ("robot", "demo", "incoming")
    with site.warehouse.files.open(site.warehouse.account("robot"), "demo", built.filename) as stream:
        assert stream.read() == built.content
    assert site.there() == []


def test_a_listed_file_with_the_same_bytes_is_fine_and_removed(site: Site) -> None:
    site.publish(WHEEL)
    assert site.take() == Taken(NAME, Outcome.THERE)
    assert (site.there(), len(site.uploads())) == ([], 1)


def test_what_is_not_there_any_more_is_nothing(site: Site) -> None:
    assert site.incoming.take(NAME) is None


@pytest.mark.parametrize(
    "key", ["folder/", "", TEXT, "../blobs/x.whl", "a/../x.whl", "./x.whl", "..", "x\0.whl", f"a/{TEXT}"]
)
def test_what_is_no_file_for_us_is_left_alone(site: Site, key: str) -> None:
    assert site.take(key=key) is None
    site.incoming.cancel(key)
    assert (site.there(), site.swept()) == ([key], [])


@pytest.mark.parametrize("key", ["folder/", "", ERROR, "../blobs/x.whl", f"{TEXT}{ERROR}", "x\0.whl"])
def test_a_notice_of_neither_a_file_nor_its_text_has_no_key(site: Site, key: str) -> None:
    assert site.incoming.key("any", f"incoming/{key}") is None
    assert site.incoming.key("any", f"incoming/{TEXT}") == TEXT


# -- refusals -----------------------------------------------------------------------------


def sentence_of_an_upload(site: Site, content: bytes, filename: str) -> str:
    """Return what is said to somebody who uploads the same."""
    robot = site.warehouse.account("robot")
    with pytest.raises(Exception, match=r".") as caught:
        site.warehouse.uploads.publish(robot, form_of(filename), [content])
    return str(caught.value)


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        (NAME, BAD),
        (NAME, b""),
        (NAME, bytes(MOST + 1)),
        ("another-1.0-py3-none-any.whl", WHEEL.content),
        ("readme.txt", b"hello"),
        ("simple-1.0.tar.gz", b""),
    ],
)
def test_a_refused_file_stays_with_the_sentence_of_an_upload_beside_it(
    site: Site, filename: str, content: bytes
) -> None:
    taken = site.take(content, filename)
    assert taken is not None
    assert taken.outcome is Outcome.REFUSED
    assert site.there() == [filename, filename + ERROR]
    text = site.text(filename + ERROR)
    assert taken.reason == sentence_of_an_upload(site, content, filename)
    assert text.startswith(f"{filename} was refused:\n\n{taken.reason}\n\n")
    assert "by the account robot (warehouse14.incoming_account), 2026-11-01 12:00:00 UTC." in text
    assert site.uploads() == []


def test_other_bytes_under_a_listed_name_are_refused(site: Site) -> None:
    site.publish(WHEEL)
    taken = site.take(OTHER.content)
    assert taken is not None
    assert taken.reason.startswith("File already exists")
    assert site.there() == [NAME, TEXT]


@pytest.mark.parametrize("key", ["two\nlines-1.0.tar.gz", "a\x1b[31m/x\u202e.whl", f"{'x' * 300}.whl"])
def test_nothing_in_a_name_becomes_a_line_or_a_command(site: Site, key: str) -> None:
    taken = site.take(BAD, key)
    assert taken is not None
    text = site.text(key + ERROR)
    assert (len(text.split("\n")), "\x1b" in text, "\u202e" in text) == (7, False, False)


def test_a_huge_metadata_file_is_refused(site: Site) -> None:
    wheel = build_wheel("demo", "1.0", description="x" * 20_000_000)
    site.warehouse.uploads.max_file_bytes = 10**9
    taken = site.take(wheel.content)
    assert taken is not None
    assert taken.outcome is Outcome.REFUSED
    assert "METADATA" in site.text()


def test_a_good_file_in_the_place_of_a_refused_one_takes_the_text_away(site: Site) -> None:
    site.take(BAD)
    assert site.take() == Taken(NAME, Outcome.PUBLISHED)
    assert site.there() == []


def test_a_text_goes_with_the_file_that_it_speaks_of(site: Site) -> None:
    site.take(BAD)
    site.incoming.cancel(NAME)
    assert site.there() == [NAME, TEXT]
    del site.folder.objects[NAME]
    site.incoming.cancel(NAME)
    assert site.there() == []


def test_a_removal_takes_nothing_away_that_is_listed(site: Site) -> None:
    site.take()
    site.incoming.cancel(NAME)
    assert (
        site.warehouse.uploads.judge(site.warehouse.account("robot"), form_of(NAME), [WHEEL.content]).is_new
        is False
    )


def test_a_text_of_somebody_else_stays_when_there_is_no_file(site: Site) -> None:
    site.folder.put(TEXT, b"mine")
    site.incoming.cancel(NAME)
    assert (site.swept(), site.there()) == ([], [TEXT])


def test_a_refused_file_is_not_read_again_as_long_as_it_and_its_text_are_the_same(site: Site) -> None:
    read: list[str] = []
    site.folder.on_read = read.append
    site.take(BAD)
    assert (site.incoming.take(NAME), len(read)) == (None, 1)
    site.clock.pass_by(MINUTE)
    site.take(BAD)
    assert len(read) == 2


def test_who_removes_the_text_has_the_file_taken_in_by_the_notice_of_that(site: Site) -> None:
    site.warehouse.projects.create(site.warehouse.account("ada"), "demo")
    site.take()
    site.warehouse.projects.grant(site.warehouse.account("ada"), "demo", "account:robot", Role.ADMIN)
    assert (site.incoming.cancel(TEXT), site.incoming.take(TEXT)) == (None, None)
    del site.folder.objects[TEXT]
    assert site.incoming.cancel(TEXT) == Taken(NAME, Outcome.PUBLISHED)
    assert (site.there(), site.incoming.cancel(TEXT)) == ([], None)


# -- replaced meanwhile -------------------------------------------------------------------


def test_one_that_is_replaced_while_it_is_read_is_judged_anew(site: Site) -> None:
    def replace(key: str) -> None:
        site.folder.on_read = lambda _: None
        site.folder.put(key, WHEEL.content)
        raise Unavailable("it is another one now")

    site.folder.on_read = replace
    assert site.take(OTHER.content) == Taken(NAME, Outcome.PUBLISHED)
    with site.warehouse.files.open(site.warehouse.account("robot"), "demo", NAME) as stream:
        assert stream.read() == WHEEL.content


def replace_by_one_with_the_same_tag(site: Site) -> None:
    """Have other bytes put there that look the same, right before they are copied."""

    def replace(key: str) -> None:
        site.folder.on_copy = lambda _: None
        site.clock.pass_by(timedelta(seconds=1))
        site.folder.put(key, OTHER.content)

    site.folder.tag_of = lambda _: "of both"
    site.folder.on_copy = replace


def test_one_that_is_replaced_by_one_with_the_same_tag_is_judged_anew_and_no_wrong_bytes_stay(
    site: Site,
) -> None:
    replace_by_one_with_the_same_tag(site)
    assert site.take() == Taken(NAME, Outcome.PUBLISHED)
    assert {blob.key.split("/")[1] for blob in site.files.keys()} == {sha256(OTHER.content).hexdigest()}
    assert [report for report in site.warehouse.upkeep.check(digests=True) if report] == []


def listed_without_a_sidecar(site: Site) -> str:
    """Have a listed file that is put again when it is sent again. Return its key."""
    site.publish(WHEEL)
    [key] = [blob.key for blob in site.files.keys() if blob.key.endswith(NAME)]
    site.files.delete(f"{key}.json")
    return key


def test_a_listed_file_never_has_the_bytes_of_one_with_the_same_tag(site: Site) -> None:
    key = listed_without_a_sidecar(site)
    replace_by_one_with_the_same_tag(site)
    taken = site.take()
    assert taken is not None
    assert taken.reason.startswith("File already exists")
    assert site.files.stat(key) is None


def test_the_wrong_bytes_of_a_listed_file_stay_where_its_project_is_not_held_long_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another may hold it by then, and have put the right ones."""
    key = listed_without_a_sidecar(site)
    replace_by_one_with_the_same_tag(site)
    passed, stat = [0.0], site.files.stat

    def slowly(wanted: str) -> Blob | None:
        passed[0] += 4
        return stat(wanted)

    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    monkeypatch.setattr(site.files, "stat", slowly)
    site.take()
    assert stat(key) is not None


def test_no_project_is_held_while_a_blob_is_read_that_may_be_wrong(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be large, and on some engines nobody else writes meanwhile."""
    key = listed_without_a_sidecar(site)
    replace_by_one_with_the_same_tag(site)
    write, read = site.units.write, site.files.open
    begun: list[UnitOfWork] = []
    reads: list[bool] = []

    @contextmanager
    def writing() -> Iterator[UnitOfWork]:
        with write() as unit:
            begun.append(unit)
            yield unit
            begun.remove(unit)

    def opened(wanted: str, start: int) -> BinaryIO:
        if wanted == key:
            reads.append(bool(begun))
        return read(wanted, start)

    monkeypatch.setattr(site.units, "write", writing)
    monkeypatch.setattr(site.files, "open", opened)
    site.take()
    assert (True in reads, len(reads) > 1, site.files.stat(key)) == (False, True, None)


def test_the_right_bytes_stay_that_another_puts_while_wrong_ones_are_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = listed_without_a_sidecar(site)
    replace_by_one_with_the_same_tag(site)
    read = site.files.open

    def overtaken(wanted: str, start: int) -> BinaryIO:
        stream = read(wanted, start)
        if site.files.stat(key) == Blob(key, len(OTHER.content), site.clock.now):
            site.clock.pass_by(MINUTE)
            site.files.put(key, WHEEL.content)
        return stream

    monkeypatch.setattr(site.files, "open", overtaken)
    site.take()
    with read(key, 0) as stream:
        assert stream.read() == WHEEL.content


def test_wrong_bytes_that_cannot_be_removed_now_are_named_in_the_log(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = listed_without_a_sidecar(site)
    replace_by_one_with_the_same_tag(site)

    def fail(_: str) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(site.files, "delete", fail)
    site.take()
    assert [(line.levelname, key in line.getMessage()) for line in caplog.records] == [("ERROR", True)]


def test_one_that_is_removed_while_it_is_read_is_nothing(site: Site) -> None:
    def remove(key: str) -> None:
        del site.folder.objects[key]
        raise Unavailable("it is gone")

    site.folder.on_read = remove
    assert site.take() is None


def test_one_that_is_replaced_for_ever_waits(site: Site) -> None:
    def replace(key: str) -> None:
        site.folder.put(key, site.folder.objects[key][0] + b"x")
        raise Unavailable("it is another one now")

    site.folder.on_read = replace
    with pytest.raises(Unavailable):
        site.take()


def test_no_text_of_an_older_file_lies_beside_a_newer_one_that_passed(site: Site) -> None:
    def another_is_faster(_: str) -> None:
        site.folder.on_note = lambda _: None
        assert site.take() == Taken(NAME, Outcome.PUBLISHED)

    site.folder.on_note = another_is_faster
    taken = site.take(BAD)
    assert taken is not None
    assert (taken.outcome, site.there()) == (Outcome.REFUSED, [])


def test_the_text_of_one_that_came_while_another_passed_stays(site: Site) -> None:
    def another_is_refused(_: str) -> None:
        site.folder.on_noted = lambda _: None
        site.take(BAD)

    site.folder.put(TEXT, b"of an older one")
    site.folder.on_noted = another_is_refused
    site.take()
    assert (site.there(), site.swept()) == ([NAME, TEXT], [])


def test_a_late_text_about_an_older_file_gives_way_to_one_about_what_lies_there(site: Site) -> None:
    def another_is_faster(_: str) -> None:
        site.folder.on_note = lambda _: None
        site.take(b"no archive either")

    site.folder.on_note = another_is_faster
    site.take(BAD)
    assert (site.there(), site.swept()) == ([NAME, TEXT], [])


def test_a_text_stays_whose_file_comes_while_an_older_one_is_forgotten(site: Site) -> None:
    def another_comes(_: str) -> None:
        site.folder.on_noted = lambda _: None
        site.take(b"no archive either")

    site.take(BAD)
    del site.folder.objects[NAME]
    site.folder.on_noted = another_comes
    assert site.incoming.cancel(NAME) is None
    assert (site.there(), site.swept()) == ([NAME, TEXT], [])


# -- who may ------------------------------------------------------------------------------


def test_where_the_account_may_not_upload_the_file_is_refused(site: Site) -> None:
    ada = site.warehouse.account("ada")
    site.warehouse.projects.create(ada, "demo")
    taken = site.take()
    assert taken is not None
    assert taken.reason == sentence_of_an_upload(site, WHEEL.content, NAME)
    assert taken.reason.startswith("robot may not upload to the project demo.")


def test_a_project_is_made_only_where_an_upload_would_make_it(site: Site) -> None:
    site.warehouse = site.opened(create_on_upload=False)
    taken = site.take()
    assert taken is not None
    assert taken.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("name", "reason"), [("gone", "There is no account 'gone'."), ("ada", "The account ada is disabled.")]
)
def test_an_account_that_may_not_act_has_its_files_refused(site: Site, name: str, reason: str) -> None:
    site.warehouse.accounts.set_disabled(site.warehouse.operator(), "ada", disabled=True)
    site.warehouse = site.opened(incoming_account=AccountName(name))
    assert site.take() == Taken(NAME, Outcome.REFUSED, reason)
    assert f"the account {name} (warehouse14.incoming_account)" in site.text()


def test_a_site_that_changes_nothing_takes_nothing(site: Site) -> None:
    site.warehouse = site.opened(read_only=True)
    for act in (site.take, site.swept, lambda: site.incoming.cancel(NAME)):
        with pytest.raises(ReadOnly):
            act()
    assert site.there() == [NAME]


def test_a_site_without_such_an_account_takes_nothing(site: Site) -> None:
    site.warehouse = site.opened(incoming_account=None)
    assert not site.incoming.is_open
    with pytest.raises(Misconfigured, match=r"warehouse14\.incoming_account is not set"):
        site.take()


def test_a_site_whose_store_has_no_such_place_takes_nothing(clock: Clock) -> None:
    policy = Policy(max_file_bytes=MOST, create_on_upload=True, page_cache_bytes=0)
    warehouse = Warehouse(MemoryUnits(), MemoryFiles(clock), policy)
    with pytest.raises(Misconfigured, match="none that others put files into"):
        list(warehouse.incoming.take_all())


# -- sweeping -----------------------------------------------------------------------------


def test_everything_that_waits_is_taken_in_and_what_was_refused_stays_refused(site: Site) -> None:
    site.folder.put("bad.whl", BAD)
    site.clock.pass_by(MINUTE)
    site.folder.put(NAME, WHEEL.content)
    assert site.swept() == [("bad.whl", Outcome.REFUSED), (NAME, Outcome.PUBLISHED)]
    assert (site.swept(), site.there()) == ([], ["bad.whl", f"bad.whl{ERROR}"])


def test_what_is_younger_is_left_to_its_event(site: Site) -> None:
    site.folder.put(NAME, WHEEL.content)
    site.clock.pass_by(UNHANDLED - MINUTE)
    assert site.swept(older_than=UNHANDLED) == []
    site.clock.pass_by(MINUTE)
    assert site.swept(older_than=UNHANDLED) == [(NAME, Outcome.PUBLISHED)]


@pytest.mark.parametrize("later", [timedelta(0), MINUTE])
def test_one_in_the_place_of_a_refused_one_is_swept_also_in_the_same_second(
    site: Site, later: timedelta
) -> None:
    site.take(BAD)
    site.clock.pass_by(later)
    site.folder.put(NAME, WHEEL.content)
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [])


def test_who_removes_the_text_has_the_file_looked_at_again(site: Site) -> None:
    site.warehouse.projects.create(site.warehouse.account("ada"), "demo")
    site.take()
    site.warehouse.projects.grant(site.warehouse.account("ada"), "demo", "account:robot", Role.ADMIN)
    assert site.swept() == []
    del site.folder.objects[TEXT]
    assert site.swept() == [(NAME, Outcome.PUBLISHED)]


def test_the_texts_of_files_that_are_gone_are_cleared_away(site: Site) -> None:
    site.take(BAD)
    del site.folder.objects[NAME]
    assert (site.swept(), site.there()) == ([], [])


def test_whoever_has_little_time_may_end_before_each_text_of_a_file_that_is_gone(site: Site) -> None:
    for key in ("a", "b"):
        site.take(BAD, key)
        del site.folder.objects[key]
    left = [site.there() for _ in site.warehouse.incoming.take_all_in_steps()]
    assert left == [[f"a{ERROR}", f"b{ERROR}"], [f"b{ERROR}"]]
    assert site.there() == []


def test_a_text_of_a_file_that_is_gone_and_cannot_be_looked_at_keeps_nothing_back(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(key: str) -> None:
        if key == f"a{ERROR}":
            raise Unavailable("no")

    for key in ("a", "b"):
        site.take(BAD, key)
        del site.folder.objects[key]
    site.folder.on_noted = refuse
    site.folder.put(NAME, WHEEL.content)
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [f"a{ERROR}"])
    assert "the text beside a, which is gone, stays: no" in caplog.text


def test_a_store_that_goes_away_is_not_asked_for_every_text_of_a_file_that_is_gone(site: Site) -> None:
    def go_away(key: str) -> None:
        asked.append(key)
        site.folder.is_away = True
        raise Unavailable("no")

    asked: list[str] = []
    for key in ("a", "b"):
        site.take(BAD, key)
        del site.folder.objects[key]
    site.folder.on_noted = go_away
    with pytest.raises(Unavailable, match="away"):
        site.swept()
    assert len(asked) == 1


def test_one_without_a_text_is_begun_before_the_texts_beside_others_are_asked_for(site: Site) -> None:
    """There may be very many."""
    order: list[str] = []
    for number in range(30):
        site.take(BAD, f"refused-{number}")
    site.clock.pass_by(MINUTE)
    site.folder.put(NAME, WHEEL.content)
    site.folder.on_read = site.folder.on_noted = order.append
    assert (site.swept(), order[0]) == ([(NAME, Outcome.PUBLISHED)], NAME)
    assert {key for key in order if key != TEXT} == {NAME, *(f"refused-{n}{ERROR}" for n in range(30))}


def test_one_whose_text_cannot_be_looked_at_waits_and_keeps_no_other_back(site: Site) -> None:
    def refuse(key: str) -> None:
        if key == f"refused{ERROR}":
            raise Unavailable("no", detail="AccessDenied")

    site.take(BAD, "refused")
    site.folder.on_noted = refuse
    site.folder.put(NAME, WHEEL.content)
    waits = Taken("refused", Outcome.WAITS, "no (AccessDenied)")
    assert list(site.incoming.take_all()) == [Taken(NAME, Outcome.PUBLISHED), waits]


def test_one_that_cannot_be_read_keeps_no_other_back(site: Site) -> None:
    def refuse(key: str) -> None:
        if key.startswith("first"):
            raise Unavailable("no", detail="AccessDenied")

    site.folder.on_read = refuse
    site.folder.put("first-1.0-py3-none-any.whl", BAD)
    site.folder.put(NAME, WHEEL.content)
    assert sorted(taken.reason for taken in site.incoming.take_all()) == ["", "no (AccessDenied)"]


def test_a_store_that_goes_away_is_not_asked_for_every_file(site: Site) -> None:
    def go_away(key: str) -> None:
        asked.append(key)
        site.folder.is_away = len(asked) == 2
        raise Unavailable("no")

    asked: list[str] = []
    site.folder.on_read = go_away
    for number in range(30):
        site.folder.put(f"demo-{number}-py3-none-any.whl", BAD)
    with pytest.raises(Unavailable, match="away"):
        site.swept()
    assert len(asked) == 2


def test_one_whose_check_fails_as_nothing_should_keeps_no_other_back(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(key: str) -> None:
        if key.startswith("first"):
            raise RuntimeError("never thought of")

    site.folder.on_read = fail
    site.folder.put("first-1.0-py3-none-any.whl", BAD)
    site.folder.put(NAME, WHEEL.content)
    found = {taken.reason: taken.outcome for taken in site.incoming.take_all()}
    assert found == {"": Outcome.PUBLISHED, "RuntimeError: never thought of": Outcome.WAITS}
    assert site.there() == ["first-1.0-py3-none-any.whl"]
    assert "Traceback" in caplog.text


def end_while_it_reads(site: Site) -> None:
    """Sweep, and leave everything as a process did that was killed while it read, some time ago."""
    kept = {}

    def end(_: str) -> None:
        kept.update(site.folder.objects)
        raise KeyboardInterrupt

    site.folder.on_read = end
    with pytest.raises(KeyboardInterrupt):
        site.swept()
    site.folder.objects = kept
    site.folder.on_read = lambda _: None
    site.clock.pass_by(ABANDONED)


def test_one_that_was_looked_at_by_a_killed_process_is_looked_at_again(site: Site) -> None:
    site.folder.put(NAME, WHEEL.content)
    end_while_it_reads(site)
    assert (site.there(), "is being looked at" in site.text()) == ([NAME, TEXT], True)
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [])


def test_one_that_another_run_is_at_is_passed_over_and_was_begun_once_if_both_are_killed(site: Site) -> None:
    kept = {}

    def end_while_another_sweeps(_: str) -> None:
        site.folder.on_read = lambda _: None
        others.append(site.swept())
        kept.update(site.folder.objects)
        raise KeyboardInterrupt

    others: list[list[tuple[str, Outcome]]] = []
    site.folder.put(NAME, WHEEL.content)
    site.folder.on_read = end_while_another_sweeps
    with pytest.raises(KeyboardInterrupt):
        site.swept()
    site.folder.objects = kept
    assert (others, "is being looked at" in site.text()) == ([[]], True)
    site.clock.pass_by(timedelta(hours=5))
    assert site.swept() == []
    site.clock.pass_by(timedelta(hours=1))
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [])


def test_one_that_ends_the_process_twice_is_passed_over_until_its_text_goes(site: Site) -> None:
    site.folder.put(NAME, WHEEL.content)
    end_while_it_reads(site)
    end_while_it_reads(site)
    assert "was begun twice, the last time 2026-11-01 18:00:00 UTC, and never ended." in site.text()
    assert (site.swept(), site.incoming.take(NAME)) == ([], None)
    del site.folder.objects[TEXT]
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [])


def test_one_with_no_room_for_a_text_is_refused_unread_by_a_sweep_and_keeps_no_other_back(site: Site) -> None:
    read: list[str] = []
    site.folder.on_read = read.append
    key = f"{'x/' * 495}{NAME}"
    assert len(key) < MOST_KEY < len(key + ERROR)
    site.folder.put(key, WHEEL.content)
    site.clock.pass_by(MINUTE)
    site.folder.put(NAME, WHEEL.content)
    taken = list(site.incoming.take_all())
    assert [(each.key, each.outcome) for each in taken] == [
        (key, Outcome.REFUSED),
        (NAME, Outcome.PUBLISHED),
    ]
    assert "Put it there under a shorter one." in taken[0].reason
    assert (read, site.there()) == ([NAME], [key])


def test_one_whose_check_was_begun_before_comes_after_all_others(site: Site) -> None:
    first, second = f"a/{NAME}", f"b/{NAME}"
    site.folder.put(first, BAD)
    end_while_it_reads(site)
    site.folder.put(second, BAD)
    assert [key for key, _ in site.swept()] == [second, first]


def test_one_that_comes_in_the_place_of_such_a_file_is_swept(site: Site) -> None:
    site.folder.put(NAME, BAD)
    end_while_it_reads(site)
    end_while_it_reads(site)
    site.folder.put(NAME, WHEEL.content)
    assert (site.swept(), site.there()) == ([(NAME, Outcome.PUBLISHED)], [])
