"""``warehouse14 token`` with scopes, prefixes, addresses, services, and ``token rotate``."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

TOKEN = re.compile(r"wh14_[0-9A-Za-z]{43}\n\Z")


def rows(site: Any, *whose: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.done("token", "list", *whose, "--json").rows
    return found


def test_scopes_prefix_and_addresses_stand_in_the_list_in_one_spelling(site: Any) -> None:
    site.done(
        *("token", "mint", "ada", "--name", "ci", "--scope", "manage,read,upload", "--project", "Acme_*"),
        *("--address", "192.0.2.0/24,10.0.0.0/8", "--address", "::ffff:203.0.113.9"),
    )
    (row,) = rows(site, "ada")
    assert (row["scope"], row["project"], row["addresses"]) == (
        "read,upload,manage",
        "acme-*",
        "192.0.2.0/24,10.0.0.0/8,203.0.113.9/32",
    )
    assert (row["last_used_from"], row["last_used_by"]) == (None, None)
    assert "acme-*" in site.done("token", "list", "ada").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ada", "--scope", ""], "is not a list of read, upload, yank, manage"),
        (["ada", "--scope", "read,all"], "'read,all' is not a list of"),
        (["ada", "--service", "project:demo"], "not allowed with argument"),
        ([], "ACCOUNT --service is required"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(site: Any, arguments: list[str], says: str) -> None:
    outcome = site("token", "mint", "--name", "x", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert says in outcome.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ada", "--address", "here"], "address: 'here' is no address range"),
        (["ada", "--address", "192.0.2.0/24,"], "address: '' is no address range"),
        (["ada", "--project", "*"], "begins no project name"),
        (["--service", "group:devs"], "There is no group 'devs'"),
        (["--service", "project:nothing"], "There is no project 'nothing'"),
    ],
)
def test_what_is_refused_is_one_line_and_status_1(site: Any, arguments: list[str], says: str) -> None:
    outcome = site("token", "mint", "--name", "x", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert says in outcome.err


def test_a_project_has_tokens_of_its_own(site: Any) -> None:
    site.done("project", "create", "demo", "--admin", "ada")
    made = site.done("token", "mint", "--service", "project:Demo", "--name", "ci", "--scope", "upload")
    assert TOKEN.match(made.out)
    (row,) = rows(site, "--service", "project:demo")
    assert (row["name"], row["scope"]) == ("ci", "upload")
    assert [account["name"] for account in site.done("account", "list", "--json").rows] == ["ada"]
    roles = site.done("project", "roles", "demo", "--json").rows
    assert [role["principal"] for role in roles] == ["account:ada"]
    site.done("token", "revoke", row["id"])
    assert rows(site, "--service", "project:demo")[0]["revoked_at"]


def test_rotating_prints_the_new_token_alone_and_ends_the_old_one_later(site: Any) -> None:
    old = site.done("token", "mint", "ada", "--name", "ci", "--scope", "upload", "--days", "0").out.strip()
    (before,) = rows(site, "ada")
    outcome = site.done("token", "rotate", before["id"], "--overlap", "2")
    assert TOKEN.match(outcome.out)
    assert outcome.err == ""
    first, second = rows(site, "ada")
    assert (second["name"], second["scope"], second["expires_at"]) == ("ci", "upload", None)
    created, ends = datetime.fromisoformat(second["created_at"]), datetime.fromisoformat(first["expires_at"])
    assert timedelta(hours=1, minutes=59) < ends - created < timedelta(hours=2, minutes=1)
    # Whoever has the token at hand pastes it whole.
    assert TOKEN.match(site.done("token", "rotate", old).out)
    site.done("token", "revoke", before["id"])
    refused = site("token", "rotate", before["id"])
    assert (refused.status, refused.out) == (1, "")
    assert "was revoked or has expired" in refused.err
    assert len(rows(site, "ada")) == 3


def test_a_service_token_is_no_way_to_a_password(site: Any) -> None:
    site.done("project", "create", "demo", "--admin", "ada")
    site.done("token", "mint", "--service", "project:demo", "--name", "ci")
    for arguments in (["password", "project:demo", "--password-stdin"], ["disable", "project:demo"]):
        outcome = site("account", *arguments, stdin="long enough\n")
        assert outcome.status == 1
        assert "is not an account name" in outcome.err
