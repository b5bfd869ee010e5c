"""What is judged without being taken, and files that another site had."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import FileExists, Forbidden, Rejected
from warehouse14.domain.model import Role
from warehouse14.domain.names import AccountName
from warehouse14.domain.services.uploadform import Past, UploadForm, form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_wheel

WHEEL = build_wheel("demo", "1.0")
LONG_AGO = datetime(2021, 7, 8, 9, 10, 11, tzinfo=UTC)


def old_form(built: BuiltFile) -> UploadForm:
    return replace(form_of(built.filename), past=Past(LONG_AGO, AccountName("bob")))


def test_what_is_judged_is_what_publishing_says_and_changes_nothing(
    warehouse: Warehouse, ada: Identity, publish: Callable[..., Published]
) -> None:
    judged = warehouse.uploads.judge(ada, form_of(WHEEL.filename), [WHEEL.content])
    assert list(warehouse.store.keys()) == []
    assert warehouse.projects.listed(ada) == []
    published = publish(ada, WHEEL)
    assert (judged.file, judged.is_new) == (published.file, published.is_new)
    again = warehouse.uploads.judge(ada, form_of(WHEEL.filename), [WHEEL.content])
    assert (again.file, again.is_new) == (published.file, False)


def test_what_publishing_refuses_is_refused_when_it_is_judged(
    warehouse: Warehouse, ada: Identity, bob: Identity, publish: Callable[..., Published]
) -> None:
    publish(ada, WHEEL)
    form, other = form_of(WHEEL.filename), build_wheel("demo", "1.0", body=b"x = 1\n")
    with pytest.raises(FileExists):
        warehouse.uploads.judge(ada, form, [other.content])
    with pytest.raises(Forbidden):
        warehouse.uploads.judge(bob, form, [WHEEL.content])
    with pytest.raises(Rejected, match="ZIP"):
        warehouse.uploads.judge(ada, form_of("demo-2.0-py3-none-any.whl"), [b"nothing"])
    with pytest.raises(Rejected, match="not the digest that was sent"):
        warehouse.uploads.judge(ada, form, [WHEEL.content], {"sha256": "0" * 64})


def test_a_file_of_another_site_keeps_its_date_and_counts_as_somebodys(
    warehouse: Warehouse, bob: Identity
) -> None:
    published = warehouse.uploads.publish(warehouse.operator(), old_form(WHEEL), [WHEEL.content])
    assert (published.file.uploaded_at, published.file.uploaded_by) == (LONG_AGO, "bob")
    assert warehouse.files.get(bob, "demo", WHEEL.filename) == published.file
    assert warehouse.projects.get(bob, "demo").grants == {"account:bob": Role.ADMIN}


def test_nobody_but_the_operator_says_when_and_by_whom_something_was_published(
    warehouse: Warehouse, ada: Identity, bob: Identity
) -> None:
    for somebody in (ada, bob):
        with pytest.raises(Forbidden, match="says when and by whom"):
            warehouse.uploads.publish(somebody, old_form(WHEEL), [WHEEL.content])
    with pytest.raises(Forbidden):
        warehouse.uploads.publish(warehouse.operator(), form_of(WHEEL.filename), [WHEEL.content])
    assert warehouse.projects.listed(warehouse.operator()) == []
