import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse14.adapters.filesystem import FilesystemStore
from warehouse14.domain.errors import Misconfigured, NotFound, Unavailable
from warehouse14.testing.file_store_contract.steps import names, read

KEY = "demo/5e5e/demo-1.0-py3-none-any.whl"

#: Makes a process one whose staged files need names.
NEED_NAMES = "import os; del os.O_TMPFILE\n"

STAGE = """
import sys
from warehouse14.adapters.filesystem import FilesystemStore
with FilesystemStore(sys.argv[1]).stage() as staged:
    staged.write(b"data" * 100_000)
    print("staged", flush=True)
    sys.stdin.read()
"""

WRITE_TOO_MUCH = """
import resource, sys
from warehouse14.adapters.filesystem import FilesystemStore
from warehouse14.domain.errors import Unavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
store = FilesystemStore(sys.argv[1])

def put():
    store.put("a/b", b"x" * 1_000_000)

def stage():
    with store.stage() as staged:
        for _ in range(100):
            staged.write(b"x" * 10_000)
        staged.commit("a/b")

for way in (put, stage):
    try:
        way()
    except Unavailable as error:
        print(error.__cause__.errno)
"""


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    store = FilesystemStore(str(tmp_path))
    store.prepare()
    return store


@pytest.fixture(params=["", NEED_NAMES], ids=["nameless", "named"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without names")
    return request.param


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def leftovers(store: FilesystemStore) -> list[str]:
    return list(store.leftovers(datetime.now(UTC) + timedelta(days=1)))


# -- what failures leave


def test_a_write_that_fails_is_unavailable_and_leaves_nothing(
    store: FilesystemStore, tmp_path: Path, kind: str
) -> None:
    command = [sys.executable, "-c", kind + WRITE_TOO_MUCH, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(errno.EFBIG)] * 2
    assert files_below(tmp_path) == ["blobs", "staging"]


def test_a_commit_that_fails_is_unavailable_and_leaves_nothing(
    store: FilesystemStore, tmp_path: Path, kind: str
) -> None:
    with pytest.raises(Unavailable, match="does not take files: File name too long") as caught:
        store.put("x" * 300, b"data")
    assert isinstance(caught.value.__cause__, OSError)
    assert files_below(tmp_path) == ["blobs", "staging"]


def test_a_full_disk_at_the_sync_is_unavailable_and_leaves_nothing(
    store: FilesystemStore, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        store.put(KEY, b"data")
    assert files_below(tmp_path) == ["blobs", "staging"]


def _killed_while_staging(root: Path, kind: str) -> None:
    command = [sys.executable, "-c", kind + STAGE, root]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"staged\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has no files without names")
def test_a_killed_process_leaves_nothing(store: FilesystemStore, tmp_path: Path) -> None:
    _killed_while_staging(tmp_path, "")
    assert files_below(tmp_path) == ["blobs", "staging"]


def test_what_a_killed_process_left_under_a_name_is_swept(store: FilesystemStore, tmp_path: Path) -> None:
    _killed_while_staging(tmp_path, NEED_NAMES if hasattr(os, "O_TMPFILE") else "")
    (leftover,) = leftovers(store)
    assert list(store.keys()) == []
    assert list(store.leftovers(datetime.now(UTC) - timedelta(days=1))) == []
    store.sweep(leftover)
    store.sweep(leftover)
    assert files_below(tmp_path) == ["blobs", "staging"]


def test_what_has_a_name_that_no_key_has_is_neither_a_blob_nor_a_leftover(
    store: FilesystemStore, tmp_path: Path
) -> None:
    """What is listed is looked at and removed by its key."""
    store.put("a", b"kept")
    for stray in ("blobs/b\\c", "blobs/d\\e/f", "staging/b\\c"):
        path = tmp_path / stray
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"of somebody else")
    assert (names(store), leftovers(store)) == (["a"], [])


@pytest.mark.parametrize("leftover", ["../blobs/a", "..", "", "a/b", "a\0b"])
def test_only_what_lies_in_staging_is_swept(store: FilesystemStore, leftover: str) -> None:
    store.put("a", b"kept")
    with pytest.raises(ValueError, match="is no"):
        store.sweep(leftover)
    assert read(store, "a") == b"kept"


def test_what_is_staged_now_is_no_old_leftover(store: FilesystemStore, kind: str) -> None:
    with store.stage() as staged:
        staged.write(b"data")
        assert list(store.leftovers(datetime.now(UTC) - timedelta(hours=1))) == []
        staged.commit(KEY)
    assert leftovers(store) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files cannot be counted here")
def test_no_method_keeps_a_file_open(store: FilesystemStore, kind: str) -> None:
    def use() -> None:
        store.put(KEY, b"data")
        store.put(KEY, b"data")
        with store.stage() as staged, staged.reader():
            pass
        store.open(KEY, 1).close()
        for folder in ("demo", "demo/5e5e"):
            with pytest.raises(NotFound):
                store.open(folder, 0)
        with pytest.raises(Unavailable):
            store.put("demo", b"data")
        assert next(store.keys()).key == KEY
        leftovers(store)

    use()
    before = len(os.listdir("/proc/self/fd"))
    use()
    assert len(os.listdir("/proc/self/fd")) == before


# -- where the system cannot do what is best


def test_where_proc_links_do_not_work_staged_files_get_names(
    store: FilesystemStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_without_proc(source: str, target: str, **options: int) -> None:
        if source.startswith("/proc/"):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(source, target, **options)

    monkeypatch.setattr(os, "link", link_without_proc)
    with store.stage() as staged:
        staged.write(b"data")
        assert len(leftovers(store)) == 1
        staged.commit(KEY)
    assert read(store, KEY) == b"data"
    assert files_below(tmp_path / "staging") == []


# -- what a commit makes sure of


def test_a_commit_syncs_the_file_before_and_its_folders_after_they_change(
    store: FilesystemStore, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, link, mkdir, replace = os.fsync, os.link, os.mkdir, os.replace

    def noted_fsync(descriptor: int) -> None:
        target = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        in_blobs = target.is_relative_to(tmp_path / "blobs")
        done.append(f"sync {target.relative_to(tmp_path)}" if in_blobs else "sync staged")
        fsync(descriptor)

    def noted_link(source: str, target: str, **options: int) -> None:
        link(source, target, **options)
        if Path(target).is_relative_to(tmp_path / "blobs"):
            done.append(f"link {Path(target).relative_to(tmp_path)}")

    def noted_mkdir(path: str, mode: int) -> None:
        mkdir(path, mode)
        done.append(f"mkdir {Path(path).relative_to(tmp_path)}")

    def noted_replace(source: str, target: str) -> None:
        replace(source, target)
        done.append(f"replace {Path(target).relative_to(tmp_path)}")

    with store.stage():
        pass
    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    monkeypatch.setattr(os, "link", noted_link)
    monkeypatch.setattr(os, "mkdir", noted_mkdir)
    store.put("demo/5e5e/a", b"data")
    assert done == [
        "sync staged",
        "mkdir blobs/demo",
        "mkdir blobs/demo/5e5e",
        "sync blobs/demo",
        "sync blobs",
        "link blobs/demo/5e5e/a",
        "sync blobs/demo/5e5e",
    ]
    done.clear()
    store.put("demo/5e5e/b", b"data")
    assert done == ["sync staged", "link blobs/demo/5e5e/b", "sync blobs/demo/5e5e"]
    done.clear()
    store.put("demo/5e5e/b", b"data")
    assert done == ["sync staged", "replace blobs/demo/5e5e/b", "sync blobs/demo/5e5e"]


def test_blobs_are_not_for_everybody_and_the_mask_of_the_process_counts(
    store: FilesystemStore, tmp_path: Path, kind: str
) -> None:
    before = os.umask(0o022)
    try:
        store.put("a/wide", b"")
        os.umask(0o077)
        store.put("a/narrow", b"")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "blobs").rglob("*")}
    assert modes == {"a": 0o750, "wide": 0o640, "narrow": 0o600}
    assert (tmp_path / "staging").stat().st_mode & 0o777 == 0o700


def test_an_open_blob_is_a_file_of_the_system_at_its_offset(store: FilesystemStore) -> None:
    store.put(KEY, b"0123456789")
    with store.open(KEY, 4) as blob:
        assert blob.tell() == 4
        assert os.lseek(blob.fileno(), 0, os.SEEK_CUR) == 4
        assert os.fstat(blob.fileno()).st_size == 10


def test_a_deletion_takes_the_empty_folders_with_it_but_for_the_outermost(
    store: FilesystemStore, tmp_path: Path
) -> None:
    for key in ("demo/5e5e/a", "demo/77aa/a", "other/5e5e/a", "top"):
        store.put(key, b"data")
    store.delete("demo/5e5e/a")
    store.delete("other/5e5e/a")
    store.delete("top")
    assert files_below(tmp_path / "blobs") == ["demo", "demo/77aa", "demo/77aa/a", "other"]
    store.delete("demo/77aa/a")
    assert files_below(tmp_path) == ["blobs", "blobs/demo", "blobs/other", "staging"]


# -- what lies about in the folders


@pytest.mark.parametrize("key", ["demo", "demo/5e5e", KEY + "/below"])
def test_a_key_that_meets_a_folder_or_lies_below_a_blob_is_not_taken(
    store: FilesystemStore, key: str
) -> None:
    store.put(KEY, b"kept")
    with pytest.raises(Unavailable):
        store.put(key, b"data")
    assert store.stat(key) is None
    assert names(store) == [KEY]
    assert leftovers(store) == []
    assert read(store, KEY) == b"kept"


def test_a_symbolic_link_is_no_blob_and_is_not_followed(store: FilesystemStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    os.utime(secret, (0, 0))
    store.put("demo/a", b"data")
    (tmp_path / "blobs/demo/link").symlink_to(secret)
    (tmp_path / "blobs/out").symlink_to(tmp_path)
    assert names(store) == ["demo/a"]
    assert store.stat("demo/link") is None
    for way in (lambda: store.open("demo/link", 0), lambda: store.put("demo/link", b"other")):
        with pytest.raises(Unavailable):
            way()
    store.delete("demo/link")
    assert (secret.read_bytes(), secret.stat().st_mtime) == (b"secret", 0)
    assert files_below(tmp_path / "blobs") == ["demo", "demo/a", "out"]


# -- its own ground


def _nothing(root: Path) -> None:
    pass


def _only_blobs(root: Path) -> None:
    (root / "blobs").mkdir(parents=True)


def _a_file_for_a_folder(root: Path) -> None:
    _only_blobs(root)
    (root / "staging").write_bytes(b"")


@pytest.mark.parametrize("ground", [_nothing, _only_blobs, _a_file_for_a_folder])
def test_missing_folders_are_told_in_one_line(tmp_path: Path, ground: Callable[[Path], None]) -> None:
    ground(tmp_path / "root")
    with pytest.raises(Misconfigured, match=r"\A[^\n]*warehouse14 init[^\n]*\Z"):
        FilesystemStore(str(tmp_path / "root")).verify()


_VERIFY_AS_SOMEBODY = """
import os, sys
from warehouse14.adapters.filesystem import FilesystemStore
from warehouse14.domain.errors import Misconfigured
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
try:
    FilesystemStore(sys.argv[1]).verify()
except Misconfigured as error:
    print(error)
"""


def test_a_folder_that_cannot_be_written_is_told_in_one_line() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = os.path.join(folder, "root")
        FilesystemStore(root).prepare()
        for part in ("", "blobs", "staging"):
            os.chmod(os.path.join(root, part), 0o555)
        done = subprocess.run(
            [sys.executable, "-c", _VERIFY_AS_SOMEBODY, root], capture_output=True, text=True, check=False
        )
        assert re.fullmatch(r"[^\n]*warehouse14 init[^\n]*\n", done.stdout), done


def test_folders_that_cannot_be_made_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/blobs").write_bytes(b"")
    for root in ("file", "file/below", "root"):
        with pytest.raises(Misconfigured, match=r"\A[^\n]*cannot be made[^\n]*\Z") as caught:
            FilesystemStore(str(tmp_path / root)).prepare()
        assert isinstance(caught.value.__cause__, OSError)


def test_a_store_whose_folder_went_away_does_not_make_a_new_one(
    store: FilesystemStore, tmp_path: Path
) -> None:
    with store.stage() as staged:
        staged.write(b"data")
        (tmp_path / "blobs").rename(tmp_path / "elsewhere")
        with pytest.raises(Unavailable):
            staged.commit(KEY)
    assert not (tmp_path / "blobs").exists()
