"""``warehouse14 import``: a folder of wheels and sdists."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

Dist = Callable[..., Path]


def _import(site: Any, folder: Path, account: str = "ada") -> Any:
    return site("import", str(folder), "--account", account)


def _projects(site: Any) -> list[str]:
    return [row["name"] for row in site.done("project", "list", "--json").rows]


def test_a_second_import_changes_nothing_and_succeeds(site: Any, dist: Dist) -> None:
    dist(build_wheel("one", "1.0"), build_sdist("one", "1.0"))
    folder = dist(build_sdist("Two.Three", "2.0", extension=".zip"), below="deeper/still")
    (folder / "notes.txt").write_text("passed over")
    first = _import(site, folder)
    assert (first.status, first.out, first.err) == (0, "3 published, 0 there already, 0 refused\n", "")
    before = site.done("project", "list", "--json").out
    second = _import(site, folder)
    assert (second.status, second.out, second.err) == (0, "0 published, 3 there already, 0 refused\n", "")
    assert site.done("project", "list", "--json").out == before
    assert _projects(site) == ["one", "two-three"]


def test_an_import_goes_on_after_a_refusal_and_lists_it(site: Any, dist: Dist) -> None:
    broken = build_wheel("broken", "1.0")
    dist(BuiltFile(broken.filename, broken.content[:100], broken.filetype))
    for name in ("nameless.whl", "nameless.tar.gz", "Capital-1.0-py3-none-any.WHL"):
        (dist() / name).write_bytes(b"nothing")
    (dist() / "gone-1.0.tar.gz").symlink_to("nowhere")
    folder = dist(build_wheel("zebra", "1.0"))
    outcome = _import(site, folder)
    assert (outcome.status, outcome.out) == (1, "1 published, 0 there already, 5 refused\n")
    assert [line.partition(": ")[0] for line in outcome.err.splitlines()] == [
        "Capital-1.0-py3-none-any.WHL",
        broken.filename,
        "gone-1.0.tar.gz",
        "nameless.tar.gz",
        "nameless.whl",
    ]
    assert _projects(site) == ["zebra"]


def test_other_bytes_under_a_known_name_are_refused(site: Any, dist: Dist) -> None:
    assert _import(site, dist(build_wheel("one", "1.0"))).status == 0
    outcome = _import(site, dist(build_wheel("one", "1.0", body=b"x = 1")))
    assert (outcome.status, outcome.out) == (1, "0 published, 0 there already, 1 refused\n")
    assert "File already exists" in outcome.err


def test_an_account_imports_with_its_own_rights_alone(site: Any, dist: Dist) -> None:
    site.done("account", "add", "bob")
    site.done("project", "create", "one", "--admin", "bob")
    outcome = _import(site, dist(build_wheel("one", "1.0"), build_wheel("two", "1.0")))
    assert (outcome.status, outcome.out) == (1, "1 published, 0 there already, 1 refused\n")
    assert "ada may not upload to the project one" in outcome.err


def test_an_import_creates_projects_only_where_the_site_lets_an_upload_do_so(site: Any, dist: Dist) -> None:
    site.set("create_on_upload = true", "create_on_upload = false")
    outcome = _import(site, dist(build_wheel("one", "1.0")))
    assert outcome.status == 1
    assert "ada may not upload to the project one" in outcome.err
    site.done("project", "create", "one", "--admin", "ada")
    assert _import(site, dist()).status == 0


def test_an_account_that_is_absent_or_disabled_imports_nothing(site: Any, dist: Dist) -> None:
    folder = dist(build_wheel("one", "1.0"))
    absent = _import(site, folder, "nobody")
    assert (absent.status, absent.err) == (1, "warehouse14: There is no account 'nobody'.\n")
    site.done("account", "disable", "ada")
    disabled = _import(site, folder)
    assert (disabled.status, disabled.err) == (1, "warehouse14: The account ada is disabled.\n")
    assert _projects(site) == []


def test_a_file_name_that_is_not_text_is_refused_in_one_line(site: Any, dist: Dist) -> None:
    name = b"one-1.0-py3-none-any\xff.whl"
    Path(os.fsdecode(os.path.join(os.fsencode(dist()), name))).write_bytes(build_wheel("one", "1.0").content)
    outcome = _import(site, dist())
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert r"one-1.0-py3-none-any\udcff.whl: " in outcome.err


def test_a_store_that_fails_ends_the_import(site: Any, dist: Dist) -> None:
    folder = dist(build_wheel("one", "1.0"), build_wheel("two", "1.0"))
    site.set("warehouse14.metadata.url", "warehouse14.metadata.busy_seconds = 0\nwarehouse14.metadata.url")
    blobs = site.folder / "var" / "files" / "blobs"
    # A file where the folder of a project must be: no blob can be put there.
    (blobs / "one").write_text("in the way")
    outcome = _import(site, folder)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("warehouse14: The file store does not take files")
    assert _projects(site) == []


def test_what_is_no_file_is_passed_over(site: Any, dist: Dist) -> None:
    os.mkfifo(dist() / "one-1.0.tar.gz")
    (dist() / "two-1.0.tar.gz").mkdir()
    outcome = _import(site, dist())
    assert (outcome.status, outcome.out, outcome.err) == (0, "0 published, 0 there already, 0 refused\n", "")


def _has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open; what it closes while this looks is none."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if link.readlink() == path:
                return True
    return False


def test_an_interrupted_import_says_nothing_and_leaves_nothing(site: Any, dist: Dist) -> None:
    huge = dist() / "one-1.0.tar.gz"
    huge.touch()
    os.truncate(huge, 4 * 1024**3)
    process = site.start("import", str(dist()), "--account", "ada")
    while not _has_open(process.pid, huge.resolve()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
    assert list((site.folder / "var" / "files" / "staging").iterdir()) == []
    assert _projects(site) == []


def test_options_for_sites_of_other_programs_are_not_for_folders(site: Any, dist: Dist) -> None:
    for option in (["--dry-run"], ["--region", "eu-west-1"], ["--public"]):
        outcome = site("import", str(dist()), "--account", "ada", *option)
        assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert f"{option[0]} goes with --from" in outcome.err
    assert site("import", str(dist()), str(dist()), "--account", "ada").status == 2
