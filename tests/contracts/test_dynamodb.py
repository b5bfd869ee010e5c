from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from support.cables import Cable
from support.table_units import open_units
from support.tables import DynamoDBLocal
from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
from warehouse14.domain.ports import Units
from warehouse14.testing.units_contract import UnitsContract


@pytest.mark.npm
class TestUnitsInTable(UnitsContract):
    lacks: ClassVar = {"one_moment": "DynamoDB shows no moment of more than a hundred items"}

    @pytest.fixture
    def units(self, dynamodb: DynamoDBLocal, table: str) -> Iterator[Units]:
        units = open_units(table, dynamodb.port)
        units.prepare()
        yield units
        units.close()

    @pytest.fixture
    def broken_units(self, dynamodb: DynamoDBLocal, table: str) -> Iterator[Units]:
        with Cable(dynamodb.port) as cable:
            units = open_units(table, cable.port, attempts=1)
            units.prepare()
            units.pulse()
            cable.refuse()
            yield units
            units.close()

    @pytest.fixture
    def reopened(self, dynamodb: DynamoDBLocal, table: str, units: Units) -> Iterator[Callable[[], Units]]:
        opened: list[DynamoUnits] = []

        def reopen() -> Units:
            opened.append(open_units(table, dynamodb.port))
            return opened[-1]

        yield reopen
        for each in opened:
            each.close()
