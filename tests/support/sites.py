"""A site of its own: a copy of development.ini in an empty folder, driven by the real command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from support import forks
from warehouse14.bootstrap import assemble
from warehouse14.cli.site import SiteFile
from warehouse14.domain.model import Scope
from warehouse14.domain.warehouse import Warehouse

REPOSITORY = Path(__file__).parents[2]
TESTS = REPOSITORY / "tests"
COMMAND = Path(sys.executable).parent / "warehouse14"
APP = "app:main"
SERVER = "server:main"

#: The accounts of a prepared site, and what the token of each may do.
ACCOUNTS = {"ada": "upload", "ben": "read", "cleo": "upload"}
#: No command takes longer.
_RUN_SECONDS = 120
PASSWORD = "correct horse battery staple"


def environment(**more: str) -> dict[str, str]:
    """Return the environment for our own processes: nothing in it sets Python or this index up."""
    mine = {
        name: value for name, value in os.environ.items() if not name.startswith(("WAREHOUSE14_", "PYTHON"))
    }
    return mine | {"PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1", **more}


@dataclass(frozen=True)
class Backends:
    """Where a site keeps what it knows, and its files: settings in the place of those of development.ini,
    and the variables that a process needs to get there."""

    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


class Site:
    """A folder with an ini file and, after ``init``, a ``var``.

    Attributes:
        forked: whether its commands and servers are forked, and not started: see :mod:`support.forks`.
    """

    def __init__(
        self, folder: Path, variables: Mapping[str, str] | None = None, *, forked: bool = False
    ) -> None:
        self.folder = folder
        self.variables = dict(variables or {})
        self.forked = forked
        self.ini = folder / "development.ini"
        self.tokens: dict[str, str] = {}

    @classmethod
    def in_folder(cls, folder: Path, backends: Backends | None = None, *, forked: bool = False) -> "Site":
        """Return a site that was never prepared."""
        backends = backends or Backends()
        folder.mkdir(parents=True, exist_ok=True)
        site = cls(folder, backends.variables, forked=forked)
        shutil.copy(REPOSITORY / "development.ini", site.ini)
        site.keep_in(backends)
        return site

    def keep_in(self, backends: Backends) -> None:
        """Change where it keeps everything."""
        for port in ("metadata", "files"):
            if f"warehouse14.{port}" in backends.settings:
                self._forget(f"warehouse14.{port}")
        self.configure(APP, **backends.settings)

    def prepare(self) -> "Site":
        """Make its stores, and the accounts ada, ben and cleo with a token each."""
        self.command("init", "--no-admin")
        with self.library() as warehouse:
            for name, scope in ACCOUNTS.items():
                warehouse.accounts.add(warehouse.operator(), name, password=PASSWORD)
                self.tokens[name] = _minted(warehouse, name, scope)
        return self

    def copy_to(self, folder: Path) -> "Site":
        """Return another site with the same accounts and tokens."""
        shutil.copytree(self.folder, folder)
        copy = Site(folder, self.variables, forked=self.forked)
        copy.tokens = dict(self.tokens)
        return copy

    def configure(self, section: str, **settings: object) -> None:
        """Change settings of the ini; two underscores stand for a dot."""
        parser = self._read()
        if not parser.has_section(section):
            parser.add_section(section)
        for key, value in settings.items():
            parser.set(section, key.replace("__", "."), str(value))
        self._write(parser)

    def _forget(self, key: str) -> None:
        """Remove a setting, and those below it."""
        parser = self._read()
        for found in parser.options(APP):
            if found == key or found.startswith(f"{key}."):
                parser.remove_option(APP, found)
        self._write(parser)

    def _read(self) -> RawConfigParser:
        parser = RawConfigParser()
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(self.ini, encoding="utf-8")
        return parser

    def _write(self, parser: RawConfigParser) -> None:
        with self.ini.open("w", encoding="utf-8") as file:
            parser.write(file)

    def run(self, *words: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the command line on this site, however it ends."""
        arguments = ["--ini", self.ini, *words]
        variables = environment(**self.variables)
        if self.forked and not typed:
            return forks.run(arguments, self.folder, variables, timeout=_RUN_SECONDS)
        return subprocess.run(
            [COMMAND, *arguments],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=_RUN_SECONDS,
            cwd=self.folder,
            env=variables,
        )

    def command(self, *words: str, typed: str = "") -> str:
        """Run the command line on this site and return what it prints; it must succeed."""
        done = self.run(*words, typed=typed)
        assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def mint(self, account: str, scope: str = "upload", project: str | None = None) -> str:
        """Return the text of a new token, through the library, which is faster than the command."""
        with self.library() as warehouse:
            return _minted(warehouse, account, scope, project)

    def library(self) -> AbstractContextManager[Warehouse]:
        """Return the same site through the embedded library."""
        with patch.dict(os.environ, self.variables):
            warehouse = assemble(SiteFile(str(self.ini), "main").settings(), {}).warehouse
        return closing(warehouse)

    def damage(self, *, digests: bool = True) -> list[str]:
        """Return what ``warehouse14 check --digests``, or without it, calls damage."""
        with self.library() as warehouse:
            reports = [report for report in warehouse.upkeep.check(digests=digests) if report is not None]
        return [f"{report.key}: {report.finding}" for report in reports if report.finding.is_damage]

    def blobs(self) -> set[str]:
        """Return the keys of all blobs."""
        with self.library() as warehouse:
            return {blob.key for blob in warehouse.store.keys()}

    def waiting(self) -> list[Path]:
        """Return what lies where uploads wait: request bodies, and what is staged in a folder."""
        places = (self.folder / "var/tmp", self.folder / "var/files/staging")
        return [found for place in places if place.is_dir() for found in place.iterdir()]


def token_id(token: str) -> str:
    """Return the public id in a token's text."""
    return token.removeprefix("wh14_")[:10]


def _minted(warehouse: Warehouse, account: str, scope: str, project: str | None = None) -> str:
    return warehouse.tokens.mint(
        warehouse.operator(), name="a test", account=account, scopes={Scope(scope)}, project=project
    ).text
