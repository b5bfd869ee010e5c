"""What a browser keeps of a sign-in that is on its way: the site takes back its own alone, and not for ever.

The provider of these sites is not there: an answer that is taken is 503.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from webtest import TestApp

from web.asking import SILENT_PROVIDER, Index

Opener = Callable[..., Index]

_STATE = "S" * 43
_SECRET = "5e" * 32


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    secret = tmp_path / "secret"
    secret.write_text(_SECRET)
    return {**SILENT_PROVIDER, "secret_file": str(secret)}


def written(site: Index, key: bytes, provider: str = "corp") -> str:
    """Return a journey as somebody writes it who has ``key``."""
    kept = {"nonce": "n", "verifier": "v"}
    values = [site.clock().timestamp(), provider, _STATE, kept, "", None]
    text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    proof = hmac.new(key, f"journey\0{text}".encode(), hashlib.sha256).hexdigest()
    return f"{text}.{proof}"


def arrives(site: Index, journey: str) -> int:
    """Return the status of the answer to a browser that comes back with a journey."""
    browser = TestApp(site.app)
    name = f"warehouse14-journey-{hashlib.sha256(_STATE.encode()).hexdigest()[:16]}"
    browser.set_cookie(name, journey)
    return browser.get("/oauth/corp", {"state": _STATE, "code": "c"}, expect_errors=True).status_int


def test_a_journey_that_the_site_has_written_is_taken(opener: Opener, settings: dict[str, str]) -> None:
    site = opener(**settings)
    assert arrives(site, written(site, _SECRET.encode())) == 503


@pytest.mark.parametrize("key", [b"", b"another"])
def test_a_journey_that_somebody_else_has_written_is_none(
    opener: Opener, settings: dict[str, str], key: bytes
) -> None:
    site = opener(**settings)
    assert arrives(site, written(site, key)) == 403


@pytest.mark.parametrize("journey", ["", ".", "e30=.", "x" * 4000])
def test_what_is_no_journey_at_all_is_none(opener: Opener, settings: dict[str, str], journey: str) -> None:
    assert arrives(opener(**settings), journey) == 403


def test_a_site_without_a_secret_has_one_for_journeys_that_nobody_knows(
    opener: Opener, settings: dict[str, str]
) -> None:
    del settings["secret_file"]
    site, other = opener(**settings), opener(**settings)
    assert arrives(site, written(site, b"")) == 403
    key = other.app.registry.journey_key
    assert arrives(other, written(other, key)) == 503
    assert arrives(site, written(site, key)) == 403


def test_a_journey_to_one_provider_does_not_end_at_another(opener: Opener, settings: dict[str, str]) -> None:
    site = opener(**settings)
    assert arrives(site, written(site, _SECRET.encode(), provider="other")) == 403


def test_a_journey_lasts_for_a_quarter_of_an_hour(opener: Opener, settings: dict[str, str]) -> None:
    site = opener(**settings)
    journey = written(site, _SECRET.encode())
    site.clock.pass_by(minutes=15)
    assert arrives(site, journey) == 503
    site.clock.pass_by(seconds=1)
    assert arrives(site, journey) == 403
