"""Who checks direct uploads that a function was sent: another function, or this one before it answers."""

import json
import re
from functools import cached_property
from typing import Any

from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.services.gate import Start
from warehouse14.domain.warehouse import Warehouse

#: A name or an ARN, and after a further colon a version or an alias (AWS Lambda, Invoke, "FunctionName").
_FUNCTION = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:)?[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9$_-]{1,128})?",
    re.ASCII,
)
#: How long a connection and an answer may take, in seconds, and how often it is tried: a poll waits for it.
_CONNECT_SECONDS = 2
_READ_SECONDS = 3
_ATTEMPTS = 2


def start_of(warehouse: Warehouse, function: str | None) -> Start:
    """Return what has a direct upload checked: without another function, this one does it before it answers,
    as what is left to a thread stands still afterwards.

    Args:
        warehouse: of this process.
        function: the name or the ARN of the function that does it, or None if there is none.

    Raises:
        Misconfigured: that is no name and no ARN of a function.
    """
    return warehouse.pass_upload if function is None else OfAnotherFunction(function)


class OfAnotherFunction:
    """Invokes the function of the handler ``gate``, and does not wait for it."""

    def __init__(self, function: str) -> None:
        match = _FUNCTION.fullmatch(function)
        if match is None:
            raise Misconfigured(
                f"warehouse14.lambda_gate = {function!r} is not the name or the ARN of a function"
            )
        self._function = function
        self._region = match[1]

    def __call__(self, upload: str) -> None:
        """See ``Start``."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"upload": upload}).encode(),
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(
                f"The function {self._function} cannot be invoked.", detail=" ".join(f"{error}".split())
            ) from error

    @cached_property
    def _client(self) -> Any:
        """The client, which is made when the first upload has come: it would be a part of each start."""
        import boto3
        from botocore.config import Config

        limits = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        )
        return boto3.client("lambda", region_name=self._region, config=limits)
