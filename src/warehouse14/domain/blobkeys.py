"""Keys of blobs: names with ``/`` between them."""

#: What the key of a sidecar ends in, which holds what was said of the file beside it.
SIDECAR = ".json"
#: What the key of the core metadata ends in that were cut out of the file beside it.
METADATA = ".metadata"
#: What could lead elsewhere where keys are paths.
_NO_NAMES = frozenset({"", ".", ".."})


def is_key(key: str) -> bool:
    """Whether a blob can have this key."""
    return _NO_NAMES.isdisjoint(key.split("/")) and "\\" not in key and "\0" not in key


def names_in(key: str) -> list[str]:
    """Return the names that ``key`` is made of. Raises ``ValueError`` unless it is one."""
    if not is_key(key):
        raise ValueError(f"{key!r} is no key of a blob")
    return key.split("/")


def checked_key(key: str) -> str:
    """Return ``key``. Raises ``ValueError`` unless it is one."""
    return "/".join(names_in(key))


def keeps_its_bytes(key: str) -> bool:
    """Whether the first blob of ``key`` stays when others are put: that of a sidecar.

    The key of a sidecar says nothing of its bytes. Any other key holds the digest of its bytes, or of the
    file that they are cut out of: what is put under it is right, and what is there may be damaged.
    """
    return key.endswith(SIDECAR)
