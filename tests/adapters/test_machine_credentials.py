"""What the stores of AWS make of a machine whose credentials come from a server beside it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from support.strangers import Says, Stranger
from warehouse14.adapters import dynamodb, s3
from warehouse14.domain.errors import Unavailable
from warehouse14.settings import Section

OUTDATED = (
    b'{"AccessKeyId": "test", "SecretAccessKey": "test", "Token": "test",'
    b' "Expiration": "2026-11-01T00:00:00Z"}'
)
STORES = {
    "bucket": s3.file_store,
    "table": dynamodb.units,
}


@pytest.mark.thorough
@pytest.mark.parametrize("given", [0, 1])
@pytest.mark.parametrize(("kind", "opened"), STORES.items())
def test_who_may_get_credentials_later_is_told_that_they_are_unavailable(
    monkeypatch: pytest.MonkeyPatch, kind: str, opened: Callable[[Section], Any], given: int
) -> None:
    """What gives them may come up after this program, or be gone when they are outdated."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    answers = [Says(200, OUTDATED)] * given
    with Stranger(lambda _: answers.pop() if answers else Says(500)) as giver:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", giver.endpoint)
        section = Section("x.", {kind: "one", "region": "us-east-1", "endpoint_url": giver.endpoint})
        with pytest.raises(Unavailable, match=rf"^the {kind} one: [^\n]*credentials"):
            opened(section).verify()
    assert not answers
