"""Uploads past this program: who may send what, what comes of it, and what is left when somebody dies."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.conftest import Clock
from support.parts import MemoryPlace, parts_of, taking_parts
from warehouse14.adapters.memory import MemoryFiles, MemoryUnits
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import (
    Conflict,
    FileExists,
    Forbidden,
    NotFound,
    ReadOnly,
    Rejected,
    TooLarge,
    Unavailable,
    WarehouseError,
)
from warehouse14.domain.model import Action, Change, Role, Scope
from warehouse14.domain.services.beginnings import PART_BYTES
from warehouse14.domain.services.direct import DirectUpload
from warehouse14.domain.services.gate import ASKED, Accepted, Start
from warehouse14.domain.services.uploadform import UploadForm, form_of
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.testing.builders import BuiltFile, build_wheel
from warehouse14.testing.contract import race

WHEEL = build_wheel("demo", "1.0")
LARGEST = 3 * PART_BYTES
POLICY = Policy(max_file_bytes=LARGEST, create_on_upload=True, page_cache_bytes=100_000)


class Site:
    """A site in memory on which a test says when the gate is run."""

    def __init__(self, clock: Clock) -> None:
        self.units, self.files = MemoryUnits(), taking_parts(MemoryFiles(clock))
        self.started: list[str] = []
        self.clock = clock
        self.warehouse = self.opened()
        for name in ("ada", "eve"):
            self.warehouse.accounts.add(self.warehouse.operator(), name)
        self.ada, self.eve = map(self.warehouse.account, ("ada", "eve"))

    def opened(self, start: Start | None = None, **policy: bool) -> Warehouse:
        """Return one more process over the same stores."""
        changed = replace(POLICY, **policy)  # type: ignore[arg-type]
        return Warehouse(self.units, self.files, changed, now=self.clock, start=start or self.started.append)

    def begin(self, built: BuiltFile = WHEEL, by: Identity | None = None) -> str:
        begun = self.begun(built, by)
        assert isinstance(begun, DirectUpload)
        return begun.id

    def begun(self, built: BuiltFile = WHEEL, by: Identity | None = None) -> DirectUpload | Accepted:
        return self.warehouse.direct.begin(
            by or self.ada, form_of(built.filename), size=len(built.content), sha256=digest(built.content)
        )

    def place(self, upload: str) -> MemoryPlace:
        return parts_of(self.files, upload)

    def asked(self, content: bytes = WHEEL.content, by: Identity | None = None) -> str:
        """Return an upload that has come, and was asked for."""
        upload = self.begin(by=by)
        self.place(upload).send(1, content)
        told = self.warehouse.direct.finish(by or self.ada, upload)
        assert isinstance(told, DirectUpload)
        assert told.is_asked
        return upload

    def answer(self, upload: str) -> DirectUpload | Accepted:
        return self.warehouse.direct.status(self.ada, upload)

    def uploads(self) -> list[Change]:
        with self.units.read() as unit:
            found = list(unit.journal.since(0, 1000))
        return [change for change in found if change.action is Action.FILE_UPLOAD]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def site(clock: Clock) -> Site:
    return Site(clock)


# -- the usual way ------------------------------------------------------------------------


def test_a_file_is_published_when_the_gate_has_seen_it_and_not_before(site: Site) -> None:
    upload = site.asked()
    assert site.started == [upload]
    assert site.uploads() == []
    site.warehouse.direct.run(upload)
    assert site.answer(upload) == Accepted(WHEEL.filename, is_new=True)
    (change,) = site.uploads()
    assert (change.actor, change.project, change.by_token) == ("ada", "demo", None)
    with site.warehouse.files.open(site.ada, "demo", WHEEL.filename) as stream:
        assert stream.read() == WHEEL.content
    assert site.place(upload).file is None


def test_the_entry_names_the_token_and_the_address_of_whoever_asked(site: Site) -> None:
    minted = site.warehouse.tokens.mint(site.ada, name="ci", scopes=[Scope.UPLOAD])
    upload = site.asked(by=site.warehouse.tokens.identify(minted.text, origin="192.0.2.7"))
    site.warehouse.direct.run(upload)
    (change,) = site.uploads()
    assert (change.by_token, change.origin) == (minted.id, "192.0.2.7")


def test_a_file_has_parts_of_one_size_and_a_rest(site: Site) -> None:
    form, size = form_of("demo-1.0-py3-none-any.whl"), 2 * PART_BYTES + 5
    begun = site.warehouse.direct.begin(site.ada, form, size=size, sha256="0" * 64)
    assert isinstance(begun, DirectUpload)
    asked = [
        site.warehouse.direct.request(site.ada, begun.id, number=number, sha256="1" * 64)
        for number in (1, 2, 3)
    ]
    assert [each.address.rpartition("/")[2] for each in asked] == [str(PART_BYTES), str(PART_BYTES), "5"]
    for number in (0, 4):
        with pytest.raises(Rejected, match=r"number: the file has the parts 1 to 3"):
            site.warehouse.direct.request(site.ada, begun.id, number=number, sha256="1" * 64)


def test_of_many_who_begin_at_once_nobody_is_told_later_that_there_is_no_upload(site: Site) -> None:
    for number in range(40):
        built, ids = build_wheel("demo", f"1.{number}"), set[str]()
        assert race([lambda: ids.add(site.begin(built))] * 8) == [None] * 8  # noqa: B023
        for upload in ids:
            told = site.warehouse.direct.status(site.ada, upload)
            assert isinstance(told, DirectUpload)
            assert told.id == upload


def test_whoever_begins_again_goes_on_and_is_told_what_has_come(site: Site) -> None:
    upload = site.begin()
    site.place(upload).send(1, WHEEL.content)
    again = site.begun()
    assert isinstance(again, DirectUpload)
    assert (again.id, again.sent, again.is_asked) == (upload, {1}, False)


def test_a_part_that_came_cut_off_has_not_come(site: Site) -> None:
    upload = site.begin()
    site.place(upload).send(1, WHEEL.content[:-1])
    with pytest.raises(Rejected, match=r"1 of 1 parts have not come whole, part 1 first"):
        site.warehouse.direct.finish(site.ada, upload)
    assert site.started == []


def test_what_is_listed_already_need_not_be_sent(site: Site) -> None:
    site.warehouse.uploads.publish(site.ada, form_of(WHEEL.filename), [WHEEL.content])
    assert site.begun() == Accepted(WHEEL.filename, is_new=False)


def test_a_file_comes_again_in_the_place_of_damaged_bytes(site: Site) -> None:
    file = site.warehouse.uploads.publish(site.ada, form_of(WHEEL.filename), [WHEEL.content]).file
    site.files.put(file.key, b"?" + WHEEL.content[1:])
    assert site.begun() == Accepted(WHEEL.filename, is_new=False)
    begun = site.warehouse.direct.begin(
        site.ada, form_of(WHEEL.filename), size=file.size, sha256=file.sha256, again=True
    )
    assert isinstance(begun, DirectUpload)
    site.place(begun.id).send(1, WHEEL.content)
    site.warehouse.direct.finish(site.ada, begun.id)
    site.warehouse.direct.run(begun.id)
    assert site.answer(begun.id) == Accepted(WHEEL.filename, is_new=False)
    with site.warehouse.files.open(site.ada, "demo", WHEEL.filename) as stream:
        assert stream.read() == WHEEL.content


# -- refusals -----------------------------------------------------------------------------


def refusal(call: Callable[[], object]) -> tuple[type[WarehouseError], str]:
    with pytest.raises(WarehouseError) as caught:
        call()
    return type(caught.value), str(caught.value)


def no_wheel(site: Site) -> BuiltFile:
    return replace(WHEEL, content=b"no wheel")


def taken(site: Site) -> BuiltFile:
    site.warehouse.uploads.publish(site.ada, form_of(WHEEL.filename), [WHEEL.content])
    return build_wheel("demo", "1.0", body=b"other")


def deleted(site: Site) -> BuiltFile:
    site.warehouse.uploads.publish(site.ada, form_of(WHEEL.filename), [WHEEL.content])
    site.warehouse.files.delete(site.ada, "demo", WHEEL.filename)
    return WHEEL


def too_large(site: Site) -> BuiltFile:
    return replace(WHEEL, content=bytes(LARGEST + 1))


def of_another_project(site: Site) -> BuiltFile:
    site.warehouse.projects.create(site.eve, "demo")
    return WHEEL


def empty(site: Site) -> BuiltFile:
    return replace(WHEEL, content=b"")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (no_wheel, Rejected),
        (taken, FileExists),
        (deleted, Rejected),
        (too_large, TooLarge),
        (of_another_project, Forbidden),
    ],
)
def test_a_file_is_refused_with_the_words_of_any_upload(
    site: Site, make: Callable[[Site], BuiltFile], kind: type[WarehouseError]
) -> None:
    built = make(site)

    def send() -> object:
        upload = site.begin(built)
        site.place(upload).send(1, built.content)
        site.warehouse.direct.finish(site.ada, upload)
        site.warehouse.direct.run(upload)
        return site.answer(upload)

    told = refusal(send)
    form = form_of(built.filename)
    assert told == refusal(lambda: site.warehouse.uploads.publish(site.ada, form, [built.content]))
    assert told[0] is kind


def test_an_empty_file_is_refused(site: Site) -> None:
    assert refusal(lambda: site.begun(empty(site))) == (Rejected, "content: the file is empty.")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "de mo"}, "name: "),
        ({"filetype": "egg"}, "filetype: "),
        ({"version": "x"}, "version: "),
        ({"filename": "other-1.0-py3-none-any.whl"}, "name: "),
    ],
)
def test_a_form_is_judged_before_anything_comes(site: Site, fields: dict[str, str], message: str) -> None:
    form = {"name": "demo", "filetype": "bdist_wheel", "filename": WHEEL.filename, "version": "1.0"}
    with pytest.raises(Rejected, match=f"^{message}"):
        site.warehouse.direct.begin(site.ada, UploadForm(**form | fields), size=1, sha256="0" * 64)
    with pytest.raises(Rejected, match=r"^sha256_digest: "):
        site.warehouse.direct.begin(site.ada, UploadForm(**form), size=1, sha256="0")


def test_other_bytes_than_were_announced_are_refused_and_gone_and_can_be_sent_anew(site: Site) -> None:
    other = bytes([WHEEL.content[0] ^ 1]) + WHEEL.content[1:]
    upload = site.asked(other)
    site.warehouse.direct.run(upload)
    with pytest.raises(Rejected, match=f"^sha256_digest: the content has {digest(other)}"):
        site.answer(upload)
    assert site.place(upload).file is None
    again = site.begin()
    assert again != upload
    site.place(again).send(1, WHEEL.content)
    site.warehouse.direct.finish(site.ada, again)
    site.warehouse.direct.run(again)
    assert site.answer(again) == Accepted(WHEEL.filename, is_new=True)


# -- others -------------------------------------------------------------------------------


def test_another_account_finds_nothing_whatever_it_knows(site: Site) -> None:
    site.warehouse.projects.create(site.ada, "demo")
    site.warehouse.projects.grant(site.ada, "demo", "account:eve", Role.ADMIN)
    upload, direct = site.begin(), site.warehouse.direct
    for call in (
        lambda: direct.status(site.eve, upload),
        lambda: direct.finish(site.eve, upload),
        lambda: direct.request(site.eve, upload, number=1, sha256="0" * 64),
    ):
        with pytest.raises(NotFound, match="There is no such upload of yours"):
            call()
    assert site.begin(by=site.eve)[:32] != upload[:32]


@pytest.mark.parametrize("change", [lambda upload: upload[:-1] + "g", lambda upload: upload[:32] + 32 * "0"])
def test_half_of_an_id_is_of_no_use(site: Site, change: Callable[[str], str]) -> None:
    upload = site.asked()
    with pytest.raises(NotFound):
        site.answer(change(upload))
    site.warehouse.direct.run(change(upload))
    assert site.uploads() == []


def test_two_sites_give_one_file_different_ids(site: Site, clock: Clock) -> None:
    assert site.begin()[32:] != Site(clock).begin()[32:]


def test_who_loses_the_right_meanwhile_publishes_nothing(site: Site) -> None:
    site.warehouse.projects.create(site.eve, "demo")
    site.warehouse.projects.grant(site.eve, "demo", "account:ada", Role.ADMIN)
    upload = site.asked()
    site.warehouse.projects.revoke(site.eve, "demo", "account:ada")
    site.warehouse.direct.run(upload)
    assert site.uploads() == []
    with pytest.raises(Forbidden, match="ada may not upload to the project demo"):
        site.answer(upload)
    site.warehouse.projects.grant(site.eve, "demo", "account:ada", Role.ADMIN)
    with pytest.raises(Forbidden, match="ada may not upload to the project demo"):
        site.answer(upload)


def test_a_token_that_was_revoked_meanwhile_publishes_nothing(site: Site) -> None:
    minted = site.warehouse.tokens.mint(site.ada, name="ci", scopes=[Scope.UPLOAD])
    upload = site.asked(by=site.warehouse.tokens.identify(minted.text))
    site.warehouse.tokens.revoke(site.ada, minted.id)
    site.warehouse.direct.run(upload)
    assert site.uploads() == []
    with pytest.raises(Forbidden, match="counts no more"):
        site.answer(upload)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.YANK, Scope.MANAGE])
def test_a_token_without_the_scope_sends_nothing(site: Site, scope: Scope) -> None:
    upload = site.begin()
    minted = site.warehouse.tokens.mint(site.ada, name="ci", scopes=[scope])
    me = site.warehouse.tokens.identify(minted.text)
    for call in (lambda: site.begin(by=me), lambda: site.warehouse.direct.status(me, upload)):
        with pytest.raises(Forbidden, match="Make one with the scope upload"):
            call()


def test_the_operator_sends_into_a_project_that_is_there(site: Site) -> None:
    me = site.warehouse.operator()
    site.warehouse.projects.create(me, "demo", admin="ada")
    upload = site.asked(by=me)
    site.warehouse.direct.run(upload)
    assert isinstance(site.warehouse.direct.status(me, upload), Accepted)


# -- time, deaths and races ---------------------------------------------------------------


def test_an_upload_ends_after_a_day_and_is_begun_anew(site: Site) -> None:
    upload = site.begin()
    site.clock.pass_by(timedelta(hours=23, minutes=59))
    assert site.begin() == upload
    site.clock.pass_by(timedelta(minutes=1))
    with pytest.raises(NotFound, match="over a day old"):
        site.answer(upload)
    assert site.begin() != upload


def test_to_ask_twice_publishes_once(site: Site) -> None:
    upload = site.asked()
    assert isinstance(site.warehouse.direct.finish(site.ada, upload), DirectUpload)
    for _ in range(2):
        site.warehouse.direct.run(upload)
    assert site.warehouse.direct.finish(site.ada, upload) == Accepted(WHEEL.filename, is_new=True)
    assert len(site.uploads()) == 1


@pytest.mark.parametrize(("ask", "looks"), [("begin", 2), ("finish", 1)])
def test_whoever_comes_while_another_has_the_same_file_published_waits_for_what_comes_of_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, ask: str, looks: int
) -> None:
    """The parts go between the look whether somebody has asked, and the look at them."""
    upload = site.begin()
    place, direct = site.place(upload), site.warehouse.direct
    place.send(1, WHEEL.content)
    sent, looked = place.sent, []

    def be_overtaken(begun: str) -> dict[int, int] | None:
        looked.append(begun)
        if len(looked) == looks:
            direct.finish(site.ada, upload)
            place.join(begun)
        return sent(begun)

    monkeypatch.setattr(place, "sent", be_overtaken)
    told = site.begun() if ask == "begin" else direct.finish(site.ada, upload)
    assert isinstance(told, DirectUpload)
    assert (told.id, told.is_asked) == (upload, True)
    direct.run(upload)
    assert site.answer(upload) == Accepted(WHEEL.filename, is_new=True)


def test_what_was_asked_for_takes_no_parts_any_more(site: Site) -> None:
    upload = site.asked()
    for _ in range(2):
        with pytest.raises(Conflict, match="takes no parts any more"):
            site.warehouse.direct.request(site.ada, upload, number=1, sha256="0" * 64)
        site.warehouse.direct.run(upload)
    assert isinstance(site.answer(upload), Accepted)


def test_a_poll_takes_up_what_lies_still(site: Site) -> None:
    upload = site.asked()
    site.started.clear()
    site.clock.pass_by(timedelta(seconds=20))
    assert isinstance(site.answer(upload), DirectUpload)
    assert site.started == [upload]


def test_who_was_called_is_waited_for_and_called_ever_less_often_if_nobody_comes(site: Site) -> None:
    upload = site.asked()
    for _ in range(3600):
        site.clock.pass_by(timedelta(seconds=1))
        site.answer(upload)
    # After 20 seconds, 40, 80 and 160, and then each 320.
    assert len(site.started) == 1 + 4 + (3600 - 300) // 320
    site.opened().direct.run(upload)
    assert site.answer(upload) == Accepted(WHEEL.filename, is_new=True)


def test_where_nobody_can_be_called_the_next_poll_calls_again(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def refuse(upload: str) -> None:
        tried.append(upload)
        raise Unavailable("No function can be invoked.", detail="AccessDenied")

    direct = site.opened(start=refuse).direct
    upload = site.begin()
    site.place(upload).send(1, WHEEL.content)
    assert isinstance(direct.finish(site.ada, upload), DirectUpload)
    assert isinstance(direct.status(site.ada, upload), DirectUpload)
    assert tried == [upload, upload]
    assert caplog.messages == 2 * [
        "nobody can be had to check a direct upload: No function can be invoked. (AccessDenied)"
    ]
    site.answer(upload)
    assert site.started == [upload]


class Died(BaseException):
    """What ends a process in the middle."""


@pytest.fixture
def dying(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever reads what has come dies of it."""

    def die(self: MemoryPlace) -> None:
        raise Died

    monkeypatch.setattr(MemoryPlace, "waiting", die)
    yield
    monkeypatch.undo()


def test_while_somebody_is_at_work_nobody_else_begins(site: Site, dying: None) -> None:
    upload = site.asked()
    with pytest.raises(Died):
        site.warehouse.direct.run(upload)
    site.started.clear()
    site.answer(upload)
    site.opened().direct.run(upload)
    assert site.started == []
    site.clock.pass_by(timedelta(seconds=20))
    site.answer(upload)
    assert site.started == [upload]


def test_who_died_is_followed_by_the_next(site: Site, monkeypatch: pytest.MonkeyPatch, dying: None) -> None:
    upload = site.asked()
    with pytest.raises(Died):
        site.warehouse.direct.run(upload)
    monkeypatch.undo()
    site.clock.pass_by(timedelta(seconds=20))
    site.opened().direct.run(upload)
    assert site.answer(upload) == Accepted(WHEEL.filename, is_new=True)


def test_a_file_that_kills_whoever_reads_it_is_refused_in_the_end(site: Site, dying: None) -> None:
    upload = site.asked()
    for _ in range(5):
        with pytest.raises(Died):
            site.warehouse.direct.run(upload)
        site.clock.pass_by(timedelta(seconds=20))
    site.warehouse.direct.run(upload)
    with pytest.raises(Rejected, match="begun 5 times and never ended"):
        site.answer(upload)


def test_a_store_that_is_away_is_no_answer(site: Site) -> None:
    upload = site.asked()
    place = site.place(upload)
    join, place.join = place.join, away  # type: ignore[method-assign]
    for _ in range(10):
        with pytest.raises(Unavailable):
            site.warehouse.direct.run(upload)
        site.clock.pass_by(timedelta(seconds=20))
    assert isinstance(site.answer(upload), DirectUpload)
    place.join = join  # type: ignore[method-assign]
    site.warehouse.direct.run(upload)
    assert site.answer(upload) == Accepted(WHEEL.filename, is_new=True)


def away(*_: object) -> bool:
    raise Unavailable("The file store does not take files.")


def test_many_at_once_publish_it_once(site: Site) -> None:
    upload = site.asked()
    others = [site.opened() for _ in range(4)]
    threads = [threading.Thread(target=other.direct.run, args=(upload,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(site.answer(upload), Accepted)
    assert len(site.uploads()) == 1


def test_what_was_not_asked_for_is_not_published(site: Site) -> None:
    upload = site.begin()
    site.place(upload).send(1, WHEEL.content)
    site.warehouse.direct.run(upload)
    assert site.place(upload).noted(ASKED) is None
    assert site.uploads() == []


# -- other sites --------------------------------------------------------------------------


def test_a_site_that_changes_nothing_takes_no_upload(site: Site) -> None:
    upload = site.asked()
    moving = site.opened(read_only=True)
    for call in (
        lambda: moving.direct.begin(site.ada, form_of(WHEEL.filename), size=1, sha256="0" * 64),
        lambda: moving.direct.status(site.ada, upload),
        lambda: moving.direct.finish(site.ada, upload),
    ):
        with pytest.raises(ReadOnly):
            call()


def test_a_store_that_takes_no_parts_has_no_uploads() -> None:
    warehouse = Warehouse(MemoryUnits(), MemoryFiles(), POLICY)
    assert not warehouse.direct.is_open
    with pytest.raises(NotFound, match="by the upload form alone"):
        warehouse.direct.begin(warehouse.operator(), form_of(WHEEL.filename), size=1, sha256="0" * 64)


def test_a_thread_of_the_process_runs_the_gate_where_nothing_else_does(clock: Clock) -> None:
    files = taking_parts(MemoryFiles(clock))
    with Warehouse(MemoryUnits(), files, POLICY, now=clock) as warehouse:
        warehouse.accounts.add(warehouse.operator(), "ada")
        ada = warehouse.account("ada")
        begun = warehouse.direct.begin(
            ada, form_of(WHEEL.filename), size=len(WHEEL.content), sha256=digest(WHEEL.content)
        )
        assert isinstance(begun, DirectUpload)
        parts_of(files, begun.id).send(1, WHEEL.content)
        warehouse.direct.finish(ada, begun.id)
        warehouse.close()
        assert warehouse.direct.status(ada, begun.id) == Accepted(WHEEL.filename, is_new=True)
