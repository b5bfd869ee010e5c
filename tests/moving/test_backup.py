"""A backup holds a whole site, and a site comes back from it as it was."""

import io
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from moving.conftest import MANY, contents, publish
from support.backends import FURTHER_PAIRS, Pair
from support.sites import COMMAND, PASSWORD, Site, environment
from warehouse14.testing.builders import build_wheel

NewSite = Callable[..., Site]


@pytest.fixture
def archive(small_site: Site, tmp_path: Path) -> Path:
    """A backup of the small site."""
    path = tmp_path / "backup.tar"
    small_site.command("backup", str(path))
    return path


def test_a_site_that_is_restored_is_as_it_was(full_site: Site, new_site: NewSite, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    assert f"{MANY + 1} files written, 0 there already, 0 damaged" in full_site.command("backup", str(path))
    there = new_site("there")
    assert f"{MANY + 1} files restored, 0 there already, 0 damaged" in there.command("restore", str(path))
    assert contents(there) == contents(full_site)
    assert there.damage() == []


@pytest.mark.parametrize("pair", FURTHER_PAIRS)
def test_a_site_on_any_engines_comes_back_from_its_backup(
    small_site: Site, new_site: NewSite, tmp_path: Path, pair: Pair, request: pytest.FixtureRequest
) -> None:
    before = contents(small_site)
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    small_site.command("backup", str(first))
    with pair.opened(request.getfixturevalue) as backends:
        there = new_site("there", backends)
        there.command("restore", str(first))
        assert contents(there) == before
        there.command("backup", str(second))
    back = new_site("back")
    back.command("restore", str(second))
    assert contents(back) == before


@pytest.mark.thorough
def test_a_backup_is_for_its_owner_alone_and_writes_over_nothing(small_site: Site, archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    before = archive.read_bytes()
    ended = small_site.run("backup", str(archive))
    assert ended.returncode == 2
    assert "is there already" in ended.stderr
    assert archive.read_bytes() == before
    assert sorted(archive.parent.glob("backup.tar*")) == [archive]


@pytest.mark.thorough
def test_no_secret_is_in_a_backup(small_site: Site, archive: Path) -> None:
    data = archive.read_bytes()
    for secret in (PASSWORD, *small_site.tokens.values()):
        assert secret.encode() not in data


@pytest.mark.thorough
def test_a_backup_is_a_tar_that_other_programs_read(small_site: Site, archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        head = json.load(tar.extractfile("warehouse14.json") or io.BytesIO())
    assert names[:2] == ["warehouse14.json", "known.jsonl"]
    assert names[-1] == "end.json"
    assert {name.removeprefix("blobs/") for name in names[2:-1]} == small_site.blobs()
    assert head["format"] == 1


@pytest.mark.thorough
def test_restoring_again_changes_nothing_and_sends_nothing(new_site: NewSite, archive: Path) -> None:
    there = new_site("there")
    there.command("restore", str(archive))
    before = contents(there)
    assert "0 files restored, 4 there already, 0 damaged" in there.command("restore", str(archive))
    assert contents(there) == before


@pytest.mark.thorough
def test_a_later_backup_goes_over_an_older_one(
    small_site: Site, new_site: NewSite, archive: Path, tmp_path: Path
) -> None:
    there = new_site("there")
    there.command("restore", str(archive))
    with small_site.library() as warehouse:
        publish(warehouse, "ada", build_wheel("fresh", "1.0"))
    later = tmp_path / "later.tar"
    small_site.command("backup", str(later))
    assert "1 files restored, 4 there already" in there.command("restore", str(later))
    assert contents(there) == contents(small_site)
    ended = there.run("restore", str(archive))
    assert ended.returncode == 1
    assert "changes of its own" in ended.stderr


@pytest.mark.thorough
def test_an_archive_that_is_cut_off_anywhere_lists_nothing(new_site: NewSite, archive: Path) -> None:
    data = archive.read_bytes()
    for cut in (0, 100, 600, 2000, len(data) // 2, len(data) - 11_000, len(data) - 10_240 - 600):
        archive.write_bytes(data[:cut])
        there = new_site(f"cut-{cut}")
        ended = there.run("restore", str(archive))
        assert ended.returncode == 1, (cut, ended)
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
        assert contents(there).rows == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("member", "says"),
    [("known.jsonl", "What it says that the site knew is damaged"), ("warehouse14.json", "cannot be read")],
)
def test_an_archive_whose_rows_are_damaged_lists_nothing(
    new_site: NewSite, archive: Path, member: str, says: str
) -> None:
    _damage(archive, member)
    there = new_site("there")
    ended = there.run("restore", str(archive))
    assert ended.returncode == 1
    assert says in ended.stderr
    assert contents(there).rows == []


@pytest.mark.thorough
def test_a_file_that_is_damaged_in_an_archive_is_named_and_not_stored(
    new_site: NewSite, archive: Path
) -> None:
    with tarfile.open(archive) as tar:
        name = next(name for name in tar.getnames() if name.endswith(".whl"))
    _damage(archive, name)
    there = new_site("there")
    ended = there.run("restore", str(archive))
    assert ended.returncode == 1
    key = name.removeprefix("blobs/")
    assert f"damage: wrong digest: {key}" in ended.stdout
    assert "3 files restored, 0 there already, 1 damaged" in ended.stdout
    assert there.damage() == [f"{key}: missing"]


@pytest.mark.thorough
@pytest.mark.parametrize(("ending", "what"), [(".metadata", "wrong digest")])
def test_what_is_beside_a_file_is_looked_at_too(
    new_site: NewSite, archive: Path, ending: str, what: str
) -> None:
    with tarfile.open(archive) as tar:
        name = next(name for name in tar.getnames() if name.endswith(ending))
    _damage(archive, name)
    there = new_site("there")
    ended = there.run("restore", str(archive))
    assert ended.returncode == 1
    assert f"damage: {what}: {name.removeprefix('blobs/')}" in ended.stdout
    assert there.damage() == [f"{name.removeprefix('blobs/')}: missing"]


@pytest.mark.thorough
def test_a_file_that_was_lost_before_the_backup_is_named_again(
    small_site: Site, new_site: NewSite, tmp_path: Path
) -> None:
    lost = min((small_site.folder / "var/files/blobs").rglob("*.whl"))
    lost.unlink()
    key = str(lost.relative_to(small_site.folder / "var/files/blobs"))
    path = tmp_path / "backup.tar"
    assert small_site.run("backup", str(path)).returncode == 1
    there = new_site("there")
    ended = there.run("restore", str(path))
    assert f"damage: missing: {key}" in ended.stdout
    assert "3 files restored, 0 there already, 1 damaged" in ended.stdout
    assert {blob for blob in there.blobs() if blob.startswith(key)} == set()


@pytest.mark.thorough
def test_a_file_that_was_lost_before_the_backup_and_is_there_again_is_no_damage(
    small_site: Site, tmp_path: Path
) -> None:
    lost = min((small_site.folder / "var/files/blobs").rglob("*.whl"))
    content = lost.read_bytes()
    lost.unlink()
    path = tmp_path / "backup.tar"
    assert small_site.run("backup", str(path)).returncode == 1
    lost.write_bytes(content)
    assert "0 files restored, 4 there already, 0 damaged" in small_site.command("restore", str(path))


@contextmanager
def lost_before_the_backup(*files: Path) -> Iterator[None]:
    """Take files away, and bring them back after it."""
    contents = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    yield
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)


@pytest.mark.thorough
@pytest.mark.parametrize("lost", [1, 2, 4])
def test_what_lacks_beside_files_that_were_lost_before_the_backup_and_are_there_again_comes_back(
    small_site: Site, tmp_path: Path, lost: int
) -> None:
    before = contents(small_site)
    sidecars = sorted((small_site.folder / "var/files/blobs").rglob("*.json"))[:lost]
    path = tmp_path / "backup.tar"
    with lost_before_the_backup(*(sidecar.with_suffix("") for sidecar in sidecars)):
        assert small_site.run("backup", str(path)).returncode == 1
    for sidecar in sidecars:
        sidecar.unlink()
    restored = small_site.command("restore", str(path))
    assert f"{lost} files restored, {4 - lost} there already, 0 damaged" in restored
    assert contents(small_site) == before
    assert small_site.damage() == []


@pytest.mark.thorough
def test_what_lacks_beside_a_file_that_is_there_and_was_lost_before_the_backup_too_is_named(
    small_site: Site, tmp_path: Path
) -> None:
    blobs = small_site.folder / "var/files/blobs"
    sidecar = min(blobs.rglob("*.json"))
    path = tmp_path / "backup.tar"
    with lost_before_the_backup(sidecar.with_suffix("")):
        sidecar.unlink()
        assert small_site.run("backup", str(path)).returncode == 1
    ended = small_site.run("restore", str(path))
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        f"damage: missing: {sidecar.relative_to(blobs)}",
        "0 files restored, 3 there already, 1 damaged",
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("ending", [".json", ".metadata"])
def test_what_is_too_large_beside_a_file_is_named_and_all_else_can_be_restored(
    small_site: Site, new_site: NewSite, tmp_path: Path, ending: str
) -> None:
    blobs = small_site.folder / "var/files/blobs"
    large = min(blobs.rglob(f"*.whl{ending}"))
    key = str(large.relative_to(blobs))
    os.truncate(large, 25 * 1024 * 1024 + 1)
    path = tmp_path / "backup.tar"
    ended = small_site.run("backup", str(path))
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (1, f"damage: wrong size: {key}")
    with tarfile.open(path) as tar:
        assert f"blobs/{key}" not in tar.getnames()
    there = new_site("there")
    assert "4 files restored, 0 there already, 1 damaged" in there.run("restore", str(path)).stdout
    assert there.damage() == [f"{key}: missing"]


@pytest.mark.thorough
@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"PK\x03\x04" + b"\0" * 2000])
def test_what_is_no_backup_is_refused_in_one_line(new_site: NewSite, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    ended = new_site("there").run("restore", str(path))
    assert ended.returncode == 1
    assert "no backup of Warehouse14" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.thorough
def test_a_member_that_leads_elsewhere_is_refused(new_site: NewSite, archive: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(archive) as old, tarfile.open(evil, "w") as new:
        for member in old:
            if member.name.startswith("blobs/"):
                member.name = "blobs/../../" + member.name.rpartition("/")[2]
                member.pax_headers = {}
            new.addfile(member, old.extractfile(member))
    there = new_site("there")
    ended = there.run("restore", str(evil))
    assert ended.returncode == 1
    assert "no key of a file" in ended.stderr
    assert contents(there).rows == []


@pytest.mark.thorough
def test_a_backup_that_cannot_be_written_leaves_nothing(small_site: Site, tmp_path: Path) -> None:
    ended = small_site.run("backup", str(tmp_path / "nowhere" / "backup.tar"))
    assert ended.returncode == 1
    assert "No such file or directory" in ended.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_backup_that_is_ended_leaves_nothing_and_says_nothing(
    full_site: Site, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "backup.tar"
    # Whoever runs the tests in the background may ignore some, and a child would, too.
    assert _signalled(full_site, path, number, signal.SIG_DFL) == (130, b"")
    assert list(tmp_path.glob("backup.tar*")) == []


def test_a_backup_that_is_to_go_on_after_the_terminal_does(full_site: Site, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    status, _ = _signalled(full_site, path, signal.SIGHUP, signal.SIG_IGN)
    assert status == 0
    with tarfile.open(path) as tar:
        assert tar.getnames()[-1] == "end.json"


def test_a_backup_is_synced_before_it_has_its_name_and_its_folder_after(
    small_site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "backup.tar"
    ended = subprocess.run(
        [sys.executable, "-c", _SYNCED, "--ini", small_site.ini, "backup", path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    assert ended.returncode == 0, ended.stderr
    done = [line.split() for line in ended.stderr.splitlines() if line.startswith(("sync ", "link "))]
    (first, part), named, last = done[-3:]
    assert (first, named, last) == ("sync", ["link", part, str(path)], ["sync", str(tmp_path)])
    assert part.startswith(f"{path}.")


def test_no_site_is_made_for_an_archive_that_is_not_there(new_site: NewSite, tmp_path: Path) -> None:
    there = new_site("there")
    before = sorted(there.folder.rglob("*"))
    ended = there.run("restore", str(tmp_path / "nowhere.tar"))
    assert ended.returncode == 1
    assert "No such file or directory" in ended.stderr
    assert sorted(there.folder.rglob("*")) == before


def test_what_is_staged_waits_in_the_folder_of_the_site(
    small_site: Site, new_site: NewSite, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    there = new_site("there")
    for site, word in ((small_site, "backup"), (there, "restore")):
        ended = subprocess.run(
            [sys.executable, "-c", _WATCHED, "--ini", site.ini, word, tmp_path / "backup.tar"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment(TMPDIR=str(elsewhere)),
        )
        assert ended.returncode == 0, ended.stderr
        opened = ended.stderr.splitlines()
        assert not [path for path in opened if path.startswith(str(elsewhere))]
        assert [path for path in opened if path.startswith(str(site.folder / "var/tmp"))]


def _signalled(
    site: Site, path: Path, number: signal.Signals, before: signal.Handlers
) -> tuple[int | None, bytes]:
    """Begin a backup that treats a signal as ``before`` says, send it, and return how the backup ended, and
    what it said."""
    process = subprocess.Popen(
        [COMMAND, "--ini", site.ini, "backup", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
        preexec_fn=partial(signal.signal, number, before),
    )
    while not any(part.stat().st_size for part in path.parent.glob(f"{path.name}.*")):
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


#: The command, which says what it syncs and links.
_SYNCED = """
import os
import sys
from warehouse14.cli import main
fsync, link = os.fsync, os.link

def noted_fsync(number):
    print("sync", os.readlink(f"/proc/self/fd/{number}"), file=sys.stderr)
    fsync(number)

def noted_link(source, target):
    link(source, target)
    print("link", source, target, file=sys.stderr)

os.fsync, os.link = noted_fsync, noted_link
sys.exit(main(sys.argv[1:]))
"""
#: The command, which says what it opens.
_WATCHED = """
import sys
from warehouse14.cli import main
sys.addaudithook(lambda event, words: event == "open" and print(words[0], file=sys.stderr))
sys.exit(main(sys.argv[1:]))
"""


def _damage(archive: Path, name: str) -> None:
    """Change one byte in the middle of a member."""
    with tarfile.open(archive) as tar:
        member = tar.getmember(name)
    data = bytearray(archive.read_bytes())
    data[member.offset_data + member.size // 2] ^= 0x55
    archive.write_bytes(data)
