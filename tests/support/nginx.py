"""A real nginx with TLS in front of a server, on a free loopback port."""

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from support.servers import Server, free_port, is_listening, wait_until

_CONFIGURATION = """\
daemon off;
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
}}
"""


class Nginx:
    """An nginx for one server; a context manager that ends it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.port = free_port()
        self.authority = folder / "authority.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server-key.pem"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The public address of the application."""
        return f"https://localhost:{self.port}{self._server.prefix}"

    def as_account(self, token: str) -> str:
        """Return the same address with credentials in it."""
        return self.url.replace("https://", f"https://__token__:{token}@")

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._make_certificates()
        configuration = self._folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=self._folder,
                certificate=self.certificate,
                key=self.key,
                port=self.port,
                behind=self._server.port,
                prefix=self._server.prefix,
            ),
            encoding="utf-8",
        )
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
