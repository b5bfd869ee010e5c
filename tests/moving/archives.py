"""Archives as somebody may have made them: members and rows that are not as a backup writes them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest

from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Rejected
from warehouse14.domain.moving.known import InUnit
from warehouse14.domain.services.moving import MoveService
from warehouse14.domain.services.upkeep import Report

Members = dict[str, bytes]
Rows = list[dict[str, Any]]
Change = Callable[[Rows], object]

HEAD, ROWS, END = "warehouse14.json", "known.jsonl", "end.json"


def members_of(archive: io.BytesIO) -> Members:
    """Return what is in an archive."""
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def packed(members: Members, pax: Mapping[str, Mapping[str, str]] | None = None) -> io.BytesIO:
    """Return an archive with ``members``, some with headers of their own."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.pax_headers = dict((pax or {}).get(name, {}))
            tar.addfile(member, io.BytesIO(data))
    archive.seek(0)
    return archive


def with_lines(members: Members, lines: list[bytes]) -> Members:
    """Return the members with other rows, whose digest is right."""
    data = b"".join(line + b"\n" for line in lines)
    head = json.loads(members[HEAD]) | {"sha256": hashlib.sha256(data).hexdigest()}
    return members | {HEAD: json.dumps(head).encode(), ROWS: data}


def changed(members: Members, change: Change) -> Members:
    """Return the members with rows that were changed."""
    rows = [json.loads(line) for line in members[ROWS].splitlines()]
    change(rows)
    return with_lines(members, [json.dumps(row).encode() for row in rows])


def refusal(archive: io.BytesIO) -> str:
    """Return what is said of an archive, of which nothing is written."""
    with closing(open_warehouse()) as warehouse:
        with pytest.raises(Rejected) as refused:
            list(MoveService(warehouse.units, warehouse.store, warehouse.now).restore(archive))
        with warehouse.units.read() as unit:
            people = InUnit(unit).people()
            assert (people.accounts, people.groups, unit.journal.serial()) == ([], [], 0)
            assert list(unit.projects.changed_since(-1)) == []
        assert list(warehouse.store.keys()) == []
    said = str(refused.value)
    assert len(said.splitlines()) == 1
    assert len(said) < 1000
    return said


def one(kind: str, **values: Any) -> Change:
    """Return what changes the last row of a kind."""
    return lambda rows: next(row[kind] for row in reversed(rows) if kind in row).update(values)


def again(kind: str) -> Change:
    """Return what adds the last row of a kind once more."""
    return another(kind)


def another(kind: str, **values: Any) -> Change:
    """Return what adds the last row of a kind once more, with other values."""

    def change(rows: Rows) -> None:
        place = max(number for number, row in enumerate(rows) if kind in row)
        rows.insert(place, {kind: rows[place][kind] | values})

    return change


def without(kind: str) -> Change:
    """Return what leaves the rows of a kind out."""

    def change(rows: Rows) -> None:
        rows[:] = [row for row in rows if kind not in row]

    return change


def restored(archive: io.BytesIO) -> list[Report]:
    """Restore an archive, in memory, and return what is damaged."""
    with closing(open_warehouse()) as warehouse:
        carried = list(MoveService(warehouse.units, warehouse.store, warehouse.now).restore(archive))
        return [report for one in carried for report in one.damage]
