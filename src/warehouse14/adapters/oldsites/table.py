"""The table of an old site."""

from collections.abc import Iterator, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from warehouse14.adapters.oldsites.failures import examining
from warehouse14.domain.errors import Misconfigured

_KEY = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
#: What is read of a row. The keys of tokens are not: nobody here has a use for them.
_WANTED = {"#pk": "pk", "#sk": "sk", "#name": "name", "#role": "role", "#versions": "versions"}


class Table:
    """A table that is only read."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._read = TypeDeserializer().deserialize
        self.name = name

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Return every row. Raises ``Misconfigured`` if it is no table of an old Warehouse14, and
        ``Unavailable``."""
        with examining(f"The table {self.name}"):
            self._check()
            for page in self._client.get_paginator("scan").paginate(
                TableName=self.name,
                ConsistentRead=True,
                ProjectionExpression=", ".join(_WANTED),
                ExpressionAttributeNames=_WANTED,
            ):
                for item in page["Items"]:
                    yield {name: self._read(value) for name, value in item.items()}

    def _check(self) -> None:
        found = self._client.describe_table(TableName=self.name)["Table"]["KeySchema"]
        if found != _KEY:
            keys = ", ".join(part["AttributeName"] for part in found)
            raise Misconfigured(f"The table {self.name}: its key is {keys}, and not pk and sk")
