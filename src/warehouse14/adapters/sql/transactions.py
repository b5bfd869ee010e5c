"""Units of work and the transaction managers of the ``transaction`` package, through zope.sqlalchemy."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import zope.sqlalchemy
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from transaction import TransactionManager

from warehouse14.adapters.sql.running import translated
from warehouse14.adapters.sql.units import SqlUnit
from warehouse14.domain.errors import WarehouseError
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
    the host commits or aborts. One in which the database has failed dooms it:
    what was written before may be lost, and a commit would not say so.
    """

    def __init__(self, session: Session, manager: TransactionManager) -> None:
        self._session = session
        zope.sqlalchemy.register(session, transaction_manager=manager)
        self._manager = manager

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with self._dooming(), translated():
            yield SqlUnit(self._session.connection())

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """See the port."""
        with self._dooming(), translated():
            yield SqlUnit(self._session.connection())
            zope.sqlalchemy.mark_changed(self._session, transaction_manager=self._manager)

    @contextmanager
    def _dooming(self) -> Iterator[None]:
        try:
            yield
        except WarehouseError as error:
            if self._has_broken(error.__cause__):
                self._manager.get().doom()
            raise

    def _has_broken(self, cause: BaseException | None) -> bool:
        """Whether a transaction is over with what an error came of. On PostgreSQL a key that is taken ends
        it, too."""
        is_taken = isinstance(cause, IntegrityError) and self._session.get_bind().dialect.name != "postgresql"
        return isinstance(cause, SQLAlchemyError) and not is_taken

    def pulse(self) -> Hashable:
        """See the port."""
        with self.read() as unit:
            return unit.journal.serial()
