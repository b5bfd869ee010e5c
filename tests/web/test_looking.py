"""An administrator of the site looks into a project or a group, in the browser."""

import pytest
from webtest import TestApp, TestResponse

from warehouse14.domain.model import Role
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


def test_administrators_alone_are_told_that_nobody_is_left_to_administer_a_project(site: Index) -> None:
    app, said = signed_in(site, "root"), "Nobody is left who could administer this project"
    site.account("bob")
    site.warehouse.projects.grant(site.warehouse.operator(), "demo", "account:bob", Role.MEMBER)
    assert "has no admin who may act" not in app.get("/admin/@@projects").text
    look(app)
    assert said not in app.get("/projects/demo/@@people").text
    site.warehouse.accounts.set_disabled(site.warehouse.operator(), "ada", disabled=True)
    assert "has no admin who may act" in app.get("/admin/@@projects").text
    assert said in app.get("/projects/demo/@@people").text
    assert said not in signed_in(site, "bob").get("/projects/demo/@@people").text


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


# -- groups ---------------------------------------------------------------------------------


@pytest.fixture
def crewed(site: Index) -> Index:
    """The same site with the group crew, of which Ada is the admin."""
    site.warehouse.groups.create(site.warehouse.operator(), "crew", admin="ada")
    return site


def look_at_group(app: TestApp, reason: str = WHY, status: int = 303) -> TestResponse:
    form = next(form for form in app.get("/groups/crew/").forms.values() if form.action.endswith("/@@look"))
    form["reason"] = reason
    answer = form.submit(status=status)
    return answer.follow() if status == 303 else answer


def test_a_look_opens_the_forms_of_a_group_for_an_hour_in_that_browser_alone(crewed: Index) -> None:
    app = signed_in(crewed, "root")
    assert "@@members" not in app.get("/groups/crew/")
    page = look_at_group(app)
    assert "You mend this group until" in page
    for target in ("", "@@journal"):
        page = app.get(f"/groups/crew/{target}")
        assert "You look into this group as an administrator" in page
        assert "@@look" not in page
    assert "you look into it" in app.get("/groups/")
    page = app.get("/groups/crew/")
    form = next(form for form in page.forms.values() if "rank" in form.fields and form["account"].value == "")
    form["account"], form["rank"] = "root", "member"
    form.submit(status=303)
    crewed.clock.pass_by(hours=1)
    page = app.get("/groups/crew/")
    assert "You look into" not in page
    assert "@@members" not in page
    assert app.get("/groups/crew/@@journal", expect_errors=True).status_int == 403


def test_a_look_into_a_group_opens_no_project_and_the_admins_of_the_group_read_of_it(crewed: Index) -> None:
    look_at_group(signed_in(crewed, "root"))
    assert signed_in(crewed, "root").get("/projects/demo/", expect_errors=True).status_int == 404
    page = signed_in(crewed, "ada").get("/groups/crew/@@journal")
    assert f"root looked into the group crew as an administrator of the site: {WHY}" in page.html.get_text()
    assert "<b>ada" not in page


def test_a_look_into_a_group_without_a_reason_is_refused_in_words(crewed: Index) -> None:
    app = signed_in(crewed, "root")
    assert "Write why; the group&#39;s admins read it." in look_at_group(app, "", 400)
    page = look_at_group(app, "x" * 501, 400)
    assert "Write one line of at most 500 characters" in page
    assert "x" * 501 in page
    assert "@@members" not in page


def test_who_is_no_administrator_finds_no_form_to_look(crewed: Index) -> None:
    crewed.account("bob")
    crewed.warehouse.groups.add(crewed.warehouse.operator(), "crew", "bob")
    for who in ("ada", "bob"):
        assert "@@look" not in signed_in(crewed, who).get("/groups/crew/")
        assert crewed.browse("POST", "/groups/crew/@@look", who, {"reason": WHY}).status == 403


def test_whoever_only_looks_is_told_on_the_page_that_they_make_no_service_token(site: Index) -> None:
    app = signed_in(site, "root")
    look(app)
    page = app.get("/projects/demo/@@people")
    form = next(form for form in page.forms.values() if form.action.endswith("/@@token"))
    form["name"] = "build server"
    assert "they would outlive the look" in form.submit(status=403)
