"""Speaking to the store: one client, and what its errors mean."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from warehouse14.adapters.aws import new_session
from warehouse14.adapters.s3.opening import Options
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.settings import SettingError

#: All that a request raises.
FAILURES = (ClientError, BotoCoreError, ResponseParserError, HTTPError, OSError)
#: Those of them for what gives this machine its credentials, and may come up after this program.
_NO_CREDENTIALS_YET = (CredentialRetrievalError, MetadataRetrievalError)
#: Those for a store that cannot be reached, or not yet.
_SILENCE = (NoConnection, HTTPClientError, HTTPError, OSError, *_NO_CREDENTIALS_YET)

#: What boto3 takes if nothing says where the store is: those that are not AWS do not care.
_ANY_REGION = "us-east-1"
#: For how many seconds after it was asked first a store is asked again to remove an object. Whoever removes a
#: blob holds its project for ten seconds, and has used up to three of them: by the time that a store that is
#: silent is given up, another may have put the same blob, which a second request would remove.
_REMOVES_AGAIN = 2.0
#: When a store was asked first to remove an object, and what came of it last, in what botocore keeps of a
#: request.
_FIRST, _OUTCOME = "warehouse14_first", "warehouse14_outcome"
#: More than a server has threads.
_CONNECTIONS = 50

#: What a store says of an object that is not there.
_GONE = frozenset({"NoSuchKey", "NotFound"})
#: What a store says of an offset behind the end.
_BEHIND = "InvalidRange"
#: What a store says of an object that is there already, where that was the condition.
_THERE = frozenset({"412", "PreconditionFailed"})
#: What a store says that does not know a condition.
UNKNOWN_CONDITION = frozenset({"NotImplemented", "501"})
_RIGHTS = "these credentials may not use it; see docs/deploy/s3.md for what they need"
_REGION = "it is in another region; set warehouse14.files.region"
_CREDENTIALS = "the credentials that boto3 finds are wrong or have expired"
_NO_CREDENTIALS = (
    "boto3 finds no credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in {file}"
    " (AWS_SHARED_CREDENTIALS_FILE names another), and this machine has no role; see docs/deploy/s3.md"
)
#: Where boto3 looks unless a variable says otherwise.
_CREDENTIALS_FILE = "~/.aws/credentials"
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
#: From this number on, a store says that it is at fault itself.
_AT_FAULT = 500
#: What a server says that stands before a store which is not up. For a page, 500 is no sign of that: botocore
#: says it, too, where the page came with 200.
_NOT_UP = frozenset({502, 503, 504})
#: What every store says when it has done what it was asked. Another server may answer 200 to anything.
_SAYS: Mapping[str, tuple[str, ...]] = {
    "HeadObject": ("ETag", "LastModified", "ContentLength"),
    "GetObject": ("ETag",),
    "PutObject": ("ETag",),
    "CopyObject": ("CopyObjectResult",),
    "CreateMultipartUpload": ("UploadId",),
    "UploadPart": ("ETag",),
    "UploadPartCopy": ("CopyPartResult",),
    "ListParts": ("IsTruncated",),
    "CompleteMultipartUpload": ("ETag",),
    "ListObjectsV2": ("IsTruncated",),
    "ListMultipartUploads": ("IsTruncated",),
}
#: An address with more than the host.
_WHOLE_ADDRESS = re.compile(r"(https?://[^/\s\"]+)/[^\s\"]*")
#: No blob is a page; but a web server gives its pages an ETag, too.
_PAGE = "text/html"


class NoStore(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """What answers is no S3."""

    fmt = "what answers is no S3: {reason}"


class NotRemoved(BotoCoreError):  # type: ignore[misc]  # botocore has no types
    """The store has not said in time that an object is gone, for this reason."""

    fmt = "it has not said in time that an object is gone, and is not asked again: {reason}"


def make_client(options: Options, endpoint_url: str | None) -> Any:
    """Return a client for threads to share, of the store at that address. Raises ``SettingError`` if boto3
    finds an address with credentials in it, which everybody who downloads would get, and
    ``Unavailable``."""
    session = new_session()
    with _asking_for_credentials(options):
        client = session.client(
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
    if "@" in client.meta.endpoint_url:
        # Not shown: what stands before it may be a password.
        raise SettingError("the address of the store has a name or a password before an @: leave them out")
    events = client.meta.events
    events.register("after-call.s3", _check)
    events.register("after-call-error.s3", _keep_keys_secret)
    events.register("after-call-error.s3", _refuse)
    events.register("before-call.s3.HeadBucket", _keep_from_redirecting)
    events.register("response-received.s3.DeleteObject", _keep_outcome)
    events.register("request-created.s3.DeleteObject", _keep_from_removing_late)
    return client


@contextmanager
def _asking_for_credentials(options: Options) -> Iterator[None]:
    """Turn what boto3 raises where it gets no credentials yet into ``Unavailable``."""
    try:
        yield
    except _NO_CREDENTIALS_YET as error:
        raise Unavailable(f"the bucket {options.bucket}: {_said(error)}") from error


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
    """Turn whatever a request raises into ``Misconfigured`` that says what is wrong with the bucket, or into
    ``Unavailable`` where that may be over soon."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        # A store says what is wrong in XML. What does not is left with the number of its answer.
        is_store = code and not code.isdigit()
        status = _status_of(error)
        complaint = _COMPLAINTS.get(code, _said(error)) if is_store else f"{_NO_STORE}, {status}"
        is_passing = status in _NOT_UP or (is_store and status >= _AT_FAULT)
        kind = Unavailable if is_passing else Misconfigured
        raise kind(f"the bucket {options.bucket}: {complaint}") from error
    except FAILURES as error:
        kind = Unavailable if isinstance(error, _SILENCE) else Misconfigured
        raise kind(f"the bucket {options.bucket}: {_said(error)}") from error


def code_of(error: ClientError) -> str:
    """Return what the store calls the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: ClientError) -> bool:
    """Whether there is no such object. Only the answer to a HEAD may have no more than the number."""
    code = code_of(error)
    return code in _GONE or (code == "404" and error.operation_name == "HeadObject")


def is_behind(error: ClientError) -> bool:
    """Whether the object ends before the offset that was asked for."""
    return code_of(error) == _BEHIND


def is_there(error: ClientError) -> bool:
    """Whether there is such an object already."""
    return code_of(error) in _THERE


def _check(http_response: Any, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    """Raise ``NoStore`` for what succeeded without saying what a store says."""
    if http_response.status_code >= 300:
        return
    says = _SAYS.get(model.name, ())
    missing = [name for name in says if parsed.get(name) in (None, "", {})]
    if missing:
        raise NoStore(reason=f"its answer to {model.name} is without {', '.join(missing)}")
    if says and str(parsed.get("ContentType", "")).startswith(_PAGE):
        raise NoStore(reason=f"it answers {model.name} with a page")


def _keep_keys_secret(exception: Exception, **_: Any) -> None:
    """Leave no more of an address in an error than its host, also for those that show it as a cause: below
    staging the key is the id of an upload, which stands in no log."""
    if isinstance(exception, BotoCoreError):
        exception.args = tuple(
            _WHOLE_ADDRESS.sub(r"\1/...", text) if isinstance(text, str) else text for text in exception.args
        )


def _refuse(exception: Exception, **_: Any) -> None:
    """Raise ``NoStore`` for an answer whose times or numbers are none."""
    if isinstance(exception, ValueError | KeyError) and not isinstance(exception, FAILURES):
        raise NoStore(reason=f"its answer cannot be read: {exception}") from exception


def _keep_from_redirecting(context: dict[str, Any], **_: Any) -> None:
    """Let the question where a bucket is be asked once.

    botocore asks it after each answer that leads elsewhere and names no region, also after this one.
    """
    context.setdefault("s3_redirect", {})["redirected"] = True


def _keep_outcome(
    context: dict[str, Any], exception: Exception | None, parsed_response: Mapping[str, Any] | None, **_: Any
) -> None:
    """Keep what came of an attempt: botocore drops that where the next one is not made."""
    if exception is not None:
        _keep_keys_secret(exception)
    context[_OUTCOME] = exception or parsed_response


def _keep_from_removing_late(request: Any, **_: Any) -> None:
    """Raise ``NotRemoved`` where an object would be removed by a later attempt than is safe."""
    now = time.monotonic()
    if now > request.context.setdefault(_FIRST, now) + _REMOVES_AGAIN:
        outcome = request.context[_OUTCOME]
        error = outcome if isinstance(outcome, Exception) else ClientError(outcome, "DeleteObject")
        raise NotRemoved(reason=_said(error)) from error


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _said(error: Exception) -> str:
    """Return what went wrong in one line."""
    if isinstance(error, ResponseParserError):
        return _NO_STORE
    if isinstance(error, NoCredentialsError):
        file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE", _CREDENTIALS_FILE)
        return _NO_CREDENTIALS.format(file=os.path.expanduser(file))
    return " ".join(str(error).split())[:300] or type(error).__name__
