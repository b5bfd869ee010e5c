"""The ceiling and the peers as servers."""

import json
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.load import Answer
from benchmarks.processes import BenchmarkError, Server, free_port, output_of
from benchmarks.settings import HERE, ROOT, THREADS, TOOLS
from warehouse14.testing.builders import BuiltFile

#: The two ways in which pypiserver looks at its folder.
BACKENDS = ("simple-dir", "cached-dir")

_NGINX = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    default_type application/octet-stream;
    client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp;
    uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def ceiling(folder: Path, answers: Mapping[str, Answer]) -> Server:
    """Return the server that sends ``answers``, each at the path of its name."""
    folder.mkdir()
    for name, answer in answers.items():
        known = {"status": f"{answer.status} {answer.reason}", "headers": list(answer.headers)}
        (folder / f"{name}.json").write_text(json.dumps(known), encoding="utf-8")
        (folder / f"{name}.body").write_bytes(answer.body)
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.ceiling", folder, str(port)]
    ready = f"/{next(iter(answers))}"
    return Server("ceiling", command, folder, port=port, ready=ready, environment={"PYTHONPATH": str(ROOT)})


def pypiserver(
    folder: Path, backend: str, files: Iterable[BuiltFile] = (), *, linked: Iterable[Path] = ()
) -> Server:
    """Return a pypiserver over a folder of its own with ``files``, and links to those on the disk."""
    root = folder / "files"
    root.mkdir(parents=True)
    for file in files:
        (root / file.filename).write_bytes(file.content)
    for path in linked:
        (root / path.name).hardlink_to(path)
    port = free_port()
    python = TOOLS / "pypiserver" / "bin" / "python"
    command = [python, HERE / "peer_pypiserver.py", root, str(port), str(THREADS), backend]
    return Server(f"pypiserver {backend}", command, folder, port=port, ready="/health")


class Devpi:
    """A devpi-server with an index that anybody reads and root writes."""

    path = "/root/bench/"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        data = folder / "data"
        programs = TOOLS / "devpi" / "bin"
        output_of(programs / "devpi-init", "--serverdir", data, "--no-root-pypi", folder=folder)
        port = free_port()
        command = [programs / "devpi-server", "--serverdir", data, "--host", "127.0.0.1", "--port", str(port)]
        command += ["--threads", str(THREADS), "--offline-mode"]
        environment = {"PYTHONWARNINGS": "ignore"}
        self.server = Server(
            "devpi-server", command, folder, port=port, ready="/+api", environment=environment
        )
        self.credentials: Mapping[str, str] = {}

    def make_index(self) -> None:
        """Sign in and make the index; the server runs."""
        token = self._json("POST", "/+login", {"user": "root", "password": ""})["password"]
        self.credentials = {"X-Devpi-Auth": b64encode(f"root:{token}".encode()).decode()}
        self._json("PUT", self.path.rstrip("/"), {"type": "stage", "bases": [], "volatile": True})

    def link(self, filename: str, project: str) -> str:
        """Return the path of a file."""
        page = self._json("GET", f"{self.path}+simple/{project}/", None)
        for file in page["files"]:
            if file["filename"] == filename:
                relative = str(file["url"]).partition("#")[0].replace("../", "")
                return self.path + relative
        raise BenchmarkError(f"devpi-server does not list {filename}")

    def _json(self, method: str, path: str, body: Any) -> Any:
        headers = {
            "Accept": "application/json" if body else "application/vnd.pypi.simple.v1+json",
            "Content-Type": "application/json",
            **self.credentials,
        }
        with closing(self.server.connect()) as connection:
            connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
            response = connection.getresponse()
            text = response.read()
        if response.status not in {200, 201}:
            raise BenchmarkError(f"devpi-server: {path} answers {response.status}: {text[:300]!r}")
        known = json.loads(text)
        return known.get("result", known)


def nginx(folder: Path, root: Path) -> Server:
    """Return an nginx that serves the files below ``root``."""
    folder.mkdir()
    (folder / "tmp").mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port, root=root), encoding="utf-8")
    return Server("nginx", ["nginx", "-p", folder, "-c", configuration, "-e", "stderr"], folder, port=port)
