"""The file that is sent."""

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass

from warehouse14.domain.services.uploadform import UploadForm, form_of

#: Is told how many more bytes are done.
Advance = Callable[[int], object]

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, and what is said of it.

    Attributes:
        path: where it lies.
        form: what its name says.
        size: in bytes.
        sha256: of all of it, in hex.
    """

    path: str
    form: UploadForm
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """Its name."""
        return self.form.filename

    def piece(self, start: int, size: int) -> bytes:
        """Return some of its bytes."""
        with open(self.path, "rb") as file:
            file.seek(start)
            return file.read(size)


class Counted(io.RawIOBase):
    """Bytes that tell when they are read; ``advance`` may raise to end that."""

    def __init__(self, content: io.BufferedIOBase, size: int, advance: Advance) -> None:
        super().__init__()
        self._content = content
        self._size = size
        self._advance = advance
        self._read = 0

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were read: without it, nobody believes in the length."""
        return self._read

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes."""
        count = self._content.readinto(buffer)
        self._read += count
        self._advance(count)
        return count


def read_file(path: str, advance: Advance) -> LocalFile:
    """Return what is to be said of a file, all of which is read. Raises ``Rejected`` for a name that is no
    wheel's or sdist's, and ``OSError``."""
    form = form_of(os.path.basename(path))
    running, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            running.update(data)
            size += len(data)
            advance(len(data))
    return LocalFile(path, form, size, running.hexdigest())
