"""The keyboard alone: it reaches everything, in order, shows where it is, and does all that a mouse does."""

from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from browser.houses import Houses
from browser.pages import PLAIN, Shown
from browser.tabs import Tab
from support.sites import PASSWORD

pytestmark = pytest.mark.debian

#: Gives a number to all that can be used, in the order of the page, and returns how many there are. Of a
#: group of radio buttons the chosen one counts; the others are reached with the arrows.
_NUMBER = """() => {
    const usable = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const found = [...document.querySelectorAll(usable)].filter(each =>
        !each.disabled && each.type !== "hidden" && each.checkVisibility({visibilityProperty: true})
        && !(each.type === "radio" && !each.checked));
    found.forEach((each, number) => { each.dataset.number = number; });
    // The way begins above the page, wherever the focus was.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    return found.length;
}"""
#: What has the focus: its number, and whether somebody who looks at the page sees that.
_FOCUS = """() => {
    const each = document.activeElement;
    if (each === null || each === document.body) return null;
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const inside = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
    const seen = ring && inside && box.width > 0;
    return {number: each.dataset.number, seen, html: each.outerHTML.slice(0, 150)};
}"""


@pytest.mark.parametrize("shown", PLAIN, ids=lambda shown: shown.name)
def test_tab_reaches_everything_in_order_and_shows_where_it_is(houses: Houses, shown: Shown) -> None:
    with shown.opened(houses) as tab:
        count = tab.asks(_NUMBER)
        reached = list(_walked(tab, count))
        assert [stop["html"] for stop in reached if not stop["seen"]] == []
        assert [int(stop["number"]) for stop in reached if stop["number"] is not None] == list(range(count))


def _walked(tab: Tab, count: int) -> list[dict[str, Any]]:
    """Press Tab until the end of the page, and return where that stopped."""
    stops: list[dict[str, Any]] = []
    # What scrolls takes the focus, too, if nothing in it does: twice as many stops are enough.
    for _ in range(2 * count + 10):
        tab.page.keyboard.press("Tab")
        stop = tab.asks(_FOCUS)
        if stop is None or (stops and stop["number"] == "0"):
            return stops
        stops.append(stop)
    raise AssertionError(f"the focus does not leave the page: {stops[-3:]}")


@pytest.mark.parametrize("who", ["ada", ""], ids=["signed in", "nobody"])
def test_the_skip_link_is_first_appears_and_leads_to_the_content(houses: Houses, who: str) -> None:
    tab = houses.tab("full", who).go("/" if who else "/static/not-here/")
    tab.asks("document.activeElement.blur()")
    link = tab.page.get_by_role("link", name="Skip to the content")
    assert (link.bounding_box() or {"x": 0})["x"] < 0
    tab.page.keyboard.press("Tab")
    assert link.evaluate("link => link === document.activeElement")
    assert (link.bounding_box() or {"x": -1})["x"] >= 0
    tab.page.keyboard.press("Enter")
    assert tab.asks("document.activeElement.id") == "main"
    tab.page.keyboard.press("Tab")
    assert tab.asks("document.querySelector('main').contains(document.activeElement)")


def _type(tab: Tab, *keys: str) -> None:
    """Press keys; what is no key is typed."""
    for key in keys:
        if key in {"Tab", "Enter", "Space", "ArrowDown"}:
            tab.page.keyboard.press(key)
        else:
            tab.page.keyboard.type(key)


def _tab_to(tab: Tab, role: Literal["button", "link", "textbox"], name: str) -> None:
    """Press Tab until the focus is there; it must be seen on the way."""
    goal = tab.page.get_by_role(role, name=name, exact=True)
    for _ in range(40):
        if goal.evaluate("each => each === document.activeElement"):
            return
        _type(tab, "Tab")
        assert tab.asks(_FOCUS)["seen"]
    raise AssertionError(f"Tab does not reach {name!r}")


def _begins_at(tab: Tab, name: str) -> None:
    """Wait for the focus that the page itself gives; a browser does so some time after it has loaded."""
    expect(tab.page.get_by_role("textbox", name=name, exact=True)).to_be_focused()


def _press(tab: Tab, *keys: str) -> None:
    """Press keys of which the last leads to another page, and wait for it."""
    with tab.page.expect_navigation():
        _type(tab, *keys)


def test_from_the_sign_in_to_the_sign_out_with_the_keyboard_alone(houses: Houses) -> None:
    with houses.fresh_tab("bare", "") as tab:
        tab.go("/projects/@@new")
        _begins_at(tab, "Name")
        _press(tab, "cleo", "Tab", PASSWORD, "Enter")
        assert tab.heading == "New project"
        _begins_at(tab, "Name")
        _press(tab, "by-keyboard", "Tab", "ArrowDown", "Tab", "Enter")
        assert tab.path == "/projects/by-keyboard/"
        assert "public" in tab.text

        _tab_to(tab, "link", "People")
        _press(tab, "Enter")
        _tab_to(tab, "textbox", "Account or group")
        _press(tab, "ben", "Tab", "ArrowDown", "Tab", "Enter")
        assert tab.notice == "ben is now an admin."

        _tab_to(tab, "link", "Account")
        _press(tab, "Enter")
        _tab_to(tab, "textbox", "Name")
        _type(tab, "laptop", *["Tab"] * 5)
        _press(tab, "Space", "Enter")
        assert "It installs and publishes." in tab.text

        tab.go("/projects/by-keyboard/@@settings")
        _tab_to(tab, "textbox", "Type by-keyboard to delete it")
        _press(tab, "by-keyboard", "Tab", "Space")
        assert tab.notice == "by-keyboard is deleted. Its name stays taken."

        _tab_to(tab, "button", "Sign out cleo")
        _press(tab, "Space")
        assert tab.heading == "Sign in"


def test_a_copy_button_copies_with_the_keyboard(houses: Houses) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with houses.fresh_tab("full", "ada", permissions=permissions) as tab:
        tab.go("/projects/orbit-core/")
        button = tab.page.get_by_role("button", name="Copy the line for pip", exact=True)
        before = button.bounding_box()
        button.focus()
        _type(tab, "Enter")
        tab.page.get_by_text("Copied").wait_for()
        assert button.bounding_box() == before
        assert tab.asks("navigator.clipboard.readText()") == tab.copied("the line for pip")
