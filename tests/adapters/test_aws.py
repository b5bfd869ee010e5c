"""What the adapters on boto3 share."""

import sys
from pathlib import Path

import pytest

from warehouse14.adapters.aws import new_session


def files_read(services: list[str]) -> list[str]:
    """Return which data files of botocore are opened while a client of each service is made in turn."""
    opened: list[str] = []
    listening = True

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        name = str(arguments[0]) if listening and event == "open" else ""
        if "/botocore/data/" in name:
            opened.append(Path(name).name)

    sys.addaudithook(listen)
    for service in services:
        new_session().client(service, region_name="us-east-1")
    listening = False
    return opened


def test_a_second_client_of_a_service_reads_no_file_again() -> None:
    files_read(["s3"])
    assert files_read(["s3", "s3"]) == []


def test_each_session_finds_the_credentials_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    keys = ["first", "second"]
    for key in keys:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        assert new_session().get_credentials().access_key == key


def test_sessions_leave_no_more_and_more_folders_to_look_through() -> None:
    def folders() -> list[str]:
        session = new_session()
        return list(session._session.get_component("data_loader").search_paths)

    assert folders() == folders()
