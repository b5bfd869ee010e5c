"""What it means when an old site does not answer as it should."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from warehouse14.domain.errors import Misconfigured, Rejected, Unavailable

#: All that a request raises.
FAILURES = (ClientError, BotoCoreError, ResponseParserError, HTTPError, OSError)

_MOST_SAID = 300
_RIGHTS = "these credentials may not read it"
_CREDENTIALS = "the credentials that boto3 finds are wrong or have expired"
_REGION = "it is in another region; say which with --region"
_WRONG_NAME = "that is no name of one"
_OURS = (NoCredentialsError, PartialCredentialsError, ParamValidationError)
#: What is wrong with what was asked for, by what AWS says.
_COMPLAINTS = {
    "NoSuchBucket": "there is none of that name",
    "ResourceNotFoundException": "there is none of that name in this region",
    "AccessDenied": _RIGHTS,
    "AllAccessDisabled": _RIGHTS,
    "AccessDeniedException": _RIGHTS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidBucketName": _WRONG_NAME,
    "ValidationException": _WRONG_NAME,
}
_KEY = "the key of KMS that it is encrypted with is off, or not for these credentials"
#: Why one object cannot be read, by what S3 says.
_OF_ONE_OBJECT = {
    "NoSuchKey": "it was deleted meanwhile",
    "PreconditionFailed": "it was replaced while this ran; run this again",
    "412": "it was replaced while this ran; run this again",
    "InvalidObjectState": "it is archived; restore it in the bucket, and run this again",
    "AccessDenied": "these credentials may not read it, or not the key that it is encrypted with",
    "KMS.AccessDeniedException": _KEY,
    "KMS.DisabledException": _KEY,
    "KMS.InvalidKeyUsageException": _KEY,
    "KMS.InvalidStateException": _KEY,
    "KMS.KMSInvalidStateException": _KEY,
    "KMS.NotFoundException": _KEY,
}
_OF_ANOTHERS_KEY = "it is encrypted with a key that came with it (SSE-C)"


@contextmanager
def examining(what: str) -> Iterator[None]:
    """Turn whatever a request raises into ``Misconfigured`` if what was said of ``what`` is wrong, or into
    ``Unavailable``."""
    try:
        yield
    except ClientError as error:
        complaint = _COMPLAINTS.get(code_of(error))
        if complaint is None:
            raise _silent(what, error) from error
        raise Misconfigured(f"{what}: {complaint}") from error
    except _OURS as error:
        raise Misconfigured(f"{what}: {said(error)}") from error
    except FAILURES as error:
        raise _silent(what, error) from error


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever a request for one object of ``what`` raises into ``Rejected`` if that object is at fault,
    or into ``Unavailable``."""
    try:
        yield
    except ClientError as error:
        reason = _reason(error)
        if reason is None:
            raise _silent(what, error) from error
        raise Rejected(f"The object cannot be read: {reason}.", field="content") from error
    except FAILURES as error:
        raise _silent(what, error) from error


def _reason(error: ClientError) -> str | None:
    """Return why one object cannot be read, or None if it is not the object's fault."""
    if code_of(error) == "InvalidRequest" and "ncryption" in str(error):
        return _OF_ANOTHERS_KEY
    return _OF_ONE_OBJECT.get(code_of(error))


def code_of(error: ClientError) -> str:
    """Return what AWS calls an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def said(error: Exception) -> str:
    """Return what went wrong in one line."""
    return " ".join(str(error).split())[:_MOST_SAID] or type(error).__name__


def _silent(what: str, error: Exception) -> Unavailable:
    message = f"{what} does not answer as it should. Run this again: what was taken is not sent twice."
    return Unavailable(message, detail=said(error))
