"""An object as a seekable file: a request from the offset on wherever one is read that does not follow."""

import io
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import FAILURES, NoStore, answering, code_of
from warehouse14.domain.errors import Rejected

_BUFFER = 256 * 1024
#: As what an object is asked for, whatever it was put there as: one that comes as a page comes from no store.
_MEDIA_TYPE = "application/octet-stream"
#: How far ahead is read over in bytes, which is faster than another request.
_NEAR = 1024 * 1024
#: How often a request is made again after the bytes of one stopped coming.
_AGAIN = 3
_ARCHIVED = (
    "content: the object lies in an archive, which gives no bytes. Put it there in the class STANDARD."
)
_ENCRYPTED = (
    "content: the object is encrypted with a key that came with it (SSE-C), and that nobody else has. Put it"
    " there without one."
)
_OF_OTHERS = (
    "content: the object is encrypted with a key of KMS that this site may not use, or that is off. Put it"
    " there under the bucket's own, or have the site be allowed kms:Decrypt with this one."
)
#: What a store says of a key of KMS that gives nothing as long as nobody changes it. One that is busy passes.
_DEAD_KEYS = frozenset(
    {
        "KMS.AccessDeniedException",
        "KMS.DisabledException",
        "KMS.InvalidKeyUsageException",
        "KMS.InvalidStateException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    }
)
#: What a refusal says that is of the key, and not of the object: the right, or that nobody is to know.
_OF_KEYS = ("kms:", "The ciphertext refers to")


def open_object(client: Any, target: dict[str, str], size: int, etag: str) -> BinaryIO:
    """Return an object of ``size`` bytes, as long as it is the one with this ETag. Reading raises
    ``Unavailable``, or ``Rejected`` if the store will never give its bytes."""
    return io.BufferedReader(_Ranges(client, {**target, "IfMatch": etag}, size), _BUFFER)


class _Ranges(io.RawIOBase):
    def __init__(self, client: Any, target: dict[str, str], size: int) -> None:
        super().__init__()
        self._client = client
        self._target = target
        self._size = size
        self._at = 0
        self._body: Any = None
        #: Where the body goes on.
        self._body_at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        with answering("give"):
            data = self._read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, wanted: int) -> bytes:
        """Return the next bytes, one at least."""
        for left in reversed(range(_AGAIN + 1)):
            try:
                self._go()
                data: bytes = self._body.read(wanted)
                if not data:
                    raise OSError("the object ended early")
            except FAILURES as error:
                self._leave()
                _require_hope(error)
                if not left:
                    raise
            else:
                self._body_at += len(data)
                return data
        raise AssertionError

    def _go(self) -> None:
        """Have a body that goes on where the next byte is to be read."""
        ahead = self._at - self._body_at
        if self._body is None or not 0 <= ahead <= _NEAR:
            self._leave()
            answer = self._client.get_object(
                **self._target, Range=f"bytes={self._at}-", ResponseContentType=_MEDIA_TYPE
            )
            if self._at and "ContentRange" not in answer:
                answer["Body"].close()
                raise NoStore(reason="it gives the whole for a part")
            self._body, self._body_at = answer["Body"], self._at
        while self._body_at < self._at:
            passed = len(self._body.read(self._at - self._body_at))
            if not passed:
                raise OSError("the object ended early")
            self._body_at += passed

    def _leave(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        if not self.closed:
            self._leave()
        super().close()


def _require_hope(error: Exception) -> None:
    """Raise ``Rejected`` if a request for an object fails for what the object itself is."""
    if not isinstance(error, ClientError):
        return
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if code == "InvalidObjectState":
        raise Rejected(_ARCHIVED, field="content") from error
    if code == "InvalidRequest" and "ncryption" in message:
        raise Rejected(_ENCRYPTED, field="content") from error
    if code in _DEAD_KEYS or (code == "AccessDenied" and any(words in message for words in _OF_KEYS)):
        raise Rejected(_OF_OTHERS, field="content") from error
