"""``warehouse14 account join``, ``part`` and ``logins``, and the settings of identity providers."""

from typing import Any

import pytest

_PERSON = ("--issuer", "https://login.example.org", "--subject", "7")


def test_somebody_at_a_provider_is_joined_listed_and_parted(site: Any) -> None:
    joined = site.done("account", "join", "ada", "--provider", "corp", *_PERSON)
    assert "7 of https://login.example.org now signs in to the account ada" in joined.out + joined.err
    again = site.done("account", "join", "ada", "--provider", "corp", *_PERSON)
    assert "signs in already" in again.out + again.err
    (row,) = site.done("account", "logins", "ada", "--json").rows
    assert (row["provider"], row["issuer"], row["subject"]) == ("corp", "https://login.example.org", "7")
    site.done("account", "part", "ada", *_PERSON)
    assert site.done("account", "logins", "ada", "--json").rows == []
    assert site("account", "part", "ada", *_PERSON).status == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("join", "eve", "--provider", "corp", *_PERSON), "There is no account 'eve'"),
        (("join", "ada", "--provider", "a_b", *_PERSON), "is not the name of a provider"),
        (("join", "ada", "--provider", "corp", "--issuer", "x", "--subject", ""), "subject: use 1 to 255"),
        (("join", "bob", "--provider", "corp", *_PERSON), "joined to another account"),
        (("logins", "eve"), "There is no account 'eve'"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_words(site: Any, words: tuple[str, ...], said: str) -> None:
    site.done("account", "add", "bob")
    site.done("account", "join", "ada", "--provider", "corp", *_PERSON)
    refused = site("account", *words)
    assert (refused.status, said in refused.err) == (1, True), refused


@pytest.mark.parametrize(
    ("ways", "settings", "said"),
    [
        ("oidc:corp", {}, "warehouse14.sign_in.corp.server_metadata_url is not set"),
        ("oidc:corp", {"server_metadata_url": "http://login.example.org/x"}, "is not an https address"),
        ("oidc:corp", {"server_metadata_url": "https://x/"}, "warehouse14.sign_in.corp.client_id is not set"),
        (
            "oidc:corp oidc:corp",
            {"server_metadata_url": "https://x/", "client_id": "x"},
            "with a name of its own",
        ),
        ("oidc:Corp", {}, "is not the name of a provider"),
        ("oidc:local", {}, "with a name of its own"),
        ("local:corp", {}, "with a name of its own"),
        ("local local", {}, "with a name of its own"),
        ("saml", {}, "is not one of oidc, nor package.module:factory"),
        ("local", {"client_id": "x"}, "warehouse14.sign_in.corp.client_id"),
        (
            "oidc:corp",
            {"server_metadata_url": "https://x/", "client_id": "x", "client_secrets": "s3cret"},
            "warehouse14.sign_in.corp.client_secret",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": "https://x/", "client_id": "x", "client_secret_env": "W14_NOT_SET"},
            "which is not set",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": "https://x/", "client_id": "x", "client_secret_file": "/no/such/file"},
            "cannot be read",
        ),
        (
            "oidc:corp",
            {
                "server_metadata_url": "https://x/",
                "client_id": "x",
                "client_secret": "s3cret",
                "client_secret_file": "/no/such/file",
            },
            "are both set",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": "https://x/", "client_id": "x", "allowed_groups": "staff"},
            "warehouse14.sign_in.corp.groups_claim is not set: allowed_groups lets nobody in",
        ),
    ],
)
def test_settings_that_make_no_provider_are_one_line(
    site: Any, ways: str, settings: dict[str, str], said: str
) -> None:
    lines = [f"warehouse14.sign_in.corp.{key} = {value}" for key, value in settings.items()]
    site.set("[server:main]", "\n".join([f"warehouse14.sign_in = {ways}", *lines, "", "[server:main]"]))
    refused = site("account", "list")
    assert refused.status == 2
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1
    assert "s3cret" not in refused.err


def test_a_site_without_passwords_of_its_own_gets_no_first_password(empty: Any) -> None:
    lines = [
        "warehouse14.sign_in = oidc:corp",
        "warehouse14.sign_in.corp.server_metadata_url = https://login.example.org/x",
        "warehouse14.sign_in.corp.client_id = x",
    ]
    empty.set("[server:main]", "\n".join([*lines, "", "[server:main]"]))
    assert "password" not in empty.done("init").out
    assert empty.done("account", "list", "--json").rows == []
