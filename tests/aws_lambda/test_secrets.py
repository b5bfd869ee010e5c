"""Secrets that a setting names by their ARN in AWS Secrets Manager."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.secrets_manager import ARN, SecretsManager
from support.servers import free_port
from warehouse14.aws_lambda.secretsmanager import with_secrets
from warehouse14.domain.errors import Misconfigured, Unavailable

PASSWORD = "correct horse battery staple"
RDS = '{"username": "warehouse14", "password": "' + PASSWORD + '", "port": 5432}'


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    secrets = {
        "plain-AbCdEf": f"{PASSWORD}\n",
        "rds-AbCdEf": RDS,
        "bytes-AbCdEf": b"\0\1",
        "empty-AbCdEf": "",
    }
    refusals = {"closed-AbCdEf": "AccessDeniedException", "busy-AbCdEf": "InternalServiceError"}
    with SecretsManager(secrets, refusals) as manager:
        for name, value in manager.variables().items():
            monkeypatch.setenv(name, value)
        yield manager


def read(**named: str) -> dict[str, str]:
    settings = {f"warehouse14.{key.replace('__', '.')}": value for key, value in named.items()}
    return dict(with_secrets(settings))


@pytest.mark.parametrize("name", ["plain-AbCdEf", "rds-AbCdEf:password"])
def test_a_setting_gets_the_secret_that_it_names(manager: SecretsManager, name: str) -> None:
    found = read(metadata="sql", metadata__password_arn=f"{ARN}:{name}")
    assert found == {"warehouse14.metadata": "sql", "warehouse14.metadata.password": PASSWORD}


def test_a_secret_that_is_named_twice_is_read_once(manager: SecretsManager) -> None:
    found = read(
        metadata__password_arn=f"{ARN}:rds-AbCdEf:password", metadata__user_arn=f"{ARN}:rds-AbCdEf:username"
    )
    assert found == {"warehouse14.metadata.password": PASSWORD, "warehouse14.metadata.user": "warehouse14"}
    assert manager.asked == [f"{ARN}:rds-AbCdEf"]


def test_what_names_no_secret_asks_nobody(manager: SecretsManager) -> None:
    given = {"pyramid.role_arn": "mine", "warehouse14.files": "s3", "warehouse14.secret_arn": " "}
    assert with_secrets(given) == given
    assert manager.asked == []


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("no ARN", "is not the ARN of a secret"),
        ("arn:aws:s3:::bucket", "is not the ARN of a secret"),
        (f"{ARN}:gone-AbCdEf", "ResourceNotFoundException"),
        (f"{ARN}:closed-AbCdEf", "AccessDeniedException"),
        (f"{ARN}:rds-AbCdEf:passwort", "the secret holds no text with the key 'passwort'"),
        (f"{ARN}:rds-AbCdEf:port", "the secret holds no text with the key 'port'"),
        (f"{ARN}:plain-AbCdEf:password", "the secret holds no text with the key 'password'"),
        (f"{ARN}:bytes-AbCdEf", "the secret holds no text"),
        (f"{ARN}:empty-AbCdEf", "the secret holds no text"),
    ],
)
def test_a_secret_that_cannot_be_had_is_one_line_that_names_the_setting(
    manager: SecretsManager, named: str, told: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(metadata__password_arn=named)
    said = str(refused.value)
    assert said.startswith("warehouse14.metadata.password_arn")
    assert told in said
    assert "\n" not in said
    assert not _holds(refused.value, PASSWORD)


def _holds(error: BaseException | None, secret: str) -> bool:
    """Whether a secret stands in an error, or in one that it came from."""
    parts: list[Any] = []
    while error is not None:
        parts += [error, vars(error)]
        error = error.__cause__ or error.__context__
    return secret in str(parts)


def test_a_setting_and_a_secret_for_it_are_one_too_many(manager: SecretsManager) -> None:
    with pytest.raises(Misconfigured, match="are both set: keep one of them"):
        read(secret="mine", secret_arn=f"{ARN}:plain-AbCdEf")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_manager_that_cannot_answer_now_is_to_be_asked_again(
    manager: SecretsManager, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    if not is_there:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match=r"^warehouse14.secret_arn: the secret cannot be read"):
        read(secret_arn=f"{ARN}:busy-AbCdEf")
