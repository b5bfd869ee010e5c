"""People: identity providers, groups, tokens with limits, and a journal in which one finds things."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

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
    _add_providers()
    _add_groups()
    _widen_journal()
    _limit_tokens()


def _add_providers() -> None:
    """People at identity providers, what these say of them, and what sessions began with and look into."""
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
        ("accounts", sa.Column("seen", sa.JSON)),
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


def _add_groups() -> None:
    """Groups of the site's own, and the group that a change was made to."""
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


def _widen_journal() -> None:
    """By which token a change was made, and indexes to find entries of the journal."""
    op.add_column("journal", sa.Column("by_token", sa.String(32)))
    op.create_index("journal_by_group", "journal", ["group", "serial"])
    op.create_index("journal_by_actor", "journal", ["actor", "serial"])
    op.create_index("journal_by_account", "journal", ["account", "serial"])
    op.create_index("journal_by_token", "journal", ["token", "serial"])
    op.create_index("journal_by_token_used", "journal", ["by_token", "serial"])
    op.create_index("journal_by_action", "journal", ["action", "serial"])
    op.create_index("journal_by_time", "journal", ["at", "serial"])


def _limit_tokens() -> None:
    """Tokens with scopes, a prefix, address ranges and their last use; when accounts signed in."""
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
