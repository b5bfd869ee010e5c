"""Descriptions in the browser: whatever somebody published, the page stays the site's own."""

import itertools
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from html5lib import html5parser
from html5lib.constants import namespaces
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse14.web import readme
from warehouse14.web.readme import HTML_LENGTH, RENDERED_LENGTH, Busy, plain, rendered, safe_url, tame

MARKDOWN, COMMON_MARK, RST, PLAIN = (
    "text/markdown",
    "text/markdown; variant=CommonMark",
    "text/x-rst",
    "text/plain",
)
TRUSTED = "pictures.example"

TAGS = frozenset(
    {
        *(
            "a",
            "abbr",
            "acronym",
            "b",
            "blockquote",
            "br",
            "caption",
            "cite",
            "code",
            "col",
            "colgroup",
            "dd",
        ),
        *(
            "del",
            "details",
            "div",
            "dl",
            "dt",
            "em",
            "figcaption",
            "figure",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
        ),
        *(
            "img",
            "input",
            "kbd",
            "li",
            "ol",
            "p",
            "pre",
            "section",
            "span",
            "strong",
            "sub",
            "summary",
            "sup",
        ),
        *("table", "tbody", "td", "th", "thead", "tr", "tt", "ul", "var"),
    }
)
ATTRIBUTES = {
    "a": {"href", "rel"},
    "img": {"src", "alt", "loading", "width", "height"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "pre": {"tabindex"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
CLASSES = re.compile("[a-z]{1,2}[0-9]?|cpf|err|esc|ges|highlight|code|literal|docutils|admonition(-title)?")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

PAGE = """<!DOCTYPE html><html lang="en"><head><title>demo</title></head><body><main><div class="columns">
<section><h2 id="description">Description</h2><div id="box" class="readme">{}</div></section>
<section id="after"><h2>Files</h2><p id="last">last</p></section></div></main></body></html>"""


# html5lib does not know yet that <summary> is "special" (HTML, section 13.2.4.2), as browsers do.
html5parser.specialElements |= {(namespaces["html"], "summary")}


def parse(fragment: str) -> Any:
    """Return the element around a description, once it is known that nothing left it."""
    document = html5lib.parse(PAGE.format(fragment), namespaceHTMLElements=False)
    main = document.find("body/main")
    assert [child.tag for child in document.find("body")] == ["main"]
    assert [(child.tag, child.get("id")) for child in main.find("div")] == [
        ("section", None),
        ("section", "after"),
    ]
    first, second = main.find("div")
    assert [child.tag for child in first] == ["h2", "div"]
    assert [child.tag for child in second] == ["h2", "p"]
    assert [child.text for child in second] == ["Files", "last"]
    return first[1]


def check(fragment: str, hosts: Sequence[str] = ()) -> Any:
    """Hold that a description is made of nothing but what is allowed, and return its element."""
    box = parse(fragment)
    check_parts(box, hosts)
    for link in box.iter("a"):
        assert all(other is link or other.tag != "a" for other in link.iter())
    return box


def check_tamed(html: str, hosts: Sequence[str] = ()) -> Any:
    """Hold the same of HTML that was not cleaned before, but for where it ends."""
    fragment = tame(html, hosts)
    assert fragment is not None
    box = html5lib.parseFragment(fragment, namespaceHTMLElements=False)
    check_parts(box, hosts)
    return box


def check_parts(box: Any, hosts: Sequence[str]) -> None:
    inside = list(box.iter())[1:]
    ids = [element.get("id") for element in inside if element.get("id") is not None]
    assert len(ids) == len(set(ids))
    assert all(found.startswith("readme-") for found in ids)
    for element in inside:
        assert element.tag in TAGS
        assert set(element.attrib) <= {"id", "class"} | ATTRIBUTES.get(element.tag, set())
        assert all(CLASSES.fullmatch(name) for name in element.get("class", "").split())
        check_addresses(element, ids, hosts)


def check_addresses(element: Any, ids: Sequence[str], hosts: Sequence[str]) -> None:
    if element.tag == "img":
        source = urlsplit(element.attrib["src"])
        assert source.scheme.lower() in {"http", "https"}
        assert source.netloc.lower() in hosts
        assert "alt" in element.attrib
    if element.tag == "input":
        assert element.attrib["type"] == "checkbox"
        assert "disabled" in element.attrib
    href = element.get("href")
    if href is None:
        assert element.tag != "a"
    elif href.startswith("#"):
        assert href[1:] in ids
    else:
        assert re.match("(https?://[^/]|mailto:)", href, re.IGNORECASE)
        assert element.attrib["rel"] == "nofollow noreferrer"


def render(text: str, content_type: str, hosts: Sequence[str]) -> str:
    """What the page shows of a description."""
    html = readme.render(text, content_type, hosts)
    return plain(text) if html is None else html


def shown(text: str, content_type: str = MARKDOWN, hosts: Sequence[str] = ()) -> Any:
    """Return a description's element, which is all that it may be."""
    found = rendered(text, content_type, hosts)
    assert found is not None
    return check(found, hosts)


def words(box: Any) -> str:
    return " ".join("".join(box.itertext()).split())


def tags(box: Any, *wanted: str) -> list[Any]:
    return [element for element in list(box.iter())[1:] if not wanted or element.tag in wanted]


def is_plain(fragment: str) -> bool:
    box = parse(fragment)
    return [(child.tag, child.attrib) for child in box] == [("pre", {"class": "plain"})]


# -- what an enemy would write ----------------------------------------------------------

SCRIPTS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script/x>alert(1)</script\n>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1)//<</script>",
    "<script>alert(1)",
    "<img src=x onerror=alert(1)>",
    "<img/src='https://a.example/'/onerror='alert(1)'>",
    "<p onclick=alert(1) ONMOUSEOVER='alert(1)'>x</p>",
    '<a href="https://a.example/" onfocus=alert(1) autofocus>x</a>',
    '<details open ontoggle="alert(1)"><summary onclick=alert(1)>x</summary></details>',
    '<b style="position:fixed" class="notice">x</b>',
    "<style>body{display:none}</style><style><img src=x onerror=alert(1)></style>",
    "<svg onload=alert(1)><script>alert(1)</script><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src onerror=alert(1)&gt;'>",
    "<math href='javascript:alert(1)'><mi xlink:href='data:x'>x</mi></math>",
    "<form action=https://evil.example/><input name=password type=password><button>x</button></form>",
    "<input type=image src=https://evil.example/x.png><input autofocus><input type=CHECKBOX onclick=x>",
    "<textarea><img src=x onerror=alert(1)></textarea><select><option>x</select>",
    "<iframe src=https://evil.example/ srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=x></object><embed src=x><applet code=x></applet><frameset><frame src=x></frameset>",
    "<video src=x onerror=alert(1)></video><audio src=x></audio><source src=x><track src=x>",
    "<meta http-equiv=refresh content='0; url=https://evil.example/'><base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css><title>x</title><noscript><p title='</noscript>'>",
    "<template><script>alert(1)</script></template><slot name=x></slot><portal src=x></portal>",
    "</div></div></section></main></body></html><h2 id=after>x</h2>",
    "</p></pre></td></table></ul></details></a></b><section id=last>x",
    "<div><div><div><p><b><i><ul><li><table><tr><td>",
    "<b><p><i></b></p></i><a href=https://a.example/><table><a href=https://b.example/>x</table>",
    "<a href=https://a.example/><table><td><a href=https://b.example/>x<img src=https://a.example/x.png>",
    "<table><b><td><a href=https://a.example/><tr></b></a>x",
    "<li><div><article><li>x", "<li><div><table><li>x", "<dd><div><table><dt><div><table><dd>x",
    "<li><section><li>x</section>", "<li><h2><li></h2></div></div>x",
    "<li><aside><nav><li></aside></div></div>x",
    "<li><div><article><li>" * 20,
    "<td>x</td><tr><li>x<dd>x<dt>x<summary>x<caption>x<col>",
    "<h3><h4><h5>x",
    "<a href=https://a.example/>x <a href=https://b.example/>y</a> z</a>",
    "<!-- --><!--><script>alert(1)</script>--><!---><b>x</b>-->",
    "<![CDATA[<script>alert(1)</script>]]><?php echo 1 ?><!DOCTYPE x><!ELEMENT x>",
    "<plaintext>x", "<xmp><script>alert(1)</script></xmp>", "<noembed><b></noembed>",
    "<p id=description class='readme notice copied'>x</p><p id=box>y</p><a name=after id=after>z</a>",
    "<p id='x y' class='notice\tcolumns'>x</p><p id=''>x</p><p id='a\"b'>x</p>",
    "<nav id=x><aside><section class=main role=main aria-label=x data-x=1 tabindex=5>x</section></nav>",
    "<b>x</b \x00 y><\x00script>alert(1)</script><img \x00src=x>",
    "<picture><source srcset=https://evil.example/x.png><img src=https://evil.example/y.png></picture>",
    "<img srcset='https://evil.example/x.png 2x' src='https://evil.example/x.png' usemap=#x ismap>",
    "<td background=https://evil.example/x.png>x</td><p lang=xx dir=rtl title=x contenteditable hidden>x",
]  # fmt: skip


@pytest.mark.parametrize("attack", SCRIPTS)
@pytest.mark.parametrize("content_type", [MARKDOWN, COMMON_MARK])
def test_html_in_markdown_is_brought_down_to_what_is_allowed(attack: str, content_type: str) -> None:
    for text in (
        attack,
        f"Words {attack} words",
        f"\n{attack}\n\n> - {attack}\n\n# {attack}\n\n|{attack}|\n|-|",
    ):
        found = rendered(text, content_type, [])
        if found is not None:
            check(found)


@pytest.mark.parametrize("attack", SCRIPTS)
def test_what_the_renderer_let_through_would_be_brought_down_as_well(attack: str) -> None:
    """The cleaning of readme-renderer and ours do not rely on each other."""
    check_tamed(attack)


@pytest.mark.parametrize("attack", SCRIPTS)
def test_html_in_restructuredtext_is_text(attack: str) -> None:
    found = rendered(f"Words\n\n{attack}\n", RST, [])
    if found is not None:
        assert not {element.tag for element in tags(check(found))} & {"b", "img", "table", "details", "input"}


@pytest.mark.parametrize("attack", SCRIPTS)
def test_html_in_plain_text_is_text(attack: str) -> None:
    fragment = render(attack, PLAIN, [])
    assert is_plain(fragment)
    assert words(parse(fragment)) == " ".join(attack.replace("\0", "\ufffd").split())


PIECES = [
    *("<script>", "</script>", "<svg>", "<math>", "<style>", "</style>", "<form>", "<select>", "<textarea>"),
    *("<title>", "<plaintext>", "<table>", "<tr>", "<td>", "</table>", "<article>", "</article>"),
    *("<section>", "</section>", "<aside>", "<nav>", "<div>", "<div class=notice>", "</div>", "<ul>"),
    *("<li>", "</li>", "<dd>", "<h1>", "</h1>", "<h4>", "<details>", "</details>", "<summary>", "<br/>"),
    *("<hr>", "<pre>", "</pre>"),
    *("<p id=x>", "</p>", "<b>", "</b>", "<code>", "<a href=https://a.example/>", "</a>", "<!--", "-->"),
    *("<a href=javascript:alert(1)>", "<img src=https://evil.example/>", "<input type=checkbox>"),
    *("<img src=https://evil.example/ onerror=x alt='", "'>", '"', ">", "<![CDATA[", "]]>", "<?"),
    *("\n\n", "\n", "> ", "- ", "1. ", "# ", "```\n", "`", "**", "*", "_", "[", "](", ")", "![", "[^1]"),
    *("[^1]: ", "[x]: ", "|", "|-|-|\n", "&lt;", "&#x3c;", "&#0;", "&", "\\", "#x", "x", " "),
    *("javascript:alert(1)", "http://", "https://a.example/", "data:text/html,"),
]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("<li><div><summary><li>")
def test_no_mixture_of_pieces_gets_out_of_the_description(text: str) -> None:
    check_tamed(text)
    found = rendered(text, MARKDOWN, [])
    if found is not None:
        check(found)


# -- links --------------------------------------------------------------------------------

BAD_ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\rscript:alert(1)",
    "\x01javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "\u200bjavascript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A;&#x61;vascript:alert(1)",
    "&#0000106avascript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "javascript://a.example/%0aalert(1)",
    "JAVASCRIPT://a.example/%0aalert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "data:image/svg+xml,<svg/>",
    "data://a.example/x",
    "blob:https://a.example/x",
    "file:///etc/passwd",
    "ftp://a.example/",
    "view-source:https://a.example/",
    "//evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example\\x",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "http://[",
    "http://\u2100.example/",
    "docs/readme.md",
    "/account/",
    "../x",
    "?page=2",
    "@@delete",
    "#",
    "#nowhere",
    "#after",
    "",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_that_a_page_must_not_link_to_becomes_text(address: str) -> None:
    for text in (
        f"[word]({address})",
        f"[word](<{address}>)",
        f"[word][x]\n\n[x]: {address}",
        f"[word][x]\n\n[x]: <{address}>",
        f'<a href="{address}">word</a>',
        f"<a href='{address}' target=_blank>word</a>",
        f'<area href="{address}">word',
        f"<{address}> word",
    ):
        for content_type in (MARKDOWN, COMMON_MARK):
            box = shown(text, content_type)
            assert "word" in words(box)
            assert not [link for link in tags(box, "a") if words(link) == "word"]
    assert not tags(check_tamed(f'<a href="{address}">word</a>'), "a")


@pytest.mark.parametrize(
    "address", [address for address in BAD_ADDRESSES if address.strip() == address != ""]
)
def test_an_address_in_restructuredtext_becomes_text_as_well(address: str) -> None:
    for text in (
        f"`word <{address}>`__",
        f"word_\n\n.. _word: {address}\n",
        f".. image:: {address}\n   :alt: word",
    ):
        found = rendered(text, RST, [])
        if found is not None:
            assert not [link for link in tags(check(found), "a") if words(link) == "word"]


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/",
        "HTTPS://a.example/x?y=z&amp;q#f",
        "http://a.example:8080/ü",
        "http://[::1]/",
        "mailto:ada@a.example",
        "  https://a.example/ ",
    ],
)
def test_a_link_out_says_neither_who_links_nor_that_we_stand_for_it(address: str) -> None:
    (link,) = tags(shown(f'<a href="{address}">word</a>'), "a")
    assert link.attrib["href"] == address.strip().replace("&amp;", "&")
    assert link.attrib["rel"] == "nofollow noreferrer"
    assert words(link) == "word"


def test_a_bare_address_is_a_link_in_gfm_and_restructuredtext() -> None:
    for content_type in (MARKDOWN, RST):
        (link,) = tags(shown("See https://a.example/x there.", content_type), "a")
        assert link.attrib["href"] == "https://a.example/x"


def test_what_is_no_address_at_all_is_never_safe() -> None:
    invisible = [
        "http://a.example\u2028/",
        "https://a.example/\u202egnp.exe",
        "https://a.example/\0",
        "https://",
    ]
    for address in [*(address for address in BAD_ADDRESSES if "&" not in address), *invisible]:
        assert safe_url(address) is None


GFM_PLACES = """\
# Getting *started* & more

[heading](#getting-started--more) [unicode](#café) [percent](#caf%C3%A9) [again](#usage-1) [html](#anchor)
[named](#user-content-usage) note[^1] [nowhere](#nowhere) [page](#description)

## Usage
## Usage
### Café

<a id="anchor"></a>

[^1]: words
"""


def places(box: Any) -> dict[str, str]:
    """Return what each link into the description leads to, by its text."""
    found = {element.get("id"): element for element in tags(box)}
    return {
        words(link): found[link.attrib["href"][1:]].tag
        for link in tags(box, "a")
        if link.attrib["href"].startswith("#")
    }


def test_a_link_into_a_gfm_description_leads_to_the_place_that_is_there() -> None:
    box = shown(GFM_PLACES)
    assert places(box) == {
        "heading": "h3",
        "unicode": "h5",
        "percent": "h5",
        "again": "h4",
        "html": "span",
        "named": "h4",
        "1": "li",
        "↩": "a",
    }
    assert "nowhere page" in words(box)


def test_footnotes_lead_there_and_back() -> None:
    box = shown("a[^x] b[^x]\n\n[^x]: words")
    back = [link.attrib["href"] for link in tags(box, "a") if words(link).startswith("↩")]
    there = [link for link in tags(box, "sup") for link in link.iter("a")]
    assert ["#" + link.attrib["id"] for link in there] == back
    assert {link.attrib["href"] for link in there} == {"#" + tags(box, "li")[0].attrib["id"]}


RST_PLACES = """\
.. contents::

Usage
=====

Go to target_, `Usage`_, `In line`_, [1]_, [#auto]_, [CIT]_ and `café`_. The _`in line` one.

Café
----

.. _target:

Words.

.. [1] one
.. [#auto] two
.. [CIT] three
"""


def test_a_link_into_a_restructuredtext_description_leads_to_the_place_that_is_there() -> None:
    found = places(shown(RST_PLACES, RST))
    assert set(found) >= {
        "target",
        "Usage",
        "In line",
        "[1]",
        "[2]",
        "[CIT]",
        "café",
        "1",
        "2",
        "CIT",
        "Café",
    }
    # The place of a section, a footnote and a citation, of a target between lines, and of one in a line.
    assert {found[name] for name in ("Usage", "café", "[1]", "[2]", "[CIT]", "target")} <= {
        "section",
        "div",
        "p",
    }
    assert found["In line"] == "span"


def test_commonmark_has_no_places_but_those_of_html() -> None:
    box = shown('# Usage\n\n[a](#usage) [b](#x)\n\n<p id="x">c</p>', COMMON_MARK)
    assert places(box) == {"b": "p"}


def test_ids_are_the_descriptions_own_and_each_is_there_once() -> None:
    box = shown(
        '<p id="description">a</p><p id="user-content-description">b</p><p id="a b">c</p><p id="">d</p>'
    )
    assert [element.get("id") for element in tags(box, "p")] == ["readme-description", None, None, None]


def test_classes_are_those_of_code_and_alerts() -> None:
    box = shown(
        '<div class="notice k admonition copied nb1 columns Readme">x</div><p class="readme notice">y</p>'
    )
    assert [element.get("class") for element in tags(box, "div", "p")] == ["k admonition nb1", None]


def test_no_part_of_a_description_is_a_landmark_of_the_page() -> None:
    box = shown("<nav>a</nav>\n\n<aside>b</aside>\n\n<section>c</section>")
    assert [element.tag for element in tags(box)] == ["section", "section", "section"]
    assert not [element for element in tags(box) if set(element.attrib)]


def test_a_link_that_nobody_sees_or_hears_is_none() -> None:
    """readme-renderer puts one into each heading, and a keyboard would stop there."""
    for text, content_type in [
        ("# One\n\n## Two\n", MARKDOWN),
        ("One\n===\n\nTwo\n---\n", RST),
        ('<a href="https://a.example/"> <b></b></a>', MARKDOWN),
        ("[![](docs/logo.png)](https://a.example/)", MARKDOWN),
    ]:
        assert not tags(shown(text, content_type), "a")


# -- images -------------------------------------------------------------------------------


def test_a_remote_image_is_a_link_with_its_words() -> None:
    for text, content_type in [
        ("![Build](https://ci.example/b.svg)", MARKDOWN),
        ("![Build](https://ci.example/b.svg)", COMMON_MARK),
        ('<img src="https://ci.example/b.svg" alt="Build" width="9" class="k" align="right">', MARKDOWN),
        (".. image:: https://ci.example/b.svg\n   :alt: Build\n", RST),
        ("|b|\n\n.. |b| image:: https://ci.example/b.svg\n   :alt: Build\n", RST),
    ]:
        box = shown(text, content_type)
        assert not tags(box, "img")
        (link,) = tags(box, "a")
        assert (link.attrib["href"], words(link)) == ("https://ci.example/b.svg", "Build")


def test_a_remote_image_without_words_is_called_image() -> None:
    (link,) = tags(shown("![](https://ci.example/b.svg)"), "a")
    assert words(link) == "image"


@pytest.mark.parametrize("hosts", [[], ["other.example"]])
def test_an_image_in_a_link_is_its_words(hosts: list[str]) -> None:
    for text, content_type in [
        ("[![Build](https://ci.example/b.svg)](https://ci.example/)", MARKDOWN),
        ("[**![Build](https://ci.example/b.svg)**](https://ci.example/)", COMMON_MARK),
        (".. image:: https://ci.example/b.svg\n   :alt: Build\n   :target: https://ci.example/\n", RST),
    ]:
        box = shown(text, content_type, hosts)
        (link,) = tags(box, "a")
        assert (link.attrib["href"], words(link)) == ("https://ci.example/", "Build")
    (link,) = tags(shown("[![](https://ci.example/b.svg)](https://ci.example/)", hosts=hosts), "a")
    assert words(link) == "image"


def test_an_image_in_what_is_no_link_is_a_link_itself() -> None:
    (link,) = tags(shown("[![Build](https://ci.example/b.svg)](docs/ci.md)"), "a")
    assert (link.attrib["href"], words(link)) == ("https://ci.example/b.svg", "Build")


def test_an_image_of_a_trusted_host_is_shown() -> None:
    for source in (f"https://{TRUSTED}/x.png", f"HTTP://{TRUSTED.upper()}/x.png?y=1&amp;z=2#f"):
        text = f'<img src="{source}" alt="A &quot;B&quot;" width="120" height="8%" onerror="x" align="left">'
        (image,) = tags(shown(text, hosts=["a.example", TRUSTED]), "img")
        assert image.attrib == {
            "src": source.replace("&amp;", "&"),
            "alt": 'A "B"',
            "loading": "lazy",
            "width": "120",
        }


SITE = "https://index.example/pypi"


@pytest.mark.parametrize(
    ("site", "path"),
    [
        (SITE, "/static/mark.svg"),
        (SITE, "/images/2026/a-b_c.png"),
        (SITE, "/x.png"),
        ("http://localhost:6543", "/static/x.png"),
    ],
)
def test_an_image_of_this_site_is_shown(site: str, path: str) -> None:
    for content_type, text in (
        (MARKDOWN, f"![A]({site}{path})"),
        (RST, f".. image:: {site}{path}\n   :alt: A\n"),
    ):
        found = readme.render(text, content_type, [], site)
        assert found is not None
        (image,) = tags(check(found, [urlsplit(site).netloc]), "img")
        assert (image.attrib["src"], image.attrib["alt"]) == (site + path, "A")


@pytest.mark.parametrize(
    "source",
    [
        f"{SITE}/simple/x.png",
        f"{SITE}/legacy/x.png",
        f"{SITE}/packages/demo/x.png",
        f"{SITE}/pypi/x.png",
        f"{SITE}/projects/demo/1.0/demo-1.0-py3-none-any.whl",
        f"{SITE}/./simple/x.png",
        f"{SITE}//simple/x.png",
        f"{SITE}/static/../simple/x.png",
        f"{SITE}/%73imple/x.png",
        f"{SITE}/static/%2e%2e/simple/x.png",
        f"{SITE}/static/\\..\\..\\simple/x.png",
        f"{SITE}/simple",
        f"{SITE}/simple/?x=/static/x.png",
        f"{SITE}/account/?x",
        f"{SITE}/",
        SITE,
        "https://index.example/static/x.png",
        "https://index.example/pypi-two/static/x.png",
        "http://index.example/pypi/static/x.png",
        "https://index.example:8443/pypi/static/x.png",
        "https://index.example.evil.example/pypi/static/x.png",
        "https://evil.example/https://index.example/pypi/static/x.png",
    ],
)
def test_an_address_of_this_site_where_no_image_of_it_lies_is_a_link(source: str) -> None:
    found = rendered(f'<img src="{source}" alt="words">', MARKDOWN, [], SITE)
    assert found is not None
    box = check(found)
    assert not tags(box, "img")
    assert words(box) == "words"


@pytest.mark.parametrize(("url", "count"), [("http://index.example", 1), ("", 0)])
def test_the_page_of_a_project_shows_images_of_this_site_if_its_address_is_set(
    opener: Callable[..., Any], url: str, count: int
) -> None:
    site = opener(url=url)
    site.project("demo")
    site.wheel("demo", description="![A](http://index.example/static/mark.svg)")
    page = html5lib.parse(site.browse("GET", "/projects/demo/").text, namespaceHTMLElements=False)
    assert len(page.findall(".//img[@alt='A']")) == count


def test_an_image_of_a_trusted_host_without_words_is_decoration_unless_it_is_the_link() -> None:
    source = f"https://{TRUSTED}/x.png"
    alts = [
        [image.attrib["alt"] for image in tags(shown(text, hosts=[TRUSTED]), "img")]
        for text in (f"![]({source})", f"[![]({source})](https://a.example/)", f"# ![]({source})")
    ]
    assert alts == [[""], ["image"], ["image"]]


@pytest.mark.parametrize(
    "source",
    [
        f"https://{TRUSTED}@evil.example/x.png",
        f"https://{TRUSTED}:evil@evil.example/x.png",
        f"https://{TRUSTED}:8443/x.png",
        f"https://{TRUSTED}.evil.example/x.png",
        f"https://evil.example/{TRUSTED}/x.png",
        f"https://evil.example?@{TRUSTED}/",
        f"https://evil.example#@{TRUSTED}/",
        f"https://evil.example\\@{TRUSTED}/",
        f"https://{TRUSTED}\\@evil.example/",
        f"https://{TRUSTED}./x.png",
        f"//{TRUSTED}/x.png",
        f"mailto:{TRUSTED}",
        f"data:image/png;base64,{TRUSTED}",
        "docs/logo.png",
        "/static/logo.png",
        "",
    ],
)
def test_an_image_that_only_looks_like_one_of_a_trusted_host_is_not_shown(source: str) -> None:
    text = f'<img src="{source}" alt="words">'
    for box in (shown(text, hosts=[TRUSTED]), check_tamed(text, [TRUSTED])):
        assert not tags(box, "img")
        assert words(box) == "words"


# -- headings -----------------------------------------------------------------------------


def levels(box: Any, *, closed: bool) -> Iterator[int]:
    """Return the levels of the headings in their order; those in closed details are not there."""
    for child in box:
        if child.tag in HEADINGS:
            yield int(child.tag[1])
        if closed and child.tag == "details":
            first = [summary for summary in child if summary.tag == "summary"][:1]
            for summary in first:
                yield from levels(summary, closed=closed)
        else:
            yield from levels(child, closed=closed)


def check_order(box: Any) -> None:
    """Hold what axe-core's rule heading-order holds of a page with an h2 above its description."""
    for closed in (False, True):
        found = [2, *levels(box, closed=closed)]
        assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(found)), found


def markdown_headings(*wanted: int) -> str:
    return "".join(f"{'#' * level} Word {number}\n\n" for number, level in enumerate(wanted))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([1, 2, 3, 2, 1], [3, 4, 5, 4, 3]),
        ([2, 3, 4, 2], [3, 4, 5, 3]),
        ([4, 4, 5], [3, 3, 4]),
        ([1, 3, 3, 2], [3, 4, 4, 4]),
        ([1, 4, 2, 4], [3, 4, 4, 5]),
        ([3, 1, 2], [3, 3, 4]),
        ([6, 5, 4, 3, 2, 1], [3, 3, 3, 3, 3, 3]),
        ([1, 2, 3, 4, 5, 6, 6, 2], [3, 4, 5, 6, 6, 6, 6, 4]),
    ],
)
def test_headings_stand_below_those_of_the_page_and_skip_no_level(
    wanted: list[int], found: list[int]
) -> None:
    box = shown(markdown_headings(*wanted))
    assert list(levels(box, closed=False)) == found
    check_order(box)


def test_headings_of_restructuredtext_do_as_well() -> None:
    box = shown("One\n===\n\nTwo\n---\n\nThree\n~~~~~\n\nTwo\n---\n\nOne\n===\n", RST)
    assert list(levels(box, closed=False)) == [3, 4, 5, 4, 3]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.one_of(
            st.integers(1, 6).map(lambda level: f"<h{level}>word</h{level}>"),
            st.integers(1, 6).map(lambda level: f"<h{level}> <img src=x></h{level}>"),
            st.sampled_from(["<details>", "</details>", "<summary>", "</summary>", "<div>", "</div>"]),
        ),
        max_size=14,
    ).map("".join)
)
def test_no_order_of_headings_skips_a_level_whether_details_are_open_or_not(text: str) -> None:
    found = rendered(text, MARKDOWN, [])
    if found is not None:
        check_order(check(found))


def test_a_heading_with_nothing_in_it_is_none() -> None:
    box = shown("# ![](docs/logo.png)\n\n#\n\n## Usage\n\n# ![Logo](docs/logo.png)\n")
    assert [(element.tag, words(element)) for element in tags(box, *HEADINGS)] == [
        ("h3", "Usage"),
        ("h3", "Logo"),
    ]


# -- what honest people write -------------------------------------------------------------


def test_tables_are_tables() -> None:
    for text, content_type in [
        ("|a|b|\n|:-|-:|\n|1|2|\n", MARKDOWN),
        ("== ==\na  b\n== ==\n1  2\n== ==\n", RST),
        (".. csv-table::\n   :header: a, b\n\n   1, 2\n", RST),
        ("<table><thead><tr><th>a<th>b</thead><tbody><tr><td>1<td>2</table>", COMMON_MARK),
    ]:
        (table,) = tags(shown(text, content_type), "table")
        assert [words(row).replace(" ", "") for row in table.iter("tr")] == ["ab", "12"]
        assert [cell.tag for cell in table.iter() if cell.tag in {"th", "td"}] == ["th", "th", "td", "td"]


def test_cells_span_small_numbers_of_columns() -> None:
    text = "<table><tr><td colspan=2 rowspan=٣>a<td colspan=-1>b<td rowspan=999999>c<td colspan=x>d</table>"
    assert [cell.attrib for cell in tags(shown(text), "td")] == [{"colspan": "2"}, {}, {}, {}]


def test_task_lists_say_what_is_done() -> None:
    box = shown("- [x] one\n- [ ] two\n\n<input type=text value=x><input><input type=radio>")
    assert [(field.attrib["aria-label"], "checked" in field.attrib) for field in tags(box, "input")] == [
        ("done", True),
        ("to do", False),
    ]


def test_code_has_the_classes_of_pygments_and_the_keyboard_can_move_it() -> None:
    for text, content_type in [
        ('```python\nprint("<b>")  # c\n```\n', MARKDOWN),
        ('~~~python\nprint("<b>")  # c\n~~~\n', COMMON_MARK),
        ('.. code:: python\n\n   print("<b>")  # c\n', RST),
        ('.. code-block:: python\n\n   print("<b>")  # c\n', RST),
    ]:
        (block,) = tags(shown(text, content_type), "pre")
        assert words(block) == 'print("<b>") # c'
        assert {"nb", "c1"} <= {part.get("class") for part in block.iter("span")}
        assert block.attrib["tabindex"] == "0"


def test_literal_text_of_restructuredtext_is_code() -> None:
    (code,) = tags(shown("Use ``pip <x>``.", RST), "code")
    assert words(code) == "pip <x>"


def test_alerts_are_told_from_the_text_around_them() -> None:
    for text, content_type in [("> [!WARNING]\n> careful\n", MARKDOWN), (".. warning:: careful\n", RST)]:
        (box,) = tags(shown(text, content_type), "section")
        assert box.attrib == {"class": "admonition"}
        assert words(box).lower() == "warning careful"
        assert tags(box, "p")[0].attrib == {"class": "admonition-title"}


def test_lists_quotes_and_the_like_stay_what_they_are() -> None:
    box = shown(
        "> q\n\n3. a\n4. b\n\n* c\n\n---\n\n~~d~~ **e** *f* `g`\n\n<kbd>h</kbd><sub>i</sub><abbr>j</abbr>"
    )
    assert {element.tag for element in tags(box)} == {
        *("blockquote", "p", "ol", "ul", "li", "hr", "del", "strong", "em", "code", "kbd", "sub", "abbr"),
    }
    assert tags(box, "ol")[0].attrib == {"start": "3"}
    assert words(shown("a &lt;b&gt; &amp;amp; \"c\" 'd'")) == "a <b> &amp; \"c\" 'd'"


# -- content types ------------------------------------------------------------------------

SOURCE = "| a |\n| - |\n\n*b* ``c``\n\nd\n=\n"


@pytest.mark.parametrize(
    ("content_type", "has_table", "has_literal"),
    [
        ("text/markdown", True, False),
        ("TEXT/Markdown ; Charset=UTF-8; VARIANT=gfm", True, False),
        ('text/markdown; variant="GFM"', True, False),
        ("text/markdown; charset=UTF-8; variant=CommonMark", False, False),
        ('text/markdown;variant="commonmark"', False, False),
        ("text/markdown; variant=CommonMarkish", True, False),
        ("text/markdown; variant=Original", True, False),
        ("text/markdown;;=;variant*0*=x;variant", True, False),
        ("text/markdown; variant*" + "9" * 5000 + "=x", True, False),
        ("text/x-rst", False, True),
        (" Text/X-RST; charset=UTF-8", False, True),
        ("", False, True),
        (" ; charset=UTF-8", False, True),
    ],
)
def test_the_content_type_says_how_to_read_it(content_type: str, has_table: bool, has_literal: bool) -> None:
    box = shown(SOURCE, content_type)
    assert bool(tags(box, "table")) is has_table
    assert bool([code for code in tags(box, "code") if "literal" in code.get("class", "")]) is has_literal
    fragment = render(SOURCE, content_type, [])
    assert not is_plain(fragment)
    check(fragment)


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "text/plain; charset=UTF-8", "text/html", "markdown", "text/markdown x", "x" * 9999),
        *("text/x-rst\x00", "\ud800", "text/", "/", "application/pdf", "text/\nmarkdown"),
    ],
)
def test_what_we_cannot_read_is_shown_as_it_is(content_type: str) -> None:
    text = "<b>a</b>  &amp;\n  *b* | 'c' \"d\"\n"
    fragment = render(text, content_type, [])
    assert is_plain(fragment)
    assert "".join(parse(fragment).itertext()) == text


@pytest.mark.parametrize(
    "text",
    [
        ".. raw:: html\n\n   <script>alert(1)</script>\n",
        ".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`<script>alert(1)</script>`\n",
        ".. include:: /etc/passwd\n",
        ".. include:: <isonum.txt>\n",
        ".. literalinclude:: /etc/passwd\n",
        ".. raw:: html\n   :file: /etc/passwd\n",
        ".. raw:: html\n   :url: https://evil.example/\n",
        ".. csv-table::\n   :file: /etc/passwd\n",
        ".. csv-table::\n   :url: https://evil.example/\n",
        ".. figure:: /etc/passwd\n   :figwidth: image\n",
        ".. code:: python\n   :include: /etc/passwd\n",
        "`unfinished\n\n:nope:`x`\n\n.. nope::\n",
        "Title\n==\n",
    ],
)
def test_restructuredtext_reads_no_file_and_runs_no_html(text: str) -> None:
    fragment = render(text, RST, [])
    assert "root:" not in fragment
    if is_plain(fragment):
        assert "".join(parse(fragment).itertext()) == text
    else:
        check(fragment)


# -- bounds -------------------------------------------------------------------------------


def test_odd_characters_are_shown_as_such() -> None:
    text = "a\0b\ud800c\udcffd\x07e\x9bf\x7fg\ufffeh\r\ni\tj\x0ck"
    for content_type in (MARKDOWN, RST, PLAIN):
        fragment = render(text, content_type, [])
        fragment.encode("utf-8")
        assert words(parse(fragment)) == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg\ufffdh i j k"


@settings(deadline=None, max_examples=20)
@given(st.text(st.characters()), st.sampled_from([MARKDOWN, RST, PLAIN, ""]))
def test_no_text_is_an_error(text: str, content_type: str) -> None:
    fragment = render(text, content_type, [])
    fragment.encode("utf-8")
    parse(fragment)


def doubled(times: int) -> str:
    """Return a few lines that docutils makes ``2 ** times`` words of."""
    lines = (f".. |a{number}| replace:: |a{number + 1}| |a{number + 1}|\n" for number in range(times))
    return "".join(lines) + f".. |a{times}| replace:: word\n\n|a0|\n"


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (doubled(40), RST),
        ("".join("   " * deep + ".. container:: a\n\n" for deep in range(200)) + "   " * 200 + "a", RST),
        ("- " * 4000, RST),
        ("a " * 20_000, RST),
        pytest.param(">" * 40_000, MARKDOWN, marks=pytest.mark.thorough),
        pytest.param("# a\n" * 15_000, MARKDOWN, marks=pytest.mark.thorough),
    ],
    ids=["substitutions", "nested directives", "nested lists", "a long line", "nested quotes", "headings"],
)
def test_what_takes_too_much_is_shown_as_it_is(text: str, content_type: str) -> None:
    """The process that renders has three seconds of the processor, and ten in all."""
    started = time.monotonic()
    fragment = render(text, content_type, [])
    assert time.monotonic() - started < 15
    assert is_plain(fragment)


def test_what_is_nested_deeply_breaks_nothing() -> None:
    for unit in ("[", "![", "*a **b ", "<b>", "<div>", "<ul><li>", "- ", "> ", "(", "&"):
        parse_only_outside(render(unit * (5_000 // len(unit)), MARKDOWN, []))


def parse_only_outside(fragment: str) -> None:
    """Hold that the tags of a description are closed where it ends; a tree of it would be too deep."""
    depth = 0
    for end, name in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", fragment):
        if name not in {"br", "hr", "img", "input", "col"}:
            depth += -1 if end else 1
        assert depth >= 0
    assert depth == 0


def test_a_long_description_is_shown_as_it_is() -> None:
    text = "a *b*\n" * (RENDERED_LENGTH // 6 + 1)
    assert len(text) > RENDERED_LENGTH
    assert is_plain(render(text, MARKDOWN, []))
    assert not is_plain(render("a *b*\n" * 2_000, MARKDOWN, []))


def test_a_description_that_becomes_too_much_html_is_shown_as_it_is() -> None:
    assert tame("a" * HTML_LENGTH, []) is not None
    assert tame("a" * (HTML_LENGTH + 1), []) is None


@pytest.mark.parametrize("content_type", [MARKDOWN, COMMON_MARK, RST])
def test_a_process_of_its_own_renders_the_same(content_type: str) -> None:
    text = f"a ``b`` https://{TRUSTED}/ é \U0001f600\n\n![c](https://{TRUSTED}/x.png)\n"
    assert render(text, content_type, [TRUSTED]) == rendered(text, content_type, [TRUSTED])


def test_where_no_process_can_be_started_the_text_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert is_plain(render("*a*", MARKDOWN, []))


def test_while_two_are_rendered_a_third_waits_its_turn_and_no_longer_than_it_has_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else whoever asks for many pages at once would have as many processes of a gigabyte."""
    monkeypatch.setattr(readme, "_PATIENCE", 0.05)
    with readme._AT_ONCE, readme._AT_ONCE:
        with pytest.raises(Busy):
            render("A *word*.", MARKDOWN, [])
        assert render("A word.", "", []) == "<p>A word.</p>\n"
    assert render("A *word*.", MARKDOWN, []) == "<p>A <em>word</em>.</p>\n"


@pytest.mark.parametrize("nested", ["i. " * 300, "- " * 300, "(1) " * 200, "#. " * 300, "* - + " * 100])
def test_lists_in_lists_are_no_prose_that_needs_no_process(
    monkeypatch: pytest.MonkeyPatch, nested: str
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert is_plain(render(nested, RST, []))


def test_short_prose_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert not is_plain(render("The description of demo.\n", "", []))
    assert is_plain(render("The ``description`` of demo.\n", "", []))


EMPTY: list[Callable[[], str]] = [
    lambda: render("", MARKDOWN, []),
    lambda: render(" \n", "", []),
    lambda: render(".. a comment\n", RST, []),
    lambda: render("<!-- a comment -->", MARKDOWN, []),
]


@pytest.mark.parametrize("make", EMPTY)
def test_a_description_that_says_nothing_breaks_nothing(make: Callable[[], str]) -> None:
    parse(make())
