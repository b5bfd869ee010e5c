"""How a refusal reads: the file first, then the fault and what would be right."""

from typing import Literal

from warehouse14.domain.errors import Rejected

#: The upload form's fields that a refusal can name.
Field = Literal["content", "filetype", "name", "version"]

_SHOWN = 120


def refusal(filename: str, message: str, *, field: Field = "content") -> Rejected:
    """Return the error that refuses ``filename`` for the reason ``message``."""
    return Rejected(f"{field}: {shown(filename, limit=255)}: {message}", field=field)


def shown(text: object, *, limit: int = _SHOWN) -> str:
    """Return ``text`` quoted, in ASCII and shortened to ``limit``, fit for a message."""
    raw = str(text)
    return ascii(raw if len(raw) <= limit else raw[: limit - 3] + "...")
