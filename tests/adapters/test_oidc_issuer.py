"""What a provider may call itself: its metadata is asked for by a real request."""

import json
from collections.abc import Iterator

import pytest
import requests

from support.providers import Corp
from support.tampering import TamperedCorp, Wrongs
from warehouse14.adapters.oidc import sign_in
from warehouse14.domain.errors import Unavailable
from warehouse14.settings import Section, SettingError

_METADATA = "/.well-known/openid-configuration"
_ELSEWHERE = "https://elsewhere.example.org"


@pytest.fixture
def tampered(corp: Corp) -> Iterator[TamperedCorp]:
    with TamperedCorp(corp) as standing_before:
        yield standing_before


def issuer_of(tampered: TamperedCorp, path: str, **settings: str) -> str:
    """Return what a site with these settings takes the provider for."""
    values = {"server_metadata_url": tampered.issuer + path, "client_id": "index", **settings}
    return sign_in(Section("warehouse14.sign_in.corp.", values)).issuer()


@pytest.mark.parametrize("path", [_METADATA, f"{_METADATA}?v=1", f"{_METADATA}/?policy=a&b=c"])
@pytest.mark.parametrize("end", ["", "/"])
def test_an_issuer_is_the_address_before_the_path_of_its_metadata_to_the_letter(
    tampered: TamperedCorp, path: str, end: str
) -> None:
    named = tampered.issuer + end
    metadata = requests.get(tampered.issuer + _METADATA, timeout=60).json()
    tampered.wrongs = Wrongs(pages={path.partition("?")[0]: (200, json.dumps({**metadata, "issuer": named}))})
    assert issuer_of(tampered, path) == named


@pytest.mark.parametrize("path", [_METADATA, f"{_METADATA}?v=1", f"/tenant{_METADATA}"])
@pytest.mark.parametrize("named", [_ELSEWHERE, "{}/other", "{}x", "{}/?v=1", "{}/TENANT"])
def test_a_provider_that_calls_itself_another_is_not_relied_upon(
    tampered: TamperedCorp, path: str, named: str
) -> None:
    metadata = requests.get(tampered.issuer + _METADATA, timeout=60).json()
    metadata["issuer"] = named.format(tampered.issuer)
    tampered.wrongs = Wrongs(pages={_METADATA: (200, json.dumps(metadata))})
    with pytest.raises(Unavailable) as caught:
        issuer_of(tampered, path)
    assert f"is of another issuer: {metadata['issuer']}" in caught.value.detail


def test_a_setting_says_what_the_address_of_the_metadata_does_not(tampered: TamperedCorp) -> None:
    metadata = requests.get(tampered.issuer + _METADATA, timeout=60).json()
    metadata["issuer"] = f"{tampered.issuer}/tenants/7/"
    tampered.wrongs = Wrongs(pages={"": (200, json.dumps(metadata))})
    for path in ("/metadata", _METADATA):
        for given in (metadata["issuer"], metadata["issuer"].rstrip("/")):
            assert issuer_of(tampered, path, issuer=given) == metadata["issuer"]
        with pytest.raises(Unavailable):
            issuer_of(tampered, path, issuer=_ELSEWHERE)
    with pytest.raises(SettingError, match=r"^warehouse14\.sign_in\.corp\.issuer is not set"):
        issuer_of(tampered, "/metadata")
