"""Many projects and files, written into PostgreSQL directly: to publish a million files would take hours."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from benchmarks.processes import BenchmarkError
from benchmarks.sites import PUBLISHER, Site
from support.databases import DatabaseServer
from warehouse14.domain.model import Action, Change, FileType, Latest, Order, Role, searched_text
from warehouse14.domain.names import ProjectName, account_name, account_principal

#: Files of each project, a release for each.
FILES = 10
_SUMMARY = "Reads the number {} from the data lake"

_PROJECTS = """
INSERT INTO projects (name, display_name, public, created_at, created_by, serial,
                      latest_version, latest_summary, latest_at, searched)
SELECT name, name, false, %(at)s, %(who)s, 1, '1.9', summary, %(at)s,
       name || ' ' || name || ' ' || lower(summary)
FROM (SELECT 'bulk-' || lpad(number::text, 6, '0') AS name,
             replace(%(summary)s, '{}', number::text) AS summary
      FROM generate_series(0, %(count)s - 1) AS number) AS made
"""
_GRANTS = "INSERT INTO grants (project, principal, role) SELECT name, %(principal)s, %(role)s FROM projects"
_FILES = """
INSERT INTO files (project, filename, version, filetype, size, sha256, blake2_256, requires_python, summary,
                   metadata_sha256, uploaded_at, uploaded_by)
SELECT project, filename, version, %(kind)s, 10000, digest, digest, '>=3.8', '', digest, %(at)s, %(who)s
FROM (SELECT project, filename, version, encode(sha256(filename::bytea), 'hex') AS digest
      FROM (SELECT name AS project, '1.' || number AS version,
                   replace(name, '-', '_') || '-1.' || number || '-py3-none-any.whl' AS filename
            FROM projects, generate_series(0, %(files)s - 1) AS number) AS named) AS made
"""


def name_of(number: int) -> str:
    """Return the name of a project."""
    return f"bulk-{number:06}"


def fill(site: Site, server: DatabaseServer, database: str, projects: int) -> None:
    """Give an empty site so many projects of ada's, with ``FILES`` files each whose bytes are nowhere."""
    values: dict[str, Any] = {
        "at": datetime.now(UTC).replace(tzinfo=None),
        "who": PUBLISHER,
        "summary": _SUMMARY,
        "count": projects,
        "files": FILES,
        "kind": FileType.WHEEL.value,
        "principal": account_principal(account_name(PUBLISHER)),
        "role": Role.ADMIN.value,
    }
    with server.connected(database) as cursor:
        for statement in (_PROJECTS, _GRANTS, _FILES):
            cursor.execute(statement, values)
        cursor.execute("VACUUM (ANALYZE)")
    _examine(site, projects)


def _examine(site: Site, projects: int) -> None:
    """Note one project in the journal, and see that it is as the index makes them."""
    name = ProjectName(name_of(projects - 1))
    with closing(site.warehouse()) as warehouse:
        with warehouse.units.write() as unit:
            now = datetime.now(UTC)
            unit.journal.append(Change(Action.PROJECT_CREATE, now, PUBLISHER, "", project=name))
        with warehouse.units.read() as unit:
            project = unit.projects.get(name)
            assert project is not None
            latest = Latest("1.9", _SUMMARY.format(projects - 1), now)
            words = searched_text(name, name, latest).split()
            found, _ = unit.projects.search(None, words, order=Order.NAME, start=0, count=2)
            files = unit.files.of(name)
    if [each.name for each in found] != [name] or len(files) != FILES:
        raise BenchmarkError("the generated projects are not what the index makes")
