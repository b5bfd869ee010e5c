"""Keys of blobs: names with ``/`` between them."""

import re

#: What the key of a sidecar ends in, which holds what was said of the file beside it.
SIDECAR = ".json"
#: What the key of the core metadata ends in that were cut out of the file beside it.
METADATA = ".metadata"
#: The key of a file: its project, its SHA-256, its name.
_OF_A_FILE = re.compile(r"[^/]+/([0-9a-f]{64})/[^/]+")
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


def digest_in(key: str) -> str | None:
    """Return the SHA-256 in hex that a key says its bytes have; None for a key that says nothing of them."""
    found = None if key.endswith((SIDECAR, METADATA)) else _OF_A_FILE.fullmatch(key)
    return found[1] if found else None


def keeps_its_bytes(key: str) -> bool:
    """Whether the first blob of ``key`` stays when others are put: that of a sidecar.

    The key of a sidecar says nothing of its bytes. Any other key holds the digest of its bytes, or of the
    file that they are cut out of: what is put under it is right, and what is there may be damaged.
    """
    return key.endswith(SIDECAR)
