"""What docs/permissions.md says of an address that was met on the way."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from permissions.reading import section
from permissions.table import ADDRESS, CLIENTS, METHOD, PAGES
from permissions.views import PROJECTS
from permissions.ways import Ways
from permissions.words import PEOPLE, YES, word

NOBODY = ""
#: Who is of which kind.
KINDS: Mapping[str, str] = {who or NOBODY: kind for kind, who in PEOPLE.items()}
EVERYBODY = tuple(KINDS)

_PRIVATE, _PUBLIC = PROJECTS[False], PROJECTS[True]
_GROUP = "crew"
#: Where the name of an address is a project's.
_PROJECT = re.compile(r"(?<=(?:projects|packages)/)<name>|(?<=simple/)<name>")
#: These are harmless to all, and of use to some.
_OFFERED = {
    "/login": {NOBODY},
    "/oauth/<provider>/@@start": {NOBODY},
    "/logout": {*EVERYBODY} - {NOBODY},
}


@dataclass(frozen=True)
class Right:
    """A row of the page: an address, and what each kind of people hears there."""

    address: str
    is_form: bool
    cells: tuple[tuple[str, str], ...]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the addresses of this row look like."""
        pattern = re.escape(self.address)
        pattern = re.sub(r"(?<=/groups/)<name>", "(?P<group>[^/@]+)", pattern)
        pattern = re.sub(_PROJECT, "(?P<project>[^/@]+)", pattern)
        return re.compile(re.sub(r"(?<!\?P)<[a-z]+>", "[^/@]+", pattern) + r"(\?.*)?")

    def word(self, who: str, path: str) -> str:
        """Return what this person hears at ``path``."""
        found = self.pattern.fullmatch(path)
        assert found is not None
        project = found.groupdict().get("project") or _PRIVATE
        if project not in PROJECTS.values() or found.groupdict().get("group") not in {None, _GROUP}:
            # What somebody has created on the way is private, and its own.
            who, project = "ada", _PRIVATE
        return self.said(who, public=project == _PUBLIC)

    def said(self, who: str, *, public: bool) -> str:
        """Return what this person hears on one of the two projects."""
        return word(dict(self.cells)[KINDS[who]], public=public)

    def is_for(self, who: str, path: str) -> bool:
        """Whether this person may see the page, or send the form, at ``path``."""
        return self.word(who, path) == YES

    def is_offered(self, who: str, ways: Ways, path: str = "") -> bool:
        """Whether a page leads this person there: at ``path``, or at all."""
        if not ways.lead_to(self.address, is_form=self.is_form):
            return False
        if self.address in _OFFERED:
            return who in _OFFERED[self.address]
        if path:
            return self.is_for(who, path)
        return any(self.said(who, public=public) == YES for public in PROJECTS)


def _rights(title: str, method: str) -> tuple[Right, ...]:
    return tuple(
        Right(row[ADDRESS], method == "POST", tuple((kind, row[kind]) for kind in PEOPLE))
        for row in section(title)
        if row[METHOD] == method
    )


def _divided(rights: Iterable[Right]) -> tuple[tuple[Right, ...], tuple[Right, ...]]:
    """Return the rows of the index and of uploads, and those of the rest of the API."""
    of_api = tuple(
        right for right in rights if right.address.startswith("/api/") and right.address != "/api/uploads"
    )
    return tuple(right for right in rights if right not in of_api), of_api


#: Rows for pages and for forms, and the same for clients and for the API.
PAGES_SEEN, FORMS_SENT = _rights(PAGES, "GET"), _rights(PAGES, "POST")
INDEX_READ, API_ASKED = _divided(_rights(CLIENTS, "GET"))
UPLOADS, API_SENT = _divided(_rights(CLIENTS, "POST"))


def right_to(rights: Iterable[Right], path: str) -> Right:
    """Return the row of an address, the longest that fits. One without was written without the table."""
    found = [right for right in rights if right.pattern.fullmatch(path)]
    assert found, f"{path} stands in no row of the table"
    return max(found, key=lambda right: len(right.address))
