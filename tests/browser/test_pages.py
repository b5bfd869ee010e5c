"""What holds on every page: nothing sticks out, nothing complains, nothing hostile runs, nothing jumps."""

import pytest
from playwright.sync_api import Route, ViewportSize, expect

from browser.houses import Houses
from browser.pages import NO_PAGES, SHOWN, Shown
from browser.tabs import NARROW, WIDE
from warehouse14.bootstrap import assemble
from warehouse14.web import make_app
from warehouse14.web.resources import Root, browser

pytestmark = pytest.mark.debian

_MEMORY = {"warehouse14.metadata": "memory", "warehouse14.files": "memory"}
_WIDTHS = """() => {
    const root = document.documentElement;
    return [root.clientWidth, root.scrollWidth, document.body.scrollWidth];
}"""
_STICKING_OUT = """() => [...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1
        && !each.parentElement.closest(".wide, .readme"))
    .map(each => each.outerHTML.slice(0, 120))"""
#: What of the page's own words is written from right to left, since somebody's words before it said so.
_REVERSED = """() => {
    const place = (text, at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().x;
    };
    const ours = text => text !== null && text.nodeType === Node.TEXT_NODE
        && text.data.length > 2 && !/[\\u202a-\\u202e]/.test(text.data);
    return [...document.querySelectorAll("main :is(a, button, th, label, h1, h2, h3, code)")]
        .filter(each => ours(each.firstChild) && place(each.firstChild, 1) < place(each.firstChild, 0))
        .map(each => each.outerHTML.slice(0, 120));
}"""
#: The lines to copy that cannot be read whole; only the digests of the files are shortened.
_CUT = """() => [...document.querySelectorAll(".copied code")]
    .filter(each => each.scrollWidth > each.clientWidth && !each.closest(".files"))
    .map(each => each.textContent)"""
#: What stands beside the lines to copy and what their buttons copy, as pairs.
_COPIED = """() => [...document.querySelectorAll(".copied")].map(each =>
    [each.querySelector("code").innerText, each.querySelector("button").dataset.copy])"""
#: How much room the empty search field has beside its words.
_ROOM_IN_SEARCH = """() => {
    const field = document.querySelector("input[type=search]"), style = getComputedStyle(field);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    // Chromium keeps a square free for the cross that empties the field.
    const [left, right, cross] = [style.paddingLeft, style.paddingRight, style.fontSize].map(parseFloat);
    return field.clientWidth - left - right - cross - pen.measureText(field.placeholder).width;
}"""
#: The sizes of the headings that the page has of its own above a description, and of those in it.
_SIZES = """() => ["#description", ".readme :is(h3, h4, h5, h6)"].map(headings =>
    [...document.querySelectorAll(headings)].map(each => parseFloat(getComputedStyle(each).fontSize)))"""
#: What moved that nobody had touched: by how much of the page, and which lines of it.
_SHIFTS = """() => new Promise(resolve => {
    const shifts = [];
    new PerformanceObserver(list => {
        for (const entry of list.getEntries())
            shifts.push([entry.value, entry.sources.map(({node}) => node && node.textContent.trim())]);
    }).observe({type: "layout-shift", buffered: true});
    // Two frames after the observer has been told of what was before it.
    setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => resolve(shifts))), 300);
})"""
#: The share of the page that a line of text which moves by one pixel has, about: nobody sees less than that.
_SEEN = 0.0001


def test_every_view_of_a_page_is_looked_at() -> None:
    warehouse, site, _ = assemble(_MEMORY, {})
    introspector = make_app(warehouse, site).registry.introspector
    views = [entry["introspectable"] for entry in introspector.get_category("views")]
    of_pages = {
        f"{view['context'].__name__} @@{view['name']}" if view["name"] else view["context"].__name__
        for view in views
        if view["context"] is Root or view["context"].__module__ == browser.__name__
        if "GET" in (view["request_methods"] or ())
    }
    assert {shown.view for shown in SHOWN if shown.view} == of_pages - NO_PAGES
    assert of_pages >= NO_PAGES


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
def test_a_page_runs_nothing_hostile_loads_nothing_from_elsewhere_and_fits_a_phone(
    houses: Houses, shown: Shown
) -> None:
    with shown.opened(houses) as tab:
        assert tab.asks("window.hostile") is None
        assert tab.asks(_REVERSED) == []
        tab.page.set_viewport_size(NARROW)
        out = tab.asks(_STICKING_OUT)
        assert tab.asks(_WIDTHS) == [NARROW["width"]] * 3, out
        assert out == []
        assert tab.complaints == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["new token for uploads", "project", "project without files", "style"])
def test_a_line_to_copy_is_read_whole_and_copied_as_it_is(
    houses: Houses, name: str, size: ViewportSize
) -> None:
    (shown,) = [shown for shown in SHOWN if shown.name == name]
    with shown.opened(houses, size) as tab:
        lines = tab.asks(_COPIED)
        assert lines
        assert [line for line, copied in lines if line != copied] == []
        assert tab.asks(_CUT) == []


@pytest.mark.parametrize("who", ["ada", "root"])
@pytest.mark.parametrize("width", [320, 360, 375, 390, 430, 800])
def test_the_words_in_the_empty_search_field_are_whole(houses: Houses, who: str, width: int) -> None:
    tab = houses.tab("full", who).go("/")
    tab.page.set_viewport_size({"width": width, "height": 844})
    assert tab.asks(_ROOM_IN_SEARCH) >= 0


@pytest.mark.parametrize("path", ["/projects/orbit-core/", "/projects/orbit-units/", "/style"])
def test_no_heading_in_a_description_is_larger_than_the_one_above_it(houses: Houses, path: str) -> None:
    (above,), within = houses.tab("full", "ada").go(path).asks(_SIZES)
    assert within
    assert max(within) <= above


@pytest.mark.parametrize("path", ["/projects/orbit-core/", "/projects/night-shift/"])
def test_the_links_at_the_top_of_a_project_lead_to_its_sections_on_a_phone(houses: Houses, path: str) -> None:
    tab = houses.tab("full", "ada").go(path)
    tab.page.set_viewport_size(NARROW)
    links = tab.page.get_by_role("navigation", name="On this page").get_by_role("link")
    assert links.count() >= 4
    for link in links.all():
        tab.asks("scrollTo(0, 0)")
        link.click()
        heading = tab.page.get_by_role("heading", name=link.inner_text(), exact=True)
        expect(heading).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("late", ["nothing", "js", "svg"])
def test_nothing_jumps_while_the_page_of_a_project_is_loaded(
    houses: Houses, size: ViewportSize, late: str
) -> None:
    """Neither when all comes at once, nor when the script or the pictures come late."""
    with houses.fresh_tab("full", "ada", viewport=size) as tab:
        waiting: list[Route] = []
        tab.page.route(f"**/*.{late}", lambda route: waiting.append(route))
        tab.page.goto(f"{tab.site}/projects/orbit-core/", wait_until="commit")
        tab.page.locator("footer").wait_for()
        if late != "nothing":
            tab.page.wait_for_timeout(300)
            assert waiting
        for route in waiting:
            route.continue_()
        tab.page.wait_for_load_state("load")
        shifts = tab.asks(_SHIFTS)
        assert sum(value for value, _ in shifts) < _SEEN, shifts
