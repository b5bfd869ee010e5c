"""What is said of a file before its bytes are read: the form, the digests, the limit.

Raw text comes in; what leaves is a :class:`Claim`, which the rest trusts.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from warehouse14.domain.archives import parse_file_name
from warehouse14.domain.errors import Rejected, TooLarge
from warehouse14.domain.model import FileType
from warehouse14.domain.names import AccountName, FileName, ProjectName, file_name, project_name

#: The digests that a form may declare, and how each is computed. ``md5`` alone does not do.
DIGESTS: Mapping[str, Callable[[], Any]] = {
    "sha256": hashlib.sha256,
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}
_ENOUGH = frozenset({"sha256", "blake2_256"})
_LENGTHS = {"sha256": 64, "blake2_256": 64, "md5": 32}
_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class Past:
    """What counts for a file that another site had.

    Attributes:
        at: when it was published there.
        by: the account of this site that it counts as uploaded by; if it is the first of its project, that
            account becomes the admin.
        makes_project: whether it was judged as the first of its project: one that somebody makes meanwhile
            does not take it.
    """

    at: datetime
    by: AccountName
    makes_project: bool = False


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What is said of a file before its bytes come, as raw text.

    Attributes:
        name: the project's name.
        filetype: ``sdist`` or ``bdist_wheel``.
        filename: the file's name.
        version: the version, or None if it is not said.
        strict: whether a wheel's file name must be spelled as its standard says. Those
            of old build tools are not; an import takes them.
        past: for a file that another site had; the operator alone says so.
    """

    name: str
    filetype: str
    filename: str
    version: str | None = None
    strict: bool = True
    past: Past | None = None


def form_of(filename: str, *, strict: bool = True) -> UploadForm:
    """Return what a file's name alone says of it, for files that come without a form.

    Raises ``Rejected`` if it is neither the name of a wheel nor that of a sdist.
    """
    file_name(filename)
    filetype = FileType.WHEEL if filename.endswith(".whl") else FileType.SDIST
    try:
        if filetype is FileType.WHEEL:
            name, version, _, _ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise Rejected(f"content: {error}.", field="content") from error
    return UploadForm(name, filetype.value, filename, str(version), strict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A form that parsed."""

    project: ProjectName
    filename: FileName
    filetype: FileType
    version: Version | None
    strict: bool
    past: Past | None


def read_form(form: UploadForm) -> Claim:
    """Return what ``form`` claims. Raises ``Rejected`` for the first field that is malformed."""
    project = project_name(form.name)
    try:
        filetype = FileType(form.filetype)
    except ValueError:
        kinds = " or ".join(FileType)
        raise Rejected(f"filetype: {form.filetype[:40]!r} must be {kinds}.", field="filetype") from None
    version = None if form.version is None else _version(form.version)
    filename = file_name(form.filename)
    parse_file_name(filename, filetype, project=project, version=version, strict_wheel_names=form.strict)
    return Claim(project, filename, filetype, version, form.strict, form.past)


def _version(raw: str) -> Version:
    try:
        return Version(raw)
    except InvalidVersion:
        raise Rejected(f"version: {raw[:60]!r} is not a version by PEP 440.", field="version") from None


def compare_digests(declared: Mapping[str, str], computed: Mapping[str, str]) -> None:
    """Raise ``Rejected`` unless every declared digest is the computed one, in constant time."""
    for name, value in check_digests(declared, required=False).items():
        if not hmac.compare_digest(value, computed[name]):
            field = f"{name}_digest"
            raise Rejected(
                f"{field}: the content has {computed[name]}, not the digest that was sent. "
                "It may have been damaged on the way; send it again.",
                field=field,
            )


def check_digests(digests: Mapping[str, str], *, required: bool) -> dict[str, str]:
    """Return the declared digests in lower case, or raise ``Rejected``.

    With ``required`` one of sha256 and blake2_256 must be among them.
    """
    folded = {name: value.strip().lower() for name, value in digests.items()}
    for name, value in folded.items():
        if len(value) != _LENGTHS[name] or not _HEX.match(value):
            field = f"{name}_digest"
            raise Rejected(f"{field}: send {_LENGTHS[name]} hexadecimal digits.", field=field)
    if required and not _ENOUGH & folded.keys():
        raise Rejected(
            "sha256_digest: send it or blake2_256_digest before the content; md5 alone does not do.",
            field="sha256_digest",
        )
    return folded


def too_large(limit: int) -> TooLarge:
    """Return the error for a file of more than ``limit`` bytes."""
    return TooLarge(
        f"The file is larger than {limit} bytes, the limit of this index (warehouse14.max_file_bytes).",
        field="content",
        limit=limit,
    )
