"""Where files wait that others send past this program: an upload in parts, and notes beside it.

The store itself joins the parts, and copies what has passed to where it belongs.
"""

import io
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import answering, code_of, is_gone
from warehouse14.adapters.s3.contending import store_waiting
from warehouse14.adapters.s3.ranged import open_object
from warehouse14.domain.blobkeys import checked_key
from warehouse14.domain.errors import NotFound
from warehouse14.domain.ports import Part, PartRequest, Waiting

#: How long an address to send a part to is good, in seconds.
_GOOD_FOR = 3600
_FILE = "file"
_NO_UPLOAD = "NoSuchUpload"
_MEDIA_TYPE = "application/octet-stream"
_SUM = "x-amz-checksum-sha256"

#: Stores a small blob under a key.
_Store = Callable[[str, BinaryIO, int], None]
#: Makes the object of a name, a size in bytes and an ETag the blob of a key.
_TakeOver = Callable[[str, str, int, str], None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all places stand on.

    Attributes:
        bucket: its name.
        prefix: what the keys of all that waits begin with, ending in ``/``.
        client: speaks to the store.
        signer: the same at the address that clients use.
        encryption: how objects are encrypted.
        sums: whether parts come with their SHA-256.
        store: stores a small blob.
        take_over: makes an object a blob.
    """

    bucket: str
    prefix: str
    client: Any
    signer: Any
    encryption: Mapping[str, str]
    sums: bool
    store: _Store
    take_over: _TakeOver


class S3Place:
    """Implements ``Place``."""

    def __init__(self, ground: Ground, key: str) -> None:
        self._ground = ground
        self._client = ground.client
        self._name = f"{ground.prefix}{checked_key(key)}/"
        self._target = {"Bucket": ground.bucket, "Key": self._name + _FILE}

    def note(self, name: str, data: bytes) -> None:
        """Keep a note."""
        put = partial(
            self._client.put_object,
            Bucket=self._ground.bucket,
            Key=self._name + checked_key(name),
            Body=data,
            ContentType="application/json",
            **self._ground.encryption,
        )
        with answering("take"):
            store_waiting(put)

    def noted(self, name: str) -> bytes | None:
        """Return a note."""
        with answering("give"):
            try:
                answer = self._client.get_object(
                    Bucket=self._ground.bucket, Key=self._name + checked_key(name)
                )
            except ClientError as error:
                if is_gone(error):
                    return None
                raise
            found: bytes = answer["Body"].read()
        return found

    def begin(self) -> str:
        """Begin an upload in parts."""
        algorithm = {"ChecksumAlgorithm": "SHA256"} if self._ground.sums else {}
        with answering("take"):
            answer = self._client.create_multipart_upload(
                **self._target, **self._ground.encryption, **algorithm, ContentType=_MEDIA_TYPE
            )
        return str(answer["UploadId"])

    def request(self, begun: str, part: Part) -> PartRequest:
        """Return an address that is signed for the length and the SHA-256 of the part."""
        sum_of_it = b64encode(bytes.fromhex(part.sha256)).decode("ascii")
        wanted = {
            **self._target,
            **({"ChecksumSHA256": sum_of_it} if self._ground.sums else {}),
            "UploadId": begun,
            "PartNumber": part.number,
            "ContentLength": part.size,
        }
        with answering("take"):
            address = self._ground.signer.generate_presigned_url(
                "upload_part", Params=wanted, ExpiresIn=_GOOD_FOR
            )
        return PartRequest(address, {_SUM: sum_of_it} if self._ground.sums else {})

    def sent(self, begun: str) -> Mapping[int, int] | None:
        """Return the parts that the store lists."""
        with answering("list"):
            parts = self._parts(begun)
        return None if parts is None else {part["PartNumber"]: part["Size"] for part in parts}

    def join(self, begun: str) -> bool:
        """Complete the upload."""
        with answering("take"):
            parts = self._parts(begun)
            if parts:
                self._complete(begun, parts)
            return self._head() is not None

    def waiting(self) -> Waiting:
        """Return the object, as it is now."""
        with answering("give"):
            found = self._head()
        if found is None:
            raise NotFound("file", self._name)
        return WaitingObject(self._ground, self._target["Key"], found["ContentLength"], found["ETag"])

    def end(self, begun: str) -> None:
        """End the upload, and remove the object."""
        with answering("remove"):
            end_parts(self._client, self._target, begun)
            remove(self._client, self._target)

    def _parts(self, begun: str) -> list[Any] | None:
        pages = self._client.get_paginator("list_parts").paginate(**self._target, UploadId=begun)
        try:
            return [part for page in pages for part in page.get("Parts", ())]
        except ClientError as error:
            if is_gone(error) or code_of(error) == _NO_UPLOAD:
                return None
            raise

    def _complete(self, begun: str, parts: list[Any]) -> None:
        known = ("PartNumber", "ETag", "ChecksumSHA256")
        listed = [{name: part[name] for name in known if name in part} for part in parts]
        try:
            self._client.complete_multipart_upload(
                **self._target, UploadId=begun, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            # Another was faster, or the answer to the first attempt was lost.
            if code_of(error) != _NO_UPLOAD:
                raise

    def _head(self) -> Any:
        try:
            return self._client.head_object(**self._target)
        except ClientError as error:
            if is_gone(error):
                return None
            raise


def end_parts(client: Any, target: Mapping[str, str], upload: str) -> None:
    """End an upload in parts, with the parts that the store keeps of it; one that is not there is fine."""
    try:
        client.abort_multipart_upload(**target, UploadId=upload)
    except ClientError as error:
        if not is_gone(error) and code_of(error) != _NO_UPLOAD:
            raise


def remove(client: Any, target: Mapping[str, str]) -> None:
    """Remove an object; one that is not there is fine."""
    try:
        client.delete_object(**target)
    except ClientError as error:
        # Not of S3, but of others.
        if not is_gone(error):
            raise


class WaitingObject:
    """Implements ``Waiting`` over an object: read by ranges, and committed by a copy that the store makes."""

    def __init__(self, ground: Ground, name: str, size: int, etag: str) -> None:
        self._ground = ground
        self._name = name
        self._size = size
        self._etag = etag
        self._beside: list[tuple[str, bytes]] = []

    def reader(self) -> BinaryIO:
        """Return it as a file."""
        target = {"Bucket": self._ground.bucket, "Key": self._name}
        return open_object(self._ground.client, target, self._size, self._etag)

    def beside(self, key: str, data: bytes) -> None:
        """Add a small blob."""
        self._beside.append((checked_key(key), bytes(data)))

    def commit(self, key: str) -> None:
        """Make it a blob, after the small blobs beside it."""
        for small, data in self._beside:
            self._ground.store(small, io.BytesIO(data), len(data))
        self._ground.take_over(checked_key(key), self._name, self._size, self._etag)
