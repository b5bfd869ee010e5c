"""Signing in and out with a browser, as WebTest plays one."""

import io
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest import TestApp

from warehouse14.domain import credentials
from warehouse14.domain.services.accounts import FIRST_ADMINISTRATOR
from warehouse14.web.csrf import csrf_token
from web.asking import MEMORY, PASSWORD, Index, open_index

Opener = Callable[..., Index]


@pytest.fixture
def site(opener: Opener) -> Index:
    """Ada and Bob have passwords; the private project demo is Ada's."""
    index = opener()
    for name in ("ada", "bob"):
        index.password(name)
    index.project("demo")
    index.wheel("demo")
    return index


def browser(site: Index, address: str = "192.0.2.7", scheme: str = "http") -> TestApp:
    return TestApp(
        site.app,
        extra_environ={
            "REMOTE_ADDR": address,
            "wsgi.url_scheme": scheme,
            "HTTP_HOST": "index.example",
            "HTTP_USER_AGENT": "Lynx",
        },
    )


def signed_in(site: Index, name: str = "ada", password: str = PASSWORD, **options: str) -> TestApp:
    app = browser(site, **options)
    answer = attempt(app, name, password)
    assert answer.status_int == 303, answer.text
    return app


def attempt(app: TestApp, name: str, password: str, goal: str = "/login") -> Any:
    form = app.get(goal).form if goal.startswith("/login") else app.get(goal).follow().form
    form["name"], form["password"] = name, password
    return form.submit(expect_errors=True)


def cookies(answer: Any) -> dict[str, str]:
    """Return the cookies that an answer sets, whole, by name."""
    return {cookie.partition("=")[0]: cookie for cookie in answer.headers.getall("Set-Cookie")}


# -- in -----------------------------------------------------------------------------------


def test_nobody_is_led_to_the_sign_in_and_from_there_to_the_page_that_was_asked_for(site: Index) -> None:
    """Behaviours 58"""
    app = browser(site)
    for goal in ("/projects/demo/", "/projects/?q=a%20b&sort=newest", "/", "/nonsense"):
        to_sign_in = app.get(goal)
        assert to_sign_in.status_int == 303
        assert urlsplit(to_sign_in.location).path == "/login"
    answer = attempt(app, "ada", PASSWORD, "/projects/?q=a%20b&sort=newest")
    assert answer.status_int == 303
    parts = urlsplit(answer.location)
    assert (parts.netloc, parts.path) == ("index.example", "/projects/")
    assert parse_qs(parts.query) == {"q": ["a b"], "sort": ["newest"]}
    assert answer.follow().status_int == 200


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\tx",
        "/\n//evil.example",
        "http:evil.example",
        "",
    ],
)
def test_a_foreign_goal_is_refused_for_the_home_page(site: Index, goal: str) -> None:
    """Behaviours 58"""
    app = browser(site)
    form = app.get("/login").form
    form["name"], form["password"] = "ada", PASSWORD
    form["next"].force_value(goal)
    assert form.submit().location == "http://index.example/"


def test_a_signed_in_browser_is_not_asked_again(site: Index) -> None:
    app = signed_in(site)
    assert app.get("/login").location == "http://index.example/"
    assert app.get("/login?next=/account/").location == "http://index.example/account/"
    assert app.get("/login?next=https://evil.example/").location == "http://index.example/"


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("a\0", "x")]
)
def test_a_wrong_name_or_password_is_told_apart_by_nothing(site: Index, name: str, password: str) -> None:
    app = browser(site)
    answer = attempt(app, name, password)
    assert answer.status_int == 403
    assert "The name and the password do not belong together, or the account is disabled." in answer
    assert password not in answer.text or not password or password == "x"
    assert app.get("/account/").status_int == 303


@pytest.mark.parametrize(
    ("name", "logged"),
    [("Ada", "a sign-in as ada from '192.0.2.7' failed"), ("sesame99", "with a name that is no account's")],
)
def test_a_failed_sign_in_is_logged_without_what_may_be_a_password(
    site: Index, caplog: pytest.LogCaptureFixture, name: str, logged: str
) -> None:
    attempt(browser(site), name, "swordfish")
    assert logged in caplog.text
    assert "sesame99" not in caplog.text
    assert "swordfish" not in caplog.text


def test_the_cookie_is_for_the_server_alone_and_a_new_one_at_the_sign_in(site: Index) -> None:
    app = browser(site)
    visitor = cookies(app.get("/login"))["warehouse14-session"]
    own = cookies(attempt(app, "ada", PASSWORD))["warehouse14-session"]
    assert visitor != own
    for cookie in (visitor, own):
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert attributes == {"Path=/", "HttpOnly", "SameSite=Lax"}


def test_a_cookie_that_was_there_before_is_worth_nothing_after_the_sign_in(site: Index) -> None:
    """Session fixation."""
    app = browser(site)
    app.get("/login")
    planted = app.cookies["warehouse14-session"]
    attempt(app, "ada", PASSWORD)
    other = browser(site)
    other.set_cookie("warehouse14-session", planted)
    assert other.get("/account/").status_int == 303


def test_behind_tls_the_cookies_are_secure_and_of_this_host_alone(site: Index) -> None:
    app = browser(site, scheme="https")
    form = app.get("/login").form
    form["name"], form["password"] = "ada", PASSWORD
    answer = form.submit(headers={"Referer": "https://index.example/login"})
    assert answer.status_int == 303
    found = cookies(answer)
    assert found
    for name, cookie in found.items():
        assert name.startswith("__Host-warehouse14-")
        assert "secure" in cookie.lower()
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert app.get("/account/").status_int == 200


def test_behind_tls_a_form_from_another_site_is_refused(site: Index) -> None:
    app = browser(site, scheme="https")
    form = app.get("/login").form
    form["name"], form["password"] = "ada", PASSWORD
    answer = form.submit(headers={"Referer": "https://evil.example/"}, expect_errors=True)
    assert answer.status_int == 400


def test_indexes_under_one_host_have_cookies_of_their_own(site: Index) -> None:
    app = browser(site)
    answer = app.get("/login", extra_environ={"SCRIPT_NAME": "/one"})
    assert set(cookies(answer)) == {"warehouse14-session-one"}


def test_the_sign_in_needs_the_token_of_its_form(site: Index) -> None:
    app = browser(site)
    sent = {"name": "ada", "password": PASSWORD}
    assert app.post("/login", sent, expect_errors=True).status_int == 400
    app.get("/login")
    assert app.post("/login", sent, expect_errors=True).status_int == 400
    other = browser(site).get("/login").form["csrf_token"].value
    assert app.post("/login", {**sent, "csrf_token": other}, expect_errors=True).status_int == 400


# -- out ----------------------------------------------------------------------------------


def test_signing_out_ends_the_session_on_the_server(site: Index) -> None:
    """Behaviours 59"""
    app = signed_in(site)
    kept = app.cookies["warehouse14-session"]
    answer = app.get("/").forms[1].submit()
    assert answer.location == "http://index.example/"
    assert "You are signed out." in answer.follow().follow()
    app.set_cookie("warehouse14-session", kept)
    assert app.get("/account/").status_int == 303


def test_the_ends_of_a_session_are_seen_by_the_next_request(site: Index) -> None:
    operator = site.warehouse.operator()
    ends: list[Callable[[], object]] = [
        lambda: site.warehouse.accounts.set_disabled(operator, "ada", disabled=True),
        lambda: site.warehouse.accounts.set_password(operator, "ada", PASSWORD),
        lambda: site.clock.pass_by(hours=2, seconds=1),
    ]
    for end in ends:
        site.warehouse.accounts.set_disabled(operator, "ada", disabled=False)
        app = signed_in(site)
        assert app.get("/account/").status_int == 200
        end()
        assert app.get("/account/").status_int == 303


def test_a_form_that_comes_after_the_end_changes_nothing_and_says_so(site: Index) -> None:
    app = signed_in(site)
    form = app.get("/projects/@@new").forms[2]
    form["name"] = "late"
    site.warehouse.accounts.set_password(site.warehouse.operator(), "ada", PASSWORD)
    answer = form.submit(expect_errors=True)
    assert answer.status_int == 401
    assert "Nothing was changed" in answer


def test_an_address_for_clients_never_looks_at_the_cookie(site: Index) -> None:
    app = signed_in(site)
    for target in ("/simple/", "/simple/demo/", "/packages/demo/demo-1.0-py3-none-any.whl"):
        assert app.get(target, expect_errors=True).status_int == 401
    assert app.post("/legacy/", {"x": "y"}, expect_errors=True).status_int == 401


def test_a_page_never_looks_at_a_token(site: Index) -> None:
    headers = {"Authorization": f"Bearer {site.token('ada')}"}
    for target in ("/account/", "/projects/demo/", "/", "/nonsense"):
        answer = browser(site).get(target, headers=headers, expect_errors=True)
        assert (answer.status_int, answer.content_type) == (404, "text/plain")
    both = signed_in(site).get("/account/", headers=headers, expect_errors=True)
    assert both.status_int == 404


# -- first passwords ------------------------------------------------------------------------


def test_the_first_password_opens_nothing_but_the_page_that_replaces_it(opener: Opener) -> None:
    site = opener()
    password = site.warehouse.accounts.add_first_administrator()
    assert password is not None
    app = browser(site)
    answer = attempt(app, FIRST_ADMINISTRATOR, password, "/admin/")
    assert urlsplit(answer.location).path == "/account/@@password"
    for target in ("/", "/admin/", "/account/", "/projects/", "/projects/@@new"):
        assert urlsplit(app.get(target).location).path == "/account/@@password"
    page = answer.follow()
    assert "Projects" not in page
    form = page.forms[1]
    form["old_password"], form["password"], form["again"] = password, PASSWORD, PASSWORD
    done = form.submit()
    assert done.location == "http://index.example/admin/"
    assert done.follow().status_int == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("wrong", "another horse", "another horse", "not your password"),
        (PASSWORD, "another horse", "another house", "differ"),
        (PASSWORD, "short", "short", "8 to 1000"),
        (PASSWORD, PASSWORD, PASSWORD, "another than the old one"),
    ],
)
def test_a_new_password_that_does_not_do_is_explained(
    site: Index, old: str, new: str, again: str, says: str
) -> None:
    app = signed_in(site)
    form = app.get("/account/@@password").forms[2]
    form["old_password"], form["password"], form["again"] = old, new, again
    answer = form.submit(expect_errors=True)
    assert answer.status_int == 400
    assert says in answer
    assert new not in answer.text
    signed_in(site)


# -- guessing --------------------------------------------------------------------------------


def test_who_has_only_a_first_password_can_sign_out(opener: Opener) -> None:
    index = opener()
    index.password("ada")
    index.account("root", administrator=True)
    operator = index.warehouse.account("root")
    first = index.warehouse.accounts.reset_password(operator, "ada")
    app = signed_in(index, password=first)
    answer = app.post("/logout", {"csrf_token": csrf_token(app.cookies["warehouse14-session"])})
    assert urlsplit(answer.location).path == "/"
    assert app.get("/account/@@password").status_int == 303


def test_a_session_that_is_over_can_be_signed_out_of(site: Index) -> None:
    app = signed_in(site)
    token = csrf_token(app.cookies["warehouse14-session"])
    operator = site.warehouse.operator()
    site.warehouse.accounts.set_disabled(operator, "ada", disabled=True)
    assert urlsplit(app.post("/logout", {"csrf_token": token}).location).path == "/"
    assert "warehouse14-session" not in app.cookies


def test_signing_in_as_somebody_else_ends_the_session_that_was_there(site: Index) -> None:
    app = signed_in(site)
    before = app.cookies["warehouse14-session"]
    answer = app.post(
        "/login",
        {"name": "bob", "password": PASSWORD, "csrf_token": csrf_token(before)},
    )
    assert answer.status_int == 303
    assert app.cookies["warehouse14-session"] != before
    old = browser(site)
    old.set_cookie("warehouse14-session", before)
    assert urlsplit(old.get("/account/").location).path == "/login"


def test_a_site_whose_address_is_https_is_behind_tls_whatever_its_proxy_says(opener: Opener) -> None:
    index = opener(url="https://packages.example/python")
    index.password("ada")
    app = browser(index)
    page = app.get("/login")
    assert "max-age" in page.headers["Strict-Transport-Security"]
    (name,) = cookies(page)
    assert name == "__Host-warehouse14-session-python"
    assert "secure" in cookies(page)[name].lower()
    evil = {"Origin": "https://evil.example"}
    form = page.form
    form["name"], form["password"] = "ada", PASSWORD
    fields = dict(form.submit_fields())
    # As the browser does that knows the address by https.
    cookie = {"Cookie": cookies(page)[name].partition(";")[0]}
    assert app.post("/login", fields, headers=evil | cookie, expect_errors=True).status_int == 400
    fine = {"Origin": "https://packages.example"} | cookie
    assert app.post("/login", fields, headers=fine, expect_errors=True).status_int == 303


def test_while_too_many_sign_in_the_next_is_told_at_once_to_try_again(site: Index) -> None:
    """Else they would hold all threads, and nobody else would be answered."""
    app = browser(site)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(credentials._queue)
        answer = attempt(app, "ada", PASSWORD)
    assert answer.status_int == 503
    assert answer.headers["Retry-After"] == "1"
    assert attempt(app, "ada", PASSWORD).status_int == 303


GOALS = {
    "/?path=1": "/?path=1",
    "/projects/?request=1&q=a&q=b&empty=": "/projects/?request=1&q=a&q=b&empty=",
    "/projects/?" + "&".join(f"a{number}=1" for number in range(150)): None,
    "/projects/?q=\u00e9": "/projects/?q=%C3%A9",
}


@pytest.mark.parametrize("goal", GOALS)
def test_a_goal_is_gone_to_with_its_query_as_it_came(site: Index, goal: str) -> None:
    app = browser(site)
    form = app.get("/login", {"next": goal}).form
    form["name"], form["password"] = "ada", PASSWORD
    answer = form.submit()
    assert answer.status_int == 303
    assert answer.location == f"http://index.example{GOALS[goal] or goal}"
    assert app.get("/login", {"next": goal}).location == answer.location


def test_who_guesses_is_slowed_and_told_for_how_long(site: Index) -> None:
    app = browser(site)
    for _ in range(5):
        assert attempt(app, "ada", "wrong").status_int == 403
    answer = attempt(app, "ada", PASSWORD)
    assert (answer.status_int, answer.headers["Retry-After"]) == (429, "1")
    assert "Try again in 1 second" in answer
    site.clock.pass_by(seconds=1)
    assert attempt(app, "ada", PASSWORD).status_int == 303


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """A secret as init makes it."""
    secret = tmp_path / "secret"
    secret.write_text("5e" * 32)
    secret.chmod(0o600)
    return str(secret)


def test_the_browser_that_signed_in_before_is_not_slowed_by_a_colleague(
    opener: Opener, secret_file: str
) -> None:
    site = opener(secret_file=secret_file)
    site.account("ada")
    site.warehouse.accounts.set_password(site.warehouse.operator(), "ada", PASSWORD)
    own = signed_in(site)
    own.get("/").forms[1].submit()
    colleague = browser(site)
    for _ in range(5):
        attempt(colleague, "ada", "wrong")
    assert attempt(colleague, "ada", PASSWORD).status_int == 429
    assert attempt(own, "ada", PASSWORD).status_int == 303


def test_a_mark_for_one_account_is_none_for_another(opener: Opener, secret_file: str) -> None:
    site = opener(secret_file=secret_file)
    for name in ("ada", "bob"):
        site.account(name)
        site.warehouse.accounts.set_password(site.warehouse.operator(), name, PASSWORD)
    eve = signed_in(site, "bob")
    eve.get("/").forms[1].submit()
    for _ in range(5):
        attempt(eve, "ada", "wrong")
    assert attempt(eve, "ada", "wrong").status_int == 429


def test_a_site_that_cannot_know_browsers_again_says_so_at_its_start(
    opener: Opener, secret_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    opener(secret_file=secret_file)
    assert caplog.text == ""
    opener()
    assert "warehouse14.secret_file is not set: no browser is known again" in caplog.text


def test_what_the_database_says_stands_in_the_log_and_on_no_page(
    prepared_database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = shutil.copy(prepared_database, tmp_path)
    site = open_index(
        {**MEMORY, "warehouse14.metadata": "sql", "warehouse14.metadata.url": f"sqlite:///{path}"}
    )
    with closing(site.warehouse):
        site.cookie("ada")
        site.token("ada")
        with closing(sqlite3.connect(path)) as connection:
            for table in ("sessions", "tokens"):
                connection.execute(f"DROP TABLE {table}")
        for answer in (site.browse("GET", "/account/"), site.get("/simple/")):
            assert answer.status == 503
            assert "The database does not answer. Try again." in answer.text
            assert "no such table" not in f"{answer.reason} {answer.text}"
    for table in ("sessions", "tokens"):
        assert f"The database does not answer. Try again. (no such table: {table})" in caplog.text


# -- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"x" * 100_001, "application/x-www-form-urlencoded", 413),
        (b"name=ada", "multipart/form-data; boundary=x", 415),
        (b"{}", "application/json", 415),
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        (b"name=%00&password=%00", "application/x-www-form-urlencoded", 400),
        (b"=&&&=;%", "application/x-www-form-urlencoded", 400),
        (b"", "", 400),
    ],
)
def test_what_is_no_form_is_refused(site: Index, body: bytes, content_type: str, status: int) -> None:
    for target in ("/login", "/projects/@@new"):
        answer = signed_in(site).post(target, body, content_type=content_type, expect_errors=True)
        assert answer.status_int == status


def test_a_form_whose_length_nobody_knows_is_refused_unread(site: Index) -> None:
    """Servers that pass a body in chunks on as it comes: it could be of any length."""
    body = io.BytesIO(b"name=ada&" * 100_000)
    unknown = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": body}
    for target in ("/login", "/projects/@@new"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = site.ask("POST", target, by=None, headers=headers, environ=unknown)
        assert answer.status == 411
        assert "Content-Length" in answer.text
    assert body.tell() == 0


@pytest.mark.parametrize(
    "query", ["q=%ff", "next=%ff", "page=%00", "page=-1", "page=1e9", "page=" + "9" * 5000]
)
def test_no_query_is_an_error_of_ours(site: Index, query: str) -> None:
    app = signed_in(site)
    for target in ("/login", "/projects/", "/projects/demo/", "/account/"):
        assert app.get(f"{target}?{query}", expect_errors=True).status_int < 500


def test_every_page_forbids_to_be_kept_framed_or_sniffed(site: Index) -> None:
    app = signed_in(site)
    for answer in (
        app.get("/"),
        app.get("/account/"),
        app.get("/projects/demo/"),
        app.get("/nonsense", expect_errors=True),
        browser(site).get("/login"),
        browser(site).get("/account/"),
        app.get("/projects/demo/1.0/demo-1.0-py3-none-any.whl"),
    ):
        headers = answer.headers
        policy = dict(
            part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
