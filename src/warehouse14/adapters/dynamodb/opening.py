"""From settings to metadata in a table."""

from dataclasses import dataclass

from warehouse14.domain.ports import Units
from warehouse14.settings import Section, SettingError

_MOST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a table.

    Attributes:
        table: its name.
        region: where it is, or None for what boto3 finds.
        endpoint_url: the address of the service, or None for that of AWS.
        connect_seconds: how long a connection may take.
        read_seconds: how long the service may be silent.
        attempts: how often a request is made at most.
    """

    table: str
    region: str | None
    endpoint_url: str | None
    connect_seconds: int
    read_seconds: int
    attempts: int


def units(section: Section) -> Units:
    """Return the metadata store in a DynamoDB table.

    Keys: ``table``; ``region`` and ``endpoint_url``, by default what boto3 finds; ``connect_seconds`` (5),
    ``read_seconds`` (10) and ``attempts`` (6) of a request. Credentials are those that boto3 finds. Raises
    ``SettingError``.
    """
    options = Options(
        table=section.text("table"),
        region=section.text("region", "") or None,
        endpoint_url=section.address("endpoint_url"),
        connect_seconds=section.number("connect_seconds", 5, least=1, most=_MOST_SECONDS),
        read_seconds=section.number("read_seconds", 10, least=1, most=_MOST_SECONDS),
        attempts=section.number("attempts", 6, least=1, most=20),
    )
    try:
        from warehouse14.adapters.dynamodb.units_of_work import DynamoUnits
    except ModuleNotFoundError as error:
        raise SettingError(
            "warehouse14.metadata = dynamodb needs boto3; install that, or Warehouse14 with its extra aws"
        ) from error
    return DynamoUnits(options)
