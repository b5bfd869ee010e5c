"""Groups of the site's own, and the group that a change was made to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("deleted_at", sa.DateTime),
    )
    op.create_table(
        "group_members",
        sa.Column("group", sa.String(100), sa.ForeignKey("groups.name"), primary_key=True),
        sa.Column("account", sa.String(200), sa.ForeignKey("accounts.name"), primary_key=True),
        sa.Column("admin", sa.Boolean, nullable=False),
    )
    op.create_index("group_members_by_account", "group_members", ["account", "group"])
    op.add_column("journal", sa.Column("group", sa.String(100)))
