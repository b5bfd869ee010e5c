"""From settings to a file store in a bucket."""

from dataclasses import dataclass

from warehouse14.domain.ports import FileStore
from warehouse14.settings import Section, SettingError

#: Below the prefix.
BLOBS = "blobs/"

_WAYS = frozenset({"redirect", "proxy"})
#: What the signature of an address is good for at most: a week.
_MOST_URL_SECONDS = 604_800
_MOST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a bucket.

    Attributes:
        bucket: its name.
        prefix: what the keys of all our objects begin with: empty, or ending in ``/``.
        staging: what those begin with, after ``prefix``, that others send and that are no files yet.
        incoming: what those begin with, after ``prefix``, that others put there and that are taken in.
        region: where it is, or None for what boto3 finds.
        endpoint_url: the address of the store, or None for that of AWS.
        public_endpoint_url: its address for clients, or None if theirs is the same.
        path_style: whether the name of the bucket stands in the path of addresses.
        redirect: whether clients reach the store itself: downloads come from there, and parts go there.
        url_seconds: how long an address of a download is good.
        checksums: whether objects and parts go with their SHA-256.
        encryption: ``AES256``, ``aws:kms``, ``aws:kms:KEY``, or empty for what the bucket does by itself.
        connect_seconds: how long a connection may take.
        read_seconds: how long the store may be silent.
        attempts: how often a request is made at most.
    """

    bucket: str
    prefix: str
    staging: str
    incoming: str
    region: str | None
    endpoint_url: str | None
    public_endpoint_url: str | None
    path_style: bool
    redirect: bool
    url_seconds: int
    checksums: bool
    encryption: str
    connect_seconds: int
    read_seconds: int
    attempts: int


def file_store(section: Section) -> FileStore:
    """Return the file store in a bucket.

    Keys: ``bucket``; ``prefix``, before the keys of all objects, and after it ``staging`` (``staging/``)
    before those of what clients send, and ``incoming`` (``incoming/``) before those of whole files that
    others put there; ``region`` and ``endpoint_url``, by default what boto3 finds;
    ``public_endpoint_url``, where clients get to the store by another address;
    ``path_style`` (false); ``downloads``: ``redirect`` to addresses of the store that are good for
    ``url_seconds`` (300), or ``proxy``; ``checksums`` (true), of what is sent; ``encryption``: ``AES256``,
    ``aws:kms`` or ``aws:kms:KEY``;
    ``connect_seconds`` (5), ``read_seconds`` (30) and ``attempts`` (4) of a request. Credentials are those
    that boto3 finds. Raises ``SettingError``.
    """
    staging = _apart("staging", section.text("staging", "staging/"), BLOBS)
    options = Options(
        bucket=section.text("bucket"),
        prefix=_prefix("prefix", section.text("prefix", "")),
        staging=staging,
        incoming=_apart("incoming", section.text("incoming", "incoming/"), BLOBS, staging),
        region=section.text("region", "") or None,
        endpoint_url=section.address("endpoint_url"),
        public_endpoint_url=section.address("public_endpoint_url"),
        path_style=section.flag("path_style", False),
        redirect=section.choice("downloads", "redirect", _WAYS) == "redirect",
        url_seconds=section.number("url_seconds", 300, least=1, most=_MOST_URL_SECONDS),
        checksums=section.flag("checksums", True),
        encryption=_encryption(section.text("encryption", "")),
        connect_seconds=section.number("connect_seconds", 5, least=1, most=_MOST_SECONDS),
        read_seconds=section.number("read_seconds", 30, least=1, most=_MOST_SECONDS),
        attempts=section.number("attempts", 4, least=1, most=20),
    )
    try:
        from warehouse14.adapters.s3.store import ReachedS3Store, S3Store
    except ModuleNotFoundError as error:
        raise SettingError(
            "warehouse14.files = s3 needs boto3; install that, or Warehouse14 with its extra aws"
        ) from error
    return ReachedS3Store(options) if options.redirect else S3Store(options)


def _prefix(key: str, text: str) -> str:
    name = text.strip("/")
    if "//" in name or "\\" in name or not name.isprintable():
        raise SettingError(f"warehouse14.files.{key} = {text!r} is not a path such as packages/")
    return f"{name}/" if name else ""


def _apart(key: str, text: str, *others: str) -> str:
    """Return a prefix that neither lies below one of the ``others`` nor the other way round."""
    found = _prefix(key, text)
    for other in others:
        if found.startswith(other) or other.startswith(found):
            what = "the files do" if other == BLOBS else f"what clients send does, {other}"
            raise SettingError(f"warehouse14.files.{key} = {text!r} lies where {what}")
    return found


def _encryption(text: str) -> str:
    if text not in {"", "AES256", "aws:kms"} and not text.startswith("aws:kms:"):
        raise SettingError(
            f"warehouse14.files.encryption = {text!r} is not one of AES256, aws:kms, aws:kms:KEY"
        )
    return text
