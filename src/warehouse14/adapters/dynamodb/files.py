"""The files of all projects in a table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.marking import IS_MARKED, marks_of
from warehouse14.adapters.dynamodb.moment import Moment, Rows
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import File, Yank
from warehouse14.domain.names import FileName, ProjectName


class DynamoFiles:
    """Implements ``Files``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def get(self, project: ProjectName, filename: FileName) -> File | None:
        """See the port."""
        # Before the file: what is not said here any more is in its item by then.
        marks = marks_of(project_row(self._moment, project))
        item = self._moment.table.get(keys.file(project, filename))
        return None if item is None else rows.file({**item, **marks.get(filename, {})})

    def of(self, project: ProjectName) -> Sequence[File]:
        """See the port."""
        # The project's item comes first, and what it says not any more is in the files' by then.
        there = list(self._moment.table.query(keys.of_project(project)))
        # Who lists files mostly asks for their project, too.
        self._moment.kept[keys.project(project)] = given = rows.of_project(there)
        marks = marks_of(given[0] if given else None)
        return [rows.file({**item, **marks.get(item["n"], {})}) for item in there if "p" in item]

    def all(self) -> Iterator[File]:
        """See the port. They come in no order, as the whole table is looked through."""
        table = self._moment.table
        lines = [item for part in (keys.PUBLIC, keys.PRIVATE) for item in table.query(part)]
        live = {item["name"] for item in lines}
        marked = [keys.project(item["name"]) for item in lines if IS_MARKED in item]
        marks = {row["name"]: marks_of(row) for row in table.get_many(marked).values()}
        there = table.scan(
            only="begins_with(pk, :project) AND begins_with(sk, :file) AND attribute_not_exists(x)",
            values={"project": keys.of_project(ProjectName("")), "file": keys.FIRST_FILE},
        )
        files = (
            rows.file({**item, **marks.get(item["p"], {}).get(item["n"], {})})
            for item in there
            if item["p"] in live
        )
        return (file for file in files if file.deleted_at is None)

    def add(self, file: File) -> None:
        """See the port."""

        def apply(found: Rows) -> None:
            found.listed_project(file.project)
            if found.get(key) is not None:
                raise Conflict("file", file.filename)
            found.put(rows.file_item(file))

        key = keys.file(file.project, file.filename)
        self._moment.change([keys.project(file.project), key], apply)

    def set_yank(self, project: ProjectName, filename: FileName, yank: Yank | None) -> None:
        """See the port."""
        self._change(project, filename, k=None if yank is None else rows.yank_part(yank))

    def delete(self, project: ProjectName, filename: FileName, at: datetime) -> None:
        """See the port."""
        self._change(project, filename, x=rows.written(at))

    def _change(self, project: ProjectName, filename: FileName, **parts: Any) -> None:
        def apply(found: Rows) -> None:
            row = found.get(key)
            if row is None or row.get("x") is not None:
                raise Conflict("file", filename)
            found.change(row, **parts)

        key = keys.file(project, filename)
        self._moment.change([key], apply)


def project_row(moment: Moment, name: ProjectName) -> dict[str, Any] | None:
    """Return the item of a project, which may have been read in this unit."""
    kept = moment.kept.get(keys.project(name))
    if kept is None:
        return moment.table.get(keys.project(name))
    return kept[0] if kept else None
