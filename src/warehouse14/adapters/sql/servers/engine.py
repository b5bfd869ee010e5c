"""What the servers have in common, and in what they differ."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event

from warehouse14.settings import SettingError

#: How long a connection is used before another takes its place, in seconds: firewalls end older ones.
_RECYCLE_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections a process has at most, and how long it waits for what, in seconds."""

    connections: int
    pool_seconds: int
    connect_seconds: int
    lock_seconds: int
    statement_seconds: int


class Server(Protocol):
    """What is a server's own.

    Attributes:
        title: what people call it.
        form: how its addresses look.
        driver: the module that speaks to it.
        extra: the extra of this distribution that brings the driver.
    """

    title: str
    form: str
    driver: str
    extra: str

    def adjust(self, engine: Engine, limits: Limits, *, patient: bool) -> None:
        """Let every new connection keep to ``limits``, or to those for connecting alone if it is to be
        ``patient``: changing tables takes its time."""

    def readers(self, engine: Engine) -> Engine:
        """Return the engine for transactions that see one moment and write nothing."""

    def writers(self, engine: Engine) -> Engine:
        """Return the engine for transactions each of whose statements sees what is committed by then."""

    def alone(self, connection: Connection) -> AbstractContextManager[None]:
        """Let no other change the tables meanwhile."""

    def complaint(self, connection: Connection) -> str | None:
        """Return why the database will not do, or None."""

    def is_passing(self, error: BaseException | None) -> bool:
        """Whether what the driver raises for a connection or an answer may be over soon: the server cannot be
        reached, or has too much to do. Else it has said what is wrong."""

    def quicken(self, connection: Connection) -> None:
        """Make what searches are quicker with, if the server has it; without it they find the same."""


def server_engine(server: Server, url: URL, limits: Limits, *, patient: bool = False) -> Engine:
    """Return an engine whose connections are asked whether they still are before they are used."""
    return _engine(server, url, limits, patient=patient, pool_pre_ping=True)


def probing_engine(server: Server, url: URL, limits: Limits) -> Engine:
    """Return an engine that asks one thing in one round trip, outside any transaction."""
    return _engine(
        server, url, limits, patient=False, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
    )


def _engine(server: Server, url: URL, limits: Limits, *, patient: bool, **options: Any) -> Engine:
    with _needing(server):
        engine = create_engine(
            url,
            pool_size=limits.connections,
            max_overflow=0,
            pool_timeout=limits.pool_seconds,
            pool_recycle=_RECYCLE_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,
            **options,
        )
    server.adjust(engine, limits, patient=patient)
    return engine


@contextmanager
def _needing(server: Server) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingError(
            f"warehouse14.metadata.url: {server.title} needs {server.driver}; "
            f"install that, or Warehouse14 with its extra {server.extra}"
        ) from error


def on_connect(engine: Engine, statement: str, values: tuple[Any, ...]) -> None:
    """Run a statement on every new connection."""

    def run(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
        connection.commit()

    event.listen(engine, "connect", run)


def with_parameters(engine: Engine, **parameters: Any) -> None:
    """Give the driver parameters for every new connection, but those that the address has."""

    def add(_dialect: Any, _record: Any, _arguments: Any, given: dict[str, Any]) -> None:
        for name, value in parameters.items():
            given.setdefault(name, value)

    event.listen(engine, "do_connect", add)
