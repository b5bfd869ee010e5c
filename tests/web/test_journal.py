"""The journal's pages, and the files that it is downloaded as."""

import csv
import io
import json
import re
from urllib.parse import quote

import html5lib
import pytest

from warehouse14.domain.access import operator
from warehouse14.domain.model import Role, Scope
from warehouse14.domain.names import ProjectName
from warehouse14.testing.samples import DEMO, sample_change
from web.asking import Answer, Index
from web.conftest import Opener

MANY = 130
HOSTILE = '"><script>alert(1)</script>=\N{RIGHT-TO-LEFT OVERRIDE}\x1b'
PAGES = ["/projects/demo/@@journal", "/admin/@@journal", "/account/@@journal"]


@pytest.fixture
def busy(index: Index) -> Index:
    """Ada's project with many entries by her and by others; Root administers the site."""
    index.account("root", administrator=True)
    index.project("demo", member="bob")
    index.project("other", admin="bob")
    for number in range(MANY):
        append(index, f"step.{number}", project=DEMO, actor="ada" if number % 2 else "eve")
    append(index, "other.step", project=ProjectName("other"))
    return index


def append(index: Index, action: str, **parts: object) -> None:
    with index.warehouse.units.write() as unit:
        unit.journal.append(sample_change(action, **parts))


def who_looks(path: str) -> str:
    return "root" if path.startswith("/admin/") else "ada"


def look(index: Index, path: str, by: str | None = None) -> Answer:
    answer = index.browse("GET", path, by or who_looks(path))
    assert answer.status == 200, answer.text
    return answer


def said(answer: Answer) -> list[str]:
    """Return what the entries of a page say."""
    tree = html5lib.parse(answer.text, namespaceHTMLElements=False)
    return ["".join(cell.itertext()).strip() for cell in tree.iter("td") if cell.get("data-label") == "What"]


def link(answer: Answer, text: str) -> str | None:
    tree = html5lib.parse(answer.text, namespaceHTMLElements=False)
    found = [a.get("href") for a in tree.iter("a") if "".join(a.itertext()) == text]
    return found[0] if found else None


def test_a_projects_admins_read_what_happened_to_it_and_to_no_other(busy: Index) -> None:
    page = look(busy, "/projects/demo/@@journal")
    assert len(said(page)) == 50
    assert said(page)[:2] == [f"ada did step.{MANY - 1}", f"eve did step.{MANY - 2}"]
    assert "other.step" not in page.text


def test_newer_and_older_lead_through_all_entries_and_back(busy: Index) -> None:
    page = look(busy, "/projects/demo/@@journal")
    assert link(page, "Newer") is None
    pages = [page]
    while older := link(pages[-1], "Older"):
        pages.append(look(busy, older))
    assert [len(said(page)) for page in pages] == [50, 50, MANY + 2 - 100]
    for expected in reversed(pages[:-1]):
        page = look(busy, str(link(pages.pop(), "Newer")))
        assert said(page) == said(expected)
    assert link(page, "Newer") is None


def test_filters_narrow_the_page_and_stay_while_one_goes_on(busy: Index) -> None:
    page = look(busy, "/projects/demo/@@journal?who=EVE")
    assert {line.partition(" ")[0] for line in said(page)} == {"eve"}
    older = look(busy, str(link(page, "Older")))
    assert {line.partition(" ")[0] for line in said(older)} == {"eve"}
    assert len(said(page)) + len(said(older)) == MANY // 2
    assert 'value="EVE"' in page.text
    page = look(busy, "/projects/demo/@@journal?what=project.&since=2026-03-04&until=2026-03-04")
    assert said(page) == [
        "operator gave bob the role member on demo",
        "operator created the project demo for ada",
    ]
    assert '<option value="project." selected>' in page.text
    page = look(busy, "/projects/demo/@@journal?what=project.&until=2026-03-03")
    assert "Nothing passes these filters." in page.text
    assert link(page, "Show everything") == "/projects/demo/@@journal"


def test_a_page_past_the_end_leads_to_the_newest(busy: Index) -> None:
    page = look(busy, "/projects/demo/@@journal?before=1")
    assert said(page) == []
    assert link(page, "Go to the newest") == "/projects/demo/@@journal"


@pytest.mark.parametrize("serial", ["x", "-1", "9" * 30, "", "0", "\N{SUPERSCRIPT TWO}", "1e3"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_an_odd_serial_is_no_fault(busy: Index, side: str, serial: str) -> None:
    look(busy, f"/projects/demo/@@journal?{side}={quote(serial)}")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("query", "problem"),
    [("since=yesterday", "is no day"), ("what=everything", "is nothing that"), ("who=%00", "printable")],
)
def test_a_filter_that_is_none_is_said_on_the_page_and_instead_of_a_file(
    busy: Index, path: str, query: str, problem: str
) -> None:
    for more in ("", "&format=csv", "&format=jsonl"):
        answer = busy.browse("GET", f"{path}?{query}{more}", who_looks(path))
        assert answer.status == 400
        assert problem in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_hostile_words_are_words_on_every_page(busy: Index, path: str) -> None:
    append(busy, HOSTILE, actor=HOSTILE, origin=HOSTILE, project=DEMO, by_token=HOSTILE)
    append(
        busy,
        "file.upload",
        actor="ada",
        origin=HOSTILE,
        project=DEMO,
        by_token=HOSTILE,
        detail={"files": HOSTILE},
    )
    text = look(busy, path).text
    assert r"\u202e\x1b" in text
    assert not {"\N{RIGHT-TO-LEFT OVERRIDE}", "\x1b"} & set(text)
    assert "<script>alert" not in text
    sought = quote(HOSTILE)
    answer = busy.browse("GET", f"{path}?who={sought}&what={sought}&since={sought}", who_looks(path))
    assert answer.status == 400
    assert "<script>alert" not in answer.text


def test_what_a_token_did_names_it(busy: Index) -> None:
    token = busy.mint("ada", scopes=[Scope.UPLOAD])
    acting = busy.warehouse.tokens.identify(token)
    busy.warehouse.projects.create(acting, "third")
    page = look(busy, "/account/@@journal")
    assert re.search(
        rf"created the project third<br> <span class=\"small\">with the token {acting.token.id}", page.text
    )


def test_an_account_reads_what_concerns_it_alone(busy: Index) -> None:
    page = look(busy, "/account/@@journal", "bob")
    assert "operator gave bob the role member on demo" in said(page)
    assert not [line for line in said(page) if "step" in line]


def test_the_tab_is_there_for_admins_alone(busy: Index) -> None:
    assert "@@journal" in look(busy, "/projects/demo/").text
    assert "@@journal" not in look(busy, "/projects/demo/", "bob").text
    assert link(look(busy, "/admin/"), "Journal") == "/admin/@@journal"
    assert link(look(busy, "/account/"), "The journal of your account") == "/account/@@journal"


def test_the_token_that_something_was_done_with_or_to_is_sought_on_every_page(busy: Index) -> None:
    text = busy.mint("ada", scopes=[Scope.YANK])
    token = text[5:15]
    busy.wheel("demo")
    assert busy.ask("POST", "/api/projects/demo/1.0/yank", token=text).status == 200
    yank = f"ada yanked demo-1.0-py3-none-any.whl of demo with the token {token}"
    made = f"operator made the token {token} of ada"
    for path, expected in (
        ("/projects/demo/@@journal", [yank]),
        ("/admin/@@journal", [yank, made]),
        ("/account/@@journal", [yank, made]),
    ):
        page = look(busy, f"{path}?token=wh14_{token}")
        assert said(page) == expected
        assert f'value="wh14_{token}"' in page.text
        lines = look(busy, str(link(page, "JSON Lines"))).text.splitlines()
        assert len(lines) == len(expected)
        assert said(look(busy, f"{path}?token={token}&who=bob")) == []


def test_a_whole_token_in_a_filter_is_refused_and_its_secret_does_not_come_back(busy: Index) -> None:
    text = busy.mint("ada")
    for path in PAGES:
        for more in ("", "&format=csv"):
            answer = busy.browse("GET", f"{path}?token={text}{more}", who_looks(path))
            assert answer.status == 400
            assert "rite the id of a token" in answer.text
            assert text[16:22] not in answer.text


def test_the_sites_page_is_narrowed_to_a_project_or_a_group_also_one_that_is_deleted(busy: Index) -> None:
    groups, projects = busy.warehouse.groups, busy.warehouse.projects
    groups.create(operator(), "crew", admin="ada")
    projects.grant(operator(), "other", "group:crew", Role.MEMBER)
    groups.delete(operator(), "crew")
    projects.delete(operator(), "other")
    page = look(busy, "/admin/@@journal?project=Other")
    assert said(page) == [
        "operator deleted the project other",
        "operator gave the group crew the role member on other",
        "ada did other.step",
        "operator created the project other for bob",
    ]
    assert len(look(busy, str(link(page, "CSV"))).text.splitlines()) == 5
    assert said(look(busy, "/admin/@@journal?group=Crew")) == [
        "operator deleted the group crew",
        "operator gave the group crew the role member on other",
        "operator created the group crew for ada",
    ]
    both = look(busy, "/admin/@@journal?group=crew&project=other")
    assert said(both) == ["operator gave the group crew the role member on other"]
    for query in ("project=-", "group=-"):
        assert busy.browse("GET", f"/admin/@@journal?{query}", "root").status == 400


def test_only_the_sites_page_asks_for_a_project_or_a_group(busy: Index) -> None:
    for path in PAGES:
        page = look(busy, path).text
        assert 'name="token"' in page
        for field in ("project", "group"):
            assert (f'name="{field}"' in page) == path.startswith("/admin/")
    assert len(said(look(busy, "/projects/demo/@@journal?project=other"))) == 50


def test_a_projects_page_offers_the_changes_of_its_tokens(busy: Index) -> None:
    token = busy.warehouse.tokens.mint(operator(), name="x", service="project:demo").id
    page = look(busy, "/projects/demo/@@journal?what=token.")
    assert said(page) == [f"operator made the token {token} of project:demo"]
    assert '<option value="token." selected>' in page.text
    assert '<option value="token.mint">' in page.text


# -- files ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_has_all_that_passes_the_filters(busy: Index, path: str, form: str) -> None:
    page = look(busy, f"{path}?who=ada")
    address = str(link(page, "CSV" if form == "csv" else "JSON Lines"))
    answer = look(busy, address)
    name = {"projects": "demo", "admin": "site", "account": "account"}[path.split("/")[1]]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="journal-{name}.{form}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if form == "csv":
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert answer.body.endswith(b"\r\n")
    else:
        assert answer.headers["Content-Type"] == "application/jsonl"
        rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {row["actor"] for row in rows} == {"ada"}
    steps = [row["action"] for row in rows if row["action"].startswith("step.")]
    assert steps == [f"step.{number}" for number in range(MANY - 1, 0, -2)]


def test_a_file_is_read_in_many_small_units_and_sent_in_pieces(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opener()
    index.account("root", administrator=True)
    monkeypatch.setattr("warehouse14.domain.services.journal._BATCH", 20)
    monkeypatch.setattr("warehouse14.web.views.journal._PIECE", 10)
    for number in range(100):
        append(index, f"step.{number}")
    units, opened = index.warehouse.units, []

    class Counted:
        def __getattr__(self, name: str) -> object:
            return getattr(units, name)

        def read(self) -> object:
            opened.append(1)
            return units.read()

    monkeypatch.setattr(index.warehouse.journal, "_units", Counted())
    pieces = index.warehouse.journal.of_site(operator()).all()
    next(pieces)
    assert len(opened) == 2
    list(pieces)
    assert len(opened) > 5
    answer = look(index, "/admin/@@journal?format=jsonl&who=ada")
    assert len(answer.text.splitlines()) == 100


def test_no_cell_of_a_file_is_a_formula(busy: Index) -> None:
    append(busy, "file.upload", actor="=1+1", origin="@SUM(A1)", project=DEMO, detail={"files": "-1"})
    rows = look(busy, "/projects/demo/@@journal?format=csv").text.splitlines()
    assert ",'=1+1,'@SUM(A1)," in rows[1]
    exact = json.loads(look(busy, "/projects/demo/@@journal?format=jsonl").text.splitlines()[0])
    assert (exact["actor"], exact["origin"], exact["detail"]) == ("=1+1", "@SUM(A1)", {"files": "-1"})


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("path", "by", "status"),
    [
        ("/projects/demo/@@journal", None, 303),
        ("/projects/demo/@@journal", "bob", 403),
        ("/projects/demo/@@journal", "eve", 404),
        ("/projects/demo/@@journal", "root", 404),
        ("/admin/@@journal", None, 303),
        ("/admin/@@journal", "ada", 403),
        ("/account/@@journal", None, 303),
    ],
)
def test_who_may_not_see_the_page_gets_no_file(
    busy: Index, path: str, by: str | None, status: int, form: str
) -> None:
    if by is not None:
        busy.cookie(by)
    assert busy.browse("GET", f"{path}?format={form}", by).status == status


@pytest.mark.parametrize("path", PAGES)
def test_no_token_opens_the_journal(busy: Index, path: str) -> None:
    for by in ("ada", "root"):
        assert busy.ask("GET", path, by).status == 404


def test_head_sends_no_file(busy: Index) -> None:
    answer = busy.browse("HEAD", "/projects/demo/@@journal?format=csv", "ada")
    assert (answer.status, answer.body) == (200, b"")


def test_a_former_admin_reads_no_further(busy: Index) -> None:
    projects = busy.warehouse.projects
    projects.grant(operator(), "demo", "account:bob", Role.ADMIN)
    look(busy, "/projects/demo/@@journal", "bob")
    projects.revoke(operator(), "demo", "account:bob")
    assert busy.browse("GET", "/projects/demo/@@journal", "bob").status == 404
