"""The two ways in which SQL finds what is granted to who searches."""

from pathlib import Path

import pytest

from warehouse14.adapters import sql
from warehouse14.domain.model import Order, Role
from warehouse14.domain.names import AUTHENTICATED, AccountName, Principal, ProjectName, account_principal
from warehouse14.domain.ports import UnitOfWork, Units
from warehouse14.settings import Section
from warehouse14.testing.samples import ADA, BOB, sample_change, sample_project

ANN, BEN = account_principal(ADA), account_principal(BOB)
STRANGER = account_principal(AccountName("carol"))
SEARCHES = {
    (ANN,): ["granted"],
    (ANN, BEN): ["granted", "open", "theirs"],
    (ANN, AUTHENTICATED): ["granted", "open"],
    (AUTHENTICATED,): ["open"],
    (STRANGER,): [],
}


def create(unit: UnitOfWork, name: str, who: Principal, *, public: bool) -> None:
    project = sample_project(ProjectName(name), grants={who: Role.MEMBER}, public=public)
    unit.projects.create(project)
    unit.journal.append(sample_change(project=project.name))


@pytest.fixture
def units(tmp_path: Path) -> Units:
    made = sql.units(Section("warehouse14.metadata.", {"url": f"sqlite:///{tmp_path}/some.sqlite"}))
    made.prepare()  # type: ignore[attr-defined]
    for name, who, public in (("granted", ANN, False), ("theirs", BEN, False), ("open", BEN, True)):
        with made.write() as unit:
            create(unit, name, who, public=public)
    return made


@pytest.mark.parametrize("principals", SEARCHES, ids=str)
@pytest.mark.parametrize("many", [0, 10_000])
def test_who_has_very_many_grants_finds_what_others_find(
    units: Units, monkeypatch: pytest.MonkeyPatch, principals: tuple[Principal, ...], many: int
) -> None:
    monkeypatch.setattr("warehouse14.adapters.sql.projects.MANY_GRANTS", many)
    with units.read() as unit:
        found, total = unit.projects.search(frozenset(principals), [], order=Order.NAME, start=0, count=9)
    assert [project.name for project in found] == SEARCHES[principals]
    assert total == len(found)
