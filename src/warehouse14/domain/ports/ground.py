"""What adapters stand on."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Prepared(Protocol):
    """What every adapter can do about its own ground: tables, folders, buckets."""

    def prepare(self) -> None:
        """Make or upgrade what is missing. Safe to run again. Raises ``Misconfigured``, and ``Unavailable``
        where the same may do later."""

    def verify(self) -> None:
        """Raise ``Misconfigured``, in one line that says what to do, unless all is as it must be; or
        ``Unavailable``, in one line, where that cannot be seen now."""

    def close(self) -> None:
        """Let go of connections and files."""
