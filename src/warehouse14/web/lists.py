"""The list of projects as bytes, in parts: after a change, only those parts are made anew that it is in.

A part has the lines of a range of names. To make a list of 100,000 projects
takes half a second, to make one of its parts a few milliseconds.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Protocol

from jinja2 import Environment, Template

from warehouse14.domain.access import Identity
from warehouse14.domain.index import Index
from warehouse14.domain.model import ProjectSummary
from warehouse14.domain.names import ProjectName
from warehouse14.domain.simple import API_VERSION
from warehouse14.web.negotiation import Form, Offer
from warehouse14.web.page import OVERHEAD, Page, finished
from warehouse14.web.pieces import Piece, head_length, joined, piece

#: How many projects a part has in the middle.
_PART = 500


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of the projects from ``first`` on, up to the next part's first.

    Attributes:
        first: the name of the first one.
        newest: the newest serial of them.
        lines: what is sent of them.
    """

    first: ProjectName
    newest: int
    lines: Piece


@dataclass(frozen=True, slots=True)
class _List:
    """A list that has all changes up to the entry ``serial``; its parts are within its page's body."""

    page: Page
    parts: Sequence[_Part]
    serial: int


class _Written(Protocol):
    """How a list is written."""

    #: What stands between the lines of two parts.
    between: str

    def around(self, newest: int) -> tuple[str, str]:
        """Return what stands before and after the lines of a list whose newest serial is ``newest``."""

    def lines(self, projects: Sequence[ProjectSummary]) -> str:
        """Return the lines of ``projects``."""


class ProjectLists:
    """Renders lists of projects, each once, and again where it has changed."""

    def __init__(self, index: Index, templates: Environment) -> None:
        self._index = index
        html = _Html(templates.get_template("simple_list.jinja2"))
        self._forms: Mapping[Form, _Written] = {Form.JSON: _Json(), Form.HTML: html}

    def page(self, identity: Identity, offer: Offer, *, compressed: bool) -> Page:
        """Return the list of the projects that ``identity`` may read."""
        cache = self._index.cache
        reach = identity.token and identity.token.reach
        key = ("project-list", identity.principals, reach, offer, compressed)
        known: _List | None = cache.get(key)
        if known is None or known.serial < cache.projects_serial:
            known, serial = self._made(known, identity, offer, compressed=compressed)
            size = len(known.page.body) + OVERHEAD * (1 + len(known.parts))
            cache.put(key, known, size=size, tags=(), serial=serial)
        return known.page

    def _made(
        self, old: _List | None, identity: Identity, offer: Offer, *, compressed: bool
    ) -> tuple[_List, int]:
        """Return the list as it is now, with the parts of ``old`` that have not changed, and the serial at
        which it was read."""
        form = self._forms[offer.form]
        changed = None
        if old is not None:
            firsts = [part.first for part in old.parts]
            changed = self._index.changed_parts(identity, firsts, old.serial)
        if old is None or changed is None:
            every, serial = self._index.project_list(identity)
            parts = list(_cut(every.projects, form, compressed=compressed))
        else:
            renewed, serial = changed
            parts, at = [], 0
            for those in renewed:
                parts += old.parts[at : those.numbers.start]
                parts += _cut(those.projects, form, compressed=compressed)
                at = those.numbers.stop
            parts += old.parts[at:]
        settled = self._index.cache.settled(serial)
        return _put_together(parts, form, offer, settled, compressed=compressed), serial


def _cut(projects: Sequence[ProjectSummary], form: _Written, *, compressed: bool) -> Iterator[_Part]:
    """Return the parts of ``projects``, none for no projects.

    Where a part begins depends on the names alone. So lists that were changed part by part, and
    lists that were made at once, are the same bytes, with the same ETag in every process.
    """
    begins = [number for number, project in enumerate(projects) if number and _begins_part(project.name)]
    for start, end in pairwise([0, *begins, len(projects)]):
        some = projects[start:end]
        if some:
            newest = max(project.serial for project in some)
            yield _Part(some[0].name, newest, piece(form.lines(some), compressed=compressed))


def _begins_part(name: ProjectName) -> bool:
    return zlib.crc32(name.encode("ascii")) % _PART == 0


def _put_together(
    parts: Sequence[_Part], form: _Written, offer: Offer, serial: int, *, compressed: bool
) -> _List:
    newest = max((part.newest for part in parts), default=0)
    texts = (*form.around(newest), form.between)
    head, tail, between = (piece(text, compressed=compressed) for text in texts)
    pieces = [head]
    for part in parts:
        pieces += [part.lines, between]
    if parts:
        pieces.pop()
    pieces.append(tail)
    body = joined(pieces, compressed=compressed)
    ends = list(accumulate((len(each.sent) for each in pieces), initial=head_length(compressed=compressed)))
    return _List(
        page=finished(body, offer, newest, compressed=compressed),
        parts=list(_within(memoryview(body), parts, ends[1::2])),
        serial=serial,
    )


def _within(body: memoryview, parts: Iterable[_Part], starts: Iterable[int]) -> Iterator[_Part]:
    """Return ``parts`` with their lines within ``body``, so that they are not in memory twice."""
    for part, start in zip(parts, starts, strict=False):
        sent = body[start : start + len(part.lines.sent)]
        yield replace(part, lines=replace(part.lines, sent=sent))


class _Json:
    """PEP 691."""

    between = ","

    def around(self, newest: int) -> tuple[str, str]:
        meta = _dumps({"api-version": API_VERSION, "_last-serial": newest})
        return f'{{"meta":{meta},"projects":[', "]}"

    def lines(self, projects: Sequence[ProjectSummary]) -> str:
        return _dumps([{"name": project.name, "_last-serial": project.serial} for project in projects])[1:-1]


class _Html:
    """PEP 503: the blocks of the template, each by itself."""

    between = ""

    def __init__(self, template: Template) -> None:
        self._template = template

    def around(self, newest: int) -> tuple[str, str]:
        return self._block("head", version=API_VERSION), self._block("tail", serial=newest)

    def lines(self, projects: Sequence[ProjectSummary]) -> str:
        return self._block("lines", projects=projects)

    def _block(self, name: str, **values: object) -> str:
        template = self._template
        return "".join(template.blocks[name](template.new_context(values)))


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
