"""``warehouse14 account join``, ``part`` and ``logins``, and the settings of identity providers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.providers import Corp
from support.sites import Site
from support.tampering import TamperedCorp, Wrongs
from warehouse14.domain.arrivals import Arrival
from warehouse14.domain.errors import SignInFailed, Unauthenticated
from warehouse14.domain.names import ProviderName
from warehouse14.domain.services.arrivals import From

_METADATA = "/.well-known/openid-configuration"
_AT_X = "https://x" + _METADATA
_TO_ADA = ("account", "join", "ada", "--provider", "corp", "--subject", "7")


@pytest.fixture(scope="module")
def tampered(corp: Corp) -> Iterator[TamperedCorp]:
    with TamperedCorp(corp) as standing_before:
        yield standing_before


@pytest.fixture(params=["", "/"], ids=["without a slash at its end", "with a slash at its end"])
def issuer(tampered: TamperedCorp, request: pytest.FixtureRequest) -> str:
    """What the provider calls itself."""
    named = tampered.issuer + str(request.param)
    tampered.wrongs = Wrongs(discovery=lambda metadata: metadata.update(issuer=named))
    return named


@pytest.fixture
def at_corp(site: Any, tampered: TamperedCorp) -> Any:
    """A site to which people may come from a provider that answers."""
    tampered.wrongs = Wrongs()
    _set_ways(
        site,
        "local oidc:corp",
        title="Corp",
        server_metadata_url=tampered.issuer + _METADATA,
        client_id="index",
    )
    return site


def _set_ways(site: Any, ways: str, **settings: str) -> None:
    lines = [f"warehouse14.sign_in.corp.{key} = {value}" for key, value in settings.items()]
    site.set("[server:main]", "\n".join([f"warehouse14.sign_in = {ways}", *lines, "", "[server:main]"]))


def test_somebody_at_a_provider_is_joined_under_what_it_calls_itself_listed_and_parted(
    at_corp: Any, issuer: str
) -> None:
    joined = at_corp.done(*_TO_ADA)
    assert f"7 of {issuer} now signs in to the account ada" in joined.out + joined.err
    again = at_corp.done(*_TO_ADA, "--issuer", issuer)
    assert "signs in already" in again.out + again.err
    (row,) = at_corp.done("account", "logins", "ada", "--json").rows
    assert (row["provider"], row["issuer"], row["subject"]) == ("corp", issuer, "7")
    part = ("account", "part", "ada", "--issuer", issuer, "--subject", "7")
    at_corp.done(*part)
    assert at_corp.done("account", "logins", "ada", "--json").rows == []
    assert at_corp(*part).status == 1


@pytest.mark.parametrize(
    "other", [lambda url: url + "/", lambda url: url.replace("http:", "https:"), lambda url: "x" * 5000]
)
def test_an_issuer_by_which_nobody_would_get_in_is_refused(
    at_corp: Any, tampered: TamperedCorp, other: Callable[[str], str]
) -> None:
    refused = at_corp(*_TO_ADA, "--issuer", other(tampered.issuer))
    assert refused.status == 1
    assert f"issuer: Corp calls itself '{tampered.issuer}', and not '" in refused.err
    assert "Leave --issuer out." in refused.err
    assert len(refused.err) < 600
    assert at_corp.done("account", "logins", "ada", "--json").rows == []


def test_nobody_is_joined_while_the_provider_does_not_answer(at_corp: Any, tampered: TamperedCorp) -> None:
    tampered.wrongs = Wrongs(pages={"": (500, "down")})
    refused = at_corp(*_TO_ADA, "--issuer", tampered.issuer)
    assert (refused.status, "Corp does not answer as it should" in refused.err) == (1, True), refused
    assert at_corp.done("account", "logins", "ada", "--json").rows == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("join", "eve", "--provider", "corp", "--subject", "7"), "There is no account 'eve'"),
        (("join", "ada", "--provider", "a_b", "--subject", "7"), "is not the name of a provider"),
        (("join", "ada", "--provider", "google", "--subject", "7"), "no google. Its settings name corp."),
        (("join", "ada", "--provider", "corp", "--subject", ""), "subject: use 1 to 255"),
        (("join", "bob", "--provider", "corp", "--subject", "7"), "joined to another account"),
        (("logins", "eve"), "There is no account 'eve'"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_words(at_corp: Any, words: tuple[str, ...], said: str) -> None:
    at_corp.done("account", "add", "bob")
    at_corp.done(*_TO_ADA)
    refused = at_corp("account", *words)
    assert (refused.status, said in refused.err) == (1, True), refused


def test_a_site_without_providers_joins_nobody(site: Any) -> None:
    refused = site(*_TO_ADA)
    assert (refused.status, "this site has no corp. Its settings name none." in refused.err) == (1, True)


def test_whom_the_rules_kept_out_is_let_in_by_enabling_the_account(at_corp: Any) -> None:
    at_corp.done(*_TO_ADA)
    (login,) = at_corp.done("account", "logins", "ada", "--json").rows
    token = at_corp.done("token", "mint", "ada", "--name", "laptop").out.strip()
    arrival = Arrival(login["issuer"], "7", None, None, frozenset(), "Not for you.", None, "e30")
    with Site(at_corp.folder).library() as warehouse:
        with pytest.raises(SignInFailed):
            warehouse.arrivals.sign_in(From(ProviderName("corp"), "Corp", "192.0.2.7"), arrival)
        with pytest.raises(Unauthenticated):
            warehouse.tokens.identify(token)
    assert at_corp.done("account", "enable", "ada").out == "enabled the account ada\n"
    with Site(at_corp.folder).library() as warehouse:
        assert warehouse.tokens.identify(token).account == "ada"
    assert at_corp.done("account", "enable", "ada").out == "the account ada is enabled already\n"


@pytest.mark.parametrize(
    ("ways", "settings", "said"),
    [
        ("oidc:corp", {}, "warehouse14.sign_in.corp.server_metadata_url is not set"),
        ("oidc:corp", {"server_metadata_url": "http://login.example.org/x"}, "is not an https address"),
        ("oidc:corp", {"server_metadata_url": _AT_X}, "warehouse14.sign_in.corp.client_id is not set"),
        (
            "oidc:corp oidc:corp",
            {"server_metadata_url": _AT_X, "client_id": "x"},
            "with a name of its own",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": "https://x/elsewhere", "client_id": "x"},
            "warehouse14.sign_in.corp.issuer is not set",
        ),
        ("oidc:Corp", {}, "is not the name of a provider"),
        ("oidc:local", {}, "with a name of its own"),
        ("local:corp", {}, "with a name of its own"),
        ("local local", {}, "with a name of its own"),
        ("saml", {}, "is not one of oidc, nor package.module:factory"),
        (
            "local",
            {"title": "Corp", "client_id": "x"},
            "sign_in.corp.client_id is set, but corp is not listed in warehouse14.sign_in = 'local'",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": _AT_X, "client_id": "x", "client_secrets": "s3cret"},
            "warehouse14.sign_in.corp.client_secret",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": _AT_X, "client_id": "x", "client_secret_env": "W14_NOT_SET"},
            "which is not set",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": _AT_X, "client_id": "x", "client_secret_file": "/no/such/file"},
            "cannot be read",
        ),
        (
            "oidc:corp",
            {
                "server_metadata_url": _AT_X,
                "client_id": "x",
                "client_secret": "s3cret",
                "client_secret_file": "/no/such/file",
            },
            "are both set",
        ),
        (
            "oidc:corp",
            {"server_metadata_url": _AT_X, "client_id": "x", "allowed_groups": "staff"},
            "warehouse14.sign_in.corp.groups_claim is not set: allowed_groups lets nobody in",
        ),
    ],
)
def test_settings_that_make_no_provider_are_one_line(
    site: Any, ways: str, settings: dict[str, str], said: str
) -> None:
    _set_ways(site, ways, **settings)
    refused = site("account", "list")
    assert refused.status == 2
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1
    assert "s3cret" not in refused.err


def test_a_variable_of_a_provider_that_is_not_listed_is_refused_by_the_name_of_its_setting(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE14_SIGN_IN_CORP_CLIENT_SECRET_FILE", "/no/such/file")
    refused = site("account", "list")
    assert refused.status == 2
    assert "warehouse14.sign_in.corp.client_secret_file is set, but corp is not listed" in refused.err
    assert "leave out its settings and variables" in refused.err


def test_a_site_without_passwords_of_its_own_gets_no_first_password(empty: Any) -> None:
    _set_ways(empty, "oidc:corp", server_metadata_url="https://login.example.org" + _METADATA, client_id="x")
    assert "password" not in empty.done("init").out
    assert empty.done("account", "list", "--json").rows == []
