"""From ``--ini FILE[#SECTION]`` to a site: its settings, its server's settings, its warehouse."""

import configparser
import os
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import plaster

from warehouse14.bootstrap import Assembly, assemble, verify_site
from warehouse14.cli.arguments import Run, UsageError
from warehouse14.domain.access import Identity, operator
from warehouse14.domain.errors import Misconfigured, WarehouseError
from warehouse14.domain.warehouse import Warehouse
from warehouse14.settings import Site

VARIABLE = "WAREHOUSE14_INI"
#: What the journal keeps as the place that a change came from.
ORIGIN = "command line"

_LOADER = "plaster_pastedeploy+file+ini"
_APPS = ("app", "application", "composite", "composit", "pipeline", "filter-app")


@dataclass(frozen=True, slots=True)
class Server:
    """A ``[server:...]`` section: the runner that ``use`` names, and its settings."""

    use: str
    settings: Mapping[str, str]
    defaults: Mapping[str, str]


class SiteFile:
    """An ini file and the name of one of its applications.

    Everything here raises ``Misconfigured`` for a file that is not there,
    cannot be parsed, or lacks the section.
    """

    def __init__(self, path: str, section: str) -> None:
        self.path = path
        self.section = section
        self._loader = plaster.get_loader(plaster.PlasterURL(_LOADER, path), protocols=["wsgi"])

    @property
    def name(self) -> str:
        """``FILE``, or ``FILE#SECTION`` if it is not the main one."""
        return self.path if self.section == "main" else f"{self.path}#{self.section}"

    def settings(self) -> Mapping[str, str]:
        """Return the settings of ``[app:SECTION]``."""
        return dict(self._read(f"app:{self.section}"))

    def application_section(self, name: str) -> tuple[str, Mapping[str, str]] | None:
        """Return the kind of the application ``name``, such as ``pipeline``, and its settings.

        None if the file has no such application.
        """
        sections = self._sections()
        kind = next((kind for kind in _APPS if f"{kind}:{name}" in sections), None)
        return None if kind is None else (kind, dict(self._read(f"{kind}:{name}")))

    def filter_section(self, name: str) -> Mapping[str, str] | None:
        """Return the settings of ``[filter:NAME]``, or None if there is none."""
        section = f"filter:{name}"
        return dict(self._read(section)) if section in self._sections() else None

    def has_server(self) -> bool:
        """Whether the file says how to serve it."""
        return "server:main" in self._sections()

    def server(self) -> Server:
        """Return the settings of ``[server:main]``."""
        found = self._read("server:main")
        settings = dict(found)
        return Server(settings.pop("use", ""), settings, found.global_conf)

    def set_logging_up(self) -> None:
        """Log as the file says, if it says anything."""
        if "loggers" not in self._sections():
            return
        try:
            self._loader.setup_logging()
        except Exception as error:  # whatever the classes and arguments in it raise
            raise Misconfigured(f"{self.path}: the logging cannot be set up: {error}") from error

    def application(self) -> Any:
        """Return the WSGI application."""
        sections = self._sections()
        if not any(f"{kind}:{self.section}" in sections for kind in _APPS):
            raise self._lacks(f"app:{self.section}")
        with self._reading():
            try:
                return self._loader.get_wsgi_app(self.section)
            except (OSError, configparser.Error, UnicodeDecodeError, WarehouseError):
                raise
            except Exception as error:  # whatever the application that ``use`` names raises
                raise Misconfigured(f"{self.name} cannot be loaded: {error}") from error

    def _read(self, section: str) -> Any:
        if section not in self._sections():
            raise self._lacks(section)
        with self._reading():
            try:
                return self._loader.get_settings(section)
            except KeyError as error:
                raise Misconfigured(f"{self.path}: [{section}] gets {error}, which nothing sets") from error

    def _sections(self) -> list[str]:
        with self._reading():
            return list(self._loader.get_sections())

    def _lacks(self, section: str) -> Misconfigured:
        others = ", ".join(f"[{name}]" for name in self._sections() if name.startswith("app:"))
        hint = f"; it has {others}, which --ini FILE#SECTION chooses" if others else ""
        return Misconfigured(f"{self.path} has no section [{section}]{hint}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror or error}") from error
        except (configparser.Error, UnicodeDecodeError) as error:
            raise Misconfigured(f"{self.path} cannot be read: {error}") from error


def site_file(arguments: Namespace) -> SiteFile:
    """Return the file that ``--ini`` or the environment names. Raises ``UsageError``."""
    given = arguments.ini or os.environ.get(VARIABLE)
    if not given:
        raise UsageError(f"say which site: --ini FILE before the command, or {VARIABLE} in the environment")
    return named_site(given)


def named_site(given: str) -> SiteFile:
    """Return the file and section that ``FILE[#SECTION]`` names."""
    path, section = _split(given)
    return SiteFile(os.path.abspath(path), section)


def on_site(work: Callable[[Warehouse, Namespace], int]) -> Run:
    """Turn ``work`` on an open warehouse into a command: verified before, closed after."""

    @wraps(work)
    def run(arguments: Namespace) -> int:
        with opened_site(arguments) as (warehouse, _, _):
            return work(warehouse, arguments)

    return run


@contextmanager
def opened_site(arguments: Namespace) -> Iterator[Assembly]:
    """Yield what the site's settings make: verified before, closed after."""
    assembly = assemble(site_file(arguments).settings())
    with closing(assembly.warehouse), staging_in(assembly.site):
        verify_site(assembly.site)
        assembly.warehouse.verify()
        yield assembly


@contextmanager
def staging_in(site: Site) -> Iterator[None]:
    """Let files wait where those of the site's server do, which has room for them."""
    before = tempfile.tempdir
    tempfile.tempdir = site.temporary or before
    try:
        yield
    finally:
        tempfile.tempdir = before


def actor() -> Identity:
    """Return who acts at the command line: the operator, to whom everything is allowed."""
    return operator(ORIGIN)


def _split(given: str) -> tuple[str, str]:
    """Part ``FILE#SECTION``; a ``#`` may be a part of the file's name."""
    path, separator, section = given.rpartition("#")
    if os.path.exists(given) or not separator:
        return given, "main"
    return path, section or "main"
