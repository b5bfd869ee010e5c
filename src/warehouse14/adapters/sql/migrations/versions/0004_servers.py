"""Rows that units of work hold, tokens by their end, and NULL last where a server puts it first."""

import sqlalchemy as sa
from alembic import op

from warehouse14.adapters.sql.migrations.steps import create_index, create_table, drop_index, fill_table

revision = "0004"
down_revision = "0003"

_HOLDS = 256


def upgrade() -> None:
    create_table("holds", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))
    fill_table(sa.table("holds", sa.column("id")), [{"id": number} for number in range(_HOLDS)])
    create_index("tokens_by_end", "tokens", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        drop_index("projects_by_newest", "projects")
        create_index(
            "projects_by_newest", "projects", [sa.text("latest_at DESC NULLS LAST"), sa.text("name DESC")]
        )
