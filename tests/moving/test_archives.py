"""An archive from elsewhere is looked at before anything is written."""

import io
import json
import tarfile
from contextlib import closing
from typing import Any

import pytest

from moving.archives import (
    END,
    HEAD,
    ROWS,
    Change,
    Members,
    Rows,
    again,
    another,
    changed,
    one,
    packed,
    refusal,
    restored,
    with_lines,
    without,
)
from warehouse14.bootstrap import open_warehouse
from warehouse14.domain.errors import Rejected
from warehouse14.domain.moving.archive import writing
from warehouse14.domain.services.moving import MoveService
from warehouse14.domain.services.upkeep import Finding, Report

SURROGATE = "\ud800"
DEEP = b"[" * 200_000 + b"]" * 200_000


def vouched(**values: Any) -> dict[str, Any]:
    """Return what is said at a provider."""
    said = {"at": "2026-01-01T00:00:00+00:00", "email": None, "groups": [], "kept_out": [], "seen": {}}
    return said | values


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
        pytest.param(one("file", version="0" * 240 + "1"), id="a version that is spelled too long"),
        pytest.param(one("file", summary="a\0b"), id="a NUL"),
        pytest.param(one("change", detail={"a\0": "b"}), id="a NUL in a name"),
        pytest.param(one("project", grants={"account:a\0": "admin"}), id="a NUL in a principal"),
        pytest.param(one("project", grants={"a" * 256: "admin"}), id="a principal that is too long"),
        pytest.param(one("project", serial=0), id="a project from before the journal"),
        pytest.param(one("project", serial=10**6), id="a project from after the journal"),
        pytest.param(one("token", days=2**31), id="days that no engine keeps"),
        pytest.param(one("token", scopes=[]), id="a token for nothing"),
        pytest.param(one("token", addresses=["x"]), id="a token from nowhere"),
        pytest.param(one("token", addresses=["10.0.0.1/8"]), id="a token from an address and a range"),
        pytest.param(one("token", secret_sha256="ä" * 64), id="a token whose digest is none"),
        pytest.param(one("account", password_hash="x"), id="a hash that is none"),
        pytest.param(one("account", password_hash="scrypt$3$8$5$$"), id="a hash that nobody can make"),
        pytest.param(one("account", password_hash="scrypt$16384$8$90$$"), id="a hash that takes for ever"),
        pytest.param(one("token", id="wh14_0123456789"), id="a token with another id"),
        pytest.param(one("login", subject=""), id="a login of nobody at a provider"),
        pytest.param(one("login", subject="4\0"), id="a NUL in a login"),
        pytest.param(one("login", subject=SURROGATE), id="half a character in a login"),
        pytest.param(another("login", subject="42 "), id="two logins but for spaces at the end"),
        pytest.param(another("account", name="Ada"), id="an account in capitals"),
        pytest.param(another("account", name="team:ada"), id="a service of something else"),
        pytest.param(one("group", name="a#b"), id="a group that is none"),
        pytest.param(
            one("account", vouched=vouched(seen={"corp": "9999-12-31T00:00:00+00:00"})),
            id="a sign-in at the end of the calendar",
        ),
        pytest.param(one("account", vouched=vouched(groups=["a" * 256])), id="a group that is too long"),
        pytest.param(one("project", grants={"account:ada ": "admin"}), id="a grant to nobody"),
        pytest.param(
            one("project", grants={"group:Corp/x": "admin"}), id="a grant to a group of no provider"
        ),
        pytest.param(one("project", grants={"group:corp/": "admin"}), id="a grant to a group without a name"),
        pytest.param(
            one("project", grants={f"group:corp/{'x' * 181}": "admin"}), id="a grant to a long group"
        ),
        pytest.param(one("project", grants={"group:corp/\0": "admin"}), id="a NUL in a group"),
        pytest.param(one("project", grants={f"group:corp/{SURROGATE}": "admin"}), id="half a group"),
        pytest.param(
            one("project", grants={"group:corp/x": "admin", "group:corp/x ": "admin"}),
            id="two groups but for spaces at the end",
        ),
        pytest.param(one("file", filename="one.whl.json"), id="a file in the place of a sidecar"),
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
    "name",
    [
        pytest.param("Team ", id="a space at the end"),
        pytest.param("\U0001fa77 Team", id="a character of a newer Unicode"),
        pytest.param("\u0378", id="a character that Unicode does not know yet"),
    ],
)
def test_names_of_groups_and_logins_that_no_rule_of_today_lets_in_come_back(
    members: Members, name: str
) -> None:
    def change(rows: Rows) -> None:
        one("project", grants={f"group:corp/{name}": "admin"})(rows)
        one("login", subject=name)(rows)

    assert restored(packed(changed(members, change))) == []


@pytest.mark.parametrize(
    "line", [b'{"change": ' + DEEP + b"}", b'{"file": {"size": 1e999}}', b"[]", b"7", b"\xff", b""]
)
def test_a_line_that_is_no_row_is_refused(members: Members, line: bytes) -> None:
    assert "cannot be read" in refusal(packed(with_lines(members, [*members[ROWS].splitlines(), line])))


def test_a_journal_that_no_entry_could_follow_is_refused(members: Members) -> None:
    head = json.dumps(json.loads(members[HEAD]) | {"serial": 2**63 - 1}).encode()
    full = changed(members | {HEAD: head}, one("change", serial=2**63 - 1))
    assert "no entry could come after" in refusal(packed(full))


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


@pytest.mark.parametrize("ending", [".json", ".metadata"])
def test_what_is_too_large_beside_a_file_is_damaged_and_all_else_is_restored(
    members: Members, ending: str
) -> None:
    name = next(name for name in members if name.endswith(f".whl{ending}"))
    damage = restored(packed(members | {name: bytes(30 * 1024 * 1024)}))
    assert damage == [Report(Finding.WRONG_SIZE, name.removeprefix("blobs/"))]


def test_a_head_is_bounded(members: Members) -> None:
    assert "is larger than 65536 bytes" in refusal(packed(members | {HEAD: b" " * 70_000 + members[HEAD]}))


def test_no_more_than_a_file_has_lies_beside_it(members: Members) -> None:
    more = {f"blobs/one/two/three.{ending}": b"{}" for ending in "abc"}
    first = {name: members[name] for name in (HEAD, ROWS)}
    with pytest.raises(Rejected, match="too much beside one file"):
        restored(packed(first | more | members))


def test_numbers_in_headers_that_are_none_are_refused(members: Members) -> None:
    assert "no backup of Warehouse14" in refusal(packed(members, {HEAD: {"GNU.sparse.size": "many"}}))


def headers(kind: bytes, data: bytes) -> bytes:
    """Return so many headers that say something of the next, and nothing that they say it of."""
    member = tarfile.TarInfo("more")
    member.type, member.size = kind, len(data)
    return (member.tobuf(tarfile.GNU_FORMAT) + data.ljust(512, b"\0")) * 2000


@pytest.mark.parametrize(
    ("kind", "data"), [(tarfile.GNUTYPE_LONGNAME, b"name\0"), (tarfile.XHDTYPE, b"12 foo=bar1\n")]
)
@pytest.mark.parametrize("place", [HEAD, ROWS])
def test_headers_without_end_are_refused(members: Members, kind: bytes, data: bytes, place: str) -> None:
    whole = packed(members)
    with tarfile.open(fileobj=whole) as tar:
        start = tar.getmember(place).offset
    before = whole.getvalue()[:start]
    assert "no backup of Warehouse14" in refusal(io.BytesIO(before + headers(kind, data)))


def test_after_an_error_nothing_more_is_written() -> None:
    to = io.BytesIO()
    written = b""
    with pytest.raises(ZeroDivisionError), writing(to) as archive:  # noqa: PT012
        archive.blob("one", 30_000, io.BytesIO(bytes(30_000)))
        written = to.getvalue()
        raise ZeroDivisionError
    assert written
    assert to.getvalue() == written
