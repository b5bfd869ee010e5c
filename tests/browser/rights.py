"""What the hand-written table of pages and forms says of an address that was met on the way."""

import re
from dataclasses import dataclass
from functools import cached_property

from web.test_browser_parity import PEOPLE, PROJECTS, TABLE

NOBODY = ""
EVERYBODY = tuple(who or NOBODY for who in PEOPLE)

#: Stand-ins in the addresses of the table, and what stands there in the addresses of a site.
_STAND_INS = {
    "NAME": r"(?P<project>[^/@]+)",
    r"1\.0": "[^/@]+",
    "FILE": "[^/@]+",
    "crew": r"(?P<group>[^/@]+)",
    "nothing": "ID",
    "nobody": "[^/@]+",
}
_GROUP = "crew"
#: A link leads there only if a project has more versions than fit beside its description.
_UNLINKED = {"/projects/NAME/@@versions"}
#: These are harmless to all, and of use to some.
_OFFERED = {"/login": {NOBODY}, "/logout": {*EVERYBODY} - {NOBODY}}
_REFUSED = {401, 403, 404}


@dataclass(frozen=True)
class Right:
    """A row of the table: an address, and what everybody is answered there on each of the two projects."""

    address: str
    columns: tuple[tuple[int, ...], ...]
    is_form: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the addresses of this row look like."""
        pattern = re.escape(self.address)
        for word, wanted in _STAND_INS.items():
            pattern = pattern.replace(word, wanted)
        return re.compile(rf"{pattern}(\?.*)?")

    def status(self, who: str, path: str) -> int:
        """Return what this person is answered at ``path``."""
        found = self.pattern.fullmatch(path)
        assert found is not None
        project = found.groupdict().get("project") or PROJECTS[0]
        if project not in PROJECTS or found.groupdict().get("group") not in {None, _GROUP}:
            # What somebody has created on the way is private, and its own.
            who, project = "ada", PROJECTS[0]
        return self.columns[PROJECTS.index(project)][EVERYBODY.index(who)]

    def is_for(self, who: str, path: str = "") -> bool:
        """Whether this person may see the page, or send the form: at ``path``, or at all."""
        if path:
            return self._is_granted(self.status(who, path))
        return any(self._is_granted(column[EVERYBODY.index(who)]) for column in self.columns)

    def is_offered(self, who: str, path: str = "") -> bool:
        """Whether a page leads this person there."""
        if self.is_form and self.address in _OFFERED:
            return who in _OFFERED[self.address]
        return self.address not in _UNLINKED and self.is_for(who, path)

    def _is_granted(self, status: int) -> bool:
        if not self.is_form:
            return status == 200
        # The table asks for a token, a session or an account that is not there.
        wanted = {401, 403} if re.search("nothing|nobody", self.address) else _REFUSED
        return status not in wanted


def _rights(method: str) -> tuple[Right, ...]:
    return tuple(
        Right(address, tuple(tuple(map(int, column.split())) for column in columns), method == "POST")
        for (_, _, methods), rows in TABLE.items()
        if method in methods.split()
        for address, _, *columns in rows
        # What is kept from all, or belongs to a page, is no page by itself.
        if method == "POST" or any("200" in column for column in columns)
    )


#: Rows for pages, and rows for forms.
PAGES, FORMS = _rights("GET"), _rights("POST")


def right_to(rights: tuple[Right, ...], path: str) -> Right:
    """Return the row of an address. Each has one, or it was written without the table."""
    for right in rights:
        if right.pattern.fullmatch(path):
            return right
    raise AssertionError(f"{path} stands in no row of the table")
