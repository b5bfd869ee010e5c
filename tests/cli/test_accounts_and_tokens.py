"""``warehouse14 account`` and ``warehouse14 token``."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from warehouse14.domain.errors import Unauthenticated
from warehouse14.domain.model import Reach, Scope

TOKEN = re.compile(r"wh14_[0-9A-Za-z]{43}\n\Z")
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")


def _accounts(site: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in site.done("account", "list", "--json").rows}


def test_an_account_takes_its_password_from_the_first_line_of_stdin(site: Any, warehouse: Any) -> None:
    site.done("account", "add", "Bob", "--password-stdin", stdin=" correct horse \nsecond line\n")
    assert warehouse.accounts.check_password("bob", " correct horse ").name == "bob"
    site.done("account", "password", "bob", "--password-stdin", stdin="another one\r\n")
    assert warehouse.accounts.check_password("bob", "another one")
    assert _accounts(site)["bob"]["has_password"]
    for listing in (site.done("account", "list"), site.done("account", "list", "--json")):
        assert "another" not in listing.out
        assert "scrypt" not in listing.out


def test_an_account_can_be_without_a_password(site: Any) -> None:
    site.done("account", "add", "ci", "--administrator")
    assert _accounts(site)["ci"] == {
        "name": "ci",
        "administrator": True,
        "disabled": False,
        "has_password": False,
        "created_at": _accounts(site)["ci"]["created_at"],
    }
    assert TIME.match(_accounts(site)["ci"]["created_at"])


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["add", "ada"], "", "taken"),
        (["add", "a b"], "", "not an account name"),
        (["add", "bob", "--password-stdin"], "", "password: use 8 to 1000 characters"),
        (["add", "bob", "--password-stdin"], "short\n", "password: use 8 to 1000 characters"),
        (["add", "bob", "--password-stdin"], "long en\udcffough\n", "password: it is not text in UTF-8"),
        (["password", "nobody", "--password-stdin"], "long enough\n", "no account"),
        (["disable", "nobody"], "", "no account"),
        (["enable", "nobody"], "", "no account"),
        (["set", "nobody", "--administrator"], "", "no account"),
        (["set", "project:demo", "--administrator"], "", "not an account name"),
    ],
)
def test_what_is_refused_is_one_line_and_status_1(
    site: Any, arguments: list[str], stdin: str, words: str
) -> None:
    outcome = site("account", *arguments, stdin=stdin)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("warehouse14: ")
    assert outcome.err.count("\n") == 1
    assert words in outcome.err
    assert list(_accounts(site)) == ["ada"]


def test_a_disabled_account_and_its_tokens_come_back_when_it_is_enabled(site: Any, warehouse: Any) -> None:
    token = site.done("token", "mint", "ada", "--name", "laptop").out.strip()
    assert warehouse.tokens.identify(token).account == "ada"
    site.done("account", "disable", "ada")
    assert _accounts(site)["ada"]["disabled"]
    with pytest.raises(Unauthenticated):
        warehouse.tokens.identify(token)
    assert site.done("account", "disable", "ada").out == "the account ada is disabled already\n"
    assert site.done("account", "enable", "ada").out == "enabled the account ada\n"
    assert site.done("account", "enable", "ada").out == "the account ada is enabled already\n"
    assert warehouse.tokens.identify(token).account == "ada"


def test_an_account_is_made_an_administrator_and_an_ordinary_one_again(site: Any) -> None:
    assert site.done("account", "set", "Ada", "--administrator").out == "ada is now an administrator\n"
    assert _accounts(site)["ada"]["administrator"]
    assert site.done("account", "set", "ada", "--administrator").out == "ada is an administrator already\n"
    assert site.done("account", "set", "ada", "--no-administrator").out == "ada is now an ordinary account\n"
    assert not _accounts(site)["ada"]["administrator"]
    assert (
        site.done("account", "set", "ada", "--no-administrator").out == "ada is an ordinary account already\n"
    )
    assert site("account", "set", "ada").status == 2


def test_the_table_of_accounts_is_aligned(site: Any) -> None:
    site.done("account", "add", "somebody-with-a-long-name")
    titles, ada, other = site.done("account", "list").out.splitlines()
    assert titles.split() == ["NAME", "ADMINISTRATOR", "DISABLED", "HAS", "PASSWORD", "CREATED"]
    assert titles.index("DISABLED") == ada.index("no", 40) == other.index("no", 40)
    assert re.search(r" 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", ada)


def test_minting_prints_the_token_alone(site: Any, warehouse: Any) -> None:
    outcome = site.done("token", "mint", "ada")
    assert TOKEN.match(outcome.out)
    assert outcome.err == ""
    identity = warehouse.tokens.identify(outcome.out.strip())
    assert (identity.account, identity.token.scopes, identity.token.reach) == ("ada", {Scope.READ}, Reach())


def test_the_list_of_tokens_says_everything_but_the_secret(site: Any) -> None:
    site.done("project", "create", "one", "--admin", "ada")
    plain = site.done("token", "mint", "ada", "--name", "läptop").out.strip()
    narrow = site.done(
        *("token", "mint", "ada", "--name", "ci", "--scope", "upload", "--project", "One", "--days", "0")
    ).out.strip()
    outcome = site.done("token", "list", "ada", "--json")
    first, second = outcome.rows
    assert list(first) == [
        *("id", "name", "scope", "project", "addresses", "created_at", "expires_at"),
        *("last_used_at", "last_used_from", "last_used_by", "revoked_at"),
    ]
    assert (first["name"], first["scope"], first["project"]) == ("läptop", "read", None)
    created, expires = (datetime.fromisoformat(first[key]) for key in ("created_at", "expires_at"))
    assert timedelta(days=364, hours=23) < expires - created < timedelta(days=365, hours=1)
    assert (second["name"], second["scope"], second["project"]) == ("ci", "upload", "one")
    assert (second["expires_at"], second["last_used_at"], second["revoked_at"]) == (None, None, None)
    assert second["id"] == narrow[len("wh14_") :][: len(second["id"])]

    table = site.done("token", "list", "ada").out
    assert table.splitlines()[0].split()[:4] == ["ID", "NAME", "SCOPE", "PROJECT"]
    for token in (plain, narrow):
        assert token[15:] not in outcome.out + table
    assert not re.search("[0-9a-f]{64}", outcome.out + table)


def test_a_revoked_token_ends_and_stays_in_the_list(site: Any, warehouse: Any) -> None:
    token = site.done("token", "mint", "ada", "--name", "laptop").out.strip()
    (row,) = site.done("token", "list", "ada", "--json").rows
    site.done("token", "revoke", row["id"])
    with pytest.raises(Unauthenticated):
        warehouse.tokens.identify(token)
    (row,) = site.done("token", "list", "ada", "--json").rows
    assert TIME.match(row["revoked_at"])


def test_a_token_that_was_found_somewhere_is_revoked_by_its_whole_text_and_not_repeated(site: Any) -> None:
    token = site.done("token", "mint", "ada", "--name", "laptop").out.strip()
    (row,) = site.done("token", "list", "ada", "--json").rows
    assert site.done("token", "revoke", token).out == f"revoked the token {row['id']}\n"
    (row,) = site.done("token", "list", "ada", "--json").rows
    assert TIME.match(row["revoked_at"])


def test_revoking_a_token_again_says_that_it_is_revoked_already(site: Any) -> None:
    site.done("token", "mint", "ada", "--name", "laptop")
    (row,) = site.done("token", "list", "ada", "--json").rows
    assert site.done("token", "revoke", row["id"]).out == f"revoked the token {row['id']}\n"
    revoked = site.done("token", "list", "ada", "--json").rows
    assert site.done("token", "revoke", row["id"]).out == f"the token {row['id']} is revoked already\n"
    assert site.done("token", "list", "ada", "--json").rows == revoked


def test_a_disabled_account_gets_no_token_and_is_not_called_absent(site: Any) -> None:
    site.done("account", "disable", "ada")
    outcome = site("token", "mint", "ada", "--name", "x")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "warehouse14: The account ada is disabled.\n"
    assert site.done("token", "list", "ada", "--json").rows == []


def test_a_token_for_a_project_that_its_account_may_not_read_says_so(site: Any) -> None:
    site.done("account", "add", "bob")
    site.done("project", "create", "one", "--admin", "ada")
    outcome = site("token", "mint", "bob", "--name", "x", "--project", "one")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "warehouse14: bob may not read the project one.\n"


def test_a_first_password_is_not_called_a_replaced_one(site: Any) -> None:
    outcome = site.done("account", "password", "ada", "--password-stdin", stdin="long enough\n")
    assert outcome.out == "set the password of ada\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["mint", "nobody", "--name", "x"],
        ["mint", "ada", "--name", ""],
        ["mint", "ada", "--name", "a\nb"],
        ["mint", "ada", "--name", "x", "--project", "nothing"],
        ["list", "nobody"],
        ["revoke", "0000000000"],
    ],
)
def test_a_token_that_cannot_be_is_one_line_and_status_1(site: Any, arguments: list[str]) -> None:
    outcome = site("token", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("warehouse14: ")


def test_the_journal_says_that_the_operator_did_it_at_the_command_line(site: Any, warehouse: Any) -> None:
    with warehouse.units.read() as unit:
        (change,) = unit.journal.since(0, 10)
    assert (change.action, change.actor, change.origin) == ("account.add", "operator", "command line")
