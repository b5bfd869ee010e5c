"""The read side of the pages for people: what they find, which release is shown, what is known of a file."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from domain.conftest import Clock, settings_of
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity, TokenLimits
from warehouse14.domain.catalogue import SIDECAR_METADATA
from warehouse14.domain.details import Details
from warehouse14.domain.model import File, Order, Project, Reach, Role, Scope
from warehouse14.domain.names import ProjectName, file_name, project_name
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

Publish = Callable[..., Published]


@pytest.fixture
def shelf(warehouse: Warehouse, ada: Identity, bob: Identity, publish: Publish, clock: Clock) -> Warehouse:
    """Projects of ada's: ``alpha`` is private, bob reads ``beta``, ``gamma`` is public; ``delta`` is empty,
    and ``omega`` is deleted."""
    for name, summary in (
        ("alpha", "One thing"),
        ("Be.ta", "Two THINGS"),
        ("gamma", "Straße 100%_x"),
        ("omega", ""),
    ):
        publish(ada, build_wheel(name, "1.0", summary=summary))
        clock.pass_by(timedelta(hours=1))
    warehouse.projects.create(ada, "delta")
    warehouse.projects.grant(ada, "be-ta", "account:bob", Role.MEMBER)
    warehouse.projects.set_public(ada, "gamma", public=True)
    warehouse.projects.delete(ada, "omega")
    return warehouse


def limited(identity: Identity, project: str, scope: Scope = Scope.READ) -> Identity:
    """Return the identity as a token for one project holds it back."""
    return replace(identity, token=TokenLimits("t", frozenset({scope}), Reach(project_name(project))))


def found(warehouse: Warehouse, identity: Identity, text: str = "", order: Order = Order.NAME) -> list[str]:
    """Return the names that a search finds, all of which it counts."""
    answer = warehouse.catalogue.search(identity, text, order=order)
    assert answer.total == len(answer.projects)
    return [project.name for project in answer.projects]


def project(warehouse: Warehouse, name: str = "demo") -> Project:
    warehouse.index.cache.follow()
    known = warehouse.index.project(project_name(name))
    assert known is not None
    return known


def versions(warehouse: Warehouse, name: str = "demo") -> list[str]:
    return [str(release.version) for release in warehouse.catalogue.releases(project(warehouse, name))]


def latest(warehouse: Warehouse, name: str = "demo") -> str | None:
    release = warehouse.catalogue.latest(project(warehouse, name))
    return None if release is None else str(release.version)


def file_of(warehouse: Warehouse, built: BuiltFile, name: str = "demo") -> File:
    with warehouse.units.read() as unit:
        file = unit.files.get(project_name(name), file_name(built.filename))
    assert file is not None
    return file


# -- search -------------------------------------------------------------------------------


def test_everybody_finds_what_they_may_read(shelf: Warehouse, ada: Identity, bob: Identity) -> None:
    assert found(shelf, ada) == ["alpha", "be-ta", "delta", "gamma"]
    assert found(shelf, bob) == ["be-ta", "gamma"]
    assert found(shelf, shelf.operator()) == ["alpha", "be-ta", "delta", "gamma"]


@pytest.mark.parametrize("administrator", [False, True], ids=["a stranger", "an administrator"])
def test_a_stranger_finds_what_is_public_alone_also_as_an_administrator(
    shelf: Warehouse, person: Callable[..., Identity], administrator: bool
) -> None:
    stranger = person("eve", administrator=administrator)
    for order in Order:
        assert found(shelf, stranger, order=order) == ["gamma"]
    for text in ("alpha", "thing", "be-ta", "delta", "omega"):
        assert found(shelf, stranger, text) == []


def test_what_somebody_may_no_longer_read_is_found_no_more(
    shelf: Warehouse, ada: Identity, bob: Identity
) -> None:
    shelf.projects.revoke(ada, "be-ta", "account:bob")
    assert found(shelf, bob) == ["gamma"]
    shelf.projects.set_public(ada, "gamma", public=False)
    assert found(shelf, bob) == []


def test_a_token_for_one_project_finds_that_one_only(shelf: Warehouse, ada: Identity, bob: Identity) -> None:
    for order, scope in product(Order, Scope):
        assert found(shelf, limited(ada, "alpha", scope), order=order) == ["alpha"]
        assert found(shelf, limited(ada, "delta", scope), order=order) == ["delta"]
        assert found(shelf, limited(bob, "Be.Ta", scope), order=order) == ["be-ta"]
        assert found(shelf, limited(bob, "gamma", scope), order=order) == ["gamma"]


def test_a_token_finds_nothing_that_its_account_may_not_read(shelf: Warehouse, bob: Identity) -> None:
    for name in ("alpha", "delta", "omega", "nowhere"):
        assert found(shelf, limited(bob, name)) == [], name


def test_a_token_for_a_project_that_is_deleted_finds_nothing(shelf: Warehouse, ada: Identity) -> None:
    assert found(shelf, limited(ada, "omega")) == []


def test_a_token_for_one_project_shows_it_as_its_account_sees_it(shelf: Warehouse, ada: Identity) -> None:
    for name in ("alpha", "be-ta", "delta", "gamma"):
        assert shelf.catalogue.search(limited(ada, name), "") == shelf.catalogue.search(ada, name)


def test_a_token_for_one_project_has_one_page_of_one_project(shelf: Warehouse, ada: Identity) -> None:
    token = limited(ada, "be-ta")
    for start, count in ((1, 50), (0, 0), (5, 2)):
        page = shelf.catalogue.search(token, "", start=start, count=count)
        assert (list(page.projects), page.total) == ([], 1)


def test_a_token_for_all_projects_finds_them_all(shelf: Warehouse, ada: Identity) -> None:
    token = replace(ada, token=TokenLimits("t", frozenset({Scope.READ})))
    assert found(shelf, token) == found(shelf, ada)


#: What ada finds, by what she types.
FOUND = {
    "thing": ["alpha", "be-ta"],
    "THING two": ["be-ta"],
    "two thing": ["be-ta"],
    "things two two": ["be-ta"],
    "  thing \t one\n": ["alpha"],
    "one two": [],
    "be.ta": ["be-ta"],
    "Be-Ta": ["be-ta"],
    "STRASSE": ["gamma"],
    "straße": ["gamma"],
    "%_": ["gamma"],
    "%": ["gamma"],
    "_": ["gamma"],
    "a%a": [],
    "\\": [],
    "'; drop table projects; --": [],
    "": ["alpha", "be-ta", "delta", "gamma"],
    "\0": ["alpha", "be-ta", "delta", "gamma"],
    "one\0thing": ["alpha"],
    "\ud800": [],
    "omega": [],
    "x" * 10_000: [],
}


def test_each_word_must_occur_in_name_or_summary(shelf: Warehouse, ada: Identity) -> None:
    assert {text: found(shelf, ada, text) for text in FOUND} == FOUND


def test_a_search_with_a_token_for_one_project_goes_by_the_same_words(
    shelf: Warehouse, ada: Identity
) -> None:
    tokens = [limited(ada, name) for name in ("alpha", "be-ta", "delta", "gamma")]
    assert {text: [name for token in tokens for name in found(shelf, token, text)] for text in FOUND} == FOUND


def test_the_first_ten_words_count(shelf: Warehouse, ada: Identity) -> None:
    for identity in (ada, limited(ada, "alpha")):
        assert "alpha" in found(shelf, identity, "thing " * 10 + "nowhere")
        assert found(shelf, identity, "thing " * 9 + "nowhere") == []


def test_the_newest_release_comes_first_and_what_has_none_last(
    shelf: Warehouse, ada: Identity, bob: Identity, publish: Publish
) -> None:
    assert found(shelf, ada, order=Order.NEWEST) == ["gamma", "be-ta", "alpha", "delta"]
    assert found(shelf, bob, order=Order.NEWEST) == ["gamma", "be-ta"]
    publish(ada, build_wheel("alpha", "1.1"))
    assert found(shelf, ada, order=Order.NEWEST) == ["alpha", "gamma", "be-ta", "delta"]


@pytest.mark.parametrize("order", Order)
def test_a_search_is_shown_page_by_page(shelf: Warehouse, ada: Identity, order: Order) -> None:
    pages = [shelf.catalogue.search(ada, "", order=order, start=start, count=3) for start in (0, 3, 6)]
    names = [[project.name for project in page.projects] for page in pages]
    assert [len(page) for page in names] == [3, 1, 0]
    assert names[0] + names[1] == found(shelf, ada, order=order)
    assert {page.total for page in pages} == {4}


def test_the_count_on_each_page_is_of_what_its_reader_may_see(shelf: Warehouse, bob: Identity) -> None:
    page = shelf.catalogue.search(bob, "", count=1)
    assert ([project.name for project in page.projects], page.total) == (["be-ta"], 2)


def test_what_is_found_says_how_it_is_spelled_and_what_is_latest(
    shelf: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada, build_wheel("be-TA", "2.0", summary="Three"))
    (one,) = shelf.catalogue.search(ada, "three").projects
    assert (one.name, one.display_name, one.public) == ("be-ta", "be-TA", False)
    assert one.latest is not None
    assert (one.latest.version, one.latest.summary) == ("2.0", "Three")
    assert found(shelf, ada, "two") == []
    (public,) = shelf.catalogue.search(ada, "gamma").projects
    assert public.public
    (empty,) = shelf.catalogue.search(ada, "delta").projects
    assert empty.latest is None


def test_what_is_found_shows_no_yanked_and_no_unfinished_release(
    shelf: Warehouse, ada: Identity, publish: Publish
) -> None:
    for version in ("1.5", "2.0rc1"):
        publish(ada, build_wheel("alpha", version, summary=f"In {version}"))
    seen = []
    for version in ("1.5", "1.0", "2.0rc1"):
        (one,) = shelf.catalogue.search(ada, "alpha").projects
        seen.append(one.latest and (one.latest.version, one.latest.summary))
        shelf.files.yank_release(ada, "alpha", version)
    assert seen == [("1.5", "In 1.5"), ("1.0", "One thing"), ("2.0rc1", "In 2.0rc1")]
    (one,) = shelf.catalogue.search(ada, "alpha").projects
    assert one.latest is None


# -- releases -----------------------------------------------------------------------------


def test_releases_come_with_their_files_the_newest_version_first(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    for version in ("1.9", "1.10", "2.0rc1", "0.9.post1", "1!0.1"):
        publish(ada, build_wheel("demo", version))
    publish(ada, build_sdist("demo", "1.10"))
    assert versions(warehouse) == ["1!0.1", "2.0rc1", "1.10", "1.9", "0.9.post1"]
    (release,) = [
        one for one in warehouse.catalogue.releases(project(warehouse)) if str(one.version) == "1.10"
    ]
    assert [file.filename for file in release.files] == ["demo-1.10-py3-none-any.whl", "demo-1.10.tar.gz"]


def test_each_project_has_its_own_releases(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    publish(ada, build_wheel("demo", "1.0"))
    publish(ada, build_wheel("other", "2.0"))
    for _ in range(2):
        assert versions(warehouse, "demo") == ["1.0"]
        assert versions(warehouse, "other") == ["2.0"]


def test_a_project_without_files_has_no_release(warehouse: Warehouse, ada: Identity) -> None:
    warehouse.projects.create(ada, "demo")
    assert versions(warehouse) == []
    assert latest(warehouse) is None


def test_a_release_is_gone_with_its_last_file(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    for built in (build_wheel("demo", "1.0"), build_sdist("demo", "1.0"), build_wheel("demo", "2.0")):
        publish(ada, built)
    warehouse.files.delete(ada, "demo", "demo-2.0-py3-none-any.whl")
    warehouse.files.delete(ada, "demo", "demo-1.0.tar.gz")
    assert versions(warehouse) == ["1.0"]
    (release,) = warehouse.catalogue.releases(project(warehouse))
    assert [file.filename for file in release.files] == ["demo-1.0-py3-none-any.whl"]
    warehouse.files.delete(ada, "demo", "demo-1.0-py3-none-any.whl")
    assert versions(warehouse) == []
    assert latest(warehouse) is None


def test_the_latest_release_is_final_and_not_yanked_if_there_is_one(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    seen = []
    for version in ("1.0a1", "2.0rc1", "1.0", "1.5.dev1", "1.2"):
        publish(ada, build_wheel("demo", version))
        seen.append(latest(warehouse))
    assert seen == ["1.0a1", "2.0rc1", "1.0", "1.0", "1.2"]
    for version, after in (("1.2", "1.0"), ("1.0", "2.0rc1"), ("2.0rc1", "1.5.dev1")):
        warehouse.files.yank_release(ada, "demo", version)
        assert latest(warehouse) == after


def test_where_all_is_yanked_the_newest_is_the_latest(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    for version in ("1.0", "2.0", "3.0b1"):
        publish(ada, build_wheel("demo", version))
        warehouse.files.yank_release(ada, "demo", version)
    assert latest(warehouse) == "3.0b1"
    warehouse.files.unyank_release(ada, "demo", "1.0")
    assert latest(warehouse) == "1.0"


def test_a_release_with_one_file_that_is_not_yanked_may_be_the_latest(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    for built in (build_wheel("demo", "1.0"), build_wheel("demo", "2.0"), build_sdist("demo", "2.0")):
        publish(ada, built)
    warehouse.files.yank(ada, "demo", "demo-2.0.tar.gz")
    assert latest(warehouse) == "2.0"
    warehouse.files.yank(ada, "demo", "demo-2.0-py3-none-any.whl")
    assert latest(warehouse) == "1.0"


def test_a_version_is_found_however_its_files_spell_it(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada, build_wheel("demo", "1.0"))
    publish(ada, build_sdist("demo", "1.0.0"))
    (release,) = warehouse.catalogue.releases(project(warehouse))
    assert len(release.files) == 2
    assert warehouse.catalogue.latest(project(warehouse)) == release


# -- details ------------------------------------------------------------------------------

DYNAMIC = build_sdist("demo", "1.0", dynamic=["Requires-Dist"], requires_dist=["other"], summary="Früh")


@pytest.mark.parametrize(
    "built",
    [
        build_wheel("demo", "1.0", requires_dist=["other"], summary="Früh"),
        build_sdist("demo", "1.0", requires_dist=["other"], summary="Früh"),
        DYNAMIC,
        build_sdist("demo", "1.0", metadata_version="2.1", requires_dist=["other"], summary="Früh"),
        build_sdist(
            "demo",
            "1.0",
            extension=".zip",
            dynamic=["requires-python"],
            requires_dist=["other"],
            summary="Früh",
        ),
    ],
    ids=["wheel", "sdist", "dynamic sdist", "old sdist", "dynamic zip"],
)
def test_what_metadata_say_is_known_of_every_file(
    warehouse: Warehouse, ada: Identity, publish: Publish, built: BuiltFile
) -> None:
    publish(ada, built)
    details = warehouse.catalogue.details(file_of(warehouse, built))
    assert details.summary == "Früh"
    assert details.description == "The description of demo.\n"
    assert [dependency.project for dependency in details.dependencies[""]] == ["other"]


def test_each_file_has_details_of_its_own(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    for version in ("1.0", "2.0"):
        built = build_wheel("demo", version, summary=f"In {version}")
        publish(ada, built)
        assert warehouse.catalogue.details(file_of(warehouse, built)).summary == f"In {version}"


def test_metadata_that_may_still_change_are_kept_but_not_offered(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada, DYNAMIC)
    file = file_of(warehouse, DYNAMIC)
    assert file.metadata_sha256 is None
    assert warehouse.store.stat(file.metadata_key) is None


@pytest.mark.parametrize("built", [build_wheel("demo", "1.0"), DYNAMIC], ids=["wheel", "dynamic sdist"])
def test_a_lost_blob_is_no_error_and_seen_as_soon_as_it_is_back(
    warehouse: Warehouse, ada: Identity, publish: Publish, built: BuiltFile
) -> None:
    publish(ada, built)
    file = file_of(warehouse, built)
    warehouse.store.delete(file.metadata_key)
    warehouse.store.delete(file.sidecar_key)
    for _ in range(2):
        assert warehouse.catalogue.details(file) == Details()
    with warehouse.units.read() as unit:
        before = unit.journal.serial()
    publish(ada, built)
    with warehouse.units.read() as unit:
        # Nothing that pages follow says that it is back.
        assert unit.journal.serial() == before
    assert warehouse.catalogue.details(file).description == "The description of demo.\n"


def test_a_sidecar_that_says_nothing_is_no_error(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    publish(ada, DYNAMIC)
    file = file_of(warehouse, DYNAMIC)
    said = [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff",
        b"{}",
        b'{"core_metadata": null}',
        b'{"core_metadata": 5}',
        b'{"core_metadata": "\\ud800"}',
        b"[" * 200_000 + b"]" * 200_000,
    ]
    for number, sidecar in enumerate(said):
        other = replace(file, sha256=f"{number:064}")
        warehouse.store.put(other.sidecar_key, sidecar)
        assert warehouse.catalogue.details(other).summary == "", sidecar[:80]


def test_large_metadata_are_read_wherever_they_are_kept(
    warehouse: Warehouse, ada: Identity, publish: Publish
) -> None:
    """JSON writes a character of two bytes with six."""
    text = "ü" * 1_900_000
    publish(ada, build_wheel("demo", "1.0"))
    file = file_of(warehouse, build_wheel("demo", "1.0"))
    warehouse.store.delete(file.sidecar_key)
    lost = replace(file, metadata_sha256=None)
    written = f'{{"{SIDECAR_METADATA}": "\\n\\n{text.encode("ascii", "backslashreplace").decode()}"}}'
    warehouse.store.put(file.sidecar_key, written.replace("\\xfc", "\\u00fc").encode())
    assert warehouse.catalogue.details(lost).description == text


def test_details_are_read_once(warehouse: Warehouse, ada: Identity, publish: Publish) -> None:
    built = build_wheel("demo", "1.0")
    publish(ada, built)
    file = file_of(warehouse, built)
    warehouse.index.cache.follow()
    first = warehouse.catalogue.details(file)
    warehouse.store.delete(file.metadata_key)
    publish(ada, build_wheel("demo", "2.0"))
    warehouse.index.cache.follow()
    assert warehouse.catalogue.details(file) is first


# -- who may read -------------------------------------------------------------------------


def test_readable_are_the_projects_here_that_somebody_may_read(
    shelf: Warehouse, ada: Identity, bob: Identity, person: Callable[..., Identity]
) -> None:
    shelf.index.cache.follow()
    names = [ProjectName(name) for name in ("alpha", "be-ta", "gamma", "delta", "omega", "nowhere")]
    wanted = {"ada": {"alpha", "be-ta", "gamma", "delta"}, "bob": {"be-ta", "gamma"}}
    assert shelf.catalogue.readable(ada, names) == wanted["ada"]
    assert shelf.catalogue.readable(bob, names) == wanted["bob"]
    assert shelf.catalogue.readable(shelf.operator(), names) == wanted["ada"]
    assert shelf.catalogue.readable(person("eve", administrator=True), names) == {"gamma"}
    assert shelf.catalogue.readable(limited(ada, "alpha"), names) == {"alpha"}
    assert shelf.catalogue.readable(limited(bob, "gamma"), names) == {"gamma"}
    assert shelf.catalogue.readable(limited(bob, "alpha"), names) == set()
    assert shelf.catalogue.readable(bob, names[:1]) == set()
    assert shelf.catalogue.readable(ada, []) == set()


# -- two processes ------------------------------------------------------------------------


@pytest.fixture
def processes(tmp_path: Path, clock: Clock) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Two warehouses on one database and one folder, as two processes have them."""
    opened = []
    for _ in range(2):
        made = assemble(settings_of("sql", tmp_path), {}).warehouse
        opened.append(Warehouse(made.units, made.store, made.policy, now=clock))
    opened[0].prepare()
    yield opened[0], opened[1]
    for warehouse in opened:
        warehouse.close()


def test_every_change_of_another_process_is_seen_at_once(processes: tuple[Warehouse, Warehouse]) -> None:
    here, there = processes
    operator = here.operator()
    here.accounts.add(operator, "ada")
    here.accounts.add(operator, "bob")
    ada, bob = here.account("ada"), here.account("bob")
    wheel, other = "demo-1.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl"

    def send(version: str) -> None:
        built = build_wheel("demo", version)
        there.uploads.publish(ada, form_of(built.filename), [built.content])

    def seen() -> tuple[object, ...]:
        here.index.cache.follow()
        known = here.index.project(project_name("demo"))
        if known is None:
            return (None,)
        releases = here.catalogue.releases(known)
        shown = here.catalogue.latest(known)
        return (
            [str(release.version) for release in releases],
            [file.filename for release in releases for file in release.files if file.yank],
            None if shown is None else str(shown.version),
            bool(here.catalogue.readable(bob, [known.name])),
            found(here, bob),
        )

    steps: list[tuple[Callable[[], object], tuple[object, ...]]] = [
        (lambda: None, (None,)),
        (lambda: send("1.0"), (["1.0"], [], "1.0", False, [])),
        (lambda: send("2.0"), (["2.0", "1.0"], [], "2.0", False, [])),
        (lambda: there.files.yank(ada, "demo", other), (["2.0", "1.0"], [other], "1.0", False, [])),
        (lambda: there.files.yank(ada, "demo", wheel), (["2.0", "1.0"], [other, wheel], "2.0", False, [])),
        (lambda: there.files.unyank(ada, "demo", wheel), (["2.0", "1.0"], [other], "1.0", False, [])),
        (
            lambda: there.projects.set_public(ada, "demo", public=True),
            (["2.0", "1.0"], [other], "1.0", True, ["demo"]),
        ),
        (lambda: there.files.delete(ada, "demo", wheel), (["2.0"], [other], "2.0", True, ["demo"])),
        (lambda: there.files.delete(ada, "demo", other), ([], [], None, True, ["demo"])),
        (lambda: send("3.0"), (["3.0"], [], "3.0", True, ["demo"])),
        (lambda: there.projects.delete(ada, "demo"), (None,)),
    ]
    for change, wanted in steps:
        seen()
        change()
        assert seen() == wanted
        assert seen() == wanted
