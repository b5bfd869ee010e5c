"""People: identity providers, groups, tokens with limits, and a journal in which one finds things."""

import sqlalchemy as sa
from alembic import op

from warehouse14.adapters.sql.migrations.steps import add_columns, create_index, create_table
from warehouse14.adapters.sql.types import instant, long_text, words

revision = "0003"
down_revision = "0002"

_TOKENS = sa.table(
    "tokens",
    sa.column("id"),
    sa.column("created_at", instant()),
    sa.column("expires_at", instant()),
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
    create_table(
        "logins",
        sa.Column("issuer", words(255), primary_key=True),
        sa.Column("subject", words(255), primary_key=True),
        sa.Column("provider", words(64), nullable=False),
        sa.Column("account", words(200), sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
    )
    create_index("logins_by_account", "logins", ["account"])
    add_columns(
        "accounts",
        sa.Column("vouched_at", instant()),
        sa.Column("email", words(200)),
        sa.Column("provider_groups", sa.JSON),
        sa.Column("kept_out", sa.JSON),
        sa.Column("seen", sa.JSON),
    )
    add_columns(
        "sessions",
        sa.Column("provider", words(64)),
        sa.Column("issuer", words(255)),
        sa.Column("subject", words(255)),
        sa.Column("sid", words(255)),
        sa.Column("id_token", long_text()),
        sa.Column("looks", sa.JSON),
    )
    create_index("sessions_by_subject", "sessions", ["subject"])
    create_index("sessions_by_sid", "sessions", ["sid"])


def _add_groups() -> None:
    """Groups of the site's own, and the group that a change was made to."""
    create_table(
        "groups",
        sa.Column("name", words(100), primary_key=True),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("created_by", words(200), nullable=False),
        sa.Column("deleted_at", instant()),
    )
    create_table(
        "group_members",
        sa.Column("group", words(100), sa.ForeignKey("groups.name"), primary_key=True),
        sa.Column("account", words(200), sa.ForeignKey("accounts.name"), primary_key=True),
        sa.Column("admin", sa.Boolean, nullable=False),
    )
    create_index("group_members_by_account", "group_members", ["account", "group"])
    add_columns("journal", sa.Column("group", words(100)))


def _widen_journal() -> None:
    """By which token a change was made, and indexes to find entries of the journal."""
    add_columns("journal", sa.Column("by_token", words(32)))
    create_index("journal_by_group", "journal", ["group", "serial"])
    create_index("journal_by_actor", "journal", ["actor", "serial"])
    create_index("journal_by_account", "journal", ["account", "serial"])
    create_index("journal_by_token", "journal", ["token", "serial"])
    create_index("journal_by_token_used", "journal", ["by_token", "serial"])
    create_index("journal_by_action", "journal", ["action", "serial"])
    create_index("journal_by_time", "journal", ["at", "serial"])


def _limit_tokens() -> None:
    """Tokens with scopes, a prefix, address ranges and their last use; when accounts signed in."""
    add_columns("accounts", sa.Column("signed_in_at", instant()))
    # SQLite cannot widen a column: it makes the table anew.
    with op.batch_alter_table("tokens") as tokens:
        tokens.alter_column("scope", type_=words(64), existing_type=words(16), existing_nullable=False)
    add_columns(
        "tokens",
        sa.Column("prefix", words(200)),
        sa.Column("days", sa.Integer),
        sa.Column("addresses", sa.JSON),
        sa.Column("last_used_from", words(200), nullable=False, server_default=""),
        sa.Column("last_used_by", words(200), nullable=False, server_default=""),
    )
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
