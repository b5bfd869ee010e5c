"""The sites that are looked at, each started when it is first needed, and who is signed in there."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser

from browser import stock
from browser.stock import Shelves
from browser.tabs import Tab, tab_of
from support.servers import Server
from support.sites import APP, Site
from warehouse14.domain.errors import Unauthenticated

LOST, BROKEN, GUESSED = "lost", "broken", "guessed"


def _full(shelves: Shelves) -> None:
    stock.people(shelves)
    stock.believable(shelves)
    stock.states(shelves)


def _company(shelves: Shelves) -> None:
    stock.people(shelves)
    stock.believable(shelves)
    stock.organised(shelves)


def _damaged(shelves: Shelves) -> None:
    stock.people(shelves)
    for name in (LOST, BROKEN):
        shelves.project(name, "ada")
        shelves.publish("ada", stock.wheel(name, "1.0", stock.Text("Soon to be damaged")))
    for failures in range(10, 0, -1):
        shelves.days_ago(failures / 24 / 60)
        with suppress(Unauthenticated):
            shelves.warehouse.sessions.sign_in(GUESSED, "wrong", origin="127.0.0.1")


def _ways(shelves: Shelves) -> None:
    stock.people(shelves)
    stock.logins(shelves)
    shelves.project("orbit-core", "ada")


def provider(name: str, title: str) -> dict[str, object]:
    """Return the settings of an identity provider that never answers."""
    metadata = "http://127.0.0.1:9/.well-known/openid-configuration"
    own = {"server_metadata_url": metadata, "client_id": "an index", "title": title}
    return {f"warehouse14__sign_in__{name}__{key}": value for key, value in own.items()}


#: What is on each site: everything, what a company has, nobody's project yet, damage, or people
#: who come from elsewhere, too, or from nowhere else.
STOCKS: Mapping[str, Callable[[Shelves], None]] = {
    "full": _full,
    "company": _company,
    "bare": stock.people,
    "damaged": _damaged,
    "ways": _ways,
    "doors": _ways,
}
#: The settings of those that do not have the usual ones. Nobody listens where the providers are.
SETTINGS: Mapping[str, Mapping[str, object]] = {
    "ways": {"warehouse14__sign_in": "local oidc:corp oidc:partner", "warehouse14__administrators": "ben",
             **provider("corp", "Corp"),
             **provider("partner", "The partners in the other hemisphere and their sub-contractors")},
    "doors": {"warehouse14__sign_in": "oidc:corp", **provider("corp", "Corp")},
}  # fmt: skip


def build(folder: Path, fill: Callable[[Shelves], None]) -> Site:
    """Make a site and fill it."""
    site = Site.in_folder(folder)
    site.command("init", "--no-admin")
    with stock.filling(site) as shelves:
        fill(shelves)
    return site


def damage(site: Site) -> None:
    """Lose the bytes of one project, and spoil the row of another."""
    for blob in (site.folder / f"var/files/blobs/{LOST}").rglob("*.whl"):
        blob.unlink()
    with sqlite3.connect(site.folder / "var/warehouse14.sqlite") as database:
        database.execute("UPDATE files SET version = 'no version' WHERE project = ?", [BROKEN])
    database.close()


class Houses:
    """The servers, and the tabs of those who are signed in to them."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._servers: dict[str, Server] = {}
        self._tabs: dict[tuple[str, str], Tab] = {}
        self._states: dict[tuple[str, str], Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def server(self, name: str) -> Server:
        """Return the server of a site."""
        if name not in self._servers:
            site = build(self._folder / name, STOCKS[name])
            site.configure(APP, **SETTINGS.get(name, {}))
            if name == "damaged":
                damage(site)
            self._servers[name] = self._open.enter_context(Server(site))
        return self._servers[name]

    def tab(self, name: str, who: str) -> Tab:
        """Return the tab at a site in which ``who`` is signed in, or nobody: always the same one."""
        if (name, who) not in self._tabs:
            self._tabs[name, who] = self._open.enter_context(self.fresh_tab(name, who))
        tab = self._tabs[name, who]
        tab.forget()
        return tab

    @contextmanager
    def fresh_tab(self, name: str, who: str, **options: Any) -> Iterator[Tab]:
        """Open such a tab in a browser of its own; ``options`` are Playwright's, of a context."""
        url = self.server(name).url
        if who and (name, who) not in self._states:
            with tab_of(self._browser, url) as tab:
                tab.sign_in(who)
                assert "/login" not in tab.path, tab.text
                self._states[name, who] = tab.page.context.storage_state()
        state = self._states[name, who] if who else None
        with tab_of(self._browser, url, storage_state=state, **options) as tab:
            yield tab
