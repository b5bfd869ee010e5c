"""A provider that is down, slow, or sends what cannot be relied upon signs nobody in, and says so."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from support.providers import Browser, Corp, NewServer
from support.servers import Server, wait_until
from support.tampering import Claims, TamperedCorp, Wrongs

pytestmark = pytest.mark.thorough

Break = Callable[[TamperedCorp], Wrongs]

#: How many a server has, as development.ini says.
_THREADS = 8
#: How many of them are with one provider at most, or wait for it.
_AT_A_PROVIDER = 3
_OTHERS = RSAKey.generate_key(2048)
_OTHERS.ensure_kid()


@pytest.fixture(scope="module")
def tampered(corp: Corp) -> Iterator[TamperedCorp]:
    with TamperedCorp(corp) as standing_before:
        yield standing_before


@pytest.fixture(scope="module")
def careful_server(tampered: TamperedCorp, new_server: NewServer) -> Server:
    """A site that takes the provider's word for no address that it does not call verified."""
    return new_server("oidc:corp", {"corp": tampered}, trust_email=False)


@pytest.fixture(scope="module")
def one_server(tampered: TamperedCorp, new_server: NewServer) -> Server:
    return new_server("local oidc:corp", {"corp": tampered})


@pytest.fixture
def server(one_server: Server, tampered: TamperedCorp) -> Server:
    tampered.wrongs = Wrongs()
    tampered.forget_codes()
    tampered.sign_in(tampered.person(f"p{time.monotonic_ns()}"))
    return one_server


@pytest.fixture
def careful(careful_server: Server, server: Server) -> Server:
    return careful_server


def lines(server: Server, *parts: str) -> list[str]:
    """Return the lines of the log that hold all ``parts``."""
    return [line for line in server.log().splitlines() if all(part in line for part in parts)]


def accounts(server: Server) -> list[str]:
    with server.site.library() as warehouse:
        return [account.name for account in warehouse.accounts.listed(warehouse.operator())]


def answered(browser: Browser, corp: Corp, name: str = "corp") -> requests.Response:
    """Return what the site says to a code that the provider has never sent."""
    away = browser.get(f"/oauth/{name}/@@start", allow_redirects=False).headers["Location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    answer = {"code": "nonsense", "state": state, "iss": corp.issuer}
    return browser.get(f"/oauth/{name}", params=answer)


def part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(header: Mapping[str, str], claims: Claims) -> str:
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}."


def signed_with_a_shared_secret(header: Mapping[str, str], claims: Claims) -> str:
    key = OctKey.import_key("a-secret-that-an-attacker-may-know-too")
    return jws.serialize_compact({**header, "alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])


def changed(**claims: object) -> Break:
    return lambda _: Wrongs(claims=lambda found: found.update(claims))


def without(name: str) -> Break:
    return lambda _: Wrongs(claims=lambda found: found.pop(name, None))


def old(seconds: int) -> Break:
    def age(claims: Claims) -> None:
        claims["iat"] = int(time.time()) - seconds - 60
        claims["exp"] = int(time.time()) - seconds

    return lambda _: Wrongs(claims=age)


#: Nested more deeply than anybody reads.
DEEP = f'{{"a": {"[" * 20_000}{"]" * 20_000}}}'

#: What no name is, of whatever it may be.
NO_NAMES = {
    "a lone surrogate": "\ud800",
    "a NUL": "a\0b",
    "two lines": "x\nINFO forged",
    "a terminal's escape": "\x1b[2J",
    "256 characters": "x" * 256,
    "a list": ["x"],
}

UNRELIABLE: dict[str, tuple[Break, str]] = {
    "another issuer": (changed(iss="https://elsewhere.example.org"), "iss"),
    "another audience": (changed(aud="somebody-else"), "aud"),
    "several audiences without azp": (lambda c: Wrongs(claims=_with_more_audiences), "azp"),
    "expired": (old(300), "expired"),
    "made in the future": (changed(iat=4_000_000_000, exp=4_000_000_900), "future"),
    "never ends": (without("exp"), "exp"),
    "of nobody": (without("sub"), "sub"),
    "of an empty subject": (changed(sub=""), "sub"),
    "of a subject that is no text": (changed(sub=7), "sub"),
    "without a nonce": (without("nonce"), "nonce"),
    "with another nonce": (changed(nonce="another"), "nonce"),
    "unsigned": (lambda _: Wrongs(signs=unsigned), "alg"),
    "signed with a shared secret": (lambda _: Wrongs(signs=signed_with_a_shared_secret), "alg"),
    "signed by another": (lambda _: Wrongs(key=_OTHERS), "no key"),
    "signed by another with the right name of the key": (
        lambda corp: Wrongs(key=_OTHERS, header={"kid": corp.own_key.kid or ""}),
        "no key",
    ),
    "no token": (lambda _: Wrongs(signs=lambda header, claims: "nonsense"), "signed"),
    "no claims": (lambda corp: Wrongs(signs=lambda header, claims: _signed_text(corp, header)), "no key"),
    "claims that are nested too deeply": (
        lambda corp: Wrongs(signs=lambda header, claims: _signed_text(corp, header, DEEP)),
        "no key",
    ),
    "ends at no time": (changed(exp=[1]), "exp"),
    "ends after all time": (changed(exp=float("inf")), "exp"),
    **{f"of a subject that is {kind}": (changed(sub=text), "sub") for kind, text in NO_NAMES.items()},
    **{f"of a session that is {kind}": (changed(sid=text), "sid") for kind, text in NO_NAMES.items()},
}


def _with_more_audiences(claims: Claims) -> None:
    claims["aud"] = [*claims["aud"], "somebody-else"]
    claims.pop("azp", None)


def _signed_text(corp: TamperedCorp, header: Mapping[str, str], text: str = "[1, 2]") -> str:
    return jws.serialize_compact(dict(header), text, corp.own_key, algorithms=["RS256"])


def test_what_stands_between_changes_nothing_by_itself(server: Server) -> None:
    assert Browser(server).get("/oauth/corp/@@start?next=/account/").url == f"{server.url}/account/"


@pytest.mark.parametrize("wrong", UNRELIABLE)
def test_an_id_token_that_cannot_be_relied_upon_signs_nobody_in(
    server: Server, tampered: TamperedCorp, wrong: str
) -> None:
    breaking, reason = UNRELIABLE[wrong]
    tampered.wrongs = breaking(tampered)
    known = accounts(server)
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403, answer.text
    assert "What the identity provider says cannot be relied upon." in answer.text
    assert "Traceback" not in server.log()
    (line,) = lines(server, "a sign-in through corp", browser.origin)
    assert reason in line.partition("cannot be relied upon")[2]
    assert browser.get("/account/").url == f"{server.url}/login?next=%2Faccount%2F"
    assert accounts(server) == known


UNVERIFIED: dict[str, dict[str, object]] = {
    **{f"it is {kind}": {"email": text} for kind, text in NO_NAMES.items()},
    "its name is two lines": {"email": "x\nINFO forged@example.org"},
    "its name has a NUL": {"email": "a\0b@example.org"},
    "a list says so": {"email_verified": [True]},
    "an object says so": {"email_verified": {"a": "true"}},
    "a number says so": {"email_verified": 1},
}


@pytest.mark.parametrize("wrong", UNVERIFIED)
def test_an_address_that_is_none_or_that_nobody_verified_names_no_account(
    careful: Server, tampered: TamperedCorp, wrong: str
) -> None:
    tampered.wrongs = changed(**{"email_verified": True, **UNVERIFIED[wrong]})(tampered)
    known = accounts(careful)
    browser = Browser(careful)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403, answer.text
    assert "Corp does not say what your account is to be called" in answer.text
    assert "Traceback" not in careful.log()
    assert len(lines(careful, "a sign-in through corp", browser.origin)) == 1
    assert accounts(careful) == known


def test_an_address_that_is_verified_names_the_account(careful: Server, tampered: TamperedCorp) -> None:
    tampered.wrongs = changed(email_verified=True)(tampered)
    assert Browser(careful).get("/oauth/corp/@@start").url == f"{careful.url}/"


@pytest.mark.parametrize(
    ("said", "told", "is_let_in"),
    [
        ({"email_verified": True}, {"email_verified": False}, False),
        ({"email_verified": True}, {}, False),
        ({}, {"email_verified": True}, True),
    ],
)
def test_an_address_that_is_told_on_request_is_verified_there_or_not_at_all(
    careful: Server,
    tampered: TamperedCorp,
    said: dict[str, bool],
    told: dict[str, bool],
    is_let_in: bool,
) -> None:
    subject = f"p{time.monotonic_ns()}"
    tampered.sign_in(tampered.person(subject))

    def change(claims: Claims) -> None:
        claims.pop("email", None)
        claims.update(said)

    page = {"sub": subject, "email": f"{subject}@example.org", **told}
    tampered.wrongs = Wrongs(claims=change, pages={"/userinfo": (200, json.dumps(page))})
    answer = Browser(careful).get("/oauth/corp/@@start")
    assert answer.status_code == (200 if is_let_in else 403), answer.text
    assert (f"{subject}@example.org" in accounts(careful)) is is_let_in


@pytest.mark.parametrize("named", ["of its metadata", "with a slash at its end"])
def test_people_are_known_by_what_the_provider_calls_itself_to_the_letter(
    server: Server, tampered: TamperedCorp, new_server: NewServer, named: str
) -> None:
    end = "" if named == "of its metadata" else "/"
    before, after = (f"iss={quote(tampered.issuer + each, safe='')}" for each in ("", end))
    tampered.wrongs = Wrongs(
        claims=lambda claims: claims.update(iss=tampered.issuer + end),
        discovery=lambda metadata: metadata.update(issuer=tampered.issuer + end),
        answer=lambda url: url.replace(before, after),
    )
    restarted = new_server("oidc:corp", {"corp": tampered})
    restarted.site.command("account", "add", "noor")
    subject = f"p{time.monotonic_ns()}"
    restarted.site.command("account", "join", "noor", "--provider", "corp", "--subject", subject)
    tampered.sign_in(tampered.person(subject))
    browser = Browser(restarted)
    assert browser.get("/oauth/corp/@@start").ok, restarted.log()
    assert "<h1>noor</h1>" in browser.get("/account/").text


@pytest.mark.parametrize("kind", NO_NAMES)
def test_a_group_that_has_no_name_is_passed_over_and_told_of_in_a_line(
    server: Server, tampered: TamperedCorp, kind: str
) -> None:
    tampered.wrongs = changed(groups=["staff", NO_NAMES[kind]])(tampered)
    known = len(lines(server, "1 of 2 are taken"))
    assert Browser(server).get("/oauth/corp/@@start").url == f"{server.url}/"
    assert len(lines(server, "1 of 2 are taken")) == known + 1


def test_what_a_provider_says_stands_in_the_log_as_one_line_of_bounded_length(
    server: Server, tampered: TamperedCorp
) -> None:
    said = {"error": "invalid_grant", "error_description": "x\nINFO forged \x1b[2J" + "x" * 5000}
    tampered.wrongs = Wrongs(pages={"/token": (400, json.dumps(said))})
    browser = Browser(server)
    assert answered(browser, tampered).status_code == 403
    (line,) = lines(server, browser.origin, "forged")
    assert "x\\nINFO forged \\x1b[2J" in line
    assert len(line) < 1500
    assert "\x1b" not in server.log()


SILENT: dict[str, Break] = {
    "its metadata are a page": lambda _: Wrongs(pages={"/openid-configuration": (200, "<h1>Hello</h1>")}),
    "its metadata are no object": lambda _: Wrongs(pages={"/openid-configuration": (200, "[]")}),
    "its metadata are gone": lambda _: Wrongs(pages={"/openid-configuration": (404, "{}")}),
    "its metadata are another's": lambda _: Wrongs(
        discovery=lambda found: found.update(issuer="https://elsewhere.example.org")
    ),
    "its metadata name no keys": lambda _: Wrongs(discovery=lambda found: found.pop("jwks_uri")),
    "its metadata lead where others listen": lambda _: Wrongs(
        discovery=lambda found: found.update(token_endpoint="http://login.example.org/token")
    ),
    "its metadata are endless": lambda _: Wrongs(
        pages={"/openid-configuration": (200, json.dumps({"issuer": "x" * 2_000_000}))}
    ),
    "its metadata take half a minute": lambda _: Wrongs(delay={"/openid-configuration": 30.0}),
    "its keys are a page": lambda _: Wrongs(pages={"/jwks.json": (200, "<h1>Hello</h1>")}),
    "its keys are none": lambda _: Wrongs(pages={"/jwks.json": (200, '{"keys": 7}')}),
    "its tokens are a page": lambda _: Wrongs(pages={"/token": (200, "<h1>Hello</h1>")}),
    "its tokens are an error": lambda _: Wrongs(pages={"/token": (502, "<h1>Bad gateway</h1>")}),
    "its tokens are without an ID": lambda _: Wrongs(
        pages={"/token": (200, '{"access_token": "x", "token_type": "Bearer"}')}
    ),
    "its tokens take half a minute": lambda _: Wrongs(delay={"/token": 30.0}),
    "it sends elsewhere": lambda _: Wrongs(pages={"/token": (307, "")}),
    "its metadata are nested too deeply": lambda _: Wrongs(pages={"/openid-configuration": (200, DEEP)}),
    "its metadata name an address that is none": lambda _: Wrongs(
        discovery=lambda found: found.update(authorization_endpoint="https://[")
    ),
    "its metadata name an address with a lone surrogate": lambda _: Wrongs(
        discovery=lambda found: found.update(authorization_endpoint="https://x/\ud800")
    ),
    "its keys are nested too deeply": lambda _: Wrongs(pages={"/jwks.json": (200, DEEP)}),
    "its tokens are nested too deeply": lambda _: Wrongs(pages={"/token": (200, DEEP)}),
    "its tokens are a list": lambda _: Wrongs(pages={"/token": (200, "[]")}),
    "its tokens are nothing": lambda _: Wrongs(pages={"/token": (200, "null")}),
    "its tokens last for a list": lambda _: Wrongs(
        pages={"/token": (200, '{"access_token": "x", "id_token": "x", "expires_in": [1]}')}
    ),
    "its tokens last for ever": lambda _: Wrongs(
        pages={"/token": (200, '{"access_token": "x", "id_token": "x", "expires_in": 1e999}')}
    ),
    "its tokens are no texts": lambda _: Wrongs(pages={"/token": (200, '{"id_token": 5}')}),
    "its tokens break the line": lambda _: Wrongs(
        pages={"/token": (200, '{"access_token": "x\\r\\ny", "id_token": "x"}')}
    ),
    "what it says of people is nested too deeply": lambda _: Wrongs(
        claims=lambda claims: claims.pop("email", None), pages={"/userinfo": (200, DEEP)}
    ),
}


@pytest.fixture(scope="module")
def silent_server(corp: Corp, new_server: NewServer) -> Iterator[Server]:
    """A server with one provider for each way to be silent."""
    with ExitStack() as standing:
        providers = {}
        for number, breaking in enumerate(SILENT.values()):
            tampered = standing.enter_context(TamperedCorp(corp))
            tampered.wrongs = breaking(tampered)
            providers[f"corp{number}"] = tampered
        yield new_server(" ".join(f"oidc:{name}" for name in providers), providers)


@pytest.mark.parametrize(("number", "wrong"), list(enumerate(SILENT)))
def test_a_provider_that_does_not_answer_as_it_should_is_named_on_a_page(
    corp: Corp, silent_server: Server, number: int, wrong: str
) -> None:
    corp.sign_in(corp.person(f"p{time.monotonic_ns()}"))
    began = time.monotonic()
    answer = Browser(silent_server).get(f"/oauth/corp{number}/@@start")
    assert time.monotonic() - began < 20, wrong
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), answer.text
    assert f"Corp{number} does not answer as it should" in answer.text
    wait_until(lambda: lines(silent_server, f"Corp{number} does not answer", "(http"))
    assert "Traceback" not in silent_server.log()
    assert answer.headers["Content-Security-Policy"]


@contextmanager
def crowd(visit: Callable[[], requests.Response]) -> Iterator[list[int]]:
    """As many visitors as a server has threads; a list of the answers that came, all when it ends."""
    done: list[int] = []
    waiting = [threading.Thread(target=lambda: done.append(visit().status_code)) for _ in range(_THREADS)]
    for each in waiting:
        each.start()
    yield done
    for each in waiting:
        each.join()


def test_many_who_wait_for_a_provider_that_is_silent_keep_nobody_else_waiting(
    corp: Corp, new_server: NewServer
) -> None:
    with TamperedCorp(corp) as silent:
        silent.wrongs = Wrongs(delay={"/openid-configuration": 30.0})
        server = new_server("local oidc:corp", {"corp": silent})
        with crowd(lambda: Browser(server).get("/oauth/corp/@@start")) as done:
            wait_until(lambda: len(done) >= _THREADS - _AT_A_PROVIDER)
            assert Browser(server).get("/login").status_code == 200
            assert len(done) <= _THREADS - _AT_A_PROVIDER
        assert done == [503] * _THREADS
        assert len(silent.asked) <= 2


def test_a_provider_that_is_down_is_not_asked_at_each_click(corp: Corp, new_server: NewServer) -> None:
    with TamperedCorp(corp) as down:
        down.wrongs = Wrongs(pages={"": (500, "down")})
        server = new_server("local oidc:corp", {"corp": down})
        for _ in range(10):
            assert Browser(server).get("/oauth/corp/@@start").status_code == 503
        assert len(down.asked) <= 3


def test_a_provider_that_is_slow_keeps_nobody_from_another(
    corp: Corp, tampered: TamperedCorp, new_server: NewServer
) -> None:
    with TamperedCorp(corp) as slow:
        server = new_server("oidc:slow oidc:corp", {"slow": slow, "corp": tampered})
        tampered.wrongs = Wrongs()
        slow.wrongs = Wrongs(delay={"/token": 30.0})
        with crowd(lambda: answered(Browser(server), slow, "slow")) as done:
            wait_until(lambda: len(done) >= _THREADS - _AT_A_PROVIDER)
            tampered.forget_codes()
            tampered.sign_in(tampered.person(f"p{time.monotonic_ns()}"))
            assert Browser(server).get("/oauth/corp/@@start").url == f"{server.url}/"
            assert len(done) < _THREADS
        assert done == [503] * _THREADS


def test_who_brings_codes_that_the_provider_does_not_take_is_slowed_and_nobody_else(
    server: Server, tampered: TamperedCorp
) -> None:
    guesser = Browser(server)
    for _ in range(19):
        assert answered(guesser, tampered).status_code == 403
    for _ in range(2):
        right = Browser(server, guesser.origin)
        assert right.get("/oauth/corp/@@start").url == f"{server.url}/", "a right one is counted"
    assert answered(guesser, tampered).status_code == 403
    # On a slow machine the first wait, of a second, is over before the next attempt.
    asked, answer = 0, answered(guesser, tampered)
    while answer.status_code == 403 and asked < 5:
        asked, answer = asked + 1, answered(guesser, tampered)
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    tampered.asked.clear()
    assert answered(guesser, tampered).status_code == 429
    assert tampered.asked == []
    assert Browser(server).get("/oauth/corp/@@start").url == f"{server.url}/"


def test_a_browser_keeps_the_newest_of_the_sign_ins_that_it_does_not_finish(
    server: Server, tampered: TamperedCorp
) -> None:
    browser = Browser(server)
    goals = [f"/account/?{number}{'a' * 400}" for number in range(30)]
    begun = [
        browser.get("/oauth/corp/@@start", params={"next": goal}, allow_redirects=False) for goal in goals
    ]
    kept = [cookie for cookie in browser.session.cookies if "journey" in cookie.name]
    assert len(kept) == 5
    assert sum(len(f"{cookie.name}={cookie.value}; ") for cookie in kept) < 8000
    given_up = browser.session.get(begun[-6].headers["Location"], timeout=60)
    assert given_up.status_code == 403
    tampered.forget_codes()
    back = browser.session.get(begun[-5].headers["Location"], timeout=60)
    assert back.url == f"{server.url}{goals[-5]}"


def test_an_address_that_is_too_long_to_keep_is_not_gone_back_to(
    server: Server, tampered: TamperedCorp
) -> None:
    answer = Browser(server).get("/oauth/corp/@@start", params={"next": f"/account/?{'é' * 400}"})
    assert answer.url == f"{server.url}/"


def test_who_is_signed_in_and_who_has_a_token_go_on_while_the_provider_is_down(
    server: Server, tampered: TamperedCorp
) -> None:
    browser = Browser(server)
    assert browser.get("/oauth/corp/@@start").ok
    tampered.wrongs = Wrongs(pages={"": (500, "down")})
    assert browser.get("/account/").status_code == 200
    assert browser.get("/login").url == f"{server.url}/"
    assert Browser(server).get("/login").status_code == 200
    assert browser.session.get(
        f"{server.url}/simple/", auth=("__token__", server.site.tokens["ben"]), timeout=60
    ).ok


def test_keys_that_were_exchanged_meanwhile_are_fetched_anew(server: Server, tampered: TamperedCorp) -> None:
    assert Browser(server).get("/oauth/corp/@@start").ok
    tampered.wrongs = Wrongs(key=_OTHERS, published=_OTHERS)
    assert Browser(server).get("/oauth/corp/@@start").url == f"{server.url}/"


ANSWERS: dict[str, Callable[[str], str]] = {
    "of another provider": lambda url: url.replace("iss=", "iss=https%3A%2F%2Felsewhere.example.org&was="),
    "of a provider that does not say who it is": lambda url: url.replace("&iss=", "&was="),
    "to another question": lambda url: url.replace("state=", "state=x"),
    "without a state": lambda url: url.replace("state=", "was="),
    "twice in one": lambda url: url + "&state=another",
    "without a code": lambda url: url.replace("code=", "was="),
    "that is an error": lambda url: url.replace("code=", "error=access_denied&was="),
}


@pytest.mark.parametrize("wrong", ANSWERS)
def test_an_answer_that_does_not_fit_signs_nobody_in(
    server: Server, tampered: TamperedCorp, wrong: str
) -> None:
    tampered.wrongs = Wrongs(answer=ANSWERS[wrong])
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403, answer.text
    assert "Not signed in" in answer.text
    assert browser.get("/").url.startswith(f"{server.url}/login")


def test_a_code_that_the_provider_does_not_take_signs_nobody_in(
    server: Server, tampered: TamperedCorp
) -> None:
    tampered.wrongs = Wrongs(pages={"/token": (400, '{"error": "invalid_grant"}')})
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403
    assert "Corp does not take its own answer back." in answer.text
    assert browser.get("/").url.startswith(f"{server.url}/login")


def test_an_answer_counts_once_and_in_the_browser_that_asked(server: Server, tampered: TamperedCorp) -> None:
    seen: list[str] = []

    def keep(url: str) -> str:
        seen.append(url)
        return url

    tampered.wrongs = Wrongs(answer=keep)
    browser, thief = Browser(server), Browser(server)
    assert browser.get("/oauth/corp/@@start").ok
    for other in (thief, browser):
        again = other.session.get(seen[-1], timeout=60)
        assert again.status_code == 403
        assert "used before, took too long, or was begun in another browser" in again.text
    assert thief.get("/").url.startswith(f"{server.url}/login")
    assert browser.get("/account/").url == f"{server.url}/account/"
