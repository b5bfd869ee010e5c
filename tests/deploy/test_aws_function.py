"""The zip that "make function" makes: what is in it, and that the functions start from it alone."""

import platform
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from support.cloudformation import Stack
from support.front_ends import event_of
from support.functions import Function, variables_of
from support.sites import REPOSITORY, Site, environment

pytestmark = pytest.mark.thorough

MAKE = REPOSITORY / "deploy/aws/make_function.py"
HERE = {"aarch64": "arm64", "x86_64": "x86_64"}[platform.machine()]


def make(target: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Make a zip as the Makefile does."""
    return subprocess.run(
        [sys.executable, MAKE, "--architecture", HERE, *words, target],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environment(PYTHONHASHSEED="0"),
    )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="warehouse14-made-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def settings(folder: Path) -> Path:
    ini = folder / "site.ini"
    ini.write_text("[app:main]\nuse = egg:warehouse14\nwarehouse14.read_only = true\n", encoding="utf-8")
    return ini


@pytest.fixture(scope="module")
def made(folder: Path, settings: Path) -> tuple[Path, str]:
    """The zip, and what was said of it."""
    done = make(folder / "function.zip", "--settings", settings)
    assert done.returncode == 0, done.stderr
    return folder / "function.zip", done.stdout


def test_it_says_how_large_it_is_and_what_it_is_for(made: tuple[Path, str]) -> None:
    release = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert re.fullmatch(
        rf"{re.escape(str(made[0]))}: \d+ MB, \d+ MB unpacked, for Runtime={release} Architecture={HERE}\n",
        made[1],
    )


def test_it_holds_no_tests_no_notes_of_this_machine_and_every_module_compiled(made: tuple[Path, str]) -> None:
    with zipfile.ZipFile(made[0]) as packed:
        names = set(packed.namelist())
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        metadata = packed.read("warehouse14-0.1.0.dist-info/entry_points.txt").decode()
    assert "dynamodb = warehouse14.adapters.dynamodb:units" in metadata
    assert not [name for name in names if {"tests", "test", "bin"} & set(name.split("/")[:-1])]
    assert not [name for name in names if name.endswith(("direct_url.json", "RECORD"))]
    tag = sys.implementation.cache_tag
    for name in names:
        if name.startswith("warehouse14/") and name.endswith(".py"):
            parent, _, stem = name.removesuffix(".py").rpartition("/")
            assert f"{parent}/__pycache__/{stem}.{tag}.pyc" in names


@pytest.fixture(scope="module")
def near_site(prepared_site: Site, folder: Path) -> Site:
    """A site in the one folder that a function may write in."""
    return prepared_site.copy_to(folder / "site")


@pytest.fixture(scope="module")
def runtime(folder: Path) -> Path:
    """What the platform itself has beside Python: the runtime client, and what that needs."""
    packages = folder / "runtime"
    packages.mkdir()
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        for top in {Path(path).parts[0] for path in files(name) or () if ".." not in Path(path).parts}:
            (packages / top).symlink_to(distribution(name).locate_file(top))
    return packages


@pytest.mark.parametrize(
    ("handler", "event"), [("http", event_of("rest-api", "/health")), ("upkeep", {"source": "aws.events"})]
)
def test_a_function_starts_from_what_is_in_it_alone(
    handler: str,
    event: Mapping[str, Any],
    made: tuple[Path, str],
    near_site: Site,
    runtime: Path,
    folder: Path,
) -> None:
    code = folder / handler
    with zipfile.ZipFile(made[0]) as packed:
        packed.extractall(code)
    variables = variables_of(near_site) | {"WAREHOUSE14_INI": "site.ini", "PYTHONPATH": str(runtime)}
    bare = (sys._base_executable, "-S")  # type: ignore[attr-defined]  # in no stub
    with Function(variables, handler=handler, folder=code, python=bare) as function:
        assert function.invoke(event).error is None


def test_the_same_sources_make_the_same_bytes(made: tuple[Path, str], folder: Path, settings: Path) -> None:
    again = folder / "again.zip"
    assert make(again, "--settings", settings).returncode == 0
    assert again.read_bytes() == made[0].read_bytes()


def test_what_is_too_large_for_the_platform_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/large").write_bytes(bytes(3 * 1024**2))
    target = tmp_path / "large.zip"
    pack = runpy.run_path(str(MAKE))["pack"]
    with pytest.raises(SystemExit) as ended:
        pack(tmp_path / "code", target, most=1024**2)
    assert str(ended.value) == f"{target} would have 3 MB unpacked, and Lambda takes 1 MB"
    assert not target.exists()
    assert pack(tmp_path / "code", target) == 3 * 1024**2


def test_code_for_a_release_of_python_that_the_template_does_not_take_is_not_made() -> None:
    known = runpy.run_path(str(MAKE))
    taken = Stack(REPOSITORY / "deploy/aws/template.yaml", {}, {}).template["Parameters"]["Runtime"]
    assert [f"python{major}.{minor}" for major, minor in known["RELEASES"]] == taken["AllowedValues"]
    for release in known["RELEASES"]:
        known["require_release"](release)
    with pytest.raises(SystemExit) as ended:
        known["require_release"]((3, 14))
    assert str(ended.value) == (
        "the code would be for python3.14, and the template takes python3.11, python3.12, python3.13: "
        "make clean, then make PYTHON=python3.13 function"
    )
