"""The schema's revision: checked at every start, upgraded by ``warehouse14 init``.

Alembic is imported by the upgrade alone; a server that starts only compares
the revision in the database with those that lie beside this module.
"""

from importlib.resources import files as resources

from sqlalchemy import Connection, Engine, column, inspect, select, table

from warehouse14.domain.errors import Misconfigured

_VERSION_TABLE = table("alembic_version", column("version_num"))


def known_revisions() -> list[str]:
    """Return the revisions of this program, the oldest first. Their files begin with them."""
    folder = resources("warehouse14.adapters.sql.migrations") / "versions"
    return sorted(entry.name[:4] for entry in folder.iterdir() if entry.name[:4].isdigit())


def verify_schema(engine: Engine) -> None:
    """Raise ``Misconfigured`` unless the database has this program's schema."""
    with engine.connect() as connection:
        _verify(_revision(connection))


def prepare_schema(engine: Engine) -> None:
    """Upgrade the database to this program's schema, in one transaction."""
    from alembic import command
    from alembic.config import Config

    with engine.begin() as connection:
        found = _revision(connection)
        if found is not None and found not in known_revisions():
            _verify(found)
        config = Config()
        config.set_main_option("script_location", str(resources("warehouse14.adapters.sql.migrations")))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE.name):
        return None
    return connection.execute(select(_VERSION_TABLE.c.version_num)).scalar_one_or_none()


def _verify(found: str | None) -> None:
    known = known_revisions()
    if found == known[-1]:
        return
    if found is None:
        raise Misconfigured("the database has no tables; 'warehouse14 init' makes them")
    if found in known:
        raise Misconfigured(
            f"the database has schema {found}, this program needs {known[-1]}; 'warehouse14 init' upgrades it"
        )
    raise Misconfigured(
        f"the database has schema {found}, newer than this program's {known[-1]}; install the newer "
        "Warehouse14, whose 'warehouse14 init' made it"
    )
