"""Where others send a file in parts, past this program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from warehouse14.domain.ports.files import Waiting


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: its number, from 1 on, its size in bytes, and its SHA-256 in hex."""

    number: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PartRequest:
    """What sends one part, by PUT.

    Attributes:
        address: where to, good for whoever has it, for a while.
        headers: what has to come with it, beside its length.
    """

    address: str = field(repr=False)
    headers: Mapping[str, str]


class Place(Protocol):
    """Where one file waits while others send it, with notes about it. Nothing in it is a blob."""

    def note(self, name: str, data: bytes) -> None:
        """Keep a small note, durably, in the place of an earlier one."""

    def noted(self, name: str) -> bytes | None:
        """Return a note, or None if there is none."""

    def begin(self) -> str:
        """Begin to take parts, and return what the store calls that."""

    def request(self, begun: str, part: Part) -> PartRequest:
        """Return what sends this part, and no other bytes as far as the store holds it."""

    def sent(self, begun: str) -> Mapping[int, int] | None:
        """Return the sizes in bytes of the parts that have come, by number; None if no parts are taken any
        more, because they were joined or are gone."""

    def join(self, begun: str) -> bool:
        """Make one file of all parts, unless that is done. Return whether it is there now."""

    def waiting(self) -> Waiting:
        """Return the joined file. Raises ``NotFound``."""

    def end(self, begun: str) -> None:
        """Remove the parts and the file, and keep the notes; what is not there is fine."""


@runtime_checkable
class TakesParts(Protocol):
    """What a file store may be able to do beside: let others send it a file in parts.

    What lies in a place is a leftover when it is old, its notes too.
    """

    def place(self, key: str) -> Place:
        """Return the place of this name, whether anything is there or not."""
