"""A real Chromium, Debian's, without a window."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

_PROGRAM = Path("/usr/bin/chromium")
#: Nothing but what the tests ask for: no sandbox of its own, no updates, no calls home.
_WORDS = (
    "--no-sandbox",
    "--disable-gpu",
    # Containers have little shared memory.
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(playwright: Playwright, *words: str) -> Iterator[Browser]:
    """Start Chromium, with further ``words`` on its command line. A missing one is an error, never a skip."""
    assert _PROGRAM.exists(), f"{_PROGRAM} is missing: run tests/install-debian"
    started = playwright.chromium.launch(executable_path=_PROGRAM, headless=True, args=[*_WORDS, *words])
    try:
        yield started
    finally:
        started.close()
