"""What a site knows as lines of JSON: what there is of each kind, in the order in which it is put back."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from cattrs.errors import BaseValidationError

from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token
from warehouse14.domain.moving.checking import Check, Row
from warehouse14.domain.moving.known import Known, Owned, People
from warehouse14.domain.moving.values import converter

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
_converter = converter()


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

    def check(self, serial: int) -> None:
        """Read every line once. Raises ``Rejected`` unless all of them, up to the entry ``serial``, can be
        put into a store."""
        check = Check(serial)
        for row in self._rows(*_KINDS):
            try:
                check(row)
            except (ValueError, OverflowError) as error:
                raise Rejected(f"A row of it cannot be taken: {error}", field="archive") from error
        if check.serial != serial:
            raise Rejected(f"Its journal ends at {check.serial}, and not at {serial}.", field="archive")

    def people(self) -> People:
        """See the protocol."""
        found: dict[type[Row], list[Any]] = {kind: [] for kind in (Account, Group, Login, Token)}
        for row in self._rows(*(_NAMES[kind] for kind in found)):
            found[type(row)].append(row)
        return People(found[Account], found[Group], found[Login], found[Token])

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
        return (change for change in self._journal() if change.serial > since)

    def change(self, serial: int) -> Change | None:
        """See the protocol."""
        return next((change for change in self._journal() if change.serial == serial), None)

    def serial(self) -> int:
        """See the protocol."""
        return max((change.serial for change in self._journal()), default=0)

    def _journal(self) -> Iterator[Change]:
        return (row for row in self._rows(_NAMES[Change]) if isinstance(row, Change))

    def _rows(self, *names: str) -> Iterator[Row]:
        position = 0
        while True:
            # Two of these may be read in turns.
            self._lines.seek(position)
            text = self._lines.readline()
            if not text:
                return
            position += len(text)
            name, values = _parsed(text)
            if name in names:
                yield _row(name, values, text)


def write(found: Iterable[Row], to: BinaryIO) -> None:
    """Write rows as lines."""
    for row in found:
        to.write(line(row))


def _parsed(text: bytes) -> tuple[str, Any]:
    """Return of which kind a row is, and its values."""
    try:
        ((name, values),) = json.loads(text).items()
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Rejected(f"A row of it cannot be read: {text[:80]!r}...", field="archive") from error
    if name not in _KINDS:
        raise Rejected(f"It has a row of the kind {name[:40]!r}: it is of a newer release.", field="archive")
    return name, values


def _row(name: str, values: Any, text: bytes) -> Row:
    try:
        row: Any = _converter.structure(values, _KINDS[name])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BaseValidationError) as error:
        raise Rejected(f"A row of it cannot be read: {text[:80]!r}...", field="archive") from error
    return row  # type: ignore[no-any-return]
