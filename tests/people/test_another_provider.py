"""A provider of another make: what it does otherwise, and the word that it sends when a session is over."""

import base64
import itertools
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from support.node_provider import LOGOUT_EVENT, NodeProvider, pass_the_door, send
from support.providers import Browser, NewServer
from support.servers import Server

pytestmark = pytest.mark.npm

Claims = dict[str, Any]
Forge = Callable[[NodeProvider, Server, Claims], str]

_NO_SIGNATURE = b'{"alg": "none"}'
_NUMBERS = itertools.count(1)
_OTHERS = RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def server(node: NodeProvider, new_server: NewServer) -> Server:
    """A site for the people of one domain and group, which the provider tells on request alone."""
    rules = {"trust_email": False, "allowed_domains": "example.org", "allowed_groups": "staff"}
    return new_server("oidc:corp", {"corp": node}, **rules)


@pytest.fixture(scope="module")
def other_server(node: NodeProvider, new_server: NewServer) -> Server:
    """Another site of the same company."""
    return new_server("oidc:corp", {"corp": node}, trust_email=False)


def signed_in(node: NodeProvider, server: Server) -> tuple[Browser, str]:
    """Return the browser of somebody new, and what they are called at the provider."""
    login = f"noor{next(_NUMBERS)}"
    browser = Browser(server)
    answer = pass_the_door(browser, node, login)
    assert answer.url == f"{server.url}/", answer.text
    return browser, login


def is_in(browser: Browser) -> bool:
    return browser.get("/account/").url == f"{browser.server.url}/account/"


def told(server: Server, **fields: str) -> requests.Response:
    """Return what the site answers to a message of the provider."""
    return requests.post(f"{server.url}/oauth/corp/logout", data=fields, timeout=60)


def test_somebody_comes_back_to_the_page_that_was_asked_for(node: NodeProvider, server: Server) -> None:
    browser = Browser(server)
    answer = pass_the_door(browser, node, "zoe", "/oauth/corp/@@start?next=/projects/%3Fq=a")
    assert answer.url == f"{server.url}/projects/?q=a"
    assert "<h1>zoe@example.org</h1>" in browser.get("/account/").text


def test_somebody_who_says_no_at_the_provider_is_told_so(node: NodeProvider, server: Server) -> None:
    browser = Browser(server)
    asked = send(browser, browser.get("/oauth/corp/@@start"), login="nemo", answer="yes")
    answer = send(browser, asked, answer="no")
    assert answer.status_code == 403
    assert "Corp did not let you in." in answer.text
    assert "Somebody said no." not in answer.text
    assert "Somebody said no." in server.log()
    assert not is_in(browser)


def test_signing_out_ends_the_session_at_the_provider_so_that_it_asks_again(
    node: NodeProvider, server: Server
) -> None:
    browser, login = signed_in(node, server)
    there = browser.post("/logout", page="/account/")
    assert there.url.startswith(f"{node.issuer}/session/end"), there.text
    back = send(browser, there, logout="yes")
    assert back.url.startswith(f"{server.url}/login")
    assert "You are signed out." in back.text
    assert not is_in(browser)
    assert 'name="login"' in browser.get("/oauth/corp/@@start").text
    assert "a logout message" not in server.log().rpartition(login)[2]


def test_who_signs_out_at_another_site_is_signed_out_here_in_that_browser_alone(
    node: NodeProvider, server: Server, other_server: Server
) -> None:
    browser, login = signed_in(node, server)
    pass_the_door(elsewhere := Browser(server), node, login)
    shown = browser.post(
        "/account/@@token", page="/account/", name="laptop", scope="read", project="", days="30"
    )
    token = re.search(r"wh14_[A-Za-z0-9]{20,}", shown.text)
    assert token is not None
    there = Browser(other_server)
    # The cookies of two sites on one host would be in each other's way, the provider's are of another host.
    for cookie in [cookie for cookie in browser.session.cookies if "localhost" in cookie.domain]:
        there.session.cookies.set_cookie(cookie)
    assert pass_the_door(there, node, login).url == f"{other_server.url}/"
    assert is_in(browser)
    assert is_in(there)
    assert "You are signed out." in send(there, there.post("/logout", page="/account/"), logout="yes").text
    assert not is_in(browser)
    assert is_in(elsewhere)
    installs = requests.get(f"{server.url}/simple/", auth=("__token__", token[0]), timeout=60)
    assert installs.status_code == 200


def test_who_signs_out_at_the_provider_itself_is_signed_out_here(node: NodeProvider, server: Server) -> None:
    browser, _ = signed_in(node, server)
    send(browser, browser.session.get(f"{node.issuer}/session/end", timeout=60), logout="yes")
    assert not is_in(browser)


def _unsigned(node: NodeProvider, server: Server, claims: Claims) -> str:
    body = node.signed(claims).split(".")[1]
    return f"{base64.urlsafe_b64encode(_NO_SIGNATURE).decode()}.{body}."


def _by_a_shared_secret(node: NodeProvider, server: Server, claims: Claims) -> str:
    key = OctKey.import_key(node.clients[server.url]["client_secret"])
    return jws.serialize_compact({"alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])


def _changed(**changes: object) -> Forge:
    return lambda node, server, claims: node.signed({**claims, **changes})


def _without(*names: str) -> Forge:
    return lambda node, server, claims: node.signed(
        {name: value for name, value in claims.items() if name not in names}
    )


def _aged(seconds: int) -> Forge:
    """Return a maker of tokens that were made so long ago, and have no end of their own."""
    return lambda node, server, claims: _without("exp")(
        node, server, {**claims, "iat": int(time.time()) - seconds}
    )


FORGED: Mapping[str, tuple[Forge, str]] = {
    "by another's key": (lambda node, server, claims: node.signed(claims, _OTHERS), "no key"),
    "by another's key, of no name": (
        lambda node, server, claims: jws.serialize_compact(
            {"alg": "RS256"}, json.dumps(claims), _OTHERS, algorithms=["RS256"]
        ),
        "no key",
    ),
    "by nobody": (_unsigned, "alg"),
    "by a shared secret": (_by_a_shared_secret, "alg"),
    "for another": (_changed(aud="somebody-else"), "aud"),
    "for nobody": (_without("aud"), "aud"),
    "of another issuer": (_changed(iss="https://elsewhere.example.org"), "iss"),
    "with a nonce": (_changed(nonce="n"), "nonce"),
    "without events": (_without("events"), "events"),
    "of another event": (_changed(events={"http://schemas.example.org/birthday": {}}), "events"),
    "of an event that is no object": (_changed(events={LOGOUT_EVENT: True}), "events"),
    "of events that are a list": (_changed(events=[LOGOUT_EVENT]), "events"),
    "without a name of its own": (_without("jti"), "jti"),
    "made an hour ago": (_aged(3600), "iat"),
    "made in an hour": (_aged(-3600), "iat"),
    "without a time": (_without("iat"), "iat"),
    "past its end": (_changed(exp=int(time.time()) - 3600), "exp"),
    "of nobody's session": (_without("sub", "sid"), "sub or sid"),
    "of a subject that is no text": (_changed(sub=["noor"]), "sub is no text"),
    "of a subject that is a lone surrogate": (_changed(sub="\ud800"), "sub is no text"),
    "of a session that is two lines": (_changed(sid="a\nb"), "sid is no text"),
    "named by a lone surrogate": (_changed(jti="\ud800"), "jti is no text"),
    "named by 256 characters": (_changed(jti="x" * 256), "jti is no text"),
    "of another kind": (lambda node, server, claims: node.signed(claims, typ="at+jwt"), "typ"),
    "no claims": (lambda node, server, claims: node.signed([claims]), "no key"),  # type: ignore[arg-type]
    "cut short": (lambda node, server, claims: node.signed(claims)[:-20], "no key"),
    "no token": (lambda node, server, claims: "nonsense", "signed"),
    "no text": (lambda node, server, claims: "\u2028.\u2029.\0", "signed"),
    "empty": (lambda node, server, claims: "", "signed"),
}


@pytest.mark.parametrize("wrong", FORGED)
def test_a_logout_token_that_cannot_be_relied_upon_ends_nothing(
    node: NodeProvider, server: Server, wrong: str
) -> None:
    browser, login = signed_in(node, server)
    claims = node.logout_claims(server.url, login)
    forge, reason = FORGED[wrong]
    answer = told(server, logout_token=forge(node, server, claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (answer.headers["Cache-Control"], answer.headers.get("Set-Cookie")) == ("no-store", None)
    assert is_in(browser)
    lines = [line for line in server.log().splitlines() if "a logout message from corp" in line]
    assert reason in lines[-1].partition("cannot be relied upon")[2]
    assert "Traceback" not in server.log()
    # What was refused is no reason to refuse the true one.
    assert told(server, logout_token=node.signed(claims)).status_code == 200
    assert not is_in(browser)


def test_a_logout_token_counts_once(node: NodeProvider, server: Server) -> None:
    browser, login = signed_in(node, server)
    token = node.signed(node.logout_claims(server.url, login))
    assert told(server, logout_token=token).status_code == 200
    assert not is_in(browser)
    assert pass_the_door(browser, node, login).url == f"{server.url}/"
    again = told(server, logout_token=token)
    assert (again.status_code, again.json()["error_description"]) == (400, "This message was taken before.")
    assert is_in(browser)


def test_a_token_that_signs_somebody_in_signs_nobody_out(node: NodeProvider, server: Server) -> None:
    browser, _ = signed_in(node, server)
    away = browser.session.post(
        f"{server.url}/logout",
        data={"csrf_token": _csrf(browser)},
        allow_redirects=False,
        timeout=60,
    )
    hint = re.search(r"id_token_hint=([^&]+)", away.headers["Location"])
    assert hint is not None
    assert pass_the_door(browser, node, "nobody asks").url == f"{server.url}/"
    assert told(server, logout_token=hint[1]).status_code == 400
    assert is_in(browser)


def _csrf(browser: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', browser.get("/account/").text)
    assert found is not None
    return found[1]


def test_the_address_for_logout_tokens_takes_nothing_but_a_form_with_one(
    node: NodeProvider, server: Server
) -> None:
    browser, login = signed_in(node, server)
    address = f"{server.url}/oauth/corp/logout"
    token = node.signed(node.logout_claims(server.url, login))
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = browser.session.request(method, address, params={"logout_token": token}, timeout=60)
        assert answer.status_code == 405, method
    assert browser.session.post(address, timeout=60).status_code == 400
    assert browser.session.post(address, params={"logout_token": token}, timeout=60).status_code == 400
    assert browser.session.post(address, json={"logout_token": token}, timeout=60).status_code == 415
    assert is_in(browser)
    for elsewhere in ("/oauth/nobody/logout", "/oauth/logout", "/oauth/corp/logout/more"):
        answer = browser.session.post(server.url + elsewhere, data={"logout_token": token}, timeout=60)
        assert answer.status_code in {400, 404}, elsewhere
    assert is_in(browser)
    # It needs no cookie, and takes none.
    assert browser.session.post(address, data={"logout_token": token}, timeout=60).status_code == 200
    assert not is_in(browser)
