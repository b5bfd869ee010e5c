"""Signing out in a browser whose session began at an identity provider, before the server has heard of it."""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest import TestApp

from support.providers import Corp
from support.tampering import TamperedCorp, Wrongs
from warehouse14.domain.arrivals import Arrival
from warehouse14.domain.names import ProviderName
from warehouse14.domain.services.arrivals import From
from web.asking import SILENT_PROVIDER, Index
from web.test_pages import form

Opener = Callable[..., Index]

_METADATA = "/.well-known/openid-configuration"


@pytest.fixture
def tampered(corp: Corp) -> Iterator[TamperedCorp]:
    with TamperedCorp(corp) as standing_before:
        yield standing_before


@pytest.fixture
def site(opener: Opener, tampered: TamperedCorp) -> Index:
    """A site that has just been started: it has asked the provider nothing yet."""
    settings = {"sign_in.corp.server_metadata_url": tampered.issuer + _METADATA, "sign_in.corp.title": "Corp"}
    return opener(**{**SILENT_PROVIDER, **settings})


def signed_in(site: Index, issuer: str) -> TestApp:
    """Return the browser of somebody whom the provider vouched for before the server was started."""
    arrival = Arrival(
        issuer, "7", "noor@example.org", "noor@example.org", frozenset(), None, None, "e30.e30."
    )
    begun = site.warehouse.arrivals.sign_in(From(ProviderName("corp"), "Corp", "192.0.2.7"), arrival)
    app = TestApp(site.app, extra_environ={"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "index.example"})
    app.set_cookie("warehouse14-session", begun.secret)
    assert app.get("/account/").status_int == 200
    return app


def signed_out(app: TestApp) -> Any:
    return form(app.get("/account/"), "/logout").submit()


def test_the_session_at_the_provider_ends_although_nothing_was_known_of_it(
    site: Index, tampered: TamperedCorp
) -> None:
    answer = signed_out(signed_in(site, tampered.issuer))
    assert answer.location.startswith(f"{tampered.issuer}/oauth/end_session?")
    asked = parse_qs(urlsplit(answer.location).query)
    assert (asked["id_token_hint"], asked["client_id"]) == (["e30.e30."], ["index"])
    assert asked["post_logout_redirect_uri"] == ["http://index.example/"]
    assert tampered.asked == [_METADATA]


def test_what_is_known_of_the_provider_is_not_asked_for_again(site: Index, tampered: TamperedCorp) -> None:
    for _ in range(2):
        signed_out(signed_in(site, tampered.issuer))
    assert tampered.asked == [_METADATA]


def test_where_the_provider_does_not_answer_the_session_ends_here_and_the_page_says_that_one_may_go_on(
    site: Index, tampered: TamperedCorp, caplog: pytest.LogCaptureFixture
) -> None:
    app = signed_in(site, tampered.issuer)
    tampered.wrongs = Wrongs(pages={"": (500, "down")})
    with caplog.at_level(logging.WARNING):
        answer = signed_out(app)
    assert urlsplit(answer.location).path == "/"
    page = answer.follow().follow()
    assert page.request.path == "/login"
    (notice,) = page.html.select(".notice.refused")
    assert "You are signed out here. Corp does not answer, so you may still be" in notice.get_text()
    assert app.get("/account/", status=303).location.startswith("http://index.example/login")
    (line,) = [record.getMessage() for record in caplog.records if "Corp" in record.getMessage()]
    assert f"{tampered.issuer}{_METADATA} answers 500" in line
    assert "e30.e30." not in caplog.text
