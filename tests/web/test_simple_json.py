"""The JSON form of the Simple API, and that it says the same as the HTML."""

import hashlib
import json
import re
from urllib.parse import urljoin, urlsplit

import pytest
from packaging.version import Version

from warehouse14.domain.names import file_name
from web.asking import HTML, JSON, Index, anchors

GOLDEN = (
    '{"meta":{"api-version":"1.4","_last-serial":4},"name":"demo-pkg","versions":["1.0"],'
    '"files":[{"filename":"demo_pkg-1.0-py3-none-any.whl",'
    '"url":"../../packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl","hashes":{"sha256":"WHEEL"},"size":SIZE,'
    '"upload-time":"2026-03-04T05:06:07.890123Z","yanked":"<b> \\"x\\" & é \u202e second",'
    '"core-metadata":{"sha256":"METADATA"},"requires-python":">=3.8,<4"}]}'
)

REASON = '<b> "x" & é \u202e second'


@pytest.fixture
def filled(any_index: Index) -> Index:
    """A project with files of all kinds."""
    any_index.project("Demo.Pkg")
    wheel = any_index.wheel("Demo.Pkg", requires_python=">=3.8,<4")
    operator = any_index.warehouse.operator()
    any_index.warehouse.files.yank(operator, "demo-pkg", wheel.filename, reason=REASON)
    return any_index


def more(index: Index) -> None:
    index.sdist("Demo.Pkg", metadata_version="2.1")
    index.wheel("Demo.Pkg", "1.10")
    index.sdist("Demo.Pkg", "1.9", requires_python=">=3.11")
    index.wheel("Demo.Pkg", "2.0+local.1")
    files, operator = index.warehouse.files, index.warehouse.operator()
    files.yank(operator, "demo-pkg", "demo_pkg-1.9.tar.gz")
    files.delete(operator, "demo-pkg", "demo_pkg-1.10-py3-none-any.whl")


def detail(index: Index) -> dict:
    answer = index.get("/simple/demo-pkg/", accept=JSON)
    assert answer.status == 200
    return _parsed(answer.text)


def _parsed(text: str) -> dict:
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def test_the_list_is_an_object_with_serials(filled: Index) -> None:
    """A045, A046, A091"""
    filled.project("hidden", admin="eve")
    answer = filled.get("/simple/", accept=JSON)
    page = _parsed(answer.text)
    assert page["meta"] == {"api-version": "1.4", "_last-serial": int(answer.headers["X-PyPI-Last-Serial"])}
    serial = detail(filled)["meta"]["_last-serial"]
    assert page["projects"] == [{"name": "demo-pkg", "_last-serial": serial}]
    assert page["meta"]["_last-serial"] == serial, "what happens in hidden projects is not shown"


def test_a_project_is_as_it_was_when_it_was_last_looked_at(filled: Index) -> None:
    """A046, A047, A050, A053 to A059: every byte."""
    page = filled.get("/simple/demo-pkg/", accept=JSON).text
    file = _parsed(page)["files"][0]
    golden = GOLDEN.replace("WHEEL", file["hashes"]["sha256"]).replace("SIZE", str(file["size"]))
    assert page == golden.replace("METADATA", file["core-metadata"]["sha256"])


def test_versions_are_canonical_and_outlive_their_files(filled: Index) -> None:
    """A048"""
    more(filled)
    page = detail(filled)
    assert page["versions"] == ["1.0", "1.9", "1.10", "2.0+local.1"]
    assert all(str(Version(version)) == version for version in page["versions"])
    assert [file["filename"] for file in page["files"]] == [
        "demo_pkg-1.0-py3-none-any.whl",
        "demo_pkg-1.0.tar.gz",
        "demo_pkg-1.9.tar.gz",
        "demo_pkg-2.0+local.1-py3-none-any.whl",
    ]


def test_every_file_says_all_that_clients_need_and_no_null(filled: Index) -> None:
    """A049 to A052, A054 to A058, A080"""
    more(filled)
    for file in detail(filled)["files"]:
        assert None not in file.values()
        assert set(file) - {"requires-python"} == {
            "filename",
            "url",
            "hashes",
            "size",
            "upload-time",
            "yanked",
            "core-metadata",
        }
        url = urlsplit(urljoin("/simple/demo-pkg/", file["url"]))
        assert (url.query, url.fragment) == ("", "")
        answer = filled.get(url.path)
        assert int(answer.headers["Content-Length"]) == file["size"] == len(answer.body)
        assert type(file["size"]) is int
        assert file["hashes"] == {"sha256": hashlib.sha256(answer.body).hexdigest()}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", file["upload-time"])
        metadata = filled.get(f"{url.path}.metadata")
        wanted = {"sha256": hashlib.sha256(metadata.body).hexdigest()} if metadata.status == 200 else False
        assert file["core-metadata"] == wanted


def test_a_yank_is_true_or_its_reason_and_never_empty(filled: Index) -> None:
    """A053"""
    more(filled)
    yanks = {file["filename"]: file["yanked"] for file in detail(filled)["files"]}
    assert yanks == {
        "demo_pkg-1.0-py3-none-any.whl": REASON,
        "demo_pkg-1.0.tar.gz": False,
        "demo_pkg-1.9.tar.gz": True,
        "demo_pkg-2.0+local.1-py3-none-any.whl": False,
    }


def test_requires_python_is_that_of_the_file(filled: Index) -> None:
    """A054"""
    more(filled)
    wanted = {file["filename"]: file.get("requires-python") for file in detail(filled)["files"]}
    assert wanted == {
        "demo_pkg-1.0-py3-none-any.whl": ">=3.8,<4",
        "demo_pkg-1.0.tar.gz": None,
        "demo_pkg-1.9.tar.gz": ">=3.11",
        "demo_pkg-2.0+local.1-py3-none-any.whl": None,
    }


def test_nothing_is_said_of_what_is_not_kept(filled: Index) -> None:
    """A059, A063, A064"""
    page = detail(filled)
    assert set(page) == {"meta", "name", "versions", "files"}
    assert set(page["meta"]) == {"api-version", "_last-serial"}


@pytest.mark.parametrize("base", ["/simple/", "/legacy/+simple/"])
@pytest.mark.parametrize("accept", [HTML, "text/html"])
def test_html_and_json_say_the_same(filled: Index, base: str, accept: str) -> None:
    """A065"""
    more(filled)
    target = f"{base}demo-pkg/"
    from_json = []
    for file in _parsed(filled.get(target, accept=JSON).text)["files"]:
        metadata = file["core-metadata"] and f"sha256={file['core-metadata']['sha256']}"
        yanked = None if file["yanked"] is False else "" if file["yanked"] is True else file["yanked"]
        from_json.append(
            {
                "href": f"{file['url']}#sha256={file['hashes']['sha256']}",
                "text": file["filename"],
                "data-requires-python": file.get("requires-python"),
                "data-yanked": yanked,
                "data-core-metadata": metadata or None,
                "data-dist-info-metadata": metadata or None,
            }
        )
    names = ("href", "data-requires-python", "data-yanked", "data-core-metadata", "data-dist-info-metadata")
    from_html = [
        {"text": text, **{name: attributes.get(name) for name in names}}
        for attributes, text in anchors(filled.get(target, accept=accept).text)
    ]
    assert from_html == from_json
    for file in from_html:
        assert filled.get(urlsplit(urljoin(target, file["href"])).path).status == 200


def test_both_lists_name_the_same_projects(filled: Index) -> None:
    """A065"""
    filled.project("Second_One")
    names = [project["name"] for project in _parsed(filled.get("/simple/", accept=JSON).text)["projects"]]
    links = [attributes["href"] for attributes, _ in anchors(filled.get("/simple/").text)]
    assert links == [f"{name}/" for name in names] == ["demo-pkg/", "second-one/"]


def test_a_file_name_with_a_plus_is_quoted_in_its_address(filled: Index) -> None:
    """A006, A080"""
    more(filled)
    last = detail(filled)["files"][-1]
    assert last["url"].endswith("demo_pkg-2.0%2Blocal.1-py3-none-any.whl")
    for written in (last["url"], last["url"].replace("%2B", "+")):
        assert filled.get(urljoin("/simple/demo-pkg/", written)).status == 200
    assert file_name(last["filename"])
