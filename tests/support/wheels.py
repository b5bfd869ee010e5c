"""Large wheels that need no memory: one stored member of noise, sent in pieces."""

import hashlib
import struct
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import cached_property

from support.forms import framed
from warehouse14.testing.builders import core_metadata, record_of, wheel_member

_NOISE = hashlib.shake_256(b"noise").digest(1024 * 1024)
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x21  # the first day that a ZIP file knows
_MODE = 0o100644 << 16


class StoredWheel:
    """A valid wheel of exactly ``size`` bytes, up to 4 GB, that is made while it is read."""

    def __init__(self, project: str, size: int) -> None:
        self.project = project
        self.size = size
        self._stem = f"{project.replace('-', '_')}-1.0"
        self.filename = f"{self._stem}-py3-none-any.whl"

    def content(self) -> Iterator[bytes]:
        """Yield its bytes."""
        yield _local(self._noise_name, self._noise_length, self._noise_crc)
        yield from self._noise()
        yield self._rest

    def __len__(self) -> int:
        """The length of the body of its upload."""
        return sum(map(len, self._frame)) + self.size

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body of its upload."""
        before, after = self._frame
        yield before
        yield from self.content()
        yield after

    @property
    def _noise_name(self) -> str:
        return f"{self._stem.partition('-')[0]}/noise"

    def _noise(self) -> Iterator[bytes]:
        left = self._noise_length
        while left:
            piece = _NOISE[:left]
            left -= len(piece)
            yield piece

    @cached_property
    def _noise_length(self) -> int:
        # Every number in RECORD but this one is as long whatever the noise is.
        length = self.size
        for _ in range(3):
            length = self.size - len(_local(self._noise_name, 0, 0)) - len(self._finish(length, 0, bytes(32)))
        return length

    @cached_property
    def _noise_crc(self) -> int:
        crc = 0
        for piece in self._noise():
            crc = zlib.crc32(piece, crc)
        return crc

    @cached_property
    def _rest(self) -> bytes:
        running = hashlib.sha256()
        for piece in self._noise():
            running.update(piece)
        return self._finish(self._noise_length, self._noise_crc, running.digest())

    def _finish(self, length: int, crc: int, digest: bytes) -> bytes:
        """Return all that comes after a noise of this length."""
        info = f"{self._stem}.dist-info"
        members = {f"{info}/METADATA": core_metadata(self.project, "1.0"), f"{info}/WHEEL": wheel_member()}
        hashed = urlsafe_b64encode(digest).decode().rstrip("=")
        line = f"{self._noise_name},sha256={hashed},{length}\n".encode()
        members[f"{info}/RECORD"] = line + record_of(members, f"{info}/RECORD")
        files, offset = b"", len(_local(self._noise_name, 0, 0)) + length
        entries = [_central(self._noise_name, length, crc, 0)]
        for name, content in members.items():
            crc = zlib.crc32(content)
            entries.append(_central(name, len(content), crc, offset + len(files)))
            files += _local(name, len(content), crc) + content
        directory = b"".join(entries)
        count = len(entries)
        end = _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), offset + len(files), 0)
        return files + directory + end

    @cached_property
    def _frame(self) -> tuple[bytes, bytes]:
        running = hashlib.sha256()
        for piece in self.content():
            running.update(piece)
        fields = {
            ":action": "file_upload",
            "protocol_version": "1",
            "name": self.project,
            "version": "1.0",
            "filetype": "bdist_wheel",
            "pyversion": "py3",
            "sha256_digest": running.hexdigest(),
        }
        return framed(fields, self.filename)


def _local(name: str, size: int, crc: int) -> bytes:
    return _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name.encode("ascii")


def _central(name: str, size: int, crc: int, offset: int) -> bytes:
    fixed = _CENTRAL.pack(
        b"PK\1\2", 0x0314, 20, 0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0, _MODE, offset
    )
    return fixed + name.encode("ascii")
