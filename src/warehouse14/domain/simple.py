"""The pages of the Simple API as values: what they say, without HTML or JSON.

PEP 503 (the pages), 592 (yank), 658 and 714 (core metadata), 691 (JSON),
700 (sizes and times). Announced as version 1.4, without its optional parts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse14.domain.model import File, Project, ProjectSummary, releases
from warehouse14.domain.names import ProjectName

#: PEP 629: ``Major.Minor``, the same in both representations.
API_VERSION = "1.4"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a project's page."""

    #: PEP 503: "The text of the anchor tag MUST match the final path component."
    filename: str
    #: PEP 691: a mandatory mapping of hash names to hex digests; ours is SHA-256 alone.
    sha256: str
    #: PEP 700: "size ... MUST contain an integer which is the file size in bytes".
    size: int
    #: PEP 700: the time of the upload, in UTC.
    uploaded_at: datetime
    #: PEP 503: the file's own ``Requires-Python``.
    requires_python: str | None
    #: PEP 658: the digest of the ``.metadata`` file, if there is one.
    metadata_sha256: str | None
    #: PEP 592: the reason, empty for none; None for a file that is not yanked.
    yanked: str | None


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """The page of one project."""

    name: ProjectName
    serial: int
    #: PEP 700: every version, also of files that are gone.
    versions: tuple[str, ...]
    files: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True)
class ProjectList:
    """The page that lists projects, those that its reader may see."""

    serial: int
    projects: tuple[ProjectSummary, ...]


def project_page(project: Project, files: Iterable[File]) -> ProjectPage:
    """Return the page of ``project`` with ``files``, which may include deleted ones."""
    known = list(files)
    return ProjectPage(
        name=project.name,
        serial=project.serial,
        versions=tuple(str(release.version) for release in reversed(releases(known))),
        files=tuple(
            _line(file) for file in sorted(known, key=lambda file: file.filename) if file.deleted_at is None
        ),
    )


def project_list(projects: Sequence[ProjectSummary]) -> ProjectList:
    """Return the list of ``projects``. Its serial is their newest: those of others are not shown."""
    newest = max((project.serial for project in projects), default=0)
    return ProjectList(serial=newest, projects=tuple(projects))


def _line(file: File) -> FileLine:
    return FileLine(
        filename=file.filename,
        sha256=file.sha256,
        size=file.size,
        uploaded_at=file.uploaded_at,
        requires_python=file.requires_python,
        metadata_sha256=file.metadata_sha256,
        yanked=None if file.yank is None else file.yank.reason,
    )
