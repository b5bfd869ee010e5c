"""Keys of blobs: names with ``/`` between them."""

#: What could lead elsewhere where keys are paths.
_NO_NAMES = frozenset({"", ".", ".."})


def names_in(key: str) -> list[str]:
    """Return the names that ``key`` is made of. Raises ``ValueError`` unless each is one."""
    names = key.split("/")
    if not _NO_NAMES.isdisjoint(names) or "\\" in key or "\0" in key:
        raise ValueError(f"{key!r} is no key of a blob")
    return names


def checked_key(key: str) -> str:
    """Return ``key``. Raises ``ValueError`` unless it is one."""
    return "/".join(names_in(key))
