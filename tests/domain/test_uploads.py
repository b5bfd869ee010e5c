import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import FileExists, Forbidden, Rejected, TooLarge
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published, UploadService
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel

Publish = Callable[..., Published]
WHEEL = build_wheel("demo", "1.0")


def left_behind(warehouse: Warehouse) -> list[str]:
    return [blob.key for blob in warehouse.store.keys()]


def test_a_first_upload_creates_a_private_project_of_the_uploader(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    assert publish(ada, build_wheel("De.mo", "1.0")).is_new
    project = warehouse.projects.get(ada, "de-mo")
    assert (project.display_name, project.public) == ("De.mo", False)
    assert project.grants == {"account:ada": Role.ADMIN}


def test_the_newest_upload_says_how_the_name_of_the_project_is_spelled(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    """Upload rule 53"""
    publish(ada, build_wheel("de-mo", "1.0"))
    before = warehouse.projects.get(ada, "de-mo")
    publish(ada, build_wheel("De.Mo", "1.1"))
    after = warehouse.projects.get(ada, "de-mo")
    assert (before.display_name, after.display_name) == ("de-mo", "De.Mo")
    assert [project.display_name for project in warehouse.projects.listed(ada)] == ["De.Mo"]


def test_the_same_bytes_again_do_not_spell_the_project_as_they_did(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    first = build_wheel("de-mo", "1.0")
    for wheel in (first, build_wheel("De.Mo", "1.1"), first):
        publish(ada, wheel)
    assert warehouse.projects.get(ada, "de-mo").display_name == "De.Mo"


def test_a_file_is_recorded_as_the_archive_says(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    built = build_wheel("demo", "1.0", requires_python=">=3.9", summary="Shown in lists")
    file = publish(ada, built).file
    assert file.sha256 == hashlib.sha256(built.content).hexdigest()
    assert file.blake2_256 == hashlib.blake2b(built.content, digest_size=32).hexdigest()
    assert (file.size, file.requires_python, file.summary) == (len(built.content), ">=3.9", "Shown in lists")
    assert file.uploaded_by == "ada"
    with warehouse.store.open(file.metadata_key, 0) as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == file.metadata_sha256


def test_the_sidecar_holds_what_the_archive_does_not(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    file = publish(ada).file
    with warehouse.store.open(file.sidecar_key, 0) as stream:
        known = json.load(stream)
    assert known["uploaded_by"] == "ada"
    assert known["uploaded_at"] == file.uploaded_at.isoformat()
    assert known["sha256"] == file.sha256


def test_the_same_bytes_again_are_fine_and_change_nothing(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    first = publish(ada)
    pulse = warehouse.units.pulse()
    again = publish(ada)
    assert not again.is_new
    assert again.file == first.file
    assert warehouse.units.pulse() == pulse


def test_other_bytes_under_a_listed_name_are_refused(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada)
    before = left_behind(warehouse)
    with pytest.raises(FileExists, match="File already exists"):
        publish(ada, build_wheel("demo", "1.0", body=b"other"))
    assert left_behind(warehouse) == before


@pytest.mark.parametrize("name", ["namespaces", "namespace"])
def test_a_reserved_name_is_refused_as_if_it_were_anothers(
    warehouse: Warehouse, ada: Identity, bob: Identity, publish: Publish, name: str
) -> None:
    publish(bob)
    said = set()
    for other in ("demo", name):
        with pytest.raises(Forbidden) as caught:
            publish(ada, build_wheel(other, "2.0"))
        said.add(str(caught.value).replace(other, "NAME"))
    assert len(said) == 1


def test_a_member_and_a_stranger_do_not_publish(
    warehouse: Warehouse, ada: Identity, bob: Identity, publish: Publish
) -> None:
    publish(ada)
    warehouse.projects.set_public(ada, "demo", public=True)
    for _ in ("stranger", "member"):
        with pytest.raises(Forbidden):
            publish(bob, build_sdist("demo", "1.0"))
        warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)


@pytest.mark.parametrize("loses", ["token", "account", "group"])
def test_a_file_on_its_way_is_refused_to_who_has_lost_the_right_meanwhile(
    warehouse: Warehouse, ada: Identity, bob: Identity, loses: str
) -> None:
    warehouse.groups.create(ada, "crew")
    warehouse.groups.add(ada, "crew", "bob")
    warehouse.projects.create(ada, "demo")
    warehouse.projects.grant(ada, "demo", "group:crew", Role.ADMIN)
    minted = warehouse.tokens.mint(bob, name="ci", scopes={Scope.UPLOAD})
    lose = {
        "token": partial(warehouse.tokens.revoke, bob, minted.id),
        "account": partial(warehouse.accounts.set_disabled, warehouse.operator(), "bob", disabled=True),
        "group": partial(warehouse.groups.remove, ada, "crew", "bob"),
    }[loses]

    def chunks() -> Iterator[bytes]:
        yield WHEEL.content[:100]
        lose()
        yield WHEEL.content[100:]

    with pytest.raises(Forbidden):
        warehouse.uploads.publish(warehouse.tokens.identify(minted.text), form_of(WHEEL.filename), chunks())
    assert left_behind(warehouse) == []


def test_a_token_publishes_within_its_scope_and_project(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada)

    def token(**limits: object) -> Identity:
        return warehouse.tokens.identify(warehouse.tokens.mint(ada, name="x", **limits).text)

    with pytest.raises(Forbidden):
        publish(token(scopes={Scope.READ}), build_sdist("demo", "1.0"))
    limited = token(scopes={Scope.UPLOAD}, project="demo")
    with pytest.raises(Forbidden):
        publish(limited, build_wheel("other", "1.0"))
    assert publish(limited, build_sdist("demo", "1.0")).is_new
    assert publish(token(scopes={Scope.UPLOAD}), build_wheel("other", "1.0")).is_new


def test_a_site_that_creates_nothing_on_upload_refuses_new_names(warehouse: Warehouse, ada: Identity) -> None:
    policy = replace(warehouse.policy, create_on_upload=False)
    strict = Warehouse(warehouse.units, warehouse.store, policy)
    with pytest.raises(Forbidden):
        strict.uploads.publish(ada, form_of(WHEEL.filename), [WHEEL.content])
    strict.projects.create(ada, "demo")
    assert strict.uploads.publish(ada, form_of(WHEEL.filename), [WHEEL.content]).is_new


def test_a_file_over_the_limit_is_refused_while_it_comes(warehouse: Warehouse, ada: Identity) -> None:
    taken = []

    def chunks():
        for number in range(100):
            taken.append(number)
            yield b"x" * 10_000

    with pytest.raises(TooLarge, match="100000 bytes") as caught:
        warehouse.uploads.publish(ada, form_of(WHEEL.filename), chunks())
    assert caught.value.limit == 100_000
    assert len(taken) == 11
    assert left_behind(warehouse) == []


@pytest.mark.parametrize("algorithm", ["sha256", "blake2_256", "md5"])
def test_a_digest_that_differs_is_refused(warehouse: Warehouse, ada: Identity, algorithm: str) -> None:
    length = 32 if algorithm == "md5" else 64
    with pytest.raises(Rejected) as caught:
        warehouse.uploads.publish(ada, form_of(WHEEL.filename), [WHEEL.content], {algorithm: "0" * length})
    assert caught.value.field == f"{algorithm}_digest"
    assert left_behind(warehouse) == []


def test_a_digest_in_capitals_is_the_same(warehouse: Warehouse, ada: Identity) -> None:
    digest = hashlib.sha256(WHEEL.content).hexdigest().upper()
    assert warehouse.uploads.publish(ada, form_of(WHEEL.filename), [WHEEL.content], {"sha256": digest})


def test_a_refused_archive_leaves_nothing_behind_not_even_a_project(
    warehouse: Warehouse, ada: Identity
) -> None:
    with pytest.raises(Rejected):
        warehouse.uploads.publish(ada, form_of(WHEEL.filename), [b"this is no archive"])
    assert left_behind(warehouse) == []
    assert warehouse.projects.listed(ada) == []


def test_of_many_uploads_of_one_name_the_first_wins(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    built = [build_wheel("demo", "1.0", body=bytes([number])) for number in range(12)]
    outcomes: list[object] = []
    gate = threading.Barrier(len(built))

    def send(number: int) -> None:
        gate.wait()
        try:
            outcomes.append(publish(ada, built[number]).is_new)
        except FileExists as error:
            outcomes.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(built))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) == 1
    assert sum(isinstance(outcome, FileExists) for outcome in outcomes) == len(built) - 1
    assert len(warehouse.projects.files(ada, "demo")) == 1


def test_a_file_name_says_what_a_form_says() -> None:
    form = form_of("zope.interface-5.4.0.tar.gz")
    assert (form.name, form.version, form.filetype) == ("zope-interface", "5.4.0", "sdist")
    with pytest.raises(Rejected):
        form_of("readme.txt")


def test_the_service_says_how_large_a_file_may_be(warehouse: Warehouse) -> None:
    assert isinstance(warehouse.uploads, UploadService)
    assert warehouse.uploads.max_file_bytes == 100_000
