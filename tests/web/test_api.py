"""The API: what programs with a token ask of a project and change in it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from support.roles import grant_as_before
from warehouse14.domain.access import operator
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change, Role, Scope
from warehouse14.domain.names import ProjectName
from web.asking import JSON, Answer, Index
from web.conftest import Opener
from web.test_token_forms import WRONG, refuse

FORM = "application/x-www-form-urlencoded"
WHEEL = "demo-1.0-py3-none-any.whl"
SDIST = "demo-1.0.tar.gz"
CONFIRMED = {"confirm": "yes"}

#: Every change: its address, fields that do it, and the scope that a token needs.
CHANGES: dict[str, tuple[dict[str, str], Scope]] = {
    "demo/1.0/yank": ({"reason": "broken"}, Scope.YANK),
    "demo/1.0/unyank": ({}, Scope.YANK),
    f"demo/1.0/{WHEEL}/yank": ({"reason": "broken"}, Scope.YANK),
    f"demo/1.0/{WHEEL}/unyank": ({}, Scope.YANK),
    "demo/1.0/delete": (CONFIRMED, Scope.MANAGE),
    f"demo/1.0/{WHEEL}/delete": (CONFIRMED, Scope.MANAGE),
    "demo/delete": (CONFIRMED, Scope.MANAGE),
    "demo/public": ({}, Scope.MANAGE),
    "demo/private": ({}, Scope.MANAGE),
    "demo/grant": ({"who": "account:eve", "role": "member"}, Scope.MANAGE),
    "demo/revoke": ({"who": "account:bob"}, Scope.MANAGE),
}


def fill(index: Index) -> Index:
    """Demo is Ada's, with two releases; Bob is a member, Eve has no role."""
    index.project("demo", member="bob")
    for version in ("1.0", "2.0"):
        index.wheel("demo", version)
        index.sdist("demo", version)
    index.account("eve")
    return index


@pytest.fixture
def site(index: Index) -> Index:
    return fill(index)


@pytest.fixture(scope="module")
def still(lasting_index: Index) -> Index:
    """The same for tests that change nothing."""
    return fill(lasting_index)


@pytest.fixture
def any_site(any_index: Index) -> Index:
    return fill(any_index)


def get(site: Index, path: str, token: str | None) -> Answer:
    return site.ask("GET", f"/api/projects/{path}", None, token=token)


def post(
    site: Index,
    path: str,
    token: str | None,
    body: Mapping[str, str] | bytes = b"",
    content_type: str = FORM,
    **headers: str,
) -> Answer:
    sent = body if isinstance(body, bytes) else urlencode(body).encode()
    given = {"Content-Type": content_type, **headers}
    return site.ask("POST", f"/api/projects/{path}", None, token=token, headers=given, body=sent)


def said(answer: Answer) -> Any:
    """Return what an answer says; each is JSON, for the one who asked alone."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return json.loads(answer.text)


def refused(answer: Answer, status: int) -> str:
    """Return the sentence of a refusal."""
    assert answer.status == status, answer.text
    (key,) = said(answer).keys()
    assert key == "error"
    sentence: str = said(answer)["error"]
    assert sentence.endswith(".")
    return sentence


def done(answer: Answer) -> bool:
    """Return whether a change that was taken changed anything."""
    assert answer.status == 200, answer.text
    changed: bool = said(answer)["changed"]
    return changed


def token_of(site: Index, *scopes: Scope, name: str = "ada", **limits: Any) -> str:
    return site.mint(name, scopes=set(scopes or Scope), **limits)


def newest(site: Index) -> Change:
    with site.warehouse.units.read() as unit:
        (entry,) = unit.journal.found(Sought(), before=None, after=None, count=1)
    return entry


def yanked(site: Index, version: str) -> dict[str, Any]:
    """Return the files of a release, each with the reason of its yank."""
    project = said(get(site, "demo", token_of(site, Scope.READ)))
    (release,) = (each for each in project["releases"] if each["version"] == version)
    return {file["filename"]: file["yank_reason"] for file in release["files"]}


# -- what there is ----------------------------------------------------------------------


def test_a_project_is_told_with_its_releases_and_files(any_site: Index) -> None:
    any_site.warehouse.files.yank(operator(), "demo", WHEEL, reason="broken")
    project = said(get(any_site, "Demo", token_of(any_site, Scope.READ)))
    releases = project.pop("releases")
    assert project == {"name": "demo", "display_name": "demo", "public": False, "role": "admin"}
    assert [(each["version"], each["yanked"]) for each in releases] == [("2.0", False), ("1.0", False)]
    wheel, sdist = releases[1]["files"]
    listed = json.loads(any_site.get("/simple/demo/", accept=JSON).text)["files"]
    (same,) = (file for file in listed if file["filename"] == WHEEL)
    assert wheel == {
        "filename": WHEEL,
        "size": same["size"],
        "sha256": same["hashes"]["sha256"],
        "uploaded_at": "2026-03-04T05:06:07.890123Z",
        "yanked": True,
        "yank_reason": "broken",
    }
    assert (sdist["filename"], sdist["yanked"], sdist["yank_reason"]) == (SDIST, False, None)


@pytest.mark.parametrize(("name", "role"), [("ada", "admin"), ("bob", "member"), ("eve", None)])
def test_whoever_asks_is_told_the_role_that_they_have(site: Index, name: str, role: str | None) -> None:
    site.warehouse.projects.set_public(operator(), "demo", public=True)
    assert said(get(site, "demo", site.mint(name)))["role"] == role


def test_the_stronger_of_two_roles_is_told(site: Index) -> None:
    site.warehouse.groups.create(operator(), "crew", admin="bob")
    site.warehouse.projects.grant(operator(), "demo", "group:crew", Role.ADMIN)
    assert said(get(site, "demo", site.mint("bob")))["role"] == "admin"


def test_a_project_without_files_has_no_releases(site: Index) -> None:
    site.project("empty")
    assert said(get(site, "empty", token_of(site)))["releases"] == []


# -- changes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "files"),
    [("demo/1.0", {WHEEL, SDIST}), (f"demo/1.0/{WHEEL}", {WHEEL}), ("demo/v1.0.0", {WHEEL, SDIST})],
)
def test_a_release_or_a_file_is_yanked_and_unyanked(any_site: Index, path: str, files: set[str]) -> None:
    token = token_of(any_site, Scope.YANK)
    reason = "broken on Windows, see №7"
    assert done(post(any_site, f"{path}/yank", token, {"reason": f" {reason} "}))
    assert {name for name, told in yanked(any_site, "1.0").items() if told == reason} == files
    assert set(yanked(any_site, "2.0").values()) == {None}
    assert not done(post(any_site, f"{path}/yank", token, {"reason": reason}))
    assert done(post(any_site, f"{path}/unyank", token))
    assert set(yanked(any_site, "1.0").values()) == {None}
    assert not done(post(any_site, f"{path}/unyank", token))


def test_a_file_is_deleted_and_then_its_release(any_site: Index) -> None:
    token = token_of(any_site, Scope.MANAGE)
    assert done(post(any_site, f"demo/1.0/{WHEEL}/delete", token, CONFIRMED))
    assert set(yanked(any_site, "1.0")) == {SDIST}
    assert done(post(any_site, "demo/1.0/delete", token, CONFIRMED))
    assert [each["version"] for each in said(get(any_site, "demo", token))["releases"]] == ["2.0"]
    gone = refused(post(any_site, "demo/1.0/delete", token, CONFIRMED), 404)
    assert gone == "There is no release 'demo 1.0'."


def test_a_deleted_project_is_gone_and_its_name_taken(any_site: Index) -> None:
    token = token_of(any_site)
    assert done(post(any_site, "demo/delete", token, CONFIRMED))
    refused(get(any_site, "demo", token), 404)
    refused(post(any_site, "demo/delete", token, CONFIRMED), 404)


@pytest.mark.parametrize("path", [path for path in CHANGES if path.endswith("/delete")])
@pytest.mark.parametrize("fields", [{}, {"confirm": ""}, {"confirm": "no"}, {"confirm": "demo"}])
def test_nothing_is_deleted_that_is_not_confirmed(still: Index, path: str, fields: dict[str, str]) -> None:
    token = token_of(still, Scope.MANAGE)
    with still.unchanged():
        problem = refused(post(still, path, token, fields), 400)
    assert problem.endswith("cannot be undone: send confirm=yes to do it.")


def test_a_project_is_opened_and_closed(any_site: Index) -> None:
    token, eve = token_of(any_site, Scope.MANAGE), any_site.mint("eve")
    assert done(post(any_site, "demo/public", token))
    assert not done(post(any_site, "demo/public", token))
    assert said(get(any_site, "demo", eve))["public"]
    assert done(post(any_site, "demo/private", token))
    refused(get(any_site, "demo", eve), 404)


def test_roles_are_given_listed_and_taken(any_site: Index) -> None:
    token = token_of(any_site, Scope.MANAGE)
    any_site.warehouse.groups.create(operator(), "crew", admin="eve")
    for who in ("account:Eve", "group:crew", "group:corp/Platform Team"):
        assert done(post(any_site, "demo/grant", token, {"who": who, "role": "member"}))
    answer = post(any_site, "demo/grant", token, {"who": "account:eve", "role": "member"})
    assert said(answer) == {"changed": False, "who": "account:eve", "role": "member"}
    assert done(post(any_site, "demo/grant", token, {"who": "account:eve", "role": "admin"}))
    assert said(get(any_site, "demo/roles", token)) == {
        "roles": [
            {"who": "account:ada", "role": "admin"},
            {"who": "account:bob", "role": "member"},
            {"who": "account:eve", "role": "admin"},
            {"who": "group:corp/Platform Team", "role": "member"},
            {"who": "group:crew", "role": "member"},
        ]
    }
    assert done(post(any_site, "demo/revoke", token, {"who": "account:eve"}))
    assert refused(post(any_site, "demo/revoke", token, {"who": "account:eve"}), 404) == (
        "There is no role of 'eve'."
    )


def test_a_role_of_a_group_that_could_not_be_named_today_can_be_taken_away(site: Index) -> None:
    grant_as_before(site.warehouse.units, ProjectName("demo"), "group:corp/\u0378")
    token = token_of(site)
    assert done(post(site, "demo/revoke", token, {"who": "group:corp/\u0378"}))
    assert refused(post(site, "demo/revoke", token, {"who": "group:corp/\u0378"}), 400).startswith("who: ")


def test_of_groups_that_differ_in_spaces_alone_the_one_that_is_named_loses_its_role(site: Index) -> None:
    for who in ("group:corp/Team", "group:corp/Team "):
        grant_as_before(site.warehouse.units, ProjectName("demo"), who)
    token, spaced = token_of(site), {"who": "group:corp/Team "}
    assert done(post(site, "demo/revoke", token, spaced))
    # Who asks again, since no answer came, takes nothing from the other.
    assert refused(post(site, "demo/revoke", token, spaced), 400).startswith("who: ")
    left = [each["who"] for each in said(get(site, "demo/roles", token))["roles"]]
    assert left == ["account:ada", "account:bob", "group:corp/Team"]


@pytest.mark.parametrize("before", ["", " "])
def test_no_other_group_than_the_one_that_is_named_gets_a_role(site: Index, before: str) -> None:
    token = token_of(site)
    given = {"who": f"{before}group:corp/Team ", "role": "admin"}
    assert refused(post(site, "demo/grant", token, given), 400).startswith("who: ")
    assert "group:corp/Team" not in {each["who"] for each in said(get(site, "demo/roles", token))["roles"]}


def test_spaces_around_the_name_of_an_account_are_passed_over(site: Index) -> None:
    assert done(post(site, "demo/grant", token_of(site), {"who": "account:bob ", "role": " admin\n"}))
    assert done(post(site, "demo/revoke", token_of(site), {"who": " account:bob\n"}))


def test_a_stranger_to_a_public_project_is_not_told_its_groups(site: Index) -> None:
    site.warehouse.groups.create(operator(), "crew", admin="ada")
    site.warehouse.projects.grant(operator(), "demo", "group:crew", Role.MEMBER)
    site.warehouse.projects.set_public(operator(), "demo", public=True)
    assert "group:crew" in get(site, "demo/roles", site.mint("bob")).text
    assert "group:crew" not in get(site, "demo/roles", site.mint("eve")).text


@pytest.mark.parametrize(
    ("fields", "status", "problem"),
    [
        ({"who": "account:nobody", "role": "member"}, 404, "There is no account 'nobody'."),
        ({"who": "group:nothing", "role": "member"}, 404, "There is no group 'nothing'."),
        ({"who": "eve", "role": "member"}, 400, "who: 'eve' names nobody."),
        ({"role": "member"}, 400, "who: '' names nobody."),
        ({"who": "account:eve", "role": "owner"}, 400, "role: choose member or admin."),
        ({"who": "account:eve"}, 400, "role: choose member or admin."),
        ({"who": "account:project:demo", "role": "admin"}, 400, "who: "),
        ({"who": "account:ada", "role": "member"}, 400, "The last admin of demo is ada."),
    ],
)
def test_a_role_that_cannot_be_is_refused_in_words(
    any_site: Index, fields: dict[str, str], status: int, problem: str
) -> None:
    token = token_of(any_site)
    with any_site.unchanged():
        assert refused(post(any_site, "demo/grant", token, fields), status).startswith(problem)


def test_the_last_admin_stays(any_site: Index) -> None:
    token = token_of(any_site)
    with any_site.unchanged():
        problem = refused(post(any_site, "demo/revoke", token, {"who": "account:ada"}), 400)
    assert problem == "The last admin of demo is ada. Make somebody else an admin first."


@pytest.mark.parametrize("path", CHANGES)
def test_an_entry_of_the_journal_names_the_token(site: Index, path: str) -> None:
    fields, scope = CHANGES[path]
    # So that each changes something.
    if path.endswith("unyank"):
        site.warehouse.files.yank_release(operator(), "demo", "1.0")
    site.warehouse.projects.set_public(operator(), "demo", public=path.endswith("private"))
    token = token_of(site, scope)
    assert done(post(site, path, token, fields))
    entry = newest(site)
    assert (entry.actor, entry.by_token, entry.origin) == ("ada", token[5:15], "192.0.2.7")
    assert entry.project == "demo"


# -- the journal --------------------------------------------------------------------------


def test_the_journal_is_json_lines_the_newest_first_with_the_filters_of_the_page(any_site: Index) -> None:
    token = token_of(any_site, Scope.MANAGE)
    post(any_site, "demo/1.0/yank", token_of(any_site, Scope.YANK))
    answer = get(any_site, "demo/journal", token)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jsonl")
    assert answer.headers["Cache-Control"] == "no-store"
    page = any_site.browse("GET", "/projects/demo/@@journal?format=jsonl")
    assert answer.body == page.body
    entries = [json.loads(line) for line in answer.text.splitlines()]
    assert [entry["serial"] for entry in entries] == sorted((e["serial"] for e in entries), reverse=True)
    only = get(any_site, "demo/journal?what=file.yank&who=ada&since=2026-03-04", token).text.splitlines()
    assert [json.loads(line)["action"] for line in only] == ["file.yank"]
    assert refused(get(any_site, "demo/journal?since=yesterday", token), 400).startswith("since: ")


def test_head_sends_no_journal(still: Index) -> None:
    answer = still.ask("HEAD", "/api/projects/demo/journal", None, token=token_of(still))
    assert (answer.status, answer.body) == (200, b"")


# -- tokens -------------------------------------------------------------------------------


def test_a_change_takes_its_scope_and_no_other(site: Index) -> None:
    tokens = {scope: token_of(site, scope) for scope in Scope}
    # What deletes comes last.
    for path in sorted(CHANGES, key=lambda path: (path.endswith("delete"), -len(path))):
        fields, needed = CHANGES[path]
        for scope in set(Scope) - {needed}:
            with site.unchanged():
                said = refused(post(site, path, tokens[scope], fields), 403)
                assert said == f"This token may not do this. Make one with the scope {needed}."
        assert post(site, path, tokens[needed], fields).status == 200


@pytest.mark.parametrize("scope", Scope)
def test_every_token_reads_and_only_one_that_manages_opens_the_journal(still: Index, scope: Scope) -> None:
    token = token_of(still, scope)
    assert get(still, "demo", token).status == get(still, "demo/roles", token).status == 200
    assert get(still, "demo/journal", token).status == (200 if scope is Scope.MANAGE else 403)


@pytest.mark.parametrize("limit", ["demo", "de*"])
def test_a_token_changes_the_projects_that_it_was_made_for(site: Index, limit: str) -> None:
    token = token_of(site, project=limit)
    assert done(post(site, "demo/1.0/yank", token))
    assert done(post(site, "demo/public", token))
    assert done(post(site, "demo/delete", token, CONFIRMED))


@pytest.mark.parametrize("limit", ["other", "ot*"])
def test_a_token_for_other_projects_finds_nothing(site: Index, limit: str) -> None:
    site.project("other")
    token = token_of(site, project=limit)
    for public in (False, True):
        site.warehouse.projects.set_public(operator(), "demo", public=public)
        with site.unchanged():
            for path, (fields, _) in CHANGES.items():
                absent = post(site, path.replace("demo", "absent"), token, fields)
                assert post(site, path, token, fields).whole == absent.whole
                refused(absent, 404)


def test_a_member_may_not_and_who_has_lost_the_role_finds_nothing(site: Index) -> None:
    token = token_of(site, name="bob")
    assert_refused(site, token, 403)
    # Another scope would not help a member.
    reading = token_of(site, Scope.READ, name="bob")
    assert refused(post(site, "demo/1.0/yank", reading), 403) == "You may not do this."
    site.warehouse.projects.grant(operator(), "demo", "account:bob", Role.ADMIN)
    assert done(post(site, "demo/1.0/yank", token))
    site.warehouse.projects.revoke(operator(), "demo", "account:bob")
    assert_refused(site, token, 404)


def assert_refused(site: Index, token: str | None, status: int, **headers: str) -> None:
    """Hold that every change is refused, and changes nothing."""
    with site.unchanged():
        for path, (fields, _) in CHANGES.items():
            refused(post(site, path, token, fields, **headers), status)


def test_a_service_token_does_what_its_scopes_say_on_its_own_project(site: Index) -> None:
    site.project("other")

    def minted(service: str, scope: Scope) -> str:
        return site.warehouse.tokens.mint(operator(), name="x", service=service, scopes={scope}).text

    assert_refused(site, minted("project:other", Scope.MANAGE), 404)
    assert done(post(site, "demo/1.0/yank", minted("project:demo", Scope.YANK)))
    assert newest(site).actor == "project:demo"
    managing = minted("project:demo", Scope.MANAGE)
    refused(post(site, "demo/1.0/unyank", managing), 403)
    # Nor does it count as an admin of whom there must be one.
    refused(post(site, "demo/revoke", managing, {"who": "account:ada"}), 400)
    assert done(post(site, "demo/delete", managing, CONFIRMED))


def test_a_token_that_counts_no_more_changes_nothing(site: Index) -> None:
    token = token_of(site)
    site.warehouse.tokens.revoke(operator(), token[5:15])
    assert_refused(site, token, 401)


@pytest.mark.parametrize(
    "path", ["demo", "absent", "demo/roles", "demo/journal", "demo/nothing", "@@x", "", "-"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_nobody_is_told_the_same_about_everything(still: Index, method: str, path: str) -> None:
    answer = still.ask(method, f"/api/projects/{path}", None)
    assert answer.whole == still.ask(method, "/api/", None).whole
    assert refused(answer, 401).startswith("Sign in with an API token")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_session_of_a_browser_counts_for_nothing(site: Index) -> None:
    cookie = f"warehouse14-session={site.cookie('ada')}"
    assert_refused(site, None, 401, Cookie=cookie)
    assert_refused(site, token_of(site, name="eve"), 404, Cookie=cookie)
    refused(site.ask("GET", "/api/projects/demo", None, headers={"Cookie": cookie}), 401)


def test_too_many_wrong_tokens_are_429_in_json(site: Index) -> None:
    refuse(site, 20)
    answer = get(site, "demo", WRONG)
    refused(answer, 429)
    assert answer.headers["Retry-After"] == "1"


def test_a_site_may_say_403_for_what_is_there(opener: Opener) -> None:
    site = fill(opener(denied_read="403"))
    for answer in (get(site, "demo", site.mint("eve")), post(site, "demo/delete", site.mint("eve"))):
        assert refused(answer, 403) == "You may not read this project."
    refused(get(site, "absent", site.mint("eve")), 404)


# -- addresses ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_change_is_taken_by_post_alone(site: Index, method: str) -> None:
    token = token_of(site)
    with site.unchanged():
        for path, (fields, _) in CHANGES.items():
            answer = site.ask(method, f"/api/projects/{path}?{urlencode(fields)}", None, token=token)
            assert refused(answer, 405) == f"{method} is not for this address."
            assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["demo", "demo/roles", "demo/journal"])
def test_what_is_asked_for_is_asked_for_by_get(still: Index, path: str) -> None:
    answer = post(still, path, token_of(still))
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    refused(answer, 405)


@pytest.mark.parametrize(
    "path",
    [
        # What a program sends whose variable for the version, or for the file, is empty.
        "demo//delete",
        "demo/1.0//delete",
        "demo/./delete",
        "demo/1.0/x/../delete",
        "demo/delete/",
        "/demo/delete",
        "demo/@@delete",
        "demo/1.0/@@delete",
        "demo/delete/delete",
        "demo/7.0/delete/x",
        f"demo/2.0/{WHEEL}/delete",
        f"demo/{WHEEL}/delete",
        "demo/latest/delete",
        "demo/Delete",
        "demo/%64elete%00",
        "",
        "delete",
    ],
)
def test_an_address_has_one_spelling(still: Index, path: str) -> None:
    token = token_of(still)
    with still.unchanged():
        answer = post(still, path, token, CONFIRMED)
    assert refused(answer, 404) == "There is nothing here, or you may not see it."


@pytest.mark.parametrize("name", ["delete", "api", "yank", "journal", "1.0"])
def test_a_project_may_be_called_as_a_verb_is(site: Index, name: str) -> None:
    site.project(name)
    token = token_of(site)
    assert get(site, name, token).status == 200
    refused(post(site, f"{name}/@@delete", token, CONFIRMED), 404)
    assert done(post(site, f"{name}/delete", token, CONFIRMED))


# -- what is sent -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"reason=broken+%E2%84%967"),
        (f"{FORM}; charset=UTF-8", b"reason=broken%20%E2%84%967"),
        ("application/json", b'{"reason": "broken \xe2\x84\x967"}'),
        ("application/json; charset=utf-8", rb'{"reason": "broken \u21167"}'),
    ],
)
def test_fields_come_as_a_form_or_as_json(site: Index, content_type: str, body: bytes) -> None:
    assert done(post(site, "demo/1.0/yank", token_of(site, Scope.YANK), body, content_type))
    assert set(yanked(site, "1.0").values()) == {"broken №7"}


@pytest.mark.parametrize("content_type", ["", FORM, "application/json", "text/plain"])
def test_a_change_without_fields_needs_no_body(site: Index, content_type: str) -> None:
    answer = post(site, "demo/1.0/yank", token_of(site, Scope.YANK), b"", content_type)
    assert done(answer)
    assert set(yanked(site, "1.0").values()) == {""}


@pytest.mark.parametrize(
    ("content_type", "body", "status", "problem"),
    [
        (FORM, b"reasons=x", 400, "'reasons' is no field of this address. Its fields: reason."),
        (FORM, b"reason=x&reason=y", 400, "reason: sent more than once."),
        (FORM, b"reason=%ff", 400, "What was sent is not UTF-8."),
        (FORM, b"reason=\xff", 400, "What was sent is not UTF-8."),
        (FORM, b"reason=a%0Ab", 400, "reason: write one line of at most 1000 characters"),
        (FORM, b"reason=%00", 400, "reason: write one line of at most 1000 characters"),
        (FORM, b"reason=" + b"x" * 1001, 400, "reason: write one line of at most 1000 characters"),
        (FORM, b"reason=" + b"x" * 100_000, 413, "The body may have at most 100000 bytes."),
        (
            f"{FORM}; charset=latin-1",
            b"reason=x",
            415,
            "Send the fields as application/x-www-form-urlencoded",
        ),
        ("", b"reason=x", 415, "Send the fields as application/x-www-form-urlencoded"),
        ("text/plain", b"reason=x", 415, "Send the fields as application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 415, "Send the fields as"),
        ("application/json", b"{", 400, "The body is no JSON."),
        ("application/json", b"\xff", 400, "What was sent is not UTF-8."),
        ("application/json", b"[" * 90_000, 400, "The body is no JSON."),
        ("application/json", b"9" * 90_000, 400, "The body is no JSON."),
        ("application/json", b'["reason"]', 400, "Send a JSON object, with a text for each field."),
        ("application/json", b"null", 400, "Send a JSON object, with a text for each field."),
        ("application/json", b'{"reason": 7}', 400, "reason: write it as text."),
        ("application/json", b'{"reason": {}}', 400, "reason: write it as text."),
        ("application/json", rb'{"reason": "\ud800"}', 400, "reason: write it as text."),
        ("application/json", rb'{"\ud800": "x"}', 400, r"'\ud800' is no field"),
        ("application/json", b'{"reason": "x", "reason": "y"}', 400, "reason: sent more than once."),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    still: Index, content_type: str, body: bytes, status: int, problem: str
) -> None:
    token = token_of(still, Scope.YANK)
    with still.unchanged():
        answer = post(still, "demo/1.0/yank", token, body, content_type)
    assert refused(answer, status).startswith(problem)


@pytest.mark.parametrize("path", ["demo/public", "demo/private", "demo/1.0/unyank"])
def test_an_address_without_fields_takes_none(still: Index, path: str) -> None:
    token = token_of(still)
    with still.unchanged():
        answer = post(still, path, token, {"who": "x"})
    assert refused(answer, 400) == "'who' is no field of this address. Its fields: none."


def test_who_may_not_is_told_so_before_anything_is_read(still: Index) -> None:
    token = token_of(still, Scope.READ)
    refused(post(still, "demo/1.0/yank", token, b"{", "application/json"), 403)


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_change_that_a_browser_sends_for_a_page_is_refused(
    still: Index, path: str, header: dict[str, str]
) -> None:
    fields, scope = CHANGES[path]
    token = token_of(still, scope)
    with still.unchanged():
        answer = post(still, path, token, fields, **header)
    assert "takes no change that a browser sends" in refused(answer, 403)


def test_what_a_browser_asks_for_by_itself_is_answered(still: Index) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = still.ask("GET", "/api/projects/demo", None, token=token_of(still, Scope.READ), headers=headers)
    assert said(answer)["name"] == "demo"
