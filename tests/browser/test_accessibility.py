"""axe-core on every page: light and dark, wide and narrow."""

from collections.abc import Mapping
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ViewportSize

from browser.houses import Houses
from browser.pages import SHOWN, Shown
from browser.tabs import NARROW, WIDE, Tab

pytestmark = pytest.mark.debian

Scheme = Literal["light", "dark"]

_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    # It would ask for the style sheets once more, in a way that the policy of the pages refuses.
    "preload": False,
}
#: Nothing but colours depends on light and dark.
_COLOURS = {**_OPTIONS, "runOnly": ["color-contrast", "link-in-text-block"]}


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
def test_axe_finds_nothing_in_light_and_dark_wide_and_narrow(houses: Houses, shown: Shown) -> None:
    with shown.opened(houses) as tab:
        tab.asks(AXE_SCRIPT)
        found = [
            *_violations(tab, "light", WIDE, _OPTIONS),
            *_violations(tab, "dark", WIDE, _COLOURS),
            *_violations(tab, "dark", NARROW, _OPTIONS),
            *_violations(tab, "light", NARROW, _COLOURS),
        ]
    assert not found, "\n".join(found)


def _violations(tab: Tab, scheme: Scheme, size: ViewportSize, options: Mapping[str, object]) -> list[str]:
    # Without motion a colour is at once what it will be.
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.page.set_viewport_size(size)
    results = tab.asks("options => axe.run(options)", options)
    where = f"{scheme}, {size['width']} px"
    return [
        f"{where}: {violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]
