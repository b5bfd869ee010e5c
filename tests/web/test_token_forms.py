"""Tokens in the browser and at the addresses for clients: their limits, rotation, services, refusals."""

import re

import pytest
from bs4 import BeautifulSoup

from warehouse14.domain.model import Role, Scope
from warehouse14.testing.builders import build_wheel
from web.asking import Answer, Index
from web.bodies import form_body, upload_form
from web.conftest import Opener

TOKEN = re.compile(r"wh14_[0-9A-Za-z]{43}")
WRONG = "wh14_" + "0" * 43


def token_in(answer: Answer) -> str:
    found = TOKEN.search(answer.text)
    assert found is not None, answer.text
    return found[0]


def tokens_of(index: Index, **whose: str) -> list[str]:
    warehouse = index.warehouse
    return [token.id for token in warehouse.tokens.listed(warehouse.operator(), **whose)]


def settle(index: Index) -> None:
    """Wait for the small writes in the background."""
    index.warehouse._background.close(timeout=30)


def refuse(index: Index, times: int, **more: str) -> list[Answer]:
    answers = []
    for _ in range(times):
        answers.append(index.ask("GET", "/simple/", token=WRONG, environ=more))
        settle(index)
    return answers


# -- one's own ----------------------------------------------------------------------------


def test_the_form_offers_scopes_projects_and_addresses(index: Index) -> None:
    index.project("acme-core")
    form = {"name": "ci", "scope": "yank", "project": "acme-*", "address": "192.0.2.0/24, ::1", "days": "7"}
    page = index.browse("POST", "/account/@@token", form=form)
    assert page.status == 200
    assert "It installs and yanks, in projects whose names begin with acme-, from 192.0.2.0/24, ::1/128." in (
        page.text
    )
    text = token_in(page)
    assert index.ask("GET", "/simple/acme-core/", token=text).status == 200
    assert index.ask("GET", "/simple/", token=text, environ={"REMOTE_ADDR": "198.51.100.1"}).status == 401
    listed = index.browse("GET", "/account/").text
    for word in ("acme-*", "from 192.0.2.0/24, ::1/128", ">yank<"):
        assert word in listed


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"scope": ""}, "Choose some of"),
        ({"scope": "all"}, "Choose some of those"),
        ({}, "Choose some of read, upload, yank, manage"),
        ({"scope": "read", "address": "here"}, "is no address range"),
        ({"scope": "read", "project": "*"}, "begins no project name"),
        ({"scope": "read", "days": "99999"}, "Use 0 (no end)"),
    ],
)
def test_a_form_that_is_wrong_says_what_and_keeps_what_was_written(
    index: Index, form: dict[str, str], says: str
) -> None:
    page = index.browse("POST", "/account/@@token", form={"name": "kept name", "days": "7", **form})
    assert page.status == 400
    assert says in page.text
    assert 'value="kept name"' in page.text


def test_a_token_is_rotated_and_the_new_one_shown_once(index: Index) -> None:
    text = index.mint("ada", scopes={Scope.UPLOAD})
    (old,) = tokens_of(index, account="ada")
    assert f"/account/tokens/{old}/@@rotate" in index.browse("GET", "/account/").text
    page = index.browse("POST", f"/account/tokens/{old}/@@rotate")
    assert page.status == 200
    assert "TWINE_PASSWORD" in page.text
    new = token_in(page)
    assert new not in index.browse("GET", "/account/").text
    for token in (text, new):
        assert index.ask("GET", "/simple/", token=token).status == 200
    index.clock.pass_by(hours=24)
    assert index.ask("GET", "/simple/", token=text).status == 401
    assert index.ask("GET", "/simple/", token=new).status == 200
    again = index.browse("POST", f"/account/tokens/{old}/@@rotate")
    # The session is over by now.
    assert again.status == 401


def rotated(index: Index, overlap: str, service: str = "") -> tuple[Answer, str]:
    """Rotate a token, and return the page that follows, and the old text."""
    operator = index.warehouse.operator()
    whose = {"service": service} if service else {"account": "ada"}
    secret = index.warehouse.tokens.mint(operator, name="t", **whose)
    address = "/projects/demo/@@token-rotate" if service else f"/account/tokens/{secret.id}/@@rotate"
    return index.browse("POST", address, form={"overlap": overlap, "token": secret.id}), secret.text


@pytest.mark.parametrize("service", ["", "project:demo"])
@pytest.mark.parametrize(("overlap", "hours"), [("0", 0), ("1", 1), ("24", 24), ("168", 168)])
def test_who_rotates_a_token_says_when_the_old_one_ends(
    index: Index, overlap: str, hours: int, service: str
) -> None:
    index.project("demo")
    page, text = rotated(index, overlap, service)
    assert page.status == 200
    if hours:
        index.clock.pass_by(hours=hours, minutes=-1)
        assert index.ask("GET", "/simple/", token=text).status == 200
        index.clock.pass_by(minutes=1)
    assert index.ask("GET", "/simple/", token=text).status == 401
    assert index.ask("GET", "/simple/", token=token_in(page)).status == 200


@pytest.mark.parametrize("service", ["", "project:demo"])
@pytest.mark.parametrize("overlap", ["", "2", "-1", "01", "x"])
def test_another_end_than_those_that_are_offered_is_refused(index: Index, overlap: str, service: str) -> None:
    index.project("demo")
    page, text = rotated(index, overlap, service)
    assert page.status == 400
    assert notices(page) == ["Choose one of those that are offered."]
    assert index.ask("GET", "/simple/", token=text).status == 200


def test_the_old_token_ends_in_a_day_unless_something_else_is_chosen(index: Index) -> None:
    index.mint("ada")
    page = BeautifulSoup(index.browse("GET", "/account/").text, "html.parser")
    offered = page.select("select[name=overlap] option")
    assert [option.get_text() for option in offered] == [
        "old ends at once",
        "old ends in an hour",
        "old ends in a day",
        "old ends in a week",
    ]
    assert [option["value"] for option in offered if option.has_attr("selected")] == ["24"]


def test_a_token_that_is_over_is_not_rotated(index: Index) -> None:
    index.mint("ada", days=1)
    (old,) = tokens_of(index, account="ada")
    index.warehouse.tokens.revoke(index.warehouse.operator(), old)
    page = index.browse("POST", f"/account/tokens/{old}/@@rotate")
    assert page.status == 400
    assert "It was revoked or has expired." in page.text


def test_the_account_page_says_that_a_token_ends_soon_and_who_used_it(index: Index) -> None:
    text = index.mint("ada", days=6)
    index.mint("ada", days=15)
    agent = {"User-Agent": 'pip/26.3 {"ci":null}'}
    assert index.ask("GET", "/simple/", token=text, headers=agent).status == 200
    settle(index)
    page = index.browse("GET", "/account/").text
    assert page.count(">ends in") == 1
    assert "ends in 6 days" in page
    assert "by pip/26.3 from 192.0.2.7" in page


def notices(page: Answer) -> list[str]:
    """Return what stands in the notices of a page."""
    found = BeautifulSoup(page.text, "html.parser").select("main .notice")
    return [" ".join(each.get_text().split()) for each in found]


@pytest.mark.parametrize("is_stocked", [False, True])
def test_the_home_page_says_which_of_ones_own_tokens_end_soon(index: Index, is_stocked: bool) -> None:
    if is_stocked:
        index.project("demo")
        index.wheel("demo")
    index.account("ada")
    index.mint("bob", days=9)
    tokens, operator = index.warehouse.tokens, index.warehouse.operator()
    for days, name in ((2, "over"), (9, "<b>laptop"), (8, "ci"), (60, "later"), (0, "endless")):
        tokens.mint(operator, account="ada", name=name, days=days)
    tokens.revoke(operator, tokens.mint(operator, account="ada", name="revoked", days=8).id)
    index.clock.pass_by(days=3)
    page = index.browse("GET", "/")
    (notice,) = notices(page)
    assert notice == (
        "The token “ci” ends in 5 days. The token “<b>laptop” ends in 6 days. "
        "Rotate what you still need on the page of your account."
    )
    assert '<a href="/account/">the page of your account</a>' in page.text
    assert notices(index.browse("GET", "/", "eve")) == []


@pytest.mark.parametrize(("count", "says"), [(3, ""), (4, "1 more ends soon, too."), (5, "2 more end soon")])
def test_the_home_page_names_no_more_than_three_of_them(index: Index, count: int, says: str) -> None:
    for _ in range(count):
        index.mint("ada", days=5)
    (notice,) = notices(index.browse("GET", "/"))
    assert notice.count("The token “t” ends in 5 days.") == 3
    assert says in notice
    assert ("soon" in notice) == bool(says)


def test_the_home_page_says_which_tokens_of_what_one_is_an_admin_of_end_soon(index: Index) -> None:
    tokens, groups, operator = index.warehouse.tokens, index.warehouse.groups, index.warehouse.operator()
    index.project("demo", member="bob")
    groups.create(operator, "crew", admin="ada")
    groups.add(operator, "crew", "bob")
    for service, days, name in (
        ("project:demo", 9, "<b>deploy"),
        ("group:crew", 8, "nightly"),
        ("project:demo", 60, "later"),
        ("project:demo", 0, "endless"),
    ):
        tokens.mint(operator, service=service, name=name, days=days)
    tokens.revoke(operator, tokens.mint(operator, service="group:crew", name="revoked", days=8).id)
    index.account("root", administrator=True)
    page = index.browse("GET", "/")
    (notice,) = notices(page)
    assert notice == (
        "The token “nightly” of the group crew ends in 8 days. "
        "The token “<b>deploy” of the project demo ends in 9 days. Rotate there what is still needed."
    )
    for place in ("/groups/crew/#tokens", "/projects/demo/@@people#tokens"):
        assert f'<a href="{place}">' in page.text
        assert "Rotate" in index.browse("GET", place.partition("#")[0]).text
    for other in ("bob", "eve", "root"):
        assert notices(index.browse("GET", "/", other)) == [], other


def test_who_is_an_admin_by_a_group_is_told_and_who_only_looks_is_not(index: Index) -> None:
    operator = index.warehouse.operator()
    index.project("demo")
    index.account("root", administrator=True)
    index.account("bob")
    index.warehouse.groups.create(operator, "crew", admin="ada")
    index.warehouse.groups.add(operator, "crew", "bob")
    index.warehouse.projects.grant(operator, "demo", "group:crew", Role.ADMIN)
    index.warehouse.tokens.mint(operator, service="project:demo", name="deploy", days=5)
    looked = index.browse("POST", "/admin/@@look", "root", {"project": "demo", "reason": "Somebody asked"})
    assert looked.status == 303
    assert index.browse("GET", "/projects/demo/@@people", "root").status == 200
    assert ["deploy" in notice for notice in notices(index.browse("GET", "/", "bob"))] == [True]
    assert notices(index.browse("GET", "/", "root")) == []


@pytest.mark.parametrize(
    ("count", "says"), [(3, ""), (4, "1 more of projects and groups ends soon, too."), (150, "97 more of")]
)
def test_the_home_page_names_three_of_them_and_counts_up_to_a_hundred(
    index: Index, count: int, says: str
) -> None:
    index.project("demo")
    for _ in range(count):
        index.warehouse.tokens.mint(index.warehouse.operator(), service="project:demo", name="deploy", days=5)
    (notice,) = notices(index.browse("GET", "/"))
    assert notice.count("The token “deploy” of the project demo ends in 5 days.") == 3
    assert says in notice
    assert ("more" in notice) == bool(says)


def test_a_hostile_client_cannot_write_into_the_page(index: Index) -> None:
    text = index.mint("ada")
    agent = {"User-Agent": "<script>alert(1)</script>"}
    assert index.ask("GET", "/simple/", token=text, headers=agent).status == 200
    settle(index)
    assert "<script>alert" not in index.browse("GET", "/account/").text


def test_an_upload_with_a_token_that_ends_soon_says_so(index: Index) -> None:
    content_type, body = form_body(upload_form(build_wheel("demo", "1.0"), "demo", "1.0"))
    answer = index.ask(
        "POST",
        "/legacy/",
        token=index.mint("ada", scopes={Scope.UPLOAD}, days=3),
        headers={"Content-Type": content_type},
        body=body,
    )
    assert answer.status == 200
    assert answer.text == "The token of this upload ends in 3 days. Rotate it before that.\n"


def test_the_lists_of_two_tokens_of_one_account_are_not_mixed(any_index: Index) -> None:
    for name in ("acme-core", "other"):
        any_index.project(name)
    whole, narrow, one = (any_index.mint("ada", project=reach) for reach in (None, "acme-*", "other"))
    for _ in range(2):
        for token, names in ((whole, ["acme-core", "other"]), (narrow, ["acme-core"]), (one, ["other"])):
            page = any_index.ask("GET", "/simple/", token=token)
            assert re.findall(r">([a-z-]+)</a>", page.text) == names


# -- services -----------------------------------------------------------------------------


def test_an_admin_makes_rotates_and_revokes_service_tokens(any_index: Index) -> None:
    any_index.project("demo", member="bob")
    form = {"name": "build server", "scope": "upload", "days": "30"}
    page = any_index.browse("POST", "/projects/demo/@@token", form=form)
    assert page.status == 200
    assert "Back to the people of the project" in page.text
    first = token_in(page)
    people = any_index.browse("GET", "/projects/demo/@@people").text
    assert "build server" in people
    assert "account:project" not in people
    assert ">project:demo<" not in people
    content_type, body = form_body(upload_form(build_wheel("demo", "1.0"), "demo", "1.0"))
    headers = {"Content-Type": content_type}
    assert any_index.ask("POST", "/legacy/", token=first, headers=headers, body=body).status == 200

    (old,) = tokens_of(any_index, service="project:demo")
    second = token_in(any_index.browse("POST", "/projects/demo/@@token-rotate", form={"token": old}))
    new = second[len("wh14_") :][: len(old)]
    assert any_index.browse("POST", "/projects/demo/@@token-revoke", form={"token": new}).status == 303
    assert any_index.ask("GET", "/simple/demo/", token=second).status == 401
    assert any_index.ask("GET", "/simple/demo/", token=first).status == 200


@pytest.fixture
def crew(index: Index) -> Index:
    """The group crew, of which Ada is an admin, reads two private projects of Bob and not the third."""
    operator = index.warehouse.operator()
    index.account("ada")
    index.warehouse.groups.create(operator, "crew", admin="ada")
    for name in ("acme-core", "acme-web", "covert"):
        index.project(name, admin="bob")
    for name in ("acme-core", "acme-web"):
        index.warehouse.projects.grant(operator, name, "group:crew", Role.MEMBER)
    return index


@pytest.mark.parametrize(
    ("project", "said", "read"),
    [
        ("", "It installs.", {"acme-core", "acme-web"}),
        ("acme-w*", "It installs, in projects whose names begin with acme-w.", {"acme-web"}),
        ("Acme.Core", "It installs, in acme-core alone.", {"acme-core"}),
    ],
)
def test_a_service_token_of_a_group_is_for_some_projects_if_wanted(
    crew: Index, project: str, said: str, read: set[str]
) -> None:
    assert '<input name="project"' in crew.browse("GET", "/groups/crew/").text
    form = {"name": "ci", "scope": "read", "days": "7", "project": project}
    page = crew.browse("POST", "/groups/crew/@@token", form=form)
    assert page.status == 200
    assert said in page.text
    text = token_in(page)
    found = {
        name
        for name in ("acme-core", "acme-web", "covert")
        if crew.ask("GET", f"/simple/{name}/", token=text).status == 200
    }
    assert found == read


@pytest.mark.parametrize(
    ("project", "says"),
    [
        ("covert", "There is no project 'covert'."),
        ("absent", "There is no project 'absent'."),
        ("adas", "group:crew may not read the project adas."),
    ],
)
def test_a_project_that_a_group_does_not_read_is_refused_and_kept_in_its_form(
    crew: Index, project: str, says: str
) -> None:
    crew.project("adas", admin="ada")
    form = {"name": "ci", "scope": "read", "days": "7", "project": project}
    page = crew.browse("POST", "/groups/crew/@@token", form=form)
    assert page.status == 400
    assert notices(page) == [says]
    assert f'<input name="project" value="{project}"' in page.text
    assert tokens_of(crew, service="group:crew") == []


def test_the_form_of_a_project_asks_for_no_project(index: Index) -> None:
    index.project("demo")
    page = index.browse("GET", "/projects/demo/@@people").text
    assert "/projects/demo/@@token" in page
    assert 'name="project"' not in page


def test_a_member_sees_no_service_tokens(index: Index) -> None:
    index.project("demo", member="bob")
    index.warehouse.tokens.mint(index.warehouse.operator(), name="robot", service="project:demo")
    assert "robot" not in index.browse("GET", "/projects/demo/@@people", "bob").text
    assert "robot" in index.browse("GET", "/projects/demo/@@people", "ada").text


@pytest.mark.parametrize("deed", ["token-rotate", "token-revoke"])
def test_the_forms_of_a_project_are_for_its_own_tokens_alone(index: Index, deed: str) -> None:
    index.project("demo")
    index.project("other")
    own = index.mint("ada")
    foreign = index.warehouse.tokens.mint(index.warehouse.operator(), name="x", service="project:other")
    for token in (own[5:15], foreign.id, "0000000000", ""):
        page = index.browse("POST", f"/projects/demo/@@{deed}", form={"token": token})
        assert page.status == 400
    for text in (own, foreign.text):
        assert index.ask("GET", "/simple/", token=text).status == 200


def test_a_service_is_not_in_the_list_of_accounts_nor_to_be_managed_there(index: Index) -> None:
    index.project("demo")
    index.account("root", administrator=True)
    index.warehouse.tokens.mint(index.warehouse.operator(), name="x", service="project:demo")
    assert "project:demo" not in index.browse("GET", "/admin/", "root").text
    for deed in ("disable", "reset", "enable"):
        assert index.browse("POST", f"/admin/accounts/project:demo/@@{deed}", "root").status == 404


def test_the_tokens_of_a_deleted_project_are_401(any_index: Index) -> None:
    any_index.project("demo")
    operator = any_index.warehouse.operator()
    text = any_index.warehouse.tokens.mint(operator, name="x", service="project:demo").text
    assert any_index.ask("GET", "/simple/demo/", token=text).status == 200
    any_index.warehouse.projects.delete(operator, "demo")
    assert any_index.ask("GET", "/simple/", token=text).status == 401


def test_a_project_without_room_for_a_service_name_shows_its_people(index: Index) -> None:
    name = "x" * 200
    index.project(name)
    assert index.browse("GET", f"/projects/{name}/@@people").status == 200
    page = index.browse("POST", f"/projects/{name}/@@token", form={"name": "x", "scope": "read", "days": "1"})
    assert page.status == 400
    assert "more than 192 characters" in page.text


# -- owners who lose what they had ----------------------------------------------------------


def test_a_token_does_no_more_than_its_owner_at_that_moment(any_index: Index) -> None:
    any_index.project("demo", member="bob")
    projects, operator = any_index.warehouse.projects, any_index.warehouse.operator()
    text = any_index.mint("bob", scopes=set(Scope))

    def upload(version: str) -> int:
        content_type, body = form_body(upload_form(build_wheel("demo", version), "demo", version))
        headers = {"Content-Type": content_type}
        return any_index.ask("POST", "/legacy/", token=text, headers=headers, body=body).status

    assert upload("1.0") == 403
    projects.grant(operator, "demo", "account:bob", Role.ADMIN)
    assert upload("1.0") == 200
    projects.grant(operator, "demo", "account:bob", Role.MEMBER)
    assert upload("2.0") == 403
    projects.revoke(operator, "demo", "account:bob")
    assert any_index.ask("GET", "/simple/demo/", token=text).status == 404


@pytest.mark.parametrize(
    ("scope", "there", "not_there"),
    [
        (Scope.YANK, ["/VERSION/yank"], ["/grant", "/delete"]),
        (Scope.MANAGE, ["/grant", "/VERSION/delete"], ["/yank"]),
        (Scope.UPLOAD, ["/legacy/"], ["/api/"]),
        (Scope.READ, [], ["/api/"]),
    ],
)
def test_the_page_of_a_new_token_says_how_to_do_what_it_may(
    index: Index, scope: Scope, there: list[str], not_there: list[str]
) -> None:
    form = {"name": "x", "scope": scope, "days": "7"}
    page = index.browse("POST", "/account/@@token", form=form).text
    assert all(part in page for part in there)
    assert not any(part in page for part in not_there)


# -- refusals -----------------------------------------------------------------------------


def test_after_twenty_refusals_a_wrong_token_is_429_and_a_right_one_passes(any_index: Index) -> None:
    right = any_index.mint("ada")
    assert {answer.status for answer in refuse(any_index, 20)} == {401}
    for target in ("/simple/", "/simple/nope/", "/packages/x/y", "/pypi/x/json", "/legacy/"):
        answer = any_index.ask("GET", target, token=WRONG)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert "WWW-Authenticate" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert any_index.ask("POST", "/legacy/", token=WRONG).status == 429
    assert any_index.ask("GET", "/simple/", token=right).status == 200
    assert any_index.ask("GET", "/simple/", None).status == 401
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    assert any_index.ask("GET", "/simple/", token=WRONG, environ=elsewhere).status == 401
    any_index.clock.pass_by(seconds=1)
    assert refuse(any_index, 1)[0].status == 401


def test_a_header_does_not_say_where_a_token_is_used(index: Index) -> None:
    text = index.mint("ada", addresses=["203.0.113.9"])
    headers = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert index.ask("GET", "/simple/", token=text, headers=headers).status == 401
    there = {"REMOTE_ADDR": "203.0.113.9"}
    assert index.ask("GET", "/simple/", token=text, environ=there).status == 200


def test_health_asks_for_no_token(index: Index) -> None:
    refuse(index, 20)
    assert index.ask("GET", "/health", token=WRONG).status == 200


# -- owners who do not come by --------------------------------------------------------------


def test_a_token_whose_owner_does_not_sign_in_is_told_where_to(opener: Opener) -> None:
    index = opener(reverify_hours="24", url="https://packages.example.com/index")
    text = index.mint("ada")
    index.clock.pass_by(hours=25)
    for target in ("/simple/", "/simple/nope/"):
        answer = index.ask("GET", target, token=text)
        assert answer.status == 401
        assert "Sign in at https://packages.example.com/index/login in the browser" in answer.text
    index.password("ada")
    index.warehouse.sessions.sign_in("ada", "correct horse", origin="192.0.2.7")
    assert index.ask("GET", "/simple/", token=text).status == 200


@pytest.mark.parametrize("deed", ["rotate", "revoke"])
def test_the_account_page_leaves_the_tokens_of_services_and_of_others_alone(index: Index, deed: str) -> None:
    index.project("demo")
    index.account("root", administrator=True)
    operator = index.warehouse.operator()
    service = index.warehouse.tokens.mint(operator, name="ci", service="project:demo").id
    others = index.warehouse.tokens.mint(operator, name="x", account="root").id
    mine = index.warehouse.tokens.mint(operator, name="x", account="ada").id
    for who in ("ada", "root"):
        index.cookie(who)
    for who, token in (("ada", service), ("ada", others), ("root", mine), ("ada", "nothing")):
        with index.unchanged():
            assert index.browse("POST", f"/account/tokens/{token}/@@{deed}", who).status == 404
