from collections.abc import Callable

import pytest

from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import (
    account_name,
    file_name,
    group_name,
    principal,
    principal_account,
    principal_group,
    principal_words,
    project_name,
)


@pytest.mark.parametrize("raw", ["Foo.Bar", "foo-bar", "foo_bar", "FOO--bar", "foo._-.bar"])
def test_spellings_of_one_project_have_one_name(raw: str) -> None:
    assert project_name(raw) == "foo-bar"


@pytest.mark.parametrize(
    "raw", ["", "-foo", "foo-", "foo\n", "foo bar", "é", "foo/bar", "..", ".", "foo\0", "x" * 201, "\u017f"]
)
def test_what_is_no_project_name_is_refused(raw: str) -> None:
    with pytest.raises(Rejected) as caught:
        project_name(raw)
    assert caught.value.field == "name"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\x7f",
        "x" * 241,
        "é",
        "a b",
        "a%2Fb",
        "-a",
        "a?b",
        "a<b>",
    ],
)
def test_what_is_no_file_name_is_refused(raw: str) -> None:
    with pytest.raises(Rejected):
        file_name(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("Käse", "'Käse'"),
        ("日本 語", "'日本 語'"),
        ("a\n\x1b[2J", r"'a\n\x1b[2J'"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", r"'a\u202eb'"),
        ("a\ud800", r"'a\ud800'"),
    ],
)
def test_a_name_is_repeated_as_it_was_written_but_for_what_cannot_be_printed(raw: str, said: str) -> None:
    for make in (project_name, file_name, account_name, group_name, principal):
        with pytest.raises(Rejected) as caught:
            make(raw)
        assert f": {said} " in str(caught.value)


def test_a_file_name_may_have_240_characters() -> None:
    assert file_name("x" * 240) == "x" * 240


def test_an_account_name_is_kept_in_lower_case() -> None:
    assert account_name("Ada.Lovelace+pip@Example.com") == "ada.lovelace+pip@example.com"


@pytest.mark.parametrize("raw", ["", "a b", "ada\n", "-ada", "a:b", "a" * 201, "ß"])
def test_what_is_no_account_name_is_refused(raw: str) -> None:
    with pytest.raises(Rejected):
        account_name(raw)


def test_a_principal_names_an_account() -> None:
    assert principal("account:Ada") == "account:ada"


@pytest.mark.parametrize("raw", ["ada", "team:x", "authenticated", "account:", "account", ":ada"])
def test_a_principal_that_names_nobody_is_refused(raw: str) -> None:
    with pytest.raises(Rejected):
        principal(raw)


@pytest.mark.parametrize(
    ("raw", "who", "account", "group", "words"),
    [
        ("account:Ada", "account:ada", "ada", None, "ada"),
        ("group:Crew", "group:crew", None, "crew", "the group crew"),
        ("group:corp/Größe, rot", "group:corp/Größe, rot", None, None, "the group corp/Größe, rot"),
        ("group:corp/a/b", "group:corp/a/b", None, None, "the group corp/a/b"),
    ],
)
def test_a_principal_is_an_account_one_of_our_groups_or_one_of_a_provider(
    raw: str, who: str, account: str | None, group: str | None, words: str
) -> None:
    found = principal(raw)
    assert (found, principal_account(found), principal_group(found)) == (who, account, group)
    assert principal_words(found) == words


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "ada",
            "",
            "account:",
            "group:",
            "authenticated",
            "system.Administrators",
            "group:a@b",
            "group:a b",
        ),
        *(
            "group:Corp/x",
            "group:/x",
            "group:corp/",
            "group:corp/" + "x" * 181,
            "group:corp/a\nb",
            "group:corp/x ",
        ),
        *("group:" + "x" * 41 + "/y", "Group:x", "account:a/b"),
    ],
)
def test_what_names_nobody_is_refused(raw: str) -> None:
    with pytest.raises(Rejected) as caught:
        principal(raw)
    assert caught.value.field == "principal"


def test_no_principal_is_longer_than_a_key_may_be() -> None:
    longest = [
        principal("account:" + "x" * 200),
        principal("invitation:" + "x" * 100 + "@" + "x" * 99),
        principal("group:" + "x" * 100),
        principal("group:" + "p" * 40 + "/" + "\N{SNAKE}" * 180),
    ]
    assert max(map(len, longest)) <= 255


@pytest.mark.parametrize("make", [account_name, group_name])
@pytest.mark.parametrize("raw", ["\N{KELVIN SIGN}urt", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}da"])
def test_a_letter_that_is_none_of_ascii_does_not_become_one(make: Callable[[str], str], raw: str) -> None:
    with pytest.raises(Rejected):
        make(raw)
