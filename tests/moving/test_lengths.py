"""What an archive says is as long as every engine keeps it, and no longer."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from moving.archives import ROWS, Members, Rows, changed, packed, refusal
from support.databases import DatabaseServer
from support.places import open_units, prepared_place
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.moving.known import InUnit
from warehouse14.domain.moving.lines import InLines, rows
from warehouse14.domain.ports import Units
from warehouse14.domain.services.moving import MoveService

#: How many characters there may be of what rows say.
LENGTHS = {
    "account": {"name": 200, "password_hash": 255, "vouched.email": 200},
    "group": {"name": 100, "created_by": 200},
    "login": {"issuer": 255, "subject": 255, "provider": 64},
    "token": {
        "id": 32,
        "name": 200,
        "reach.project": 200,
        "reach.prefix": 200,
        "secret_sha256": 64,
        "last_used_from": 200,
        "last_used_by": 200,
    },
    "project": {"name": 200, "display_name": 200, "created_by": 200, "latest.version": 240},
    "file": {"filename": 240, "version": 240, "uploaded_by": 200, "yank.by": 200},
    "change": {
        "action": 64,
        "actor": 200,
        "origin": 200,
        "project": 200,
        "account": 200,
        "token": 32,
        "group": 100,
        "by_token": 32,
    },
}
ALL = [(kind, path, most) for kind, lengths in LENGTHS.items() for path, most in lengths.items()]
DATE = "2026-01-01T00:00:00+00:00"
#: What is around a value that a row need not have.
AROUND = {
    "vouched": {"at": DATE, "groups": []},
    "latest": {"summary": "", "at": DATE},
    "yank": {"reason": "", "at": DATE},
}
#: Four bytes in UTF-8.
WIDE = "\U0001d538"
#: How the longest text is spelt where not every character may be.
SPELT = {
    "account.name": "a" * 200,
    "account.password_hash": f"scrypt$1024$16$16${'A' * 112}${'A' * 124}",
    "group.name": "a" * 100,
    "token.id": "1" * 10,
    "token.secret_sha256": "1" * 64,
    "project.name": "1" * 200,
    "project.latest.version": "1" * 240,
    "file.filename": "1" * 233 + ".tar.gz",
    "file.version": "1" * 240,
}


@pytest.fixture(params=["postgresql", pytest.param("mariadb", marks=pytest.mark.debian)])
def units(request: pytest.FixtureRequest) -> Iterator[Units]:
    """A database that does keep to the lengths of its columns."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, DatabaseServer)
    with prepared_place(server) as place, closing(open_units(place.url)) as units:
        yield units


@pytest.mark.parametrize(("kind", "path", "most"), ALL)
def test_text_that_is_too_long_is_refused(members: Members, kind: str, path: str, most: int) -> None:
    def change(found: Rows) -> None:
        say(last(found, kind), path, "1" * (most + 1))

    assert str(most) in refusal(packed(changed(members, change)))


@pytest.mark.thorough
def test_the_longest_text_is_kept(members: Members, units: Units) -> None:
    long = changed(members, add_longest)
    with closing(open_warehouse()) as warehouse:
        list(MoveService(units, warehouse.store, warehouse.now).restore(packed(long)))
    with units.read() as unit:
        found = list(rows(InUnit(unit)))
    expected = list(rows(InLines(io.BytesIO(long[ROWS]))))
    assert [row for row in expected if row not in found] == []
    assert len(found) == len(expected)


def last(found: Rows, kind: str) -> dict[str, Any]:
    """Return the last row of a kind."""
    return next(row[kind] for row in reversed(found) if kind in row)  # type: ignore[no-any-return]


def say(row: dict[str, Any], path: str, text: str) -> None:
    """Say ``text`` in a row, under a name, or two with a dot between them."""
    first, _, second = path.partition(".")
    row[first] = (row[first] or AROUND[first]) | {second: text} if second else text


def add_longest(found: Rows) -> None:
    """Add a row of each kind with the longest text in all places, and have the last entry so."""
    added = {kind: json.loads(json.dumps(last(found, kind))) for kind in LENGTHS}
    for kind, path, most in ALL:
        say(added[kind], path, SPELT.get(f"{kind}.{path}", WIDE * most))
    name = added["account"]["name"]
    added["group"]["members"] = {name: True}
    added["login"]["account"] = added["token"]["account"] = name
    added["token"]["days"] = 2**31 - 1
    added["project"]["grants"] = {f"group:{'p' * 40}/{WIDE * 180}": "admin", f"account:{name}": "member"}
    added["file"] |= {"project": added["project"]["name"], "deleted_at": DATE}
    for kind in ("account", "group", "login", "token"):
        found.insert(found.index({kind: last(found, kind)}) + 1, {kind: added[kind]})
    place = found.index({"file": last(found, "file")}) + 1
    found[place:place] = [{"project": added["project"]}, {"file": added["file"]}]
    # The archive says where its journal ends.
    found[-1] = {"change": added["change"]}
