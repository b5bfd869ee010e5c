"""The HTML form of the Simple API."""

import re
from urllib.parse import unquote, urljoin, urlsplit

import html5lib
import pytest

from web.asking import Index, anchors

PAGES = ["/simple/", "/simple/demo-pkg/", "/simple/empty/", "/legacy/+simple/demo-pkg/"]

GOLDEN = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="1.4">
<title>Links for demo-pkg</title>
</head>
<body>
<h1>Links for demo-pkg</h1>
<a href="../../packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl#sha256=WHEEL"\
 data-requires-python="&gt;=3.8,&lt;4"\
 data-yanked="&lt;b&gt; &#34;x&#34; &amp; é ‮ second"\
 data-dist-info-metadata="sha256=METADATA"\
 data-core-metadata="sha256=METADATA">demo_pkg-1.0-py3-none-any.whl</a><br>
<a href="../../packages/demo-pkg/demo_pkg-1.0.tar.gz#sha256=SDIST">demo_pkg-1.0.tar.gz</a><br>
</body>
</html>
<!--SERIAL 5-->"""

REASON = '<b> "x" & é \u202e second'


def fill(index: Index) -> Index:
    index.project("Demo.Pkg")
    wheel = index.wheel("Demo.Pkg", requires_python=">=3.8,<4")
    index.sdist("Demo.Pkg", metadata_version="2.1")
    index.warehouse.files.yank(index.warehouse.operator(), "demo-pkg", wheel.filename, reason=REASON)
    index.project("empty")
    index.project("hidden", admin="eve")
    return index


@pytest.fixture
def filled(any_index: Index) -> Index:
    """A project with a yanked wheel and an old sdist, an empty one, and one of somebody else."""
    return fill(any_index)


@pytest.fixture(scope="module")
def shown(any_lasting_index: Index) -> Index:
    """The same for tests that only look at it."""
    return fill(any_lasting_index)


@pytest.mark.parametrize("target", PAGES)
def test_a_page_is_valid_html5(shown: Index, target: str) -> None:
    """A001, A018"""
    answer = shown.get(target)
    assert (answer.status, answer.media_type) == (200, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert "charset=utf-8" in answer.headers["Content-Type"].lower()
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(answer.text)
    assert document.find("head/meta[@charset]").get("charset") == "utf-8"


@pytest.mark.parametrize("target", PAGES)
def test_a_page_announces_its_version_once_in_the_head(shown: Index, target: str) -> None:
    """A002, A003"""
    head, _, body = shown.get(target).text.partition("</head>")
    assert head.count('<meta name="pypi:repository-version" content="1.4">') == 1
    assert "pypi:repository-version" not in body


def test_the_list_has_one_link_for_each_project_that_the_caller_may_see(shown: Index) -> None:
    """A004, A005"""
    found = anchors(shown.get("/simple/").text)
    assert found == [({"href": "demo-pkg/"}, "Demo.Pkg"), ({"href": "empty/"}, "empty")]
    assert [urljoin("/simple/", link["href"]) for link, _ in found] == ["/simple/demo-pkg/", "/simple/empty/"]
    assert anchors(shown.get("/simple/", by="eve").text) == [({"href": "hidden/"}, "hidden")]


@pytest.mark.parametrize("target", ["/simple/demo-pkg/", "/legacy/+simple/demo-pkg/"])
def test_a_project_has_one_link_for_each_file_in_the_order_of_their_names(shown: Index, target: str) -> None:
    """A006, A007, A017, behaviours 12"""
    page = shown.get(target).text
    assert "<base" not in page
    found = anchors(page)
    assert [text for _, text in found] == ["demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0.tar.gz"]
    for link, text in found:
        parts = urlsplit(urljoin(target, link["href"]))
        assert parts.path == f"/packages/demo-pkg/{text}"
        assert unquote(parts.path.rpartition("/")[2]) == text
        assert re.fullmatch("sha256=[0-9a-f]{64}", parts.fragment)
        assert shown.get(parts.path).status == 200


def test_attributes_are_escaped_quoted_and_on_one_line(shown: Index) -> None:
    """A008, A009"""
    page = shown.get("/simple/demo-pkg/").text
    tags = re.findall("<a [^>]*>", page)
    assert len(tags) == 2
    for tag in tags:
        assert "\n" not in tag
        assert re.fullmatch(r'<a( [a-z-]+="[^"<>]*")+>', tag)
    assert 'data-requires-python="&gt;=3.8,&lt;4"' in tags[0]


def test_a_yank_shows_with_its_reason_and_goes_with_the_unyank(filled: Index) -> None:
    """A010, A011, A018"""

    def shown() -> str | None:
        return anchors(filled.get("/simple/demo-pkg/").text)[0][0].get("data-yanked")

    files, operator = filled.warehouse.files, filled.warehouse.operator()
    filename = "demo_pkg-1.0-py3-none-any.whl"
    assert shown() == REASON
    files.yank(operator, "demo-pkg", filename)
    assert shown() == ""
    assert ' data-yanked=""' in filled.get("/simple/demo-pkg/").text
    files.unyank(operator, "demo-pkg", filename)
    assert shown() is None


def test_core_metadata_is_announced_exactly_where_it_is_served(filled: Index) -> None:
    """A012"""
    filled.sdist("Demo.Pkg", "2.0")
    filled.sdist("Demo.Pkg", "3.0", dynamic=["Requires-Dist"])
    filled.sdist("Demo.Pkg", "4.0", dynamic=["Summary"])
    announced = set()
    for link, text in anchors(filled.get("/simple/demo-pkg/").text):
        assert link.get("data-core-metadata") == link.get("data-dist-info-metadata")
        served = filled.get(f"/packages/demo-pkg/{text}.metadata").status
        assert served == (200 if "data-core-metadata" in link else 404)
        if served == 200:
            announced.add(text)
    assert announced == {
        "demo_pkg-1.0-py3-none-any.whl",
        "demo_pkg-2.0.tar.gz",
        "demo_pkg-4.0.tar.gz",
    }


@pytest.mark.parametrize("target", PAGES)
def test_a_page_says_nothing_that_it_does_not_keep(shown: Index, target: str) -> None:
    """A013, A014, A015, A016, A062, A063"""
    page = shown.get(target).text
    for absent in ("gpg-sig", "provenance", "project-status", "pypi:tracks", "alternate-locations"):
        assert absent not in page


def test_a_project_without_files_is_there_and_an_unknown_one_is_not(shown: Index) -> None:
    """A019"""
    answer = shown.get("/simple/empty/")
    assert (answer.status, anchors(answer.text)) == (200, [])
    unknown = shown.get("/simple/unknown/")
    assert (unknown.status, unknown.media_type) == (404, "text/plain")
    assert len(unknown.body) < 200


def test_a_project_whose_files_are_all_deleted_is_still_there(filled: Index) -> None:
    """A019"""
    files, operator = filled.warehouse.files, filled.warehouse.operator()
    files.delete_release(operator, "demo-pkg", "1.0")
    answer = filled.get("/simple/demo-pkg/")
    assert (answer.status, anchors(answer.text)) == (200, [])


def test_a_page_is_as_it_was_when_it_was_last_looked_at(shown: Index) -> None:
    """A020: the order of the attributes, and every byte between them."""
    page = shown.get("/simple/demo-pkg/").text
    (wheel, _), (sdist, _) = anchors(page)
    known = {
        "WHEEL": wheel["href"].rpartition("=")[2],
        "METADATA": wheel["data-core-metadata"].rpartition("=")[2],
        "SDIST": sdist["href"].rpartition("=")[2],
    }
    golden = GOLDEN
    for word, digest in known.items():
        golden = golden.replace(word, digest)
    assert page == golden
