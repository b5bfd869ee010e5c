"""Run by Alembic, on the connection that ``prepare_schema`` hands over."""

from alembic import context

from warehouse14.adapters.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
