"""Who sends files past the program, at whatever serves a site: the command, and a client of the API."""

import hashlib
import subprocess
from pathlib import Path
from typing import Protocol

import requests

from support.clients import Ended
from support.servers import wait_until
from support.sites import COMMAND, environment
from warehouse14.testing.builders import BuiltFile


class Served(Protocol):
    """What has an address without a slash at its end."""

    @property
    def url(self) -> str: ...


def words(server: Served, *files: Path | str) -> list[str | Path]:
    return [COMMAND, "upload", "--url", f"{server.url}/", *files]


def upload(server: Served, token: str, *files: Path | str) -> Ended:
    """Run the command on a machine that has nothing but the token."""
    done = subprocess.run(
        words(server, *files),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
        env=environment(WAREHOUSE14_TOKEN=token),
    )
    return Ended(done.returncode, done.stdout)


def started(server: Served, token: str, *files: Path | str) -> "subprocess.Popen[str]":
    """Start the command."""
    return subprocess.Popen(
        words(server, *files),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(WAREHOUSE14_TOKEN=token),
    )


def written(folder: Path, *built: BuiltFile) -> list[Path]:
    for each in built:
        (folder / each.filename).write_bytes(each.content)
    return [folder / each.filename for each in built]


class Sender:
    """A client of the API of one account, at an address."""

    def __init__(self, url: str, token: str) -> None:
        self._base = f"{url}/api/uploads"
        self._auth = ("__token__", token)

    def begin(self, built: BuiltFile, **more: str) -> str:
        """Begin an upload, and return its path."""
        stem = built.filename.split("-")
        answer = self.post(
            "",
            name=stem[0].replace("_", "-"),
            version=stem[1],
            filetype=built.filetype.value,
            filename=built.filename,
            size=str(len(built.content)),
            sha256=hashlib.sha256(built.content).hexdigest(),
            **more,
        )
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"].startswith(f"{self._base}/")
        return answer.headers["Location"].removeprefix(self._base)

    def send(self, path: str, content: bytes) -> None:
        """Send a file that has one part."""
        sent = {"number": "1", "sha256": hashlib.sha256(content).hexdigest()}
        where = self.post(f"{path}/part", **sent).json()
        answer = requests.put(where["address"], data=content, headers=where["headers"], timeout=60)
        assert answer.status_code == 200, answer.text

    def post(self, path: str, **fields: str) -> requests.Response:
        return requests.post(self._base + path, data=fields, auth=self._auth, timeout=60)

    def get(self, path: str) -> requests.Response:
        return requests.get(self._base + path, auth=self._auth, timeout=60)

    def outcome(self, path: str) -> requests.Response:
        """Poll until there is an answer."""
        found: list[requests.Response] = []

        def is_there() -> bool:
            found.append(self.get(path))
            return found[-1].status_code != 202

        wait_until(is_there, seconds=60, what="an answer")
        return found[-1]
