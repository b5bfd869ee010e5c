"""A store that others put files into, in memory, for what does not depend on how they are put."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime

from support.parts import MemoryWaiting
from warehouse14.adapters.memory import MemoryFiles
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.ports import Arrived, Waiting

#: The longest key.
MOST_KEY = 1024


class IncomingFiles(MemoryFiles):
    """Blobs in memory, and a folder beside them that others put files into."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(now)
        self.folder = MemoryIncoming(self, now)

    def incoming(self) -> "MemoryIncoming":
        return self.folder


class MemoryIncoming:
    """Implements ``Incoming``.

    Attributes:
        objects: what lies there, by key: the bytes, when they came, and of what a text speaks.
        on_read: called with a key when what lies there is about to be read.
        on_copy: called with a key when what lies there is about to be made a blob.
        on_note: called with a key when a text is about to be written.
        on_noted: called with a key when it has been said of what the text there speaks.
        is_away: whether nothing answers.
        tag_of: makes the tag of what lies there.
    """

    def __init__(self, real: MemoryFiles, now: Callable[[], datetime]) -> None:
        self._real = real
        self._now = now
        self.objects: dict[str, tuple[bytes, datetime, str]] = {}
        self.is_away = False
        self.tag_of: Callable[[bytes], str] = lambda data: hashlib.sha256(data).hexdigest()
        self.on_read: Callable[[str], None] = lambda _: None
        self.on_copy: Callable[[str], None] = lambda _: None
        self.on_note: Callable[[str], None] = lambda _: None
        self.on_noted: Callable[[str], None] = lambda _: None

    def put(self, key: str, data: bytes) -> None:
        """Put a file there, as others do."""
        self.objects[key] = (data, self._now(), "")

    def key(self, bucket: str, name: str) -> str | None:
        return name.removeprefix("incoming/") if name.startswith("incoming/") else None

    def all(self) -> Iterator[Arrived]:
        if self.is_away:
            raise Unavailable("away")
        return iter([found for key in self.objects if (found := self.arrived(key))])

    def arrived(self, key: str) -> Arrived | None:
        if self.is_away:
            raise Unavailable("away")
        if key not in self.objects:
            return None
        data, modified, _ = self.objects[key]
        return Arrived(key, len(data), self.tag_of(data), modified)

    def waiting(self, arrived: Arrived) -> Waiting:
        self.on_read(arrived.key)
        return _Copied(self._real, self, arrived)

    def remove(self, arrived: Arrived) -> None:
        found = self.arrived(arrived.key)
        if found is not None and found.tag == arrived.tag:
            del self.objects[arrived.key]

    def note(self, key: str, text: str, *, tag: str) -> bool:
        self.on_note(key)
        if len(key) > MOST_KEY:
            return False
        self.objects[key] = (text.encode(), self._now(), tag)
        return True

    def noted(self, key: str) -> str | None:
        found = self.objects[key][2] if key in self.objects else None
        self.on_noted(key)
        return found

    def remove_note(self, key: str) -> None:
        self.objects.pop(key, None)


class _Copied(MemoryWaiting):
    """Implements ``Waiting``: what lies there by then is made a blob, if its tag is the same."""

    def __init__(self, real: MemoryFiles, folder: MemoryIncoming, arrived: Arrived) -> None:
        super().__init__(real, folder.objects[arrived.key][0])
        self._folder = folder
        self._arrived = arrived

    def commit(self, key: str) -> None:
        self._folder.on_copy(self._arrived.key)
        now = self._folder.arrived(self._arrived.key)
        if now is None or now.tag != self._arrived.tag:
            raise Unavailable("it is another one now")
        self._data = self._folder.objects[self._arrived.key][0]
        super().commit(key)
