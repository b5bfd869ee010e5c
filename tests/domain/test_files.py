from collections.abc import Callable

import pytest

from warehouse14.domain.access import Identity
from warehouse14.domain.errors import Forbidden, NotFound, Rejected
from warehouse14.domain.model import Role
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_sdist, build_wheel

Publish = Callable[..., Published]
WHEEL = "demo-1.0-py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"


@pytest.fixture
def demo(warehouse: Warehouse, ada: Identity, bob: Identity, publish: Publish) -> None:
    """A project of ada's that bob reads, with a wheel and a sdist of 1.0 and a wheel of 1.10."""
    for built in (build_wheel("demo", "1.0"), build_sdist("demo", "1.0"), build_wheel("demo", "1.10")):
        publish(ada, built)
    warehouse.projects.grant(ada, "demo", "account:bob", Role.MEMBER)


def yanks(warehouse: Warehouse, ada: Identity) -> dict[str, str]:
    files = warehouse.projects.files(ada, "demo")
    return {file.filename: file.yank.reason for file in files if file.yank}


@pytest.mark.usefixtures("demo")
def test_the_bytes_of_a_file_are_read_back(warehouse: Warehouse, bob: Identity) -> None:
    with warehouse.files.open(bob, "Demo", WHEEL) as stream:
        assert stream.read() == build_wheel("demo", "1.0").content


@pytest.mark.usefixtures("demo")
def test_a_file_is_yanked_with_a_reason_and_unyanked(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.files.yank(ada, "demo", WHEEL, reason="it bites")
    assert yanks(warehouse, ada) == {WHEEL: "it bites"}
    warehouse.files.yank(ada, "demo", WHEEL, reason="it scratches")
    assert yanks(warehouse, ada) == {WHEEL: "it scratches"}
    warehouse.files.unyank(ada, "demo", WHEEL)
    assert yanks(warehouse, ada) == {}


@pytest.mark.usefixtures("demo")
def test_a_release_is_yanked_as_a_whole(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.files.yank_release(ada, "demo", "1", reason="old")
    assert yanks(warehouse, ada) == {WHEEL: "old", SDIST: "old"}
    newest, oldest = warehouse.projects.releases(ada, "demo")
    assert (str(newest.version), newest.yanked) == ("1.10", False)
    assert (str(oldest.version), oldest.yanked) == ("1.0", True)
    warehouse.files.unyank_release(ada, "demo", "1.0.0")
    assert yanks(warehouse, ada) == {}


@pytest.mark.usefixtures("demo")
def test_the_same_yank_again_is_no_change(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.files.yank(ada, "demo", WHEEL, reason="it bites")
    pulse = warehouse.units.pulse()
    warehouse.files.yank(ada, "demo", WHEEL, reason="it bites")
    warehouse.files.unyank(ada, "demo", SDIST)
    assert warehouse.units.pulse() == pulse


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("reason", ["two\nlines", "red \x1b[31m", "\0", "a\u2028b", "\x85", "x" * 1001])
def test_a_reason_is_one_line_without_what_a_terminal_obeys(
    warehouse: Warehouse, ada: Identity, reason: str
) -> None:
    with pytest.raises(Rejected, match="reason: write one line of at most 1000 characters"):
        warehouse.files.yank(ada, "demo", WHEEL, reason=reason)
    with pytest.raises(Rejected, match="reason"):
        warehouse.files.yank_release(ada, "demo", "1.0", reason=reason)
    assert yanks(warehouse, ada) == {}


@pytest.mark.usefixtures("demo")
def test_a_deleted_file_is_gone_and_its_name_stays_taken(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    warehouse.files.delete(ada, "demo", WHEEL)
    with pytest.raises(NotFound):
        warehouse.files.get(ada, "demo", WHEEL)
    for built in (build_wheel("demo", "1.0"), build_wheel("demo", "1.0", body=b"other")):
        with pytest.raises(Rejected, match="can be restored") as caught:
            publish(ada, built)
        assert "already exist" not in str(caught.value)


@pytest.mark.usefixtures("demo")
def test_an_emptied_release_stays_known(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.files.delete_release(ada, "demo", "1.0")
    releases = warehouse.projects.releases(ada, "demo")
    assert [(str(release.version), len(release.listed)) for release in releases] == [("1.10", 1), ("1.0", 0)]
    with pytest.raises(NotFound):
        warehouse.files.delete_release(ada, "demo", "1.0")


@pytest.mark.usefixtures("demo")
def test_a_member_changes_nothing(warehouse: Warehouse, bob: Identity) -> None:
    for act in (
        lambda: warehouse.files.yank(bob, "demo", WHEEL),
        lambda: warehouse.files.unyank(bob, "demo", WHEEL),
        lambda: warehouse.files.yank_release(bob, "demo", "1.0"),
        lambda: warehouse.files.delete(bob, "demo", WHEEL),
        lambda: warehouse.files.delete_release(bob, "demo", "1.0"),
    ):
        with pytest.raises(Forbidden):
            act()


@pytest.mark.usefixtures("demo")
def test_a_stranger_finds_nothing(warehouse: Warehouse, person: Callable[[str], Identity]) -> None:
    eve = person("eve")
    for act in (
        lambda: warehouse.files.open(eve, "demo", WHEEL),
        lambda: warehouse.files.yank(eve, "demo", WHEEL),
        lambda: warehouse.files.delete(eve, "demo", WHEEL),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.usefixtures("demo")
def test_what_is_not_there_is_said(warehouse: Warehouse, ada: Identity) -> None:
    with pytest.raises(NotFound):
        warehouse.files.yank(ada, "demo", "demo-9.9.tar.gz")
    with pytest.raises(NotFound):
        warehouse.files.yank_release(ada, "demo", "9.9")
    with pytest.raises(Rejected):
        warehouse.files.yank_release(ada, "demo", "not a version")
    with pytest.raises(Rejected):
        warehouse.files.yank(ada, "demo", WHEEL, reason="x" * 1001)
