"""The core metadata of a distribution: METADATA in a wheel, PKG-INFO in a sdist.

The format is the core metadata specification's (PEP 241 to PEP 808). Only
what the index itself relies on is judged here: that the fields can be read,
and Metadata-Version, Name, Version and Requires-Python.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from packaging.metadata import parse_email
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from warehouse14.domain.archives.bounds import MAX_FIELD_COUNT, MAX_FIELD_LINES, MAX_FIELD_NAMES, MAX_FIELDS
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import VERSION_LENGTH, ProjectName, project_name

#: 2.0 was withdrawn; 2.6 is PEP 808's.
METADATA_VERSIONS: Final = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
SUMMARY_LENGTH: Final = 512

_FIELD_LENGTH = 1024
_NOT_GIVEN = {"", "UNKNOWN"}
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SINGLE_USE: Final = {
    "metadata-version", "name", "version", "summary", "description", "description-content-type", "keywords",
    "home-page", "download-url", "author", "author-email", "maintainer", "maintainer-email", "license",
    "license-expression", "requires-python",
}  # fmt: skip
#: What an installer needs; a sdist that may still change it when it is built cannot offer its metadata.
_DEPENDENCIES: Final = {"requires-dist", "requires-python", "provides-extra"}


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The fields that the index relies on. ``final``: no build may change the dependencies (PEP 643)."""

    display_name: str
    project: ProjectName
    version: Version
    requires_python: str | None
    summary: str
    final: bool


def read_core_metadata(data: bytes, *, filename: str, member: str) -> CoreMetadata:
    """Return the core metadata in ``data``, which is ``member`` of the archive ``filename``.

    Raises ``Rejected`` if it is not UTF-8, if a single-use field occurs
    twice or a field has a NUL character, if Metadata-Version, Name or Version is missing, unknown or
    invalid, or if Requires-Python is no set of version specifiers.
    """
    return _Reader(filename, member).read(data)


class _Reader:
    """Reads one member; every refusal names the file, the member and the field."""

    def __init__(self, filename: str, member: str) -> None:
        self._filename = filename
        self._member = member

    def read(self, data: bytes) -> CoreMetadata:
        raw = self._fields(data)
        metadata_version = self._metadata_version(_text(raw, "metadata_version"))
        name = _text(raw, "name")
        dynamic = {field.strip().lower() for field in cast("list[str]", raw.get("dynamic", []))}
        return CoreMetadata(
            display_name=name,
            project=self._project(name),
            version=self._version(_text(raw, "version")),
            requires_python=self._requires_python(_text(raw, "requires_python")),
            summary=" ".join(_text(raw, "summary").split())[:SUMMARY_LENGTH],
            final=METADATA_VERSIONS.index(metadata_version) >= METADATA_VERSIONS.index("2.2")
            and dynamic.isdisjoint(_DEPENDENCIES),
        )

    def _fields(self, data: bytes) -> Mapping[str, object]:
        # Only the fields go to the e-mail parser, as text: no multipart bodies, no encoded words.
        end = _BLANK_LINE.search(data)
        fields, body = (data[: end.start() + 1], data[end.end() :]) if end else (data, b"")
        if len(fields) > MAX_FIELDS:
            raise self._refusal(
                "fields", f"they are longer than {MAX_FIELDS} bytes; put the description after them"
            )
        if len(fields.splitlines()) > MAX_FIELD_LINES:
            raise self._refusal("fields", f"they take more than {MAX_FIELD_LINES} lines")
        if b"\0" in fields:
            raise self._refusal("fields", "there is a NUL character in them; remove it")
        try:
            text = fields.decode()
            body.decode()
        except UnicodeDecodeError as error:
            raise self._refusal(
                "text", "it is not UTF-8, as the core metadata specification demands"
            ) from error
        self._check_count(text)
        raw, unparsed = parse_email(text)
        for field in sorted(
            field for field in _SINGLE_USE.intersection(unparsed) if len(unparsed[field]) > 1
        ):
            raise self._refusal(field.title(), "it occurs more than once, but may occur only once")
        if body.strip() and raw.get("description", "").strip():
            raise self._refusal(
                "Description", "it occurs as a field and again after the fields; keep one of them"
            )
        return cast("Mapping[str, object]", raw)

    def _check_count(self, text: str) -> None:
        names = [
            line.partition(":")[0] for line in text.splitlines() if ":" in line and not line[0].isspace()
        ]
        if len(names) > MAX_FIELD_COUNT or len(set(names)) > MAX_FIELD_NAMES:
            raise self._refusal(
                "fields",
                f"there are more than {MAX_FIELD_COUNT}, or more than {MAX_FIELD_NAMES} different ones",
            )

    def _metadata_version(self, raw: str) -> str:
        if raw not in METADATA_VERSIONS:
            raise self._refusal("Metadata-Version", f"it is {shown(raw)}, but must be one of {_listed}")
        return raw

    def _project(self, raw: str) -> ProjectName:
        try:
            return project_name(raw)
        except Rejected as error:
            problem = "it is missing" if not raw else f"{shown(raw)} is not a project name"
            raise self._refusal(
                "Name",
                f"{problem}; use ASCII letters, digits, '.', '-' and '_', a letter or digit at both ends",
            ) from error

    def _version(self, raw: str) -> Version:
        try:
            version = Version(_bounded(raw))
        except ValueError as error:
            problem = "it is missing" if not raw else f"{shown(raw)} is not a version"
            raise self._refusal(
                "Version", f"{problem}; use a version as PEP 440 says, such as 1.0"
            ) from error
        if len(str(version)) > VERSION_LENGTH:
            raise self._refusal("Version", f"it has more than {VERSION_LENGTH} characters")
        return version

    def _requires_python(self, raw: str) -> str | None:
        if raw in _NOT_GIVEN:
            return None
        try:
            SpecifierSet(_bounded(raw))
        except ValueError as error:
            raise self._refusal(
                "Requires-Python", f"{shown(raw)} is no set of version specifiers; use for example >=3.11"
            ) from error
        return raw

    def _refusal(self, field: str, problem: str) -> Rejected:
        return refusal(self._filename, f"{field} in {shown(self._member)}: {problem}.")


_listed = ", ".join(METADATA_VERSIONS)


def _text(raw: Mapping[str, object], field: str) -> str:
    """The field's value; empty if it is missing, or if it is an old tool's placeholder for that."""
    value = str(raw.get(field, "")).strip()
    return "" if value == "UNKNOWN" else value


def _bounded(raw: str) -> str:
    """``raw`` if it is one short line of ASCII, else ``ValueError``."""
    if len(raw) > _FIELD_LENGTH or not raw.isascii() or _CONTROL.search(raw):
        raise ValueError(raw)
    return raw
