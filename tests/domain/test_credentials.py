import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from warehouse14.domain import credentials
from warehouse14.domain.credentials import (
    checked_password_hash,
    hash_password,
    mint_token,
    parse_token,
    password_matches,
    random_password,
    token_matches,
)


def test_a_token_has_the_form_that_scanners_know() -> None:
    assert re.fullmatch(r"wh14_[0-9A-Za-z]{43}", mint_token().text)


def test_a_token_is_read_back_from_its_text() -> None:
    token = mint_token()
    assert parse_token(token.text) == token
    assert token_matches(token, token.sha256)


def test_every_token_is_another() -> None:
    assert len({mint_token().text for _ in range(1000)}) == 1000


@pytest.mark.parametrize("position", range(5, 48))
def test_a_token_with_one_wrong_character_is_none(position: int) -> None:
    text = mint_token().text
    other = "a" if text[position] != "a" else "b"
    assert parse_token(text[:position] + other + text[position + 1 :]) is None


@pytest.mark.parametrize("text", ["", "wh14_", "wh14_x", "pypi-" + "a" * 43, "wh14_" + "é" * 43])
def test_what_has_another_form_is_no_token(text: str) -> None:
    assert parse_token(text) is None


def test_a_token_with_a_line_break_is_none() -> None:
    assert parse_token(mint_token().text + "\n") is None


def test_the_text_of_a_token_is_in_no_representation() -> None:
    token = mint_token()
    assert token.text not in repr(token)


def test_a_password_matches_its_hash_and_no_other() -> None:
    stored = hash_password("correct horse")
    assert stored.startswith("scrypt$16384$8$5$")
    assert password_matches("correct horse", stored)
    assert not password_matches("correct horsf", stored)
    assert not password_matches("correct horse", hash_password("Correct horse"))


def test_the_same_password_is_hashed_with_another_salt() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")


def test_nothing_matches_an_account_without_a_password() -> None:
    assert not password_matches("", None)


def test_a_hash_keeps_the_parameters_that_it_was_made_with() -> None:
    old = "scrypt$2$8$1$AAAAAAAAAAAAAAAAAAAAAA==$"
    import base64
    import hashlib

    digest = hashlib.scrypt(b"old password", salt=b"\0" * 16, n=2, r=8, p=1, dklen=32)
    assert password_matches("old password", old + base64.b64encode(digest).decode())


@pytest.mark.parametrize(
    "stored",
    [
        "x",
        "scrypt$16384$8$5$c2FsdA==",
        "argon2$16384$8$5$c2FsdA==$",
        "scrypt$0$8$5$c2FsdA==$",
        "scrypt$1$8$5$c2FsdA==$",
        "scrypt$3$8$5$c2FsdA==$",
        "scrypt$16384$-8$-5$c2FsdA==$",
        "scrypt$16384$8$0$c2FsdA==$",
        "scrypt$65536$1$1$c2FsdA==$",
        "scrypt$65536$8$1$c2FsdA==$",
        "scrypt$16384$8$90$c2FsdA==$",
        "scrypt$16384$8$5$a$",
        "scrypt$16384$8$5$c2FsdA==$ä",
    ],
)
def test_a_hash_that_no_password_can_be_compared_with_is_none(stored: str) -> None:
    with pytest.raises(ValueError, match="none that one can be compared with"):
        checked_password_hash(stored)


@pytest.mark.parametrize("parameters", ["2$1$1", "32768$1$1", "16384$8$5"])
def test_a_hash_that_counts_as_one_can_be_compared_with(parameters: str) -> None:
    stored = f"scrypt${parameters}$c2FsdA==$"
    assert checked_password_hash(stored) == stored
    assert not password_matches("secret", stored)


def test_a_first_password_is_long_and_random() -> None:
    assert len({random_password() for _ in range(100)}) == 100
    assert len(random_password()) == 20


@contextmanager
def running(checks: int) -> Iterator[None]:
    """As if as many checks were at work."""
    with ExitStack() as stack:
        for _ in range(checks):
            stack.enter_context(credentials._checks)
        yield


def check(done: threading.Event) -> None:
    password_matches("correct horse", None)
    done.set()


def test_a_second_password_is_checked_beside_the_first() -> None:
    second = threading.Event()
    thread = threading.Thread(target=check, args=(second,))
    with running(1):
        thread.start()
        assert second.wait(30)
    thread.join()


def test_a_third_password_waits_until_one_of_two_is_checked() -> None:
    third = threading.Event()
    thread = threading.Thread(target=check, args=(third,))
    with running(1):
        with running(1):
            thread.start()
            # A check that does not wait takes a quarter of a second.
            assert not third.wait(2)
        assert third.wait(30)
    thread.join()
