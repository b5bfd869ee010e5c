"""A site of the old Warehouse14: what is known in a table, and files in a bucket, as ``PROJECT/FILE``."""

from typing import BinaryIO

from packaging.utils import canonicalize_name

from warehouse14.adapters.oldsites.bucket import Bucket, Object, is_folder
from warehouse14.adapters.oldsites.rows import Rows
from warehouse14.adapters.oldsites.table import Table
from warehouse14.domain.ports import OldContents, OldFile, OldProject, Untaken


class OldWarehouse14:
    """Implements ``OldSite``."""

    def __init__(self, table: Table, bucket: Bucket) -> None:
        self._table = table
        self._bucket = bucket

    @property
    def name(self) -> str:
        """See the port."""
        return f"warehouse14 {self._table.name} {self._bucket.name}"

    def contents(self) -> OldContents:
        """See the port."""
        # What is listed first is not stored later: an upload stores its object before it lists it.
        rows = Rows(self._table.rows())
        objects = {found.key: found for found in self._bucket.objects() if not is_folder(found)}
        projects: list[OldProject] = []
        files: list[OldFile] = []
        untaken: list[Untaken] = []
        for gathered, listed in rows.projects():
            projects.append(OldProject(gathered.spelled, gathered.public, gathered.roles))
            untaken += listed.untaken
            for filename, digest in listed.digests.items():
                where = f"{canonicalize_name(gathered.key)}/{filename}"
                stored = objects.pop(where, None)
                if stored is None:
                    untaken.append(Untaken(where, "the bucket has no such object"))
                else:
                    files.append(_file(stored, filename, gathered.spelled, digest))
        untaken += [Untaken(key, "no project that is taken over lists such a file") for key in objects]
        return OldContents(projects, files, [*rows.untaken, *untaken], _notes(rows))

    def open(self, file: OldFile) -> BinaryIO:
        """See the port."""
        return self._bucket.open(file.where, file.etag)


def _file(stored: Object, filename: str, project: str, digest: str) -> OldFile:
    return OldFile(
        where=stored.key,
        filename=filename,
        size=stored.size,
        at=stored.at,
        etag=stored.etag,
        project=project,
        sha256=digest.lower(),
    )


def _notes(rows: Rows) -> list[str]:
    notes = []
    if rows.tokens:
        notes.append(f"{rows.tokens} tokens are not read: people make new ones here.")
    if rows.groups:
        notes.append(f"{rows.groups} groups are not taken: there they gave nobody any right.")
    return notes
