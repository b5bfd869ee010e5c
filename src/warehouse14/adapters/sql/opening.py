"""From settings to units of work on the engine that an address names."""

from collections.abc import Callable

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from warehouse14.adapters.sql.servers.engine import Limits, Server
from warehouse14.adapters.sql.servers.mariadb import MariaDB
from warehouse14.adapters.sql.servers.postgresql import PostgreSQL
from warehouse14.adapters.sql.servers.units import ServerUnits
from warehouse14.adapters.sql.sqlite.engine import sqlite_engine, sqlite_path
from warehouse14.adapters.sql.sqlite.units import SqliteUnits
from warehouse14.domain.ports import Units
from warehouse14.settings import Section, SettingError

_KEY = "warehouse14.metadata.url"
_MOST_SECONDS = 3600
_MOST_CONNECTIONS = 1000


def units(section: Section) -> Units:
    """Return the units of the database that ``url`` names.

    Keys: ``url``: ``sqlite:///PATH``, ``postgresql+psycopg://USER@HOST/DATABASE`` or
    ``mysql+pymysql://USER@HOST/DATABASE``. With SQLite: ``busy_seconds``, how long a writer waits for
    another (10). With a server: ``password_file``, where the password lies if the address has none;
    ``pool_size``, how many connections a process has at most (20); and in seconds ``pool_seconds``, how
    long a request waits for one of them (10), ``connect_seconds``, for a new one (5), ``lock_seconds``,
    for a lock (10), and ``statement_seconds``, for an answer (30).

    Raises ``SettingError``.
    """
    url = _parsed(section.text("url"))
    opener = _OPENERS.get(url.drivername)
    if opener is None:
        raise SettingError(f"{_KEY}: {url.drivername} is not supported, use {', '.join(_FORMS)}")
    return opener(section, url)


def _sqlite(section: Section, url: URL) -> Units:
    path = sqlite_path(url)
    busy_seconds = section.number("busy_seconds", 10, most=_MOST_SECONDS)
    return SqliteUnits(path, sqlite_engine(path, busy_seconds=busy_seconds), busy_seconds=busy_seconds)


def _on(server: Server) -> Callable[[Section, URL], Units]:
    """Return what opens units on a server."""

    def open_units(section: Section, url: URL) -> Units:
        def seconds(key: str, default: int) -> int:
            return section.number(key, default, least=1, most=_MOST_SECONDS)

        limits = Limits(
            connections=section.number("pool_size", 20, least=1, most=_MOST_CONNECTIONS),
            pool_seconds=seconds("pool_seconds", 10),
            connect_seconds=seconds("connect_seconds", 5),
            lock_seconds=seconds("lock_seconds", 10),
            statement_seconds=seconds("statement_seconds", 30),
        )
        if not url.database:
            raise SettingError(f"{_KEY} names no database: write it after the host, as in {server.form}")
        return ServerUnits(server, _with_password(section, url), limits)

    return open_units


def _with_password(section: Section, url: URL) -> URL:
    if not section.has("password_file"):
        return url
    path = section.path("password_file")
    try:
        with open(path, encoding="utf-8") as file:
            return url.set(password=file.read().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"warehouse14.metadata.password_file: {path} cannot be read: {error}") from error


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # What is wrong with it may be its password.
        raise SettingError(f"{_KEY} is not a database address such as sqlite:///PATH") from None
    if "@" in (url.host or ""):
        # What is taken for the host begins with the rest of the password.
        raise SettingError(f"{_KEY}: write @ in a password as %40, in an ini file as %%40")
    if url.drivername == "sqlite" and "?" in text:
        # What follows would be no part of the path.
        raise SettingError(f"{_KEY}: write ? in a path as %3F, in an ini file as %%3F")
    return url


_POSTGRESQL = PostgreSQL()
_MARIADB = MariaDB()
_FORMS = ("sqlite:///PATH", _POSTGRESQL.form, _MARIADB.form)
_OPENERS: dict[str, Callable[[Section, URL], Units]] = {
    "sqlite": _sqlite,
    "postgresql+psycopg": _on(_POSTGRESQL),
    "mysql+pymysql": _on(_MARIADB),
}
