"""What pages say in words: wheels, pages of lists, sizes, times; and the site's own files and paths."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyramid.request import Request

from warehouse14.web.assets import Asset, load_assets
from warehouse14.web.html import FILTERS, ago, day, local_path, moment, size
from warehouse14.web.paging import Paging, page_number
from warehouse14.web.wheels import describe

# -- wheels -------------------------------------------------------------------------------


def fits(tag: str) -> tuple[str, str]:
    """Return what a wheel with a compressed tag set is for."""
    found = describe(f"demo-1.0-{tag}.whl")
    assert found is not None
    return ", ".join(found.pythons), "; ".join(found.platforms)


@pytest.mark.parametrize(
    ("tag", "pythons"),
    [
        ("py3-none", "Python 3"),
        ("py2.py3-none", "Python 2, Python 3"),
        ("py38-none", "Python 3.8 or later"),
        ("py310-none", "Python 3.10 or later"),
        ("cp39-cp39", "CPython 3.9"),
        ("cp313-none", "CPython 3.13"),
        ("cp39-abi3", "CPython 3.9 or later"),
        ("cp37.cp39-abi3.none", "CPython 3.7 or later, CPython 3.9 or later"),
        ("cp27-cp27mu", "CPython 2.7"),
        ("cp313-cp313t", "CPython 3.13, free-threaded"),
        ("cp315-abi3t", "CPython 3.15 or later, free-threaded"),
        ("cp315-abi3.abi3t", "CPython 3.15 or later"),
        ("pp310-pypy310_pp73", "PyPy 3.10"),
        ("graalpy311-graalpy242_311_native", "GraalPy 3.11"),
        ("ip311-none", "IronPython 3.11"),
        ("py3.py3-none", "Python 3"),
        ("jy27-none", "jy27"),
        ("x-none", "x"),
    ],
)
def test_the_python_of_a_wheel_is_said_in_words(tag: str, pythons: str) -> None:
    """PEP 425, PEP 384, PEP 703, PEP 803."""
    assert fits(f"{tag}-any") == (pythons, "any platform")


@pytest.mark.parametrize(
    ("tag", "platforms"),
    [
        ("any", "any platform"),
        ("manylinux_2_28_x86_64", "Linux x86-64, glibc 2.28 or later"),
        ("manylinux1_i686", "Linux x86 (32 bit), glibc 2.5 or later"),
        ("manylinux2010_x86_64", "Linux x86-64, glibc 2.12 or later"),
        ("manylinux2014_aarch64", "Linux ARM 64, glibc 2.17 or later"),
        ("manylinux_2_17_ppc64le.manylinux2014_ppc64le", "Linux ppc64le, glibc 2.17 or later"),
        (
            "manylinux_2_17_x86_64.musllinux_1_2_x86_64",
            "Linux x86-64, glibc 2.17 or later; Linux x86-64, musl 1.2 or later",
        ),
        ("linux_armv7l", "Linux ARM 32"),
        ("macosx_11_0_arm64", "macOS 11.0 or later, ARM 64"),
        ("macosx_10_9_universal2", "macOS 10.9 or later, Intel and ARM"),
        ("win_amd64", "Windows x86-64"),
        ("win_arm64", "Windows ARM 64"),
        ("win32", "Windows x86 (32 bit)"),
        ("ios_13_0_arm64_iphoneos", "iOS 13.0 or later, arm64_iphoneos"),
        ("android_21_arm64_v8a", "Android API 21 or later, arm64_v8a"),
        ("pyodide_2025_0_wasm32", "Pyodide 2025.0"),
        ("plan9_mips", "plan9_mips"),
        ("manylinux_2", "manylinux_2"),
    ],
)
def test_the_platform_of_a_wheel_is_said_in_words(tag: str, platforms: str) -> None:
    """PEP 425, PEP 513, PEP 571, PEP 599, PEP 600, PEP 656, PEP 730, PEP 738."""
    assert fits(f"cp312-cp312-{tag}") == ("CPython 3.12", platforms)


def test_a_build_number_says_nothing() -> None:
    assert describe("demo-1.0-1-py3-none-any.whl") == describe("demo-1.0-py3-none-any.whl")


@pytest.mark.parametrize(
    "filename",
    [
        "demo-1.0.tar.gz",
        "demo-1.0.zip",
        "demo.whl",
        "demo-1.0.whl",
        "none-any.whl",
        ".whl",
        "",
        "demo-1.0-py3-none-any",
    ],
)
def test_what_is_no_wheel_is_not_described(filename: str) -> None:
    assert describe(filename) is None


@given(st.text(alphabet="abcp3_.-{}019x", max_size=40))
def test_no_file_name_is_an_error(text: str) -> None:
    describe(f"{text}.whl")


# -- pages of lists -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "total", "start", "stop", "last"),
    [
        (1, 0, 0, 0, 1),
        (1, 1, 0, 1, 1),
        (1, 25, 0, 25, 1),
        (1, 26, 0, 25, 2),
        (2, 26, 25, 26, 2),
        (2, 50, 25, 50, 2),
        (3, 51, 50, 51, 3),
    ],
)
def test_a_page_is_a_part_of_its_list(number: int, total: int, start: int, stop: int, last: int) -> None:
    paging = Paging(number, 25, total)
    assert (paging.start, paging.stop, paging.last) == (start, stop, last)


@given(st.integers(1, 40), st.integers(0, 400))
def test_the_pages_of_a_list_are_the_whole_list(length: int, total: int) -> None:
    entries = list(range(total))
    first = Paging(1, length, total)
    pages = [Paging(number, length, total) for number in range(1, first.last + 1)]
    assert [entry for page in pages for entry in entries[page.start : page.stop]] == entries


def test_a_page_behind_the_last_is_empty() -> None:
    paging = Paging(9, 25, 60)
    assert list(range(60))[paging.start : paging.stop] == []


@pytest.mark.parametrize(
    ("number", "last", "numbers"),
    [
        (1, 1, "1"),
        (1, 2, "1 2"),
        (2, 5, "1 2 3 4 5"),
        (1, 9, "1 2 3 … 9"),
        (5, 9, "1 … 3 4 5 6 7 … 9"),
        (4, 7, "1 2 3 4 5 6 7"),
        (9, 9, "1 … 7 8 9"),
        (50, 100, "1 … 48 49 50 51 52 … 100"),
        (99, 3, "1 … 3"),
    ],
)
def test_the_pages_around_this_one_the_first_and_the_last_are_linked(
    number: int, last: int, numbers: str
) -> None:
    found = Paging(number, 10, last * 10).numbers
    assert " ".join("…" if one is None else str(one) for one in found) == numbers


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 1),
        ("page=1", 1),
        ("page=2", 2),
        ("page=007", 7),
        ("page=0", 1),
        ("page=-1", 1),
        ("page=1.5", 1),
        ("page=2x", 1),
        ("page=%202", 1),
        ("page=", 1),
        ("page=%D9%A3", 1),
        ("page=%C2%B2", 1),
        ("page=99999999", 100_000),
        ("page=999999999", 1),
        ("page=" + "9" * 5000, 1),
        ("page=%00", 1),
        ("page=2&page=3", 3),
    ],
)
def test_an_odd_page_is_the_first(query: str, number: int) -> None:
    assert page_number(Request.blank(f"/?{query}")) == number


# -- sizes and times ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (2, "2 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1001, "1 kB"),
        (1234, "1.23 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (1_234_567, "1.23 MB"),
        (5_368_709_119, "5.37 GB"),
        (10**12, "1 TB"),
        (999_600_000_000_000, "1000 TB"),
        (1234 * 10**12, "1234 TB"),
        (10**21, "1000000000 TB"),
    ],
)
def test_a_size_has_three_digits_and_a_unit(count: int, words: str) -> None:
    assert size(count) == words


@given(st.integers(0, 10**18))
def test_no_size_is_written_with_an_exponent(count: int) -> None:
    assert re.fullmatch(r"([0-9]+(\.[0-9]{1,2})? [kMGT]B|[0-9]{1,3} bytes?)", size(count))


ELSEWHERE = timezone(timedelta(hours=-8))


def test_a_day_and_a_moment_are_those_of_utc() -> None:
    for at in (
        datetime(2026, 3, 4, 5, 6, 59, tzinfo=UTC),
        datetime(2026, 3, 3, 21, 6, 59, tzinfo=ELSEWHERE),
    ):
        assert day(at) == "2026-03-04"
        assert moment(at) == "2026-03-04 05:06 UTC"


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(hours=-1), "just now"),
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=55), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=2), "2 minutes ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=59, hours=23), "59 days ago"),
    ],
)
def test_what_was_lately_is_said_in_words(past: timedelta, words: str) -> None:
    assert ago(datetime.now(UTC) - past) == words
    assert ago((datetime.now(UTC) - past).astimezone(ELSEWHERE)) == words


def test_what_was_long_ago_is_a_day() -> None:
    at = datetime.now(UTC) - timedelta(days=60, hours=1)
    assert ago(at) == day(at)
    assert ago(datetime(1970, 1, 1, tzinfo=UTC)) == "1970-01-01"


def test_templates_know_the_filters_by_their_names() -> None:
    assert {name: FILTERS[name].__name__ for name in FILTERS} == {name: name for name in FILTERS}
    assert set(FILTERS) == {"browser", "size", "day", "moment", "ago", "sentence", "printable"}


# -- paths --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/projects/",
        "/projects/demo/1.0/?page=2",
        "/a b",
        "/ü",
        "/a//b",
        "/?next=//evil.example/",
        "/a:b@c",
        "/%2F/x",
    ],
)
def test_a_path_on_this_site_can_be_gone_back_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "projects/",
        "?q=x",
        "#x",
        " /projects/",
        "//evil.example/",
        "///evil.example/",
        "////evil.example",
        "/\\evil.example/",
        "\\\\evil.example/",
        "\\/evil.example/",
        "/projects\\demo",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "/\r\nSet-Cookie: x=y",
        "\t//evil.example/",
        "/\0/evil.example",
        "/\u2028/x",
        "/\u202e/x",
        "/\x7f/",
        "/\ud800",
        "https://evil.example/",
        "https:/projects/",
        "HTTPS:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_no_other_address_can_be_gone_back_to(path: str) -> None:
    assert local_path(path) is None


# -- the site's own files -----------------------------------------------------------------


def assets() -> Iterator[Asset]:
    yield from load_assets().values()


def test_the_sites_own_files_are_there_and_nothing_else() -> None:
    found = load_assets()
    assert {"site.css", "site.js", "mark.svg", "pico.jade.min.css"} <= set(found)
    assert all(name == asset.name for name, asset in found.items())
    assert all(re.fullmatch(r"[a-z0-9.]+\.(css|js|svg|txt)", name) for name in found)
    assert all(asset.body for asset in found.values())


def test_an_address_changes_with_the_bytes() -> None:
    for asset in assets():
        assert asset.path == f"/static/{hashlib.sha256(asset.body).hexdigest()[:16]}/{asset.name}"
    one, other = Asset("x.css", b"a{}"), Asset("x.css", b"b{}")
    assert one.path != other.path
    assert one.path == Asset("x.css", b"a{}").path


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("site.css", "text/css"),
        ("site.js", "text/javascript"),
        ("mark.svg", "image/svg+xml"),
        ("licence.txt", "text/plain"),
        ("pico.min.css", "text/css"),
        ("x.png", "image/png"),
        ("x.nothing-known", "application/octet-stream"),
        ("x", "application/octet-stream"),
    ],
)
def test_a_media_type_is_that_of_the_name(name: str, media_type: str) -> None:
    assert Asset(name, b"x").media_type == media_type


def test_text_is_compressed_where_that_makes_it_smaller() -> None:
    for asset in assets():
        packed = asset.compressed
        assert packed is None or (gzip.decompress(packed) == asset.body and len(packed) < len(asset.body))
    assert load_assets()["pico.jade.min.css"].compressed is not None
    assert Asset("x.css", b"a{}").compressed is None
    assert Asset("x.png", b"a" * 1000).compressed is None


def test_the_same_bytes_are_compressed_to_the_same_bytes() -> None:
    """A cache on the way must find them unchanged after a restart."""
    packed = Asset("x.css", b"a{}" * 1000).compressed
    assert packed == Asset("x.css", b"a{}" * 1000).compressed
    assert packed is not None
    assert packed[4:8] == bytes(4)
