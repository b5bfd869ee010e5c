"""``warehouse14 check`` and ``warehouse14 collect``."""

import hashlib
import os
import pty
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import CommandLine
from support.backends import FURTHER_PAIRS, Pair
from support.buckets import BucketServer
from support.sites import Site
from warehouse14.adapters.filesystem import FilesystemStore
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.services.uploadform import form_of
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

WHEEL = build_wheel("one", "1.0")
SDIST = build_sdist("one", "1.0")
#: What ``collect`` takes for old on stores whose clock nobody can turn back, in seconds.
OLD = 8


@pytest.fixture
def filled(site: Any, dist: Callable[..., Path]) -> Any:
    """A site with the project one and its two files."""
    site.done("import", str(dist(WHEEL, SDIST)), "--account", "ada")
    return site


def _keys(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def deleted(filled: Any) -> Any:
    """That site after the wheel was deleted, two days ago as the store's clock sees it."""
    filled.done("file", "delete", "one", WHEEL.filename, "--yes")
    past = time.time() - 2 * 86400
    for path in filled.folder.joinpath("var", "files", "blobs").rglob("*"):
        os.utime(path, (past, past))
    return filled


def test_a_sound_site_is_clean(filled: Any) -> None:
    for arguments in ([], ["--digests"]):
        outcome = filled("check", *arguments)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out == "2 files checked, 0 damaged, 0 unreferenced blobs\n"
    assert filled("check", "--json").out == ""


def test_a_removed_blob_is_damage(filled: Any) -> None:
    blob = filled.blobs()[0]
    blob.unlink()
    outcome = filled("check")
    assert outcome.status == 1
    assert outcome.out.splitlines() == [
        f"damage: missing: one/{blob.parent.name}/{blob.name}",
        "2 files checked, 1 damaged, 0 unreferenced blobs",
    ]


def test_a_truncated_blob_is_damage(filled: Any) -> None:
    blob = filled.blobs()[0]
    os.truncate(blob, 10)
    outcome = filled("check", "--json")
    assert outcome.status == 1
    assert outcome.rows == [
        {"finding": "wrong size", "damage": True, "key": f"one/{blob.parent.name}/{blob.name}"}
    ]


def test_changed_bytes_are_found_by_their_digest(filled: Any) -> None:
    blob = filled.blobs()[0]
    blob.chmod(0o640)
    blob.write_bytes(b"x" * blob.stat().st_size)
    assert filled("check").status == 0
    outcome = filled("check", "--digests", "--json")
    assert (outcome.status, outcome.rows[0]["finding"]) == (1, "wrong digest")


def test_what_is_damaged_is_put_back_as_the_check_says(filled: Any, dist: Callable[..., Path]) -> None:
    for blob in filled.blobs():
        blob.chmod(0o640)
        blob.write_bytes(b"x" * blob.stat().st_size)
    said = filled("check", "--digests")
    assert (said.status, "publishes the same file again" in said.err) == (1, True)
    filled.done("import", str(dist(WHEEL, SDIST)), "--account", "ada")
    assert filled("check", "--digests").out == "2 files checked, 0 damaged, 0 unreferenced blobs\n"


def test_unreferenced_blobs_are_a_note(deleted: Any) -> None:
    outcome = deleted("check")
    assert outcome.status == 0
    *notes, summary = outcome.out.splitlines()
    assert summary == f"1 files checked, 0 damaged, {len(notes)} unreferenced blobs"
    assert all(line.startswith("note: unreferenced: one/") for line in notes)
    rows = deleted("check", "--json").rows
    assert len(rows) == len(notes) > 0
    assert not any(row["damage"] for row in rows)


def test_collecting_takes_what_belongs_to_no_listed_file(deleted: Any) -> None:
    blobs = deleted.folder / "var" / "files" / "blobs"
    before = _keys(blobs)
    assert deleted("collect").out == "0 blobs removed\n", "a day of grace from the deletion"
    dry = deleted("collect", "--dry-run", "--json", "--older-than", "0")
    assert dry.status == 0
    assert {row["removed"] for row in dry.rows} == {False}
    assert _keys(blobs) == before

    done = deleted("collect", "--older-than", "0")
    *keys, summary = done.out.splitlines()
    assert (done.status, summary) == (0, f"{len(keys)} blobs removed")
    assert {row["key"] for row in dry.rows} == set(keys) == before - _keys(blobs)
    assert any(key.endswith(WHEEL.filename) for key in keys)
    assert deleted("check", "--digests").out == "1 files checked, 0 damaged, 0 unreferenced blobs\n"


def test_what_is_younger_than_the_grace_stays(filled: Any) -> None:
    filled.done("file", "delete", "one", WHEEL.filename, "--yes")
    assert filled("collect").out == "0 blobs removed\n"
    assert filled("collect", "--dry-run").out == "0 blobs would be removed\n"
    rows = filled("collect", "--older-than", "0", "--json").rows
    assert rows
    assert all(row["removed"] for row in rows)


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"stray\x1b", "stray\\x1b"), (b"stray\xff", "stray\\udcff")],
    ids=["escape", "no text"],
)
def test_a_stray_file_in_the_store_is_collected(filled: Any, name: bytes, shown: str) -> None:
    stray = filled.folder / "var" / "files" / "blobs" / os.fsdecode(name)
    stray.write_text("left here by somebody")
    os.utime(stray, (0, 0))
    assert f"note: unreferenced: {shown}\n" in filled("check").out
    assert filled("collect").out == f"{shown}\n1 blobs removed\n"
    assert not stray.exists()


def test_a_stray_file_that_has_no_key_is_passed_over(filled: Any) -> None:
    """No store can be asked for it, and all that comes after it has to be looked at, too."""
    stray = filled.folder / "var" / "files" / "blobs" / "a\\stray"
    stray.write_text("left here by somebody")
    os.utime(stray, (0, 0))
    assert filled("check").out == "2 files checked, 0 damaged, 0 unreferenced blobs\n"
    assert filled("collect").out == "0 blobs removed\n"
    assert stray.exists()


@pytest.fixture
def forgetful(filled: Any) -> Any:
    """That site after its database was lost."""
    for path in filled.database.parent.glob("warehouse14.sqlite*"):
        path.unlink()
    return filled


def test_with_a_database_that_was_lost_nothing_is_collected_and_init_warns(forgetful: Any) -> None:
    blobs = forgetful.folder / "var" / "files" / "blobs"
    before = _keys(blobs)
    warned = forgetful("init", "--no-admin", "--quiet")
    assert (warned.status, warned.out) == (0, "")
    assert "has never known a project" in warned.err
    assert "rebuild" in warned.err
    refused = forgetful("collect", "--older-than", "0")
    assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert "has never known a project" in refused.err
    assert _keys(blobs) == before
    forgetful.done("rebuild")
    assert forgetful("collect", "--older-than", "0").out == "0 blobs removed\n"
    assert forgetful("init", "--no-admin").err == ""
    assert _keys(blobs) == before


def test_files_that_were_never_listed_go_when_it_is_said(forgetful: Any) -> None:
    blobs = forgetful.folder / "var" / "files" / "blobs"
    before = _keys(blobs)
    forgetful.done("init", "--no-admin")
    forgetful.done("account", "add", "ada")
    forgetful.done("project", "create", "new", "--admin", "ada")
    kept = forgetful("collect", "--older-than", "0")
    *lines, summary = kept.out.splitlines()
    assert (kept.status, summary) == (0, "0 blobs removed")
    assert {line.removeprefix("left: ") for line in lines} == before == _keys(blobs)
    assert f"{len(before)} blobs were left, of files that the database has never listed" in kept.err
    rows = forgetful("collect", "--older-than", "0", "--json").rows
    assert {(row["key"], row["removed"]) for row in rows} == {(key, False) for key in before}
    gone = forgetful("collect", "--older-than", "0", "--never-listed")
    assert (gone.status, gone.out.splitlines()[-1]) == (0, f"{len(before)} blobs removed")
    assert _keys(blobs) == set()


def test_a_bar_is_shown_on_a_terminal_alone(filled: Any) -> None:
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    try:
        process = filled.start("check", stderr=other_end)
        out, _ = process.communicate(timeout=60)
        shown = os.read(terminal, 10_000)
    finally:
        os.close(terminal)
        os.close(other_end)
    assert out == "2 files checked, 0 damaged, 0 unreferenced blobs\n"
    assert b"/2 " in shown


# -- on other engines -------------------------------------------------------------------


class Bucket:
    """The bucket of a site, asked of the store directly."""

    def __init__(self, store: BucketServer, name: str) -> None:
        self._client = store.client()
        self._name = name

    def begin(self) -> str:
        """Leave an upload in parts behind, as a killed process does; return its id."""
        begun = self._client.create_multipart_upload(Bucket=self._name, Key="packages/blobs/one/never-ended")
        return str(begun["UploadId"])

    def begun(self) -> list[str]:
        found = self._client.list_multipart_uploads(Bucket=self._name).get("Uploads", ())
        return [upload["UploadId"] for upload in found]


@pytest.fixture(params=FURTHER_PAIRS)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, Bucket | None]]:
    """A site on another pair of engines, and its bucket if it has one."""
    pair: Pair = request.param
    with pair.opened(request.getfixturevalue) as backends:
        bucket = None
        if pair.files != "filesystem":
            store = request.getfixturevalue(pair.files)
            bucket = Bucket(store, backends.settings["warehouse14.files.bucket"])
        yield Site.in_folder(tmp_path / "site", backends).prepare(), bucket


def _put(site: Site, key: str, data: bytes = b"of nobody") -> str:
    """Store a blob that belongs to nothing."""
    with site.library() as warehouse, warehouse.store.stage() as staged:
        staged.write(data)
        staged.commit(key)
    return key


def test_what_is_old_and_of_nobody_is_collected_on_every_engine(
    elsewhere: tuple[Site, Bucket | None], dist: Callable[..., Path]
) -> None:
    site, bucket = elsewhere
    site.command("import", str(dist(WHEEL, SDIST)), "--account", "ada")
    imported = site.blobs()
    site.command("file", "delete", "one", WHEEL.filename, "--yes")
    orphan = _put(site, "one/orphan/old")
    begun = [bucket.begin()] if bucket else []

    of_wheel = {key for key in imported if WHEEL.filename in key}
    assert len(of_wheel) > 1
    *notes, summary = site.command("check", "--digests").splitlines()
    assert {note.removeprefix("note: unreferenced: ") for note in notes} == {*of_wheel, orphan}
    assert summary == f"1 files checked, 0 damaged, {len(notes)} unreferenced blobs"
    assert site.command("collect") == "0 blobs removed\n", "a day of grace"

    time.sleep(OLD)
    young = _put(site, "one/orphan/young")
    later = [bucket.begin()] if bucket else []
    *removed, summary = site.command("collect", "--older-than", str(OLD)).splitlines()
    assert set(removed) == {*of_wheel, orphan, *(f"{upload} blobs/one/never-ended" for upload in begun)}
    assert summary == f"{len(removed)} blobs removed"
    assert site.blobs() == imported - of_wheel | {young}
    assert (bucket.begun() if bucket else []) == later
    assert site.command("check", "--digests").endswith("0 damaged, 1 unreferenced blobs\n")


@pytest.mark.thorough
@pytest.mark.npm
@pytest.mark.parametrize("answers", [True, False])
def test_a_blob_that_goes_while_another_holds_its_project_and_lists_it_is_told(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    """A table gives what is held for ten seconds to another, and no store takes a removal back, also one that
    it has not answered."""
    with Pair("dynamodb", "filesystem").opened(request.getfixturevalue) as backends:
        site = Site.in_folder(tmp_path / "site", backends).prepare()
        for name, value in backends.variables.items():
            monkeypatch.setenv(name, value)
        _publish(site, SDIST)
        key = _put(site, f"one/{hashlib.sha256(WHEEL.content).hexdigest()}/{WHEEL.filename}", WHEEL.content)
        remove = FilesystemStore.delete

        def slowly(store: FilesystemStore, wanted: str) -> None:
            _pass_by(monkeypatch, seconds=20)
            _publish(site, WHEEL)
            remove(store, wanted)
            if not answers:
                raise Unavailable("The file store does not remove files. Try again.")

        monkeypatch.setattr(FilesystemStore, "delete", slowly)
        command = CommandLine(site.folder, capsys)
        collected = command("collect", "--older-than", "0")
        assert collected.status == 1
        assert collected.out == f"{key}\n" + ("1 blobs removed\n" if answers else "")
        assert ("does not remove files" in collected.err) is not answers
        assert "1 blobs are damage" in collected.err
        assert command("check").out.startswith(f"damage: missing: {key}\n2 files checked, 1 damaged")


def _pass_by(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    """Let seconds pass for whoever looks at a clock."""
    for name in ("time", "monotonic"):
        real = getattr(time, name)
        monkeypatch.setattr(time, name, lambda real=real: real() + seconds)


def _publish(site: Site, built: BuiltFile) -> None:
    with site.library() as warehouse:
        warehouse.uploads.publish(warehouse.account("ada"), form_of(built.filename), [built.content])
