"""What revisions are made of. Each step does nothing if it was done.

MariaDB commits every change of a table by itself, so that a revision that was
killed leaves its first steps behind, and is run again from its beginning.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

_TABLE_OPTIONS: Any = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def create_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """Create a table."""
    if not _inspector().has_table(name):
        op.create_table(name, *columns, **_TABLE_OPTIONS)


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add columns to a table."""
    found = {column["name"] for column in _inspector().get_columns(table)}
    for column in columns:
        # SQLite adds a column that has a default without making the table anew.
        if column.name not in found:
            op.add_column(table, column)


def create_index(name: str, table: str, columns: Sequence[str | sa.TextClause]) -> None:
    """Create an index."""
    if name not in {index["name"] for index in _inspector().get_indexes(table)}:
        op.create_index(name, table, list(columns))


def drop_index(name: str, table: str) -> None:
    """Drop an index."""
    if name in {index["name"] for index in _inspector().get_indexes(table)}:
        op.drop_index(name, table)


def fill_table(table: sa.TableClause, rows: list[dict[str, Any]]) -> None:
    """Give a table the rows that it always has."""
    connection = op.get_bind()
    if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0:
        connection.execute(sa.insert(table), rows)


def _inspector() -> sa.Inspector:
    # A new one each time: an inspector remembers what it has seen.
    return sa.inspect(op.get_bind())
