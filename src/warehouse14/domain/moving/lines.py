"""What a site knows as lines of JSON: what there is of each kind, in the order in which it is put back."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TypeVar

from cattrs.errors import BaseValidationError
from cattrs.preconf.json import make_converter

from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token
from warehouse14.domain.moving.known import Known, Owned, People

Row = Account | Group | Login | Token | Project | File | Change
Kind = TypeVar("Kind", bound=Row)

_KINDS: dict[str, type[Row]] = {
    "account": Account,
    "group": Group,
    "login": Login,
    "token": Token,
    "project": Project,
    "file": File,
    "change": Change,
}
_NAMES: dict[type[Any], str] = {kind: name for name, kind in _KINDS.items()}
_converter = make_converter(forbid_extra_keys=True)


def rows(known: Known) -> Iterator[Row]:
    """Return all rows of a site: each project comes before its files, and the journal is last."""
    people = known.people()
    for some in (people.accounts, people.groups, people.logins, people.tokens):
        yield from some
    for owned in known.owned(0):
        yield owned.project
        yield from owned.files
    yield from known.changes(0)


def line(row: Row) -> bytes:
    """Return a row as a line."""
    return json.dumps({_NAMES[type(row)]: _converter.unstructure(row)}).encode("ascii") + b"\n"


class InLines:
    """Implements ``Known`` on lines that can be read again. Raises ``Rejected`` for what is no row."""

    def __init__(self, lines: BinaryIO) -> None:
        self._lines = lines

    def people(self) -> People:
        """See the protocol."""
        return People(
            accounts=list(self._of(Account)),
            groups=list(self._of(Group)),
            logins=list(self._of(Login)),
            tokens=list(self._of(Token)),
        )

    def owned(self, since: int) -> Iterator[Owned]:
        """See the protocol."""
        project: Project | None = None
        files: list[File] = []
        for row in self._rows("project", "file"):
            if isinstance(row, Project):
                if project is not None and project.serial > since:
                    yield Owned(project, files)
                project, files = row, []
            elif isinstance(row, File):
                files.append(row)
        if project is not None and project.serial > since:
            yield Owned(project, files)

    def changes(self, since: int) -> Iterator[Change]:
        """See the protocol."""
        return (change for change in self._of(Change) if change.serial > since)

    def change(self, serial: int) -> Change | None:
        """See the protocol."""
        return next((change for change in self._of(Change) if change.serial == serial), None)

    def _of(self, kind: type[Kind]) -> Iterator[Kind]:
        return (row for row in self._rows(_NAMES[kind]) if isinstance(row, kind))

    def _rows(self, *names: str) -> Iterator[Row]:
        starts = tuple(f'{{"{name}":'.encode() for name in names)
        position = 0
        while True:
            # Two of these may be read in turns.
            self._lines.seek(position)
            text = self._lines.readline()
            if not text:
                return
            position += len(text)
            if text.startswith(starts):
                yield _row(text)


def write(found: Iterable[Row], to: BinaryIO) -> None:
    """Write rows as lines."""
    for row in found:
        to.write(line(row))


def _row(text: bytes) -> Row:
    try:
        ((name, values),) = json.loads(text).items()
        row: Any = _converter.structure(values, _KINDS[name])
    except (ValueError, KeyError, TypeError, AttributeError, BaseValidationError) as error:
        raise Rejected(f"A row of it cannot be read: {text[:80]!r}...", field="archive") from error
    return row  # type: ignore[no-any-return]
