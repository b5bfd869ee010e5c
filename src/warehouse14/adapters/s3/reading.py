"""Reading an object as the store sends it."""

import io
from typing import Any

from warehouse14.adapters.s3.client import FAILURES
from warehouse14.domain.errors import Unavailable

#: Returns what is behind the end of an object.
NOTHING = io.BytesIO


class ObjectBody(io.BufferedReader):
    """The bytes of an object. Reading raises ``Unavailable`` when they stop coming."""

    def __init__(self, body: Any) -> None:
        super().__init__(_Raw(body), 256 * 1024)


class _Raw(io.RawIOBase):
    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._body.read(len(buffer))
        except FAILURES as error:
            raise Unavailable("The file store stopped in the middle of a file.", detail=str(error)) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
