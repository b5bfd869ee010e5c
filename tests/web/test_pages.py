"""What the pages show and what their forms do, as WebTest plays a browser without scripts."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp
from webtest.forms import Select

from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Role
from warehouse14.settings import read_site, section_of, shown_settings
from warehouse14.testing.builders import build_sdist, build_wheel
from warehouse14.web import readme
from warehouse14.web.html import LARGEST_FORM, words
from web.asking import PASSWORD, Index

Opener = Callable[..., Index]


@pytest.fixture
def site(opener: Opener) -> Index:
    """The private project demo is Ada's, with Bob as a member; Root administers the site."""
    index = opener()
    index.project("demo", member="bob")
    for version in ("0.9", "1.0", "2.0rc1"):
        index.wheel("demo", version, requires_python=">=3.9", summary=f"Summary of {version}")
    index.sdist("demo", "1.0", metadata_version="2.1")
    index.account("eve")
    index.account("root", administrator=True)
    return index


def browser(site: Index, name: str = "ada") -> TestApp:
    app = TestApp(site.app, extra_environ={"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "index.example"})
    app.set_cookie("warehouse14-session", site.cookie(name))
    return app


def form(answer: Any, action: str) -> Any:
    """Return the form of a page that is sent to ``action``; "" for the page's own address."""
    found = [form for form in answer.forms.values() if (form.action or "").endswith(action)]
    assert found, f"no form for {action} in {[form.action for form in answer.forms.values()]}"
    return found[-1] if action == "" else found[0]


def sent(answer: Any, action: str, status: int = 303, **fields: str | list[str]) -> Any:
    """Fill in a form and send it; return the page that follows."""
    filled = form(answer, action)
    for name, value in fields.items():
        if isinstance(value, list):
            for box in filled.fields[name]:
                box.checked = box._value in value
        else:
            filled[name] = value
    result = filled.submit(expect_errors=True)
    assert result.status_int == status, result.text
    return result.follow() if status == 303 else result


def row(answer: Any, text: str) -> str:
    """Return the text of the one table row that has ``text`` in it."""
    (found,) = [line for line in answer.html.find_all("tr") if text in line.get_text()]
    return " ".join(found.get_text().split())


# -- home and list ----------------------------------------------------------------------------


def test_an_empty_site_shows_the_first_three_steps(opener: Opener) -> None:
    page = browser(opener()).get("/")
    assert [head.get_text() for head in page.html.find_all("h2")] == ["Make a token", "Publish", "Install"]
    assert "http://index.example/legacy/" in page


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"create_on_upload": "true"}, "The first upload of a new name creates its project, for you alone;"),
        ({"create_on_upload": "false"}, "Create the project first: here no upload does."),
        ({"create_on_upload": "true", "creators": "somebody"}, "Ask whoever creates projects here for one,"),
    ],
)
def test_the_first_steps_say_who_makes_a_project_on_this_site(
    opener: Opener, settings: dict[str, str], says: str
) -> None:
    steps = browser(opener(**settings)).get("/").html.find("ol")
    assert says in " ".join(steps.get_text().split())


def test_the_home_page_shows_what_is_new_among_what_one_may_see(site: Index) -> None:
    for day, (name, public) in enumerate((("older", True), ("newer", True), ("covert", False))):
        site.clock.pass_by(days=day + 1)
        site.project(name, admin="root", public=public)
        site.wheel(name, summary=f"About {name}")
    page = browser(site).get("/")
    assert [card.get_text() for card in page.html.select(".card h3 a")] == ["newer", "older", "demo"]
    assert "covert" not in page
    assert "About newer" in page
    assert "Summary of 1.0" in page


def test_the_list_is_sorted_searched_and_paged(site: Index) -> None:
    for number in range(30):
        site.project(f"tool-{number:02}", public=True)
    app = browser(site)

    def names(target: str) -> list[str]:
        return [card.get_text() for card in app.get(target).html.select(".card h3 a")]

    everything = ["demo", *(f"tool-{number:02}" for number in range(30))]
    assert names("/projects/") == everything[:25]
    assert names("/projects/?page=2") == everything[25:]
    assert names("/projects/?page=3") == []
    assert names("/projects/?q=SUMMARY+dem") == ["demo"]
    assert names("/projects/?q=Tool_07") == ["tool-07"]
    assert names("/projects/?q=tool-07") == ["tool-07"]
    assert names("/projects/?sort=newest")[0] == "demo"
    following = app.get("/projects/?q=tool").click("2", href="page=2")
    assert following.request.GET["q"] == "tool"


def test_nothing_found_and_nothing_there_say_what_to_do(site: Index) -> None:
    assert "ask an admin of the project" in browser(site).get("/projects/?q=nothing")
    assert "There is no project that you may see yet" in browser(site, "eve").get("/projects/")
    assert "demo" not in browser(site, "eve").get("/projects/?q=demo").html.find("main").get_text()[:20]


# -- a project and its releases -----------------------------------------------------------------


def test_a_project_shows_its_latest_release(site: Index) -> None:
    """Behaviours 82"""
    page = browser(site, "bob").get("/projects/demo/")
    assert " ".join(page.html.h1.get_text().split()) == "demo 1.0"
    assert "Summary of 1.0" in page
    versions = [" ".join(line.get_text().split()) for line in page.html.select(".versions li")]
    assert [line.split()[0] for line in versions] == ["2.0rc1", "1.0", "0.9"]
    assert "pre-release" in versions[0]
    assert "latest" in versions[1]
    assert "Python 3" in row(page, "demo-1.0-py3-none-any.whl")
    assert "Source" in row(page, "demo-1.0.tar.gz")
    assert "pip install --index-url http://index.example/simple/ demo" in page
    assert "The description of demo." in page


def test_a_member_is_offered_nothing_that_only_admins_may(site: Index) -> None:
    app = browser(site, "bob")
    for target in ("/projects/demo/", "/projects/demo/1.0/", "/projects/demo/@@people"):
        page = app.get(target)
        for word in ("@@yank", "@@delete", "@@settings", "@@revoke", "Make an admin"):
            assert word not in page


def test_the_page_of_a_release_pins_it_and_names_the_latest(site: Index) -> None:
    page = browser(site).get("/projects/demo/0.9/")
    assert "demo==0.9" in page
    assert "This is not the latest release" in page
    assert "demo==1.0" in browser(site).get("/projects/demo/1.0/")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("/projects/Demo/", "/projects/demo/"),
        ("/projects/demo", "/projects/demo/"),
        ("/projects", "/projects/"),
        ("/projects/demo/1.0.0/", "/projects/demo/1.0/"),
        ("/projects/demo/1.0", "/projects/demo/1.0/"),
        ("/account", "/account/"),
    ],
)
def test_every_page_has_one_address(site: Index, given: str, right: str) -> None:
    answer = browser(site).get(f"{given}?page=2")
    assert (answer.status_int, answer.location) == (301, f"http://index.example{right}?page=2")


def test_a_file_is_sent_to_be_kept(site: Index) -> None:
    answer = browser(site, "bob").get("/projects/demo/1.0/demo-1.0-py3-none-any.whl")
    assert (
        answer.body == build_wheel("demo", "1.0", requires_python=">=3.9", summary="Summary of 1.0").content
    )
    assert answer.headers["Content-Disposition"] == 'attachment; filename="demo-1.0-py3-none-any.whl"'
    assert browser(site).get("/projects/demo/0.9/demo-1.0.tar.gz", expect_errors=True).status_int == 404


def helps(site: Index, largest: int | None = None) -> list[str]:
    """Return the text of every page that says how to publish, at a platform with this limit for a form."""
    ada, eve = browser(site), browser(site, "eve")
    for app in (ada, eve):
        app.extra_environ |= {} if largest is None else {LARGEST_FORM: largest}
    token = sent(ada.get("/account/"), "@@token", 200, name="laptop", scope=["upload"], days="30")
    pages = [eve.get("/"), ada.get("/projects/fresh/"), token]
    return [" ".join(page.html.find("main").get_text(" ").split()) for page in pages]


def test_large_files_are_spoken_of_where_the_store_takes_them(
    site: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.project("fresh")
    home, project, token = helps(site)
    for page in (home, project):
        assert "Large files go straight to the store" in page
        assert "WAREHOUSE14_TOKEN=$TOKEN warehouse14 upload --url http://index.example dist/*" in page
    assert "warehouse14 upload, for large files" in token
    assert "export WAREHOUSE14_URL=http://index.example WAREHOUSE14_TOKEN=wh14_" in token
    monkeypatch.setattr(site.warehouse.direct, "_beginnings", None)
    for page in helps(site):
        assert "TWINE_" in page
        assert "warehouse14 upload" not in page


@pytest.mark.parametrize(("largest", "shown"), [(4_500_000, "4.5 MB"), (700_000, "700 kB")])
def test_where_the_platform_takes_no_large_form_the_pages_say_from_which_size_on(
    site: Index, largest: int, shown: str
) -> None:
    site.project("fresh")
    home, project, token = helps(site, largest)
    for page in (home, project):
        assert f"Files over {shown} fit into no request of twine and uv here. They go straight" in page
    assert f"warehouse14 upload, for files over {shown}" in token


def test_an_empty_project_tells_its_admin_how_to_publish_and_others_that_it_is_empty(site: Index) -> None:
    """Behaviours 83"""
    site.project("fresh", member="bob")
    page = browser(site).get("/projects/fresh/")
    assert "twine upload" in page
    assert "warehouse14 upload --url http://index.example dist/*" in page
    assert "No file has been published yet" in browser(site, "bob").get("/projects/fresh/")
    assert "This project has no version yet." in browser(site).get("/projects/fresh/@@versions")


def test_many_files_are_paged(site: Index) -> None:
    site.project("many", public=True)
    for number in range(60):
        site.wheel("many", tag=f"cp3{number}-none-any")
    app = browser(site)
    first, second = app.get("/projects/many/"), app.get("/projects/many/?page=2")
    assert [len(page.html.select("table.files tbody tr")) for page in (first, second)] == [50, 10]
    assert "60 files" in first
    assert app.get("/projects/many/?page=99").html.select("table.files") == second.html.select("table.files")


def test_many_versions_have_a_page_of_their_own(site: Index) -> None:
    site.project("often", public=True)
    for number in range(120):
        site.wheel("often", f"1.{number}")
    app = browser(site)
    page = app.get("/projects/often/")
    assert len(page.html.select(".versions li")) == 20
    first = page.click("All 120 versions")
    second = first.click("2", href="page=2")
    found = [line.get_text() for each in (first, second) for line in each.html.select(".versions li a")]
    assert found == [f"1.{number}" for number in reversed(range(120))]
    assert app.get("/projects/often/@@versions?page=3").html.main == second.html.main


def test_dependencies_are_linked_where_they_are_here_and_may_be_seen(site: Index) -> None:
    site.project("hidden", admin="root")
    site.wheel("hidden")
    site.wheel("demo", "3.0", requires_dist=["Demo>=1", "hidden", "elsewhere; extra == 'x'"])
    page = browser(site).get("/projects/demo/")
    links = {link.get_text(): link["href"] for link in page.html.select("[aria-labelledby=dependencies] a")}
    assert links == {"Demo": "/projects/demo/"}


def test_what_a_sdist_says_is_shown_though_it_is_not_offered_to_installers(site: Index) -> None:
    site.project("old", public=True)
    site.sdist("old", metadata_version="2.1", summary="An old one")
    page = browser(site).get("/projects/old/")
    assert "An old one" in page
    assert "The description of old." in page


# -- what owners do ---------------------------------------------------------------------------------


def test_a_new_project_is_its_makers_alone(site: Index) -> None:
    """Behaviours 69"""
    app = browser(site, "eve")
    page = sent(app.get("/projects/@@new"), "@@new", name="My.Lib", access="private")
    assert page.request.path == "/projects/my-lib/"
    assert "The project My.Lib is yours." in page
    assert browser(site).get("/projects/my-lib/", expect_errors=True).status_int == 404


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("de_mo!", 400, "is not a project name"),
        ("Demo", 409, "is taken"),
        ("namespaces", 400, "reserved"),
        ("", 400, "is not a project name"),
    ],
)
def test_a_name_that_cannot_be_had_is_explained_and_kept_in_the_form(
    site: Index, name: str, status: int, says: str
) -> None:
    """Behaviours 75"""
    app = browser(site, "eve")
    page = sent(app.get("/projects/@@new"), "@@new", status, name=name, access="public")
    assert says in page
    assert form(page, "@@new")["name"].value == name
    assert form(page, "@@new")["access"].value == "public"


def test_roles_are_given_changed_and_taken(site: Index) -> None:
    """Behaviours 70 to 73, 85"""
    app = browser(site)
    page = sent(app.get("/projects/demo/@@people"), "@@people", 400, name="nobody")
    assert "There is no account" in page
    page = app.get("/projects/demo/@@people")
    filled = next(one for one in page.forms.values() if isinstance(one.fields.get("role", [None])[0], Select))
    filled["name"], filled["role"] = "Eve", "member"
    page = filled.submit().follow()
    assert "eve is now a member." in page
    assert row(page, "eve").startswith("eve member")
    assert browser(site, "eve").get("/projects/demo/").status_int == 200
    make = next(one for one in page.forms.values() if one.fields.get("name") and one["name"].value == "eve")
    page = make.submit().follow()
    assert row(page, "eve").startswith("eve admin")
    take = next(
        one
        for one in page.forms.values()
        if one.fields.get("principal") and one["principal"].value == "account:eve"
    )
    assert "eve has no role on demo now." in take.submit().follow()
    assert browser(site, "eve").get("/projects/demo/", expect_errors=True).status_int == 404


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("days: write a number.", "Write a number."),
        ("ada is disabled.", "ada is disabled."),
        ("ada: nobody.", "ada: nobody."),
    ],
)
def test_a_refusal_begins_with_a_capital_where_its_field_was_cut_away_alone(message: str, shown: str) -> None:
    assert words(Rejected(message, field="days")) == shown


def test_an_address_that_never_signed_in_is_invited_and_the_invitation_taken_back(opener: Opener) -> None:
    index = opener()
    index.project("demo")
    app = browser(index)
    page = app.get("/projects/demo/@@people")
    filled = next(one for one in page.forms.values() if isinstance(one.fields.get("role", [None])[0], Select))
    filled["name"], filled["role"] = "New@Example.org", "member"
    page = filled.submit().follow()
    assert "new@example.org is invited, and becomes a member at the first sign-in with that address." in page
    assert row(page, "new@example.org").startswith("new@example.org invited member")
    make = next(
        one
        for one in page.forms.values()
        if one.fields.get("name") and one["name"].value == "new@example.org"
    )
    page = make.submit().follow()
    assert "becomes an admin at the first sign-in" in page
    take = next(
        one
        for one in page.forms.values()
        if one.fields.get("principal") and one["principal"].value == "invitation:new@example.org"
    )
    assert "new@example.org has no role on demo now." in take.submit().follow()


def test_the_last_admin_stays(site: Index) -> None:
    """Behaviours 71"""
    app = browser(site)
    page = app.get("/projects/demo/@@people")
    assert "last admin" in sent(page, "@@revoke", 400)
    assert "ada" in site.warehouse.projects.get(site.warehouse.operator(), "demo").admins.__repr__()


def test_who_gives_up_a_role_is_led_back_to_the_list(site: Index) -> None:
    site.warehouse.projects.grant(site.warehouse.operator(), "demo", "account:eve", Role.ADMIN)
    page = browser(site, "eve").get("/projects/demo/@@people")
    take = next(
        one
        for one in page.forms.values()
        if one.fields.get("principal") and one["principal"].value == "account:eve"
    )
    assert take.submit().follow().request.path == "/projects/"


def test_a_project_is_opened_and_closed(site: Index) -> None:
    """Behaviours 74"""
    app = browser(site)
    assert "demo is public now." in sent(app.get("/projects/demo/@@settings"), "@@settings", access="public")
    assert browser(site, "eve").get("/projects/demo/").status_int == 200
    sent(app.get("/projects/demo/@@settings"), "@@settings", access="private")
    assert browser(site, "eve").get("/projects/demo/", expect_errors=True).status_int == 404


def test_a_project_is_deleted_only_with_its_name_typed(site: Index) -> None:
    app = browser(site)
    page = sent(app.get("/projects/demo/@@settings"), "@@delete", 400, confirm="yes")
    assert "Type demo to delete it." in page
    page = sent(page, "@@delete", confirm="demo")
    assert page.request.path == "/projects/"
    assert app.get("/projects/demo/", expect_errors=True).status_int == 404


@pytest.mark.parametrize("target", ["1.0/", "1.0/demo-1.0-py3-none-any.whl/"])
def test_a_yank_carries_its_reason_and_is_taken_back(site: Index, target: str) -> None:
    app = browser(site)
    page = sent(app.get(f"/projects/demo/{target}@@yank"), "", reason="Reads the wrong column")
    assert page.request.path == "/projects/demo/1.0/"
    assert "Reads the wrong column" in row(page, "demo-1.0-py3-none-any.whl")
    assert "Reads the wrong column" in site.get("/simple/demo/").text
    page = sent(app.get(f"/projects/demo/{target}@@unyank"), "")
    assert "yanked" not in row(page, "demo-1.0-py3-none-any.whl")


def test_a_yanked_release_is_not_the_one_that_is_shown(site: Index) -> None:
    app = browser(site)
    sent(app.get("/projects/demo/1.0/@@yank"), "")
    assert " ".join(app.get("/projects/demo/").html.h1.get_text().split()) == "demo 0.9"
    for version in ("2.0rc1", "0.9"):
        sent(app.get(f"/projects/demo/{version}/@@yank"), "")
    page = app.get("/projects/demo/")
    assert "Every release is yanked" in page
    assert "demo==2.0rc1" in page


def test_a_file_and_a_release_are_deleted_only_with_their_name_typed(site: Index) -> None:
    app = browser(site)
    wheel = "/projects/demo/1.0/demo-1.0-py3-none-any.whl/@@delete"
    page = sent(app.get(wheel), "", 400, confirm="demo")
    assert "Type demo-1.0-py3-none-any.whl to delete it." in page
    page = sent(app.get(wheel), "", confirm="demo-1.0-py3-none-any.whl")
    assert page.request.path == "/projects/demo/1.0/"
    page = sent(app.get("/projects/demo/1.0/@@delete"), "", confirm="1.0")
    assert page.request.path == "/projects/demo/"
    assert app.get("/projects/demo/1.0/", expect_errors=True).status_int == 404


# -- the account ---------------------------------------------------------------------------------------


def test_a_token_is_shown_once_with_lines_for_every_client(site: Index) -> None:
    """Behaviours 55, 84"""
    app = browser(site)
    page = sent(app.get("/account/"), "@@token", 200, name="laptop", scope=["upload"], days="30")
    text = page.html.select_one(".copied code").get_text()
    assert text.startswith("wh14_")
    for word in (".netrc", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "poetry", "PDM_", "TWINE_PASSWORD"):
        assert word in page
    assert page.headers["Cache-Control"] == "no-store"
    after = app.get("/account/")
    assert text not in after
    assert "laptop" in after
    assert site.ask("GET", "/simple/demo/", token=text).status == 200
    sent(after, "@@revoke")
    assert site.ask("GET", "/simple/demo/", token=text).status == 401


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"name": ""}, "1 to 200"), ({"name": "x", "project": "nothing"}, "There is no project")],
)
def test_a_token_that_cannot_be_made_is_explained(site: Index, fields: dict[str, str], says: str) -> None:
    assert says in sent(browser(site).get("/account/"), "@@token", 400, **fields)


def test_a_token_for_a_project_that_one_may_not_see_says_what_an_absent_one_says(site: Index) -> None:
    said = []
    for name in ("demo", "nodemo"):
        page = sent(browser(site, "eve").get("/account/"), "@@token", 400, name="x", project=name)
        said.append(page.html.select_one("[role=alert]").get_text().replace(name, "NAME"))
    assert said[0] == said[1]


def test_nobody_revokes_the_token_or_ends_the_session_of_another(site: Index) -> None:
    """Behaviours 56"""
    site.mint("ada")
    (token,) = site.warehouse.tokens.listed(site.warehouse.operator(), "ada")
    session = site.warehouse.sessions.identify(site.cookie("ada"))
    assert session is not None
    for target in (f"/account/tokens/{token.id}/@@revoke", f"/account/sessions/{session.session.id}/@@end"):
        assert site.browse("POST", target, "eve", {}).status == 404
    assert site.browse("GET", "/account/", "ada").status == 200


def test_other_browsers_are_signed_out_one_by_one_and_all_at_once(site: Index) -> None:
    app = browser(site)
    others = [site.warehouse.sessions.sign_in("ada", PASSWORD, origin="192.0.2.8") for _ in range(3)]
    page = sent(app.get("/account/"), f"{others[0].session.id}/@@end")
    assert "That browser is signed out." in page
    assert site.warehouse.sessions.identify(others[0].secret) is None
    sent(page, "@@sessions")
    assert [site.warehouse.sessions.identify(other.secret) for other in others] == [None] * 3
    assert app.get("/account/").status_int == 200


# -- administration --------------------------------------------------------------------------------------


def test_an_account_is_added_with_a_first_password_that_is_shown_once(site: Index) -> None:
    app = browser(site, "root")
    page = sent(app.get("/admin/"), "@@accounts", 200, name="Carl")
    password = page.html.select_one(".copied code").get_text()
    assert password not in app.get("/admin/")
    assert "first password not replaced yet" in row(app.get("/admin/"), "carl")
    signed_in = site.warehouse.sessions.sign_in("carl", password, origin="192.0.2.9")
    assert signed_in.account.password_once
    assert "is taken" in sent(app.get("/admin/"), "@@accounts", 409, name="carl")


def test_among_the_people_of_a_project_who_is_disabled_is_marked(site: Index) -> None:
    app = browser(site)
    assert "disabled" not in app.get("/projects/demo/@@people").html.table.get_text()
    site.warehouse.accounts.set_disabled(site.warehouse.operator(), "bob", disabled=True)
    page = app.get("/projects/demo/@@people")
    assert "disabled" in row(page, "bob")
    assert "disabled" not in row(page, "ada")


def test_an_account_is_disabled_enabled_and_given_a_new_password(site: Index) -> None:
    app, bob = browser(site, "root"), browser(site, "bob")
    assert "bob is disabled." in sent(app.get("/admin/"), "bob/@@disable")
    assert "disabled" in row(app.get("/admin/"), "bob")
    assert bob.get("/").status_int == 303
    assert "bob is enabled." in sent(app.get("/admin/"), "bob/@@enable")
    assert "active" in row(app.get("/admin/"), "bob")
    page = sent(app.get("/admin/"), "bob/@@reset", 200)
    password = page.html.select_one(".copied code").get_text()
    assert site.warehouse.sessions.sign_in("bob", password, origin="192.0.2.9").account.name == "bob"


def test_an_administrator_does_not_lock_themselves_out(site: Index) -> None:
    for deed in ("disable", "reset"):
        assert site.browse("POST", f"/admin/accounts/root/@@{deed}", "root", {}).status == 400
    assert site.browse("GET", "/admin/", "root").status == 200


def test_sizes_and_settings_are_shown_without_secrets(opener: Opener) -> None:
    site = opener(image_hosts="img.shields.io")
    site.account("root", administrator=True)
    page = browser(site, "root").get("/admin/@@settings")
    assert "Projects" in page
    assert "Accounts" in page
    shown = {line.th.get_text(): line.td.get_text() for line in page.html.table.select("tbody tr")}
    assert shown["warehouse14.image_hosts"] == "img.shields.io"
    assert shown["warehouse14.create_on_upload"] == "true"
    assert shown["warehouse14.session_hours"] == "12 (default)"
    assert shown["warehouse14.style_page"] == "false (default)"
    assert shown["warehouse14.tmp"] == "not set (default)"


def test_of_a_setting_that_holds_a_secret_only_the_rest_is_shown() -> None:
    given = {
        "warehouse14.metadata": "sql",
        "warehouse14.metadata.url": "postgresql://ada:swordfish@db.example/index",
        "warehouse14.files.secret_key": "swordfish",
    }
    environment = {"WAREHOUSE14_FILES_TOKEN": "swordfish"}
    shown = shown_settings(read_site(section_of({}, {})), given, environment)
    assert "swordfish" not in str(shown)
    assert shown["warehouse14.metadata.url"] == "postgresql://ada:(hidden)@db.example/index"
    assert shown["warehouse14.files.secret_key"] == shown["warehouse14.files.token"] == "(hidden)"


# -- what strangers wrote ------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></code>{{7*7}}${x}\N{RIGHT-TO-LEFT OVERRIDE}"
)


def test_nothing_that_somebody_wrote_becomes_markup(site: Index) -> None:
    """Behaviours 87"""
    site.wheel("demo", "3.0", summary=HOSTILE)
    warehouse = site.warehouse
    warehouse.files.yank(warehouse.operator(), "demo", "demo-3.0-py3-none-any.whl", reason=HOSTILE)
    warehouse.tokens.mint(warehouse.account("ada"), name=HOSTILE.replace("\N{RIGHT-TO-LEFT OVERRIDE}", ""))
    warehouse.sessions.sign_in("ada", PASSWORD, origin="192.0.2.8", agent=HOSTILE) if site.cookie(
        "ada"
    ) else None
    app = browser(site)
    for target in (
        "/",
        "/projects/",
        f"/projects/?q={'%3Cscript%3E'}",
        "/projects/demo/3.0/",
        "/account/",
        "/login?next=%22%3E%3Cscript%3E",
    ):
        page = app.get(target, expect_errors=True)
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert all(not name.startswith("on") for tag in page.html.find_all(True) for name in tag.attrs)


WEB = Path(readme.__file__).parent
#: A picture in a description comes from a host that the site trusts, and the style page knows none; a page
#: has one heading of the first rank, and that of this page has nothing before it.
NOT_ON_THE_STYLE_PAGE = {".readme img", "p.small + h1"}


def selectors() -> set[str]:
    """Return the selectors of the style sheet that name a class, each without states such as ``:hover``."""
    rules = re.sub(r"/\*.*?\*/", "", (WEB / "static/site.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    listed = ",".join(re.findall(r"([^{};]+)\{[^{}]*\}", rules))
    plain = re.sub(r"::?(hover|focus-visible|focus|before)\b", "", listed)
    found = {selector.strip() for selector in re.split(r",(?![^(]*\))", plain)}
    return {selector for selector in found if re.search(r"\.[a-z]", selector)}


def classes() -> set[str]:
    """Return the classes that stand in templates."""
    texts = (path.read_text(encoding="utf-8") for path in (WEB / "templates").glob("*.jinja2"))
    attributes = (words for text in texts for words in re.findall(r'class="([^"]*)"', text))
    return {name for words in attributes for name in re.sub(r"{{.*?}}", "", words).split()}


def test_the_style_page_shows_every_component_to_those_who_develop(opener: Opener) -> None:
    page = browser(opener(style_page="true")).get("/style").html
    assert {selector for selector in selectors() if not page.select(selector)} == NOT_ON_THE_STYLE_PAGE
    assert {name for name in classes() if not page.select(f".{name}")} == set()
    assert len(selectors()) > 100
    assert len(classes()) > 40


def test_only_those_who_develop_see_the_style_page(opener: Opener) -> None:
    assert browser(opener()).get("/style", expect_errors=True).status_int == 404


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("Ada <ada+index@example.com>", "mailto:ada%2Bindex@example.com"),
        ('Ada <"a@b"@example.com>', "mailto:%22a%40b%22@example.com"),
        (
            "Eve <x@y.z?bcc=eve@evil.example&x=\"'%0d>",
            "mailto:x%40y.z%3Fbcc%3Deve@evil.example%26x%3D%22%27%250d",
        ),
    ],
)
def test_a_link_to_a_person_has_the_one_at_of_its_address_and_all_else_quoted(
    site: Index, address: str, link: str
) -> None:
    """RFC 6068, section 2"""
    site.wheel("demo", "6.0", summary=f"In short.\nAuthor-email: {address}")
    people = browser(site).get("/projects/demo/6.0/").html.select("[aria-labelledby=people] a")
    assert [person["href"] for person in people] == [link]


@pytest.mark.parametrize(
    ("sender", "next_page"),
    [
        ("https://index.example/projects/@@new", "?next=%2Fprojects%2F"),
        ("https://index.example/projects/?q=a&page=2", "?next=%2Fprojects%2F%3Fq%3Da%26page%3D2"),
        ("https://index.example.evil.example/projects/", ""),
        ("https://evil.example/", ""),
        ("", ""),
    ],
)
def test_whose_form_came_too_late_is_led_back_after_the_sign_in(
    site: Index, sender: str, next_page: str
) -> None:
    app = TestApp(site.app, extra_environ={"HTTP_HOST": "index.example", "wsgi.url_scheme": "https"})
    headers = {"Referer": sender} if sender else {}
    page = app.post("/projects/@@new", {"name": "late"}, headers=headers, status=401)
    assert [link["href"] for link in page.html.select("article a")] == [f"/login{next_page}"]


def test_of_other_errors_the_sign_in_is_told_no_way_back(site: Index) -> None:
    app = TestApp(site.app, extra_environ={"HTTP_HOST": "index.example"})
    page = app.get("/static/none/", headers={"Referer": "http://index.example/projects/"}, status=404)
    assert [link["href"] for link in page.html.select("article a")] == ["/login"]


def test_an_error_page_says_what_happened_and_a_request_id_that_stands_in_the_log(
    site: Index, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        page = browser(site).get("/projects/nothing/", expect_errors=True)
    said = page.html.select("article code")[-1].get_text()
    assert f"404 to GET '/projects/nothing/' [request {said}]" in caplog.text


def test_a_store_that_does_not_answer_is_503_with_a_page(site: Index) -> None:
    app = browser(site)
    app.get("/projects/demo/")
    units: Any = site.warehouse.units
    units.fail_with(OSError("no route"))
    try:
        for target in ("/", "/projects/demo/", "/account/", "/login"):
            answer = app.get(target, expect_errors=True)
            assert (answer.status_int, answer.content_type) == (503, "text/html")
            assert int(answer.headers["Retry-After"]) > 0
    finally:
        units.fail_with(None)
    assert app.get("/projects/demo/").status_int == 200


def test_sdists_built_with_and_without_dynamic_fields_show_their_description(site: Index) -> None:
    site.publish(build_sdist("demo", "4.0", dynamic=["requires-dist"], summary="Dynamic"), "demo", "4.0")
    assert "Dynamic" in browser(site).get("/projects/demo/4.0/")


def test_a_description_that_found_no_time_is_shown_as_it_is_and_rendered_the_next_time(
    site: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "In short.\nDescription-Content-Type: text/markdown\n\nAt *length*.\n\n"
    site.publish(build_wheel("demo", "5.0", summary=text), "demo", "5.0")
    monkeypatch.setattr(readme, "_PATIENCE", 0.05)
    with readme._AT_ONCE, readme._AT_ONCE:
        assert "At *length*." in browser(site).get("/projects/demo/5.0/")
    assert "At <em>length</em>." in browser(site).get("/projects/demo/5.0/")
