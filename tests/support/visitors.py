"""HTTP as a program speaks it, and as a broken program does."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from support.forms import BOUNDARY, framed
from support.servers import Server
from support.wheels import StoredWheel
from warehouse14.testing.builders import BuiltFile

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class Visitor:
    """Somebody with a token, or nobody, at one server."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        self.server = server
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False
        if token is not None:
            self._session.auth = ("__token__", token)

    def get(self, path: str, **more: Any) -> requests.Response:
        with self._session as session:
            return session.get(self.server.url + path, timeout=60, **more)

    def page(self, project: str) -> requests.Response:
        """Return a project's page in JSON."""
        return self.get(f"/simple/{project}/", headers={"Accept": SIMPLE_JSON})

    def files(self, project: str) -> list[str]:
        """Return the names of a project's listed files, none for a project that is not there."""
        answer = self.page(project)
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        return [file["filename"] for file in answer.json()["files"]]

    def projects(self) -> list[str]:
        """Return the names of the projects that are listed."""
        answer = self.get("/simple/", headers={"Accept": SIMPLE_JSON})
        assert answer.status_code == 200, answer.text
        return [project["name"] for project in answer.json()["projects"]]

    def upload(self, built: BuiltFile, **fields: str) -> requests.Response:
        """Publish a file as twine does."""
        with self._session as session:
            return session.post(
                f"{self.server.url}/legacy/",
                data=fields_of(built) | fields,
                files={"content": (built.filename, built.content, "application/octet-stream")},
                timeout=120,
            )

    def upload_in_pieces(self, wheel: StoredWheel) -> requests.Response:
        """Publish a wheel that is made while it is sent."""
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        with self._session as session:
            return session.post(f"{self.server.url}/legacy/", data=wheel, headers=headers, timeout=120)

    def request_head(self, length: int | None, *more: str, close: bool = True) -> bytes:
        """Return the line and headers of an upload whose body has ``length`` bytes."""
        lines = [
            "POST /legacy/ HTTP/1.1",
            f"Host: 127.0.0.1:{self.server.port}",
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}",
            *more,
        ]
        if close:
            lines.append("Connection: close")
        if self._token is not None:
            lines.append(f"Authorization: Bearer {self._token}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """Return a bare connection."""
        address = ("127.0.0.1", self.server.port)
        with socket.create_connection(address, timeout=30) as connection:
            yield connection


def fields_of(built: BuiltFile) -> dict[str, str]:
    """Return the form that goes with a file."""
    stem = built.filename.removesuffix(".tar.gz").removesuffix(".zip")
    name, version = stem.split("-")[:2]
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": built.filetype.value,
        "pyversion": "source" if built.filetype.value == "sdist" else "py3",
        "sha256_digest": hashlib.sha256(built.content).hexdigest(),
    }


def form_around(built: BuiltFile) -> tuple[bytes, bytes]:
    """Return what comes before and after the content in the body of an upload."""
    return framed(fields_of(built), built.filename)


def body_of(built: BuiltFile) -> bytes:
    """Return the whole body of an upload."""
    before, after = form_around(built)
    return before + built.content + after


def answer_on(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received
