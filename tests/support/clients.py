"""pip, uv, twine, poetry and pdm as people run them, but with nothing of this machine's configuration."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.sites import REPOSITORY

_BIN = REPOSITORY / ".tools/clients/bin"
#: poetry and pdm, which are large: tests that need them are marked "registry".
_MORE_BIN = REPOSITORY / ".tools/clients-more/bin"


@dataclass(frozen=True)
class Ended:
    """How a client ended, and all that it said."""

    status: int
    said: str

    def well(self) -> str:
        """Return what it said; it must have succeeded."""
        assert self.status == 0, f"it ended with {self.status}:\n{self.said}"
        return self.said

    def badly(self) -> str:
        """Return what it said, on one line; it must have failed."""
        assert self.status != 0, f"it succeeded:\n{self.said}"
        return " ".join(self.said.split())


class Clients:
    """The clients, with a home, caches and temporary files of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        (folder / "tmp").mkdir(exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Return a clean environment."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "TMPDIR": str(self.folder / "tmp"),
            "LANG": "C.UTF-8",
            "COLUMNS": "500",
            "NO_COLOR": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_CACHE_DIR": str(self.folder / "pip-cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_KEYRING_PROVIDER": "disabled",
            "PDM_CHECK_UPDATE": "0",
            "POETRY_VIRTUALENVS_IN_PROJECT": "1",
            "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    def run(self, client: str, *words: str | Path, cwd: Path | None = None, **variables: str) -> Ended:
        """Run a client; ``variables`` come on top of its environment."""
        return self._run([program(client), *words], cwd, variables)

    def shell(self, *lines: str, cwd: Path | None = None, **variables: str) -> Ended:
        """Paste lines into a shell that finds all clients, and that ends at the first line that fails."""
        path = f"{_BIN}:{_MORE_BIN}:{os.defpath}"
        return self._run(["/bin/sh", "-e", "-c", "\n".join(lines)], cwd, {"PATH": path} | variables)

    def _run(self, words: Sequence[str | Path], cwd: Path | None, variables: Mapping[str, str]) -> Ended:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
            cwd=cwd or self.folder,
            env=self.environment() | variables,
        )
        return Ended(done.returncode, done.stdout)

    def twine(self, url: str, token: str, *files: Path | str, user: str = "__token__") -> Ended:
        """Publish with twine; ``files`` may have options among them."""
        return self.run(
            "twine", "upload", "--non-interactive", "--disable-progress-bar",
            "--repository-url", f"{url}/legacy/", "-u", user, "-p", token, *files,
        )  # fmt: skip

    def uv_publish(self, url: str, token: str, *files: Path | str) -> Ended:
        """Publish with uv; ``files`` may have options among them."""
        return self.run("uv", "publish", "--publish-url", f"{url}/legacy/", "--token", token, *files)

    def empty_environment(self, name: str) -> "Environment":
        """Make a virtual environment with nothing in it."""
        folder = self.folder / "environments" / name
        self.run("uv", "venv", "--no-project", folder).well()
        return Environment(self, folder)


class Environment:
    """A virtual environment to install into."""

    def __init__(self, clients: Clients, folder: Path) -> None:
        self.clients = clients
        self.folder = folder
        self.python = folder / "bin/python"

    def pip(self, index: str, *words: str | Path, **variables: str) -> Ended:
        """Install with pip from the index at ``index`` alone."""
        return self.clients.run(
            "pip", "--python", self.python, "install", "--index-url", f"{index}/simple/", *words, **variables
        )

    def uv(self, index: str, *words: str | Path, **variables: str) -> Ended:
        """Install with uv from the index at ``index`` alone."""
        return self.clients.run(
            "uv", "pip", "install", "--python", self.python, "--index-url", f"{index}/simple/", *words,
            **variables,
        )  # fmt: skip

    def install(self, installer: str, index: str, *words: str | Path) -> Ended:
        """Install with ``pip`` or ``uv`` from the index at ``index`` alone."""
        return {"pip": self.pip, "uv": self.uv}[installer](index, *words)

    def shell(self, *lines: str, **variables: str) -> Ended:
        """Paste lines into a shell in which this environment is active."""
        active = {"PIP_PYTHON": str(self.python), "UV_PYTHON": str(self.python)}
        return self.clients.shell(*lines, **active, **variables)

    def installed(self) -> dict[str, str]:
        """Return what is installed, by name."""
        listed = self.clients.run("uv", "pip", "freeze", "--python", self.python, "-q").well()
        return dict(line.split("==") for line in listed.split())

    def says(self, code: str) -> str:
        """Return what a line of Python prints there."""
        done = subprocess.run(
            [self.python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()


def program(client: str) -> Path:
    """Return the path of a client. A missing one is an error, never a skip."""
    path = (_MORE_BIN if client in {"poetry", "pdm"} else _BIN) / client
    assert path.exists(), f"{path} is missing: run 'make {path.parent.parent.relative_to(REPOSITORY)}/.made'"
    return path
