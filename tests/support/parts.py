"""A store that takes parts, for what does not depend on how they are sent: they come by a call."""

import io
from typing import BinaryIO, TypeVar

from warehouse14.domain.errors import NotFound
from warehouse14.domain.ports import FileStore, Part, PartRequest, TakesParts, Waiting

Store = TypeVar("Store", bound=FileStore)


def taking_parts(store: Store) -> Store:
    """Have a store take parts, in memory, beside all that it does."""
    store.place = Places(store)  # type: ignore[attr-defined]
    return store


def parts_of(store: FileStore, upload: str) -> "MemoryPlace":
    """Return where the parts of an upload come to, by its id."""
    assert isinstance(store, TakesParts)
    place = store.place(f"{upload[:32]}/{upload[32:]}")
    assert isinstance(place, MemoryPlace)
    return place


class Places:
    """The places of one store."""

    def __init__(self, real: FileStore) -> None:
        self._real = real
        self._places: dict[str, MemoryPlace] = {}

    def __call__(self, key: str) -> "MemoryPlace":
        return self._places.setdefault(key, MemoryPlace(self._real))


class MemoryPlace:
    """Implements ``Place``; ``come`` are the parts, by what their upload is called."""

    def __init__(self, real: FileStore) -> None:
        self._real = real
        self.notes: dict[str, bytes] = {}
        self.come: dict[str, dict[int, bytes]] = {}
        self.file: bytes | None = None

    def send(self, number: int, data: bytes) -> None:
        """Bring a part, to the only upload there is."""
        (parts,) = self.come.values()
        parts[number] = data

    def note(self, name: str, data: bytes) -> None:
        self.notes[name] = data

    def noted(self, name: str) -> bytes | None:
        return self.notes.get(name)

    def begin(self) -> str:
        begun = f"upload {len(self.come)}"
        self.come[begun] = {}
        return begun

    def request(self, begun: str, part: Part) -> PartRequest:
        return PartRequest(f"memory:{begun}/{part.number}/{part.size}", {"sha256": part.sha256})

    def sent(self, begun: str) -> dict[int, int] | None:
        parts = self.come.get(begun)
        return None if parts is None else {number: len(data) for number, data in parts.items()}

    def join(self, begun: str) -> bool:
        parts = self.come.pop(begun, None)
        if parts:
            self.file = b"".join(parts[number] for number in sorted(parts))
        return self.file is not None

    def waiting(self) -> Waiting:
        if self.file is None:
            raise NotFound("file", "that waits")
        return MemoryWaiting(self._real, self.file)

    def end(self, begun: str) -> None:
        self.come.pop(begun, None)
        self.file = None


class MemoryWaiting:
    """Implements ``Waiting``."""

    def __init__(self, real: FileStore, data: bytes) -> None:
        self._real = real
        self._data = data
        self._beside: dict[str, bytes] = {}

    def reader(self) -> BinaryIO:
        return io.BytesIO(self._data)

    def beside(self, key: str, data: bytes) -> None:
        self._beside[key] = data

    def commit(self, key: str) -> None:
        with self._real.stage() as staged:
            staged.write(self._data)
            for small, data in self._beside.items():
                staged.beside(small, data)
            staged.commit(key)
