"""People at identity providers, what these say of them, and what sessions began with and look into."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("account", sa.String(200), sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_index("logins_by_account", "logins", ["account"])
    for table, column in (
        ("accounts", sa.Column("vouched_at", sa.DateTime)),
        ("accounts", sa.Column("email", sa.String(200))),
        ("accounts", sa.Column("provider_groups", sa.JSON)),
        ("accounts", sa.Column("kept_out", sa.JSON)),
        ("sessions", sa.Column("provider", sa.String(64))),
        ("sessions", sa.Column("issuer", sa.String(255))),
        ("sessions", sa.Column("subject", sa.String(255))),
        ("sessions", sa.Column("sid", sa.String(255))),
        ("sessions", sa.Column("id_token", sa.Text)),
        ("sessions", sa.Column("looks", sa.JSON)),
    ):
        op.add_column(table, column)
    op.create_index("sessions_by_subject", "sessions", ["subject"])
    op.create_index("sessions_by_sid", "sessions", ["sid"])
