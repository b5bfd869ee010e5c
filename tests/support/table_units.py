"""Units of work on a table of DynamoDB Local."""

from support.tables import REGION
from warehouse14.adapters import dynamodb
from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
from warehouse14.settings import Section


def open_units(table: str, port: int, *, attempts: int = 4) -> DynamoUnits:
    """Return what a site with these settings gets; the server is reached through ``port``."""
    settings = {
        "table": table,
        "region": REGION,
        "endpoint_url": f"http://127.0.0.1:{port}",
        "attempts": str(attempts),
    }
    units = dynamodb.units(Section("warehouse14.metadata.", settings))
    assert isinstance(units, DynamoUnits)
    return units
