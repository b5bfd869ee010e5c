"""A real nginx in front of servers, on a free loopback port."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from support.servers import Server, free_port, is_listening, wait_until
from support.sites import REPOSITORY

EXAMPLE = REPOSITORY / "deploy/nginx.conf.example"

#: What comes around the servers: nothing of the machine's own.
_AROUND = """\
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
{servers}
}}
"""

_WITH_TLS = """\
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        client_max_body_size 0;
        location {prefix}/ {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_request_buffering off;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }}
    }}
"""


class _Running:
    """An nginx in a folder of its own; a context manager that ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def servers(self) -> str:
        """Return the servers of its configuration."""
        raise NotImplementedError

    def log(self) -> str:
        """Return what it has complained of."""
        return (self._folder / "error.log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        configuration = self._folder / "nginx.conf"
        user = pwd.getpwuid(os.getuid()).pw_name
        written = _AROUND.format(folder=self._folder, user=user, servers=self.servers())
        configuration.write_text(written, encoding="utf-8")
        words = [_program("nginx"), "-p", self._folder, "-c", configuration, "-e", self._folder / "error.log"]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
        wait_until(lambda: is_listening(self.port), what="the start of nginx")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)


class Front(_Running):
    """An nginx by the example in the repository, of which only ports and the folder are changed."""

    def __init__(
        self, folder: Path, behind: Sequence[Server], blobs: Path, changed: Mapping[str, str] | None = None
    ) -> None:
        """``changed`` are lines of the example, and what stands in their place."""
        super().__init__(folder)
        upstream = "".join(f"    server 127.0.0.1:{server.port};\n" for server in behind)
        self._lines = {
            "    server 127.0.0.1:6543;\n    server 127.0.0.1:6544;\n": upstream,
            "listen 127.0.0.1:8080;": f"listen 127.0.0.1:{self.port};",
            "/var/lib/warehouse14/files/blobs": str(blobs),
            **(changed or {}),
        }

    def servers(self) -> str:
        """Return the example."""
        text = EXAMPLE.read_text(encoding="utf-8")
        for line, instead in self._lines.items():
            assert line in text, f"{line!r} is not in {EXAMPLE}"
            text = text.replace(line, instead)
        return text

    @property
    def url(self) -> str:
        """The public address of the application."""
        return f"http://127.0.0.1:{self.port}"

    def as_account(self, token: str) -> str:
        """Return the same address with credentials in it."""
        return f"http://__token__:{token}@127.0.0.1:{self.port}"


class Nginx(_Running):
    """An nginx that ends TLS for one server."""

    def __init__(self, server: Server, folder: Path) -> None:
        super().__init__(folder)
        self._server = server
        self.authority = folder / "authority.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server-key.pem"

    @property
    def url(self) -> str:
        """The public address of the application."""
        return f"https://localhost:{self.port}{self._server.prefix}"

    def as_account(self, token: str) -> str:
        """Return the same address with credentials in it."""
        return self.url.replace("https://", f"https://__token__:{token}@")

    def servers(self) -> str:
        """Return the server."""
        return _WITH_TLS.format(
            certificate=self.certificate,
            key=self.key,
            port=self.port,
            behind=self._server.port,
            prefix=self._server.prefix,
        )

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._make_certificates()
        return super().__enter__()

    def _make_certificates(self) -> None:
        """Make an authority, and a certificate by it: not every client takes one that signs itself."""
        authority = ["-subj", "/CN=an authority", "-addext", "keyUsage=critical,keyCertSign"]
        self._make_certificate("authority", *authority)
        signed = ["-CA", self.authority, "-CAkey", self._folder / "authority-key.pem"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        self._make_certificate("server", *signed, *names, "-addext", "basicConstraints=critical,CA:FALSE")

    def _make_certificate(self, name: str, *words: str | Path) -> None:
        made = ["-keyout", self._folder / f"{name}-key.pem", "-out", self._folder / f"{name}.pem"]
        request = [_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        subprocess.run([*request, *made, *words], check=True, capture_output=True)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found is not None, f"{name} is missing: run tests/install-debian"
    return found
