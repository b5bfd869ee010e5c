"""Where others put whole files with ordinary S3 tools, and the texts that are left beside them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import UNKNOWN_CONDITION, NoStore, answering, code_of, is_gone, is_there
from warehouse14.adapters.s3.contending import store_waiting
from warehouse14.adapters.s3.places import Ground, WaitingObject, remove
from warehouse14.domain.ports import Arrived, Waiting

#: The longest key of an object, in bytes of UTF-8.
_MOST_KEY = 1024
#: What a store says, without a word, of an object that it has no key to (SSE-C), and of other things.
_NEEDS_KEY = "400"
_TEXT = "text/plain; charset=utf-8"
#: What of a text says of which object it speaks, among its metadata.
_OF = "of"

#: Returns what is listed below a prefix.
_List = Callable[[str], Iterator[Any]]


class S3Incoming:
    """Implements ``Incoming``: objects below the prefix of ``ground``."""

    def __init__(self, ground: Ground, listed: _List) -> None:
        self._ground = ground
        self._client = ground.client
        self._listed = listed

    def key(self, bucket: str, name: str) -> str | None:
        """Return what stands behind the prefix."""
        prefix = self._ground.prefix
        is_ours = bucket == self._ground.bucket and name.startswith(prefix)
        return name.removeprefix(prefix) if is_ours else None

    def all(self) -> Iterator[Arrived]:
        """Return what the store lists."""
        prefix = self._ground.prefix
        for found in self._listed(prefix):
            key = found["Key"].removeprefix(prefix)
            yield _arrived(key, found, found["Size"])

    def arrived(self, key: str) -> Arrived | None:
        """Return what the store says of the object."""
        found = self._head(key)
        return None if found is None else _arrived(key, found, found["ContentLength"])

    def waiting(self, arrived: Arrived) -> Waiting:
        """Return the object: it is read by ranges, and the store copies it."""
        name = self._target(arrived.key)["Key"]
        return WaitingObject(self._ground, name, arrived.size, f'"{arrived.tag}"')

    def remove(self, arrived: Arrived) -> None:
        """Remove the object, by a condition where the store knows that."""
        found = self.arrived(arrived.key)
        if found is None or found.tag != arrived.tag:
            return
        target = self._target(arrived.key)
        with answering("remove"):
            try:
                self._client.delete_object(**target, IfMatch=f'"{arrived.tag}"')
            except ClientError as error:
                if code_of(error) in UNKNOWN_CONDITION:
                    remove(self._client, target)
                elif not (is_there(error) or is_gone(error)):
                    raise

    def note(self, key: str, text: str, *, tag: str) -> bool:
        """Keep the text as an object."""
        target = self._target(key)
        if len(target["Key"].encode()) > _MOST_KEY:
            return False
        put = partial(
            self._client.put_object,
            **target,
            Body=text.encode(),
            ContentType=_TEXT,
            Metadata={_OF: tag},
            **self._ground.encryption,
        )
        with answering("take"):
            store_waiting(put)
        return True

    def noted(self, key: str) -> str | None:
        """Return what the metadata of the object say."""
        found = self._head(key)
        return None if found is None else str(found.get("Metadata", {}).get(_OF, ""))

    def remove_note(self, key: str) -> None:
        """Remove the object."""
        with answering("remove"):
            remove(self._client, self._target(key))

    def _target(self, key: str) -> dict[str, str]:
        return {"Bucket": self._ground.bucket, "Key": self._ground.prefix + key}

    def _as_listed(self, name: str) -> Any:
        """Return what the list says of an object of which nothing else is said that could be used."""
        for found in self._listed(name):
            if found["Key"] == name:
                return {**found, "ContentLength": found["Size"]}
            break
        return None

    def _head(self, key: str) -> Any:
        target = self._target(key)
        if len(target["Key"].encode()) > _MOST_KEY:
            return None
        with answering("give"):
            try:
                return self._client.head_object(**target)
            except NoStore:
                # It looks like the answer of a web server where somebody has put a file as a page. A list
                # has no such look: if there is one, what answers is a store.
                return self._as_listed(target["Key"])
            except ClientError as error:
                if is_gone(error):
                    return None
                if code_of(error) == _NEEDS_KEY:
                    return self._as_listed(target["Key"])
                raise


def _arrived(key: str, found: Any, size: int) -> Arrived:
    # Listings are more exact than the headers of an object.
    return Arrived(key, size, str(found["ETag"]).strip('"'), found["LastModified"].replace(microsecond=0))
