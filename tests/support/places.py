"""Databases with the tables of an index, on real servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import create_engine, delete, update

from support.databases import DatabaseServer
from warehouse14.adapters import sql
from warehouse14.adapters.sql.servers.units import ServerUnits
from warehouse14.adapters.sql.tables import holds, metadata, serials
from warehouse14.settings import Section


def open_units(url: str, **more: str) -> ServerUnits:
    """Return units that wait longer for each other than a crowd needs."""
    keys = {"url": url, "lock_seconds": "30", "pool_seconds": "30", "connect_seconds": "2"} | more
    units = sql.units(Section("warehouse14.metadata.", keys))
    assert isinstance(units, ServerUnits)
    return units


def empty(url: str) -> None:
    """Leave a database as it was when its tables were made."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table not in {holds, serials}:
                connection.execute(delete(table))
        connection.execute(update(serials).values(value=0))
    engine.dispose()


class Place(NamedTuple):
    """A database, and the server that it is on."""

    server: DatabaseServer
    name: str

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url(self.name)

    def through(self, port: int) -> str:
        """Return its address at another port."""
        return self.server.url(self.name, port=port)


@contextmanager
def bare_place(server: DatabaseServer) -> Iterator[Place]:
    """Make a database without tables, and take it away at the end."""
    name = server.fresh()
    try:
        yield Place(server, name)
    finally:
        server.drop(name)


@contextmanager
def prepared_place(server: DatabaseServer) -> Iterator[Place]:
    """Make a database with its tables, and take it away at the end."""
    with bare_place(server) as place:
        units = open_units(place.url)
        units.prepare()
        units.close()
        yield place
