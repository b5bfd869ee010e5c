"""Blobs as objects.

A blob's key holds the digest of its bytes, so that two uploads never give one
key different bytes, and either may be the last; no promise rests on conditions
that a store may not know.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, BinaryIO
from urllib.parse import quote

from botocore.exceptions import ClientError

from warehouse14.adapters.s3 import copying
from warehouse14.adapters.s3.client import (
    UNKNOWN_CONDITION,
    NoStore,
    answering,
    code_of,
    examining,
    is_behind,
    is_gone,
    is_there,
    make_client,
)
from warehouse14.adapters.s3.contending import store_waiting
from warehouse14.adapters.s3.incoming import S3Incoming
from warehouse14.adapters.s3.opening import BLOBS, Options
from warehouse14.adapters.s3.parts import Window, upload_in_parts
from warehouse14.adapters.s3.places import Ground, S3Place, end_parts, remove
from warehouse14.adapters.s3.reading import NOTHING, ObjectBody
from warehouse14.adapters.s3.staging import StagedObject
from warehouse14.domain.blobkeys import checked_key, digest_in, is_key, keeps_its_bytes
from warehouse14.domain.errors import NotFound, Replaced
from warehouse14.domain.ports import Blob, Elsewhere, Incoming, Place, Staged

_MEDIA_TYPE = "application/octet-stream"
#: What stands before the key of a leftover that is an object, and no upload.
_OBJECT = "-"
_FOR_EVER = "private, max-age=31536000, immutable"
#: The largest object that is stored in one request, in bytes.
_MOST_AT_ONCE = 8 * 1024 * 1024


class S3Store:
    """Blobs below ``prefix`` in one bucket. Threads and processes share it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client = make_client(options, options.endpoint_url)
        public = options.public_endpoint_url
        # An address is signed for the name of its host.
        self._signer = self._client if public is None else make_client(options, public)
        self._blobs = options.prefix + BLOBS
        self._staging = options.prefix + options.staging
        self._encryption = _encryption(options.encryption)
        self._ground = Ground(
            bucket=options.bucket,
            prefix=self._staging,
            client=self._client,
            signer=self._signer,
            encryption=self._encryption,
            sums=options.checksums,
            store=self.store,
            take_over=self.take_over,
        )

    @contextmanager
    def stage(self) -> Iterator[Staged]:
        """Return a place to write to: on this machine's disk, until it is known which blob it is."""
        staged = StagedObject(self.store)
        try:
            yield staged
        finally:
            staged.end()

    def put(self, key: str, data: bytes) -> None:
        """Store a small blob."""
        with self.stage() as staged:
            staged.write(data)
            staged.commit(checked_key(key))

    def store(self, key: str, content: BinaryIO, size: int) -> None:
        """Make ``size`` bytes of ``content`` the blob ``key``, or make the one that stays there young."""
        name = self._name(key)
        with answering("take"):
            if not keeps_its_bytes(key):
                self._store(name, content, size, {})
            elif self._head(name) is not None or not self._store_new(name, content, size):
                self._renew(name)

    def take_over(self, key: str, name: str, size: int, etag: str) -> None:
        """Make a copy of an object of this name the blob ``key``, in the place of one that is there.

        ``size`` is in bytes; ``etag`` says which object it has to be. It may be an MD5, of which somebody can
        make two alike: raises ``Replaced`` if the store says that the copy is not what its key says.
        """
        target = {"Bucket": self._options.bucket, "Key": self._name(key)}
        source = {"Bucket": self._options.bucket, "Key": name}
        with answering("take"):
            about = {"ContentType": _MEDIA_TYPE, **self._encryption}
            said = copying.copy(
                self._client, source, target, about, size, etag=etag, sums=self._options.checksums
            )
        digest = digest_in(key)
        if said and digest and said != b64encode(bytes.fromhex(digest)).decode("ascii"):
            raise Replaced

    def open(self, key: str, start: int) -> BinaryIO:
        """Return the blob as the store sends it."""
        name = self._name(key)
        wanted = {"Range": f"bytes={start}-"} if start else {}
        with answering("give"):
            try:
                answer = self._client.get_object(Bucket=self._options.bucket, Key=name, **wanted)
            except ClientError as error:
                if is_gone(error):
                    raise NotFound("blob", key) from None
                if is_behind(error):
                    return NOTHING()
                raise
            if start and "ContentRange" not in answer:
                answer["Body"].close()
                raise NoStore(reason="it gives the whole for a part")
        return ObjectBody(answer["Body"])

    def stat(self, key: str) -> Blob | None:
        """Return what is known of ``key``."""
        name = self._name(key)
        with answering("give"):
            found = self._head(name)
        return None if found is None else _blob(key, found["ContentLength"], found["LastModified"])

    def delete(self, key: str) -> None:
        """Remove ``key``."""
        name = self._name(key)
        with answering("remove"):
            remove(self._client, {"Bucket": self._options.bucket, "Key": name})

    def keys(self) -> Iterator[Blob]:
        """Return every blob; what comes or goes meanwhile may be among them or not. What is under no
        key of a blob was put there by others, such as the marker by which a console shows a folder."""
        for found in self._pages("list_objects_v2", "Contents", self._blobs):
            key = found["Key"].removeprefix(self._blobs)
            if is_key(key):
                yield _blob(key, found["Size"], found["LastModified"])

    def leftovers(self, before: datetime) -> Iterator[str]:
        """Return the uploads in parts that a killed process or client left, and what was sent and waits."""
        for area in (self._blobs, self._staging):
            for found in self._pages("list_multipart_uploads", "Uploads", area):
                if found["Initiated"] < before:
                    yield f"{found['UploadId']} {found['Key'].removeprefix(self._options.prefix)}"
        for found in self._pages("list_objects_v2", "Contents", self._staging):
            if found["LastModified"] < before:
                yield f"{_OBJECT} {found['Key'].removeprefix(self._options.prefix)}"

    def sweep(self, leftover: str) -> None:
        """Remove one leftover, with the parts that the store keeps of it."""
        upload, _, key = leftover.partition(" ")
        target = {"Bucket": self._options.bucket, "Key": self._options.prefix + (key or "-")}
        with answering("remove"):
            if upload != _OBJECT:
                end_parts(self._client, target, upload)
            elif key.startswith(self._options.staging):
                remove(self._client, target)

    def elsewhere(self, key: str, *, filename: str) -> Elsewhere | None:
        """Return an address of the store that gives the blob to whoever has it, as long as it is good."""
        if not self._options.redirect:
            return None
        wanted = {
            "Bucket": self._options.bucket,
            "Key": self._name(key),
            "ResponseContentType": _MEDIA_TYPE,
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}",
            "ResponseCacheControl": _FOR_EVER,
        }
        with answering("give"):
            address = self._signer.generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=self._options.url_seconds
            )
        return Elsewhere(address, internal=False)

    def incoming(self) -> Incoming:
        """Return where others put whole files."""
        ground = replace(self._ground, prefix=self._options.prefix + self._options.incoming)
        return S3Incoming(ground, partial(self._pages, "list_objects_v2", "Contents"))

    def prepare(self) -> None:
        """Make the bucket unless it is there."""
        with examining(self._options):
            try:
                self._look()
            except ClientError as error:
                if code_of(error) != "NoSuchBucket":
                    raise
                self._make_bucket()
                self._look()

    def verify(self) -> None:
        """Raise ``Misconfigured`` unless the bucket can be read."""
        with examining(self._options):
            self._look()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._signer.close()

    def _name(self, key: str) -> str:
        return self._blobs + checked_key(key)

    def _look(self) -> None:
        # A HEAD of the bucket would not say what is wrong.
        self._client.list_objects_v2(Bucket=self._options.bucket, Prefix=self._blobs, MaxKeys=1)

    def _make_bucket(self) -> None:
        region = self._client.meta.region_name
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self._client.create_bucket(Bucket=self._options.bucket, **where)

    def _pages(self, operation: str, items: str, area: str) -> Iterator[Any]:
        """Return the items of all pages of a listing, of all keys that begin with ``area``."""
        with answering("list"):
            pages = iter(
                self._client.get_paginator(operation).paginate(Bucket=self._options.bucket, Prefix=area)
            )
        while True:
            with answering("list"):
                page = next(pages, None)
            if page is None:
                return
            yield from page.get(items, ())

    def _head(self, name: str) -> Any:
        try:
            return self._client.head_object(Bucket=self._options.bucket, Key=name)
        except ClientError as error:
            if is_gone(error):
                return None
            raise

    def _store_new(self, name: str, content: BinaryIO, size: int) -> bool:
        """Store an object that was not there; return whether it is not there by another meanwhile."""
        try:
            self._store(name, content, size, {"IfNoneMatch": "*"})
        except ClientError as error:
            if is_there(error):
                return False
            if code_of(error) not in UNKNOWN_CONDITION:
                raise
            self._store(name, content, size, {})
        return True

    def _store(self, name: str, content: BinaryIO, size: int, condition: dict[str, Any]) -> None:
        store = self._store_in_parts if size > _MOST_AT_ONCE else self._store_at_once
        store_waiting(partial(store, name, content, size, condition))

    def _store_in_parts(self, name: str, content: BinaryIO, size: int, condition: dict[str, Any]) -> None:
        target = {"Bucket": self._options.bucket, "Key": name}
        about = {"ContentType": _MEDIA_TYPE, **self._encryption}
        upload_in_parts(self._client, target, about, content, size, condition, sums=self._options.checksums)

    def _store_at_once(self, name: str, content: BinaryIO, size: int, condition: dict[str, Any]) -> None:
        body = Window(content, 0, size)
        sum_of_it = b64encode(body.digest(sha256)).decode("ascii")
        self._client.put_object(
            Bucket=self._options.bucket,
            Key=name,
            **condition,
            **self._encryption,
            Body=body,
            ContentType=_MEDIA_TYPE,
            **({"ChecksumSHA256": sum_of_it} if self._options.checksums else {}),
        )

    def _renew(self, name: str) -> None:
        """Make an object young again: a copy onto itself has the time of the copy."""
        what = {"Bucket": self._options.bucket, "Key": name}
        about = {"MetadataDirective": "REPLACE", "ContentType": _MEDIA_TYPE, **self._encryption}
        copying.copy_whole(self._client, {**what, "CopySource": what, **about}, sums=False)


class ReachedS3Store(S3Store):
    """The same in a bucket that clients reach: they may send it files in parts."""

    def place(self, key: str) -> Place:
        """Return where a file waits that others send."""
        return S3Place(self._ground, key)


def _encryption(setting: str) -> dict[str, str]:
    if not setting:
        return {}
    algorithm, _, key = setting.removeprefix("aws:").partition(":")
    if setting == "AES256":
        return {"ServerSideEncryption": setting}
    return {"ServerSideEncryption": f"aws:{algorithm}"} | ({"SSEKMSKeyId": key} if key else {})


def _blob(key: str, size: int, modified: datetime) -> Blob:
    # Listings are more exact than the headers of an object.
    return Blob(key, size, modified.replace(microsecond=0))
