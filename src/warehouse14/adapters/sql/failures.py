"""What an engine's errors mean."""

from sqlalchemy.exc import DBAPIError

from warehouse14.domain.errors import Conflict, Unavailable, WarehouseError

#: PostgreSQL's serialization_failure and deadlock_detected.
_LOST_STATES = frozenset({"40001", "40P01"})
#: MariaDB's ER_LOCK_DEADLOCK and ER_CHECKREAD.
_LOST_CODES = frozenset({1213, 1020})


def failure(error: Exception) -> WarehouseError:
    """Return the domain's error: ``Conflict`` if the engine gave the transaction up for another, which can
    be tried again at once, and else ``Unavailable``."""
    if lost_race(error):
        return Conflict("transaction", "of another")
    return unavailable(error)


def unavailable(error: Exception) -> Unavailable:
    """Return the domain's error for an engine that does not do what it is asked."""
    return Unavailable("The database does not answer. Try again.", detail=said(error))


def lost_race(error: Exception) -> bool:
    """Whether the engine rolled the transaction back because another had the locks."""
    cause = _cause(error)
    code = cause.args[0] if cause.args else None
    return getattr(cause, "sqlstate", None) in _LOST_STATES or code in _LOST_CODES


def said(error: Exception) -> str:
    """Return what the engine says, in one line."""
    return " ".join(str(_cause(error)).split())


def _cause(error: Exception) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error
