"""What a browser calls itself, in words that its owner knows."""

import re

#: What stands in the header, and the name. The first that is found counts: most claim to be others, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def browser(agent: str) -> str:
    """Return the value of a header ``User-Agent`` in words: ``Firefox 140 on Linux``.

    What is none of the well-known ones is returned as it is, if need be
    shortened: whoever sends it decides what it says.
    """
    for mark, name in _BROWSERS:
        found = re.search(rf"{mark}/(\d{{1,4}})", agent)
        if found:
            system = next((f" on {system}" for mark, system in _SYSTEMS if mark in agent), "")
            return f"{name} {found[1]}{system}"
    if not agent:
        return "An unnamed browser"
    return agent if len(agent) <= _LONGEST else f"{agent[:_LONGEST]}…"
