"""What people do with the index, from its first sign-in to the end of a project, in each kind of browser."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browser.tabs import Tab, tab_of
from support.clients import Clients, Ended
from support.nginx import Nginx
from support.projects import quick_wheel
from support.servers import Server
from support.sites import PASSWORD, SERVER, Site

pytestmark = pytest.mark.debian

ADMIN, OWNER, COLLEAGUE, STRANGER = "admin", "grace", "linus", "mallory"
PROJECT = "Rocket.Fuel"
FIRST, SECOND = "rocket_fuel-1.0-py3-none-any.whl", "rocket_fuel-1.1-py3-none-any.whl"


@dataclass(frozen=True)
class Way:
    """How people reach a new site: its address, the first password, what clients must trust, and the browser.

    Attributes:
        options: Playwright's, for the browser of each person.
    """

    url: str
    password: str
    clients: Clients
    trust: dict[str, str]
    browser: Browser
    options: dict[str, Any]

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        """Open a browser in which nobody is signed in; nothing may have gone wrong in it at the end."""
        with tab_of(self.browser, self.url, **self.options) as tab:
            yield tab
            assert tab.complaints == []


@pytest.fixture(params=["http", "https", "without scripts"])
def way(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path, clients: Clients) -> Iterator[Way]:
    site = Site.in_folder(tmp_path / "site")
    with ExitStack() as stack:
        if request.param == "https":
            site.configure(
                SERVER,
                trusted_proxy="127.0.0.1",
                trusted_proxy_headers="x-forwarded-for x-forwarded-proto x-forwarded-host",
                clear_untrusted_proxy_headers="true",
            )
        password = _password_in(site.command("init"))
        server = stack.enter_context(Server(site))
        url, trust, options = server.url, {}, {"java_script_enabled": request.param != "without scripts"}
        if request.param == "https":
            front = stack.enter_context(Nginx(server, tmp_path / "front"))
            url, trust = front.url, {"REQUESTS_CA_BUNDLE": str(front.authority)}
        yield Way(url, password, clients, trust, browser, options)


def _password_in(welcome: str) -> str:
    line = next(line for line in welcome.splitlines() if line.split()[:1] == ["password"])
    return line.split()[1]


def test_a_project_from_the_first_sign_in_to_its_end(way: Way, tmp_path: Path) -> None:
    first, second = (quick_wheel(tmp_path, PROJECT, version) for version in ("1.0", "1.1"))
    with way.tab() as administrator:
        replace_the_first_password(administrator, ADMIN, way.password)
        passwords = {name: add_account(administrator, name) for name in (OWNER, COLLEAGUE, STRANGER)}
    with way.tab() as owner, way.tab() as colleague, way.tab() as stranger:
        for tab, name in ((owner, OWNER), (colleague, COLLEAGUE), (stranger, STRANGER)):
            replace_the_first_password(tab, name, passwords[name])
        assert_cookies_are_kept_from_others(owner, secure=way.secure)

        create_a_project(owner)
        line = make_a_token(owner)
        twine(way, line, first).well()
        twine(way, line, second).well()
        see_the_release(owner, way)

        assert_nothing_is_there(colleague, "/projects/rocket-fuel/")
        grant(owner, COLLEAGUE)
        see_as_a_member(colleague)
        assert_nothing_is_there(stranger, "/projects/rocket-fuel/")
        assert "Rocket.Fuel" not in stranger.go("/projects/").text

        revoke_the_token(owner)
        assert "401" in twine(way, line, second).badly()

        yank_and_unyank(owner, colleague)
        delete_a_file(owner)
        delete_the_project(owner)
        assert_nothing_is_there(colleague, "/projects/rocket-fuel/")
        sign_out_for_good(owner, way)


def replace_the_first_password(tab: Tab, name: str, password: str) -> None:
    """Sign in with a password that was made by somebody else: it opens nothing but its own replacement."""
    tab.sign_in(name, password, at="/projects/@@new")
    assert tab.heading == "Choose your own password"
    for elsewhere in ("/", "/projects/", "/account/"):
        assert tab.go(elsewhere).heading == "Choose your own password"
    tab.go("/projects/@@new")
    again = {"New_password,_once_more": PASSWORD}
    tab.fill(Current_password=password, New_password=PASSWORD, **again).press("Change the password")
    assert tab.notice == "Your password is changed."
    assert tab.heading == "New project", "the page that was asked for comes after it"


def add_account(tab: Tab, name: str) -> str:
    """Add an account, and return the first password that is shown."""
    tab.go("/").follow("Administration").fill(Name=name).press("Add the account")
    assert tab.heading == f"{name} is added"
    password = tab.copied("the first password")
    tab.follow("Back to the accounts")
    assert "first password not replaced yet" in tab.page.get_by_role("row", name=name).inner_text()
    return password


def assert_cookies_are_kept_from_others(tab: Tab, *, secure: bool) -> None:
    cookies = tab.page.context.cookies()
    assert {cookie["name"] for cookie in cookies} >= {f"{'__Host-' if secure else ''}warehouse14-session"}
    for cookie in cookies:
        assert cookie["httpOnly"], cookie
        assert cookie["sameSite"] == "Lax", cookie
        assert cookie["secure"] is secure, cookie
        assert cookie["name"].startswith("__Host-") is secure, cookie


def create_a_project(tab: Tab) -> None:
    tab.go("/projects/").follow("New project").fill(Name=PROJECT).press("Create the project")
    assert tab.notice == f"The project {PROJECT} is yours."
    assert tab.path == "/projects/rocket-fuel/"
    assert "Publish the first files" in tab.text


def make_a_token(tab: Tab) -> str:
    """Make a token for uploads, and return the line for twine that is shown with it."""
    tab.follow("Account").fill(Name="laptop", Project=PROJECT).check("upload")
    tab.press("Make the token")
    line = tab.copied("the line for twine")
    token = tab.copied("the token")
    assert token in line
    assert token not in tab.go("/account/").page.content()
    assert "laptop" in tab.text
    return line


def twine(way: Way, line: str, file: Path) -> Ended:
    """Publish with twine, in a shell into which the line that the page has shown is pasted."""
    upload = f"twine upload --non-interactive --disable-progress-bar {shlex.quote(str(file))}"
    return way.clients.shell(line, upload, **way.trust)


def see_the_release(tab: Tab, way: Way) -> None:
    assert "Rocket.Fuel" in tab.go("/").page.locator("main").inner_text()
    tab.follow("Rocket.Fuel")
    assert tab.heading == "Rocket.Fuel 1.1"
    assert f"{way.url.partition('://')[2]}/simple/ Rocket.Fuel" in tab.copied("the line for pip")
    assert SECOND in tab.page.get_by_role("table").inner_text()
    tab.follow("1.0")
    assert tab.heading == "Rocket.Fuel 1.0"
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name=FIRST, exact=True).click()
    assert download.value.suggested_filename == FIRST


def grant(tab: Tab, name: str) -> None:
    tab.go("/projects/rocket-fuel/").follow("People").fill(Account_or_group=name).press("Give the role")
    assert tab.notice == f"{name} is now a member."


def see_as_a_member(tab: Tab) -> None:
    tab.go("/projects/").follow("Rocket.Fuel")
    assert tab.heading == "Rocket.Fuel 1.1"
    assert tab.page.get_by_role("link", name="Settings").count() == 0
    assert "Yank" not in tab.text


def assert_nothing_is_there(tab: Tab, path: str) -> None:
    """What the project does not show to somebody is, word for word, what an unknown one shows."""
    unknown = tab.go("/projects/never-was/")
    assert (unknown.status, unknown.heading) == (404, "Not found")
    says = unknown.page.locator("main article p").first.inner_text()
    assert (tab.go(path).status, tab.heading) == (404, "Not found")
    assert tab.page.locator("main article p").first.inner_text() == says


def revoke_the_token(tab: Tab) -> None:
    tab.go("/account/").press("Revoke laptop")
    assert tab.notice.startswith("The token is revoked.")
    assert "You have none yet." in tab.text


def yank_and_unyank(owner: Tab, colleague: Tab) -> None:
    owner.go("/projects/rocket-fuel/").follow("Yank the release")
    owner.page.get_by_role("textbox", name="Reason").fill("Burns the wrong way")
    owner.press("Yank")
    assert owner.notice == "Yanked release 1.1: installers pass it over."
    assert colleague.go("/projects/rocket-fuel/").heading == "Rocket.Fuel 1.0"
    assert "Burns the wrong way" in colleague.follow("1.1").text
    owner.follow("Un-yank the release").press("Un-yank")
    assert owner.notice == "Un-yanked release 1.1: installers choose it again."
    assert colleague.go("/projects/rocket-fuel/").heading == "Rocket.Fuel 1.1"


def delete_a_file(tab: Tab) -> None:
    tab.go("/projects/rocket-fuel/1.0/").follow(f"Delete {FIRST}")
    assert tab.confirm("something else").press("Delete").status == 400
    tab.confirm(FIRST).press("Delete")
    assert tab.notice == f"Deleted {FIRST}. File names stay taken."
    assert tab.path == "/projects/rocket-fuel/"


def delete_the_project(tab: Tab) -> None:
    tab.go("/projects/rocket-fuel/").follow("Settings")
    assert tab.confirm("Rocket").press("Delete the project").status == 400
    tab.confirm(PROJECT).press("Delete the project")
    assert tab.notice == f"{PROJECT} is deleted. Its name stays taken."
    assert_nothing_is_there(tab, "/projects/rocket-fuel/")
    tab.go("/projects/@@new").fill(Name="rocket-fuel").press("Create the project")
    assert (tab.status, tab.page.get_by_role("alert").count()) == (409, 1)


def sign_out_for_good(tab: Tab, way: Way) -> None:
    """The cookie of the session is worth nothing any more, wherever it is kept."""
    kept: Any = tab.page.context.cookies()
    tab.go("/").press(f"Sign out {OWNER}")
    assert (tab.heading, tab.notice) == ("Sign in", "You are signed out.")
    with way.tab() as thief:
        thief.page.context.add_cookies(kept)
        assert thief.go("/account/").heading == "Sign in"
        assert thief.path.startswith("/login?next=")
