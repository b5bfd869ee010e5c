"""The kinds of people, and the words that say what each of them may."""

import re
from collections.abc import Callable, Mapping

#: The kinds of people, and who is of each on the sites that are asked.
PEOPLE: Mapping[str, str | None] = {
    "administrator": "root",
    "admin": "ada",
    "member": "bob",
    "stranger": "eve",
    "nobody": None,
}
#: Those of them who are known.
KNOWN = {kind: name for kind, name in PEOPLE.items() if name is not None}

YES, NO, HIDDEN, SIGN_IN = "yes", "no", "hidden", "sign in"

_SENTENCE = re.compile(r"(.*?\.)(?:\s|$)")
_STROKE = " / "


def cell(word_of: Callable[[bool], str]) -> str:
    """Return what is answered on a private project, and, if that is another word, on a public one."""
    private, public = word_of(False), word_of(True)
    return private if private == public else f"{private}{_STROKE}{public}"


def word(written: str, *, public: bool) -> str:
    """Return which word a cell has for one of the two."""
    return written.split(_STROKE)[-1 if public else 0]


def heard(status: int, location: str = "") -> str:
    """Return what an answer says to whoever asked."""
    if status == 401 or (status == 303 and "/login" in location):
        return SIGN_IN
    return {403: NO, 404: HIDDEN}.get(status, YES)


def first_sentence(documented: object) -> str:
    """Return what a docstring begins with."""
    found = _SENTENCE.match(" ".join((documented.__doc__ or "").split()))
    assert found is not None, f"{documented} has no docstring that begins with a sentence"
    return found[1]
