"""Which names a member of an archive may have."""

import re
import unicodedata
from typing import Final

#: Longer than any path that Windows or a packaging tool makes.
MAX_PATH: Final = 1024
#: Deeper than any tree of sources.
MAX_FOLDERS: Final = 40

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
_ROOTED = re.compile(r"/|[A-Za-z]:")


def path_fault(name: str) -> str | None:
    """Return what is wrong with the member's ``name``, or None if it stays inside the archive's folder.

    Refused are names that some tool would unpack elsewhere than others do:
    absolute ones, drive letters, ``..``, backslashes and control characters.
    """
    if not name:
        return "has an empty name"
    if len(name) > MAX_PATH:
        return f"has a name of more than {MAX_PATH} characters"
    if name.count("/") > MAX_FOLDERS:
        return f"has a name of more than {MAX_FOLDERS} folders"
    if _UNSAFE.search(name):
        return "has a control character or a backslash in its name; use '/' between folders"
    if _ROOTED.match(name):
        return "has an absolute name; names are relative to the archive"
    if ".." in name.split("/"):
        return "has '..' in its name; names stay below the archive's own folder"
    return None


def folded(name: str) -> str:
    """Return the key under which a file system that ignores case would keep ``name``."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", name).casefold()
