"""What a provider's claims call somebody, and which of them can be relied upon."""

from typing import Any

import pytest

from warehouse14.adapters.oidc import people
from warehouse14.adapters.oidc.options import Options

VERIFIED = {"email": "Noor@Example.org", "email_verified": True}
UNVERIFIED = {"email": "boss@example.org", "email_verified": False}


def options(claim: str, *, trust_email: bool = False) -> Options:
    return Options(
        metadata_url="https://login.example.org/",
        issuer="https://login.example.org",
        client_id="index",
        client_secret="",
        scope="openid",
        user_id_claim=claim,
        groups_claim="",
        allowed_domains=frozenset(),
        allowed_groups=frozenset(),
        trust_email=trust_email,
        title="Corp",
    )


@pytest.mark.parametrize(
    ("claim", "trust_email", "claims", "name"),
    [
        ("email", False, VERIFIED, "noor@example.org"),
        ("email", False, UNVERIFIED, None),
        ("email", True, UNVERIFIED, "boss@example.org"),
        ("nick", False, {"nick": "noor", **UNVERIFIED}, "noor"),
        ("nick", False, {"nick": "NOOR@example.org", **VERIFIED}, "NOOR@example.org"),
        ("nick", False, {"nick": "boss@example.org", **VERIFIED}, None),
        ("nick", False, {"nick": "boss@example.org", **UNVERIFIED}, None),
        ("nick", False, {"nick": "boss@example.org"}, None),
        ("nick", True, {"nick": "boss@example.org", **VERIFIED}, "boss@example.org"),
        ("nick", False, {"nick": 7, **VERIFIED}, None),
        ("nick", False, VERIFIED, None),
    ],
)
def test_a_name_that_is_an_address_is_the_verified_one(
    claim: str, trust_email: bool, claims: dict[str, Any], name: str | None
) -> None:
    assert people.name(options(claim, trust_email=trust_email), claims) == name


_OTHER = {"email": "boss@example.org", "email_verified": True}


@pytest.mark.parametrize(
    ("claims", "more", "address"),
    [
        ({}, VERIFIED, "noor@example.org"),
        (VERIFIED, {}, "noor@example.org"),
        ({"email": "Noor@Example.org"}, VERIFIED, "noor@example.org"),
        (VERIFIED, {"email": "Noor@Example.org"}, "noor@example.org"),
        (VERIFIED, _OTHER, "noor@example.org"),
        # Whoever speaks of one address says nothing of another.
        ({"email": "Noor@Example.org"}, _OTHER, None),
        ({"email": "Noor@Example.org"}, {"email_verified": True}, None),
        ({"email_verified": True}, UNVERIFIED, None),
        ({"email_verified": True}, {"email": "boss@example.org"}, None),
        (UNVERIFIED, _OTHER, None),
        ({"email_verified": True}, {}, None),
    ],
)
def test_whether_an_address_is_verified_is_said_where_the_address_is(
    claims: dict[str, Any], more: dict[str, Any], address: str | None
) -> None:
    found = people.joint({"sub": "7", **claims}, {"sub": "7", "nick": "noor", **more})
    assert people.email(options("email"), found) == address
    assert (found["sub"], found["nick"]) == ("7", "noor")
