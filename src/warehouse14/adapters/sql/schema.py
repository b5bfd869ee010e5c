"""The schema's revision: checked at every start, upgraded by ``warehouse14 init``.

Alembic is imported by the upgrade alone; a server that starts only compares
the revision in the database with those that lie beside this module.
"""

from collections.abc import Iterator
from importlib.resources import files as resources

from sqlalchemy import Connection, column, func, inspect, select, table

from warehouse14.adapters.sql.tables import HOLDS, NEWEST_ENTRY, holds, metadata, serials
from warehouse14.domain.errors import Misconfigured

_VERSION_TABLE = table("alembic_version", column("version_num"))


def known_revisions() -> list[str]:
    """Return the revisions of this program, the oldest first. Their files begin with them."""
    folder = resources("warehouse14.adapters.sql.migrations") / "versions"
    return sorted(entry.name[:4] for entry in folder.iterdir() if entry.name[:4].isdigit())


def verify_schema(connection: Connection) -> None:
    """Raise ``Misconfigured`` unless the database has this program's schema, and all of it."""
    _verify(_revision(connection))
    lacking = _lacking(connection)
    if lacking:
        raise Misconfigured(f"the database lacks {', '.join(lacking)}; restore it from a backup")


def prepare_schema(connection: Connection) -> None:
    """Upgrade the database to this program's schema; the caller commits."""
    from alembic import command
    from alembic.config import Config

    found = _revision(connection)
    if found is not None and found not in known_revisions():
        _verify(found)
    config = Config()
    config.set_main_option("script_location", str(resources("warehouse14.adapters.sql.migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Return the revision that the database says it has, or None for one without tables."""
    tables = set(inspect(connection).get_table_names())
    found: list[str] = []
    if _VERSION_TABLE.name in tables:
        found = sorted(connection.execute(select(_VERSION_TABLE.c.version_num)).scalars())
    if len(found) > 1:
        raise Misconfigured(
            f"the database has more than one schema, {', '.join(found)}; restore it from a backup"
        )
    ours = tables & metadata.tables.keys()
    if not found and ours and _was_used(connection, tables):
        raise Misconfigured(_nameless(connection))
    # An upgrade makes that table before any other, so that one that was cut off has left it.
    if ours and _VERSION_TABLE.name not in tables:
        raise Misconfigured(
            f"the database has tables of another program: {', '.join(sorted(ours))}; "
            "give Warehouse14 a database of its own"
        )
    return found[0] if found else None


def _was_used(connection: Connection, tables: set[str]) -> bool:
    """Whether anything was ever committed: the first upgrade may have been cut off, and is run again then."""
    return serials.name in tables and bool(connection.execute(select(func.max(serials.c.value))).scalar())


def _nameless(connection: Connection) -> str:
    """Say what can be done with tables whose revision is lost."""
    newest = known_revisions()[-1]
    mended = "" if _lacking(connection) else f", or put its row {newest!r} back, which the tables fit"
    return (
        f"the database has tables, but alembic_version does not say of which schema: restore a backup{mended}"
    )


def _lacking(connection: Connection) -> list[str]:
    """Return what this program needs and the database does not have."""
    columns = inspect(connection).get_multi_columns()
    found = {name: {str(column["name"]) for column in columns[schema, name]} for schema, name in columns}
    lacking = [f"the table {name}" for name in sorted(metadata.tables.keys() - found.keys())]
    lacking += [
        f"the column {column}"
        for name in sorted(metadata.tables.keys() & found.keys())
        for column in metadata.tables[name].columns
        if column.name not in found[name]
    ]
    return lacking or list(_lacking_rows(connection))


def _lacking_rows(connection: Connection) -> Iterator[str]:
    """Yield what is missing of the rows that are there from the beginning, and for ever."""
    if connection.execute(select(serials).where(serials.c.id == NEWEST_ENTRY)).first() is None:
        yield f"the row of the table {serials.name}"
    if connection.execute(select(func.count()).select_from(holds)).scalar_one() != HOLDS:
        yield f"rows of the table {holds.name}"


def _verify(found: str | None) -> None:
    known = known_revisions()
    if found == known[-1]:
        return
    if found is None:
        raise Misconfigured(
            "the database has no tables; 'warehouse14 init' makes them, 'restore' and 'rebuild' those of a"
            " lost one"
        )
    if found in known:
        raise Misconfigured(
            f"the database has schema {found}, this program needs {known[-1]}; 'warehouse14 init' upgrades it"
        )
    raise Misconfigured(
        f"the database has schema {found}, newer than this program's {known[-1]}; install the newer "
        "Warehouse14, whose 'warehouse14 init' made it"
    )
