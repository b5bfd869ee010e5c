"""A provider that is down, slow, or sends what cannot be relied upon signs nobody in, and says so."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from support.providers import Browser, Corp, NewServer
from support.servers import Server, wait_until
from support.tampering import Claims, TamperedCorp, Wrongs

Break = Callable[[TamperedCorp], Wrongs]

#: How many a server has, as development.ini says.
_THREADS = 8
_OTHERS = RSAKey.generate_key(2048)
_OTHERS.ensure_kid()


@pytest.fixture(scope="module")
def tampered(corp: Corp) -> Iterator[TamperedCorp]:
    with TamperedCorp(corp) as standing_before:
        yield standing_before


@pytest.fixture(scope="module")
def one_server(tampered: TamperedCorp, new_server: NewServer) -> Server:
    return new_server("local oidc:corp", {"corp": tampered})


@pytest.fixture
def server(one_server: Server, tampered: TamperedCorp) -> Server:
    tampered.wrongs = Wrongs()
    tampered.forget_codes()
    tampered.sign_in(tampered.person(f"p{time.monotonic_ns()}"))
    return one_server


def lines(server: Server, *parts: str) -> list[str]:
    """Return the lines of the log that hold all ``parts``."""
    return [line for line in server.log().splitlines() if all(part in line for part in parts)]


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
}


def _with_more_audiences(claims: Claims) -> None:
    claims["aud"] = [*claims["aud"], "somebody-else"]
    claims.pop("azp", None)


def _signed_text(corp: TamperedCorp, header: Mapping[str, str]) -> str:
    return jws.serialize_compact(dict(header), "[1, 2]", corp.own_key, algorithms=["RS256"])


def test_what_stands_between_changes_nothing_by_itself(server: Server) -> None:
    assert Browser(server).get("/oauth/corp/@@start?next=/account/").url == f"{server.url}/account/"


@pytest.mark.parametrize("wrong", UNRELIABLE)
def test_an_id_token_that_cannot_be_relied_upon_signs_nobody_in(
    server: Server, tampered: TamperedCorp, wrong: str
) -> None:
    breaking, reason = UNRELIABLE[wrong]
    tampered.wrongs = breaking(tampered)
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start")
    assert answer.status_code == 403, answer.text
    assert "What the identity provider says cannot be relied upon." in answer.text
    assert "Traceback" not in server.log()
    assert reason in lines(server, "a sign-in through corp")[-1].partition("cannot be relied upon")[2]
    assert browser.get("/account/").url == f"{server.url}/login?next=%2Faccount%2F"


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
    assert lines(silent_server, f"Corp{number} does not answer", "(http")
    assert answer.headers["Content-Security-Policy"]


def test_many_who_wait_for_a_provider_that_is_silent_keep_nobody_else_waiting(silent_server: Server) -> None:
    name = f"corp{list(SILENT).index('its metadata take half a minute')}"
    done: list[int] = []

    def start() -> None:
        done.append(Browser(silent_server).get(f"/oauth/{name}/@@start").status_code)

    waiting = [threading.Thread(target=start) for _ in range(_THREADS)]
    for each in waiting:
        each.start()
    wait_until(lambda: len(lines(silent_server, "under way")) >= _THREADS - 4 or len(done) == _THREADS)
    assert Browser(silent_server).get("/login").status_code == 200
    assert len(done) <= _THREADS - 4
    for each in waiting:
        each.join()
    assert done == [503] * _THREADS


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
