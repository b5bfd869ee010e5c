"""``warehouse14 group``, and roles for groups."""

from typing import Any

import pytest


@pytest.fixture
def crew(site: Any) -> Any:
    """A site with the group crew, of which Ada is the admin."""
    site.done("account", "add", "bob")
    assert site.done("group", "create", "Crew", "--admin", "Ada").out == "created the group crew\n"
    return site


def _members(site: Any) -> list[dict[str, Any]]:
    return site.done("group", "show", "crew", "--json").rows


def test_people_come_into_a_group_and_leave_it(crew: Any) -> None:
    add = ("group", "add", "crew", "Bob")
    assert crew.done(*add).out == "bob is now a member of the group crew\n"
    assert crew.done(*add).out == "bob is a member of the group crew already\n"
    assert crew.done(*add, "--admin").out == "bob is now an admin of the group crew\n"
    assert _members(crew) == [{"account": "ada", "admin": True}, {"account": "bob", "admin": True}]
    rank = ("group", "remove", "crew", "ada", "--admin")
    assert crew.done(*rank).out == "ada is now a member of the group crew\n"
    assert crew.done(*rank).out == "ada is a member of the group crew already\n"
    refused = crew("group", "remove", "crew", "bob", "--admin")
    assert (refused.status, "needs an admin" in refused.err) == (1, True)
    assert crew("group", "remove", "crew", "eve", "--admin").status == 1
    assert crew.done("group", "remove", "crew", "ada").out == "ada is no longer in the group crew\n"
    assert _members(crew) == [{"account": "bob", "admin": True}]
    table = crew.done("group", "show", "crew").out.splitlines()
    assert [line.split() for line in table] == [["ACCOUNT", "ADMIN"], ["bob", "yes"]]


def test_groups_are_listed(crew: Any) -> None:
    crew.done("group", "add", "crew", "bob")
    (found,) = crew.done("group", "list", "--json").rows
    assert {key: found[key] for key in ("name", "members", "admins")} == {
        "name": "crew",
        "members": 2,
        "admins": 1,
    }
    assert list(found) == ["name", "members", "admins", "created_at"]


def test_a_deleted_group_is_gone_and_its_name_stays_taken(crew: Any) -> None:
    assert crew.done("group", "delete", "crew").out == "deleted the group crew\n"
    assert crew.done("group", "list").out.splitlines()[1:] == []
    taken = crew("group", "create", "crew", "--admin", "ada")
    assert (taken.status, "taken" in taken.err) == (1, True)


def test_a_group_gets_a_role_and_is_the_last_admin(crew: Any) -> None:
    crew.done("project", "create", "one", "--admin", "bob")
    granted = crew.done("project", "grant", "one", "group:Crew", "admin")
    assert granted.out == "group:crew is now admin of one\n"
    theirs = crew.done("project", "grant", "one", "group:corp/Platform Team", "member")
    assert theirs.out == "group:corp/Platform Team is now member of one\n"
    crew.done("project", "revoke", "one", "account:bob")
    for words in (("remove", "crew", "ada"), ("delete", "crew", "--yes")):
        refused = crew("group", *words)
        assert (refused.status, "last admin of one" in refused.err) == (1, True)
    assert crew("project", "grant", "one", "group:absent", "member").status == 1


@pytest.mark.parametrize("who", ["crew", "group:", "group:corp/", "group:Corp/x", "group:a b", "account:"])
def test_what_names_nobody_is_refused_in_one_line(crew: Any, who: str) -> None:
    crew.done("project", "create", "one", "--admin", "bob")
    refused = crew("project", "grant", "one", who, "member")
    assert (refused.status, refused.err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("creators = ada, group:", "creators: 'group:' names nobody"),
        ("creators = a/b", "creators: 'a/b' is not an account name"),
        ("creators = group:Corp/x", "creators: 'group:Corp/x' is no group at an identity provider"),
        ("administrators = group:crew", "administrators: 'group:crew' is not an account name"),
    ],
)
def test_a_setting_that_names_nobody_is_one_line_and_status_2(site: Any, line: str, said: str) -> None:
    site.set("[server:main]", f"warehouse14.{line}\n[server:main]")
    refused = site("account", "list")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert f"warehouse14.{said}" in refused.err


def test_an_administrator_by_the_settings_is_listed_as_one(site: Any) -> None:
    site.set("[server:main]", "warehouse14.administrators = ada\n[server:main]")
    assert [row["administrator"] for row in site.done("account", "list", "--json").rows] == [True]


def test_the_rank_that_the_settings_give_is_not_taken_away_by_a_command(site: Any) -> None:
    site.set("[server:main]", "warehouse14.administrators = ada\n[server:main]")
    refused = site("account", "set", "ada", "--no-administrator")
    assert (refused.status, refused.out) == (1, "")
    assert "the settings of this site make ada an administrator" in refused.err
