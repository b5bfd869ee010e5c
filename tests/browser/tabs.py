"""A tab of the browser that remembers what went wrong in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    Response,
    ViewportSize,
)

from support.sites import PASSWORD

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}

#: Told of in the console by itself, since the policy's own words there differ from version to version.
_WATCH = """
document.addEventListener("securitypolicyviolation", event => console.error(
    "the policy was violated: " + event.violatedDirective + " by " + (event.blockedURI || event.sample)));
"""


class Tab:
    """One tab, at one site.

    Attributes:
        page: Playwright's own.
        status: that of the document which was loaded last.
    """

    def __init__(self, context: BrowserContext, site: str, others: Sequence[str] = ()) -> None:
        """Open it. ``others`` are sites that it may be led to, too."""
        self.site = site
        self._others = {urlsplit(url).netloc for url in others}
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.status = 0
        self._documents: set[str] = set()
        self._complaints: list[tuple[str, str]] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._complain(f"an error in a script: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    @property
    def complaints(self) -> list[str]:
        """What went wrong: errors in scripts, the policy, what was asked of another site, dialogs.

        That a document was answered with 404 or the like is no fault of the page, nor is what a site that
        it was led to does not find of its own.
        """
        refused = "Failed to load resource"
        return [
            text
            for text, url in self._complaints
            if not (text.startswith(refused) and (url in self._documents or self._is_other(url)))
        ]

    @property
    def path(self) -> str:
        """Where it is, as a path of the site."""
        return self.page.url.removeprefix(self.site)

    def forget(self) -> None:
        """Be as new: wide, light, and without complaints."""
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self._complaints.clear()

    def go(self, path: str) -> "Tab":
        """Load a page of the site."""
        self.page.goto(self.site + path)
        return self

    def fill(self, **values: str) -> "Tab":
        """Write into the fields of the main form, by their labels; an underscore stands for a space."""
        for label, value in values.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)
        return self

    def choose(self, label: str, value: str) -> "Tab":
        """Choose one of a list."""
        self.page.get_by_label(label).select_option(value)
        return self

    def check(self, label: str) -> "Tab":
        """Tick a box."""
        self.page.get_by_label(label).check()
        return self

    def confirm(self, text: str) -> "Tab":
        """Type the name of what is to be deleted, or something else."""
        self.page.get_by_role("textbox", name="Type").fill(text)
        return self

    def press(self, button: str) -> "Tab":
        """Press a button, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()
        return self

    def follow(self, link: str) -> "Tab":
        """Follow a link, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=link, exact=True).first.click()
        return self

    def sign_in(self, name: str, password: str = PASSWORD, *, at: str = "/login") -> "Tab":
        """Sign in where ``at`` leads somebody who is not."""
        return self.go(at).fill(Name=name, Password=password).press("Sign in")

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.locator("body").inner_text()

    @property
    def heading(self) -> str:
        """What its first heading says."""
        return self.page.locator("h1").first.inner_text().strip()

    @property
    def notice(self) -> str:
        """What it says of what was done right before."""
        return self.page.get_by_role("status").inner_text()

    def copied(self, label: str) -> str:
        """Return the line that is there to be copied under this label."""
        line: Locator = self.page.get_by_role("group", name=label, exact=True)
        return line.inner_text().strip()

    def asks(self, expression: str, argument: Any = None) -> Any:
        """Ask the page something in its own language."""
        return self.page.evaluate(expression, argument)

    def _complain(self, text: str, url: str = "") -> None:
        self._complaints.append((text, url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._complain(message.text, message.location["url"])

    def _dialog(self, dialog: Dialog) -> None:
        self._complain(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _is_other(self, url: str) -> bool:
        """Whether this is of a site that the tab may be led to."""
        return urlsplit(url).netloc in self._others

    def _request(self, request: Request) -> None:
        if not (urlsplit(request.url).netloc == urlsplit(self.site).netloc or self._is_other(request.url)):
            self._complain(f"something of another site: {request.url}")

    def _response(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.status = response.status
            self._documents.add(response.url)


@contextmanager
def tab_of(browser: Browser, site: str, others: Sequence[str] = (), **options: Any) -> Iterator[Tab]:
    """Open a tab in a browser that knows nothing but what ``options`` say (Playwright's, of a context)."""
    context = browser.new_context(**{"viewport": WIDE, "ignore_https_errors": True, **options})
    try:
        context.add_init_script(_WATCH)
        yield Tab(context, site, others)
    finally:
        context.close()
