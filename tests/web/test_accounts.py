"""The page of one account, for the administrators of the site."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from webtest import TestApp

from support.providers import Corp
from warehouse14.domain.access import operator
from warehouse14.domain.arrivals import Arrival
from warehouse14.domain.errors import SignInFailed
from warehouse14.domain.model import Scope
from warehouse14.domain.names import Principal, ProviderName
from warehouse14.domain.services.arrivals import From
from warehouse14.testing.samples import ADA, sample_change, sample_vouched
from web.asking import SILENT_PROVIDER, Index
from web.test_groups import press
from web.test_pages import browser, form, row, sent

Opener = Callable[..., Index]

ISSUER = "https://login.example.org"


@pytest.fixture
def site(opener: Opener) -> Index:
    """Ada is in two groups of the site, and comes from Corp, too; Root administers the site."""
    index = opener(**SILENT_PROVIDER)
    for name in ("ada", "bob"):
        index.account(name)
    index.account("root", administrator=True)
    for name in ("crew", "team"):
        index.warehouse.groups.create(operator(), name, admin="ada" if name == "crew" else "bob")
        index.warehouse.groups.add(operator(), name, "ada", admin=name == "crew")
    index.warehouse.groups.create(operator(), "others", admin="bob")
    join(index, "ada", "7")
    return index


def join(site: Index, account: str, subject: str) -> None:
    site.warehouse.arrivals.join_known(
        operator(), account, provider=ProviderName("corp"), issuer=ISSUER, subject=subject
    )


def page_of(site: Index, name: str = "ada") -> Any:
    return browser(site, "root").get(f"/admin/accounts/{name}/")


def facts(page: Any) -> dict[str, str]:
    found = [each.get_text(" ", strip=True) for each in page.html.select("dl.facts > *")]
    return dict(zip(found[::2], found[1::2], strict=True))


def part_of(page: Any, heading: str) -> str:
    (section,) = page.html.select(f"section[aria-labelledby={heading}]")
    return " ".join(section.get_text(" ").split())


def test_the_list_leads_to_the_page_of_each_account(site: Index) -> None:
    page = browser(site, "root").get("/admin/").click("ada")
    assert page.request.path == "/admin/accounts/ada/"
    assert page.html.h1.get_text() == "ada"


@pytest.mark.parametrize("given", ["/admin/accounts/ada", "/admin/accounts/ADA/"])
def test_the_page_has_one_address(site: Index, given: str) -> None:
    answer = browser(site, "root").get(given)
    assert (answer.status_int, answer.location) == (301, "http://index.example/admin/accounts/ada/")


def test_the_page_says_what_an_account_is(site: Index) -> None:
    found = facts(page_of(site))
    assert (found["Kind"], found["State"]) == ("account", "nobody has signed in yet")
    assert found["Last sign-in"] == "never"
    assert "Address" not in found
    with site.warehouse.units.write() as unit:
        unit.accounts.set_signed_in(ADA, site.clock(), vouched=sample_vouched())
        unit.journal.append(sample_change(account=ADA))
    page = page_of(site)
    found = facts(page)
    assert (found["Last sign-in"], found["Address"]) == ("2026-03-04 05:06 UTC", "ada@example.org")
    assert part_of(page, "groups") == "Groups crew admin team corp/Größe, rot corp/platform"
    assert facts(page_of(site, "root"))["Kind"] == "administrator"


def test_whom_a_provider_keeps_out_is_said_to_be_kept_out(site: Index) -> None:
    out = sample_vouched(kept_out=frozenset({ProviderName("corp")}), groups=frozenset[Principal]())
    with site.warehouse.units.write() as unit:
        unit.accounts.set_vouched(ADA, out)
        unit.journal.append(sample_change(account=ADA))
    found = facts(page_of(site))
    assert (found["State"], found["Kept out by the rules for"]) == ("kept out", "corp")
    assert "kept out" in row(browser(site, "root").get("/admin/"), "ada")


def test_whom_the_rules_kept_out_is_let_in_again_until_they_fail_them_again(site: Index) -> None:
    where, text = From(ProviderName("corp"), "Corp", "192.0.2.7"), site.mint("ada")
    fails = Arrival(ISSUER, "7", None, None, frozenset(), "This site is not for you.", None, "e30")
    for _ in range(2):
        with pytest.raises(SignInFailed):
            site.warehouse.arrivals.sign_in(where, fails)
        assert site.ask("GET", "/simple/", token=text).status == 401
        page = page_of(site)
        assert facts(page)["Kept out by the rules for"] == "corp"
        for button in (
            form(page, "/ada/@@enable"),
            form(browser(site, "root").get("/admin/"), "/ada/@@enable"),
        ):
            assert "Let in again" in button.text
        page = sent(page, "/ada/@@enable")
        assert facts(page)["State"] != "kept out"
        assert "Let in again" not in page
        assert site.ask("GET", "/simple/", token=text).status == 200
    passes = replace(fails, refusal=None)
    assert site.warehouse.arrivals.sign_in(where, passes).account.name == "ada"


def test_what_an_account_did_is_one_click_away(site: Index) -> None:
    site.browse("POST", "/groups/@@new", "ada", {"name": "adas"})
    page = page_of(site).click("What ada did")
    said = [cell.get_text() for cell in page.html.select("td[data-label=What]")]
    assert said == ["ada created the group adas"]


def test_an_account_is_disabled_enabled_and_given_a_new_password(site: Index) -> None:
    page = sent(page_of(site), "/ada/@@disable")
    assert page.request.path == "/admin/accounts/ada/"
    assert "ada is disabled." in page
    assert facts(page)["State"] == "disabled"
    page = sent(page, "/ada/@@enable")
    assert "ada is enabled." in page
    assert "A new password for ada" in sent(page, "/ada/@@reset", 200)
    assert facts(page_of(site))["State"] == "first password not replaced yet"


def test_ones_own_account_is_changed_elsewhere(site: Index) -> None:
    page = page_of(site, "root")
    for word in ("@@disable", "@@reset", "@@sessions", "@@promote", "@@demote"):
        assert word not in page
    assert page.click("the page of your own account").request.path == "/account/"
    refused = site.browse("POST", "/admin/accounts/root/@@disable", "root")
    assert refused.status == 400
    assert "it stays enabled" in refused.text
    refused = site.browse("POST", "/admin/accounts/root/@@demote", "root")
    assert refused.status == 400
    assert "it stays an administrator" in refused.text


def test_the_rank_of_an_administrator_is_given_and_taken_away(site: Index) -> None:
    page = sent(page_of(site), "/ada/@@promote")
    assert "ada is an administrator now." in page
    assert facts(page)["Kind"] == "administrator"
    assert "@@promote" not in page
    page = sent(page, "/ada/@@demote")
    assert "ada is no administrator any more." in page
    assert facts(page)["Kind"] == "account"


def test_the_rank_counts_at_the_next_request_of_a_session_and_of_a_token(site: Index) -> None:
    app, text = browser(site), site.mint("ada")
    accounts, tokens = site.warehouse.accounts, site.warehouse.tokens
    assert app.get("/admin/", expect_errors=True).status_int == 403
    assert not tokens.identify(text).administrator
    accounts.set_administrator(operator(), "ada", administrator=True)
    assert app.get("/admin/").status_int == 200
    assert tokens.identify(text).administrator
    accounts.set_administrator(operator(), "ada", administrator=False)
    assert app.get("/admin/", expect_errors=True).status_int == 403
    assert not tokens.identify(text).administrator


def test_a_rank_by_the_settings_is_said_to_be_one_and_stays(opener: Opener) -> None:
    index = opener(administrators="ada")
    index.account("ada")
    index.account("root", administrator=True)
    page = page_of(index)
    assert facts(page)["Kind"] == "administrator, by the setting warehouse14.administrators"
    for word in ("@@promote", "@@demote"):
        assert word not in page
    refused = index.browse("POST", "/admin/accounts/ada/@@demote", "root")
    assert refused.status == 400
    assert "The settings of this site make ada an administrator." in refused.text


# -- ways to sign in --------------------------------------------------------------------------


@pytest.fixture
def answering(corp: Corp, opener: Opener) -> Index:
    """Two accounts and an administrator, and a provider that says what it is called."""
    metadata = f"{corp.issuer}/.well-known/openid-configuration"
    index = opener(
        **{
            **SILENT_PROVIDER,
            "sign_in.corp.server_metadata_url": metadata,
            "sign_in.corp.title": "Corp",
        }
    )
    for name in ("ada", "bob"):
        index.account(name)
    index.account("root", administrator=True)
    return index


def filled(page: Any, subject: str = "8", status: int = 303) -> Any:
    return sent(page, "@@join", status, provider="corp", subject=subject)


def test_somebody_at_a_provider_is_joined_under_what_it_calls_itself_and_parted(
    corp: Corp, answering: Index
) -> None:
    page = filled(page_of(answering))
    assert "8 now signs in to the account ada." in page
    assert row(page, "Corp").startswith(f"Corp 8 {corp.issuer} ")
    (login,) = answering.warehouse.arrivals.joined(operator(), "ada")
    assert (login.provider, login.issuer, login.subject) == ("corp", corp.issuer, "8")
    assert "8 signed in already to the account ada." in filled(page)
    assert "9 now signs in to the account ada." in filled(page, "9")
    for subject in ("8", "9"):
        page = press(page_of(answering), "@@part", subject=subject).follow()
        assert "That way to sign in to ada is closed." in page
    assert "There is none yet." in part_of(page, "ways")


def test_somebody_who_is_another_account_is_not_joined_and_the_page_says_which(answering: Index) -> None:
    assert "8 now signs in to the account bob." in filled(page_of(answering, "bob"))
    page = filled(page_of(answering), status=409)
    assert "is bob. Part them there first." in page
    assert form(page, "@@join")["subject"].value == "8"
    assert answering.warehouse.arrivals.joined(operator(), "ada") == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"provider": "other", "subject": "8"}, "Provider: choose one of those that are offered."),
        ({"provider": "corp", "subject": "\x1b"}, "Subject: use 1 to 255 printable characters."),
    ],
)
def test_a_person_who_cannot_be_is_refused_in_words(
    answering: Index, fields: dict[str, str], says: str
) -> None:
    answer = answering.browse("POST", "/admin/accounts/ada/@@join", "root", fields)
    assert answer.status == 400
    assert says in answer.text


def test_nobody_is_joined_while_the_provider_does_not_say_what_it_is_called(site: Index) -> None:
    page = filled(page_of(site), status=503)
    assert "127.0.0.1 does not answer as it should" in page
    assert [login.subject for login in site.warehouse.arrivals.joined(operator(), "ada")] == ["7"]


def test_an_administrator_keeps_the_only_way_in_of_their_own(site: Index) -> None:
    site.account("eve", administrator=True)
    join(site, "eve", "1")
    arrival = Arrival(ISSUER, "1", None, None, frozenset(), None, None, "e30")
    begun = site.warehouse.arrivals.sign_in(From(ProviderName("corp"), "Corp", "192.0.2.7"), arrival)
    app = TestApp(site.app, extra_environ={"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "index.example"})
    app.set_cookie("warehouse14-session", begun.secret)
    page = press(app.get("/admin/accounts/eve/"), "@@part", subject="1")
    assert page.status_int == 400
    assert "It is the only way in that you have." in page


def test_without_providers_there_is_no_form_to_join(opener: Opener) -> None:
    index = opener()
    index.account("ada")
    index.account("root", administrator=True)
    page = page_of(index)
    assert "@@join" not in page
    fields = {"provider": "corp", "subject": "8"}
    answer = index.browse("POST", "/admin/accounts/ada/@@join", "root", fields)
    assert answer.status == 400


# -- browsers and tokens ------------------------------------------------------------------------


def test_the_browsers_of_an_account_are_counted_and_signed_out_at_once(site: Index) -> None:
    assert "There are none." in part_of(page_of(site), "sessions")
    app = browser(site)
    page = page_of(site)
    assert "1, the last one seen" in part_of(page, "sessions")
    page = sent(page, "@@sessions")
    assert "ada is signed out in all browsers." in page
    assert app.get("/account/", expect_errors=True).status_int == 303


def test_the_tokens_of_an_account_are_listed_and_revoked_and_none_is_made(site: Index) -> None:
    kept, ended = site.mint("ada", scopes={Scope.UPLOAD}), site.mint("ada")
    page = page_of(site)
    assert "upload" in row(page, kept[5:15])
    for word in ("Rotate", "@@token-rotate", "Make the token"):
        assert word not in page
    page = press(page, "@@token-revoke", token=ended[5:15]).follow()
    assert "The token is revoked." in page
    assert ended[5:15] not in page
    assert site.ask("GET", "/simple/", token=ended).status == 401
    assert site.ask("GET", "/simple/", token=kept).status == 200


def test_the_form_of_an_account_revokes_its_own_tokens_alone(site: Index) -> None:
    site.project("demo")
    others = site.mint("bob"), site.warehouse.tokens.mint(operator(), name="x", service="project:demo").text
    for text in others:
        answer = site.browse("POST", "/admin/accounts/ada/@@token-revoke", "root", {"token": text[5:15]})
        assert answer.status == 404
        assert site.ask("GET", "/simple/", token=text).status == 200


def test_a_service_has_no_page(site: Index) -> None:
    site.warehouse.tokens.mint(operator(), name="x", service="group:crew")
    assert site.browse("GET", "/admin/accounts/group:crew/", "root").status == 404
