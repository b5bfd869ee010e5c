"""Fixtures for the tests of the pages in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browser.houses import Houses


@pytest.fixture(scope="session")
def houses(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with Houses(browser, tmp_path_factory.mktemp("houses")) as opened:
        yield opened
