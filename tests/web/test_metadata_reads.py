"""What it costs the database to know who makes a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from warehouse14.domain.model import Role
from web.asking import Index
from web.conftest import opened_on


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    """An index on SQLite. Ada and Bob are in a group that reads the project."""
    with opened_on("sql", request, tmp_path) as index:
        index.project("demo")
        index.wheel("demo")
        operator = index.warehouse.operator()
        index.account("bob")
        index.warehouse.groups.create(operator, "crew", admin="ada")
        index.warehouse.groups.add(operator, "crew", "bob")
        index.warehouse.projects.grant(operator, "demo", "group:crew", Role.MEMBER)
        yield index


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what any database is asked for meanwhile, but for whether anything has changed: that a token
    was used is noted in the background.
    """
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "serials" not in statement:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_session_costs_one_read_and_a_token_none(site: Index) -> None:
    token = site.token("bob")
    for _ in range(2):
        assert site.browse("GET", "/projects/@@new", "bob").status == 200
        assert site.ask("GET", "/simple/demo/", None, token=token).status == 200
    with statements() as by_token:
        assert site.ask("GET", "/simple/demo/", None, token=token).status == 200
    with statements() as by_session:
        assert site.browse("GET", "/projects/@@new", "bob").status == 200
    assert by_token == []
    assert len(by_session) == 1
    assert "sessions" in by_session[0]


def test_the_home_page_reads_ones_tokens_once_and_once_those_of_what_one_administers(site: Index) -> None:
    site.mint("bob", days=5)
    with statements() as asked:
        assert "ends in 5 days" in site.browse("GET", "/", "bob").text
    asked_tokens = [statement for statement in asked if "FROM tokens" in statement]
    assert sorted("FROM grants" in statement for statement in asked_tokens) == [False, True]


def test_what_changes_of_an_account_and_its_groups_counts_at_the_next_request_of_its_session(
    site: Index,
) -> None:
    warehouse, operator = site.warehouse, site.warehouse.operator()

    def status(path: str = "/projects/demo/") -> int:
        return site.browse("GET", path, "bob").status

    assert status() == 200
    warehouse.groups.remove(operator, "crew", "bob")
    assert status() == 404
    warehouse.groups.add(operator, "crew", "bob")
    assert status() == 200
    warehouse.projects.grant(operator, "demo", "account:ada", Role.ADMIN)
    warehouse.groups.delete(operator, "crew")
    assert status() == 404
    assert status("/account/") == 200
    warehouse.accounts.set_disabled(operator, "bob", disabled=True)
    assert status("/account/") == 303
