"""Run by Alembic, on the connection that ``prepare_schema`` hands over."""

from alembic import context

from warehouse14.adapters.sql.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    # MariaDB commits each change of a table by itself.
    transactional_ddl=connection.dialect.name != "mysql",
)
context.run_migrations()
