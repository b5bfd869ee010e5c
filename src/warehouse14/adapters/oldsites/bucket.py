"""The bucket of an old site: what lies there, and the bytes of it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from warehouse14.adapters.oldsites.failures import FAILURES, examining, reading
from warehouse14.domain.errors import Misconfigured

#: How often a connection may break in the middle of one object, without a byte between.
_BREAKS = 5
_BUFFER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Object:
    """What a listing says of an object. ``size`` is in bytes."""

    key: str
    size: int
    at: datetime
    etag: str


def is_folder(found: Object) -> bool:
    """Whether an object is what consoles make for a folder: it holds nothing."""
    return found.key.endswith("/") and found.size == 0


class Bucket:
    """A bucket that is only read."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def objects(self) -> Iterator[Object]:
        """Return what lies there, by key. Raises ``Misconfigured`` and ``Unavailable``."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        with examining(f"The bucket {self.name}"):
            for page in pages:
                if "IsTruncated" not in page:
                    raise Misconfigured(f"The bucket {self.name}: what answers is no S3")
                yield from map(_object, page.get("Contents", ()))

    def open(self, key: str, etag: str) -> BinaryIO:
        """Return the bytes of an object as it was listed. Opening and reading raise ``Rejected`` if it is
        another by now or cannot be read, and ``Unavailable``."""
        return io.BufferedReader(_Body(self._client, self.name, key, etag), _BUFFER)


class _Body(io.RawIOBase):
    """The bytes of an object; where they stop coming, the rest is asked for."""

    def __init__(self, client: Any, bucket: str, key: str, etag: str) -> None:
        super().__init__()
        self._client = client
        self._target = {"Bucket": bucket, "Key": key, "IfMatch": etag}
        self._what = f"The bucket {bucket}"
        self._at = 0
        self._breaks = 0
        self._body: Any = None
        with reading(self._what):
            self._body = self._asked()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with reading(self._what):
            data = self._next(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed and self._body is not None:
            self._body.close()
        super().close()

    def _next(self, size: int) -> bytes:
        while True:
            try:
                data: bytes = self._body.read(size)
            except FAILURES as error:
                self._breaks += 1
                if isinstance(error, ClientError) or self._breaks > _BREAKS:
                    raise
                self._body.close()
                self._body = self._asked()
            else:
                self._breaks = 0
                return data

    def _asked(self) -> Any:
        """Ask for the bytes from where they stopped on."""
        part = {"Range": f"bytes={self._at}-"} if self._at else {}
        answer = self._client.get_object(**self._target, **part)
        if part and "ContentRange" not in answer:
            answer["Body"].close()
            raise OSError("what answers gives the whole for a part")
        return answer["Body"]


def _object(listed: dict[str, Any]) -> Object:
    # Listings are more exact than the headers of an object.
    return Object(
        listed["Key"], listed["Size"], listed["LastModified"].replace(microsecond=0), listed["ETag"]
    )
