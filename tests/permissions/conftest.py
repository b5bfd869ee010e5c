"""The site that everybody walks over."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.houses import build
from browser.stock import Shelves, Text, sdist, wheel
from permissions.rights import EVERYBODY, NOBODY
from permissions.views import PROJECTS
from permissions.walking import LOOKED_INTO, Serial
from permissions.ways import PASSWORDS, Ways
from permissions.words import KNOWN
from support.providers import Corp
from support.servers import Server, free_port
from support.sites import APP, PASSWORD, Site
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
def ways(request: pytest.FixtureRequest) -> Ways:
    """Return how people sign in: with passwords of the site, unless a test says otherwise."""
    found: Ways = getattr(request, "param", PASSWORDS)
    return found


@pytest.fixture
def server(walked_site: Site, tmp_path: Path, ways: Ways, request: pytest.FixtureRequest) -> Iterator[Server]:
    site, port = walked_site.copy_to(tmp_path / "site"), free_port()
    if ways.provider:
        corp: Corp = request.getfixturevalue("corp")
        own = {**corp.register(f"http://127.0.0.1:{port}", "corp"), "title": "Corp", "trust_email": True}
        own = {f"warehouse14__sign_in__corp__{key}": value for key, value in own.items()}
        site.configure(APP, warehouse14__sign_in=ways.sign_in, **own)
        with site.library() as warehouse:
            for who in KNOWN.values():
                warehouse.arrivals.join_known(
                    warehouse.operator(),
                    who,
                    provider=ProviderName("corp"),
                    issuer=corp.issuer,
                    subject=f"walked-{who}",
                )
    with Server(site, port=port) as started:
        yield started


@pytest.fixture(scope="session")
def known_at_corp(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what signs one of the people of the table in at the identity provider, or nobody."""
    people: dict[str, Any] = {}

    def sign_in(who: str) -> None:
        corp: Corp = request.getfixturevalue("corp")
        if who == NOBODY:
            corp.server.logout()
            return
        if who not in people:
            people[who] = corp.person(f"walked-{who}")
        corp.sign_in(people[who])

    return sign_in


@pytest.fixture
def serial(server: Server) -> Iterator[Serial]:
    """Return the serial of the last change, whatever it was."""
    with server.site.library() as warehouse:

        def read() -> int:
            with warehouse.units.read() as unit:
                return unit.journal.serial()

        yield read
