"""Settings that name a secret of AWS Secrets Manager: ``..._arn`` beside ``..._file`` and ``..._env``."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.settings import PREFIX

_SUFFIX = "_arn"
#: The ARN of a secret, and after a further colon the key of a JSON object in it, as Amazon ECS has it.
_ARN = re.compile(r"(arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[^:]+)(?::([^:]+))?", re.ASCII)
#: How long a connection and an answer may take, in seconds, and how often it is tried.
_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_ATTEMPTS = 3
#: What will be no better when it is tried again.
_FOR_GOOD = frozenset(
    {"AccessDeniedException", "DecryptionFailure", "InvalidRequestException", "ResourceNotFoundException"}
)


def with_secrets(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings with the secrets themselves where ``warehouse14...._arn`` names one.

    Raises ``Misconfigured`` where there is no such secret, or one that this function may not read, and
    ``Unavailable`` where Secrets Manager does not answer.
    """
    named = {key: value.strip() for key, value in settings.items() if _names_a_secret(key, value)}
    read = cache(_read)
    found = {key.removesuffix(_SUFFIX): _secret(key, arn, read) for key, arn in named.items()}
    twice = [key for key in found if settings.get(key, "").strip()]
    if twice:
        raise Misconfigured(f"{twice[0]} and {twice[0]}{_SUFFIX} are both set: keep one of them")
    return {key: value for key, value in settings.items() if key not in named} | found


def _names_a_secret(key: str, value: str) -> bool:
    return key.startswith(PREFIX) and key.endswith(_SUFFIX) and bool(value.strip())


def _secret(key: str, arn: str, read: Any) -> str:
    """Return the secret that the setting ``key`` names. No error says anything of what is in it."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise Misconfigured(f"{key} is not the ARN of a secret such as {_EXAMPLE}")
    whole, region, field = parts.groups()
    try:
        text: str = read(whole, region)
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"{key} needs boto3; install that, or Warehouse14 with its extra lambda"
        ) from error
    except _Refused as error:
        kind = Misconfigured if error.is_for_good else Unavailable
        raise kind(f"{key}: the secret cannot be read: {error}") from error
    found = text if field is None else _field(text, field)
    if not found:
        part = "" if field is None else f" with the key {field!r}"
        raise Misconfigured(f"{key}: the secret holds no text{part}")
    return found


_EXAMPLE = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:index-AbCdEf, or that with :KEY after it"


class _Refused(Exception):
    """Secrets Manager gives no secret. ``is_for_good``: to try again is of no use."""

    def __init__(self, message: str, *, is_for_good: bool) -> None:
        super().__init__(message)
        self.is_for_good = is_for_good


def _read(arn: str, region: str) -> str:
    """Return the text of a secret (AWS Secrets Manager, GetSecretValue), or "" for one of bytes."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    limits = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    client = boto3.client("secretsmanager", region_name=region, config=limits)
    try:
        answer = client.get_secret_value(SecretId=arn)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise _Refused(f"{error}", is_for_good=code in _FOR_GOOD) from error
    except BotoCoreError as error:
        raise _Refused(f"{error}", is_for_good=False) from error
    text: str = answer.get("SecretString", "")
    return text.strip()


def _field(text: str, key: str) -> str:
    """Return the text of a key of a JSON object, or "" if there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
