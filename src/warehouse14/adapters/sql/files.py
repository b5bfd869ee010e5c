"""Files in SQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, or_, select, update

from warehouse14.adapters.sql.projects import hold_project
from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import files, projects
from warehouse14.domain.model import File, FileType, Yank
from warehouse14.domain.names import FileName, ProjectName

_BATCH = 1000

_OF = select(files).where(files.c.project == bindparam("of_project")).order_by(files.c.filename)
_GET = select(files).where(
    files.c.project == bindparam("of_project"), files.c.filename == bindparam("of_filename")
)
_LISTED = (
    select(files)
    .join(projects, projects.c.name == files.c.project)
    .where(files.c.deleted_at.is_(None), projects.c.deleted_at.is_(None))
    .order_by(files.c.project, files.c.filename)
    .limit(_BATCH)
)
_NEXT_LISTED = _LISTED.where(
    # The first condition alone bounds what the engine looks through.
    files.c.project >= bindparam("of_project"),
    or_(files.c.project > bindparam("of_project"), files.c.filename > bindparam("of_filename")),
)
_ADD = insert(files)
_CHANGE = update(files).where(
    files.c.project == bindparam("of_project"),
    files.c.filename == bindparam("of_filename"),
    files.c.deleted_at.is_(None),
)
_YANK = _CHANGE.values({name: bindparam(f"new_{name}") for name in ("yanked_at", "yanked_by", "yank_reason")})
_DELETE = _CHANGE.values(deleted_at=bindparam("at"))


class SqlFiles:
    """Implements ``Files``."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def get(self, project: ProjectName, filename: FileName) -> File | None:
        """See the port."""
        row = self._run.rows(_GET, of_project=project, of_filename=filename).one_or_none()
        return None if row is None else _file(row)

    def of(self, project: ProjectName) -> Sequence[File]:
        """See the port."""
        return [_file(row) for row in self._run.rows(_OF, of_project=project)]

    def all(self) -> Iterator[File]:
        """See the port."""
        found = self._run.rows(_LISTED).all()
        while found:
            yield from map(_file, found)
            last = found[-1]
            found = self._run.rows(_NEXT_LISTED, of_project=last.project, of_filename=last.filename).all()

    def add(self, file: File) -> None:
        """See the port."""
        hold_project(self._run, file.project)
        self._run.insert(_ADD, file_values(file), kind="file", name=file.filename)

    def set_yank(self, project: ProjectName, filename: FileName, yank: Yank | None) -> None:
        """See the port."""
        values = {f"new_{name}": value for name, value in _yank_values(yank).items()}
        self._change(_YANK, project, filename, **values)

    def delete(self, project: ProjectName, filename: FileName, at: datetime) -> None:
        """See the port."""
        self._change(_DELETE, project, filename, at=at)

    def _change(self, statement: Any, project: ProjectName, filename: FileName, **values: Any) -> None:
        values |= {"of_project": project, "of_filename": filename}
        self._run.change(statement, values, kind="file", name=filename)


def file_values(file: File) -> dict[str, Any]:
    """Return the row of a file."""
    return {
        "project": file.project,
        "filename": file.filename,
        "version": file.version,
        "filetype": file.filetype.value,
        "size": file.size,
        "sha256": file.sha256,
        "blake2_256": file.blake2_256,
        "requires_python": file.requires_python,
        "summary": file.summary,
        "metadata_sha256": file.metadata_sha256,
        "uploaded_at": file.uploaded_at,
        "uploaded_by": file.uploaded_by,
        "deleted_at": file.deleted_at,
        **_yank_values(file.yank),
    }


def _yank_values(yank: Yank | None) -> dict[str, Any]:
    return {
        "yanked_at": yank and yank.at,
        "yanked_by": yank and yank.by,
        "yank_reason": None if yank is None else yank.reason,
    }


def _file(row: Row[Any]) -> File:
    yank = row.yanked_at and Yank(reason=row.yank_reason, at=row.yanked_at, by=row.yanked_by)
    return File(
        project=ProjectName(row.project),
        filename=FileName(row.filename),
        version=row.version,
        filetype=FileType(row.filetype),
        size=row.size,
        sha256=row.sha256,
        blake2_256=row.blake2_256,
        requires_python=row.requires_python,
        summary=row.summary,
        metadata_sha256=row.metadata_sha256,
        uploaded_at=row.uploaded_at,
        uploaded_by=row.uploaded_by,
        yank=yank,
        deleted_at=row.deleted_at,
    )
