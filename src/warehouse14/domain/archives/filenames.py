"""What the name of a distribution file says.

Wheels are named as the binary distribution format says (PEP 427), sdists as
setuptools and others named them before and after PEP 625.
"""

import re
from dataclasses import dataclass
from itertools import product
from typing import Final

from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, ProjectName

WHEEL: Final = ".whl"
TAR_GZ: Final = ".tar.gz"
ZIP: Final = ".zip"

#: A compressed tag set may expand to this many tags; real ones have fewer than fifty.
MAX_TAGS: Final = 1000

_EXTENSIONS: Final = {FileType.WHEEL: (WHEEL,), FileType.SDIST: (TAR_GZ, ZIP)}
ALL_EXTENSIONS: Final = (WHEEL, TAR_GZ, ZIP)
_TAGS = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){2}")


@dataclass(frozen=True, slots=True)
class ClaimedName:
    """The project and version that a file name names."""

    project: ProjectName
    version: Version


def parse_file_name(
    filename: FileName,
    filetype: FileType,
    *,
    project: ProjectName,
    version: Version | None,
    strict_wheel_names: bool = True,
) -> ClaimedName:
    """Return what ``filename`` says, without a look at the file.

    ``project`` and ``version`` are the upload form's; a version of None was not given.
    With ``strict_wheel_names`` the name part of a wheel is spelled as the
    binary distribution format demands today: lower case, ``_`` for every run
    of ``-``, ``_`` and ``.``.

    Raises ``Rejected`` if the extension does not fit the ``filetype``, if the
    name cannot be parsed, or if it names another project or version.
    """
    _check_extension(filename, filetype)
    if filetype is FileType.WHEEL:
        claimed = _wheel(filename, project, strict=strict_wheel_names)
    else:
        claimed = _sdist(filename, project)
    if version is not None and claimed.version != version:
        raise refusal(
            filename,
            f"the file name says version {claimed.version}, the form says {version}. They must be equal.",
            field="version",
        )
    return claimed


def expand_tags(compressed: str) -> frozenset[str] | None:
    """Return the tags of a compressed tag set (PEP 425), in lower case.

    None means that it is no tag set, or one of more than ``MAX_TAGS`` tags.
    """
    if not _TAGS.fullmatch(compressed):
        return None
    parts = [part.split(".") for part in compressed.lower().split("-")]
    if any("" in part for part in parts):
        return None
    if len(parts[0]) * len(parts[1]) * len(parts[2]) > MAX_TAGS:
        return None
    return frozenset(map("-".join, product(*parts)))


def compressed_tags(filename: str) -> str:
    """Return the last three parts of a wheel's name: its compressed tag set."""
    return "-".join(filename.removesuffix(WHEEL).rsplit("-", 3)[1:])


def name_warnings(filename: FileName) -> tuple[str, ...]:
    """Return what is to be mended in the name of the next file, in sentences, though it is no reason to
    refuse this one.

    The parts of a wheel's compressed tag set are to be sorted (the binary distribution format).
    """
    if not filename.endswith(WHEEL):
        return ()
    parts = (part.split(".") for part in compressed_tags(filename).split("-"))
    unsorted = [(".".join(part), ".".join(sorted(part))) for part in parts if part != sorted(part)]
    return tuple(f"{filename}: the tags {given} should be sorted: {wanted}." for given, wanted in unsorted)


def split_version(stem: str, project: str) -> Version | None:
    """Return the version in ``stem``, which spells ``project``, a dash and the version somehow.

    Both parts may contain dashes (``zope-interface-5.0``, ``foo-1.0-1``), so
    only the project decides where the version begins. None if it does not fit.
    """
    at = stem.find("-")
    while at >= 0:
        if canonicalize_name(stem[:at]) == project:
            return _version(stem[at + 1 :])
        at = stem.find("-", at + 1)
    return None


def _check_extension(filename: str, filetype: FileType) -> None:
    if filename.endswith(_EXTENSIONS[filetype]):
        return
    if filename.endswith(ALL_EXTENSIONS):
        raise refusal(
            filename,
            f"the filetype {filetype.value} does not fit the extension. "
            "A .whl file is a bdist_wheel; a .tar.gz or .zip file is a sdist.",
            field="filetype",
        )
    raise refusal(filename, "the extension is none that is taken. Use .whl, .tar.gz or .zip, in lower case.")


def _wheel(filename: str, project: ProjectName, *, strict: bool) -> ClaimedName:
    if expand_tags(compressed_tags(filename)) is None:
        raise _unparsable_wheel(filename)
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except ValueError as error:
        raise _unparsable_wheel(filename) from error
    if ProjectName(name) != project:
        raise _other_project(filename, name, project)
    wanted = project.replace("-", "_")
    if strict and not filename.startswith(f"{wanted}-"):
        raise refusal(
            filename, f"a wheel's file name spells its project normalized: it must begin with '{wanted}-'."
        )
    return ClaimedName(project, version)


def _sdist(filename: str, project: ProjectName) -> ClaimedName:
    stem = filename.removesuffix(TAR_GZ if filename.endswith(TAR_GZ) else ZIP)
    version = split_version(stem, project)
    if version is not None:
        return ClaimedName(project, version)
    try:
        name, _ = parse_sdist_filename(filename)
    except ValueError as error:
        raise refusal(
            filename,
            f"it is not the name of a sdist. Use {project.replace('-', '_')}-VERSION.tar.gz (PEP 625).",
        ) from error
    raise _other_project(filename, name, project)


def _other_project(filename: str, name: str, project: str) -> Rejected:
    return refusal(
        filename, f"the file name names the project {shown(name)}, not {shown(project)}.", field="name"
    )


def _unparsable_wheel(filename: str) -> Rejected:
    return refusal(
        filename,
        "it is not the name of a wheel. Use NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl, "
        "with a version as PEP 440 says.",
    )


def _version(raw: str) -> Version | None:
    try:
        return Version(raw)
    except ValueError:  # not a version, or one with more digits than Python converts
        return None
