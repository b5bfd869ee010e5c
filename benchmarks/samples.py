"""The files that are published, and the requests that publish them."""

import hashlib
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.settings import MIB
from warehouse14.testing.builders import BuiltFile, build_wheel, core_metadata, wheel_member

_BODY_BYTES = 10_000
_PLATFORMS = (
    "manylinux_2_{}_x86_64.manylinux2014_x86_64",
    "manylinux_2_{}_aarch64.manylinux2014_aarch64",
    "musllinux_1_{}_x86_64",
    "macosx_{}_0_arm64",
)
#: About 12 kB of Markdown: headings, prose, code, lists and links.
_DESCRIPTION = "\n\n".join(
    f"""## Part {number}

Reads the {number}th column of a table without reading the others, and says *what* it found; see
[the manual](https://docs.example/part/{number}) for `every` option. Nothing is kept in memory that was
not asked for, and a file that ends in the middle is an error with the number of the line.

```python
from wide import read

rows = read("orders.parquet", columns=[{number}], where="amount > {number}")
print(rows.head())
```

* A list of what it does, item {number}
* Another item, with **bold** words"""
    for number in range(1, 26)
)
_BOUNDARY = "----------------------------benchmarks14"
_HASHES: Mapping[str, Any] = {
    "md5_digest": lambda: hashlib.md5(usedforsecurity=False),
    "sha256_digest": hashlib.sha256,
    "blake2_256_digest": lambda: hashlib.blake2b(digest_size=32),
}


def wheels(project: str, count: int) -> list[BuiltFile]:
    """Return ``count`` wheels of about 10 kB, one of each version, that do not compress."""
    return [wheel(project, f"{number // 10}.{number % 10}") for number in range(count)]


def wheel(project: str, version: str) -> BuiltFile:
    """Return a wheel of about 10 kB that does not compress."""
    noise = hashlib.shake_256(f"{project} {version}".encode()).digest(_BODY_BYTES)
    return build_wheel(project, version, requires_python=">=3.8", body=noise)


def release_of_many(project: str, count: int) -> list[BuiltFile]:
    """Return ``count`` wheels of one release, for interpreters and platforms of all kinds, with a
    description as long as those of well-known projects."""
    return [
        build_wheel(
            project,
            "1.0",
            tag=_tag(number),
            requires_python=">=3.8",
            requires_dist=[f"{project}-part-{number}>={number}.0,<{number + 1}" for number in range(20)],
            description=_DESCRIPTION,
        )
        for number in range(count)
    ]


def _tag(number: int) -> str:
    """Return one of many tags: ten interpreters on each platform."""
    version, kind = number // 10, number % 10
    return f"cp3{kind + 8}-cp3{kind + 8}-{_PLATFORMS[version % len(_PLATFORMS)].format(version)}"


@dataclass(frozen=True, slots=True)
class Form:
    """The body of an upload request: around a file, or with it.

    Attributes:
        content_type: the request's ``Content-Type``.
        before, after: what stands around the file's own bytes.
    """

    content_type: str
    before: bytes
    after: bytes


def upload_form(filename: str, digests: Mapping[str, str]) -> Form:
    """Return what twine sends around a wheel."""
    name, version, *_ = filename.split("-")
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "summary": "A distribution for tests",
        "requires_python": ">=3.8",
        **digests,
    }
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    parts.append(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return Form(
        f"multipart/form-data; boundary={_BOUNDARY}",
        "".join(parts).encode(),
        f"\r\n--{_BOUNDARY}--\r\n".encode(),
    )


def whole_form(file: BuiltFile) -> tuple[str, bytes]:
    """Return content type and body of the request that publishes a small file."""
    digests = {}
    for field, new in _HASHES.items():
        running = new()
        running.update(file.content)
        digests[field] = running.hexdigest()
    form = upload_form(file.filename, digests)
    return form.content_type, form.before + file.content + form.after


def huge_wheel(folder: Path, project: str, size: int) -> Path:
    """Write a valid wheel with one stored member of ``size`` bytes, and return its path."""
    info = f"{project}-1.0.dist-info"
    small = {f"{info}/METADATA": core_metadata(project, "1.0"), f"{info}/WHEEL": wheel_member()}
    path = folder / f"{project}-1.0-py3-none-any.whl"
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        member = zipfile.ZipInfo(f"{project}.bin")
        member.file_size = size
        running = hashlib.sha256()
        with archive.open(member, "w") as target:
            for piece in _noise(size):
                target.write(piece)
                running.update(piece)
        lines.append(_record_line(member.filename, running.digest(), size))
        for name, content in small.items():
            archive.writestr(zipfile.ZipInfo(name), content)
            lines.append(_record_line(name, hashlib.sha256(content).digest(), len(content)))
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "".join([*lines, f"{info}/RECORD,,\n"]))
    return path


def file_digests(path: Path) -> dict[str, str]:
    """Return the digests of a large file, as the form declares them."""
    with path.open("rb") as file:
        return {"sha256_digest": hashlib.file_digest(file, "sha256").hexdigest()}


def file_pieces(path: Path) -> Iterator[bytes]:
    """Return a file in pieces."""
    with path.open("rb") as file:
        while piece := file.read(MIB):
            yield piece


def _noise(size: int) -> Iterator[bytes]:
    block = hashlib.shake_256(b"noise").digest(MIB)
    for start in range(0, size, MIB):
        yield block[: min(MIB, size - start)]


def _record_line(name: str, digest: bytes, size: int) -> str:
    return f"{name},sha256={urlsafe_b64encode(digest).decode().rstrip('=')},{size}\n"
