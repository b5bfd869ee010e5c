"""Speaking to the store: one client, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from warehouse14.adapters.s3.opening import Options
from warehouse14.domain.errors import Misconfigured, Unavailable

#: All that a request raises.
FAILURES = (ClientError, BotoCoreError, ResponseParserError, HTTPError, OSError)

#: What boto3 takes if nothing says where the store is: those that are not AWS do not care.
_ANY_REGION = "us-east-1"
#: More than a server has threads.
_CONNECTIONS = 50

#: What a store says of an object that is not there. The answer to a HEAD has no more than the number.
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
#: What a store says of an offset behind the end.
_BEHIND = frozenset({"416", "InvalidRange"})
#: What a store says of an object that is there already, where that was the condition.
_THERE = frozenset({"412", "PreconditionFailed"})
_RIGHTS = "these credentials may not use it; see docs/deploy/s3.md for what they need"
_REGION = "it is in another region; set warehouse14.files.region"
_CREDENTIALS = "the credentials that boto3 finds are wrong or have expired"
_NO_STORE = "what answers is no S3: it sends something else than XML"
#: What is wrong with the settings, by what the store says.
_COMPLAINTS = {
    "NoSuchBucket": "there is no such bucket; 'warehouse14 init' makes it, if it may",
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "RequestTimeTooSkewed": "the clock of this machine is not that of the store; set it",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidBucketName": "that is no name of a bucket",
}


def make_client(options: Options, endpoint_url: str | None) -> Any:
    """Return a client for threads to share, of the store at that address."""
    session = boto3.Session()
    return session.client(
        "s3",
        region_name=options.region or session.region_name or _ANY_REGION,
        endpoint_url=endpoint_url,
        config=Config(
            signature_version="s3v4",
            connect_timeout=options.connect_seconds,
            read_timeout=options.read_seconds,
            retries={"mode": "standard", "total_max_attempts": options.attempts},
            max_pool_connections=_CONNECTIONS,
            tcp_keepalive=True,
            s3={"addressing_style": "path" if options.path_style else "auto"},
            # Stores that are not AWS do not understand sums behind a body; ours are among its headers.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def answering(verb: str) -> Iterator[None]:
    """Turn whatever a request raises into ``Unavailable`` with its cause."""
    try:
        yield
    except FAILURES as error:
        message = f"The file store does not {verb} files. Try again."
        raise Unavailable(message, detail=_said(error)) from error


@contextmanager
def examining(options: Options) -> Iterator[None]:
    """Turn whatever a request raises into ``Misconfigured`` if a setting is at fault, or ``Unavailable``."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        # A store says what is wrong in XML. What does not is left with the number of its answer.
        is_store = not code.isdigit()
        complaint = _COMPLAINTS.get(code, _said(error)) if is_store else f"{_NO_STORE}, {code}"
        raise Misconfigured(f"the bucket {options.bucket}: {complaint}") from error
    except FAILURES as error:
        raise Misconfigured(f"the bucket {options.bucket}: {_said(error)}") from error


def code_of(error: ClientError) -> str:
    """Return what the store calls the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: ClientError) -> bool:
    """Whether there is no such object."""
    return code_of(error) in _GONE


def is_behind(error: ClientError) -> bool:
    """Whether the object ends before the offset that was asked for."""
    return code_of(error) in _BEHIND


def is_there(error: ClientError) -> bool:
    """Whether there is such an object already."""
    return code_of(error) in _THERE


def _said(error: Exception) -> str:
    """Return what went wrong in one line."""
    if isinstance(error, ResponseParserError):
        return _NO_STORE
    return " ".join(str(error).split())[:300] or type(error).__name__
