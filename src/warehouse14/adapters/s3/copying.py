"""Copies from one key to another that the store makes itself."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import FAILURES, UNKNOWN_CONDITION, code_of

#: The largest object that is copied in one request, and of larger ones the usual size of a part, in bytes.
#: Stores take 5 GB at once, but are silent for as long as that takes.
MOST_AT_ONCE = 1024**3
_PART_BYTES = 512 * 1024**2
_MOST_PARTS = 10_000
#: What stands before the number of parts in a sum that is of their sums.
_OF_PARTS = "-"
#: That the tags of an object stay behind: to copy them takes further rights.
_NO_TAGS = {"TaggingDirective": "REPLACE"}
#: That the store says the sum of a copy.
_SUM = {"ChecksumAlgorithm": "SHA256"}
#: What a store says that does not know of tags or sums: some take the header for a wrong one.
_UNKNOWN_WISH = UNKNOWN_CONDITION | {"InvalidArgument", "InvalidRequest"}


def copy(
    client: Any,
    source: Mapping[str, str],
    target: Mapping[str, str],
    about: Mapping[str, str],
    size: int,
    *,
    etag: str,
    sums: bool,
) -> str:
    """Copy an object, in parts if it is large; a copy that fails leaves nothing, if the store can be told so.

    Return the SHA-256 of the copy, in Base64, if the store says it: of parts and by some it says none.

    Args:
        client: speaks to the store.
        source: the bucket and the key of the object.
        target: those of the copy.
        about: the type and the encryption of the copy.
        size: how many bytes it has.
        etag: which object it has to be.
        sums: whether to ask for its SHA-256.
    """
    given = {"CopySource": dict(source), "CopySourceIfMatch": etag}
    if size <= MOST_AT_ONCE:
        answer = copy_whole(client, {**target, **about, **given, "MetadataDirective": "REPLACE"}, sums=sums)
        said = str(answer["CopyObjectResult"].get("ChecksumSHA256", ""))
        return "" if _OF_PARTS in said else said
    upload = client.create_multipart_upload(**target, **about)["UploadId"]
    try:
        parts = [
            _copy_part(client, {**target, **given, "UploadId": upload, "PartNumber": number}, span)
            for number, span in enumerate(_spans(size), start=1)
        ]
        client.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
    except BaseException:
        with suppress(*FAILURES):
            client.abort_multipart_upload(**target, UploadId=upload)
        raise
    return ""


def copy_whole(client: Any, what: dict[str, Any], *, sums: bool) -> Any:
    """Copy ``what`` in one request, without its tags and, if wished, with its sum, as far as the store knows
    of that."""
    wishes = [{**_NO_TAGS, **_SUM}, _SUM, _NO_TAGS] if sums else [_NO_TAGS]
    for wish in wishes:
        try:
            return client.copy_object(**what, **wish)
        except ClientError as error:
            if code_of(error) not in _UNKNOWN_WISH:
                raise
    return client.copy_object(**what)


def _spans(size: int) -> Iterator[str]:
    step = max(_PART_BYTES, -(-size // _MOST_PARTS))
    for start in range(0, size, step):
        yield f"bytes={start}-{min(start + step, size) - 1}"


def _copy_part(client: Any, what: dict[str, Any], span: str) -> dict[str, Any]:
    answer = client.upload_part_copy(**what, CopySourceRange=span)
    return {"ETag": answer["CopyPartResult"]["ETag"], "PartNumber": what["PartNumber"]}
