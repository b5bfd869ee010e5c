from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from warehouse14.adapters import sql
from warehouse14.adapters.sql.sqlite.units import SqliteUnits
from warehouse14.domain.ports import Units
from warehouse14.settings import Section
from warehouse14.testing.units_contract import UnitsContract


def open_units(path: Path) -> SqliteUnits:
    units = sql.units(Section("warehouse14.metadata.", {"url": f"sqlite:///{path}", "busy_seconds": "30"}))
    assert isinstance(units, SqliteUnits)
    return units


class TestSqliteUnits(UnitsContract):
    lacks: ClassVar = {"hides_own_writes": "a transaction sees its own statements"}

    @pytest.fixture
    def units(self, tmp_path: Path) -> Iterator[Units]:
        units = open_units(tmp_path / "site.sqlite")
        units.prepare()
        yield units
        units.close()

    @pytest.fixture
    def broken_units(self, tmp_path: Path) -> Iterator[Units]:
        path = tmp_path / "broken.sqlite"
        units = open_units(path)
        units.prepare()
        units.pulse()
        units.close()
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        path.write_bytes(b"This is no database. " * 500)
        yield units
        units.close()

    @pytest.fixture
    def reopened(self, tmp_path: Path) -> Iterator[Callable[[], Units]]:
        opened: list[SqliteUnits] = []

        def reopen() -> Units:
            opened.append(open_units(tmp_path / "site.sqlite"))
            return opened[-1]

        yield reopen
        for units in opened:
            units.close()
