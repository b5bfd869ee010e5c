"""By which token a change was made, and indexes to find entries of the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("journal", sa.Column("by_token", sa.String(32)))
    op.create_index("journal_by_actor", "journal", ["actor", "serial"])
    op.create_index("journal_by_account", "journal", ["account", "serial"])
    op.create_index("journal_by_token", "journal", ["token", "serial"])
    op.create_index("journal_by_token_used", "journal", ["by_token", "serial"])
    op.create_index("journal_by_action", "journal", ["action", "serial"])
    op.create_index("journal_by_time", "journal", ["at", "serial"])
