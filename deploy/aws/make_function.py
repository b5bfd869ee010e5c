"""Makes the code of the functions, a zip for AWS Lambda, with the libraries of requirements/function.txt:

    make_function.py --architecture arm64 --settings site.ini build/function.zip

It is for the release of Python that this runs on, and for the processor that is named, which may be another
than that of this machine. The same sources make the same bytes.
"""

import argparse
import compileall
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

SOURCE = Path(__file__).resolve().parents[2]
#: What an installation needs beside "src".
_FILES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
_PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}
#: The wheels that the systems of Lambda run: Amazon Linux 2023 has glibc 2.34, and Amazon Linux 2 has 2.26.
_NEWEST_GLIBC = {(3, 11): 26}
_GLIBC = 34
#: The releases of Python that the template takes, which Lambda has.
RELEASES = ((3, 11), (3, 12), (3, 13))
_FOLDER = "/var/task"
#: What Lambda takes, unpacked (AWS Lambda, "Lambda quotas").
_MOST_BYTES = 250 * 1024 * 1024
#: What no process reads: programs, tests, and notes of pip, of which some name folders of this machine.
_LEFT_OUT_FOLDERS = frozenset({"bin", "tests", "test"})
_LEFT_OUT_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})
#: The first moment that a zip can name.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Make the zip, and say what it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--architecture", choices=_PROCESSORS, default="arm64")
    parser.add_argument("--settings", type=Path, metavar="INI", help="goes beside the code")
    parser.add_argument("zip", type=Path)
    arguments = parser.parse_args()
    require_release(sys.version_info[:2])
    with tempfile.TemporaryDirectory(prefix="warehouse14-function-") as work:
        code = Path(work, "code")
        _install(Path(work), code, arguments.architecture)
        _tidy(code)
        if arguments.settings is not None:
            shutil.copyfile(arguments.settings, code / arguments.settings.name)
        _compile(code)
        size = pack(code, arguments.zip)
    release = _runtime(sys.version_info[:2])
    packed = _mb(arguments.zip.stat().st_size)
    sys.stdout.write(
        f"{arguments.zip}: {packed}, {_mb(size)} unpacked, for Runtime={release} "
        f"Architecture={arguments.architecture}\n"
    )


def require_release(release: tuple[int, int]) -> None:
    """End the process with one line if this is a release of Python that the template does not take."""
    if release not in RELEASES:
        raise SystemExit(
            f"the code would be for {_runtime(release)}, and the template takes "
            f"{', '.join(map(_runtime, RELEASES))}: make clean, then make PYTHON=python3.13 function"
        )


def pack(code: Path, target: Path, *, most: int = _MOST_BYTES) -> int:
    """Write a zip whose bytes depend on what is in it alone, and return how many bytes that has.

    Ends the process with one line if they are more than ``most``.
    """
    files = sorted(path for path in code.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    if size > most:
        raise SystemExit(f"{target} would have {_mb(size)} unpacked, and Lambda takes {_mb(most)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as packed:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(code).as_posix(), _MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    return size


def _install(work: Path, code: Path, architecture: str) -> None:
    """Install the locked libraries as wheels for the other machine, and what lies here."""
    lock = SOURCE / "requirements/function.txt"
    wheels = ["--only-binary=:all:", *(f"--platform={name}" for name in _platforms(architecture))]
    _pip("install", "--target", code, "--no-compile", "--no-deps", "--require-hashes", *wheels, "-r", lock)
    _pip("wheel", "--wheel-dir", work, "--no-deps", "--no-build-isolation", _copied(work / "source"))
    for wheel in work.glob("*.whl"):
        # No code of ours is for one system alone: its wheel is unpacked as it is.
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(code)


def _copied(folder: Path) -> Path:
    """Return a copy of the source: setuptools leaves there what it has built, and takes what it finds of an
    earlier time."""
    folder.mkdir()
    for name in _FILES:
        shutil.copyfile(SOURCE / name, folder / name)
    shutil.copytree(
        SOURCE / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    return folder


def _platforms(architecture: str) -> Iterator[str]:
    """Yield the names of the systems whose wheels run there, the newest first."""
    processor = _PROCESSORS[architecture]
    for minor in range(_NEWEST_GLIBC.get(sys.version_info[:2], _GLIBC), 16, -1):
        yield f"manylinux_2_{minor}_{processor}"
    yield f"manylinux2014_{processor}"


def _pip(command: str, *words: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *words], check=True
    )


def _tidy(code: Path) -> None:
    """Remove what no process reads."""
    for path in sorted(code.rglob("*")):
        if path.is_dir() and path.name in _LEFT_OUT_FOLDERS:
            shutil.rmtree(path)
        elif path.name in _LEFT_OUT_FILES and path.parent.suffix == ".dist-info":
            path.unlink()


def _compile(code: Path) -> None:
    """Spare each process the compilation of everything: what it compiles itself it cannot keep."""
    compileall.compile_dir(
        code,
        quiet=1,
        force=True,
        stripdir=str(code),
        prependdir=_FOLDER,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def _runtime(release: tuple[int, int]) -> str:
    """Return what Lambda calls a release."""
    return f"python{release[0]}.{release[1]}"


def _mb(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"


if __name__ == "__main__":
    main()
