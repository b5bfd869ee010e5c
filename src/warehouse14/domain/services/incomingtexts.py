"""The text beside a file that others put into the store: what came of it, or that its check was begun.

What a text speaks of is the tag of the file; behind the tag stands whether the check has only begun, for the
first time or for the second, which is the last.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from warehouse14.domain.errors import Unavailable, WarehouseError
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Arrived, Incoming, Now
from warehouse14.domain.sentences import printable

#: What the key of a text ends in that says why the file was refused that has the rest as its key.
ERROR = ".error.txt"
#: After how long whoever left a text beside a file is not at it any more: it may be a command, which has more
#: time than a function.
ABANDONED = timedelta(hours=6)

_ONCE, _TWICE = " begun", " begun twice"
#: More than any sentence has.
_MOST_TEXT = 10_000


class Texts:
    """Writes, reads and removes the texts.

    Args:
        incoming: where the files lie.
        account: the name of the account that they count as uploaded by.
        now: the time.
    """

    def __init__(self, incoming: Incoming, account: AccountName, now: Now) -> None:
        self._incoming = incoming
        self._account = account
        self._now = now

    def tell(self, arrived: Arrived, error: WarehouseError) -> bool:
        """Leave why a file was refused; return whether there is room for it. Raises ``Unavailable``."""
        return self._incoming.note(arrived.key + ERROR, self._refusal(arrived, error), tag=arrived.tag)

    def is_told(self, arrived: Arrived) -> bool:
        """Whether a text says of this very file that it is not looked at any more. Raises ``Unavailable``."""
        return self._said(arrived, self._incoming.arrived(arrived.key + ERROR)) in _told(arrived)

    def next_check(self, arrived: Arrived) -> int | None:
        """Return the number of the next check of a file, 1 or 2; None for one that is not looked at any more,
        and for one that another may be at. Raises ``Unavailable``."""
        text = self._incoming.arrived(arrived.key + ERROR)
        said = self._said(arrived, text)
        was_begun = said == arrived.tag + _ONCE
        if said in _told(arrived) or (was_begun and self._is_held(text)):
            return None
        return 2 if was_begun else 1

    @contextmanager
    def begun(self, arrived: Arrived, *, check: int) -> Iterator[bool]:
        """Have a text beside a file while it is looked at, which stays if that ends the process. Yield
        whether there is room for one. Raises ``Unavailable``."""
        key, is_last = arrived.key + ERROR, check > 1
        tag = arrived.tag + (_TWICE if is_last else _ONCE)
        is_noted = self._incoming.note(key, self._beginning(arrived, is_last=is_last), tag=tag)
        try:
            yield is_noted
        finally:
            with suppress(Unavailable):
                if self._incoming.noted(key) == tag:
                    self._incoming.remove_note(key)

    def may_be_of_begun(self, arrived: Arrived, text: Arrived) -> bool:
        """Whether a text, by its size alone, may be one that says that a file was begun once."""
        return text.size == len(self._beginning(arrived, is_last=False).encode())

    def stands(self, arrived: Arrived) -> bool:
        """Whether what was said of a refused file may stay said: no other lies there by now. Raises
        ``Unavailable``."""
        now = self._incoming.arrived(arrived.key)
        if now is None:
            self.clear(arrived.key)
        return now is None or now.tag == arrived.tag

    def take_back(self, arrived: Arrived) -> None:
        """Remove the text beside a file that passed, unless it is of another that lies there by now. Raises
        ``Unavailable``."""
        said = self._incoming.noted(arrived.key + ERROR)
        if said is None:
            return
        now = self._incoming.arrived(arrived.key)
        if now is None or now.tag == arrived.tag or said not in {*_told(now), now.tag + _ONCE}:
            self._incoming.remove_note(arrived.key + ERROR)

    def clear(self, key: str) -> None:
        """Remove what was said of the file ``key`` if that is gone. Raises ``Unavailable``."""
        if self._incoming.noted(key + ERROR) and self._incoming.arrived(key) is None:
            self._incoming.remove_note(key + ERROR)

    def _said(self, arrived: Arrived, text: Arrived | None) -> str | None:
        """Return of what the text beside a file speaks, unless it is older than the file."""
        is_of_it = text is not None and text.modified >= arrived.modified
        return self._incoming.noted(arrived.key + ERROR) if is_of_it else None

    def _is_held(self, text: Arrived | None) -> bool:
        """Whether whoever left a text beside a file, when they began it, may be at it still."""
        return text is not None and text.modified > self._now() - ABANDONED

    def _refusal(self, arrived: Arrived, error: WarehouseError) -> str:
        name, reason = (printable(text, most=_MOST_TEXT) for text in (arrived.key, str(error)))
        return (
            f"{name} was refused:\n\n{reason}\n\n"
            f"It counted as an upload by the account {self._account} (warehouse14.incoming_account),"
            f" {self._now():%Y-%m-%d %H:%M:%S} UTC.\n"
            "Put a mended file in its place. Or, if this one is right by now, remove this text: then it is"
            " looked at again.\n"
        )

    def _beginning(self, arrived: Arrived, *, is_last: bool) -> str:
        name, begun = printable(arrived.key, most=_MOST_TEXT), f"{self._now():%Y-%m-%d %H:%M:%S} UTC"
        if is_last:
            return (
                f"{name} was not taken in:\n\n"
                f"The check of this file was begun twice, the last time {begun}, and never ended. Ask whoever"
                " runs this site to look into its log.\n\n"
                "Remove this text to have it tried again.\n"
            )
        return (
            f"{name} is being looked at:\n\nThe check of this file was begun {begun}.\n\n"
            "This text goes when it ends. If it never does, it is begun once more, after"
            f" {ABANDONED // timedelta(hours=1)} hours. If nobody is at it, remove this text to have it begun"
            " at once.\n"
        )


def _told(arrived: Arrived) -> frozenset[str]:
    """Return what a text says of a file that is not looked at any more."""
    return frozenset({arrived.tag, arrived.tag + _TWICE})
