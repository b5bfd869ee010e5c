"""An archive from elsewhere is looked at before anything is written."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest

from moving.conftest import fill
from support.sites import Site
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Rejected
from warehouse14.domain.moving.known import InUnit
from warehouse14.domain.services.moving import MoveService

Members = dict[str, bytes]
Rows = list[dict[str, Any]]
Change = Callable[[Rows], object]

HEAD, ROWS, END = "warehouse14.json", "known.jsonl", "end.json"
SURROGATE = "\ud800"
DEEP = b"[" * 200_000 + b"]" * 200_000


@pytest.fixture(scope="module")
def members(prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Members:
    """What is in a backup."""
    site = fill(prepared_site.copy_to(tmp_path_factory.mktemp("archives") / "site"), 3)
    archive = io.BytesIO()
    with site.library() as warehouse:
        list(MoveService(warehouse.units, warehouse.store, warehouse.now).backup(archive))
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

    def change(rows: Rows) -> None:
        place = max(number for number, row in enumerate(rows) if kind in row)
        rows.insert(place, rows[place])

    return change


def without(kind: str) -> Change:
    """Return what leaves the rows of a kind out."""

    def change(rows: Rows) -> None:
        rows[:] = [row for row in rows if kind not in row]

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(one("change", serial=10**30), id="a serial that no engine keeps"),
        pytest.param(one("change", serial="26"), id="a serial that is text"),
        pytest.param(one("change", actor=SURROGATE), id="half a character"),
        pytest.param(one("account", name=SURROGATE), id="half a character in a name"),
        pytest.param(one("change", at="0001-01-01T00:00:00+14:00"), id="a date before the calendar in UTC"),
        pytest.param(one("change", at="2026-01-01T00:00:00"), id="a date without a zone"),
        pytest.param(one("change", action=None), id="nothing where text is"),
        pytest.param(one("account", newer=1), id="a value of a newer release"),
        pytest.param(one("account", disabled="no"), id="text that is not false"),
        pytest.param(one("file", size=10**30), id="a size that no engine keeps"),
        pytest.param(one("file", size=-1), id="a size below nothing"),
        pytest.param(one("file", summary=SURROGATE), id="half a character in a summary"),
        pytest.param(one("file", project="other"), id="a file of another project"),
        pytest.param(one("file", filename="../../pwn.whl"), id="a file elsewhere"),
        pytest.param(one("file", sha256="../.."), id="a digest that is none"),
        pytest.param(one("file", version="nope"), id="a version that is none"),
        pytest.param(one("project", name="../../etc"), id="a project elsewhere"),
        pytest.param(one("token", account="nobody"), id="a token of nobody"),
        pytest.param(one("login", account="nobody"), id="a login of nobody"),
        *(
            pytest.param(again(kind), id=f"a {kind} twice")
            for kind in ("account", "group", "login", "token", "project", "file", "change")
        ),
        pytest.param(without("account"), id="no accounts"),
        pytest.param(without("project"), id="no projects"),
        pytest.param(without("change"), id="no journal"),
        pytest.param(lambda rows: rows.pop(), id="the end of the journal"),
        pytest.param(lambda rows: rows.reverse(), id="backwards"),
    ],
)
def test_rows_that_no_store_could_take_are_refused_before_anything_is_written(
    members: Members, change: Change
) -> None:
    refusal(packed(changed(members, change)))


@pytest.mark.parametrize(
    "line", [b'{"change": ' + DEEP + b"}", b'{"file": {"size": 1e999}}', b"[]", b"7", b"\xff", b""]
)
def test_a_line_that_is_no_row_is_refused(members: Members, line: bytes) -> None:
    assert "cannot be read" in refusal(packed(with_lines(members, [*members[ROWS].splitlines(), line])))


def test_a_kind_of_row_that_is_not_known_is_refused_as_newer(members: Members) -> None:
    said = refusal(packed(changed(members, lambda rows: rows.append({"future": {}}))))
    assert "'future': it is of a newer release" in said


def test_rows_count_however_their_json_is_spelled(members: Members) -> None:
    spaced = [line.replace(b'{"', b'{ "', 1) for line in members[ROWS].splitlines()]
    with closing(open_warehouse()) as warehouse:
        moving = MoveService(warehouse.units, warehouse.store, warehouse.now)
        assert not [
            each.damage for each in moving.restore(packed(with_lines(members, spaced))) if each.damage
        ]
        with warehouse.units.read() as unit:
            assert unit.journal.serial() == json.loads(members[HEAD])["serial"]


@pytest.mark.parametrize("head", [b'{"format": 1, "serial": 1e999, "made_at": "2026-01-01"}', DEEP, b"[]"])
def test_a_head_with_odd_values_is_refused(members: Members, head: bytes) -> None:
    refusal(packed(members | {HEAD: head}))


def sparse(members: Members, name: str) -> io.BytesIO:
    """Return an archive in which a member is said to have far more bytes than it has."""
    pax = {"GNU.sparse.map": f"0,{len(members[name])}", "GNU.sparse.size": str(3 * 10**9)}
    return packed(members, {name: pax})


@pytest.mark.parametrize("name", [HEAD, ROWS])
def test_a_sparse_member_is_refused(members: Members, name: str) -> None:
    assert "no backup of Warehouse14" in refusal(sparse(members, name))


@pytest.mark.parametrize("ending", [".json", ".metadata", ".whl"])
def test_a_sparse_blob_is_refused(members: Members, ending: str) -> None:
    name = next(name for name in members if name.startswith("blobs/") and name.endswith(ending))
    with pytest.raises(Rejected, match="a member of another kind"):
        restored(sparse(members, name))


def test_a_sparse_end_is_refused(members: Members) -> None:
    with pytest.raises(Rejected, match="a member of another kind"):
        restored(sparse(members, END))


def test_what_lies_beside_a_file_is_bounded(members: Members) -> None:
    name = next(name for name in members if name.endswith(".whl.json"))
    with pytest.raises(Rejected, match="is larger than 26214400 bytes"):
        restored(packed(members | {name: bytes(25 * 1024 * 1024 + 1)}))


def test_a_head_is_bounded(members: Members) -> None:
    assert "is larger than 65536 bytes" in refusal(packed(members | {HEAD: b" " * 70_000 + members[HEAD]}))


def test_no_more_than_a_file_has_lies_beside_it(members: Members) -> None:
    more = {f"blobs/one/two/three.{ending}": b"{}" for ending in "abc"}
    first = {name: members[name] for name in (HEAD, ROWS)}
    with pytest.raises(Rejected, match="too much beside one file"):
        restored(packed(first | more | members))


def test_numbers_in_headers_that_are_none_are_refused(members: Members) -> None:
    assert "no backup of Warehouse14" in refusal(packed(members, {HEAD: {"GNU.sparse.size": "many"}}))


def restored(archive: io.BytesIO) -> None:
    """Restore an archive, in memory."""
    with closing(open_warehouse()) as warehouse:
        list(MoveService(warehouse.units, warehouse.store, warehouse.now).restore(archive))
