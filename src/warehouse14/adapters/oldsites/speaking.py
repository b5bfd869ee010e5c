"""From what the command line says of an old site to its bucket and its table."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from warehouse14.adapters.oldsites.bucket import Bucket
from warehouse14.adapters.oldsites.failures import said
from warehouse14.adapters.oldsites.table import Table
from warehouse14.settings import Section, SettingError

#: What boto3 takes if nothing says where something is: services that are not AWS do not care.
_ANY_REGION = "us-east-1"
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
#: Tables of old sites may let through one small read in a second.
_ATTEMPTS = 8


class Speaker:
    """Makes clients with the credentials that boto3 finds, or those of a ``profile``."""

    def __init__(self, section: Section) -> None:
        self._section = section
        try:
            self._session = boto3.Session(
                profile_name=section.text("profile", "") or None,
                region_name=section.text("region", "") or None,
            )
        except BotoCoreError as error:
            raise SettingError(said(error)) from error

    def bucket(self) -> Bucket:
        """Return the bucket. Raises ``SettingError``."""
        name, endpoint_url = self._section.text("bucket"), self._section.address("endpoint_url")
        # Stores that are not AWS may have no names of hosts for their buckets.
        own = {"s3": {"addressing_style": "path" if endpoint_url else "auto"}, "signature_version": "s3v4"}
        return Bucket(self._client("s3", endpoint_url, **own), name)

    def table(self) -> Table:
        """Return the table. Raises ``SettingError``."""
        name, endpoint_url = self._section.text("table"), self._section.address("table_endpoint_url")
        return Table(self._client("dynamodb", endpoint_url), name)

    def _client(self, service: str, endpoint_url: str | None, **own: Any) -> Any:
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **own,
        )
        try:
            client = self._session.client(
                service,
                region_name=self._session.region_name or _ANY_REGION,
                endpoint_url=endpoint_url,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingError(said(error)) from error
        if "@" in client.meta.endpoint_url:
            # Not shown: what stands before it may be a password.
            raise SettingError("an address that boto3 finds has a name or a password before an @")
        return client
