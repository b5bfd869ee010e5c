"""Where others put whole files, past this program and with their own rights to the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from warehouse14.domain.ports.files import Waiting


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was put there.

    Attributes:
        key: what it is called there, as whoever put it there wrote it.
        size: in bytes.
        tag: which file it is: other bytes under the key have another, but for those that are made to have the
            same, which can be done where it is an MD5.
        modified: when it was put there, to the second. It tells also of such bytes.
    """

    key: str
    size: int
    tag: str
    modified: datetime


class Incoming(Protocol):
    """The files that others have put there, and what they are told of them. Nothing in it is a blob."""

    def key(self, bucket: str, name: str) -> str | None:
        """Return the key of what a notice of the store calls ``name`` in ``bucket``, or None if it does not
        lie here."""

    def all(self) -> Iterator[Arrived]:
        """Return everything that lies here, notes too, in any order."""

    def arrived(self, key: str) -> Arrived | None:
        """Return what lies under ``key`` now."""

    def waiting(self, arrived: Arrived) -> Waiting:
        """Return a file to read and commit, as long as it is the same one."""

    def remove(self, arrived: Arrived) -> None:
        """Remove a file, unless other bytes lie under its key by now; one that is not there is fine."""

    def note(self, key: str, text: str, *, tag: str) -> bool:
        """Keep a text under ``key``, which says something of the file with this tag, in the place of an
        earlier one. Return whether the store takes a key of that length."""

    def noted(self, key: str) -> str | None:
        """Return the tag of the file that the text under ``key`` says something of: "" for a text of somebody
        else, None if there is none."""

    def remove_note(self, key: str) -> None:
        """Remove the text under ``key``; one that is not there is fine."""


@runtime_checkable
class TakesIncoming(Protocol):
    """What a file store may be able to do beside: let others put whole files into it."""

    def incoming(self) -> Incoming:
        """Return where they lie."""
