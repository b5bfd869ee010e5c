"""Sessions, failed sign-ins, passwords to be replaced, and the latest release of each project."""

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op
from packaging.version import Version

from warehouse14.adapters.sql.migrations.steps import add_columns, create_index, create_table
from warehouse14.adapters.sql.types import instant, long_text, words

revision = "0002"
down_revision = "0001"

_PROJECTS = sa.table(
    "projects",
    *(
        sa.column(name)
        for name in ("name", "display_name", "latest_version", "latest_summary", "latest_at", "searched")
    ),
)
_FILES = sa.table(
    "files",
    *(
        sa.column(name)
        for name in ("project", "filename", "version", "summary", "uploaded_at", "yanked_at", "deleted_at")
    ),
)


def upgrade() -> None:
    create_table(
        "sessions",
        sa.Column("id", words(64), primary_key=True),
        sa.Column("account", words(200), sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("seen_at", instant(), nullable=False),
        sa.Column("origin", words(200), nullable=False),
        sa.Column("agent", words(200), nullable=False),
    )
    create_index("sessions_by_account", "sessions", ["account", "seen_at"])
    create_table(
        "attempts",
        sa.Column("key", words(255), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", instant(), nullable=False),
    )
    create_index("attempts_by_time", "attempts", ["last_at"])
    add_columns("accounts", sa.Column("password_once", sa.Boolean, nullable=False, server_default=sa.false()))
    add_columns(
        "projects",
        sa.Column("latest_version", words(240)),
        sa.Column("latest_summary", long_text()),
        sa.Column("latest_at", instant()),
        sa.Column("searched", long_text(), nullable=False, server_default=""),
    )
    create_index("projects_by_newest", "projects", ["latest_at", "name"])
    _find_latest()


def _find_latest() -> None:
    """Write the latest release of each project, as the program would have at each upload."""
    connection = op.get_bind()
    names = dict(connection.execute(sa.select(_PROJECTS.c.name, _PROJECTS.c.display_name)).all())
    files = connection.execute(
        sa.select(_FILES).where(_FILES.c.deleted_at.is_(None)).order_by(_FILES.c.project, _FILES.c.filename)
    ).all()
    latest = {name: _latest(list(group)) for name, group in groupby(files, key=lambda file: file.project)}
    for name, display_name in names.items():
        version, summary, at = latest.get(name, (None, None, None))
        connection.execute(
            sa.update(_PROJECTS)
            .where(_PROJECTS.c.name == name)
            .values(
                latest_version=version,
                latest_summary=summary,
                latest_at=at,
                searched=f"{name} {display_name} {summary or ''}".casefold(),
            )
        )


def _latest(files: list[Any]) -> tuple[str | None, str | None, Any]:
    """Return version, summary and time of the newest release that is not yanked, if there is one."""
    whole = {file.version for file in files if file.yanked_at is None}
    if not whole:
        return None, None, None
    newest = max(whole, key=lambda version: (not Version(version).is_prerelease, Version(version)))
    same = [file for file in files if Version(file.version) == Version(newest)]
    first = min(same, key=lambda file: (file.uploaded_at, file.filename))
    return first.version, first.summary, first.uploaded_at
