"""Small projects, built by a real build backend."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.sites import environment
from warehouse14.testing.builders import build_wheel

_PYPROJECT = """\
[build-system]
requires = ["flit_core>=3.9"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "Says {module}"
requires-python = ">=3.11"
dependencies = {dependencies}

[tool.flit.module]
name = "{module}"
"""


@dataclass(frozen=True)
class BuiltProject:
    """A project and its wheel and sdist on disk."""

    name: str
    version: str
    wheel: Path
    sdist: Path

    @property
    def files(self) -> tuple[Path, Path]:
        return self.wheel, self.sdist

    @property
    def requirement(self) -> str:
        """A line of a requirements file, with the hashes of both."""
        hashes = " ".join(f"--hash=sha256:{sha256_of(path)}" for path in self.files)
        return f"{self.name}=={self.version} {hashes}\n"


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(folder: Path, name: str, *, version: str = "1.0", needs: str = "", code: str = "") -> BuiltProject:
    """Write the sources of a project of one module, and build its wheel and its sdist."""
    module = name.lower().replace("-", "_").replace(".", "_")
    source = folder / f"{module}-{version}"
    source.mkdir(parents=True)
    (source / f"{module}.py").write_text(f'"""Says {module}."""\n\n{code}\n', encoding="utf-8")
    (source / "pyproject.toml").write_text(
        _PYPROJECT.format(name=name, version=version, module=module, dependencies=[needs] if needs else []),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = source / "dist"
    return BuiltProject(name, version, next(built.glob("*.whl")), next(built.glob("*.tar.gz")))


def quick_wheel(folder: Path, name: str, version: str = "1.0") -> Path:
    """Return a valid wheel of a project for which nothing has to be built."""
    built = build_wheel(name, version)
    path = folder / built.filename
    path.write_bytes(built.content)
    return path
