"""Projects, grants, files, accounts, tokens and the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.DateTime),
    )
    op.create_table(
        "grants",
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("principal", sa.String(255), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
    )
    op.create_index("grants_by_principal", "grants", ["principal", "project"])
    op.create_table(
        "files",
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("filename", sa.String(240), primary_key=True),
        sa.Column("version", sa.String(240), nullable=False),
        sa.Column("filetype", sa.String(16), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("blake2_256", sa.String(64), nullable=False),
        sa.Column("requires_python", sa.Text),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("metadata_sha256", sa.String(64)),
        sa.Column("uploaded_at", sa.DateTime, nullable=False),
        sa.Column("uploaded_by", sa.String(200), nullable=False),
        sa.Column("yanked_at", sa.DateTime),
        sa.Column("yanked_by", sa.String(200)),
        sa.Column("yank_reason", sa.Text),
        sa.Column("deleted_at", sa.DateTime),
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account", sa.String(200), sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("project", sa.String(200)),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("last_used_at", sa.DateTime),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.create_index("tokens_by_account", "tokens", ["account", "created_at"])
    serials = op.create_table(
        "serials",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(serials, [{"id": 1, "value": 0}])
    op.create_table(
        "journal",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("project", sa.String(200)),
        sa.Column("account", sa.String(200)),
        sa.Column("token", sa.String(32)),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("journal_by_project", "journal", ["project", "serial"])
