"""Keys that nobody reads: which of them are ours misspelt, and what they may have been meant for."""

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches

PREFIX = "warehouse14."

_SEPARATORS = re.compile(r"[^a-z0-9]+", re.ASCII)
#: How like two words are, of 1, of which one is taken for a misspelt other.
_LIKENESS = 0.85
_PLAIN_PREFIX = "warehouse14_"


def complaint(keys: Iterable[str], known: Iterable[str], variables: Mapping[str, str]) -> str:
    """Return the complaint about unknown keys, with the ``variables`` that set some of them, by key, and the
    known keys that they may stand for."""
    guesses = [(_with_source(key, variables), guess(key, known)) for key in sorted(keys)]
    return "unknown setting: " + ", ".join(
        said if meant is None else f"{said} (did you mean {meant}?)" for said, meant in guesses
    )


def _with_source(key: str, variables: Mapping[str, str]) -> str:
    return f"{key}, set by {variables[key]}" if key in variables else key


def is_ours(key: str, known: Iterable[str]) -> bool:
    """Whether ``key``, which does not begin with our prefix, cannot be meant for anybody else.

    It is one of ours without its prefix or with other separators or capitals,
    or its own prefix is nearly ours.
    """
    return _has_nearly_our_prefix(key) or _plain(key) in map(_plain, known)


def guess(key: str, known: Iterable[str]) -> str | None:
    """Return the known key that ``key`` is most like, if it is like any."""
    named = {_plain(name): name for name in known}
    rest = key.partition(".")[2] if _has_nearly_our_prefix(key) else key
    return next((named[found] for found in get_close_matches(_plain(rest), named, 1, _LIKENESS)), None)


def _has_nearly_our_prefix(key: str) -> bool:
    prefix, dot, _ = key.lower().partition(".")
    return SequenceMatcher(None, prefix + dot, PREFIX).ratio() >= _LIKENESS and bool(dot)


def _plain(key: str) -> str:
    """Return ``key`` without our prefix, and without what people mix up: capitals and separators."""
    return _SEPARATORS.sub("_", key.lower()).removeprefix(_PLAIN_PREFIX)
