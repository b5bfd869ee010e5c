"""Valid wheels and sdists, built in memory: the same arguments give the same bytes.

For tests, and for authors of adapters who need a real file to store. The
lower functions (:func:`zip_bytes`, :func:`tar_gz_bytes`, :func:`record_of`)
also build what is not valid.
"""

import gzip
import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from packaging.utils import canonicalize_name

from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A distribution file as a client would send it."""

    filename: FileName
    content: bytes
    filetype: FileType


class MetadataFields(TypedDict, total=False):
    """What :func:`core_metadata` takes beside the name and the version."""

    requires_python: str | None
    requires_dist: Iterable[str]
    dynamic: Iterable[str]
    metadata_version: str
    summary: str
    description: str


def build_wheel(
    name: str,
    version: str,
    *,
    extra_members: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
    body: bytes = b"",
    **fields: Unpack[MetadataFields],
) -> BuiltFile:
    """Return a wheel of one module, whose contents are ``body``, and of the ``extra_members``.

    ``tag`` may be a compressed tag set. File names are normalized as the
    binary distribution format demands; Name in the metadata stays as given.
    """
    stem = f"{_escaped(name)}-{version}"
    info = f"{stem}.dist-info"
    members = {
        f"{_escaped(name)}.py": body,
        **(extra_members or {}),
        f"{info}/METADATA": core_metadata(name, version, **fields),
        f"{info}/WHEEL": wheel_member(tag),
    }
    members[f"{info}/RECORD"] = record_of(members, f"{info}/RECORD")
    return BuiltFile(FileName(f"{stem}-{tag}.whl"), zip_bytes(members), FileType.WHEEL)


def build_sdist(
    name: str,
    version: str,
    *,
    extra_members: Mapping[str, bytes] | None = None,
    extension: str = ".tar.gz",
    body: bytes = b"",
    **fields: Unpack[MetadataFields],
) -> BuiltFile:
    """Return a sdist of one module, whose contents are ``body``, and of the ``extra_members``.

    ``extension`` is ``.tar.gz`` or ``.zip``; the names of ``extra_members``
    are relative to the sdist's top folder.
    """
    top = f"{_escaped(name)}-{version}"
    metadata = core_metadata(name, version, **fields)
    inner = {"PKG-INFO": metadata, f"{_escaped(name)}.py": body, **(extra_members or {})}
    members = {f"{top}/{path}": content for path, content in inner.items()}
    packed = zip_bytes(members) if extension == ".zip" else tar_gz_bytes(members)
    return BuiltFile(FileName(f"{top}{extension}"), packed, FileType.SDIST)


def core_metadata(
    name: str,
    version: str,
    *,
    requires_python: str | None = None,
    requires_dist: Iterable[str] = (),
    dynamic: Iterable[str] = (),
    metadata_version: str = "2.4",
    summary: str = "A distribution for tests",
    description: str = "",
) -> bytes:
    """Return the bytes of METADATA or PKG-INFO; ``description`` is Markdown."""
    fields = [
        ("Metadata-Version", metadata_version),
        ("Name", name),
        ("Version", version),
        ("Summary", summary),
        *(("Dynamic", field) for field in dynamic),
        *(("Requires-Dist", requirement) for requirement in requires_dist),
    ]
    if requires_python is not None:
        fields.append(("Requires-Python", requires_python))
    if description:
        fields.append(("Description-Content-Type", "text/markdown"))
    lines = "".join(f"{field}: {value}\n" for field, value in fields)
    return f"{lines}\n{description or f'The description of {name}.'}\n".encode()


def wheel_member(tag: str = "py3-none-any", *, wheel_version: str = "1.0") -> bytes:
    """Return the bytes of WHEEL, with one line for each tag of the compressed tag set ``tag``."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines = [f"Wheel-Version: {wheel_version}", "Generator: warehouse14", "Root-Is-Purelib: true"]
    lines += [
        f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def record_of(members: Mapping[str, bytes], record: str, *, algorithm: str = "sha256") -> bytes:
    """Return the bytes of RECORD, itself named ``record``, for the ``members`` that are files."""
    lines = []
    for path, content in members.items():
        if path != record and not path.endswith("/"):
            digest = urlsafe_b64encode(hashlib.new(algorithm, content).digest()).decode().rstrip("=")
            quoted = f'"{path}"' if "," in path else path
            lines.append(f"{quoted},{algorithm}={digest},{len(content)}")
    return "".join(f"{line}\n" for line in [*lines, f"{record},,"]).encode()


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a deflated ZIP file of ``members``, in their order; a slash ends the name of a folder."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            info = zipfile.ZipInfo(path, _EPOCH)
            info.create_system = 3
            info.external_attr = (0o040755 if path.endswith("/") else _FILE_MODE) << 16
            info.compress_type = zipfile.ZIP_STORED if path.endswith("/") else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return target.getvalue()


def tar_gz_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a gzipped tar archive of ``members``, all of them regular files, in their order."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(target.getvalue(), mtime=0)


def _escaped(name: str) -> str:
    """The normalized name as it stands in file names."""
    return canonicalize_name(name).replace("-", "_")
