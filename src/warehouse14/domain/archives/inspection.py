"""The inspection of one distribution file, from its name to its last member."""

from dataclasses import dataclass
from typing import BinaryIO

from packaging.version import Version

from warehouse14.domain.archives.coremetadata import CoreMetadata, read_core_metadata
from warehouse14.domain.archives.filenames import ClaimedName, parse_file_name
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.archives.sdist import check_top_folder, read_sdist
from warehouse14.domain.archives.wheel import read_wheel
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, ProjectName


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an archive says of itself, once nothing speaks against it.

    ``core_metadata`` are the exact bytes of METADATA or PKG-INFO. An index may offer
    them beside the file (PEP 658, PEP 714) unless it is a sdist whose dependencies are
    only known once it is built (PEP 643).
    """

    display_name: str
    project: ProjectName
    version: Version
    core_metadata: bytes
    offered: bool
    requires_python: str | None
    summary: str

    @property
    def metadata(self) -> bytes | None:
        """The core metadata as far as they are offered."""
        return self.core_metadata if self.offered else None


def inspect_archive(
    stream: BinaryIO,
    filename: FileName,
    filetype: FileType,
    *,
    project: ProjectName,
    version: Version | None,
    strict_wheel_names: bool = True,
) -> Inspected:
    """Return what the file in ``stream`` says of itself, after every check.

    ``stream`` is seekable and holds the whole file; ``project`` and
    ``version`` are the upload form's (None: not given). Every member is
    unpacked at most once, in bounded memory, and nothing is written anywhere.

    Raises ``Rejected``, whatever the bytes are, if the file is not a sound
    wheel or sdist of that project and version; an ``OSError`` is the stream's own.
    """
    claimed = parse_file_name(
        filename, filetype, project=project, version=version, strict_wheel_names=strict_wheel_names
    )
    if filetype is FileType.WHEEL:
        member, data = read_wheel(stream, filename, claimed)
    else:
        member, data = read_sdist(stream, filename)
    found = read_core_metadata(data, filename=filename, member=member)
    _check_agreement(found, claimed, filename, member)
    if filetype is FileType.SDIST:
        check_top_folder(member, claimed, filename)
    return Inspected(
        display_name=found.display_name,
        project=found.project,
        version=found.version,
        core_metadata=data,
        offered=filetype is FileType.WHEEL or found.final,
        requires_python=found.requires_python,
        summary=found.summary,
    )


def _check_agreement(found: CoreMetadata, claimed: ClaimedName, filename: str, member: str) -> None:
    if found.project != claimed.project:
        raise refusal(
            filename,
            f"Name in {shown(member)} is {shown(found.display_name)}, but must be that of the project "
            f"{shown(claimed.project)}.",
        )
    if found.version != claimed.version:
        raise refusal(
            filename,
            f"Version in {shown(member)} is {found.version}, but the file name says {claimed.version}.",
        )
