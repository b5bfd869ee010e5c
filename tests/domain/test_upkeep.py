import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pytest

from tests.domain.conftest import Clock
from warehouse14.adapters.memory import MemoryUnits
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Conflict, FileExists, Forbidden, Unavailable
from warehouse14.domain.model import File
from warehouse14.domain.ports import Blob, UnitOfWork
from warehouse14.domain.services.upkeep import Finding, Loose, Report, remove_wrong_blob
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

Publish = Callable[..., Published]


def findings(warehouse: Warehouse, *, digests: bool = False) -> list[Report]:
    return [report for report in warehouse.upkeep.check(digests=digests) if report]


def collected(warehouse: Warehouse, **options: Any) -> list[str]:
    """Collect; return the keys of what went."""
    return [loose.key for loose in warehouse.upkeep.collect(**options) if not loose.is_left]


def test_a_site_as_it_must_be_is_clean(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    publish(ada)
    publish(ada, build_sdist("demo", "1.0"))
    assert list(warehouse.upkeep.check(digests=True)) == [None, None]
    assert warehouse.upkeep.count() == 2


def test_a_lost_blob_is_damage(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    file = publish(ada).file
    warehouse.store.delete(file.key)
    assert findings(warehouse) == [Report(Finding.MISSING, file.key)]
    assert Finding.MISSING.is_damage


def test_lost_core_metadata_is_damage(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    file = publish(ada).file
    warehouse.store.delete(file.metadata_key)
    assert findings(warehouse) == [Report(Finding.MISSING, file.metadata_key)]


def test_a_lost_sidecar_is_damage(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    """The index could not be rebuilt from its store."""
    file = publish(ada).file
    warehouse.store.delete(file.sidecar_key)
    assert findings(warehouse) == [Report(Finding.MISSING, file.sidecar_key)]


OTHERS = {
    "of another project": lambda said: said | {"project": "other"},
    "of another file": lambda said: said | {"filename": "demo-2.0.tar.gz"},
    "of other bytes": lambda said: said | {"sha256": "0" * 64},
    "of another digest": lambda said: said | {"blake2_256": "0" * 64},
    "of another size": lambda said: said | {"size": said["size"] + 1},
    "of another version": lambda said: (
        said | {"core_metadata": said["core_metadata"].replace("Version: 1.0", "Version: 1.1")}
    ),
    "for another Python": lambda said: (
        said | {"core_metadata": said["core_metadata"].replace("Name: ", "Requires-Python: >=3.99\nName: ")}
    ),
    "with another summary": lambda said: (
        said | {"core_metadata": re.sub("Summary: .*", "Summary: other", said["core_metadata"])}
    ),
    "without core metadata": lambda said: {
        name: value for name, value in said.items() if name != "core_metadata"
    },
    "of no time": lambda said: said | {"uploaded_at": "yesterday"},
    "of nobody": lambda said: said | {"uploaded_by": None},
    "a list": lambda said: [said],
}


def sidecar_of(warehouse: Warehouse, file: File) -> Any:
    with warehouse.store.open(file.sidecar_key, 0) as stream:
        return json.loads(stream.read())


def put_sidecar(warehouse: Warehouse, file: File, said: Any) -> None:
    """Put a sidecar in the place of the one that is there."""
    warehouse.store.delete(file.sidecar_key)
    warehouse.store.put(file.sidecar_key, json.dumps(said).encode())


@pytest.mark.parametrize("other", OTHERS)
def test_a_sidecar_that_is_not_of_its_file_is_damage_that_the_same_file_mends(
    warehouse: Warehouse, ada: Identity, publish: Publish, other: str
) -> None:
    """The file can be downloaded, but a rebuild would lose it, or make another of it."""
    built = build_sdist("demo", "1.0", metadata_version="2.1")
    file = publish(ada, built).file
    said = sidecar_of(warehouse, file)
    put_sidecar(warehouse, file, OTHERS[other](said))
    assert findings(warehouse) == []
    assert findings(warehouse, digests=True) == [Report(Finding.WRONG_SIDECAR, file.sidecar_key)]
    assert Finding.WRONG_SIDECAR.is_damage
    publish(ada, built)
    assert findings(warehouse, digests=True) == []
    assert sidecar_of(warehouse, file) == said


def test_a_file_and_its_sidecar_are_mended_together(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    file = publish(ada).file
    put_sidecar(warehouse, file, [])
    warehouse.store.put(file.key, b"short")
    publish(ada)
    assert findings(warehouse, digests=True) == []


def test_a_sidecar_of_an_earlier_attempt_is_no_damage_and_stays(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    file = publish(ada).file
    said = sidecar_of(warehouse, file) | {"uploaded_by": "bob", "uploaded_at": "2026-10-31T12:00:00+00:00"}
    put_sidecar(warehouse, file, said)
    assert findings(warehouse, digests=True) == []
    warehouse.store.put(file.key, b"short")
    publish(ada)
    assert sidecar_of(warehouse, file) == said


def test_a_blob_of_another_size_is_damage(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    file = publish(ada).file
    warehouse.store.delete(file.key)
    warehouse.store.put(file.key, b"short")
    assert findings(warehouse) == [Report(Finding.WRONG_SIZE, file.key)]


def test_changed_bytes_are_found_by_their_digest(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    file = publish(ada).file
    warehouse.store.delete(file.key)
    warehouse.store.put(file.key, b"x" * file.size)
    assert findings(warehouse) == []
    assert findings(warehouse, digests=True) == [Report(Finding.WRONG_DIGEST, file.key)]


def test_a_blob_that_nobody_refers_to_is_only_a_note(warehouse: Warehouse) -> None:
    warehouse.store.put("demo/0000/orphan.whl", b"x")
    assert findings(warehouse) == [Report(Finding.UNREFERENCED, "demo/0000/orphan.whl")]
    assert not Finding.UNREFERENCED.is_damage


def test_the_collector_takes_what_is_old_and_unreferenced_and_nothing_else(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    kept = publish(ada).file
    warehouse.store.put("demo/0000/orphan.whl", b"x")
    assert collected(warehouse) == []
    clock.pass_by(timedelta(days=2))
    assert collected(warehouse, dry_run=True) == ["demo/0000/orphan.whl"]
    assert collected(warehouse) == ["demo/0000/orphan.whl"]
    assert collected(warehouse) == []
    assert warehouse.store.stat(kept.key) is not None
    assert findings(warehouse, digests=True) == []


def test_the_blobs_of_what_was_deleted_are_collected(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    gone = publish(ada).file
    kept = publish(ada, build_sdist("demo", "1.0")).file
    warehouse.files.delete(ada, "demo", gone.filename)
    clock.pass_by(timedelta(days=2))
    assert set(collected(warehouse)) == {gone.key, gone.metadata_key, gone.sidecar_key}
    assert warehouse.store.stat(kept.key) is not None
    warehouse.projects.delete(ada, "demo")
    assert collected(warehouse) == [], "the grace counts from the deletion"
    clock.pass_by(timedelta(days=2))
    assert set(collected(warehouse)) == {kept.key, kept.metadata_key, kept.sidecar_key}
    assert list(warehouse.store.keys()) == []


def test_a_blob_that_is_put_again_is_young_and_stays(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    warehouse.projects.create(ada, "demo")
    clock.now = datetime.now(UTC) + timedelta(days=2)
    orphans = {"demo/0000/orphan.whl", "other/0001/orphan.whl"}
    for key in orphans:
        warehouse.store.put(key, b"x")
    collecting = warehouse.upkeep.collect()
    first = next(collecting).key
    (second,) = orphans - {first}
    warehouse.store.put(second, b"x")
    assert list(collecting) == []
    assert [blob.key for blob in warehouse.store.keys()] == [second]


def test_the_collector_holds_a_project_for_a_few_seconds_at_a_time(
    warehouse: Warehouse, ada: Identity, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file store may be slow, and some stores of metadata let others have what is held for long."""
    warehouse.projects.create(ada, "demo")
    keys = [f"demo/000{number}/orphan.whl" for number in range(5)]
    for key in keys:
        warehouse.store.put(key, b"x")
    clock.now = datetime.now(UTC) + timedelta(days=2)
    stat, write = warehouse.store.stat, warehouse.units.write
    passed, looked = [0.0], []

    def slowly(key: str) -> Blob | None:
        passed[0] += 2
        looked[-1] += 1
        return stat(key)

    def counted() -> Any:
        looked.append(0)
        return write()

    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    monkeypatch.setattr(warehouse.store, "stat", slowly)
    monkeypatch.setattr(warehouse.units, "write", counted)
    assert collected(warehouse) == keys
    assert [looks for looks in looked if looks] == [2, 2, 2, 2, 1]


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for whoever looks how long something takes."""
    passed = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: passed[0])

    def pass_by(seconds: float) -> None:
        passed[0] += seconds

    return pass_by


def test_a_blob_stays_until_the_next_run_where_its_project_is_not_held_long_enough_to_look_at_it(
    warehouse: Warehouse,
    ada: Identity,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    passing: Callable[[float], None],
) -> None:
    """Whoever holds the project by then may have found the blob, and have listed it."""
    warehouse.projects.create(ada, "demo")
    keys = ["demo/0000/orphan.whl", "demo/0001/orphan.whl"]
    for key in keys:
        warehouse.store.put(key, b"x")
    clock.now = datetime.now(UTC) + timedelta(days=2)
    stat = warehouse.store.stat

    def slowly(key: str) -> Blob | None:
        passing(4)
        return stat(key)

    monkeypatch.setattr(warehouse.store, "stat", slowly)
    assert collected(warehouse) == []
    monkeypatch.undo()
    assert collected(warehouse) == keys


def test_whoever_is_refused_leaves_to_the_collector_what_is_deleted_too_slowly(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    passing: Callable[[float], None],
) -> None:
    built = build_wheel("demo", "1.0", body=b"other")
    delete = warehouse.store.delete

    def slowly(key: str) -> None:
        passing(4)
        delete(key)

    with warehouse.uploads.receive(ada, form_of(built.filename)) as slower:
        slower.write(built.content)
        commit = slower._staged.commit

        def be_overtaken(key: str) -> None:
            commit(key)
            publish(ada)

        monkeypatch.setattr(slower._staged, "commit", be_overtaken)
        monkeypatch.setattr(warehouse.store, "delete", slowly)
        with pytest.raises(FileExists):
            slower.finish({})
    monkeypatch.undo()
    clock.now = datetime.now(UTC) + timedelta(days=2)
    left = collected(warehouse)
    assert len(left) == 2
    assert all(key.startswith(f"demo/{hashlib.sha256(built.content).hexdigest()}/") for key in left)
    assert findings(warehouse, digests=True) == []


def test_no_race_of_upload_and_collector_leaves_a_listed_file_without_its_bytes(
    warehouse: Warehouse, ada: Identity, clock: Clock
) -> None:
    """Old blobs of uploads that failed are collected while the same files are published again."""
    warehouse.projects.create(ada, "demo")
    builds = [build_wheel("demo", f"1.{number}") for number in range(30)]
    for built in builds:
        sha256 = hashlib.sha256(built.content).hexdigest()
        warehouse.store.put(f"demo/{sha256}/{built.filename}", built.content)
    clock.now = datetime.now(UTC) + timedelta(seconds=1)
    refused = []

    def publish_all() -> None:
        for built in builds:
            try:
                warehouse.uploads.publish(ada, form_of(built.filename), [built.content])
            except Unavailable as error:
                refused.append(error)

    publishing = threading.Thread(target=publish_all)
    publishing.start()
    while publishing.is_alive():
        list(warehouse.upkeep.collect(older_than=timedelta(0)))
    publishing.join()
    assert len(warehouse.projects.files(ada, "demo")) == len(builds) - len(refused)
    assert [
        report for report in warehouse.upkeep.check(digests=True) if report and report.finding.is_damage
    ] == []


def test_nothing_is_collected_with_a_database_that_never_knew_a_project(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock
) -> None:
    """It was lost, or is the wrong one."""
    publish(ada)
    before = set(warehouse.store.keys())
    lost = Warehouse(MemoryUnits(), warehouse.store, warehouse.policy, now=clock)
    clock.now = datetime.now(UTC) + timedelta(days=2)
    assert (warehouse.upkeep.is_lost(), lost.upkeep.is_lost()) == (False, True)
    for dry_run in (False, True):
        with pytest.raises(Conflict, match="never known a project"):
            collected(lost, dry_run=dry_run)
    assert set(warehouse.store.keys()) == before
    assert set(collected(lost, never_listed=True)) == {blob.key for blob in before}
    assert not lost.upkeep.is_lost(), "there is nothing that it could have known"
    assert collected(lost) == []


@pytest.mark.parametrize("again", ["demo", "other"])
def test_files_of_which_the_database_never_knew_the_name_are_left_unless_it_is_said(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock, again: str
) -> None:
    """It was made anew, or restored from an old backup, and somebody has published since."""
    file = publish(ada).file
    warehouse.store.put("demo/0000/orphan-1.0.tar.gz", b"x")
    warehouse.store.put("demo/0001/orphan-1.0.tar.gz.json", b"{}")
    newer = Warehouse(MemoryUnits(), warehouse.store, warehouse.policy, now=clock)
    newer.accounts.add(newer.operator(), "ada")
    built = build_wheel(again, "2.0")
    listed = newer.uploads.publish(newer.account("ada"), form_of(built.filename), [built.content]).file
    clock.now = datetime.now(UTC) + timedelta(days=2)
    every = list(newer.upkeep.collect())
    assert {loose.key for loose in every if loose.is_left} == set(file.keys)
    assert {loose.key for loose in every if not loose.is_left} == {
        "demo/0000/orphan-1.0.tar.gz",
        "demo/0001/orphan-1.0.tar.gz.json",
    }
    assert {blob.key for blob in warehouse.store.keys()} == {*file.keys, *listed.keys}
    assert set(collected(newer, never_listed=True)) == set(file.keys)


def test_what_a_loser_left_of_a_name_that_is_taken_is_collected(
    warehouse: Warehouse, ada: Identity, publish: Publish, clock: Clock
) -> None:
    file = publish(ada).file
    loser = [f"demo/0000/{file.filename}", f"demo/0000/{file.filename}.json"]
    for key in loser:
        warehouse.store.put(key, b"{}")
    clock.now = datetime.now(UTC) + timedelta(days=2)
    assert collected(warehouse) == loser


@pytest.mark.parametrize(
    ("which", "kind"),
    [
        ("key", "lost"),
        ("key", "cut off"),
        ("key", "changed"),
        ("metadata_key", "lost"),
        ("metadata_key", "cut off"),
        ("metadata_key", "changed"),
        ("sidecar_key", "lost"),
        ("sidecar_key", "cut off"),
        ("sidecar_key", "changed"),
    ],
)
def test_publishing_the_same_bytes_again_mends_a_file_that_is_damaged(
    warehouse: Warehouse, ada: Identity, publish: Publish, which: str, kind: str
) -> None:
    key = getattr(publish(ada).file, which)
    with warehouse.store.open(key, 0) as stream:
        data = stream.read()
    if kind == "lost":
        warehouse.store.delete(key)
    else:
        # A sidecar that is there would stay.
        warehouse.store.delete(key)
        warehouse.store.put(key, data[:-10] if kind == "cut off" else b"?" + data[1:])
    assert findings(warehouse, digests=True) != []
    assert not publish(ada).is_new
    assert findings(warehouse, digests=True) == []


@pytest.mark.parametrize("size", [10, None])
def test_what_an_upload_that_failed_left_damaged_is_not_listed(
    warehouse: Warehouse, ada: Identity, publish: Publish, size: int | None
) -> None:
    built = build_wheel("demo", "1.0")
    key = f"demo/{hashlib.sha256(built.content).hexdigest()}/{built.filename}"
    warehouse.store.put(key, b"x" * (size or len(built.content)))
    assert publish(ada, built).is_new
    assert findings(warehouse, digests=True) == []


@pytest.mark.parametrize("look", range(1, 6))
def test_who_puts_a_damaged_file_again_and_fails_takes_nothing_away(
    warehouse: Warehouse, ada: Identity, publish: Publish, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """Of two who see the damage, the slower has no room left when the faster was told that all is well."""
    built = build_wheel("demo", "1.0")
    file = publish(ada, built).file
    warehouse.store.delete(file.key)
    warehouse.store.put(file.key, b"half")
    stat, looks = warehouse.store.stat, []

    def be_overtaken(key: str) -> Blob | None:
        seen = stat(key)
        looks.append(key)
        if len(looks) == look:
            assert not publish(ada, built).is_new
        return seen

    def fail(key: str) -> None:
        raise Unavailable("No space left on device.")

    with warehouse.uploads.receive(ada, form_of(built.filename)) as slower:
        slower.write(built.content)
        monkeypatch.setattr(slower._staged, "commit", fail)
        monkeypatch.setattr(warehouse.store, "stat", be_overtaken)
        with suppress(Unavailable):
            slower.finish({})
    monkeypatch.undo()
    overtaken = len(looks) >= look
    assert findings(warehouse, digests=True) == ([] if overtaken else [Report(Finding.WRONG_SIZE, file.key)])


def test_who_sees_a_wrong_sidecar_and_fails_does_not_take_away_what_another_has_put_meanwhile(
    warehouse: Warehouse, ada: Identity, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build_wheel("demo", "1.0")
    file = publish(ada, built).file
    put_sidecar(warehouse, file, [])
    read, reads = warehouse.store.open, []

    def be_overtaken(key: str, start: int) -> BinaryIO:
        seen = read(key, start)
        if key == file.sidecar_key and not reads:
            reads.append(key)
            publish(ada, built)
        return seen

    def fail(key: str) -> None:
        raise Unavailable("No space left on device.")

    with warehouse.uploads.receive(ada, form_of(built.filename)) as slower:
        slower.write(built.content)
        monkeypatch.setattr(slower._staged, "commit", fail)
        monkeypatch.setattr(warehouse.store, "open", be_overtaken)
        with pytest.raises(Unavailable):
            slower.finish({})
    monkeypatch.undo()
    assert findings(warehouse, digests=True) == []


def test_a_wrong_sidecar_stays_where_it_is_not_read_as_long_as_its_project_is_held(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    passing: Callable[[float], None],
) -> None:
    """Another may have put the right one by then."""
    file = publish(ada).file
    put_sidecar(warehouse, file, [])
    read = warehouse.store.open

    def slowly(key: str, start: int) -> BinaryIO:
        passing(4)
        return read(key, start)

    monkeypatch.setattr(warehouse.store, "open", slowly)
    with pytest.raises(Unavailable, match="too slow to mend this file"):
        publish(ada)
    monkeypatch.undo()
    assert findings(warehouse, digests=True) == [Report(Finding.WRONG_SIDECAR, file.sidecar_key)]
    publish(ada)
    assert findings(warehouse, digests=True) == []


@pytest.fixture
def listed_before_it_goes(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, passing: Callable[[float], None]
) -> Callable[..., None]:
    """Has the store take so long to delete a blob that another holds its project, and lists the file, before
    it goes. Its answer may be lost."""
    delete, write = warehouse.store.delete, warehouse.units.write

    def arrange(key: str, publishing: Callable[[], object], *, answers: bool = True) -> None:
        late: list[str] = []

        def slowly(asked: str) -> None:
            if asked != key or late:
                delete(asked)
                return
            passing(4)
            late.append(asked)
            if not answers:
                raise Unavailable("The file store does not remove files. Try again.")

        @contextmanager
        def lapsing() -> Iterator[UnitOfWork]:
            try:
                with write() as unit:
                    yield unit
            finally:
                if late == [key]:
                    late.append("")
                    publishing()
                    delete(key)

        monkeypatch.setattr(warehouse.store, "delete", slowly)
        monkeypatch.setattr(warehouse.units, "write", lapsing)

    return arrange


def key_of(built: BuiltFile) -> str:
    return f"demo/{hashlib.sha256(built.content).hexdigest()}/{built.filename}"


LISTED_WITHOUT = "a listed file is without a blob that was deleted too slowly: "


def test_a_collector_that_ends_in_an_error_has_told_what_went_and_what_a_listed_file_is_without(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    clock: Clock,
    listed_before_it_goes: Callable[..., None],
) -> None:
    """What the store was asked for may have been done, although its answer was lost."""
    warehouse.projects.create(ada, "demo")
    built = build_wheel("demo", "1.0")
    keys = ["demo/0000/orphan.whl", key_of(built), "demo/zzzz/orphan.whl"]
    for key in keys:
        warehouse.store.put(key, built.content)
    clock.now = datetime.now(UTC) + timedelta(days=2)
    listed_before_it_goes(key_of(built), lambda: publish(ada, built), answers=False)
    told = []
    with pytest.raises(Unavailable, match="does not remove files"):
        told.extend(warehouse.upkeep.collect())
    assert told == [Loose(keys[0]), Loose(keys[1], is_missed=True)]
    assert findings(warehouse)[0] == Report(Finding.MISSING, keys[1])


def test_a_collector_that_cannot_look_again_names_in_the_log_what_it_deleted_too_slowly(
    warehouse: Warehouse,
    ada: Identity,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    listed_before_it_goes: Callable[..., None],
) -> None:
    warehouse.projects.create(ada, "demo")
    built = build_wheel("demo", "1.0")
    warehouse.store.put(key_of(built), built.content)
    clock.now = datetime.now(UTC) + timedelta(days=2)

    def lose_the_store() -> None:
        def fail(key: str) -> Blob | None:
            raise Unavailable("The file store does not give files. Try again.")

        warehouse.uploads.publish(ada, form_of(built.filename), [built.content])
        monkeypatch.setattr(warehouse.store, "stat", fail)

    listed_before_it_goes(key_of(built), lose_the_store)
    told = []
    with pytest.raises(Unavailable):
        told.extend(warehouse.upkeep.collect())
    assert told == [Loose(key_of(built))]
    assert [record.message for record in caplog.records] == [f"perhaps {LISTED_WITHOUT}{key_of(built)}"]


def test_whoever_is_refused_and_deletes_what_another_lists_meanwhile_says_so(
    warehouse: Warehouse,
    ada: Identity,
    bob: Identity,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    listed_before_it_goes: Callable[..., None],
) -> None:
    built = build_wheel("demo", "1.0")
    listed_before_it_goes(key_of(built), lambda: publish(bob, built))
    with warehouse.uploads.receive(ada, form_of(built.filename)) as slower:
        slower.write(built.content)
        commit = slower._staged.commit

        def lose_the_right(key: str) -> None:
            commit(key)
            warehouse.projects.create(bob, "demo")

        monkeypatch.setattr(slower._staged, "commit", lose_the_right)
        with pytest.raises(Forbidden):
            slower.finish({})
    assert [record.message for record in caplog.records] == [LISTED_WITHOUT + key_of(built)]


def test_whoever_removes_wrong_bytes_while_another_puts_the_right_ones_says_so(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    caplog: pytest.LogCaptureFixture,
    listed_before_it_goes: Callable[..., None],
) -> None:
    file = publish(ada).file
    warehouse.store.delete(file.key)
    warehouse.store.put(file.key, b"short")
    listed_before_it_goes(file.key, lambda: publish(ada))
    remove_wrong_blob(warehouse.units, warehouse.store, file)
    assert [record.message for record in caplog.records] == [LISTED_WITHOUT + file.key]


@pytest.mark.parametrize("answers", [True, False])
def test_a_wrong_sidecar_that_is_deleted_too_slowly_is_put_anew_or_missed_in_the_log(
    warehouse: Warehouse,
    ada: Identity,
    publish: Publish,
    caplog: pytest.LogCaptureFixture,
    listed_before_it_goes: Callable[..., None],
    answers: bool,
) -> None:
    file = publish(ada).file
    put_sidecar(warehouse, file, [])
    listed_before_it_goes(file.sidecar_key, lambda: None, answers=answers)
    with nullcontext() if answers else pytest.raises(Unavailable):
        publish(ada)
    missed = [] if answers else [LISTED_WITHOUT + file.sidecar_key]
    assert [record.message for record in caplog.records] == missed
    found = [] if answers else [Report(Finding.MISSING, file.sidecar_key)]
    assert findings(warehouse, digests=True) == found
