"""An administrator of the site looks into a project, in the browser."""

import pytest
from webtest import TestApp

from web.asking import Index
from web.conftest import Opener

WHY = "<b>ada</b> left the company"


@pytest.fixture
def site(opener: Opener) -> Index:
    """Demo is Ada's alone; Root administers the site."""
    index = opener()
    index.project("demo")
    index.wheel("demo")
    index.account("root", administrator=True)
    return index


def signed_in(site: Index, name: str) -> TestApp:
    app = TestApp(site.app, extra_environ={"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "index.example"})
    app.set_cookie("warehouse14-session", site.cookie(name))
    return app


def look(app: TestApp, project: str = "demo", reason: str = WHY, status: int = 303) -> str:
    page = app.get("/admin/@@projects")
    form = next(form for form in page.forms.values() if form.action == "/admin/@@look")
    form["project"], form["reason"] = project, reason
    answer = form.submit(status=status)
    return (answer.follow() if status == 303 else answer).text


def test_an_administrator_finds_every_project_by_name_and_opens_none(site: Index) -> None:
    app = signed_in(site, "root")
    page = app.get("/admin/@@projects")
    assert ">demo<" in page
    assert not page.html.find_all("a", href="/projects/demo/")
    assert "No project has all of these words" in app.get("/admin/@@projects?q=nothing").text
    assert app.get("/projects/demo/", expect_errors=True).status_int == 404


def test_the_list_of_all_projects_links_those_that_its_reader_may_open(site: Index) -> None:
    site.project("pub", public=True)
    app = signed_in(site, "root")
    look(app)
    page = app.get("/admin/@@projects")
    for name in ("demo", "pub"):
        assert page.html.find_all("a", href=f"/projects/{name}/")


def test_a_look_opens_the_project_and_each_of_its_pages_says_so(site: Index) -> None:
    app = signed_in(site, "root")
    page = look(app)
    assert "You see and mend this project until" in page
    for target in ("", "@@people", "@@settings"):
        assert "You look into this project as an administrator" in app.get(f"/projects/demo/{target}").text
    assert "you look into it" in app.get("/admin/@@projects").text
    people = app.get("/projects/demo/@@people")
    form = next(form for form in people.forms.values() if form.action.endswith("/@@people"))
    form["name"], form["role"] = "root", "admin"
    form.submit(status=303)
    site.clock.pass_by(hours=1, seconds=1)
    assert "You look into" not in app.get("/projects/demo/").text


def test_a_look_ends_by_itself(site: Index) -> None:
    app = signed_in(site, "root")
    look(app)
    site.clock.pass_by(minutes=59)
    assert app.get("/projects/demo/").status_int == 200
    site.clock.pass_by(minutes=1)
    assert app.get("/projects/demo/", expect_errors=True).status_int == 404


def test_a_look_opens_nothing_to_clients(site: Index) -> None:
    app = signed_in(site, "root")
    look(app)
    token = site.token("root")
    for target in ("/simple/demo/", "/packages/demo/demo-1.0-py3-none-any.whl"):
        assert site.ask("GET", target, None, token=token).status == 404


@pytest.mark.parametrize(
    ("project", "reason", "said"),
    [
        ("demo", "", "Write why; the project&#39;s admins read it."),
        ("absent", WHY, "There is no project &#39;absent&#39;."),
        ("../demo", WHY, "is not a project name"),
        ("demo", "x" * 501, "Write one line of at most 500 characters"),
    ],
)
def test_a_look_that_cannot_be_is_refused_in_words_and_keeps_what_was_typed(
    site: Index, project: str, reason: str, said: str
) -> None:
    app = signed_in(site, "root")
    page = look(app, project, reason, status=400)
    assert said in page
    assert "<b>ada" not in page


def test_nobody_else_finds_the_page_or_the_form(site: Index) -> None:
    app = signed_in(site, "ada")
    assert app.get("/admin/@@projects", expect_errors=True).status_int == 403
    assert "/admin/" not in app.get("/projects/demo/").text
