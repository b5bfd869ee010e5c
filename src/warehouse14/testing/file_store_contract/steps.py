"""Steps of the tests of file stores, and the keys that they take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from warehouse14.domain.ports import FileStore

CHUNK = 64 * 1024
KEY = "demo/5e5e/demo-1.0-py3-none-any.whl"

#: Keys that every store must keep apart and give back as they are.
KEYS = [
    "a",
    "demo/5e5e/METADATA",
    "demo/5e5e/demo-1.0-py3-none-any.whl.json",
    "demo/5e5e/Demo-1.0.whl",
    "demo/5e5e/demo 1.0 .whl",
    "demo/5e5e/demo-1.0+local.1.whl",
    "demo/5e5e/demo%2F1.0%.whl",
    "demo/5e5e/demo#1?x=y&z=;.whl",
    "demo/5e5e/dêmo-日本.whl",
    "demo/5e5e/de\N{COMBINING CIRCUMFLEX ACCENT}mo.whl",
    "demo/5e5e/\N{SNAKE}.whl",
    "demo/5e5e/'\"$(x)`*[a]{b}~!",
    "demo/5e5e/.hidden",
    "demo/5e5e/..two-dots",
    "demo/5e5e/-dash",
    "demo/5e5e/line\nbreak",
    f"demo/{'d' * 240}/{'x' * 240}",
    f"demo/5e5e/{chr(0x65E5) * 80}",
]

#: What is no key: it could lead elsewhere, or mean another key.
NO_KEYS = ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\0b", "a\\b"]

#: Every method that takes a key.
KEYED: dict[str, Callable[[FileStore, str], object]] = {
    "put": lambda store, key: store.put(key, b"data"),
    "commit": lambda store, key: stage(store, key, b"data"),
    "open": lambda store, key: store.open(key, 0),
    "stat": lambda store, key: store.stat(key),
    "delete": lambda store, key: store.delete(key),
}

#: Every method, for an outage.
METHODS: dict[str, Callable[[FileStore], object]] = {
    **{name: partial(lambda method, store: method(store, KEY), method) for name, method in KEYED.items()},
    "keys": lambda store: list(store.keys()),
    "leftovers": lambda store: list(store.leftovers(datetime.now(UTC))),
    "sweep": lambda store: store.sweep("leftover"),
}


def stage(store: FileStore, key: str, *chunks: bytes) -> None:
    """Store ``chunks`` through a stage."""
    with store.stage() as staged:
        for chunk in chunks:
            staged.write(chunk)
        staged.commit(key)


def read(store: FileStore, key: str, start: int = 0) -> bytes:
    """Return the bytes of a blob."""
    with store.open(key, start) as blob:
        return blob.read()


def names(store: FileStore) -> list[str]:
    """Return all keys, sorted."""
    return sorted(blob.key for blob in store.keys())


def modified(store: FileStore, key: str) -> datetime:
    """Return the age of a blob that must be there."""
    blob = store.stat(key)
    assert blob is not None
    return blob.modified


@contextmanager
def nothing_left(store: FileStore) -> Iterator[None]:
    """Check that the keys are the same after the block, and that nothing was left behind."""
    before = names(store)
    yield
    assert names(store) == before
    assert list(store.leftovers(datetime.now(UTC) + timedelta(days=1))) == []
