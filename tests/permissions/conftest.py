"""The site that everybody walks over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.houses import build
from browser.stock import Shelves, Text, sdist, wheel
from permissions.rights import EVERYBODY, NOBODY
from permissions.views import PROJECTS
from permissions.walking import LOOKED_INTO, Serial
from support.servers import Server
from support.sites import PASSWORD, Site
from warehouse14.domain.names import ProviderName


def fill(shelves: Shelves) -> None:
    """Put the projects and the people of the table there, with tokens and other browsers to end."""
    shelves.days_ago(3)
    for who in EVERYBODY:
        if who != NOBODY:
            shelves.account(who, password=PASSWORD, administrator=who == "root")
    for public, name in PROJECTS.items():
        shelves.project(name, "ada", public=public, members=["bob"])
        for version in ("1.0", "2.0"):
            text = Text(f"The project {name}", "Look at [the other](/projects/pub/).")
            shelves.publish("ada", wheel(name, version, text), sdist(name, version, text))
        shelves.yank_release(name, "1.0", "old")
    shelves.account("zoe")
    shelves.project(LOOKED_INTO, "zoe")
    shelves.publish("zoe", wheel(LOOKED_INTO, "1.0", Text()))
    shelves.warehouse.groups.create(shelves.operator, "crew", admin="ada")
    shelves.warehouse.groups.add(shelves.operator, "crew", "bob")
    shelves.days_ago(0.01)
    for who in EVERYBODY:
        if who != NOBODY:
            shelves.token(who, f"a token of {who}")
            _join(shelves, who)
            for agent in ("Lynx", "Links"):
                shelves.session(who, agent)


def _join(shelves: Shelves, who: str) -> None:
    # An administrator parts their own on two pages.
    for number in range(3):
        shelves.warehouse.arrivals.join_known(
            shelves.operator,
            who,
            provider=ProviderName("corp"),
            issuer="https://corp.example",
            subject=f"{who}-{number}",
        )


@pytest.fixture(scope="module")
def walked_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site to make copies of, that nobody serves."""
    return build(tmp_path_factory.mktemp("walked") / "site", fill)


@pytest.fixture
def server(walked_site: Site, tmp_path: Path) -> Iterator[Server]:
    with Server(walked_site.copy_to(tmp_path / "site")) as started:
        yield started


@pytest.fixture
def serial(server: Server) -> Iterator[Serial]:
    """Return the serial of the last change, whatever it was."""
    with server.site.library() as warehouse:

        def read() -> int:
            with warehouse.units.read() as unit:
                return unit.journal.serial()

        yield read
