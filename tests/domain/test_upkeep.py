import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.domain.conftest import Clock
from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.services.upkeep import Finding, Report
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel

Publish = Callable[..., Published]


def findings(warehouse: Warehouse, *, digests: bool = False) -> list[Report]:
    return [report for report in warehouse.upkeep.check(digests=digests) if report]


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
    assert list(warehouse.upkeep.collect()) == []
    clock.pass_by(timedelta(days=2))
    assert list(warehouse.upkeep.collect(dry_run=True)) == ["demo/0000/orphan.whl"]
    assert list(warehouse.upkeep.collect()) == ["demo/0000/orphan.whl"]
    assert list(warehouse.upkeep.collect()) == []
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
    assert set(warehouse.upkeep.collect()) == {gone.key, gone.metadata_key, gone.sidecar_key}
    assert warehouse.store.stat(kept.key) is not None
    warehouse.projects.delete(ada, "demo")
    assert list(warehouse.upkeep.collect()) == [], "the grace counts from the deletion"
    clock.pass_by(timedelta(days=2))
    assert set(warehouse.upkeep.collect()) == {kept.key, kept.metadata_key, kept.sidecar_key}
    assert list(warehouse.store.keys()) == []


def test_a_blob_that_is_put_again_is_young_and_stays(warehouse: Warehouse, clock: Clock) -> None:
    clock.now = datetime.now(UTC) + timedelta(days=2)
    orphans = {"demo/0000/orphan.whl", "other/0001/orphan.whl"}
    for key in orphans:
        warehouse.store.put(key, b"x")
    collecting = warehouse.upkeep.collect()
    first = next(collecting)
    (second,) = orphans - {first}
    warehouse.store.put(second, b"x")
    assert list(collecting) == []
    assert [blob.key for blob in warehouse.store.keys()] == [second]


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


def test_publishing_the_same_bytes_again_mends_a_file_that_was_lost(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    file = publish(ada).file
    for damage in (
        lambda: warehouse.store.delete(file.key),
        lambda: warehouse.store.delete(file.metadata_key),
        lambda: (warehouse.store.delete(file.key), warehouse.store.put(file.key, b"cut off")),
    ):
        damage()
        assert findings(warehouse) != []
        assert not publish(ada).is_new
        assert findings(warehouse, digests=True) == []
