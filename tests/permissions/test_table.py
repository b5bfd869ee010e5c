"""docs/permissions.md is up to date, whole, and says what was written by hand."""

from collections.abc import Iterator, Mapping

import pytest

from domain.test_journal_is_complete import use_cases
from permissions import table, usecases, views
from permissions.reading import PAGE, section
from permissions.rights import (
    API_ASKED,
    API_SENT,
    FORMS_SENT,
    INDEX_READ,
    NOBODY,
    PAGES_SEEN,
    UPLOADS,
    Right,
    right_to,
)
from permissions.words import HIDDEN, KNOWN, NO, PEOPLE, YES, heard, word
from warehouse14.adapters.memory import MemoryFiles, MemoryUnits
from warehouse14.domain.access import Permission
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.web.resources import ProjectBound
from web import test_acl_parity, test_api_parity, test_browser_parity
from web.asking import Index, open_peopled

#: Views that tell those who are let in that there is nothing, or refuse what they bring: what the table by
#: hand asks them for is not there.
OF_ABSENT_THINGS = {
    "TokenPlace", "SessionPlace", "AccountPlace", "StylePage", "StaticFile", "ProviderPlace", "ApiUpload",
}  # fmt: skip

#: What each use case on a project takes.
TAKEN: Mapping[str, Permission] = {
    "projects.get": Permission.READ,
    "projects.files": Permission.READ,
    "projects.releases": Permission.READ,
    "files.get": Permission.READ,
    "files.open": Permission.READ,
    "uploads.publish": Permission.UPLOAD,
    "uploads.receive": Permission.UPLOAD,
    "uploads.judge": Permission.UPLOAD,
    "uploads.permit": Permission.UPLOAD,
    "uploads.expect": Permission.UPLOAD,
    "uploads.publish_waiting": Permission.UPLOAD,
    "direct.begin": Permission.UPLOAD,
    "direct.request": Permission.UPLOAD,
    "direct.finish": Permission.UPLOAD,
    "direct.status": Permission.UPLOAD,
    "files.yank": Permission.YANK,
    "files.yank_release": Permission.YANK,
    "files.unyank": Permission.YANK,
    "files.unyank_release": Permission.YANK,
    "files.delete": Permission.DELETE,
    "files.delete_release": Permission.DELETE,
    "projects.delete": Permission.DELETE,
    "projects.grant": Permission.MANAGE,
    "projects.revoke": Permission.MANAGE,
    "projects.set_public": Permission.MANAGE,
    "journal.of_project": Permission.MANAGE,
}


@pytest.fixture(scope="module")
def peopled() -> Iterator[Index]:
    index = open_peopled()
    yield index
    index.warehouse.close()


def row_of(view: tuple[str, str, str], address: str) -> Right:
    """Return the row of an address of the tables that were written by hand."""
    is_form = view[2] == "POST"
    path = test_browser_parity.address_of(address, "demo")
    sent, seen = [*FORMS_SENT, *UPLOADS, *API_SENT], [*PAGES_SEEN, *INDEX_READ, *API_ASKED]
    return right_to(sent if is_form else seen, path)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == table.text(), "Run: make permissions"


def test_every_view_has_its_row(peopled: Index) -> None:
    known = {(address, view.methods[0]) for view in views.views(peopled) for address in views.addresses(view)}
    rows = [
        (row[table.ADDRESS], row[table.METHOD])
        for title in (table.PAGES, table.CLIENTS)
        for row in section(title)
    ]
    assert set(rows) == known
    assert len(rows) == len(known)


def test_every_use_case_has_its_row() -> None:
    warehouse = Warehouse(MemoryUnits(), MemoryFiles(), Policy(1, create_on_upload=True, page_cache_bytes=1))
    asked, unasked = (
        {row[table.NAME] for row in section(title)} for title in (table.USE_CASES, table.UNASKED)
    )
    assert asked | unasked == use_cases(warehouse)
    assert not asked & unasked


def test_every_use_case_that_asks_lets_somebody_do_it() -> None:
    done = {row[table.NAME] for row in section(table.USE_CASES) for kind in KNOWN if row[kind] == YES}
    assert done == {row[table.NAME] for row in section(table.USE_CASES)}


def test_a_use_case_without_a_sample_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"projects\.invent has no sample"):
        usecases.samples_of("projects.invent")


@pytest.mark.parametrize(
    ("view", "address", "columns"),
    [
        (view, address, columns)
        for view, rows in test_browser_parity.TABLE.items()
        for address, _, *columns in rows
    ],
)
def test_a_page_lets_in_those_whom_the_table_by_hand_does(
    view: tuple[str, str, str], address: str, columns: list[str]
) -> None:
    right = row_of(view, address)
    for public, column in zip((False, True), columns, strict=True):
        for who, status in zip(test_browser_parity.PEOPLE, column.split(), strict=True):
            told = heard(
                int(status), "/login" if who is None and view not in test_browser_parity.OPEN_TO_ALL else ""
            )
            said = right.said(who or NOBODY, public=public)
            is_absent = view[0] in OF_ABSENT_THINGS or view[1] == "part" or "7.0" in address
            assert told == said or (is_absent and said == YES and told in {NO, HIDDEN}), who


@pytest.mark.parametrize(
    ("people", "view", "address", "columns"),
    [
        (by_hand.PEOPLE, view, address, columns)
        for by_hand in (test_acl_parity, test_api_parity)
        for view, rows in by_hand.TABLE.items()
        for address, *columns in rows
    ],
)
def test_an_address_for_clients_lets_in_those_whom_the_table_by_hand_does(
    people: tuple[str, ...], view: tuple[str, str, str], address: str, columns: list[str]
) -> None:
    right = row_of(view, address)
    for public, column in zip((False, True), columns, strict=True):
        told = dict(zip(people, map(int, column.split()), strict=True))
        for kind, who in PEOPLE.items():
            said, is_absent = right.said(who or NOBODY, public=public), view[0] in OF_ABSENT_THINGS
            assert said == heard(told[kind]) or (is_absent and (said, told[kind]) == (YES, 404)), kind


@pytest.mark.parametrize(("name", "permission"), TAKEN.items())
def test_a_use_case_on_a_project_is_for_those_whom_the_table_by_hand_allows_it(
    name: str, permission: Permission
) -> None:
    (row,) = (row for row in section(table.USE_CASES) if row[table.NAME] == name)
    for public, kind_of_project in ((False, "private"), (True, "public")):
        for kind in KNOWN:
            allowed = test_acl_parity.allowed_by_the_table(permission, kind, kind_of_project)
            assert (word(row[kind], public=public) == YES) == allowed, kind


def test_who_looks_as_administrator_has_what_an_admin_has_on_the_pages_of_the_project_alone(
    peopled: Index,
) -> None:
    found = peopled.warehouse.sessions.identify(peopled.cookie("root"))
    assert found is not None
    peopled.warehouse.looking.look(found.identity("192.0.2.7"), "demo", reason="x")
    for view in views.views(peopled):
        for address in views.addresses(view):
            path = views.filled(address, "demo")
            right = row_of(view.key, path)
            like = (
                "ada"
                if right in {*PAGES_SEEN, *FORMS_SENT} and issubclass(view.place, ProjectBound)
                else "root"
            )
            if right not in UPLOADS:
                said = views.let_in(peopled, view, address, "administrator", public=False)
                assert said == right.said(like, public=False), path
