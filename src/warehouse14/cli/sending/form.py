"""The form of the legacy upload API, as twine sends it: what every index takes."""

import io
from contextlib import closing

import requests

from warehouse14.cli.sending.local import Advance, Counted, LocalFile
from warehouse14.cli.sending.site import Site, type_of
from warehouse14.domain.model import FileType

_TYPE = "application/octet-stream"


def send_form(site: Site, file: LocalFile, advance: Advance) -> tuple[str, ...]:
    """Publish a file by the form, and return the warnings that are answered. Raises ``Refused``."""
    before, after, content_type = _frame(file)
    with closing(_Chain(before, file.path, after)) as body:
        size = len(before) + file.size + len(after)
        answer = site.send(Counted(body, size, advance), content_type)
    # Other indexes answer otherwise.
    return tuple(answer.text.splitlines()) if type_of(answer) == "text/plain" else ()


def _frame(file: LocalFile) -> tuple[bytes, bytes, str]:
    """Return what comes before the content and after it, and the type of both."""
    form = file.form
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": form.name,
        "version": form.version or "",
        "filetype": form.filetype,
        "pyversion": "source" if form.filetype == FileType.SDIST else "py3",
        "sha256_digest": file.sha256,
    }
    # The content is the last field, and empty here.
    files = {"content": (form.filename, b"", _TYPE)}
    made = requests.Request("POST", "http://localhost", data=fields, files=files).prepare()
    content_type, whole = str(made.headers["Content-Type"]), made.body
    assert isinstance(whole, bytes)
    end = f"\r\n--{content_type.rpartition('boundary=')[2]}--\r\n".encode("ascii")
    return whole.removesuffix(end), end, content_type


class _Chain(io.BufferedIOBase):
    """A file with something before and after it."""

    def __init__(self, before: bytes, path: str, after: bytes) -> None:
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115 - close() does
        self._left: list[io.BufferedIOBase] = [io.BytesIO(before), self._file, io.BytesIO(after)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while self._left:
            count = self._left[0].readinto(buffer)
            if count:
                return count
            self._left.pop(0)
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()
