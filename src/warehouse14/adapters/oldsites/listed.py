"""The files in a project's row of an old Warehouse14: ``versions`` by their numbers, each with ``files``, of
which each has a ``filename`` and the ``sha256_digest`` that was declared when it came."""

from collections.abc import Iterator, Mapping
from typing import Any

from warehouse14.domain.ports import Untaken


class ListedFiles:
    """The files of one project: their digests by their names, and what is ``untaken``."""

    def __init__(self, project: str, row: Mapping[str, Any]) -> None:
        self.digests: dict[str, str] = {}
        self.untaken: list[Untaken] = []
        self._project = project
        for file in self._files(row.get("versions")):
            self._take(file)

    def _files(self, versions: Any) -> Iterator[Any]:
        if not isinstance(versions, Mapping):
            self._leave("", "the row of the project has no versions")
            return
        for version, said in sorted(versions.items()):
            files = said.get("files") if isinstance(said, Mapping) else None
            if isinstance(files, list):
                yield from files
            else:
                self._leave(f" {version}", "the version has no list of files")

    def _take(self, file: Any) -> None:
        said = file if isinstance(file, Mapping) else {}
        name, digest = said.get("filename"), said.get("sha256_digest")
        if not isinstance(name, str) or not isinstance(digest, str) or not digest.strip():
            self._leave("", f"the file {file!r:.80} has no name or no digest")
            return
        before = self.digests.get(name, digest)
        if before != digest:
            self._leave(f"/{name}", f"it is listed twice; those bytes were replaced: {before:.64}")
        self.digests[name] = digest

    def _leave(self, where: str, reason: str) -> None:
        self.untaken.append(Untaken(f"{self._project}{where}", reason))
