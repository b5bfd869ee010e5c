"""The tables, as SQLAlchemy Core knows them. The migrations make them; a test compares the two."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    false,
)

from warehouse14.adapters.sql.types import UtcDateTime, long_text, words
from warehouse14.domain.lengths import (
    ACTION,
    DIGEST,
    FILENAME,
    GROUP,
    NAME,
    PASSWORD_HASH,
    PRINCIPAL,
    PROVIDER,
    TOKEN,
)

metadata = MetaData()

projects = Table(
    "projects",
    metadata,
    Column("name", words(NAME), primary_key=True),
    Column("display_name", words(NAME), nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", words(NAME), nullable=False),
    Column("serial", BigInteger, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("latest_version", words(FILENAME)),
    Column("latest_summary", long_text()),
    Column("latest_at", UtcDateTime),
    #: What a search looks through, casefolded.
    Column("searched", long_text(), nullable=False, server_default=""),
    Index("projects_by_newest", "latest_at", "name"),
)

grants = Table(
    "grants",
    metadata,
    Column("project", ForeignKey("projects.name"), primary_key=True),
    Column("principal", words(PRINCIPAL), primary_key=True),
    Column("role", words(16), nullable=False),
    Index("grants_by_principal", "principal", "project"),
)

files = Table(
    "files",
    metadata,
    Column("project", ForeignKey("projects.name"), primary_key=True),
    Column("filename", words(FILENAME), primary_key=True),
    Column("version", words(FILENAME), nullable=False),
    Column("filetype", words(16), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", words(DIGEST), nullable=False),
    Column("blake2_256", words(DIGEST), nullable=False),
    Column("requires_python", long_text()),
    Column("summary", long_text(), nullable=False),
    Column("metadata_sha256", words(DIGEST)),
    Column("uploaded_at", UtcDateTime, nullable=False),
    Column("uploaded_by", words(NAME), nullable=False),
    Column("yanked_at", UtcDateTime),
    Column("yanked_by", words(NAME)),
    Column("yank_reason", long_text()),
    Column("deleted_at", UtcDateTime),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", words(NAME), primary_key=True),
    Column("administrator", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("password_hash", words(PASSWORD_HASH)),
    Column("disabled", Boolean, nullable=False),
    Column("password_once", Boolean, nullable=False, server_default=false()),
    Column("vouched_at", UtcDateTime),
    Column("email", words(NAME)),
    #: As JSON: the principals of its groups, the names of providers, and times in ISO 8601 by provider.
    Column("provider_groups", JSON(none_as_null=True)),
    Column("kept_out", JSON(none_as_null=True)),
    Column("seen", JSON(none_as_null=True)),
    Column("signed_in_at", UtcDateTime),
)

groups = Table(
    "groups",
    metadata,
    Column("name", words(GROUP), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", words(NAME), nullable=False),
    Column("deleted_at", UtcDateTime),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group", ForeignKey("groups.name"), primary_key=True),
    Column("account", ForeignKey("accounts.name"), primary_key=True),
    Column("admin", Boolean, nullable=False),
    Index("group_members_by_account", "account", "group"),
)

logins = Table(
    "logins",
    metadata,
    Column("issuer", words(PRINCIPAL), primary_key=True),
    Column("subject", words(PRINCIPAL), primary_key=True),
    Column("provider", words(PROVIDER), nullable=False),
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("logins_by_account", "account"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", words(TOKEN), primary_key=True),
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("name", words(NAME), nullable=False),
    #: Its scopes, with commas between them.
    Column("scope", words(64), nullable=False),
    Column("project", words(NAME)),
    Column("secret_sha256", words(DIGEST), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("prefix", words(NAME)),
    Column("days", Integer),
    #: A list, as JSON.
    Column("addresses", JSON(none_as_null=True)),
    Column("last_used_from", words(NAME), nullable=False, server_default=""),
    Column("last_used_by", words(NAME), nullable=False, server_default=""),
    Index("tokens_by_account", "account", "created_at"),
    Index("tokens_by_end", "expires_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", words(DIGEST), primary_key=True),
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("origin", words(NAME), nullable=False),
    Column("agent", words(NAME), nullable=False),
    Column("provider", words(PROVIDER)),
    Column("issuer", words(PRINCIPAL)),
    Column("subject", words(PRINCIPAL)),
    Column("sid", words(PRINCIPAL)),
    Column("id_token", long_text()),
    #: Until when it looks into which projects and groups, as JSON: times as ISO 8601.
    Column("looks", JSON(none_as_null=True)),
    Index("sessions_by_subject", "subject"),
    Index("sessions_by_sid", "sid"),
    Index("sessions_by_account", "account", "seen_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("key", words(PRINCIPAL), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Index("attempts_by_time", "last_at"),
)

#: Numbers that only rise, by their ids: see below.
serials = Table(
    "serials",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

#: Which row of ``serials`` has the serial of the newest entry. Raising it is what puts commits in order.
NEWEST_ENTRY = 1

#: Which row of ``serials`` has the number of the newest run that puts rows; the first run makes it.
NEWEST_RUN = 2

#: What units of work lock, each by the row of a name's hash.
holds = Table("holds", metadata, Column("id", Integer, primary_key=True, autoincrement=False))

#: How many rows ``holds`` has.
HOLDS = 256

journal = Table(
    "journal",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", words(NAME), nullable=False),
    Column("origin", words(NAME), nullable=False),
    Column("action", words(ACTION), nullable=False),
    Column("project", words(NAME)),
    Column("account", words(NAME)),
    Column("token", words(TOKEN)),
    Column("detail", JSON, nullable=False),
    Column("group", words(GROUP)),
    Column("by_token", words(TOKEN)),
    Index("journal_by_project", "project", "serial"),
    Index("journal_by_group", "group", "serial"),
    Index("journal_by_actor", "actor", "serial"),
    Index("journal_by_account", "account", "serial"),
    Index("journal_by_token", "token", "serial"),
    Index("journal_by_token_used", "by_token", "serial"),
    Index("journal_by_action", "action", "serial"),
    Index("journal_by_time", "at", "serial"),
)
