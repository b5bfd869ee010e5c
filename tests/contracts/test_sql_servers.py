from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from support.cables import Cable
from support.databases import DatabaseServer
from support.places import Place, empty, open_units, prepared_place
from warehouse14.adapters.sql.servers.units import ServerUnits
from warehouse14.domain.ports import Units
from warehouse14.testing.units_contract import UnitsContract


@pytest.fixture(scope="module")
def on_postgresql(postgresql: DatabaseServer) -> Iterator[Place]:
    with prepared_place(postgresql) as made:
        yield made


@pytest.fixture(scope="module")
def on_mariadb(mariadb: DatabaseServer) -> Iterator[Place]:
    with prepared_place(mariadb) as made:
        yield made


class OnServer(UnitsContract):
    """A database of a server, made once and emptied before each test."""

    lacks: ClassVar = {"hides_own_writes": "a transaction sees its own statements"}

    @pytest.fixture
    def units(self, place: Place) -> Iterator[Units]:
        empty(place.url)
        units = open_units(place.url)
        yield units
        units.close()

    @pytest.fixture
    def broken_units(self, place: Place) -> Iterator[Units]:
        with Cable(place.server.port) as cable:
            units = open_units(place.through(cable.port))
            units.pulse()
            with units.read() as unit:
                unit.journal.serial()
            cable.refuse()
            yield units
            units.close()

    @pytest.fixture
    def reopened(self, place: Place) -> Iterator[Callable[[], Units]]:
        opened: list[ServerUnits] = []

        def reopen() -> Units:
            opened.append(open_units(place.url))
            return opened[-1]

        yield reopen
        for units in opened:
            units.close()


class TestUnitsOnPostgreSQL(OnServer):
    @pytest.fixture
    def place(self, on_postgresql: Place) -> Place:
        return on_postgresql


@pytest.mark.debian
class TestUnitsOnMariaDB(OnServer):
    @pytest.fixture
    def place(self, on_mariadb: Place) -> Place:
        return on_mariadb
