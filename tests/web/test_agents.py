"""What a browser calls itself, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse14.web.agents import browser

_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
_GOOGLE = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0"
_WINDOWS = "Windows NT 10.0; Win64; x64"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Linux"),
        (f"Mozilla/5.0 ({_WINDOWS}) {_GOOGLE} Safari/537.36", "Chrome 139 on Windows"),
        (f"Mozilla/5.0 ({_WINDOWS}) {_GOOGLE} Safari/537.36 Edg/138.0.3405.86", "Edge 138 on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE} Safari/605.1.15", "Safari 18 on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) {_APPLE} Mobile/15E148", "Safari 18 on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {_GOOGLE} Mobile Safari/537.36", "Chrome 139 on Android"),
        ("Firefox/1", "Firefox 1"),
    ],
)
def test_a_well_known_browser_is_said_in_words(agent: str, words: str) -> None:
    assert browser(agent) == words


@pytest.mark.parametrize(
    ("agent", "words"),
    [("Lynx/2.9.2", "Lynx/2.9.2"), ("x" * 200, f"{'x' * 60}…"), ("", "An unnamed browser")],
)
def test_any_other_is_what_it_says_or_the_beginning_of_it(agent: str, words: str) -> None:
    assert browser(agent) == words


@given(st.sampled_from(["", "Firefox/", "Version/"]), st.text(alphabet="0123456789. x(/", max_size=500))
def test_whatever_a_browser_says_the_words_are_few(mark: str, rest: str) -> None:
    assert 0 < len(browser(mark + rest)) <= 61
