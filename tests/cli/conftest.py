"""A site in a folder of its own, and two ways to run commands on it."""

import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from warehouse14.bootstrap import open_warehouse
from warehouse14.cli import main
from warehouse14.testing.builders import BuiltFile

_ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "warehouse14"


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class CommandLine:
    """Runs commands on the site in ``folder``, as ``--ini`` names it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.ini = folder / "development.ini"
        self.database = folder / "var" / "warehouse14.sqlite"
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "", ini: str | None = None) -> Outcome:
        """Run a command in this process."""
        before, sys.stdin = sys.stdin, io.StringIO(stdin)
        # What a server sets up for its process is not for the commands and tests that follow.
        log = logging.getLogger()
        handlers, level = log.handlers[:], log.level
        temporary = tempfile.tempdir
        try:
            status = main(["--ini", ini or str(self.ini), *arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            sys.stdin = before
            log.handlers[:] = handlers
            log.setLevel(level)
            tempfile.tempdir = temporary
        captured = self._capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    def done(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run a command that must succeed."""
        outcome = self(*arguments, stdin=stdin)
        assert outcome.status == 0, outcome
        return outcome

    def start(self, *arguments: str, shell_words: str = "", **options: Any) -> "subprocess.Popen[str]":
        """Start the installed command, with its streams as a shell would redirect them."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        command: list[Any] = [PROGRAM, "--ini", self.ini, *arguments]
        if shell_words:
            command = ["sh", "-c", f'exec "$@" {shell_words}', "sh", *command]
        # A job in the background of a shell ignores SIGINT, and so would its children.
        heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        return subprocess.Popen(command, text=True, **(pipes | heeding | options))

    def set(self, text: str, other: str) -> None:
        """Change the ini."""
        before = self.ini.read_text()
        assert text in before
        self.ini.write_text(before.replace(text, other))

    def blobs(self) -> list[Path]:
        """Return the stored distribution files."""
        found = (self.folder / "var" / "files" / "blobs").rglob("*")
        return sorted(path for path in found if path.name.endswith((".whl", ".tar.gz")))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WAREHOUSE14_"):
            monkeypatch.delenv(name)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A folder with nothing but a copy of ``development.ini``."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copy(_ROOT / "development.ini", folder)
    return CommandLine(folder, capsys)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the account ada, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    ini = shutil.copy(_ROOT / "development.ini", folder)
    for arguments in (["init", "--no-admin", "--quiet"], ["account", "add", "ada"]):
        subprocess.run([PROGRAM, "--ini", ini, *arguments], check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def site(prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A site with the account ada and nothing else."""
    return CommandLine(Path(shutil.copytree(prepared, tmp_path / "site")), capsys)


@pytest.fixture
def dist(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Writes distribution files into a folder and returns it."""
    folder = tmp_path / "dist"
    folder.mkdir()

    def write(*files: BuiltFile, below: str = ".") -> Path:
        target = folder / below
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            (target / file.filename).write_bytes(file.content)
        return folder

    return write


@pytest.fixture
def warehouse(site: Any) -> Any:
    """The same site, opened beside the command line."""
    var = site.folder / "var"
    opened = open_warehouse(
        {
            "metadata": "sql",
            "metadata.url": f"sqlite:///{var}/warehouse14.sqlite",
            "files": "filesystem",
            "files.root": f"{var}/files",
        }
    )
    yield opened
    opened.close()
