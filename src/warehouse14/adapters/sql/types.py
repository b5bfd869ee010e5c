"""The types of columns: the same values come back from every engine."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

#: The order of bytes, which is that of SQLite and of Python; a database may have been made with any other.
_BYTEWISE = "C"
#: MariaDB keeps whole seconds unless told otherwise.
_MICROSECONDS = 6


def words(length: int) -> TypeEngine[str]:
    """Return the type of text of at most ``length`` characters."""
    return String(length).with_variant(String(length, collation=_BYTEWISE), "postgresql")


def long_text() -> TypeEngine[str]:
    """Return the type of text of any length."""
    return _LongText()


def instant() -> TypeEngine[datetime]:
    """Return the type of datetimes without a zone, with microseconds."""
    return _Instant()


class _LongText(TypeDecorator[str]):
    """Text that is not bounded: that of MariaDB's TEXT is 64 kB."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            # Its dialect is imported by those alone who have such a server.
            from sqlalchemy.dialects.mysql import LONGTEXT

            return dialect.type_descriptor(LONGTEXT())
        return dialect.type_descriptor(Text(collation=_BYTEWISE if dialect.name == "postgresql" else None))


class _Instant(TypeDecorator[datetime]):
    """Datetimes to the microsecond."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mysql":
            from sqlalchemy.dialects.mysql import DATETIME

            return dialect.type_descriptor(DATETIME(fsp=_MICROSECONDS))
        return dialect.type_descriptor(DateTime())


class UtcDateTime(_Instant):
    """Aware datetimes in UTC, kept without their zone."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return UTC, aware."""
        return None if value is None else value.replace(tzinfo=UTC)
