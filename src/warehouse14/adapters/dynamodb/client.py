"""Speaking to the service: one client, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from warehouse14.adapters.aws import new_session
from warehouse14.adapters.dynamodb.opening import Options
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.settings import SettingError

#: All that a request raises: what cannot be read as an answer is a ``ValueError`` in places.
FAILURES = (ClientError, BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError, KeyError)
#: Those of them for what gives this machine its credentials, and may come up after this program.
_NO_CREDENTIALS_YET = (CredentialRetrievalError, MetadataRetrievalError)
#: Those for a service that cannot be reached, or not yet.
_SILENCE = (NoConnection, HTTPClientError, HTTPError, OSError, *_NO_CREDENTIALS_YET)
#: What it says where it has too much to do. Another number from 500 on says that it is at fault, too.
_BUSY = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"})
_AT_FAULT = 500

#: What it says of a transaction that is on its way from before an answer was lost.
ON_ITS_WAY = "TransactionInProgressException"
#: After how many seconds boto3 asks for that again.
_SOON = 0.1

#: What every answer is written in.
_MEDIA_TYPE = "application/x-amz-json-1.0"

#: What boto3 takes if nothing says where the table is: those that are not AWS do not care.
_ANY_REGION = "us-east-1"
#: More than a server has threads.
_CONNECTIONS = 50

_CREDENTIALS = "the credentials that boto3 finds are wrong or have expired"
_RIGHTS = "these credentials may not use it; see docs/deploy/dynamodb.md for what they need"
#: What is wrong with the settings, by what the service says.
_COMPLAINTS = {
    "ResourceNotFoundException": "there is no such table; 'warehouse14 init' makes it, if it may",
    "AccessDeniedException": _RIGHTS,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidSignatureException": f"{_CREDENTIALS}, or the clock of this machine is not that of the service",
    "ExpiredTokenException": _CREDENTIALS,
    "IncompleteSignatureException": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
}


class NoService(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """What answers is no DynamoDB."""

    fmt = "what answers is no DynamoDB: it answers {operation} with something else than JSON"


def make_client(options: Options) -> Any:
    """Return a client for threads to share. Raises ``SettingError`` if boto3 finds an address with
    credentials in it, which would be shown in errors, and ``Unavailable``."""
    session = new_session()
    with _asking_for_credentials(options):
        client = session.client(
            "dynamodb",
            region_name=options.region or session.region_name or _ANY_REGION,
            endpoint_url=options.endpoint_url,
            config=Config(
                connect_timeout=options.connect_seconds,
                read_timeout=options.read_seconds,
                retries={"mode": "standard", "total_max_attempts": options.attempts},
                max_pool_connections=_CONNECTIONS,
                tcp_keepalive=True,
            ),
        )
    if "@" in client.meta.endpoint_url:
        # Not shown: what stands before it may be a password.
        raise SettingError("the address of DynamoDB has a name or a password before an @: leave them out")
    client.meta.events.register("after-call.dynamodb", _check)
    asking_soon = partial(_asking_soon, most=options.attempts)
    client.meta.events.register_first("needs-retry.dynamodb.TransactWriteItems", asking_soon)
    return client


def _asking_soon(response: Any, attempts: int, most: int, **_: Any) -> float | None:
    """Return after how many seconds boto3 is to ask for a transaction again that is on its way, or None where
    it knows itself: it would take that for too many requests, and wait for up to half a minute in all."""
    said_so = response is not None and response[1].get("Error", {}).get("Code") == ON_ITS_WAY
    return _SOON if said_so and attempts < most else None


def _check(http_response: Any, model: Any, **_: Any) -> None:
    """Raise ``NoService`` for what succeeded without being an answer of DynamoDB: boto3 would read a page as
    an answer in which nothing was found."""
    media_type = http_response.headers.get("Content-Type", "")
    if http_response.status_code < 300 and not media_type.startswith(_MEDIA_TYPE):
        raise NoService(operation=model.name)


@contextmanager
def _asking_for_credentials(options: Options) -> Iterator[None]:
    """Turn what boto3 raises where it gets no credentials yet into ``Unavailable``."""
    try:
        yield
    except _NO_CREDENTIALS_YET as error:
        raise Unavailable(f"the table {options.table}: {said(error)}") from error


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever a request raises into ``Unavailable`` with its cause."""
    try:
        yield
    except FAILURES as error:
        raise Unavailable("The database does not answer. Try again.", detail=said(error)) from error


@contextmanager
def examining(options: Options) -> Iterator[None]:
    """Turn whatever a request raises into ``Misconfigured``, or into ``Unavailable`` where that may be over
    soon."""
    try:
        yield
    except FAILURES as error:
        complaint = _COMPLAINTS.get(code_of(error), said(error))
        kind = Unavailable if _is_passing(error) else Misconfigured
        raise kind(f"the table {options.table}: {complaint}") from error


def _is_passing(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= _AT_FAULT or code_of(error) in _BUSY
    return isinstance(error, _SILENCE)


def code_of(error: Exception) -> str:
    """Return what the service calls the error, empty where it is not the service's."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def said(error: Exception) -> str:
    """Return what went wrong in one line."""
    if isinstance(error, ResponseParserError | ValueError | KeyError):
        return "what answers is no DynamoDB"
    return " ".join(str(error).split())[:300] or type(error).__name__
