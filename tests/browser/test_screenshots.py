"""The pictures of the documentation, of a site such as a company has.

They are written where ``SCREENSHOTS`` says (``make screenshots``: into
``docs/screenshots``), or else only to see that they can be made.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize

from browser.houses import STOCKS, build, provider
from browser.tabs import NARROW, Tab, tab_of
from support.chromium import chromium
from support.nginx import Nginx
from support.servers import Server
from support.sites import APP, REPOSITORY, SERVER

pytestmark = pytest.mark.debian

_KEPT = REPOSITORY / "docs/screenshots"
_HOST = "packages.example.com"
_DESK: ViewportSize = {"width": 1280, "height": 860}
_LOW: ViewportSize = {"width": 1280, "height": 560}
#: As high as the page is from its table of files on.
_END: ViewportSize = {"width": 1280, "height": 680}
_SCALE = 1.5


@dataclass(frozen=True)
class Picture:
    """A page as it is shown to somebody who does not know it yet."""

    name: str
    path: str
    size: ViewportSize = field(default_factory=lambda: _DESK)
    scheme: Literal["light", "dark"] = "light"
    then: Callable[[Tab], object] = lambda tab: None
    who: str = "ada"


def _make_a_token(tab: Tab) -> None:
    tab.fill(Name="build server", Project="orbit-core").check("upload").press("Make the token")


def _go_to_the_files(tab: Tab) -> None:
    tab.page.get_by_role("link", name="Files", exact=True).click()


def _go_to_the_ways(tab: Tab) -> None:
    tab.page.get_by_role("heading", name="Ways to sign in").evaluate("each => each.scrollIntoView()")


PICTURES = [
    # Before the others have signed in.
    Picture("ways", "/account/", _LOW, then=_go_to_the_ways),
    Picture("home", "/"),
    Picture("search", "/projects/?q=orbit", _LOW, "dark"),
    Picture("project", "/projects/orbit-core/"),
    Picture("files", "/projects/orbit-core/", _END, then=_go_to_the_files),
    Picture("project-phone", "/projects/orbit-core/", NARROW, "dark"),
    Picture("people", "/projects/orbit-core/@@people"),
    Picture("group", "/groups/flight-software/"),
    Picture("journal", "/projects/orbit-units/@@journal", _LOW, "dark"),
    Picture("sign-in", "/login", _END, who=""),
    Picture("token", "/account/", then=_make_a_token),
]


@pytest.fixture(scope="module")
def open_tab(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a tab at a site with a public address, with its owner signed in."""
    folder = tmp_path_factory.mktemp("company")
    site = build(folder / "site", STOCKS["company"])
    site.configure(
        SERVER,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers="x-forwarded-for x-forwarded-proto x-forwarded-host",
        clear_untrusted_proxy_headers="true",
    )
    site.configure(APP, warehouse14__sign_in="local oidc:orbit", **provider("orbit", "Orbit Account"))
    with ExitStack() as stack:
        front = stack.enter_context(Nginx(stack.enter_context(Server(site)), folder / "front"))
        mapped = f"--host-resolver-rules=MAP {_HOST} 127.0.0.1:{front.port}"
        browser: Browser = stack.enter_context(chromium(playwright, mapped))

        def opened(picture: Picture) -> Tab:
            options = {"viewport": picture.size, "color_scheme": picture.scheme}
            tab = stack.enter_context(
                tab_of(browser, f"https://{_HOST}", device_scale_factor=_SCALE, **options)
            )
            return tab.sign_in(picture.who, at=picture.path) if picture.who else tab.go(picture.path)

        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the pictures are written to."""
    chosen = os.environ.get("SCREENSHOTS")
    folder = REPOSITORY / chosen if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_the_page_as_a_visitor_sees_it(
    open_tab: Callable[[Picture], Tab], folder: Path, picture: Picture
) -> None:
    opened = open_tab(picture)
    picture.then(opened)
    path = folder / f"{picture.name}.png"
    opened.page.screenshot(path=path, animations="disabled", caret="hide")
    assert opened.complaints == []
    assert _size(path) == (picture.size["width"] * _SCALE, picture.size["height"] * _SCALE)


def _size(path: Path) -> tuple[float, float]:
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def test_the_documentation_has_these_pictures_and_the_readme_shows_one() -> None:
    kept = {path.name for path in _KEPT.iterdir()}
    assert kept == {f"{picture.name}.png" for picture in PICTURES}
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert any(f"(docs/screenshots/{name})" in readme for name in kept)
