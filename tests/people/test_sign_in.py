"""People sign in through an identity provider."""

from conftest import NewSite
from support.providers import Browser, Corp


def test_somebody_new_gets_an_account_that_is_called_as_the_provider_says(
    corp: Corp, site_with_corp: NewSite
) -> None:
    server = site_with_corp()
    corp.sign_in(corp.person("noor"))
    browser = Browser(server)
    answer = browser.get("/oauth/corp/@@start?next=/account/")
    assert answer.url == f"{server.url}/account/"
    assert "noor@example.org" in answer.text
