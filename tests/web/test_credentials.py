"""Who is known by which credentials, and what everybody else is told."""

import base64
import time
from collections.abc import Callable
from itertools import product

import pytest

from warehouse14.domain.credentials import mint_token, parse_token
from warehouse14.domain.model import Scope
from warehouse14.testing.builders import build_wheel
from web.asking import Answer, Index, ask
from web.bodies import form_body, upload_form

WHEEL = "/packages/demo/demo-1.0-py3-none-any.whl"
#: Addresses that are private whether anything is there or not.
PRIVATE = [
    ("GET", "/simple/"),
    ("GET", "/simple"),
    ("GET", "/simple/demo/"),
    ("GET", "/simple/demo"),
    ("GET", "/simple/Demo/"),
    ("GET", "/simple/nope/"),
    ("GET", "/simple/demo/nope"),
    ("GET", "/simple/%ff/"),
    ("GET", "/./simple/demo/"),
    ("GET", "/./simple/nope/"),
    ("GET", "/x/../simple/demo/"),
    ("GET", "/x/../simple/nope/"),
    ("GET", "//simple/nope/"),
    ("GET", "/%73imple/nope/"),
    ("GET", "/packages/"),
    ("GET", "/packages/demo/"),
    ("GET", "/packages/nope/"),
    ("GET", WHEEL),
    ("GET", f"{WHEEL}.metadata"),
    ("GET", "/packages/demo/nope-1.0.tar.gz"),
    ("GET", "/packages/nope/nope-1.0.tar.gz"),
    ("GET", "/./packages/nope/nope-1.0.tar.gz"),
    ("GET", "/pypi/demo/json"),
    ("GET", "/pypi/nope/json"),
    ("GET", "/legacy/"),
    ("GET", "/legacy/+simple/"),
    ("GET", "/legacy/+simple/demo/"),
    ("GET", "/legacy/+simple/nope/"),
    ("POST", "/legacy/"),
    ("POST", "/legacy"),
    ("POST", "/simple/"),
    ("POST", "/simple/demo/"),
    ("POST", "/simple/nope/"),
    ("POST", "/"),
    ("DELETE", WHEEL),
    ("DELETE", "/packages/nope/x"),
    ("OPTIONS", "/simple/"),
    ("OPTIONS", "/simple/demo/"),
    ("OPTIONS", "/simple/nope/"),
    ("PUT", "/legacy/"),
]


_NUMBERS = (f"{a}.{b}.{c}" for a, b, c in product(range(256), repeat=3))


def basic(user: str | bytes, password: str | bytes = b"") -> str:
    def raw(text: str | bytes) -> bytes:
        return text.encode() if isinstance(text, str) else text

    return "Basic " + base64.b64encode(raw(user) + b":" + raw(password)).decode()


def asked(index: Index, header: str | None, target: str = "/simple/demo/", method: str = "GET") -> Answer:
    # From another address each time: after too many refusals an address has to wait.
    elsewhere = {"REMOTE_ADDR": f"10.{next(_NUMBERS)}"}
    return ask(
        index.app, method, target, {} if header is None else {"Authorization": header}, environ=elsewhere
    )


def is_refused(answer: Answer) -> bool:
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Warehouse14", charset="UTF-8"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert "Location" not in answer.headers
    return answer.status == 401


@pytest.mark.parametrize(("method", "target"), PRIVATE)
@pytest.mark.parametrize("accept", [None, "application/vnd.pypi.simple.v1+json", "image/png"])
def test_nobody_gets_401_everywhere_and_the_same_one(
    stocked: Index, method: str, target: str, accept: str | None
) -> None:
    """A066, A067, A092, A107, behaviours 50: what is there and what is not look alike."""
    headers = {} if accept is None else {"Accept": accept}
    answer = ask(stocked.app, method, target, headers)
    assert is_refused(answer)
    assert answer.whole == ask(stocked.app, method, "/simple/demo/", headers).whole


FORMS: list[Callable[[str], str]] = [
    # A070, A071, behaviours 51
    lambda token: basic("__token__", token),
    lambda token: basic("__token__", f" {token}\n"),
    lambda token: basic(token),
    lambda token: "Basic " + base64.b64encode(token.encode()).decode(),
    lambda token: f"Bearer {token}",
    lambda token: f"bearer {token}",
    lambda token: f"BEARER   {token}  ",
    lambda token: f"token {token}",
    lambda token: f"Token {token}",
    lambda token: basic("__token__", token).replace("Basic", "basic"),
    lambda token: basic("__token__", token).replace("Basic", "BASIC"),
    lambda token: "  " + basic("__token__", token).replace("Basic ", "Basic   ") + " ",
]


@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize("target", ["/simple/", "/simple/demo/", WHEEL, f"{WHEEL}.metadata"])
def test_a_token_is_taken_in_every_form_at_the_first_request(stocked: Index, form: int, target: str) -> None:
    """A070, A073"""
    answer = asked(stocked, FORMS[form](stocked.token("ada")), target)
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers


def test_the_header_s_name_is_taken_in_any_case(stocked: Index) -> None:
    """Behaviours 53: WSGI knows one spelling."""
    for name in ("authorization", "AUTHORIZATION", "Authorization"):
        headers = {name: f"Bearer {stocked.token('ada')}"}
        assert ask(stocked.app, "GET", "/simple/demo/", headers).status == 200


def test_a_token_may_upload_in_every_form(any_index: Index) -> None:
    """A070, behaviours 51"""
    any_index.project("demo")
    for number, form in enumerate(FORMS):
        version = f"{number}.0"
        content_type, body = form_body(upload_form(build_wheel("demo", version), "demo", version))
        headers = {"Authorization": form(any_index.token("ada")), "Content-Type": content_type}
        assert ask(any_index.app, "POST", "/legacy/", headers, body).status == 200


WRONG = [
    None,
    "",
    "Basic",
    "Basic ",
    "Bearer",
    "Bearer ",
    "token",
    "Basic !!!!",
    "Basic dXNlcg",
    "Basic dXNlcjpwYXNz\x00",
    "Basic \xff\xff",
    "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
    "Basic " + base64.b64encode(b"").decode(),
    "Basic Og==",
    basic("__token__"),
    basic("__token__", "x"),
    basic("__token__", "wh14_"),
    basic("__token__", "\x00"),
    basic("__token__", "a:b:c"),
    basic("user"),
    basic("üser"),
    basic("a" * 20_000, "b" * 20_000),
    "Bearer wh14_" + "0" * 43,
    "Bearer wh14_" + "\xe9" * 43,
    "Digest username=x",
    "Negotiate abc",
    "wh14_abc",
    ":",
    "\xff",
    basic("__TOKEN__", "wh14_" + "0" * 43),
]


@pytest.mark.parametrize("header", WRONG)
@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/simple/demo/"), ("GET", WHEEL), ("POST", "/legacy/")]
)
def test_credentials_that_are_none_are_401(
    stocked: Index, header: str | None, method: str, target: str
) -> None:
    """A068, A074, A107"""
    answer = asked(stocked, header, target, method)
    assert is_refused(answer)
    assert len(answer.text) > 40
    assert answer.whole == asked(stocked, header, "/simple/nope/", method).whole


def test_a_user_name_alone_is_401_so_that_a_keyring_is_asked(stocked: Index) -> None:
    """A074"""
    assert is_refused(asked(stocked, basic("ada")))
    assert is_refused(asked(stocked, basic("__token__")))


def test_a_token_with_another_user_name_is_told_the_right_one(stocked: Index) -> None:
    answer = asked(stocked, basic("ada", stocked.token("ada")), "/simple/", "GET")
    assert is_refused(answer)
    assert "That is a token, but not its user name: use __token__." in answer.text


def test_an_empty_token_is_called_empty(stocked: Index) -> None:
    answer = asked(stocked, basic("__token__", " "), "/legacy/", "POST")
    assert is_refused(answer)
    assert "The token is empty." in answer.text


@pytest.mark.parametrize(
    "password", ["correct horse", "a:b:c:d:e", "pässwörd-ü", "%20%3A%2F", "wh14_looks_like"]
)
@pytest.mark.parametrize("user", ["grace", "GRACE", "üser", "nobody-at-all"])
def test_a_password_is_401_with_a_word_on_tokens(stocked: Index, user: str, password: str) -> None:
    """A071, issue item 8: right or wrong, the answer and the time are the same."""
    warehouse = stocked.warehouse
    stocked.account("grace")
    warehouse.accounts.set_password(warehouse.operator(), "grace", password)
    started = time.perf_counter()
    for method, target in [("GET", "/simple/"), ("GET", WHEEL), ("POST", "/legacy/"), ("POST", "/simple/")]:
        answer = asked(stocked, basic(user, password), target, method)
        assert is_refused(answer)
        assert "A password opens the browser only" in answer.text
        assert "__token__" in answer.text
        assert password not in answer.text
    # No slow hash is computed where passwords are not taken.
    assert time.perf_counter() - started < 1


def test_a_revoked_token_counts_no_more_from_the_next_request_on(any_index: Index) -> None:
    """A068"""
    any_index.project("demo")
    any_index.wheel("demo")
    text = any_index.mint("ada", scopes={Scope.UPLOAD})
    warehouse = any_index.warehouse
    for target in ("/simple/", "/simple/demo/", WHEEL):
        assert any_index.ask("GET", target, token=text).status == 200
    token = warehouse.tokens.listed(warehouse.operator(), "ada")[-1]
    warehouse.tokens.revoke(warehouse.operator(), token.id)
    for method, target in [("POST", "/"), ("GET", "/simple/"), ("GET", WHEEL), ("POST", "/legacy/")]:
        assert is_refused(any_index.ask(method, target, token=text))
    assert any_index.get("/simple/demo/").status == 200


@pytest.mark.parametrize(("method", "target"), [("POST", "/"), ("POST", "/legacy/"), ("GET", "/simple/")])
def test_each_address_learns_of_a_revocation_by_itself(any_index: Index, method: str, target: str) -> None:
    """A068"""
    text = any_index.mint("ada", scopes={Scope.UPLOAD})
    assert any_index.ask(method, target, token=text).status in {200, 400, 415}
    warehouse = any_index.warehouse
    token = warehouse.tokens.listed(warehouse.operator(), "ada")[-1]
    warehouse.tokens.revoke(warehouse.operator(), token.id)
    assert is_refused(any_index.ask(method, target, token=text))


def test_a_disabled_account_counts_no_more_until_it_is_enabled(any_index: Index) -> None:
    """A068"""
    any_index.project("demo")
    accounts, operator = any_index.warehouse.accounts, any_index.warehouse.operator()
    assert any_index.get("/simple/demo/").status == 200
    accounts.set_disabled(operator, "ada", disabled=True)
    assert is_refused(any_index.get("/simple/demo/"))
    assert is_refused(any_index.upload(build_wheel("demo", "1.0"), "demo"))
    accounts.set_disabled(operator, "ada", disabled=False)
    assert any_index.get("/simple/demo/").status == 200


def test_a_token_ends_when_its_days_are_over(any_index: Index) -> None:
    """A068"""
    any_index.project("demo")
    short, endless = any_index.mint("ada", days=1), any_index.mint("ada", days=0)
    any_index.clock.pass_by(hours=23, minutes=59)
    assert any_index.ask("GET", "/simple/demo/", token=short).status == 200
    any_index.clock.pass_by(minutes=1)
    assert is_refused(any_index.ask("GET", "/simple/demo/", token=short))
    any_index.clock.pass_by(days=36_500)
    assert any_index.ask("GET", "/simple/demo/", token=endless).status == 200


def test_the_refusal_does_not_say_what_is_wrong_with_a_token(any_index: Index) -> None:
    """A068"""
    warehouse = any_index.warehouse
    revoked, expired, unknown = any_index.mint("ada"), any_index.mint("ada", days=1), mint_token().text
    disabled = any_index.mint("bob")
    parsed = parse_token(revoked)
    assert parsed is not None
    warehouse.tokens.revoke(warehouse.operator(), parsed.id)
    warehouse.accounts.set_disabled(warehouse.operator(), "bob", disabled=True)
    any_index.clock.pass_by(days=2)
    damaged = expired[:-7] + ("A" if expired[-7] != "A" else "B") + expired[-6:]
    other_secret = expired[:15] + unknown[15:]
    answers = {
        any_index.ask("GET", "/simple/", token=text).whole
        for text in (revoked, expired, unknown, disabled, damaged, other_secret, "", "x")
    }
    assert len(answers) == 1


def test_cookies_are_ignored(stocked: Index) -> None:
    """A076"""
    headers = {"Cookie": f"session=abc; auth_tkt={stocked.token('ada')}; _csrf=x"}
    for method, target in [("GET", "/simple/"), ("GET", WHEEL), ("POST", "/legacy/"), ("POST", "/")]:
        assert is_refused(stocked.ask(method, target, None, headers=headers))
    with_cookie = stocked.ask("GET", "/simple/demo/", headers=headers)
    assert with_cookie.whole == stocked.get("/simple/demo/").whole


@pytest.mark.parametrize("by", ["ada", "eve", None])
@pytest.mark.parametrize(("method", "target"), [*PRIVATE, ("POST", "/"), ("GET", "/health")])
def test_no_answer_sets_a_cookie(stocked: Index, by: str | None, method: str, target: str) -> None:
    """A076"""
    answer = stocked.ask(method, target, by)
    assert "Set-Cookie" not in answer.headers
    assert answer.status < 500


def test_the_client_s_address_in_the_journal_is_the_server_s_word(index: Index) -> None:
    content_type, body = form_body(upload_form(build_wheel("demo", "1.0"), "demo", "1.0"))
    headers = {
        "Content-Type": content_type,
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Real-Ip": "203.0.113.9",
    }
    assert index.ask("POST", "/legacy/", headers=headers, body=body).status == 200
    with index.warehouse.units.read() as unit:
        change = unit.journal.since(0, 100)[-1]
    assert (change.actor, change.origin) == ("ada", "192.0.2.7")


def test_a_use_is_noted_once_in_ten_minutes(any_index: Index) -> None:
    """Issue item 8: without a journal entry, and never waited for."""
    warehouse = any_index.warehouse
    text = any_index.mint("ada")

    def noted() -> object:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not warehouse._background._tasks.empty():
            time.sleep(0.005)
        time.sleep(0.05)
        return warehouse.tokens.listed(warehouse.operator(), "ada")[0].last_used_at

    assert noted() is None
    serial = any_index.remains()[0]
    any_index.ask("GET", "/simple/", token=text)
    first = noted()
    assert first == any_index.clock.now
    any_index.clock.pass_by(minutes=9)
    any_index.ask("GET", "/simple/", token=text)
    assert noted() == first
    any_index.clock.pass_by(minutes=1, seconds=1)
    any_index.ask("GET", "/simple/", token=text)
    assert noted() == any_index.clock.now
    assert any_index.remains()[0] == serial
