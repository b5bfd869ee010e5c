"""Text, times and numbers come back as they were."""
# The name of a test is its sentence:
# ruff: noqa: D102

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from warehouse14.domain.model import Project, Role, Scope, Yank
from warehouse14.domain.names import AUTHENTICATED, AccountName, ProjectName
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.testing.samples import (
    ADA,
    DEMO,
    LATER,
    WHEEL,
    WHEN,
    sample_account,
    sample_change,
    sample_file,
    sample_project,
    sample_token,
)
from warehouse14.testing.units_contract.fixtures import UnitsFixtures
from warehouse14.testing.units_contract.steps import (
    add,
    add_account,
    add_token,
    commit,
    create,
    delete_project,
    file_of,
    look,
    project_of,
    set_yank,
)

MANY = 1_100

TEXTS = {
    "unicode": "Grüße, Жанна, 日本",
    "emoji": "\N{SNAKE}\N{PACKAGE} four bytes each",
    "quotes": """it's "quoted" and `ticked`; -- DROP TABLE""",
    "lines": "one\ntwo\r\n\tthree",
    "escapes": r"\n \\ %s %(x)s {x} :name ?",
    "spaces": "  around  ",
    "long": "x" * 5_000,
}

INSTANTS = {
    "microseconds": WHEN,
    "no microseconds": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "one microsecond": datetime(2026, 1, 2, 3, 4, 5, 1, tzinfo=UTC),
    "midnight": datetime(2026, 1, 2, tzinfo=UTC),
    "before the epoch": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "after 2038": datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
}


def assert_utc(*instants: datetime | None) -> None:
    """Check that each is aware and in UTC."""
    for instant in instants:
        assert instant is not None
        assert instant.utcoffset() == timedelta(0)


class ValuesContract(UnitsFixtures):
    """Text, times and numbers come back as they were."""

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    def test_text_comes_back_as_it_was(self, units: Units, text: str) -> None:
        short = text[:200]
        project = sample_project(display_name=short, created_by=short)
        file = sample_file(
            summary=text, requires_python=short, uploaded_by=short, yank=Yank(text, LATER, short)
        )
        account = sample_account(password_hash=short)
        token = sample_token(name=short)
        change = sample_change(text[:64], actor=short, origin=short, project=DEMO, detail={short: text})
        create(units, project)
        commit(units, lambda unit: unit.files.add(file), change)
        add_account(units, account)
        add_token(units, token)
        assert project_of(units) == replace(project, serial=2)
        assert file_of(units) == file
        assert look(units, lambda unit: unit.accounts.get(ADA)) == account
        assert look(units, lambda unit: unit.tokens.get("t0")) == token
        assert list(look(units, lambda unit: unit.journal.since(1, 1))) == [change.numbered(2)]

    @pytest.mark.parametrize("name", ["Demo-1.0.whl", "dêmo 1+local%2F#?.whl", "\N{SNAKE}" * 60, "d" * 240])
    def test_file_names_come_back_as_they_were(self, units: Units, name: str) -> None:
        create(units)
        file = sample_file(name)
        add(units, file)
        assert file_of(units, file.filename) == file

    def test_names_that_differ_only_in_case_or_accents_are_two(self, units: Units) -> None:
        create(units)
        names = ["demo-1.whl", "Demo-1.whl", "démo-1.whl", "de\N{COMBINING ACUTE ACCENT}mo-1.whl"]
        for name in names:
            add(units, sample_file(name))
        assert len(look(units, lambda unit: unit.files.of(DEMO))) == len(names)

    @pytest.mark.parametrize("at", INSTANTS.values(), ids=INSTANTS.keys())
    def test_times_come_back_to_the_microsecond_and_in_utc(self, units: Units, at: datetime) -> None:
        create(units, sample_project(created_at=at))
        add(units, sample_file(uploaded_at=at))
        set_yank(units, Yank("", at, ADA))
        commit(units, lambda unit: unit.files.delete(DEMO, WHEEL, at))
        delete_project(units, at=at)
        add_account(units, sample_account(created_at=at))
        token = sample_token(created_at=at, expires_at=at, last_used_at=at)
        add_token(units, token)
        commit(units, lambda unit: unit.tokens.revoke("t0", at), sample_change(at=at))

        project, file = project_of(units), file_of(units)
        found_account = look(units, lambda unit: unit.accounts.get(ADA))
        found_token = look(units, lambda unit: unit.tokens.get("t0"))
        (entry,) = look(units, lambda unit: unit.journal.since(7, 1))
        assert file.yank is not None
        assert found_account is not None
        assert found_token is not None
        instants = {
            "project.created_at": project.created_at,
            "project.deleted_at": project.deleted_at,
            "file.uploaded_at": file.uploaded_at,
            "file.deleted_at": file.deleted_at,
            "yank.at": file.yank.at,
            "account.created_at": found_account.created_at,
            "token.created_at": found_token.created_at,
            "token.expires_at": found_token.expires_at,
            "token.last_used_at": found_token.last_used_at,
            "token.revoked_at": found_token.revoked_at,
            "change.at": entry.at,
        }
        assert instants == dict.fromkeys(instants, at)
        assert_utc(*instants.values())

    def test_a_noted_use_comes_back_to_the_microsecond_and_in_utc(self, units: Units) -> None:
        add_account(units)
        add_token(units)
        with units.write() as unit:
            unit.tokens.touch("t0", LATER, unless_since=WHEN, origin="x", agent=TEXTS["unicode"])
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        assert token == sample_token(last_used_at=LATER, last_used_from="x", last_used_by=TEXTS["unicode"])
        assert_utc(token.last_used_at)

    def test_roles_scopes_and_kinds_come_back_as_what_they_are(self, units: Units) -> None:
        create(units)
        add(units)
        add_account(units)
        add_token(units)
        token = look(units, lambda unit: unit.tokens.get("t0"))
        assert token is not None
        assert all(isinstance(scope, Scope) for scope in token.scopes)
        assert all(isinstance(role, Role) for role in project_of(units).grants.values())
        assert file_of(units).filetype is sample_file().filetype

    def test_more_than_a_thousand_of_each_are_all_there(self, units: Units) -> None:
        create(units)
        add_account(units)
        numbers = [f"{number:04}" for number in range(MANY)]
        for number in numbers:
            project = sample_project(ProjectName(f"p{number}"), public=True)

            def one_of_each(unit: UnitOfWork, project: Project = project, number: str = number) -> None:
                unit.projects.create(project)
                unit.accounts.add(sample_account(AccountName(f"a{number}")))
                unit.tokens.add(sample_token(f"k{number}", created_at=WHEN))

            commit(units, one_of_each, sample_change(project=project.name))
        for number in numbers:
            add(units, sample_file(f"demo-{number}.tar.gz"))

        with units.read() as unit:
            visible = unit.projects.visible(frozenset({AUTHENTICATED}))
            assert [summary.name for summary in visible] == [f"p{number}" for number in numbers]
            assert len(unit.projects.visible(None)) == MANY + 1
            names = [f"demo-{number}.tar.gz" for number in numbers]
            assert [file.filename for file in unit.files.of(DEMO)] == names
            assert sorted(file.filename for file in unit.files.all()) == names
            assert [account.name for account in unit.accounts.all()][:-1] == [f"a{n}" for n in numbers]
            assert sorted(token.id for token in unit.tokens.of(ADA)) == [f"k{number}" for number in numbers]
            assert unit.journal.serial() == 2 * MANY + 2
            assert len(unit.journal.since(0, 10_000)) == 2 * MANY + 2
            assert unit.projects.get(DEMO) == sample_project(serial=2 * MANY + 2)
