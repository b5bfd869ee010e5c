"""The pages of groups, roles of groups on the page of a project's people, and who may create projects."""

from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp
from webtest.forms import Select

from support.roles import grant_as_before
from warehouse14.domain.access import operator
from warehouse14.domain.model import Role
from warehouse14.domain.names import ProjectName
from warehouse14.testing.builders import build_wheel
from web.asking import Index
from web.test_pages import browser, form, row, sent

Opener = Callable[..., Index]


@pytest.fixture
def site(opener: Opener) -> Index:
    """The private project demo is Ada's; she is the admin of the group crew, and Bob is in it."""
    index = opener()
    index.project("demo")
    for name in ("bob", "eve"):
        index.account(name)
    index.account("root", administrator=True)
    index.warehouse.groups.create(operator(), "crew", admin="ada")
    index.warehouse.groups.add(operator(), "crew", "bob")
    return index


def crew(app: TestApp) -> Any:
    return app.get("/groups/crew/")


def press(page: Any, action: str, **fields: str) -> Any:
    """Send the form of a line of a table, the one with these hidden fields."""
    for one in page.forms.values():
        values = {name: one[name].value for name in one.fields if name}
        if (one.action or "").endswith(action) and fields.items() <= values.items():
            return one.submit(expect_errors=True)
    raise AssertionError(f"no form for {action} with {fields}")


def test_a_group_is_created_filled_and_deleted(site: Index) -> None:
    app = browser(site, "eve")
    page = app.get("/").click("Groups")
    assert "You are in no group of this site yet" in page
    page = sent(page, "@@new", name="Platform.Team")
    assert "The group platform.team is yours" in page
    assert row(page, "eve").startswith("eve you admin")
    page = sent(page, "@@members", 400, account="nobody")
    assert "There is no account" in page
    fresh = app.get("/groups/platform.team/")
    filled = [one for one in fresh.forms.values() if one.action.endswith("@@members")][-1]
    filled["account"], filled["rank"] = "Bob", "member"
    page = filled.submit().follow()
    assert "bob is now a member of platform.team." in page
    page = press(page, "@@members", account="bob", rank="admin").follow()
    assert row(page, "bob").startswith("bob admin")
    page = press(page, "@@remove", account="bob").follow()
    assert "bob is no longer in platform.team." in page
    assert "Type platform.team" in sent(page, "@@delete", 400, confirm="x")
    page = sent(app.get("/groups/platform.team/"), "@@delete", confirm="platform.team")
    assert "The group platform.team is deleted" in page
    assert "taken" in sent(page, "@@new", 409, name="platform.team")


def role_form(page: Any) -> Any:
    """Return the form in which a role is given: the one where one chooses to whom."""
    (found,) = [
        form for form in page.forms.values() if isinstance(form.fields.get("kind", [None])[0], Select)
    ]
    return found


def test_the_list_shows_ones_own_groups_and_administrators_all(site: Index) -> None:
    assert row(browser(site, "ada").get("/groups/"), "crew") == "crew 2 an admin"
    assert row(browser(site, "bob").get("/groups/"), "crew") == "crew 2 a member"
    assert row(browser(site, "root").get("/groups/"), "crew") == "crew 2 not in it"
    assert "crew" not in browser(site, "eve").get("/groups/").html.main.get_text()


@pytest.mark.parametrize("who", ["bob", "root"])
def test_who_does_not_manage_a_group_sees_it_without_its_forms(site: Index, who: str) -> None:
    page = crew(browser(site, who))
    assert row(page, "ada").startswith("ada admin")
    for word in ("@@members", "@@remove", "@@delete"):
        assert word not in page


def test_a_group_and_none_are_the_same_to_a_stranger(site: Index) -> None:
    said = []
    for name in ("crew", "absent", "corp/x", "a@b"):
        answer = site.browse("GET", f"/groups/{name}/", "eve")
        said.append(
            (answer.status, answer.text.rpartition("request <code>")[0].count("There is nothing here"))
        )
    assert said == [(404, 1)] * 4


def test_the_last_admin_of_a_group_stays(site: Index) -> None:
    page = crew(browser(site))
    assert "needs an admin" in press(page, "@@remove", account="ada")
    assert "needs an admin" in press(page, "@@members", account="ada", rank="member")


def test_who_leaves_a_group_is_led_back_to_the_list(site: Index) -> None:
    site.warehouse.groups.add(operator(), "crew", "bob", admin=True)
    assert press(crew(browser(site)), "@@remove", account="ada").follow().request.path == "/groups/"


def test_a_group_on_which_projects_hang_is_not_deleted(site: Index) -> None:
    site.warehouse.projects.grant(operator(), "demo", "group:crew", Role.ADMIN)
    site.warehouse.projects.revoke(operator(), "demo", "account:ada")
    page = sent(crew(browser(site)), "@@delete", 400, confirm="crew")
    assert "The group crew cannot be deleted: it is the last admin of demo." in page


def test_a_group_gets_a_role_and_loses_it(site: Index) -> None:
    app = browser(site)
    page = app.get("/projects/demo/@@people")
    filled = role_form(page)
    filled["kind"], filled["name"], filled["role"] = "group", "Crew", "member"
    page = filled.submit().follow()
    assert "The group crew is now a member." in page
    assert row(page, "crew").startswith("crew group member")
    assert "You are a member through the group crew." in browser(site, "bob").get("/projects/demo/@@people")
    page = press(page, "@@people", kind="group", name="crew").follow()
    assert row(page, "crew").startswith("crew group admin")
    assert browser(site, "bob").get("/projects/demo/@@settings").status_int == 200
    page = press(page, "@@revoke", principal="group:crew").follow()
    assert "The group crew has no role on demo now." in page
    assert browser(site, "bob").get("/projects/demo/", expect_errors=True).status_int == 404


def test_a_group_of_a_provider_gets_a_role_by_the_name_that_it_has_there(site: Index) -> None:
    app = browser(site)
    page = app.get("/projects/demo/@@people")
    filled = role_form(page)
    filled["kind"], filled["name"], filled["role"] = "group", "corp/Größe, <b>rot</b>", "member"
    page = filled.submit().follow()
    assert row(page, "Größe").startswith("corp/Größe, <b>rot</b> group member")
    assert "There is no group" in sent(page, "@@people", 400, kind="group", name="absent")


def test_a_group_of_a_provider_that_could_not_be_named_today_loses_its_role(site: Index) -> None:
    grant_as_before(site.warehouse.units, ProjectName("demo"), "group:corp/Team ")
    page = press(browser(site).get("/projects/demo/@@people"), "@@revoke", principal="group:corp/Team ")
    assert "group:corp/Team " not in site.warehouse.projects.get(operator(), "demo").grants
    assert "has no role on demo now." in page.follow()


def test_a_deleted_group_is_marked_among_the_people(site: Index) -> None:
    site.warehouse.projects.grant(operator(), "demo", "group:crew", Role.MEMBER)
    site.warehouse.groups.delete(operator(), "crew")
    assert "deleted" in row(browser(site).get("/projects/demo/@@people"), "crew")


def test_the_page_of_people_says_why_one_has_access(site: Index) -> None:
    assert "You are an admin." in browser(site).get("/projects/demo/@@people")
    site.warehouse.projects.set_public(operator(), "demo", public=True)
    page = browser(site, "eve").get("/projects/demo/@@people")
    assert page.html.find(id="why").get_text() == "You read it because it is public."


def test_administrators_are_told_of_a_project_that_nobody_can_administer(site: Index) -> None:
    site.warehouse.projects.set_public(operator(), "demo", public=True)
    assert "Nobody is left" not in browser(site, "root").get("/projects/demo/@@people")
    site.warehouse.accounts.set_disabled(operator(), "ada", disabled=True)
    assert "Nobody is left" in browser(site, "root").get("/projects/demo/@@people")
    assert "Nobody is left" not in browser(site, "eve").get("/projects/demo/@@people")


# -- tokens and the journal of a group -----------------------------------------------------


def test_an_admin_makes_rotates_and_revokes_service_tokens_of_a_group(site: Index) -> None:
    site.warehouse.projects.grant(operator(), "demo", "group:crew", Role.MEMBER)
    app = browser(site)
    page = sent(crew(app), "@@token", 200, name="build server", scope=["read"], days="30")
    first = page.html.select_one("[data-copy^=wh14_]")["data-copy"]
    assert "Back to the group" in page
    assert site.ask("GET", "/simple/demo/", token=first).status == 200
    page = page.click("Back to the group")
    assert "build server" in row(page, "build server")
    page = press(page, "@@token-rotate")
    second = page.html.select_one("[data-copy^=wh14_]")["data-copy"]
    page = press(page.click("Back to the group"), "@@token-revoke", token=second[5:15]).follow()
    assert "The token is revoked" in page
    assert site.ask("GET", "/simple/demo/", token=second).status == 401
    assert site.ask("GET", "/simple/demo/", token=first).status == 200
    page = sent(crew(app), "@@token", 400, name="", days="30")
    assert "Use 1 to 200 printable characters." in page


@pytest.mark.parametrize("deed", ["token-rotate", "token-revoke"])
def test_the_forms_of_a_group_are_for_its_own_tokens_alone(site: Index, deed: str) -> None:
    site.warehouse.groups.create(operator(), "other", admin="ada")
    own = site.mint("ada")
    others = [
        site.warehouse.tokens.mint(operator(), name="x", service=service).text
        for service in ("group:other", "project:demo")
    ]
    for text in (own, *others):
        page = site.browse("POST", f"/groups/crew/@@{deed}", form={"token": text[5:15]})
        assert page.status == 400
        assert site.ask("GET", "/simple/", token=text).status == 200


def test_who_does_not_manage_a_group_sees_neither_its_tokens_nor_its_journal(site: Index) -> None:
    site.warehouse.tokens.mint(operator(), name="robot", service="group:crew")
    assert "robot" in crew(browser(site))
    for who in ("bob", "root"):
        page = crew(browser(site, who))
        assert "robot" not in page
        assert "@@journal" not in page


def test_the_admins_of_a_group_read_its_journal_and_of_no_other(site: Index) -> None:
    site.warehouse.groups.create(operator(), "other", admin="ada")
    page = crew(browser(site)).click("Journal")
    said = [cell.get_text() for cell in page.html.select("td[data-label=What]")]
    assert said == [
        "operator made bob a member of the group crew",
        "operator created the group crew for ada",
    ]
    filtered = browser(site).get("/groups/crew/@@journal?what=group.create")
    assert [cell.get_text() for cell in filtered.html.select("td[data-label=What]")] == said[1:]
    answer = browser(site).get("/groups/crew/@@journal?format=jsonl")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="journal-crew.jsonl"'
    assert answer.text.count("\n") == 2
    assert site.browse("GET", "/groups/crew/@@journal?format=csv", "bob").status == 403
    assert site.browse("GET", "/groups/crew/@@journal?format=csv", "eve").status == 404


# -- settings ------------------------------------------------------------------------------


def test_where_creators_are_named_only_they_create_projects(opener: Opener) -> None:
    index = opener(creators="ada, group:crew, group:corp/Platform Team")
    for name in ("ada", "bob", "eve"):
        index.account(name)
    index.account("root", administrator=True)
    index.warehouse.groups.create(operator(), "crew", admin="bob")
    for who, may in (("ada", True), ("bob", True), ("eve", False), ("root", False)):
        app = browser(index, who)
        for path in ("/", "/projects/"):
            assert ("/projects/@@new" in app.get(path)) == may
        assert app.get("/projects/@@new", expect_errors=True).status_int == (200 if may else 403)
        answer = index.browse("POST", "/projects/@@new", who, {"name": f"of-{who}"})
        assert answer.status == (303 if may else 403)
        uploaded = index.upload(build_wheel(f"up-{who}", "1.0"), f"up-{who}", by=who)
        assert uploaded.status == (200 if may else 403)


def test_who_leaves_the_group_of_creators_creates_no_more(opener: Opener) -> None:
    index = opener(creators="group:crew")
    index.account("ada")
    index.warehouse.groups.create(operator(), "crew", admin="ada")
    assert index.upload(build_wheel("one", "1.0"), "one").status == 200
    index.warehouse.groups.remove(operator(), "crew", "ada")
    assert index.upload(build_wheel("two", "1.0"), "two").status == 403


def test_an_administrator_by_the_settings_is_one_everywhere(opener: Opener) -> None:
    index = opener(administrators="Ada bob")
    for name in ("ada", "bob", "eve"):
        index.account(name)
    warehouse = index.warehouse
    assert warehouse.account("ada").administrator
    assert warehouse.tokens.identify(index.token("ada")).administrator
    assert not warehouse.account("eve").administrator
    page = browser(index, "ada").get("/").click("Administration")
    assert row(page, "bob").startswith("bob administrator")
    assert row(page, "eve").startswith("eve account")
    page = sent(page, "/eve/@@disable")
    assert "eve is disabled." in page
    assert browser(index, "eve").get("/admin/", expect_errors=True).status_int in {303, 403}
    warehouse.accounts.set_disabled(warehouse.account("bob"), "ada", disabled=True)
    assert form(browser(index, "bob").get("/admin/"), "/ada/@@enable")


def test_a_stranger_at_a_public_project_is_told_of_accounts_and_of_no_groups_and_invitations(
    opener: Opener,
) -> None:
    index = opener()
    index.project("pub", public=True, member="bob")
    operator = index.warehouse.operator()
    index.account("eve")
    index.warehouse.groups.create(operator, "layoffs", admin="ada")
    for who in ("group:layoffs", "group:corp/board", "account:ceo@home.example"):
        index.warehouse.projects.grant(operator, "pub", who, Role.MEMBER)

    def told(who: str) -> set[str]:
        page = index.browse("GET", "/projects/pub/@@people", who).text
        return {
            word for word in ("layoffs", "corp/board", "ceo@home.example") if f"<bdi>{word}</bdi>" in page
        }

    assert told("ada") == {"layoffs", "corp/board", "ceo@home.example"}
    assert told("bob") == {"layoffs", "corp/board"}
    assert told("eve") == set()
    index.warehouse.groups.add(operator, "layoffs", "eve")
    assert told("eve") == {"layoffs", "corp/board"}
