"""What the rows of an old Warehouse14 say, and what of them says nothing."""

from decimal import Decimal
from typing import Any

import pytest

from warehouse14.adapters.oldsites.listed import ListedFiles
from warehouse14.adapters.oldsites.rows import Rows
from warehouse14.domain.model import Role

Row = dict[str, Any]


def project(key: str, **more: Any) -> Row:
    return {"pk": f"project#{key}", "sk": f"project#{key}", "name": key, "versions": {}, **more}


def role(key: str, who: str, role: str) -> Row:
    return {"pk": f"project#{key}", "sk": f"account#{who}", "name": who, "role": role}


def untaken(rows: Rows) -> dict[str, str]:
    return {one.where: one.reason for one in rows.untaken}


def test_the_rows_of_a_project_come_in_any_order() -> None:
    rows = Rows([role("demo", "ada", "admin"), role("demo", "public", "member"), project("demo")])
    ((found, _),) = rows.projects()
    assert (found.key, found.public, found.roles) == ("demo", True, {"ada": Role.ADMIN})
    assert rows.untaken == []


def test_a_name_with_the_sign_that_parts_rows_is_kept() -> None:
    rows = Rows([project("demo"), role("demo", "ada#2", "member")])
    ((found, _),) = rows.projects()
    assert found.roles == {"ada#2": Role.MEMBER}


def test_of_two_spellings_the_one_is_taken_that_the_old_site_shows() -> None:
    rows = Rows(
        [project("De.mo"), role("De.mo", "eve", "admin"), project("de-mo"), role("de-mo", "ada", "admin")]
    )
    ((found, _),) = rows.projects()
    assert (found.key, found.roles) == ("de-mo", {"ada": Role.ADMIN})
    assert list(untaken(rows)) == ["project#De.mo"]


def test_of_two_spellings_that_the_old_site_does_not_show_none_is_taken() -> None:
    rows = Rows([project("De.mo"), project("De_mo")])
    assert list(rows.projects()) == []
    assert untaken(rows).keys() == {"project#De.mo", "project#De_mo"}


def test_the_only_spelling_is_taken_whatever_it_is() -> None:
    rows = Rows([project("De.mo")])
    assert [found.key for found, _ in rows.projects()] == ["De.mo"]


@pytest.mark.parametrize(
    "row",
    [
        {"pk": "something", "sk": "else"},
        {"pk": "project#demo", "sk": "project#other"},
        {"pk": "project#demo", "sk": "release#1.0"},
        {"pk": "group#a", "sk": "token#b"},
        {"pk": Decimal(1), "sk": Decimal(2)},
    ],
)
def test_a_row_of_another_shape_is_named(row: Row) -> None:
    rows = Rows([row])
    assert list(rows.projects()) == []
    assert list(untaken(rows)) == [f"{row['pk']} {row['sk']}"]


@pytest.mark.parametrize("said", ["owner", "", None, 1, ["admin"]])
def test_a_role_that_is_none_is_named(said: object) -> None:
    rows = Rows([project("demo"), {**role("demo", "ada", ""), "role": said}])
    ((found, _),) = rows.projects()
    assert found.roles == {}
    assert list(untaken(rows)) == ["project#demo account#ada"]


def test_roles_on_a_project_that_has_no_row_are_named() -> None:
    rows = Rows([role("demo", "ada", "admin")])
    assert list(rows.projects()) == []
    assert list(untaken(rows)) == ["project#demo"]


def test_tokens_and_groups_are_counted() -> None:
    rows = Rows(
        [
            {"pk": "account#ada", "sk": "account#ada"},
            *({"pk": "account#ada", "sk": f"token#{number}"} for number in range(3)),
            {"pk": "group#crew", "sk": "group#crew"},
            {"pk": "group#crew", "sk": "account#ada"},
        ]
    )
    assert (rows.tokens, rows.groups, rows.untaken) == (3, 1, [])


def files(*versions: Any) -> ListedFiles:
    return ListedFiles("demo", {"versions": {f"{number}.0": said for number, said in enumerate(versions)}})


def file(name: Any, digest: Any) -> Row:
    return {"filename": name, "sha256_digest": digest}


def test_the_files_of_all_versions_are_listed() -> None:
    found = files({"files": [file("a", "1"), file("b", "2")]}, {"files": []}, {"files": [file("c", "3")]})
    assert (found.digests, found.untaken) == ({"a": "1", "b": "2", "c": "3"}, [])


def test_a_file_that_is_listed_twice_has_its_last_bytes_and_the_others_are_named() -> None:
    found = files({"files": [file("a", "1"), file("a", "1"), file("a", "2")]})
    assert found.digests == {"a": "2"}
    assert [(one.where, one.reason[-1]) for one in found.untaken] == [("demo/a", "1")]


@pytest.mark.parametrize("said", ["text", None, [], Decimal(1)])
def test_versions_that_are_none_are_named(said: object) -> None:
    found = ListedFiles("demo", {"versions": said})
    assert found.digests == {}
    assert [one.where for one in found.untaken] == ["demo"]


@pytest.mark.parametrize("said", ["text", None, {"files": "text"}, {}, {"files": {"a": "b"}}])
def test_a_version_without_a_list_of_files_is_named_and_the_others_count(said: object) -> None:
    found = files(said, {"files": [file("a", "1")]})
    assert found.digests == {"a": "1"}
    assert [one.where for one in found.untaken] == ["demo 0.0"]


@pytest.mark.parametrize(
    "said", ["text", None, {}, file(None, "1"), file("a", None), file("a", 5), file("a", " ")]
)
def test_a_file_without_a_name_or_a_digest_is_named_and_the_others_count(said: object) -> None:
    found = files({"files": [said, file("b", "1")]})
    assert found.digests == {"b": "1"}
    assert [one.where for one in found.untaken] == ["demo"]
