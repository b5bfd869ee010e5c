"""People sign in through an identity provider, by a real browser's steps, to a real server."""

import itertools
import re

import pytest
import requests

from support.providers import Browser, Corp, NewServer
from support.servers import Server
from support.sites import PASSWORD

_NUMBERS = itertools.count(1)
_TOKEN = re.compile(r"wh14_[A-Za-z0-9]{20,}")


@pytest.fixture(scope="module")
def server(corp: Corp, new_server: NewServer) -> Server:
    """A site with passwords of its own, and with the company's people."""
    return new_server("local oidc:corp", {"corp": corp})


@pytest.fixture(scope="module")
def strict_server(corp: Corp, new_server: NewServer) -> Server:
    """A site for the people of one domain, and of one group."""
    return new_server(
        "oidc:corp", {"corp": corp}, allowed_domains="example.org, example.net", allowed_groups="staff"
    )


def new_name() -> str:
    return f"noor{next(_NUMBERS)}"


def signed_in(corp: Corp, server: Server, name: str | None = None) -> tuple[Browser, str]:
    """Return the browser of somebody new, and the name of their account."""
    name = name or new_name()
    corp.sign_in(corp.person(name))
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.url == f"{server.url}/", answer.text
    return browser, f"{name}@example.org"


def token_of(browser: Browser) -> str:
    """Return a new token of whoever is signed in."""
    answer = browser.post(
        "/account/@@token", page="/account/", name="laptop", scope="read", project="", days="30"
    )
    found = _TOKEN.search(answer.text)
    assert found is not None, answer.text
    return found[0]


def is_taken(server: Server, token: str) -> bool:
    answer = requests.get(f"{server.url}/simple/", auth=("__token__", token), timeout=60)
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def account_page(browser: Browser) -> str:
    """Return the account page of whoever is signed in, or "" for nobody."""
    answer = browser.get("/account/")
    return answer.text if answer.url.endswith("/account/") else ""


def test_the_sign_in_page_has_a_way_for_each_and_leads_back_to_the_page_that_was_asked_for(
    corp: Corp, server: Server
) -> None:
    corp.sign_in(corp.person(new_name()))
    browser = Browser(server)
    page = browser.get("/projects/?q=a b&page=2")
    assert 'name="password"' in page.text
    link = re.search(r'href="(/oauth/corp/@@start\?[^"]*)">Sign in with Corp', page.text)
    assert link is not None
    answer = browser.get(link[1].replace("&amp;", "&"))
    assert answer.url == f"{server.url}/projects/?q=a%20b&page=2"


@pytest.mark.parametrize("goal", ["//evil.example.org/", "https://evil.example.org/", "/\\evil.example.org"])
def test_nobody_is_led_elsewhere_after_the_sign_in(corp: Corp, server: Server, goal: str) -> None:
    corp.sign_in(corp.person(new_name()))
    answer = Browser(server).get("/oauth/corp/@@start", params={"next": goal})
    assert answer.url == f"{server.url}/"


def test_the_first_sign_in_makes_an_account_and_the_second_finds_it(corp: Corp, server: Server) -> None:
    browser, name = signed_in(corp, server)
    assert f"<h1>{name}</h1>" in account_page(browser)
    again = Browser(server)
    again.get("/oauth/corp/@@start")
    assert f"<h1>{name}</h1>" in account_page(again)
    added = [account for account in server.site.command("account", "list").splitlines() if name in account]
    assert len(added) == 1


def test_somebody_whose_address_changes_keeps_their_account(corp: Corp, server: Server) -> None:
    person = corp.person(new_name())
    corp.sign_in(person)
    browser = Browser(server)
    browser.get("/oauth/corp/@@start")
    name = f"{person.user_name}@example.org"
    with corp.server.app.app_context():
        person.emails = [f"{new_name()}@elsewhere.example.org"]
        corp.server.backend.save(person)
    browser = Browser(server)
    browser.get("/oauth/corp/@@start")
    assert f"<h1>{name}</h1>" in account_page(browser)


def test_a_new_session_begins_with_a_cookie_of_its_own(corp: Corp, server: Server) -> None:
    browser = Browser(server)
    browser.get("/login")
    before = {cookie.value for cookie in browser.session.cookies}
    corp.sign_in(corp.person(new_name()))
    browser.get("/oauth/corp/@@start")
    (now,) = [cookie for cookie in browser.session.cookies if cookie.name == "warehouse14-session"]
    assert now.value not in before
    assert now.has_nonstandard_attr("HttpOnly")
    assert [cookie.name for cookie in browser.session.cookies if "journey" in cookie.name] == []


def test_somebody_who_is_signed_in_is_not_sent_to_the_provider_again(corp: Corp, server: Server) -> None:
    browser, _ = signed_in(corp, server)
    answer = browser.get("/oauth/corp/@@start?next=/account/")
    assert [step.url for step in answer.history] == [f"{server.url}/oauth/corp/@@start?next=/account/"]


def test_a_name_that_is_taken_is_refused_with_what_to_do(corp: Corp, server: Server) -> None:
    name = new_name()
    server.site.command("account", "add", f"{name}@example.org", "--password-stdin", typed=PASSWORD)
    corp.sign_in(corp.person(name))
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403
    assert f"The name {name}@example.org belongs to another account" in answer.text
    assert f"to Corp you are {name}" in answer.text
    assert account_page(browser) == ""


def test_the_owner_of_an_account_joins_the_provider_to_it_and_parts_it_again(
    corp: Corp, server: Server
) -> None:
    name = new_name()
    server.site.command("account", "add", name, "--password-stdin", typed=PASSWORD)
    corp.sign_in(corp.person(f"p{name}"))
    browser = Browser(server)
    browser.post("/login", name=name, password=PASSWORD)
    joined = browser.post("/oauth/corp/@@join", page="/account/")
    assert joined.url == f"{server.url}/account/"
    assert "You can sign in through Corp now." in joined.text
    by_corp = Browser(server)
    by_corp.get("/oauth/corp/@@start")
    assert f"<h1>{name}</h1>" in account_page(by_corp)
    parted = browser.post("/account/@@part", page="/account/", issuer=corp.issuer, subject=f"p{name}")
    assert "That way to sign in is closed." in parted.text
    assert account_page(by_corp) == ""
    Browser(server).get("/oauth/corp/@@start")
    assert f"p{name}@example.org" in server.site.command("account", "list")


def test_the_only_way_in_cannot_be_parted(corp: Corp, server: Server) -> None:
    browser, name = signed_in(corp, server)
    subject = name.partition("@")[0]
    assert "@@part" not in account_page(browser)
    answer = browser.post("/account/@@part", page="/account/", issuer=corp.issuer, subject=subject)
    assert answer.status_code == 400
    assert "It is the only way in that you have." in answer.text
    assert account_page(browser) != ""


def test_who_is_joined_to_one_account_is_not_joined_to_another(corp: Corp, server: Server) -> None:
    _, theirs = signed_in(corp, server)
    name = new_name()
    server.site.command("account", "add", name, "--password-stdin", typed=PASSWORD)
    browser = Browser(server)
    browser.post("/login", name=name, password=PASSWORD)
    answer = browser.post("/oauth/corp/@@join", page="/account/")
    assert answer.status_code == 403
    assert "That person is joined to another account of this site." in answer.text
    assert theirs not in answer.text


def test_joining_takes_a_form_and_the_session_that_sent_it(corp: Corp, server: Server) -> None:
    name = new_name()
    server.site.command("account", "add", name, "--password-stdin", typed=PASSWORD)
    corp.sign_in(corp.person(f"p{name}"))
    browser = Browser(server)
    browser.post("/login", name=name, password=PASSWORD)
    assert browser.session.post(f"{server.url}/oauth/corp/@@join", timeout=60).status_code == 400
    assert browser.get("/oauth/corp/@@join").status_code == 405
    # Who is another person by the time of the answer gets nobody joined.
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', browser.get("/account/").text)
    assert token is not None
    away = browser.session.post(
        f"{server.url}/oauth/corp/@@join", data={"csrf_token": token[1]}, allow_redirects=False, timeout=60
    )
    back = requests.get(away.headers["Location"], allow_redirects=False, timeout=60).headers["Location"]
    browser.post("/logout", page="/account/")
    browser.post("/login", name="ada", password=PASSWORD)
    answer = browser.session.get(back, timeout=60)
    assert answer.status_code == 403
    assert "You are no longer signed in to the account that was to be joined." in answer.text


def test_signing_out_ends_the_session_here_and_at_the_provider(corp: Corp, server: Server) -> None:
    browser, _ = signed_in(corp, server)
    cookie = {cookie.name: cookie.value for cookie in browser.session.cookies}["warehouse14-session"]
    answer = browser.post("/logout", page="/account/")
    steps = [step.url for step in answer.history]
    assert any(url.startswith(f"{corp.issuer}/oauth/end_session?id_token_hint=") for url in steps), steps
    assert answer.url.startswith(f"{server.url}/login")
    assert "You are signed out." in answer.text
    browser.session.cookies.set("warehouse14-session", cookie)
    assert account_page(browser) == ""


def test_the_security_policy_lets_a_form_lead_to_the_provider_and_nowhere_else(
    corp: Corp, server: Server
) -> None:
    policy = Browser(server).get("/login").headers["Content-Security-Policy"]
    assert f"form-action 'self' {corp.issuer};" in policy
    assert "unsafe" not in policy


def test_a_disabled_account_is_not_signed_in_through_a_provider(corp: Corp, server: Server) -> None:
    browser, name = signed_in(corp, server)
    server.site.command("account", "disable", name)
    assert account_page(browser) == ""
    answer = Browser(server).get("/oauth/corp/@@start")
    assert answer.status_code == 403
    assert "Your account is disabled." in answer.text


def test_a_site_without_passwords_of_its_own_asks_for_none_and_takes_none(
    corp: Corp, strict_server: Server
) -> None:
    browser = Browser(strict_server)
    page = browser.get("/login").text
    assert "Sign in with Corp" in page
    assert 'name="password"' not in page
    forged = browser.session.post(
        f"{strict_server.url}/login", data={"name": "ada", "password": PASSWORD}, timeout=60
    )
    assert forged.status_code in {400, 404}
    assert account_page(browser) == ""


def test_only_the_allowed_domains_and_groups_get_in(corp: Corp, strict_server: Server) -> None:
    staff = corp.person(new_name())
    elsewhere = corp.person(new_name(), emails=[f"{new_name()}@example.org.evil.example.com"])
    behind = corp.person(new_name(), emails=[f"{new_name()}@sub.example.org"])
    outsider = corp.person(new_name())
    corp.group("staff", staff, elsewhere, behind)
    for person, text in (
        (staff, None),
        (elsewhere, "This site is not for addresses like"),
        (behind, "This site is not for addresses like"),
        (outsider, "You are in none of the groups at Corp that this site is for."),
    ):
        corp.sign_in(person)
        answer = Browser(strict_server).get("/oauth/corp/@@start")
        assert answer.status_code == (200 if text is None else 403), answer.text
        assert text is None or text in answer.text


def test_who_no_longer_passes_is_signed_out_and_their_tokens_end_until_they_pass_again(
    corp: Corp, strict_server: Server
) -> None:
    person = corp.person(new_name())
    group = corp.group("staff", person)
    corp.sign_in(person)
    browser = Browser(strict_server)
    assert browser.get("/oauth/corp/@@start").ok
    token = token_of(browser)
    assert is_taken(strict_server, token)
    with corp.server.app.app_context():
        group.members = []
        corp.server.backend.save(group)
    assert is_taken(strict_server, token)
    assert Browser(strict_server).get("/oauth/corp/@@start").status_code == 403
    assert not is_taken(strict_server, token)
    assert account_page(browser) == ""
    with corp.server.app.app_context():
        group.members = [person]
        corp.server.backend.save(group)
    assert Browser(strict_server).get("/oauth/corp/@@start").ok
    assert is_taken(strict_server, token)


def test_no_secret_of_a_sign_in_stands_in_the_log_or_on_a_page(corp: Corp, server: Server) -> None:
    browser, _ = signed_in(corp, server)
    shown = account_page(browser) + server.log()
    for secret in (corp.secrets[-1], "eyJ0", "id_token", "code_verifier"):
        assert secret not in shown
