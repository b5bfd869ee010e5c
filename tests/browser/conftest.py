"""Fixtures for the tests in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from browser.houses import Houses
from support.chromium import chromium


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives Chromium: there can be one in a process."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as started:
        yield started


@pytest.fixture(scope="session")
def houses(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with Houses(browser, tmp_path_factory.mktemp("houses")) as opened:
        yield opened
