"""Units of work and the transaction managers of the ``transaction`` package, through zope.sqlalchemy."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import zope.sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session
from transaction import TransactionManager

from warehouse14.adapters.sql.running import translated
from warehouse14.adapters.sql.units import SqlUnit
from warehouse14.domain.ports import UnitOfWork


@contextmanager
def managed(engine: Engine) -> Iterator[Connection]:
    """Return a connection whose transaction a manager of its own commits, or aborts, at the end."""
    manager = TransactionManager(explicit=True)
    with manager:
        session = Session(engine)
        zope.sqlalchemy.register(
            session, initial_state=zope.sqlalchemy.datamanager.STATUS_CHANGED, transaction_manager=manager
        )
        yield session.connection()


class JoinedUnits:
    """Implements ``Units`` within a transaction that the host application owns.

    A unit that ends well has only added to ``manager``'s transaction, which
    the host commits or aborts.
    """

    def __init__(self, session: Session, manager: TransactionManager) -> None:
        self._session = session
        zope.sqlalchemy.register(session, transaction_manager=manager)
        self._manager = manager

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with translated():
            yield SqlUnit(self._session.connection())

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with translated():
            yield SqlUnit(self._session.connection())
            zope.sqlalchemy.mark_changed(self._session, transaction_manager=self._manager)

    def pulse(self) -> Hashable:
        """See the port."""
        with self.read() as unit:
            return unit.journal.serial()
