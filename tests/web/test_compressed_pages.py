"""Pages for browsers are compressed, and nothing that is secret in them can be guessed by that."""

import gzip

import pytest

from warehouse14.web.csrf import csrf_token
from web.asking import Index


def page(site: Index, encodings: str) -> tuple[bytes, str | None]:
    """Return the bytes of a page as they were sent, and their encoding."""
    headers = {"Cookie": f"warehouse14-session={site.cookie('ada')}", "Accept-Encoding": encodings}
    answer = site.ask("GET", "/account/", None, headers=headers)
    assert answer.headers["Vary"] == "Cookie, Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    return answer.body, answer.headers.get("Content-Encoding")


def test_a_page_is_compressed_for_who_takes_that(stocked: Index) -> None:
    packed, encoding = page(stocked, "gzip, deflate, br")
    plain, none = page(stocked, "gzip;q=0")
    assert (encoding, none) == ("gzip", None)
    assert len(packed) < len(plain) / 2
    assert gzip.decompress(packed).startswith(b"<!DOCTYPE html>")


def test_the_token_of_a_form_is_another_one_on_each_page_and_each_of_them_counts(stocked: Index) -> None:
    tokens = [csrf_token(stocked.cookie("ada")) for _ in range(3)]
    assert len({token[:64] for token in tokens}) == len({token[64:] for token in tokens}) == 3
    for token in tokens:
        fields = {"csrf_token": token, "name": "laptop", "scope": "read", "days": "1"}
        assert stocked.browse("POST", "/account/@@token", "ada", fields).status == 200


@pytest.mark.parametrize("cut", [0, 1, 32, 64, 96, 127])
def test_a_part_of_a_token_is_none(stocked: Index, cut: int) -> None:
    token = csrf_token(stocked.cookie("ada"))[:cut]
    assert stocked.browse("POST", "/account/@@sessions", "ada", {"csrf_token": token}).status == 400
