"""Projects, grants, files, accounts, tokens and the journal."""

import sqlalchemy as sa

from warehouse14.adapters.sql.migrations.steps import create_index, create_table, fill_table
from warehouse14.adapters.sql.types import instant, long_text, words

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_table(
        "projects",
        sa.Column("name", words(200), primary_key=True),
        sa.Column("display_name", words(200), nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", words(200), nullable=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", instant()),
    )
    create_table(
        "grants",
        sa.Column("project", words(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("principal", words(255), primary_key=True),
        sa.Column("role", words(16), nullable=False),
    )
    create_index("grants_by_principal", "grants", ["principal", "project"])
    create_table(
        "files",
        sa.Column("project", words(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("filename", words(240), primary_key=True),
        sa.Column("version", words(240), nullable=False),
        sa.Column("filetype", words(16), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", words(64), nullable=False),
        sa.Column("blake2_256", words(64), nullable=False),
        sa.Column("requires_python", long_text()),
        sa.Column("summary", long_text(), nullable=False),
        sa.Column("metadata_sha256", words(64)),
        sa.Column("uploaded_at", instant(), nullable=False),
        sa.Column("uploaded_by", words(200), nullable=False),
        sa.Column("yanked_at", instant()),
        sa.Column("yanked_by", words(200)),
        sa.Column("yank_reason", long_text()),
        sa.Column("deleted_at", instant()),
    )
    create_table(
        "accounts",
        sa.Column("name", words(200), primary_key=True),
        sa.Column("administrator", sa.Boolean, nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("password_hash", words(255)),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    create_table(
        "tokens",
        sa.Column("id", words(32), primary_key=True),
        sa.Column("account", words(200), sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("name", words(200), nullable=False),
        sa.Column("scope", words(16), nullable=False),
        sa.Column("project", words(200)),
        sa.Column("secret_sha256", words(64), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("expires_at", instant()),
        sa.Column("last_used_at", instant()),
        sa.Column("revoked_at", instant()),
    )
    create_index("tokens_by_account", "tokens", ["account", "created_at"])
    create_table(
        "serials",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    fill_table(sa.table("serials", sa.column("id"), sa.column("value")), [{"id": 1, "value": 0}])
    create_table(
        "journal",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("actor", words(200), nullable=False),
        sa.Column("origin", words(200), nullable=False),
        sa.Column("action", words(64), nullable=False),
        sa.Column("project", words(200)),
        sa.Column("account", words(200)),
        sa.Column("token", words(32)),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    create_index("journal_by_project", "journal", ["project", "serial"])
