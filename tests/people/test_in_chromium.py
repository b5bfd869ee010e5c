"""Sign-in and sign-out through providers in Chromium, which asks the security policy at every step."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from browser.tabs import Tab, tab_of
from support.clients import Clients, Ended
from support.nginx import Nginx
from support.node_provider import Certificate, NodeProvider
from support.projects import quick_wheel
from support.providers import Corp, NewServer
from support.servers import Server, free_port
from support.sites import APP, PASSWORD, SERVER, Site

pytestmark = pytest.mark.debian

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Company:
    """A site, the provider that its people sign in through, and Chromium, as people reach both.

    Attributes:
        trusted: whose certificates are believed, if both are behind TLS.
    """

    url: str
    provider: NodeProvider
    server: Server
    browser: Browser
    trusted: Path | None = None

    @contextmanager
    def tab(self) -> Iterator[Tab]:
        """Open a browser in which nobody is signed in; nothing may have gone wrong in it at the end."""
        with tab_of(self.browser, self.url, [self.provider.issuer]) as tab:
            yield tab
            assert tab.complaints == []

    def may_install(self, token: str) -> bool:
        """Whether a client with this token is let in."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = True if self.trusted is None else str(self.trusted)
            answer = session.get(f"{self.url}/simple/", auth=("__token__", token), timeout=60)
        assert answer.status_code in {200, 401}
        return answer.status_code == 200


@pytest.fixture(scope="module")
def plain(node: NodeProvider, new_server: NewServer, browser: Browser) -> Company:
    """A site with passwords of its own, too. The provider is a site of another host."""
    server = new_server("local oidc:corp", {"corp": node}, trust_email=False)
    return Company(server.url, node, server, browser)


@pytest.fixture(scope="module")
def secure(
    prepared_site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """The same with both behind TLS, with certificates of an authority that only they believe."""
    folder = tmp_path_factory.mktemp("secure")
    site = prepared_site.copy_to(folder / "site")
    site.configure(
        SERVER,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers="x-forwarded-for x-forwarded-proto x-forwarded-host",
        clear_untrusted_proxy_headers="true",
    )
    authority = folder / "front/authority.pem"
    server = Server(site, port=free_port(), wrapper=["env", f"REQUESTS_CA_BUNDLE={authority}"])
    with ExitStack() as stack:
        front = stack.enter_context(Nginx(server, folder / "front"))
        shown = Certificate(front.certificate, front.key, front.authority)
        provider = stack.enter_context(NodeProvider(folder / "provider", host="127.0.0.1", tls=shown))
        own = {"title": "Corp", **provider.register(front.url, "corp")}
        settings = {f"warehouse14__sign_in__corp__{key}": value for key, value in own.items()}
        site.configure(APP, warehouse14__sign_in="local oidc:corp", **settings)
        stack.enter_context(server)
        yield Company(front.url, provider, server, browser, front.authority)


@pytest.fixture(params=["plain", "secure"])
def company(request: pytest.FixtureRequest) -> Company:
    found: Company = request.getfixturevalue(request.param)
    return found


def new_login() -> str:
    return f"vera{next(_NUMBERS)}"


def pass_the_door(tab: Tab, login: str) -> Tab:
    """Answer what the provider asks somebody whom it does not know yet."""
    assert tab.heading == "Who are you?"
    assert tab.fill(Login=login).press("Continue").heading == "May it know?"
    return tab.press("Allow")


def make_a_token(tab: Tab, scope: str = "read") -> str:
    tab.go("/account/").fill(Name="laptop").check(f"{scope}:").press("Make the token")
    return tab.copied("the token")


def cookies_of(tab: Tab) -> dict[str, Any]:
    """Return the cookies that the site has set, by name."""
    found: list[Any] = tab.page.context.cookies(tab.site)
    return {cookie["name"]: cookie for cookie in found if "warehouse14" in cookie["name"]}


@pytest.mark.npm
def test_somebody_signs_in_by_the_button_and_out_here_and_there(company: Company) -> None:
    login = new_login()
    with company.tab() as tab:
        tab.go("/projects/?q=a").follow("Sign in with Corp")
        assert pass_the_door(tab, login).path == "/projects/?q=a"
        found = cookies_of(tab)
        secure = company.trusted is not None
        prefix = "__Host-warehouse14-" if secure else "warehouse14-"
        # The second is how a browser is known again in which somebody came through before.
        assert set(found) == {f"{prefix}session", f"{prefix}arrived"}
        for cookie in found.values():
            assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (secure, True, "Lax")
        assert found[f"{prefix}session"]["expires"] == -1
        assert tab.press(f"Sign out {login}@example.org").heading == "End the session?"
        tab.press("Yes, sign me out")
        assert (tab.heading, tab.notice) == ("Sign in", "You are signed out.")
        assert tab.path.startswith("/login")
        # The provider has forgotten them, too.
        assert tab.follow("Sign in with Corp").heading == "Who are you?"
        assert pass_the_door(tab, login).path == "/"


@pytest.mark.npm
def test_who_signs_out_at_the_provider_is_signed_out_here_and_their_token_goes_on(company: Company) -> None:
    with company.tab() as tab:
        pass_the_door(tab.go("/login").follow("Sign in with Corp"), new_login())
        token = make_a_token(tab)
        tab.page.goto(f"{company.provider.issuer}/session/end")
        assert tab.press("Yes, sign me out").heading == "The session has ended"
        assert tab.go("/account/").heading == "Sign in"
        assert company.may_install(token)
        assert "no word to" not in company.provider.log()


@pytest.mark.npm
def test_the_owner_of_an_account_joins_and_parts_the_provider_on_their_page(company: Company) -> None:
    login = new_login()
    with company.tab() as tab:
        assert (
            pass_the_door(tab.sign_in("cleo", at="/account/").press("Join Corp"), login).path == "/account/"
        )
        assert tab.notice == "You can sign in through Corp now."
        with company.tab() as other:
            pass_the_door(other.go("/login").follow("Sign in with Corp"), login)
            assert other.go("/account/").heading == "cleo"
            tab.press(f"Part corp {login}")
            assert tab.notice.startswith("That way to sign in is closed.")
            assert other.go("/account/").heading == "Sign in"
            assert other.follow("Sign in with Corp").path == "/account/"
            assert other.heading == f"{login}@example.org"


@pytest.mark.npm
def test_somebody_who_says_no_is_told_so_and_may_try_again(company: Company) -> None:
    with company.tab() as tab:
        tab.go("/login").follow("Sign in with Corp").fill(Login=new_login()).press("Continue").press("Deny")
        assert (tab.status, tab.heading) == (403, "Not signed in")
        assert tab.follow("Sign in again").heading == "Sign in"


def test_the_whole_way_of_the_people_of_a_company(
    corp: Corp, new_server: NewServer, browser: Browser, clients: Clients, tmp_path: Path
) -> None:
    """Sign in, make a project, publish, invite, give a role to a group, install, lose the group and be
    refused, and sign out."""
    server = new_server("oidc:corp", {"corp": corp}, allowed_groups="crew")
    corp.server.logout()
    maker, guest, pilot = (new_login() for _ in range(3))
    people = {login: corp.person(login, password=PASSWORD) for login in (maker, guest, pilot)}
    corp.group("crew", *people.values())
    pilots = corp.group("pilots", people[pilot])
    wheel = quick_wheel(tmp_path, "Rocket.Fuel", "1.0")

    @contextmanager
    def at(path: str, login: str) -> Iterator[Tab]:
        with tab_of(browser, server.url, [corp.issuer]) as tab:
            tab.go(path).follow("Sign in with Corp")
            tab.fill(Login=login).press("Continue").fill(Password=PASSWORD).press("Sign in")
            yield tab
            # The browser complains of a page that is refused, sooner or later.
            meant = "status of 404" if tab.status == 404 else "no complaint"
            assert [complaint for complaint in tab.complaints if meant not in complaint] == []

    def installs(token: str, name: str) -> Ended:
        environment = clients.empty_environment(name)
        ended = environment.pip(server.as_account(token), "Rocket.Fuel")
        assert environment.installed() == ({} if ended.status else {"rocket-fuel": "1.0"})
        return ended

    with at("/projects/@@new", maker) as tab:
        assert (tab.path, tab.heading) == ("/projects/@@new", "New project")
        tab.fill(Name="Rocket.Fuel").press("Create the project")
        clients.twine(server.url, make_a_token(tab, "upload"), wheel).well()
        assert tab.go("/projects/rocket-fuel/").heading == "Rocket.Fuel 1.0"
        installs(make_a_token(tab), "maker").well()
        tab.go("/projects/rocket-fuel/@@people").fill(Account_or_group=f"{guest}@example.org")
        tab.press("Give the role")
        assert tab.notice == (
            f"{guest}@example.org is invited, and becomes a member at the first sign-in with that address."
        )
        tab.choose("To an account", "group").fill(Account_or_group="corp/pilots").press("Give the role")
        assert tab.notice == "The group corp/pilots is now a member."
        tab.press(f"Sign out {maker}@example.org")
        assert (tab.heading, tab.notice) == ("Sign in", "You are signed out.")
        assert tab.go("/account/").follow("Sign in with Corp").page.url.startswith(corp.issuer)
    with at("/projects/rocket-fuel/@@people", guest) as tab:
        assert "You are a member." in tab.text
        installs(make_a_token(tab), "guest").well()
    with at("/projects/rocket-fuel/@@people", pilot) as tab:
        assert "You are a member through the group corp/pilots." in tab.text
        token = make_a_token(tab)
        installs(token, "pilot").well()
    corp.set_members(pilots)
    with at("/projects/rocket-fuel/@@people", pilot) as tab:
        assert tab.status == 404
    assert "No matching distribution" in installs(token, "no pilot").badly()
