"""Uploading in parts, each with its SHA-256; the store refuses a part that comes otherwise."""

import io
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import FAILURES

#: The usual size of a part in bytes, and how many parts an object has at most.
_PART_BYTES = 16 * 1024 * 1024
_MOST_PARTS = 10_000
_CHUNK = 256 * 1024
#: By which metadata an object says of which upload it is.
_MARK = "upload"


class Window(io.RawIOBase):
    """Some bytes of a seekable file, as a file of their own: sent without being in memory at once."""

    def __init__(self, content: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._content = content
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset in these bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset in these bytes."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes, as many as fit."""
        left = max(0, min(len(buffer), self._size - self._at))
        self._content.seek(self._start + self._at)
        data = self._content.read(left)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def digest(self, new: Callable[[], Any]) -> bytes:
        """Return the digest of all of it, and go to its beginning."""
        running = new()
        self.seek(0)
        while data := self.read(_CHUNK):
            running.update(data)
        self.seek(0)
        digest: bytes = running.digest()
        return digest


def upload_in_parts(
    client: Any,
    target: Mapping[str, str],
    about: Mapping[str, str],
    content: BinaryIO,
    size: int,
    condition: Mapping[str, str],
    *,
    sums: bool,
) -> None:
    """Store ``size`` bytes of ``content``; what fails leaves nothing, if the store can be told so.

    Args:
        client: speaks to the store.
        target: the bucket and the key of the object.
        about: its type and its encryption.
        content: a seekable file.
        size: how many of its bytes, from the first on.
        condition: under which it is made.
        sums: whether each part goes with its SHA-256.
    """
    algorithm = {"ChecksumAlgorithm": "SHA256"} if sums else {}
    mark = {_MARK: secrets.token_hex(16)}
    upload = client.create_multipart_upload(**target, **about, **algorithm, Metadata=mark)["UploadId"]
    try:
        parts = [
            _send(client, {**target, "UploadId": upload, "PartNumber": number}, part, sums=sums)
            for number, part in _windows(content, size)
        ]
        client.complete_multipart_upload(
            **target, **condition, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except BaseException as error:
        if _was_completed(client, target, mark, error):
            return
        with suppress(*FAILURES):
            client.abort_multipart_upload(**target, UploadId=upload)
        raise


def _windows(content: BinaryIO, size: int) -> Iterator[tuple[int, Window]]:
    step = max(_PART_BYTES, -(-size // _MOST_PARTS))
    for number, start in enumerate(range(0, size, step), start=1):
        yield number, Window(content, start, min(step, size - start))


def _send(client: Any, target: Mapping[str, Any], part: Window, *, sums: bool) -> dict[str, Any]:
    checksum = {"ChecksumSHA256": b64encode(part.digest(sha256)).decode("ascii")} if sums else {}
    answer = client.upload_part(**target, **checksum, Body=part)
    return {"ETag": answer["ETag"], "PartNumber": target["PartNumber"], **checksum}


def _was_completed(
    client: Any, target: Mapping[str, str], mark: Mapping[str, str], error: BaseException
) -> bool:
    """Whether the upload is gone because it was completed: the answer to that was lost, and it was asked
    again. An object that was there before has another mark, or none."""
    if not isinstance(error, ClientError) or error.response["Error"]["Code"] != "NoSuchUpload":
        return False
    with suppress(*FAILURES):
        return bool(client.head_object(**target)["Metadata"].get(_MARK) == mark[_MARK])
    return False
