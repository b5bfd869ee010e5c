"""Tokens with several scopes, a prefix, address ranges and where they were used; when accounts signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"

_TOKENS = sa.table(
    "tokens",
    sa.column("id"),
    sa.column("created_at", sa.DateTime),
    sa.column("expires_at", sa.DateTime),
    sa.column("days"),
)
_ACCOUNTS = sa.table("accounts", sa.column("name"), sa.column("signed_in_at"))
_SESSIONS = sa.table("sessions", sa.column("account"), sa.column("created_at"))


def upgrade() -> None:
    op.add_column("accounts", sa.Column("signed_in_at", sa.DateTime))
    # SQLite cannot widen a column: it makes the table anew.
    with op.batch_alter_table("tokens") as tokens:
        tokens.alter_column(
            "scope", type_=sa.String(64), existing_type=sa.String(16), existing_nullable=False
        )
        for column in (
            sa.Column("prefix", sa.String(200)),
            sa.Column("days", sa.Integer),
            sa.Column("addresses", sa.JSON),
            sa.Column("last_used_from", sa.String(200), nullable=False, server_default=""),
            sa.Column("last_used_by", sa.String(200), nullable=False, server_default=""),
        ):
            tokens.add_column(column)
    _note_days()
    _note_sign_ins()


def _note_days() -> None:
    """Write for how many days each token was made that ends."""
    connection = op.get_bind()
    ending = connection.execute(sa.select(_TOKENS).where(_TOKENS.c.expires_at.is_not(None))).all()
    for token in ending:
        connection.execute(
            sa.update(_TOKENS)
            .where(_TOKENS.c.id == token.id)
            .values(days=max((token.expires_at - token.created_at).days, 1))
        )


def _note_sign_ins() -> None:
    """Write when the newest session of each account began, as far as that is known."""
    newest = (
        sa.select(sa.func.max(_SESSIONS.c.created_at))
        .where(_SESSIONS.c.account == _ACCOUNTS.c.name)
        .scalar_subquery()
    )
    op.get_bind().execute(sa.update(_ACCOUNTS).values(signed_in_at=newest))
